//! The run: events in order of time, and at one time buckets before nodes before scans before scavengers.

use super::definition::{DistributedTask, ScanTask};
use super::log::{LogEntry, LogLine, Reconciled};
use super::outcome::{ClusterResult, Sample, TaskResult, Totals};
use super::scenario::{ClusterScenario, NodeEventKind, millis};
use crate::scenario::Span;
use std::collections::{BTreeMap, BTreeSet};
use wci_core::cluster::buckets::{Answer, Buckets};
use wci_core::cluster::eligibility::TaskFacts;
use wci_core::cluster::reconcile::{Change, CurrentWorker, Outcome, WorkerState, apply};
use wci_core::cluster::scan::{FoundActivity, FoundTask, Scan, ScanRecord, ScanState};
use wci_core::cluster::{Node, NodeId, Nodes, TaskId};
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
        let scan = first.scan(&ScanState::default(), Timestamp::EPOCH, &self.records(), &self.found());
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

    // Nodes.

    fn join(&mut self, name: &NodeId) {
        let life = self.nodes.get(name).map_or(0, |node| node.life + 1);
        let node = SimNode { is_up: true, last_check_in: self.now, is_working: true, is_silent: false, life };
        self.nodes.insert(name.clone(), node);
        self.after(self.scenario.timers.check_in, Event::CheckIn { node: name.clone(), life });
        self.after(self.scenario.timers.check, Event::LookAround { node: name.clone(), life });
    }

    fn befall(&mut self, index: usize) {
        let event = &self.scenario.events[index];
        let (name, kind) = (&event.node, event.kind);
        let known = self.nodes.get(name).copied();
        match (kind, known) {
            (NodeEventKind::Join, known) if known.is_none_or(|node| !node.is_working) => {
                // Whatever it was at when it crashed is void now that it is back.
                self.release(name);
                self.join(name);
                self.dispatch();
            }
            (NodeEventKind::Leave, Some(node)) if node.is_working => {
                self.nodes.insert(name.clone(), SimNode { is_up: false, is_working: false, ..node });
                self.release(name);
                self.dispatch();
            }
            (NodeEventKind::Crash, Some(node)) if node.is_working => {
                self.nodes.insert(name.clone(), SimNode { is_working: false, ..node });
                self.lose_work(name);
            }
            (NodeEventKind::Silent, Some(node)) if node.is_working => {
                self.nodes.insert(name.clone(), SimNode { is_silent: true, ..node });
            }
            (NodeEventKind::Return, Some(node)) if node.is_working && node.is_silent => {
                self.nodes.insert(
                    name.clone(),
                    SimNode { is_silent: false, is_up: true, last_check_in: self.now, ..node },
                );
                self.dispatch();
            }
            _ => return,
        }
        self.note(LogLine::Node { node: name.clone(), what: kind.name() });
    }

    fn check_in(&mut self, name: &NodeId, life: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(name).filter(|node| node.is_working && node.life == life) else {
            return;
        };
        if !node.is_silent {
            node.last_check_in = now;
        }
        self.after(self.scenario.timers.check_in, Event::CheckIn { node: name.clone(), life });
    }

    /// A node that is heard of marks those DOWN that have been silent for too long.
    fn look_around(&mut self, name: &NodeId, life: u64) {
        let Some(own) = self.nodes.get(name).filter(|node| node.is_working && node.life == life) else {
            return;
        };
        let down_after = millis(self.scenario.timers.down_after).get();
        let is_lost = |node: &SimNode| node.is_up && self.now - node.last_check_in > down_after;
        let lost: Vec<NodeId> = match own.is_silent {
            true => Vec::new(),
            false => {
                self.nodes.iter().filter(|(_, node)| is_lost(node)).map(|(name, _)| name.clone()).collect()
            }
        };
        for lost in lost {
            if let Some(node) = self.nodes.get_mut(&lost) {
                node.is_up = false;
            }
            self.totals.nodes_marked_down += 1;
            self.note(LogLine::Node { node: lost.clone(), what: "down" });
            self.release(&lost);
            self.dispatch();
        }
        self.after(self.scenario.timers.check, Event::LookAround { node: name.clone(), life });
    }

    fn records(&self) -> Nodes {
        let alive_within = millis(self.scenario.timers.alive_within).get();
        let record = |node: &SimNode| Node {
            is_up: node.is_up,
            is_alive: node.is_up && self.now - node.last_check_in <= alive_within,
        };
        Nodes(self.nodes.iter().map(|(name, node)| (name.clone(), record(node))).collect())
    }

    // Workers.

    /// Workers that run on a node are ready for another start; their buckets go back.
    fn release(&mut self, node: &NodeId) {
        for task in 0..self.jobs.len() {
            let runs_there = |worker: &&CurrentWorker| {
                worker.state == WorkerState::Running && worker.node.as_ref() == Some(node)
            };
            let ids: Vec<TaskId> =
                self.jobs[task].workers.iter().filter(runs_there).map(|worker| worker.id.clone()).collect();
            for id in ids {
                self.stop(task, &id);
                self.set(task, &id, WorkerState::Ready, None);
            }
        }
    }

    /// The work at hand on a node is lost, although nobody knows yet: the buckets stay with the workers.
    fn lose_work(&mut self, node: &NodeId) {
        for job in &mut self.jobs {
            for worker in job.workers.iter().filter(|worker| worker.node.as_ref() == Some(node)) {
                if let Some(Doing { bucket: Some((_, since)), .. }) = job.at_work.remove(&worker.id) {
                    self.totals.wasted_work_s += seconds(self.now - since);
                }
            }
        }
    }

    /// Ends what a worker does now: its bucket goes back and its work counts for nothing.
    fn stop(&mut self, task: usize, id: &TaskId) {
        let job = &mut self.jobs[task];
        if let Some(Doing { bucket: Some((_, since)), .. }) = job.at_work.remove(id) {
            self.totals.wasted_work_s += seconds(self.now - since);
        }
        self.totals.buckets_given_back += u64::from(job.buckets.give_back(id));
    }

    fn set(&mut self, task: usize, id: &TaskId, state: WorkerState, node: Option<NodeId>) {
        if let Some(worker) = self.jobs[task].workers.iter_mut().find(|worker| worker.id == *id) {
            (worker.state, worker.node) = (state, node);
        }
    }

    /// Ready workers start on a node of their group; those of any group on the one with the fewest workers.
    fn dispatch(&mut self) {
        let open: Vec<NodeId> =
            self.nodes.iter().filter(|(_, n)| n.is_up && n.is_working).map(|(n, _)| n.clone()).collect();
        for task in 0..self.jobs.len() {
            let is_ready = |worker: &&CurrentWorker| worker.state == WorkerState::Ready;
            let ready: Vec<(TaskId, Option<std::sync::Arc<str>>)> = self.jobs[task]
                .workers
                .iter()
                .filter(is_ready)
                .map(|w| (w.id.clone(), w.group.clone()))
                .collect();
            for (id, group) in ready {
                let fits = |node: &&NodeId| group.as_ref().is_none_or(|group| group == *node);
                let busy = |node: &&NodeId| {
                    self.jobs
                        .iter()
                        .flat_map(|job| &job.workers)
                        .filter(|w| w.node.as_ref() == Some(*node))
                        .count()
                };
                if let Some(node) = open.iter().filter(fits).min_by_key(busy).cloned() {
                    self.set(task, &id, WorkerState::Running, Some(node));
                    self.ask(task, &id);
                }
            }
        }
    }

    fn ask(&mut self, task: usize, id: &TaskId) {
        self.numbers += 1;
        let attempt = self.numbers;
        let Job { workers, buckets, at_work, .. } = &mut self.jobs[task];
        let find = |id: &TaskId| workers.iter().find(|worker| worker.id == *id);
        let is_scavenger = find(id).is_some_and(|worker| worker.is_scavenger);
        let is_gone = |id: &TaskId| find(id).is_none_or(|worker| worker.state == WorkerState::Closed);
        let worker = id.clone();
        match buckets.ask(id, is_scavenger, is_gone) {
            Answer::Bucket(number) => {
                at_work.insert(id.clone(), Doing { attempt, bucket: Some((number, self.now)) });
                self.after(self.scenario.work.bucket, Event::BucketDone { task, worker, attempt });
            }
            Answer::AskAgain => {
                at_work.insert(id.clone(), Doing { attempt, bucket: None });
                self.after(self.scenario.timers.scavenger_poll, Event::Ask { task, worker, attempt });
            }
            Answer::Close => {
                at_work.remove(id);
                self.set(task, id, WorkerState::Closed, None);
                self.end_if_closed(task);
            }
        }
    }

    fn bucket_done(&mut self, task: usize, id: &TaskId, attempt: u64) {
        let job = &mut self.jobs[task];
        let Some(Doing { bucket: Some((number, since)), .. }) =
            job.at_work.get(id).copied().filter(|doing| doing.attempt == attempt)
        else {
            return;
        };
        job.at_work.remove(id);
        if !job.buckets.complete(id, number) {
            self.totals.wasted_work_s += seconds(self.now - since);
        } else if job.buckets.is_complete() && job.completed_at.is_none() {
            job.completed_at = Some(self.now);
            let task = job.definition.name.clone();
            self.note(LogLine::WorkComplete { task });
        }
        self.ask(task, id);
    }

    /// The coordinator goes on, and its task ends, when all its children are closed.
    fn end_if_closed(&mut self, task: usize) {
        let job = &mut self.jobs[task];
        let all_closed = job.workers.iter().all(|worker| worker.state == WorkerState::Closed);
        if all_closed && job.buckets.is_complete() && !job.has_ended {
            job.has_ended = true;
            let task = job.definition.name.clone();
            self.note(LogLine::Ended { task });
        }
    }

    // Scans.

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
        self.scan_state.store(&scan, &failed);
        self.totals.scans += 1;
        self.totals.reconciliations += u64::from(scan.reason.reconciles());
        self.totals.put_off += u64::from(scan.reason == wci_core::cluster::latch::LatchReason::TooEarly);
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

    fn change(
        &mut self,
        task: usize,
        change: &Change,
    ) -> Result<(), wci_core::cluster::reconcile::ChangeError> {
        if let Change::Suspend { id } = change {
            self.stop(task, id);
        }
        let job = &mut self.jobs[task];
        let number = job.workers.len() + 1;
        let new_id = || TaskId(format!("{}/{number}", job.definition.name).into());
        apply(&mut job.workers, change, new_id)
    }

    // Records.

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
