//! Studies for people: tables, CSV and pages of replications, comparisons, sweeps and tuning.

mod amount;
pub mod compare;
pub mod compare_page;
mod heat;
mod replications;
mod scatter;
pub mod sweep;
pub mod tune;

pub use amount::{amount, with_interval};
pub use heat::HeatMap;
pub use replications::{replications_csv, replications_table};
pub use scatter::{Dot, Kind, Scatter};
