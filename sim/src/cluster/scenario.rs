//! What happens to a cluster, in TOML: its nodes, its tasks, its work, and what becomes of the nodes.

use super::failures::Failures;
use super::{ClusterError, Definitions, DistributedTask, ScanTask};
use crate::dist::Dist;
use crate::model::{MILLI, SECOND};
use crate::scenario::expect::{self, Quantity};
use crate::scenario::file::Times;
use crate::scenario::{Expectation, Span, times_at_key};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use wci_core::Millis;
use wci_core::cluster::NodeId;
use wci_core::cluster::latch::LatchConfig;
use wci_core::cluster::wanted::MOST_PER_NODE;

/// Everything a run needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterScenario {
    /// For people.
    pub title: String,
    /// The nodes that are up at the start.
    pub nodes: Vec<NodeId>,
    /// The tasks, and the one that keeps their workers in step.
    pub definitions: Definitions,
    /// The work of each task.
    pub work: Work,
    /// How nodes find out about each other.
    pub timers: Timers,
    /// What becomes of the nodes, in order of time.
    pub events: Vec<NodeEvent>,
    /// Crashes by chance.
    pub failures: Option<Failures>,
    /// What becomes of the tasks' definitions, in order of time.
    pub changes: Vec<DefinitionChange>,
    /// When workers cannot be changed.
    pub faults: Vec<Fault>,
    /// Whose luck buckets and crashes have.
    pub seed: u64,
    /// What must come out.
    pub expect: Vec<Expectation>,
    /// Nothing is simulated beyond.
    pub horizon: Millis,
}

/// The work of each distributed task.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// In so many buckets.
    pub buckets: u32,
    /// How long a worker takes for one.
    pub bucket: Dist,
}

/// The work as it is written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WorkEntry {
    buckets: u32,
    bucket: Times,
}

impl Default for WorkEntry {
    fn default() -> Self {
        Self { buckets: 20, bucket: Times::Constant(Span(50 * SECOND)) }
    }
}

/// From now on other workers are wanted of a task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionChange {
    /// When.
    pub at: Span,
    /// Of which task; none: of every one.
    #[serde(default)]
    pub task: Option<String>,
    /// So many workers on each node.
    #[serde(default)]
    pub count: Option<u32>,
    /// So many of them scavengers.
    #[serde(default)]
    pub scavengers: Option<u32>,
}

/// A time in which workers cannot be changed, as when their records cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// From when on.
    pub from: Span,
    /// Until when.
    pub until: Span,
}

/// How nodes find out about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// Each node says so often that it is there.
    pub check_in: Span,
    /// It counts as alive for so long after.
    pub alive_within: Span,
    /// Each node looks so often for others that are silent.
    pub check: Span,
    /// After so much silence it marks them DOWN.
    pub down_after: Span,
    /// A scavenger asks again after so long.
    pub scavenger_poll: Span,
}

impl Default for Timers {
    fn default() -> Self {
        let seconds = |seconds: u64| Span(seconds * SECOND);
        Self {
            check_in: seconds(10),
            alive_within: seconds(30),
            check: seconds(120),
            down_after: seconds(900),
            scavenger_poll: seconds(20),
        }
    }
}

/// Something that happens to a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEvent {
    /// When.
    pub at: Span,
    /// To which one.
    pub node: NodeId,
    /// What.
    pub kind: NodeEventKind,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeEventKind {
    /// It starts: for the first time, or again.
    Join,
    /// It is shut down in order: its workers stop, their buckets go back at once.
    Leave,
    /// It goes on working and is not heard of any more.
    Silent,
    /// It is gone without a word.
    Crash,
    /// A silent one is heard of again.
    Return,
}

impl NodeEventKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Join, Self::Leave, Self::Silent, Self::Crash, Self::Return];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Silent => "silent",
            Self::Crash => "crash",
            Self::Return => "return",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    title: String,
    #[serde(default)]
    definitions: Option<String>,
    #[serde(default)]
    task: Vec<DistributedTask>,
    nodes: Vec<NodeId>,
    #[serde(default)]
    work: WorkEntry,
    #[serde(default)]
    timers: Timers,
    #[serde(default)]
    scan: Option<ScanEntry>,
    #[serde(default)]
    event: Vec<NodeEvent>,
    #[serde(default)]
    failures: Option<Failures>,
    #[serde(default)]
    change: Vec<DefinitionChange>,
    #[serde(default)]
    fault: Vec<Fault>,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    expect: BTreeMap<String, String>,
    #[serde(default)]
    horizon: Option<Span>,
}

/// What differs from the definitions' own task.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScanEntry {
    interval: Option<Span>,
    min_interval: Option<Span>,
    max_interval: Option<Span>,
    skip_initial: Option<bool>,
    retry_failed: Option<bool>,
    close_done: Option<bool>,
    follow_definitions: Option<bool>,
}

impl ClusterScenario {
    /// The definitions with two nodes, A and B, to which nothing happens.
    #[must_use]
    pub fn of_definitions(title: &str, definitions: Definitions) -> Self {
        Self {
            title: title.to_owned(),
            nodes: vec!["A".into(), "B".into()],
            definitions,
            work: Work { buckets: 20, bucket: Dist::certain(50 * SECOND) },
            timers: Timers::default(),
            events: Vec::new(),
            failures: None,
            changes: Vec::new(),
            faults: Vec::new(),
            seed: 1,
            expect: Vec::new(),
            horizon: Millis::from_secs(86_400),
        }
    }

    /// Reads a text; `file` is its name for errors, `open` gets the text of another file that it names.
    ///
    /// # Errors
    /// Names the file, the line, what was found and what would be right.
    pub fn from_toml(
        text: &str,
        file: &str,
        open: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, ClusterError> {
        let read: File = toml::from_str(text).map_err(|error| syntax_error(file, text, &error))?;
        let wrong = |key: &str, found: String, expected: &str| ClusterError {
            file: file.to_owned(),
            position: None,
            key: key.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        if read.format != 1 {
            return Err(wrong("format", read.format.to_string(), "1"));
        }
        let mut definitions = match &read.definitions {
            Some(name) => {
                let xml = open(name)
                    .map_err(|error| wrong("definitions", error, "a file with task definitions"))?;
                Definitions::from_xml(&xml, name)?
            }
            None => Definitions::default(),
        };
        definitions.tasks.extend(read.task);
        if let Some(scan) = read.scan {
            scan.change(definitions.scan.get_or_insert_default());
        }
        let (mut events, mut changes) = (read.event, read.change);
        events.sort_by_key(|event| event.at);
        changes.sort_by_key(|change| change.at);
        let told = |(key, found, expected): (String, String, String)| wrong(&key, found, &expected);
        let expect = read.expect.iter().map(|(key, text)| expected(key, text).map_err(told));
        let scenario = Self {
            title: read.title,
            nodes: read.nodes,
            definitions,
            work: read.work.resolve().map_err(told)?,
            timers: read.timers,
            events,
            failures: read.failures,
            changes,
            faults: read.fault,
            seed: read.seed.unwrap_or(1),
            expect: expect.collect::<Result<_, _>>()?,
            horizon: read.horizon.map_or(Millis::from_secs(86_400), millis),
        };
        scenario.check_all(file).map(|()| scenario)
    }

    /// The scenario with the crashes that this seed brings.
    #[must_use]
    pub fn under(&self, seed: u64) -> Self {
        let mut scenario = self.clone();
        scenario.seed = seed;
        if let Some(failures) = scenario.failures.take() {
            let until = u64::try_from(self.horizon.get()).unwrap_or(0).saturating_mul(MILLI);
            scenario.events.extend(failures.draw(&self.nodes, until, seed));
            scenario.events.sort_by_key(|event| event.at);
        }
        scenario
    }

    /// Checks what no single key can say; `origin` is where the values come from.
    ///
    /// # Errors
    /// Names the key, what was found and what would be right.
    pub fn check_all(&self, origin: &str) -> Result<(), ClusterError> {
        self.check().map_err(|(key, found, expected)| ClusterError {
            file: origin.to_owned(),
            position: None,
            key: key.to_owned(),
            found,
            expected: expected.to_owned(),
        })
    }

    fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        if self.nodes.is_empty() {
            return Err(("nodes", "no nodes".into(), "at least one"));
        }
        if self.definitions.tasks.is_empty() {
            return Err(("task", "no task with workers".into(), "at least one, here or in the definitions"));
        }
        let distinct: BTreeSet<_> = self.definitions.tasks.iter().map(|task| &task.oid).collect();
        if distinct.len() < self.definitions.tasks.len() {
            return Err(("task", "two tasks with one name".into(), "each name once"));
        }
        if self.work.buckets > 1_000_000 {
            return Err(("work.buckets", self.work.buckets.to_string(), "at most 1000000"));
        }
        let is_known = |name: &String| self.definitions.tasks.iter().any(|task| task.name == *name);
        if let Some(name) =
            self.changes.iter().filter_map(|change| change.task.as_ref()).find(|name| !is_known(name))
        {
            return Err(("change.task", format!("{name:?}"), "the name of a task"));
        }
        let counts = self.changes.iter().flat_map(|change| [change.count, change.scavengers]).flatten();
        if let Some(count) = counts.into_iter().find(|count| *count > MOST_PER_NODE) {
            return Err(("change", count.to_string(), "at most 1000 workers on a node"));
        }
        let timers = [
            ("timers.check_in", self.timers.check_in),
            ("timers.check", self.timers.check),
            ("timers.scavenger_poll", self.timers.scavenger_poll),
            ("failures.mean_between", self.failures.map_or(Span(SECOND), |failures| failures.mean_between)),
            (
                "failures.mean_repair",
                self.failures.and_then(|failures| failures.mean_repair).unwrap_or(Span(SECOND)),
            ),
        ];
        match timers.into_iter().find(|(_, span)| span.0 < 100 * MILLI) {
            Some((key, span)) => Err((key, span.to_string(), "at least 100ms")),
            None => Ok(()),
        }
    }
}

impl WorkEntry {
    fn resolve(&self) -> Result<Work, (String, String, String)> {
        const KEY: &str = "work.bucket";
        match &self.bucket {
            Times::Constant(span) if span.0 < 100 * MILLI => {
                Err((KEY.to_owned(), span.to_string(), "at least 100ms".to_owned()))
            }
            bucket => Ok(Work { buckets: self.buckets, bucket: times_at_key(KEY, bucket)? }),
        }
    }
}

/// The figures of a result.
const FIGURES: [(&str, Quantity); 12] = [
    ("makespan_s", Quantity::Seconds),
    ("ended", Quantity::Flag),
    ("scans", Quantity::Count),
    ("reconciliations", Quantity::Count),
    ("partial_reconciliations", Quantity::Count),
    ("put_off", Quantity::Count),
    ("wasted_work_s", Quantity::Seconds),
    ("buckets_given_back", Quantity::Count),
    ("workers_created", Quantity::Count),
    ("workers_suspended", Quantity::Count),
    ("workers_resumed", Quantity::Count),
    ("nodes_marked_down", Quantity::Count),
];

fn expected(key: &str, text: &str) -> Result<Expectation, (String, String, String)> {
    expect::among(key, text, &FIGURES).map_err(|(found, right)| (format!("expect.{key}"), found, right))
}

impl ScanEntry {
    fn change(self, task: &mut ScanTask) {
        let config = &mut task.config;
        let LatchConfig { min_interval, max_interval, skip_initial } = &mut config.latch;
        *min_interval = self.min_interval.map(millis).or(*min_interval);
        *max_interval = self.max_interval.map(millis).or(*max_interval);
        *skip_initial = self.skip_initial.unwrap_or(*skip_initial);
        config.retry_failed = self.retry_failed.unwrap_or(config.retry_failed);
        config.close_done = self.close_done.unwrap_or(config.close_done);
        config.follow_definitions = self.follow_definitions.unwrap_or(config.follow_definitions);
        // A scan that never ends would be none.
        task.interval = self.interval.map_or(task.interval, |span| millis(span).max(Millis::new(100)));
    }
}

/// Whole milliseconds, which is what scans count in.
pub(super) fn millis(span: Span) -> Millis {
    Millis::new(i64::try_from(span.0 / MILLI).unwrap_or(i64::MAX))
}

fn syntax_error(file: &str, text: &str, error: &toml::de::Error) -> ClusterError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let position = before.map(|before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    });
    ClusterError {
        file: file.to_owned(),
        position,
        key: String::new(),
        found: error.message().replace('\n', " "),
        expected: "a cluster scenario (docs/cluster.md)".to_owned(),
    }
}
