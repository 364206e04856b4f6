//! The run: events in order of time, and at one time buckets before nodes before scans before scavengers.

mod nodes;
mod workers;

use super::log::{LogEntry, LogLine, Reconciled};
use super::outcome::{ClusterResult, Sample, TaskResult, Totals};
use super::scenario::{ClusterScenario, millis};
use super::{DistributedTask, ScanTask};
use crate::scenario::Span;
use std::collections::{BTreeMap, BTreeSet};
use wci_core::cluster::buckets::Buckets;
use wci_core::cluster::eligibility::{AutoScaling, TaskFacts};
use wci_core::cluster::reconcile::{Change, ChangeError, CurrentWorker, Outcome, WorkerState, apply};
use wci_core::cluster::scan::{FoundActivity, FoundTask, Scan, ScanRecord, ScanState};
use wci_core::cluster::{NodeId, TaskId};
use wci_core::{Millis, Timestamp};

/// Runs a scenario: until every task has ended, or else until nothing more can come of it, or to the horizon.
#[must_use]
pub fn run(scenario: &ClusterScenario) -> ClusterResult {
    let mut engine = Engine::new(scenario);
    engine.start();
    while let Some(((at, ..), event)) = engine.queue.pop_first() {
        if at > scenario.horizon.get() || engine.is_over() {
            break;
        }
        engine.now = at;
        engine.happen(event);
        engine.sample();
    }
    engine.result()
}

/// What happens; the order is the order at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    BucketDone { task: usize, worker: TaskId, attempt: u64 },
    ToNode(usize),
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
            Self::CheckIn { .. } => 2,
            Self::LookAround { .. } => 3,
            Self::Scan => 4,
            Self::Ask { .. } => 5,
        }
    }
}

/// A node: its record, and what is really the case.
#[derive(Clone, Copy, Debug)]
struct SimNode {
    is_up: bool,
    last_check_in: i64,
    is_working: bool,
    is_silent: bool,
    /// Counts its starts, so that what belongs to an earlier one is void.
    life: u64,
}

/// A distributed task with its workers and its work.
struct Job<'a> {
    definition: &'a DistributedTask,
    workers: Vec<CurrentWorker>,
    /// What each running worker is at.
    at_work: BTreeMap<TaskId, Doing>,
    buckets: Buckets,
    completed_at: Option<i64>,
    has_ended: bool,
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doing {
    /// Tells this from what it was at before, whose events are void.
    attempt: u64,
    /// The bucket and since when; none while a scavenger waits.
    bucket: Option<(u32, i64)>,
}

struct Engine<'a> {
    scenario: &'a ClusterScenario,
    scan_task: ScanTask,
    scan_state: ScanState,
    now: i64,
    queue: BTreeMap<(i64, u8, u64), Event>,
    numbers: u64,
    nodes: BTreeMap<NodeId, SimNode>,
    jobs: Vec<Job<'a>>,
    totals: Totals,
    log: Vec<LogEntry>,
    timeline: Vec<Sample>,
    journal: Vec<ScanRecord>,
    quiet_scans: u32,
}

impl<'a> Engine<'a> {
    fn new(scenario: &'a ClusterScenario) -> Self {
        let job = |definition| Job {
            definition,
            workers: Vec::new(),
            at_work: BTreeMap::new(),
            buckets: Buckets::new(scenario.work.buckets),
            completed_at: (scenario.work.buckets == 0).then_some(0),
            has_ended: false,
        };
        Self {
            scenario,
            scan_task: scenario.definitions.scan.clone().unwrap_or_default(),
            scan_state: ScanState::default(),
            now: 0,
            queue: BTreeMap::new(),
            numbers: 0,
            nodes: BTreeMap::new(),
            jobs: scenario.definitions.tasks.iter().map(job).collect(),
            totals: Totals::default(),
            log: Vec::new(),
            timeline: Vec::new(),
            journal: Vec::new(),
            quiet_scans: 0,
        }
    }

    /// The nodes start, the tasks make their first workers, and without a scan task nobody makes any later.
    fn start(&mut self) {
        for node in &self.scenario.nodes {
            self.join(node);
        }
        for (index, event) in self.scenario.events.iter().enumerate() {
            self.at(millis(event.at).get(), Event::ToNode(index));
        }
        let first = ScanTask::default().config;
        let mut tasks = self.found();
        // The first workers are the coordinator's own, also where scans are not to touch them later.
        tasks.iter_mut().for_each(|task| task.facts.auto_scaling = AutoScaling::default());
        let scan = first.scan(&ScanState::default(), Timestamp::EPOCH, &self.records(), &tasks);
        self.carry_out(&scan);
        if self.scenario.definitions.scan.is_some() {
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

    /// Every task has ended, or all work is done and three scans in a row had nothing more to do.
    fn is_over(&self) -> bool {
        let all_done = self.jobs.iter().all(|job| job.completed_at.is_some());
        let has_scans = self.scenario.definitions.scan.is_some();
        self.jobs.iter().all(|job| job.has_ended) || all_done && (!has_scans || self.quiet_scans >= 3)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::BucketDone { task, worker, attempt } => self.bucket_done(task, &worker, attempt),
            Event::ToNode(index) => self.befall(index),
            Event::CheckIn { node, life } => self.check_in(&node, life),
            Event::LookAround { node, life } => self.look_around(&node, life),
            Event::Scan => self.scan(),
            Event::Ask { task, worker, attempt } => {
                if self.jobs[task].at_work.get(&worker) == Some(&Doing { attempt, bucket: None }) {
                    self.ask(task, &worker);
                }
            }
        }
    }

    fn found(&self) -> Vec<FoundTask> {
        self.jobs.iter().map(Job::found).collect()
    }

    fn scan(&mut self) {
        self.at(self.now.saturating_add(self.scan_task.interval.get()), Event::Scan);
        // The task that scans needs a node, too.
        if !self.nodes.values().any(|node| node.is_working && !node.is_silent) {
            return;
        }
        let (t, nodes, tasks) = (Timestamp::from_millis(self.now), self.records(), self.found());
        let scan = self.scan_task.config.scan(&self.scan_state, t, &nodes, &tasks);
        let place = self.log.len();
        let done = self.carry_out(&scan);
        let failed = BTreeSet::new();
        self.scan_state.store(&tasks, &scan, &failed);
        self.totals.scans += 1;
        self.totals.reconciliations += u64::from(scan.reason.reconciles());
        self.totals.put_off += u64::from(scan.reason.puts_off());
        let is_quiet = scan.tasks.is_empty() && self.scan_state.latch.pending != Some(true);
        self.quiet_scans = if is_quiet && self.jobs.iter().all(|job| job.completed_at.is_some()) {
            self.quiet_scans + 1
        } else {
            0
        };
        let line = LogLine::Scan {
            reason: scan.reason,
            why: scan.reason.sentence(),
            reconciles: scan.reason.reconciles(),
            up: nodes.up().into_iter().collect(),
            tasks: done,
        };
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
            let outcome = decided.activities.first().map_or_else(Outcome::default, |activity| {
                let outcome = activity.plan.carry_out(|change| self.change(task, change));
                self.totals.workers_created += u64::from(outcome.created);
                self.totals.workers_suspended += u64::from(outcome.suspended);
                self.totals.workers_resumed += u64::from(outcome.resumed);
                outcome
            });
            done.push(Reconciled { task: name, left_alone, outcome });
            self.end_if_closed(task);
        }
        self.dispatch();
        done
    }

    fn change(&mut self, task: usize, change: &Change) -> Result<(), ChangeError> {
        if let Change::Suspend { id } = change {
            self.stop(task, id);
        }
        let job = &mut self.jobs[task];
        let number = job.workers.len() + 1;
        let new_id = || TaskId(format!("{}/{number}", job.definition.name).into());
        apply(&mut job.workers, change, new_id)
    }

    fn note(&mut self, line: LogLine) {
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

    fn result(self) -> ClusterResult {
        let task = |job: &Job<'_>| TaskResult {
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
            totals: self.totals,
            tasks,
            log: self.log,
            timeline: self.timeline,
            journal: self.journal,
        }
    }
}

impl Job<'_> {
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
            workers: Some(self.definition.workers.clone()),
            is_in_progress: !self.has_ended,
            is_scavenging: self.buckets.is_scavenging(),
            is_work_complete: self.buckets.is_complete(),
            is_suspended: false,
            current: self.workers.clone(),
        };
        FoundTask { facts, activities: vec![activity] }
    }
}

fn seconds(ms: i64) -> f64 {
    Millis::new(ms).as_f64() / 1000.0
}
