//! What a file of task definitions holds for us: distributed tasks, and the one that keeps their workers in step.

#[cfg(feature = "xml")]
mod iso_duration;
#[cfg(feature = "xml")]
mod xml;

use super::TaskId;
use super::eligibility::AutoScaling;
use super::scan::ScanConfig;
use super::wanted::WorkersPerNode;
use crate::time::Millis;
use serde::Deserialize;

/// The tasks of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// Those whose work is distributed to workers, in the order of the file.
    pub tasks: Vec<DistributedTask>,
    /// The one that keeps the workers in step, if there is one.
    pub scan: Option<ScanTask>,
}

/// A task whose work is distributed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "TaskEntry")]
pub struct DistributedTask {
    /// Its identifier: the one in the file, else its name.
    pub oid: TaskId,
    /// Its name.
    pub name: String,
    /// Identifiers of its archetypes.
    pub archetypes: Vec<String>,
    /// Whether it may be touched.
    pub auto_scaling: AutoScaling,
    /// The name of its activity, as workers' names carry it.
    pub activity: String,
    /// Where its workers run, and how many.
    pub workers: Vec<WorkersPerNode>,
}

impl DistributedTask {
    /// The name of an activity that has none.
    pub const ROOT_ACTIVITY: &str = "root activity";
}

/// A task as it stands in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskEntry {
    name: String,
    #[serde(default)]
    workers_per_node: Vec<WorkersPerNode>,
    #[serde(default)]
    auto_scaling: AutoScaling,
}

impl From<TaskEntry> for DistributedTask {
    fn from(entry: TaskEntry) -> Self {
        Self {
            oid: entry.name.as_str().into(),
            name: entry.name,
            archetypes: Vec::new(),
            auto_scaling: entry.auto_scaling,
            activity: Self::ROOT_ACTIVITY.to_owned(),
            workers: entry.workers_per_node,
        }
    }
}

/// A task that looks after the workers of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanTask {
    /// Its name.
    pub name: String,
    /// How often it runs.
    pub interval: Millis,
    /// What it does.
    pub config: ScanConfig,
}

impl ScanTask {
    /// The interval of the documentation's example.
    pub const DEFAULT_INTERVAL: Millis = Millis::from_secs(60);
}

impl Default for ScanTask {
    fn default() -> Self {
        Self {
            name: "Auto-scaling".to_owned(),
            interval: Self::DEFAULT_INTERVAL,
            config: ScanConfig::default(),
        }
    }
}

/// What is wrong with a definition: where it stands, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionError {
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

impl std::fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

impl std::error::Error for DefinitionError {}
