//! A run that goes on step by step and into which hands reach: what a page shows.

use super::engine::{Engine, Job};
use super::log::{LogEntry, LogLine, Reconciled, Scanned};
use super::outcome::{ClusterResult, Sample, Totals};
use super::scenario::{ClusterScenario, NodeEvent, NodeEventKind};
use crate::model::MILLI;
use crate::scenario::Span;
use serde::Serialize;
use std::fmt::Write;
use wci_core::Millis;
use wci_core::cluster::NodeId;
use wci_core::cluster::buckets::BucketState;
use wci_core::cluster::reconcile::WorkerState;

/// A run under way.
pub struct Playback {
    engine: Engine,
    clock: i64,
    hands: Vec<NodeEvent>,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// The moment (s).
    pub t_s: f64,
    /// Whether nothing more can come of it.
    pub is_over: bool,
    /// Each node that was ever there.
    pub nodes: Vec<NodeView>,
    /// Each task.
    pub tasks: Vec<TaskView>,
    /// Whether a reconciliation is put off; none: there was none yet.
    pub pending: Option<bool>,
    /// When the last reconciliation began (s).
    pub last_reconciliation_s: Option<f64>,
    /// The nodes that were UP at the last change.
    pub known_up: Vec<NodeId>,
    /// When the next scan is due (s).
    pub next_scan_s: Option<f64>,
    /// Counters so far.
    pub totals: Totals,
    /// Lines of the log so far.
    pub log_length: usize,
}

/// A line of the log, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineView {
    /// When (s).
    pub t_s: f64,
    /// What a scan came to; none: it is something else.
    pub verdict: Option<&'static str>,
    /// Everything about it.
    pub text: String,
    /// What a scan did, by task.
    pub tasks: Vec<Reconciled>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeView {
    /// Its name.
    pub name: NodeId,
    /// Whether it is recorded as UP.
    pub is_up: bool,
    /// Whether it has checked in lately.
    pub is_alive: bool,
    /// Whether it really works.
    pub is_working: bool,
    /// Whether nobody hears of it.
    pub is_silent: bool,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskView {
    /// Its name.
    pub name: String,
    /// Its workers, ended ones too.
    pub workers: Vec<WorkerView>,
    /// A letter for each bucket: `.` not begun, `r` given back, `d` with a worker, `c` complete.
    pub buckets: String,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkerView {
    /// Its name.
    pub name: String,
    /// The group of nodes that may run it.
    pub group: Option<String>,
    /// Where it runs.
    pub node: Option<NodeId>,
    /// What it does.
    pub state: WorkerState,
    /// Whether it looks for what others left behind.
    pub is_scavenger: bool,
    /// The bucket it has.
    pub bucket: Option<u32>,
}

impl Playback {
    /// At the start.
    #[must_use]
    pub fn new(scenario: ClusterScenario) -> Self {
        Self { engine: Engine::new(scenario), clock: 0, hands: Vec::new() }
    }

    /// Lets time pass up to a moment.
    pub fn advance(&mut self, until: Millis) {
        self.clock = self.clock.max(until.get());
        self.engine.advance(self.clock);
        if self.engine.is_over() {
            self.clock = self.engine.now;
        }
    }

    /// Lets something happen to a node, a millisecond after what is shown. What has no effect is no part of the
    /// scenario that comes of it.
    pub fn act(&mut self, node: &str, kind: NodeEventKind) {
        let at = Span(u64::try_from(self.clock + 1).unwrap_or(0).saturating_mul(MILLI));
        let event = NodeEvent { at, node: node.into(), kind };
        let before = self.engine.log.len();
        self.engine.intervene(event.clone());
        self.clock += 1;
        self.engine.advance(self.clock);
        let is_it = |entry: &LogEntry| matches!(&entry.line, LogLine::Node { node, what } if *node == event.node && *what == kind.name());
        if self.engine.log[before..].iter().any(is_it) {
            self.hands.push(event);
        }
    }

    /// What hands did, as a scenario says it.
    #[must_use]
    pub fn hands_toml(&self) -> String {
        let mut text = String::new();
        for NodeEvent { at, node, kind } in &self.hands {
            // Writing to a String cannot fail; a name in quotes is as TOML has it.
            let _ = write!(
                text,
                "\n[[event]]\nat = \"{at}\"\nnode = {:?}\nkind = \"{}\"\n",
                &**node,
                kind.name()
            );
        }
        text
    }

    /// How things stand.
    #[must_use]
    pub fn view(&self) -> View {
        let engine = &self.engine;
        let records = engine.records();
        let node = |(name, node): (&NodeId, &super::engine::SimNode)| {
            let record = records.0.get(name).copied().unwrap_or_default();
            NodeView {
                name: name.clone(),
                is_up: record.is_up,
                is_alive: record.is_alive,
                is_working: node.is_working,
                is_silent: node.is_silent,
            }
        };
        let latch = &engine.scan_state.latch;
        View {
            t_s: seconds(self.clock),
            is_over: engine.is_over(),
            nodes: engine.nodes.iter().map(node).collect(),
            tasks: engine.jobs.iter().map(task).collect(),
            pending: latch.pending,
            last_reconciliation_s: latch.last_reconciliation.map(|at| seconds(at.as_millis())),
            known_up: latch.up.iter().flatten().cloned().collect(),
            next_scan_s: engine.next_scan().map(seconds),
            totals: engine.totals.clone(),
            log_length: engine.log.len(),
        }
    }

    /// The log's lines from that one on.
    #[must_use]
    pub fn lines(&self, from: usize) -> Vec<LineView> {
        let settings = self.engine.settings();
        let line = |entry: &LogEntry| {
            let scan = match &entry.line {
                LogLine::Scan(scan) => Some(scan),
                _ => None,
            };
            LineView {
                t_s: seconds(entry.t_ms),
                verdict: scan.map(Scanned::verdict),
                text: scan.map_or_else(|| entry.line.text(None), |scan| scan.headline(settings.as_ref())),
                tasks: scan.map(|scan| scan.tasks.clone()).unwrap_or_default(),
            }
        };
        self.engine.log.get(from..).unwrap_or_default().iter().map(line).collect()
    }

    /// Lets time pass up to the next scan that has something to do, or to the end.
    pub fn to_next_verdict(&mut self) {
        let before = self.engine.log.len();
        let acts =
            |entry: &LogEntry| matches!(&entry.line, LogLine::Scan(scan) if scan.verdict() != "nothing");
        while !self.engine.is_over()
            && !self.engine.log[before..].iter().any(acts)
            && let Some(next) = self.engine.next_scan()
        {
            let clock = self.clock;
            self.advance(Millis::new(next));
            if self.clock == clock && self.engine.next_scan() == Some(next) {
                break;
            }
        }
    }

    /// Nodes, workers and buckets at each moment at which any of them changed so far.
    #[must_use]
    pub fn timeline(&self) -> &[Sample] {
        self.engine.timeline()
    }

    /// Everything so far.
    #[must_use]
    pub fn result(&self) -> ClusterResult {
        self.engine.result()
    }
}

fn task(job: &Job) -> TaskView {
    let worker = |worker: &wci_core::cluster::reconcile::CurrentWorker| WorkerView {
        name: worker.name.to_string(),
        group: worker.group.as_deref().map(str::to_owned),
        node: worker.node.clone(),
        state: worker.state,
        is_scavenger: worker.is_scavenger,
        bucket: job.at_work.get(&worker.id).and_then(|doing| doing.bucket).map(|(number, _)| number),
    };
    let letter = |state: &BucketState| match state {
        BucketState::Ready => 'r',
        BucketState::Delegated(_) => 'd',
        BucketState::Complete => 'c',
    };
    let made = job.buckets.states();
    let waiting = (job.buckets.total() as usize).saturating_sub(made.len());
    TaskView {
        name: job.definition.name.clone(),
        workers: job.workers.iter().map(worker).collect(),
        buckets: made.iter().map(letter).chain(std::iter::repeat_n('.', waiting)).collect(),
    }
}

fn seconds(ms: i64) -> f64 {
    Millis::new(ms).as_f64() / 1000.0
}
