//! One scan: the latch for all tasks together, then each task by itself; and the journal of it.

use super::eligibility::{self, Ineligible, Selection, TaskFacts};
use super::latch::{LatchConfig, LatchReason, LatchState};
use super::reconcile::{CurrentWorker, Plan, Situation, WorkerState, plan};
use super::wanted::{WorkersPerNode, workers};
use super::{Nodes, TaskId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the periodic activity is told to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScanConfig {
    /// Which tasks.
    pub tasks: Selection,
    /// How often to reconcile.
    pub latch: LatchConfig,
    /// Better: a task whose reconciliation failed is tried again at the next scan, once the shortest interval has
    /// passed.
    pub retry_failed: bool,
    /// Better: workers that are left suspended or ready are closed when the work is complete, so that the task ends.
    pub close_done: bool,
}

/// What scans leave for the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScanState {
    /// The latch.
    pub latch: LatchState,
    /// Better: tasks whose last reconciliation failed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub failed: BTreeSet<TaskId>,
}

/// A distributed task as a scan finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTask {
    /// What decides whether it is touched.
    pub facts: TaskFacts,
    /// Its activities.
    pub activities: Vec<FoundActivity>,
}

impl FoundTask {
    /// Whether workers are left that could only be closed.
    fn has_idlers(&self) -> bool {
        let idles =
            |worker: &CurrentWorker| matches!(worker.state, WorkerState::Suspended | WorkerState::Ready);
        self.activities.iter().any(|activity| activity.is_work_complete && activity.current.iter().any(idles))
    }
}

/// An activity of a task as a scan finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundActivity {
    /// Its name, as workers' names carry it.
    pub name: String,
    /// Its worker definition; none: it has no workers.
    pub workers: Option<Vec<WorkersPerNode>>,
    /// Whether it has begun and not ended.
    pub is_in_progress: bool,
    /// Whether new buckets have run out.
    pub is_scavenging: bool,
    /// Whether all its buckets are complete.
    pub is_work_complete: bool,
    /// Whether its coordinator is suspended.
    #[serde(default)]
    pub is_suspended: bool,
    /// Its workers.
    pub current: Vec<CurrentWorker>,
}

/// What a scan decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Why it reconciles, or does not.
    pub reason: LatchReason,
    /// Whether the nodes that are UP have changed since the last scan.
    pub has_changed: bool,
    /// Each task, when it reconciles.
    pub tasks: Vec<TaskScan>,
    /// To be stored after the tasks were handled.
    next: LatchState,
}

/// What a scan decides about one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskScan {
    /// The task.
    pub task: TaskId,
    /// Why it is left alone, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ineligible: Option<Ineligible>,
    /// What is to be done to its activities that have workers and are in progress.
    pub activities: Vec<ActivityPlan>,
}

/// What is to be done to one activity's workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPlan {
    /// The activity's name.
    pub activity: String,
    /// The plan.
    pub plan: Plan,
}

impl ScanConfig {
    /// Decides for a scan that began now.
    #[must_use]
    pub fn scan(&self, state: &ScanState, now: Timestamp, nodes: &Nodes, tasks: &[FoundTask]) -> Scan {
        let verdict = self.latch.decide(&state.latch, now, &nodes.up());
        let (reason, chosen) = self.choose(verdict.reason, state, now, tasks);
        let tasks = chosen.into_iter().map(|task| self.task(task, nodes)).collect();
        Scan { reason, has_changed: verdict.has_changed, tasks, next: verdict.next }
    }

    /// All tasks when the latch says so; else those that a switch has looked at all the same.
    fn choose<'a>(
        &self,
        reason: LatchReason,
        state: &ScanState,
        now: Timestamp,
        tasks: &'a [FoundTask],
    ) -> (LatchReason, Vec<&'a FoundTask>) {
        if reason.reconciles() {
            return (reason, tasks.iter().collect());
        }
        let retries = self.retry_failed && self.latch.is_min_reached(&state.latch, now);
        let failed: Vec<_> =
            tasks.iter().filter(|task| retries && state.failed.contains(&task.facts.oid)).collect();
        let done: Vec<_> = tasks.iter().filter(|task| self.close_done && task.has_idlers()).collect();
        match (failed.is_empty(), done.is_empty()) {
            (false, _) => (LatchReason::FailedBefore, failed),
            (true, false) => (LatchReason::WorkDone, done),
            (true, true) => (reason, Vec::new()),
        }
    }

    fn task(&self, task: &FoundTask, nodes: &Nodes) -> TaskScan {
        let ineligible = eligibility::check(&task.facts, &self.tasks).err();
        let is_touched = |activity: &&FoundActivity| ineligible.is_none() && activity.is_in_progress;
        let plans = task.activities.iter().filter(is_touched).filter_map(|activity| {
            let wanted = workers(activity.workers.as_ref()?, &nodes.up(), &activity.name, &task.facts.name);
            let plan = plan(&Situation {
                current: &activity.current,
                wanted: &wanted,
                nodes,
                is_scavenging: activity.is_scavenging,
                is_suspended: activity.is_suspended,
                close_done: self.close_done && activity.is_work_complete,
            });
            Some(ActivityPlan { activity: activity.name.clone(), plan })
        });
        let activities = plans.collect();
        TaskScan { task: task.facts.oid.clone(), ineligible, activities }
    }
}

impl ScanState {
    /// Takes down what a scan leaves, after its tasks were handled; `failed` are those it could not reconcile.
    pub fn store(&mut self, scan: &Scan, failed: &BTreeSet<TaskId>) {
        for task in &scan.tasks {
            if failed.contains(&task.task) {
                self.failed.insert(task.task.clone());
            } else {
                self.failed.remove(&task.task);
            }
        }
        self.latch = scan.next.clone();
    }
}

/// One line of the journal: all that a scan saw and what it decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// When the scan began.
    pub t: Timestamp,
    /// The nodes it saw.
    pub nodes: Nodes,
    /// The tasks it found.
    pub tasks: Vec<FoundTask>,
    /// What it decided.
    pub scan: Scan,
    /// The tasks whose reconciliation failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed: BTreeSet<TaskId>,
}

/// Decides recorded scans again; the number of the first that differs, with what is decided now.
#[must_use]
pub fn replay(config: &ScanConfig, mut state: ScanState, records: &[ScanRecord]) -> Option<(usize, Scan)> {
    for (number, record) in records.iter().enumerate() {
        let scan = config.scan(&state, record.t, &record.nodes, &record.tasks);
        if scan != record.scan {
            return Some((number, scan));
        }
        state.store(&scan, &record.failed);
    }
    None
}

#[cfg(test)]
mod tests;
