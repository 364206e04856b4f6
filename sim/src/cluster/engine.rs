//! The run: events in order of time, and at one time buckets before nodes before scans before scavengers.

mod nodes;
mod workers;

use super::log::{LogEntry, LogLine, Reconciled, Scanned};
use super::outcome::{ClusterResult, Sample, ScanSettings, TaskResult, Totals};
use super::scenario::{ClusterScenario, DefinitionChange, Fault, NodeEvent, millis};
use super::{DistributedTask, ExecutionState, ScanTask};
use crate::rng::Stream;
use crate::scenario::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use wci_core::cluster::buckets::Buckets;
use wci_core::cluster::eligibility::{AutoScaling, TaskFacts};
use wci_core::cluster::latch::LatchReason;
use wci_core::cluster::reconcile::{Change, ChangeError, CurrentWorker, Outcome, Status, WorkerState, apply};
use wci_core::cluster::scan::{FoundActivity, FoundTask, Scan, ScanRecord, ScanState};
use wci_core::cluster::wanted::WorkersPerNode;
use wci_core::cluster::{NodeId, TaskId};
use wci_core::{Millis, Timestamp};

/// Runs a scenario: until every task has ended, or else until nothing more can come of it, or to the horizon.
#[must_use]
pub fn run(scenario: &ClusterScenario) -> ClusterResult {
    let mut engine = Engine::new(scenario.clone());
    engine.advance(scenario.horizon.get());
    engine.result()
}

/// What happens; the order is the order at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    BucketDone { task: usize, worker: TaskId, attempt: u64 },
    ToNode(usize),
    Define(usize),
    CheckIn { node: NodeId, life: u64 },
    LookAround { node: NodeId, life: u64 },
    Scan,
    Ask { task: usize, worker: TaskId, attempt: u64 },
}

impl Event {
    const fn order(&self) -> u8 {
        match self {
            Self::BucketDone { .. } => 0,
            Self::ToNode(_) => 1,
            Self::Define(_) => 2,
            Self::CheckIn { .. } => 3,
            Self::LookAround { .. } => 4,
            Self::Scan => 5,
            Self::Ask { .. } => 6,
        }
    }
}

/// A node: its record, and what is really the case.
#[derive(Clone, Copy, Debug)]
pub(super) struct SimNode {
    is_up: bool,
    last_check_in: i64,
    pub is_working: bool,
    pub is_silent: bool,
    /// Counts its starts, so that what belongs to an earlier one is void.
    life: u64,
}

impl SimNode {
    /// Whether it works and the others know it.
    const fn is_heard(&self) -> bool {
        self.is_working && !self.is_silent
    }
}

/// A distributed task with its workers and its work.
pub(super) struct Job {
    pub definition: DistributedTask,
    /// Its definition of now.
    distribution: Vec<WorkersPerNode>,
    /// How long each bucket takes (ms): a bucket is as large as it is, whoever takes it and whenever.
    sizes: Vec<i64>,
    pub workers: Vec<CurrentWorker>,
    /// What each running worker is at.
    pub at_work: BTreeMap<TaskId, Doing>,
    pub buckets: Buckets,
    completed_at: Option<i64>,
    has_ended: bool,
    /// Whether its coordinator is suspended.
    is_suspended: bool,
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doing {
    /// Tells this from what it was at before, whose events are void.
    attempt: u64,
    /// The bucket and since when; none while a scavenger waits.
    pub bucket: Option<(u32, i64)>,
}

pub(super) struct Engine {
    scenario: Rc<ClusterScenario>,
    scan_task: ScanTask,
    pub scan_state: ScanState,
    pub now: i64,
    queue: BTreeMap<(i64, u8, u64), Event>,
    numbers: u64,
    pub nodes: BTreeMap<NodeId, SimNode>,
    pub jobs: Vec<Job>,
    pub totals: Totals,
    pub log: Vec<LogEntry>,
    timeline: Vec<Sample>,
    journal: Vec<ScanRecord>,
    quiet_scans: u32,
}

impl Engine {
    /// At the start: the nodes are up, and the tasks have their first workers.
    pub fn new(scenario: ClusterScenario) -> Self {
        let mut engine = Self {
            scan_task: scenario.scan_task().cloned().unwrap_or_default(),
            scan_state: ScanState::default(),
            now: 0,
            queue: BTreeMap::new(),
            numbers: 0,
            nodes: BTreeMap::new(),
            jobs: scenario.definitions.tasks.iter().map(|task| Job::new(task, &scenario)).collect(),
            totals: Totals::default(),
            log: Vec::new(),
            timeline: Vec::new(),
            journal: Vec::new(),
            quiet_scans: 0,
            scenario: Rc::new(scenario),
        };
        engine.start();
        engine
    }

    /// Lets everything happen up to a moment, or until nothing more can come of it.
    pub fn advance(&mut self, until: i64) {
        let until = until.min(self.scenario.horizon.get());
        while !self.is_over()
            && let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= until)
        {
            let ((at, ..), event) = first.remove_entry();
            self.now = at;
            self.happen(event);
            self.sample();
        }
    }

    /// Lets something happen to a node that the scenario did not foresee.
    pub fn intervene(&mut self, event: NodeEvent) {
        let scenario = Rc::make_mut(&mut self.scenario);
        scenario.events.push(event);
        let (index, at) = (scenario.events.len() - 1, scenario.events[scenario.events.len() - 1].at);
        self.at(millis(at).get(), Event::ToNode(index));
    }

    /// How often it is scanned, if at all.
    pub fn settings(&self) -> Option<ScanSettings> {
        self.scenario.scan_task().map(settings)
    }

    /// When the next scan is due (ms).
    pub fn next_scan(&self) -> Option<i64> {
        self.queue.iter().find(|(_, event)| **event == Event::Scan).map(|((at, ..), _)| *at)
    }

    /// The nodes start, the tasks make their first workers, and without a scan task nobody makes any later.
    fn start(&mut self) {
        let scenario = self.scenario.clone();
        for node in &scenario.nodes {
            self.join(node);
        }
        for (index, event) in scenario.events.iter().enumerate() {
            self.at(millis(event.at).get(), Event::ToNode(index));
        }
        for (index, change) in scenario.changes.iter().enumerate() {
            self.at(millis(change.at).get(), Event::Define(index));
        }
        let first = ScanTask::default().config;
        let mut tasks = self.found();
        // The first workers are the coordinator's own, also where scans are not to touch them later.
        tasks.iter_mut().for_each(|task| task.facts.auto_scaling = AutoScaling::default());
        let scan = first.scan(&ScanState::default(), Timestamp::EPOCH, &self.records(), &tasks);
        for Reconciled { task, outcome, .. } in self.carry_out(&scan) {
            if let Some(why) = outcome.message {
                self.note(LogLine::NotStarted { task, why });
            }
        }
        if self.scenario.scan_task().is_some() {
            self.at(self.scan_task.interval.get(), Event::Scan);
        }
        self.sample();
    }

    fn at(&mut self, t: i64, event: Event) {
        self.numbers += 1;
        self.queue.insert((t, event.order(), self.numbers), event);
    }

    fn after(&mut self, span: Span, event: Event) {
        self.at(self.now.saturating_add(millis(span).get()), event);
    }

    /// Every task has ended, or all work is done and nothing is to come that could still end a task.
    pub fn is_over(&self) -> bool {
        let all_done = self.jobs.iter().all(|job| job.completed_at.is_some());
        self.jobs.iter().all(|job| job.has_ended) || all_done && self.is_quiet() && !self.has_news_to_come()
    }

    /// Scans in a row have had nothing more to do, or there are none.
    fn is_quiet(&self) -> bool {
        let has_scans = self.scenario.scan_task().is_some() && self.someone_scans();
        !has_scans || self.quiet_scans >= 3
    }

    /// A worker asks again, something happens to a node or a definition, or a node is still to be marked DOWN.
    fn has_news_to_come(&self) -> bool {
        let is_news = |event: &Event| match event {
            Event::ToNode(_) | Event::Define(_) => true,
            Event::Ask { task, worker, attempt } => self.waits(*task, worker, *attempt),
            _ => false,
        };
        let is_to_be_marked = |node: &SimNode| node.is_up && !node.is_heard();
        self.queue.values().any(is_news) || self.someone_scans() && self.nodes.values().any(is_to_be_marked)
    }

    /// The task that scans needs a node, too.
    fn someone_scans(&self) -> bool {
        self.nodes.values().any(SimNode::is_heard)
    }

    /// Whether that worker still waits for this very moment to ask again.
    fn waits(&self, task: usize, worker: &TaskId, attempt: u64) -> bool {
        self.jobs[task].at_work.get(worker) == Some(&Doing { attempt, bucket: None })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::BucketDone { task, worker, attempt } => self.bucket_done(task, &worker, attempt),
            Event::ToNode(index) => self.befall(index),
            Event::Define(index) => self.define(index),
            Event::CheckIn { node, life } => self.check_in(&node, life),
            Event::LookAround { node, life } => self.look_around(&node, life),
            Event::Scan => self.scan(),
            Event::Ask { task, worker, attempt } if self.waits(task, &worker, attempt) => {
                self.ask(task, &worker);
            }
            Event::Ask { .. } => {}
        }
    }

    fn found(&self) -> Vec<FoundTask> {
        self.jobs.iter().map(Job::found).collect()
    }

    fn scan(&mut self) {
        self.at(self.now.saturating_add(self.scan_task.interval.get()), Event::Scan);
        if !self.someone_scans() {
            return;
        }
        let (t, nodes, tasks) = (Timestamp::from_millis(self.now), self.records(), self.found());
        let scan = self.scan_task.config.scan(&self.scan_state, t, &nodes, &tasks);
        let place = self.log.len();
        let (before, since) = (self.scan_state.latch.up.clone(), self.scan_state.latch.last_reconciliation);
        let done = self.carry_out(&scan);
        let failed = failed(&scan, &done);
        self.scan_state.store(t, &tasks, &scan, &failed);
        self.totals.scans += 1;
        self.totals.reconciliations += u64::from(scan.reason.reconciles());
        self.totals.partial_reconciliations += u64::from(scan.reason.reconciles_some());
        self.totals.put_off += u64::from(scan.reason.puts_off());
        let waits = self.scan_state.latch.pending == Some(true) || !self.scan_state.put_off.is_empty();
        let is_quiet = has_nothing_to_do(&done) && !waits;
        self.quiet_scans = if is_quiet && self.jobs.iter().all(|job| job.completed_at.is_some()) {
            self.quiet_scans + 1
        } else {
            0
        };
        let (up, before) = (nodes.up(), before.unwrap_or_default());
        let line = LogLine::Scan(Scanned {
            reason: scan.reason,
            why: why(scan.reason, self.scan_state.latch.pending),
            reconciles: scan.reason.reconciles(),
            joined: up.difference(&before).cloned().collect(),
            left: before.difference(&up).cloned().collect(),
            up: up.into_iter().collect(),
            since_last_s: since.map(|last| seconds(t.since(last).get())),
            pending: self.scan_state.latch.pending,
            tasks: done,
        });
        // The scan stands before what it caused.
        self.log.insert(place, LogEntry { t_ms: self.now, line });
        self.journal.push(ScanRecord { t, nodes, tasks, scan, failed });
    }

    /// Does what a scan decided, task by task.
    fn carry_out(&mut self, scan: &Scan) -> Vec<Reconciled> {
        let mut done = Vec::new();
        for decided in &scan.tasks {
            let Some(task) = self.jobs.iter().position(|job| job.definition.oid == decided.task) else {
                continue;
            };
            let name = self.jobs[task].definition.name.clone();
            let left_alone = decided.ineligible.map(|why| why.to_string());
            let none = || Outcome { status: Status::NotApplicable, ..Outcome::default() };
            let outcome = decided.activities.first().map_or_else(none, |activity| {
                let outcome = activity.plan.carry_out(|change| self.change(task, change));
                self.totals.workers_created += u64::from(outcome.created);
                self.totals.workers_suspended += u64::from(outcome.suspended);
                self.totals.workers_resumed += u64::from(outcome.resumed);
                outcome
            });
            let own_last = self.scan_state.by_itself.get(&decided.task);
            let own_last_s = own_last.map(|last| seconds(self.now - last.as_millis()));
            done.push(Reconciled { task: name, left_alone, own_last_s, outcome });
            self.end_if_closed(task);
        }
        self.dispatch();
        done
    }

    fn change(&mut self, task: usize, change: &Change) -> Result<(), ChangeError> {
        if self.has_fault() {
            return Err(ChangeError::Failed("the records of workers cannot be written".to_owned()));
        }
        if let Change::Suspend { id } = change {
            self.stop(task, id);
        }
        let job = &mut self.jobs[task];
        let number = job.workers.len() + 1;
        let new_id = || TaskId(format!("{}/{number}", job.definition.name).into());
        apply(&mut job.workers, change, new_id)
    }

    fn has_fault(&self) -> bool {
        let holds = |fault: &Fault| (millis(fault.from).get()..millis(fault.until).get()).contains(&self.now);
        self.scenario.faults.iter().any(holds)
    }

    /// From now on other workers are wanted, or a coordinator stops or goes on. Nobody hears of it before a scan looks.
    fn define(&mut self, index: usize) {
        let scenario = self.scenario.clone();
        let change = &scenario.changes[index];
        for task in 0..self.jobs.len() {
            let job = &mut self.jobs[task];
            if change.task.as_ref().is_some_and(|name| job.definition.name != *name) {
                continue;
            }
            let what = change.in_words(job.is_suspended);
            job.define(change);
            let line = LogLine::Definition { task: job.definition.name.clone(), what };
            self.note(line);
            self.end_if_closed(task);
        }
    }

    fn note(&mut self, line: LogLine) {
        // Scans have to look at what is new before it is known to change nothing.
        self.quiet_scans = 0;
        self.log.push(LogEntry { t_ms: self.now, line });
    }

    fn sample(&mut self) {
        let workers = || self.jobs.iter().flat_map(|job| &job.workers);
        let in_state =
            |states: &[WorkerState]| workers().filter(|worker| states.contains(&worker.state)).count();
        let sample = Sample {
            t_s: seconds(self.now),
            nodes_up: self.nodes.values().filter(|node| node.is_up).count(),
            nodes_working: self.nodes.values().filter(|node| node.is_working).count(),
            workers_running: in_state(&[WorkerState::Running]),
            workers_idle: in_state(&[WorkerState::Ready, WorkerState::Suspended]),
            buckets_complete: self.jobs.iter().map(|job| job.buckets.completed()).sum(),
            buckets_delegated: self.jobs.iter().map(|job| job.buckets.delegated()).sum(),
        };
        match self.timeline.last_mut() {
            Some(last) if Sample { t_s: last.t_s, ..sample } == *last => {}
            Some(last) if last.t_s >= sample.t_s => *last = sample,
            _ => self.timeline.push(sample),
        }
    }

    pub fn timeline(&self) -> &[Sample] {
        &self.timeline
    }

    pub fn result(&self) -> ClusterResult {
        let task = |job: &Job| TaskResult {
            name: job.definition.name.clone(),
            buckets: job.buckets.total(),
            completed: job.buckets.completed(),
            makespan_s: job.completed_at.map(seconds),
            ended: job.has_ended,
            workers: job.workers.len(),
        };
        let tasks: Vec<TaskResult> = self.jobs.iter().map(task).collect();
        let last =
            self.jobs.iter().map(|job| job.completed_at).try_fold(0, |last, at| at.map(|at| at.max(last)));
        ClusterResult {
            scenario: self.scenario.title.clone(),
            makespan_s: last.map(seconds),
            ended: tasks.iter().all(|task| task.ended),
            simulated_s: seconds(self.now),
            scan: self.settings(),
            without_scan: self.scenario.without_scan(),
            totals: self.totals.clone(),
            tasks,
            log: self.log.clone(),
            timeline: self.timeline.clone(),
            journal: self.journal.clone(),
            config: self.scan_task.config.clone(),
        }
    }
}

impl Job {
    /// At the start: a closed task has nothing left to do.
    fn new(definition: &DistributedTask, scenario: &ClusterScenario) -> Self {
        let is_closed = definition.execution == ExecutionState::Closed;
        let buckets = if is_closed { 0 } else { scenario.work.buckets };
        Self {
            definition: definition.clone(),
            distribution: definition.workers.clone(),
            sizes: sizes(scenario, &definition.oid),
            workers: Vec::new(),
            at_work: BTreeMap::new(),
            buckets: Buckets::new(buckets),
            completed_at: (buckets == 0).then_some(0),
            has_ended: is_closed,
            is_suspended: definition.execution == ExecutionState::Suspended,
        }
    }

    fn found(&self) -> FoundTask {
        let facts = TaskFacts {
            oid: self.definition.oid.clone(),
            name: self.definition.name.clone(),
            archetypes: self.definition.archetypes.clone(),
            is_running: !self.has_ended,
            waits_for_children: !self.has_ended,
            auto_scaling: self.definition.auto_scaling,
        };
        let activity = FoundActivity {
            name: self.definition.activity.clone(),
            workers: Some(self.distribution.clone()),
            is_in_progress: !self.has_ended,
            is_scavenging: self.buckets.is_scavenging(),
            is_work_complete: self.buckets.is_complete(),
            is_suspended: self.is_suspended,
            current: self.workers.clone(),
        };
        FoundTask { facts, activities: vec![activity] }
    }
}

impl Job {
    fn define(&mut self, change: &DefinitionChange) {
        self.is_suspended = change.suspended.unwrap_or(self.is_suspended);
        if self.distribution.is_empty() && (change.count.is_some() || change.scavengers.is_some()) {
            self.distribution.push(WorkersPerNode::default());
        }
        for entry in &mut self.distribution {
            entry.count = change.count.unwrap_or(entry.count);
            entry.scavengers = change.scavengers.unwrap_or(entry.scavengers);
        }
    }
}

impl DefinitionChange {
    fn in_words(&self, was_suspended: bool) -> String {
        let counts = [("workers", self.count), ("scavengers", self.scavengers)];
        let counts = counts.iter().filter_map(|(name, count)| Some(format!("{} {name} a node", (*count)?)));
        let coordinator = match (was_suspended, self.suspended) {
            (false, Some(true)) => Some("its coordinator is suspended".to_owned()),
            (true, Some(false)) => Some("its coordinator is resumed".to_owned()),
            _ => None,
        };
        let told = counts.chain(coordinator).collect::<Vec<_>>().join(", ");
        if told.is_empty() { "nothing, it is so already".to_owned() } else { told }
    }
}

/// The size of every bucket of a task, in milliseconds.
fn sizes(scenario: &ClusterScenario, oid: &TaskId) -> Vec<i64> {
    let mut stream = Stream::named(scenario.seed, &format!("buckets of {oid}"));
    let mut drawn = Vec::new();
    scenario.work.bucket.fill(&mut stream, scenario.work.buckets as usize, &mut drawn);
    drawn.into_iter().map(|nanos| millis(Span(nanos)).get().max(1)).collect()
}

/// Whether nothing was changed, and nothing failed that a later scan may try again.
fn has_nothing_to_do(done: &[Reconciled]) -> bool {
    let is_idle = |done: &Reconciled| {
        let outcome = &done.outcome;
        let [_, changes @ ..] = outcome.counts();
        changes.iter().sum::<u32>() + outcome.closed_done == 0 && outcome.message.is_none()
    };
    done.iter().all(is_idle)
}

/// The tasks of which not everything could be done.
fn failed(scan: &Scan, done: &[Reconciled]) -> BTreeSet<TaskId> {
    let is_bad = |done: &Reconciled| matches!(done.outcome.status, Status::Warning | Status::FatalError);
    let tasks = scan.tasks.iter().zip(done).filter(|(_, done)| is_bad(done));
    tasks.map(|(decided, _)| decided.task.clone()).collect()
}

const fn why(reason: LatchReason, pending: Option<bool>) -> &'static str {
    match (reason, pending) {
        (LatchReason::NothingChanged, Some(true)) => {
            "A reconciliation is put off, and the minimum interval has not passed yet."
        }
        _ => reason.sentence(),
    }
}

fn settings(task: &ScanTask) -> ScanSettings {
    let latch = &task.config.latch;
    ScanSettings {
        interval_s: seconds(task.interval.get()),
        min_interval_s: latch.min_interval.map(|interval| seconds(interval.get())),
        max_interval_s: latch.max_interval.map(|interval| seconds(interval.get())),
    }
}

fn seconds(ms: i64) -> f64 {
    Millis::new(ms).as_f64() / 1000.0
}
