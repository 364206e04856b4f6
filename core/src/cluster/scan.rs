//! One scan: the latch for all tasks together, then each task by itself; and the journal of it.

use super::eligibility::{self, Ineligible, Selection, TaskFacts};
use super::latch::{LatchConfig, LatchReason, LatchState};
use super::reconcile::{CurrentWorker, Plan, Situation, WorkerState, plan};
use super::wanted::{WorkersPerNode, workers};
use super::{Nodes, TaskId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the periodic activity is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Better: a task whose distribution was changed while it runs is reconciled, once the shortest interval has
    /// passed. The original says that it does not support such changes, so there is no behaviour to keep, and this is
    /// on by default.
    pub follow_definitions: bool,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self {
            tasks: Selection::default(),
            latch: LatchConfig::default(),
            retry_failed: false,
            close_done: false,
            follow_definitions: true,
        }
    }
}

/// The layout of [`ScanState`] that this release writes.
pub const STATE_SCHEMA: u32 = 1;

/// What scans leave for the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScanState {
    /// The layout.
    pub schema: u32,
    /// The latch.
    pub latch: LatchState,
    /// Better: tasks whose last reconciliation failed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub failed: BTreeSet<TaskId>,
    /// Better: what each task's workers were to be when it was last reconciled, or first seen.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub distributions: BTreeMap<TaskId, Distribution>,
    /// Better: when each task was last reconciled by itself, if that was after the last time for all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_itself: BTreeMap<TaskId, Timestamp>,
    /// Better: tasks that were last reconciled while their coordinator was suspended.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub suspended: BTreeSet<TaskId>,
    /// Better: changed definitions that were put off, so that each is told once.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub put_off: BTreeMap<TaskId, Distribution>,
    /// Fields this release does not know, kept.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

impl Default for ScanState {
    fn default() -> Self {
        Self {
            schema: STATE_SCHEMA,
            latch: LatchState::default(),
            failed: BTreeSet::new(),
            distributions: BTreeMap::new(),
            by_itself: BTreeMap::new(),
            suspended: BTreeSet::new(),
            put_off: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }
}

/// The worker definitions of a task's activities, in their order.
pub type Distribution = Vec<Vec<WorkersPerNode>>;

/// A distributed task as a scan finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTask {
    /// What decides whether it is touched.
    pub facts: TaskFacts,
    /// Its activities.
    pub activities: Vec<FoundActivity>,
}

impl FoundTask {
    fn distribution(&self) -> Distribution {
        self.activities.iter().filter_map(|activity| activity.workers.clone()).collect()
    }

    fn is_suspended(&self) -> bool {
        self.activities.iter().any(|activity| activity.is_in_progress && activity.is_suspended)
    }

    /// Whether workers are left that could only be closed.
    fn has_idlers(&self) -> bool {
        let idles =
            |worker: &CurrentWorker| matches!(worker.state, WorkerState::Suspended | WorkerState::Ready);
        let is_done = |activity: &&FoundActivity| activity.is_in_progress && activity.is_work_complete;
        self.activities.iter().filter(is_done).any(|activity| activity.current.iter().any(idles))
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
        let is_min_reached =
            |task: &FoundTask| self.latch.is_min_reached(state.last_of(&task.facts.oid), now);
        let has_changed = |task: &&FoundTask| self.has_changed(task, state);
        let is_changed = |task: &&FoundTask| has_changed(task) && is_min_reached(task);
        let is_eligible = |task: &FoundTask| eligibility::check(&task.facts, &self.tasks).is_ok();
        let is_retried = |task: &FoundTask| state.failed.contains(&task.facts.oid) && is_eligible(task);
        let has_failed = |task: &&FoundTask| self.retry_failed && is_retried(task) && is_min_reached(task);
        let is_done = |task: &&FoundTask| self.close_done && task.has_idlers() && is_eligible(task);
        let goes_on = |task: &&FoundTask| self.goes_on(task, state);
        let is_chosen =
            |task: &&FoundTask| is_changed(task) || goes_on(task) || has_failed(task) || is_done(task);
        let chosen: Vec<_> = tasks.iter().filter(is_chosen).collect();
        let is_told = |task: &FoundTask| state.put_off.get(&task.facts.oid) == Some(&task.distribution());
        let is_new = |task: &&FoundTask| has_changed(task) && !is_told(task);
        let any = |is_so: &dyn Fn(&&FoundTask) -> bool| tasks.iter().any(|task| is_so(&task));
        let why = if any(&is_changed) {
            LatchReason::DefinitionChanged
        } else if any(&goes_on) {
            LatchReason::CoordinatorResumed.beside(reason)
        } else if any(&has_failed) {
            LatchReason::FailedBefore
        } else if any(&is_done) {
            LatchReason::WorkDone.beside(reason)
        } else if reason == LatchReason::NothingChanged && any(&is_new) {
            LatchReason::DefinitionTooEarly
        } else if reason == LatchReason::NothingChanged && any(&has_changed) {
            LatchReason::DefinitionWaits
        } else {
            reason
        };
        (why, chosen)
    }

    /// Whether another distribution is wanted than the one that was last reconciled.
    fn has_changed(&self, task: &FoundTask, state: &ScanState) -> bool {
        let last = state.distributions.get(&task.facts.oid);
        self.follow_definitions
            && last.is_some_and(|last| *last != task.distribution())
            && eligibility::check(&task.facts, &self.tasks).is_ok()
    }

    /// Whether the task's coordinator was resumed since the workers that wait for it were made.
    fn goes_on(&self, task: &FoundTask, state: &ScanState) -> bool {
        self.follow_definitions
            && !task.is_suspended()
            && state.suspended.contains(&task.facts.oid)
            && eligibility::check(&task.facts, &self.tasks).is_ok()
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
    /// Whether this release can read it.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn check(&self) -> Result<(), String> {
        match self.schema {
            1..=STATE_SCHEMA => Ok(()),
            other => Err(format!("found {other}, expected at most {STATE_SCHEMA}")),
        }
    }

    /// When a task was last reconciled: with all of them, or by itself.
    #[must_use]
    pub fn last_of(&self, task: &TaskId) -> Option<Timestamp> {
        self.latch.last_reconciliation.max(self.by_itself.get(task).copied())
    }

    /// Takes down what a scan of `tasks` that began `now` leaves, after they were handled; `failed` are those it could
    /// not reconcile.
    pub fn store(&mut self, now: Timestamp, tasks: &[FoundTask], scan: &Scan, failed: &BTreeSet<TaskId>) {
        for task in tasks {
            let oid = &task.facts.oid;
            let is_handled = |done: &TaskScan| done.task == *oid && done.ineligible.is_none();
            let is_handled = !failed.contains(oid) && scan.tasks.iter().any(is_handled);
            let is_new = !self.distributions.contains_key(oid);
            if is_handled || is_new {
                self.distributions.insert(oid.clone(), task.distribution());
            }
            if task.is_suspended() && (is_handled || is_new) {
                self.suspended.insert(oid.clone());
            } else if is_handled {
                self.suspended.remove(oid);
            }
        }
        self.take_times(now, scan);
        self.take_put_off(tasks, scan);
        for task in &scan.tasks {
            self.failed.remove(&task.task);
        }
        // Also those that the scan left alone: a task's first workers are made outside of it.
        self.failed.extend(failed.iter().cloned());
        let is_there = |oid: &TaskId| tasks.iter().any(|task| task.facts.oid == *oid);
        self.failed.retain(is_there);
        self.suspended.retain(is_there);
        self.distributions.retain(|oid, _| is_there(oid));
        self.by_itself.retain(|oid, _| is_there(oid));
        self.latch = scan.next.clone();
    }

    /// Tasks that were reconciled by themselves wait by themselves for the shortest interval to pass.
    fn take_times(&mut self, now: Timestamp, scan: &Scan) {
        if scan.reason.reconciles() {
            self.by_itself.clear();
            return;
        }
        let touched = scan.tasks.iter().filter(|task| task.ineligible.is_none());
        self.by_itself.extend(touched.map(|task| (task.task.clone(), now)));
    }

    fn take_put_off(&mut self, tasks: &[FoundTask], scan: &Scan) {
        let now =
            |oid: &TaskId| tasks.iter().find(|task| task.facts.oid == *oid).map(FoundTask::distribution);
        if scan.reason == LatchReason::DefinitionTooEarly {
            let waiting: Vec<_> = self
                .distributions
                .iter()
                .filter_map(|(oid, last)| now(oid).filter(|now| now != last).map(|now| (oid.clone(), now)))
                .collect();
            self.put_off.extend(waiting);
        }
        let Self { put_off, distributions, .. } = self;
        put_off
            .retain(|oid, waits| distributions.get(oid) != Some(waits) && now(oid).as_ref() == Some(waits));
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

#[cfg(test)]
mod tests;
