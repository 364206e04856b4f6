//! Studies: replications with intervals, comparisons under common luck, sweeps and tuning.
//!
//! A [`Case`] is a scenario with a spec and settings; a [`Lab`] runs cases under many seeds on all cores and hands
//! the results back in order, so that nothing depends on the number of threads. Replication `i` of a study runs
//! under the scenario's seed plus `i`: `wci run --seed` with that number gives the very same run alone, and compared
//! cases meet the same arrivals and services.
//!
//! ```
//! use wci_sim::research::{Case, Lab, Plan, replicate};
//! use wci_sim::scenario::Scenario;
//!
//! let text = r#"
//!     format = 1
//!     title = "Ten minutes"
//!     horizon = "10m"
//!     [[workload]]
//!     name = "orders"
//!     arrival = { kind = "poisson", rate = 2.0 }
//!     service = { kind = "exponential", mean = "1s" }
//!     [spec.scaling_group_specs.activities]
//!     task_types = ["ACTIVITY"]
//!     compute = { provider_type = "aws-lambda" }
//!     scaling = { scaling_algorithm = "no-sync" }
//! "#;
//! let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
//! let scenario = Scenario::from_toml(text, "orders.toml", &no_files)?;
//! let case = Case::new("as written", &scenario)?;
//! let result = replicate(&Lab::without_files(), &case, &Plan::of(10))?;
//! let cost = result.estimate("cost_usd.total");
//! println!("{:.4} +- {:.4} USD", cost.mean.unwrap(), cost.ci95.unwrap());
//! # assert!(cost.mean.unwrap() > cost.ci95.unwrap());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod best_fixed;
pub mod cluster;
pub mod compare;
mod constraint;
pub mod design;
mod estimate;
pub mod keep_alive;
mod lab;
mod observe;
pub mod range;
mod replicate;
mod square_root;
mod student;
pub mod sweep;
#[cfg(test)]
pub(crate) mod testing;
pub mod tune;
pub mod variant;

pub use best_fixed::{Counts, FixedError, best_fixed};
pub use constraint::{Verdict, judge};
pub use estimate::{Estimate, LEVEL};
pub use lab::{Case, Finished, Keep, Lab, Nothing, Store, StudyError, Watch};
pub use observe::Course;
pub use replicate::{BLOCK, Plan, Replications, Stop, Until, replicate, replicate_all};
pub use square_root::SquareRoot;
pub use student::two_sided;
