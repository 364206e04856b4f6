//! A cluster scenario as it is written: every key, with what it means and what it is when it is left out.
//!
//! The comments become the JSON Schema, against which a file is checked before it is read.

use super::failures::Failures;
use super::scenario::{DefinitionChange, Fault, NodeEvent, Timers};
use super::{DistributedTask, ScanTask};
use crate::scenario::Span;
use crate::scenario::file::Times;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use wci_core::Millis;
use wci_core::cluster::NodeId;
use wci_core::cluster::eligibility::{Selection, Selector};
use wci_core::cluster::latch::LatchConfig;

/// A cluster scenario: nodes, distributed tasks, their work, and what happens to the nodes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "the check lets only 1 pass")]
    pub format: u32,
    /// The title for people.
    pub title: String,
    /// Name of a file with task definitions in midPoint's XML, relative to this one.
    #[serde(default)]
    pub definitions: Option<String>,
    /// Distributed tasks, beside those of `definitions`.
    #[serde(default)]
    #[schemars(with = "Vec<Task>")]
    pub task: Vec<DistributedTask>,
    /// Names of the nodes that are up at the start.
    #[schemars(with = "Vec<String>")]
    pub nodes: Vec<NodeId>,
    /// The work of each task.
    #[serde(default)]
    pub work: Option<WorkEntry>,
    /// How nodes find out about each other.
    #[serde(default)]
    pub timers: Option<TimersEntry>,
    /// The task that keeps the workers in step: what differs from the definitions. Without it, and without such a task
    /// in the definitions, nothing scans.
    #[serde(default)]
    pub scan: Option<ScanEntry>,
    /// What happens to nodes.
    #[serde(default)]
    pub event: Vec<NodeEvent>,
    /// Nodes that crash by chance. Without it none does.
    #[serde(default)]
    pub failures: Option<Failures>,
    /// What happens to tasks.
    #[serde(default)]
    pub change: Vec<DefinitionChange>,
    /// Times in which workers cannot be changed.
    #[serde(default)]
    pub fault: Vec<Fault>,
    /// Whose luck buckets and crashes have. Default 1.
    #[serde(default)]
    pub seed: Option<u64>,
    /// What must come out: figures with a comparison, such as `makespan_s = "<= 20m"`.
    #[serde(default)]
    pub expect: BTreeMap<String, String>,
    /// Nothing is simulated beyond. Default "1d".
    #[serde(default)]
    pub horizon: Option<Span>,
}

/// The work of each task.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkEntry {
    /// In so many buckets. Default 20.
    #[schemars(range(max = 1_000_000))]
    pub buckets: Option<u32>,
    /// How long a worker takes for one. Default "50s".
    pub bucket: Option<Times>,
}

/// How nodes find out about each other.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimersEntry {
    /// Each node says so often that it is there. Default "10s".
    check_in: Option<Span>,
    /// It counts as alive for so long after. Default "30s".
    alive_within: Option<Span>,
    /// Each node looks so often for others that are silent. Default "120s".
    check: Option<Span>,
    /// After so much silence it marks them DOWN. Default "900s".
    down_after: Option<Span>,
    /// A scavenger asks again after so long. Default "20s".
    scavenger_poll: Option<Span>,
}

impl TimersEntry {
    pub fn resolve(self) -> Timers {
        let defaults = Timers::default();
        Timers {
            check_in: self.check_in.unwrap_or(defaults.check_in),
            alive_within: self.alive_within.unwrap_or(defaults.alive_within),
            check: self.check.unwrap_or(defaults.check),
            down_after: self.down_after.unwrap_or(defaults.down_after),
            scavenger_poll: self.scavenger_poll.unwrap_or(defaults.scavenger_poll),
        }
    }
}

/// The task that keeps the workers in step: what differs from the definitions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanEntry {
    /// How often it scans. Default "60s".
    interval: Option<Span>,
    /// Shortest time between reconciliations. Default: none.
    min_interval: Option<Span>,
    /// Longest time between reconciliations. Default: without end.
    max_interval: Option<Span>,
    /// Whether the first scan only takes down which nodes are up. Default false.
    skip_initial: Option<bool>,
    /// Which tasks it looks after. Default: all.
    tasks: Option<Vec<SelectorEntry>>,
    /// Better: whether a task whose reconciliation failed is tried again. Default false.
    retry_failed: Option<bool>,
    /// Better: whether workers that idle are closed when the work is complete. Default false.
    close_done: Option<bool>,
    /// Better: whether a changed definition is followed while its task runs. Default true.
    follow_definitions: Option<bool>,
}

/// One description of tasks: by one of these.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SelectorEntry {
    /// The identifier; that of a task in TOML is its name, unless it says another.
    oid: Option<String>,
    /// The name.
    name: Option<String>,
    /// The identifier of one of its archetypes.
    archetype: Option<String>,
}

impl SelectorEntry {
    /// What it says; none: nothing, or more than one thing.
    fn selector(self) -> Option<Selector> {
        match (self.oid, self.name, self.archetype) {
            (Some(oid), None, None) => Some(Selector::Oid(oid)),
            (None, Some(name), None) => Some(Selector::Name(name)),
            (None, None, Some(archetype)) => Some(Selector::Archetype(archetype)),
            _ => None,
        }
    }
}

impl ScanEntry {
    /// The first description of tasks that is none, by its number.
    pub fn undescribed(&self) -> Option<usize> {
        self.tasks.iter().flatten().position(|entry| entry.clone().selector().is_none())
    }

    /// Whether it says itself which tasks are looked after.
    pub const fn selects(&self) -> bool {
        self.tasks.is_some()
    }

    pub fn change(self, task: &mut ScanTask) {
        let config = &mut task.config;
        let LatchConfig { min_interval, max_interval, skip_initial } = &mut config.latch;
        *min_interval = self.min_interval.map(Span::as_millis).or(*min_interval);
        *max_interval = self.max_interval.map(Span::as_millis).or(*max_interval);
        *skip_initial = self.skip_initial.unwrap_or(*skip_initial);
        config.retry_failed = self.retry_failed.unwrap_or(config.retry_failed);
        config.close_done = self.close_done.unwrap_or(config.close_done);
        config.follow_definitions = self.follow_definitions.unwrap_or(config.follow_definitions);
        if let Some(tasks) = self.tasks {
            config.tasks = Selection::AnyOf(tasks.into_iter().filter_map(SelectorEntry::selector).collect());
            task.selected_at.clear();
        }
        task.interval = self.interval.map_or(task.interval, Span::as_millis);
    }
}

impl Span {
    /// Whole milliseconds, which is what scans count in.
    pub(super) fn as_millis(self) -> Millis {
        Millis::new(i64::try_from(self.0 / crate::model::MILLI).unwrap_or(i64::MAX))
    }
}

// It is read as a `DistributedTask`; this is what the schema says of it.
/// A distributed task.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct Task {
    /// Its name.
    name: String,
    /// Its identifier. Default: its name.
    oid: Option<String>,
    /// Identifiers of its archetypes. Default: none.
    archetypes: Option<Vec<String>>,
    /// The name of its activity, as workers' names carry it. Default "root activity".
    activity: Option<String>,
    /// Where its workers run, and how many. Default: one on each node that is UP.
    workers_per_node: Option<Vec<Workers>>,
    /// Whether scans may touch it. Default: they may.
    auto_scaling: Option<Scaling>,
    /// What becomes of it at the start. Default "running".
    execution_state: Option<Execution>,
}

/// An entry of workers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct Workers {
    /// On these nodes, also when they are down. Default: on every node that is UP.
    node_identifiers: Option<Vec<String>>,
    /// Workers on each node. Default 1.
    #[schemars(range(max = 1000))]
    count: Option<u32>,
    /// The first so many of them look for buckets that others left behind. Default 1.
    #[schemars(range(max = 1000))]
    scavengers: Option<u32>,
    /// Template of the group of nodes that may run them; empty: any node. Default "{node}".
    execution_group: Option<String>,
    /// Template of the name. Default "Worker {node}:{index} for {activity} in {rootTaskName}".
    task_name: Option<String>,
}

/// Whether scans may touch a task.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct Scaling {
    /// `false`: they leave it alone.
    enabled: Option<bool>,
    /// `disabled`: they leave it alone.
    mode: Option<Mode>,
}

/// Whether scans may touch a task, as another version says it.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its shape is of use")]
enum Mode {
    /// They may.
    Enabled,
    /// They leave it alone.
    Disabled,
}

/// What becomes of a task at the start.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its shape is of use")]
enum Execution {
    /// It runs.
    Running,
    /// Its coordinator is suspended: its workers are made suspended.
    Suspended,
    /// It has ended.
    Closed,
}
