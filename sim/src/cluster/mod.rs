//! Distributed tasks in simulated time: nodes come, go, fall silent and crash; scans keep the workers in step; buckets
//! get done. The decisions are the core's ([`wci_core::cluster`]), the same that a live host would carry out.

#[cfg(feature = "cli")]
mod chart;
mod definition;
mod engine;
mod failures;
mod iso_duration;
mod log;
mod outcome;
mod scenario;
mod text;
mod xml;

pub use definition::{Definitions, DistributedTask, ScanTask};
pub use engine::run;
pub use failures::Failures;
pub use log::{LogEntry, LogLine, Reconciled};
pub use outcome::{ClusterResult, Sample, TaskResult, Totals};
pub use scenario::{ClusterScenario, NodeEvent, NodeEventKind, Timers, Work};

use std::fmt;

/// What is wrong with a definition or a scenario: where it stands, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterError {
    /// The file, as it was named.
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub position: Option<(u32, u32)>,
    /// The element or key.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for ClusterError {}

#[cfg(test)]
mod tests;
