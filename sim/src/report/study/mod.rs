//! Studies for people: tables, CSV and pages of replications, comparisons, sweeps and tuning.

mod again;
mod amount;
mod cluster;
pub mod compare;
pub mod compare_page;
mod heat;
mod replications;
mod replications_page;
mod scatter;
pub mod sweep;
pub mod tune;

pub use amount::{amount, with_interval};
pub use cluster::{cluster_page, cluster_pareto, cluster_trials_csv, cluster_tuned};
pub use heat::HeatMap;
pub use replications::{replications_csv, replications_table};
pub use replications_page::replications_page;
pub use scatter::{Dot, Kind, Scatter};
