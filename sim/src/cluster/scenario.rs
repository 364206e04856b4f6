//! What happens to a cluster, in TOML: its nodes, its tasks, its work, and what becomes of the nodes.

use super::failures::Failures;
use super::file::File;
use super::{Definitions, ExecutionState, ScanTask};
use crate::dist::Dist;
use crate::model::{MILLI, SECOND};
use crate::scenario::expect::{self, Quantity};
use crate::scenario::file::Times;
use crate::scenario::{
    Expectation, KeyPath, Origin, Problem, ScenarioErrors, Shape, Span, check_table, flatten_expectations,
    read_struct, read_table, resolve_times,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Table;
use wci_core::Millis;
use wci_core::cluster::NodeId;

/// Buckets of a task, unless said otherwise.
const BUCKETS: u32 = 20;
/// Time for a bucket, unless said otherwise.
const BUCKET: Span = Span(50 * SECOND);
/// The end of a scenario, unless it says another.
const HORIZON: Span = Span(86_400 * SECOND);

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
    /// What becomes of the nodes.
    pub events: Vec<NodeEvent>,
    /// Crashes by chance.
    pub failures: Option<Failures>,
    /// What becomes of the tasks.
    pub changes: Vec<DefinitionChange>,
    /// When workers cannot be changed.
    pub faults: Vec<Fault>,
    /// Whose luck buckets and crashes have.
    pub seed: u64,
    /// What must come out.
    pub expect: Vec<Expectation>,
    /// Nothing is simulated beyond.
    pub horizon: Millis,
    pub(super) source: Source,
    origin: Origin,
}

/// What comes from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// The file with the definitions, as it was named.
    pub definitions: String,
    /// How many of the tasks stand in the scenario's own file, behind those of its definitions.
    pub own_tasks: usize,
    /// Whether the scenario's own file says which tasks are looked after.
    pub selects: bool,
}

/// The work of each distributed task.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// In so many buckets.
    pub buckets: u32,
    /// How long a worker takes for one.
    pub bucket: Dist,
}

/// Something that happens to tasks: from now on other workers are wanted, or a coordinator stops or goes on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefinitionChange {
    /// When.
    pub at: Span,
    /// To which task, by its name. Default: to every one.
    #[serde(default)]
    pub task: Option<String>,
    /// So many workers on each node from now on.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub count: Option<u32>,
    /// So many of them scavengers.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub scavengers: Option<u32>,
    /// Whether the coordinator is suspended from now on; its workers that run go on.
    #[serde(default)]
    pub suspended: Option<bool>,
}

/// A time in which workers cannot be changed, as when their records cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// From when on.
    pub from: Span,
    /// Until when.
    pub until: Span,
}

/// How nodes find out about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeEvent {
    /// When.
    pub at: Span,
    /// To which one.
    #[schemars(with = "String")]
    pub node: NodeId,
    /// What.
    pub kind: NodeEventKind,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
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

impl ClusterScenario {
    /// The definitions with two nodes, A and B, to which nothing happens; `file` is the name for errors.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of_definitions(file: &str, definitions: Definitions) -> Result<Self, ScenarioErrors> {
        let scenario = Self {
            title: file.to_owned(),
            nodes: vec!["A".into(), "B".into()],
            definitions,
            work: Work { buckets: BUCKETS, bucket: Dist::certain(BUCKET.0) },
            timers: Timers::default(),
            events: Vec::new(),
            failures: None,
            changes: Vec::new(),
            faults: Vec::new(),
            seed: 1,
            expect: Vec::new(),
            horizon: HORIZON.as_millis(),
            source: Source { definitions: file.to_owned(), ..Source::default() },
            origin: Origin::of_file(file),
        };
        scenario.checked()
    }

    /// Reads a text; `file` is its name for errors, `open` gets the text of another file that it names.
    ///
    /// # Errors
    /// Everything that is wrong: the file, the line, the key, what was found and what would be right.
    pub fn from_toml(
        text: &str,
        file: &str,
        open: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, ScenarioErrors> {
        let (table, origin) = read_table(text, file)?;
        Self::read(table, origin, open)
    }

    /// Reads a table in which values were changed by hand, so that no place in a file is known.
    ///
    /// # Errors
    /// As [`ClusterScenario::from_toml`], without lines.
    pub fn from_table(
        table: Table,
        file: &str,
        open: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, ScenarioErrors> {
        Self::read(table, Origin::of_file(file), open)
    }

    fn read(
        mut table: Table,
        origin: Origin,
        open: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, ScenarioErrors> {
        flatten_expectations(&mut table);
        let name = table.get("definitions").and_then(toml::Value::as_str);
        let definitions = definitions(name, &origin, open);
        let problems = check_table(Shape::of(super::schema::shared()), &table);
        if !problems.is_empty() {
            return Err(joined(definitions.err(), origin.locate(problems)));
        }
        // The check finds all of these with their place; this is for what it may have missed.
        let missed =
            |wrong: String| origin.locate(vec![Problem::value(&KeyPath::ROOT, wrong, "a cluster scenario")]);
        let file: File = read_struct(table).map_err(|wrong| missed(wrong.0))?;
        let (mut definitions, unread) = match definitions {
            Ok(definitions) => (definitions, None),
            Err(errors) => (Definitions::default(), Some(errors)),
        };
        let mut source = Source {
            definitions: file.definitions.unwrap_or_default(),
            own_tasks: file.task.len(),
            selects: false,
        };
        definitions.tasks.extend(file.task);
        let (expect, mut problems) = expectations(&file.expect);
        if let Some(scan) = file.scan {
            problems.extend(scan.undescribed().map(|index| {
                let path = KeyPath::ROOT.key("scan").key("tasks").item(index, None);
                Problem::value(&path, "another number of keys", "one of oid, name, archetype")
            }));
            source.selects = scan.selects();
            scan.change(definitions.scan.get_or_insert_default());
        }
        let work = file.work.unwrap_or_default();
        let bucket = work.bucket.unwrap_or(Times::Constant(BUCKET));
        let bucket = resolve_times(&KeyPath::ROOT.key("work").key("bucket"), &bucket);
        let bucket = bucket.unwrap_or_else(|problem| {
            problems.push(problem);
            Dist::certain(BUCKET.0)
        });
        let scenario = Self {
            title: file.title,
            nodes: file.nodes,
            definitions,
            work: Work { buckets: work.buckets.unwrap_or(BUCKETS), bucket },
            timers: file.timers.unwrap_or_default().resolve(),
            events: file.event,
            failures: file.failures,
            changes: file.change,
            faults: file.fault,
            seed: file.seed.unwrap_or(1),
            expect,
            horizon: file.horizon.unwrap_or(HORIZON).as_millis(),
            source,
            origin,
        };
        problems.extend(scenario.problems(unread.is_none()));
        match (unread, problems.is_empty()) {
            (None, true) => Ok(scenario),
            (Some(errors), true) => Err(errors),
            (unread, false) => Err(joined(unread, scenario.origin.locate(problems))),
        }
    }

    /// The scenario with something changed; `keys` are those whose places in the file mean nothing any more.
    ///
    /// # Errors
    /// What is wrong with it now.
    pub fn changed(mut self, keys: &[&str], change: impl FnOnce(&mut Self)) -> Result<Self, ScenarioErrors> {
        change(&mut self);
        keys.iter().for_each(|dotted| {
            let path = dotted.split('.').fold(KeyPath::ROOT, |path, name| path.key(name));
            self.origin.forget(&path);
        });
        self.checked()
    }

    /// The scenario with one more event.
    #[must_use]
    pub fn with_event(mut self, event: NodeEvent) -> Self {
        self.origin.forget(&KeyPath::ROOT.key("event").item(self.events.len(), None));
        self.events.push(event);
        self
    }

    fn checked(self) -> Result<Self, ScenarioErrors> {
        match self.problems(true) {
            problems if problems.is_empty() => Ok(self),
            problems => Err(self.origin.locate(problems)),
        }
    }

    /// What is told about keys, with their places in the file.
    pub(super) fn located(&self, problems: Vec<Problem>) -> ScenarioErrors {
        self.origin.locate(problems)
    }

    /// The task that scans, if there is one and it runs.
    #[must_use]
    pub fn scan_task(&self) -> Option<&ScanTask> {
        self.definitions.scan.as_ref().filter(|scan| scan.execution == ExecutionState::Running)
    }

    /// Why nothing scans.
    pub(super) fn without_scan(&self) -> Option<&'static str> {
        match self.definitions.scan.as_ref().map(|scan| scan.execution) {
            None => Some("no task scans"),
            Some(ExecutionState::Suspended) => Some("the task that scans is suspended"),
            Some(ExecutionState::Closed) => Some("the task that scans is closed"),
            Some(ExecutionState::Running) => None,
        }
    }

    /// The scenario with the crashes that this seed brings.
    #[must_use]
    pub fn under(&self, seed: u64) -> Self {
        let mut scenario = self.clone();
        scenario.seed = seed;
        if let Some(failures) = scenario.failures.take() {
            let until = u64::try_from(self.horizon.get()).unwrap_or(0).saturating_mul(MILLI);
            scenario.events.extend(failures.draw(&self.nodes, until, seed));
        }
        scenario
    }
}

/// What is wrong with the definitions comes first.
fn joined(definitions: Option<ScenarioErrors>, own: ScenarioErrors) -> ScenarioErrors {
    ScenarioErrors(definitions.into_iter().flat_map(|errors| errors.0).chain(own.0).collect())
}

/// The tasks of the file that the scenario names, if it names one.
fn definitions(
    name: Option<&str>,
    origin: &Origin,
    open: impl Fn(&str) -> Result<String, String>,
) -> Result<Definitions, ScenarioErrors> {
    let Some(name) = name else { return Ok(Definitions::default()) };
    let xml = open(name).map_err(|error| {
        let path = KeyPath::ROOT.key("definitions");
        origin.locate(vec![Problem::value(&path, error, "a file with task definitions in XML")])
    })?;
    Ok(Definitions::from_xml(&xml, name)?)
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

fn expectations(written: &BTreeMap<String, String>) -> (Vec<Expectation>, Vec<Problem>) {
    let read = written.iter().map(|(key, text)| {
        expect::among(key, text, &FIGURES)
            .map_err(|(found, right)| Problem::value(&KeyPath::ROOT.key("expect").key(key), found, right))
    });
    let (fine, wrong): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    (fine.into_iter().filter_map(Result::ok).collect(), wrong.into_iter().filter_map(Result::err).collect())
}

/// Whole milliseconds, which is what scans count in.
pub(super) fn millis(span: Span) -> Millis {
    span.as_millis()
}
