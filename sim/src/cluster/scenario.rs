//! What happens to a cluster, in TOML: its nodes, its tasks, its work, and what becomes of the nodes.

use super::failures::Failures;
use super::{ClusterError, Definitions, DistributedTask, ScanTask};
use crate::model::{MILLI, SECOND};
use crate::scenario::Span;
use serde::Deserialize;
use std::collections::BTreeSet;
use wci_core::Millis;
use wci_core::cluster::NodeId;
use wci_core::cluster::latch::LatchConfig;

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
    /// Whose luck the crashes have.
    pub seed: u64,
    /// Nothing is simulated beyond.
    pub horizon: Millis,
}

/// The work of each distributed task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// In so many buckets.
    pub buckets: u32,
    /// How long a worker takes for one.
    pub bucket: Span,
}

impl Default for Work {
    fn default() -> Self {
        Self { buckets: 20, bucket: Span(50 * SECOND) }
    }
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
    work: Work,
    #[serde(default)]
    timers: Timers,
    #[serde(default)]
    scan: Option<ScanEntry>,
    #[serde(default)]
    event: Vec<NodeEvent>,
    #[serde(default)]
    failures: Option<Failures>,
    #[serde(default)]
    seed: Option<u64>,
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
}

impl ClusterScenario {
    /// The definitions with two nodes, A and B, to which nothing happens.
    #[must_use]
    pub fn of_definitions(title: &str, definitions: Definitions) -> Self {
        Self {
            title: title.to_owned(),
            nodes: vec!["A".into(), "B".into()],
            definitions,
            work: Work::default(),
            timers: Timers::default(),
            events: Vec::new(),
            failures: None,
            seed: 1,
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
        let mut events = read.event;
        events.sort_by_key(|event| event.at);
        let scenario = Self {
            title: read.title,
            nodes: read.nodes,
            definitions,
            work: read.work,
            timers: read.timers,
            events,
            failures: read.failures,
            seed: read.seed.unwrap_or(1),
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
        let timers = [
            ("work.bucket", self.work.bucket),
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

impl ScanEntry {
    fn change(self, task: &mut ScanTask) {
        let config = &mut task.config;
        let LatchConfig { min_interval, max_interval, skip_initial } = &mut config.latch;
        *min_interval = self.min_interval.map(millis).or(*min_interval);
        *max_interval = self.max_interval.map(millis).or(*max_interval);
        *skip_initial = self.skip_initial.unwrap_or(*skip_initial);
        config.retry_failed = self.retry_failed.unwrap_or(config.retry_failed);
        config.close_done = self.close_done.unwrap_or(config.close_done);
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
