//! Distributed tasks in simulated time: nodes come, go, fall silent and crash; scans keep the workers in step; buckets
//! get done. The decisions are the core's ([`wci_core::cluster`]), the same that a live host would carry out.

#[cfg(feature = "cli")]
mod chart;
mod check;
mod engine;
mod failures;
mod file;
mod inline;
mod log;
mod outcome;
#[cfg(feature = "cli")]
mod page;
mod playback;
mod scenario;
mod schema;
mod text;

pub use engine::run;
pub use failures::Failures;
pub use log::{LogEntry, LogLine, Reconciled, Scanned};
pub use outcome::{ClusterResult, Sample, ScanSettings, TaskResult, Totals};
pub use playback::{LineView, Playback, View};
pub use scenario::{ClusterScenario, DefinitionChange, Fault, NodeEvent, NodeEventKind, Timers, Work};
pub use schema::schema;
pub use wci_core::cluster::definition::{Definitions, DistributedTask, ExecutionState, ScanTask};

#[cfg(test)]
mod tests;
