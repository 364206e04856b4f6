//! What a file of task definitions holds for us: distributed tasks, and the one that keeps their workers in step.

#[cfg(feature = "xml")]
mod iso_duration;
#[cfg(feature = "xml")]
mod unclosed;
#[cfg(feature = "xml")]
mod xml;

use super::TaskId;
use super::eligibility::AutoScaling;
use super::scan::ScanConfig;
use super::wanted::{MOST_PER_NODE, WorkersPerNode};
use crate::time::Millis;
use serde::{Deserialize, Serialize};

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
#[serde(try_from = "TaskEntry")]
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
    /// What becomes of it at the start.
    pub execution: ExecutionState,
}

/// What becomes of a task at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// It runs, or waits for its children.
    #[default]
    Running,
    /// It was stopped: a coordinator's new workers are made suspended, and a task that scans does not.
    Suspended,
    /// It has ended.
    Closed,
}

impl DistributedTask {
    /// The name of an activity that has none.
    pub const ROOT_ACTIVITY: &str = "root activity";

    /// The keys, as a task in TOML has them, at which there is an empty text instead of a name.
    #[must_use]
    pub fn nameless(&self) -> Vec<String> {
        let mut named =
            vec![("name".to_owned(), self.name.as_str()), ("activity".to_owned(), &self.activity)];
        if *self.oid.0 != *self.name {
            named.push(("oid".to_owned(), &self.oid.0));
        }
        let archetypes = self.archetypes.iter().enumerate();
        named.extend(archetypes.map(|(i, archetype)| (format!("archetypes.{i}"), archetype.as_str())));
        for (i, entry) in self.workers.iter().enumerate() {
            let key = format!("workers_per_node.{i}");
            named.push((format!("{key}.task_name"), &entry.task_name));
            let nodes = entry.node_identifiers.iter().enumerate();
            named.extend(nodes.map(|(j, node)| (format!("{key}.node_identifiers.{j}"), &**node)));
        }
        let is_empty = |(key, name): (String, &str)| name.trim().is_empty().then_some(key);
        named.into_iter().filter_map(is_empty).collect()
    }
}

/// A task as it stands in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskEntry {
    name: String,
    oid: Option<String>,
    #[serde(default)]
    archetypes: Vec<String>,
    activity: Option<String>,
    #[serde(default)]
    workers_per_node: Vec<WorkersPerNode>,
    #[serde(default)]
    auto_scaling: AutoScaling,
    #[serde(default)]
    execution_state: ExecutionState,
}

impl TryFrom<TaskEntry> for DistributedTask {
    type Error = String;

    fn try_from(entry: TaskEntry) -> Result<Self, String> {
        for workers in &entry.workers_per_node {
            let counts = [("count", workers.count), ("scavengers", workers.scavengers)];
            if let Some((key, count)) = counts.into_iter().find(|(_, count)| *count > MOST_PER_NODE) {
                return Err(format!("{key}: found {count}, expected at most {MOST_PER_NODE}"));
            }
        }
        Ok(Self {
            oid: entry.oid.as_deref().unwrap_or(&entry.name).into(),
            name: entry.name,
            archetypes: entry.archetypes,
            auto_scaling: entry.auto_scaling,
            activity: entry.activity.unwrap_or_else(|| Self::ROOT_ACTIVITY.to_owned()),
            workers: entry.workers_per_node,
            execution: entry.execution_state,
        })
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
    /// Whether it runs at all.
    pub execution: ExecutionState,
    /// Where in the file each of the selected tasks stands: line and column, from 1.
    pub selected_at: Vec<(u32, u32)>,
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
            execution: ExecutionState::Running,
            selected_at: Vec::new(),
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

/// Everything that is wrong with the definitions of a file: never empty, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionErrors(pub Vec<DefinitionError>);

impl std::fmt::Display for DefinitionErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for DefinitionErrors {}
