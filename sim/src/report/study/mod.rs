//! Studies for people: tables, CSV and pages of replications, comparisons, sweeps and tuning.

mod amount;
mod replications;

pub use amount::{amount, with_interval};
pub use replications::{replications_csv, replications_table};
