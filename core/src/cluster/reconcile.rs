//! From the workers there are to the workers there shall be: with as little change as possible, and never twice.
//!
//! Nothing moves between nodes and nothing is deleted. A second run right after the first changes nothing.

use super::wanted::WantedWorker;
use super::{NodeId, Nodes, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// A worker task as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentWorker {
    /// Its identifier.
    pub id: TaskId,
    /// Which nodes may run it; none: any. The node that runs it may be another one than its group says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it looks for buckets that others left behind.
    pub is_scavenger: bool,
    /// What it does.
    pub state: WorkerState,
    /// The node that runs it, or is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
}

/// What a worker task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It runs on its node.
    Running,
    /// It may start as soon as a node of its group takes it.
    Ready,
    /// It was stopped and keeps its place.
    Suspended,
    /// It has ended.
    Closed,
    /// Anything else.
    Other,
}

impl CurrentWorker {
    /// The best ones first: those are kept when there are too many.
    const fn rank(&self) -> u8 {
        match (self.state, self.node.is_some()) {
            (WorkerState::Running, _) => 0,
            (WorkerState::Ready, true) => 1,
            (WorkerState::Ready, false) => 2,
            (WorkerState::Suspended, _) => 3,
            (WorkerState::Closed, _) => 4,
            (WorkerState::Other, _) => 5,
        }
    }

    fn fits(&self, wanted: &WantedWorker, pass: Pass) -> bool {
        self.group == wanted.group
            && (pass == Pass::Adapt || self.is_scavenger == wanted.is_scavenger)
            && (pass != Pass::Match || self.name == wanted.name)
    }
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation<'a> {
    /// The workers there are.
    pub current: &'a [CurrentWorker],
    /// The workers there shall be.
    pub wanted: &'a [WantedWorker],
    /// The nodes.
    pub nodes: &'a Nodes,
    /// Whether new buckets have run out, so that only scavengers are still of use.
    pub is_scavenging: bool,
    /// Whether the coordinator is suspended; then new workers are, too.
    pub is_suspended: bool,
    /// Better: whether the work is complete and workers that do not run shall be closed.
    pub close_done: bool,
}

/// One thing to be done. Renaming and adapting hold only if the worker is still as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Gives a worker another name.
    Rename {
        /// The worker.
        id: TaskId,
        /// The name it has.
        from: Arc<str>,
        /// The name it gets.
        to: Arc<str>,
    },
    /// Makes a worker a scavenger or an ordinary one, and gives it the name that goes with it.
    Adapt {
        /// The worker.
        id: TaskId,
        /// The name it has.
        from: Arc<str>,
        /// The name it gets.
        to: Arc<str>,
        /// Whether it becomes a scavenger.
        is_scavenger: bool,
    },
    /// Stops a worker that nobody wants any more; its bucket goes back.
    Suspend {
        /// The worker.
        id: TaskId,
    },
    /// Makes a worker.
    Create {
        /// What it is.
        worker: WantedWorker,
        /// Whether it waits for its coordinator to be resumed.
        is_suspended: bool,
    },
    /// Lets a worker go on.
    Resume {
        /// The worker.
        id: TaskId,
    },
    /// Closes a worker for which no work is left.
    Close {
        /// The worker.
        id: TaskId,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was done.
    #[default]
    Success,
    /// There is nothing that could be reconciled.
    NotApplicable,
    /// A worker changed meanwhile; the rest was left undone.
    Warning,
    /// A change failed; the rest was left undone.
    FatalError,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Workers that are as they shall be.
    pub matched: u32,
    /// Workers that got another name.
    pub renamed: u32,
    /// Workers that became scavengers, or ordinary.
    pub adapted: u32,
    /// Workers that were stopped.
    pub suspended: u32,
    /// New workers.
    pub created: u32,
    /// Workers that go on.
    pub resumed: u32,
    /// Workers that were closed because the work is done.
    pub closed_done: u32,
    /// How it ended.
    pub status: Status,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Outcome {
    /// The six counters in the order in which the work is done.
    #[must_use]
    pub const fn counts(&self) -> [u32; 6] {
        [self.matched, self.renamed, self.adapted, self.suspended, self.created, self.resumed]
    }

    /// Takes down how a change went. False: the rest of the plan is left undone.
    pub fn take(&mut self, change: &Change, result: Result<(), ChangeError>) -> bool {
        let Err(error) = result else {
            self.count(change);
            return true;
        };
        let is_conflict = error == ChangeError::Conflict;
        self.status = if is_conflict { Status::Warning } else { Status::FatalError };
        self.message = Some(error.to_string());
        false
    }

    fn count(&mut self, change: &Change) {
        let counter = match change {
            Change::Rename { .. } => &mut self.renamed,
            Change::Adapt { .. } => &mut self.adapted,
            Change::Suspend { .. } => &mut self.suspended,
            Change::Create { .. } => &mut self.created,
            Change::Resume { .. } => &mut self.resumed,
            Change::Close { .. } => &mut self.closed_done,
        };
        *counter += 1;
    }
}

/// Why a change was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The worker is no longer as it was.
    #[error("the worker was changed by somebody else")]
    Conflict,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// What has to be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Workers that are already as they shall be.
    pub matched: u32,
    /// The changes.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Does all of it, one after the other, until one fails.
    pub fn carry_out(&self, mut change: impl FnMut(&Change) -> Result<(), ChangeError>) -> Outcome {
        let mut outcome = self.begin();
        for next in &self.changes {
            if !outcome.take(next, change(next)) {
                break;
            }
        }
        outcome
    }

    /// The outcome before the first change, for hosts that do the changes one by one themselves.
    #[must_use]
    pub fn begin(&self) -> Outcome {
        Outcome { matched: self.matched, ..Outcome::default() }
    }
}

/// Does one change to records of workers, as a store that nobody else writes to would; a new one gets `new_id`.
///
/// # Errors
/// The worker is not there, or is no longer what the change expects: it has another name, or was adapted already.
pub fn apply(
    workers: &mut Vec<CurrentWorker>,
    change: &Change,
    new_id: impl FnOnce() -> TaskId,
) -> Result<(), ChangeError> {
    let (id, expected) = match change {
        Change::Create { worker, is_suspended } => {
            workers.push(CurrentWorker {
                id: new_id(),
                group: worker.group.clone(),
                name: worker.name.clone(),
                is_scavenger: worker.is_scavenger,
                state: if *is_suspended { WorkerState::Suspended } else { WorkerState::Ready },
                node: None,
            });
            return Ok(());
        }
        Change::Rename { id, from, .. } | Change::Adapt { id, from, .. } => (id, Some(from)),
        Change::Suspend { id } | Change::Resume { id } | Change::Close { id } => (id, None),
    };
    let is_adapted = |worker: &CurrentWorker| matches!(change, Change::Adapt { is_scavenger, .. } if worker.is_scavenger == *is_scavenger);
    let found = workers.iter_mut().find(|worker| worker.id == *id);
    let worker = found
        .filter(|worker| expected.is_none_or(|name| worker.name == *name) && !is_adapted(worker))
        .ok_or(ChangeError::Conflict)?;
    match change {
        Change::Rename { to, .. } => worker.name = to.clone(),
        Change::Adapt { to, is_scavenger, .. } => {
            (worker.name, worker.is_scavenger) = (to.clone(), *is_scavenger)
        }
        Change::Suspend { .. } => (worker.state, worker.node) = (WorkerState::Suspended, None),
        Change::Resume { .. } => worker.state = WorkerState::Ready,
        Change::Close { .. } => (worker.state, worker.node) = (WorkerState::Closed, None),
        Change::Create { .. } => {}
    }
    Ok(())
}

/// How alike a worker and a wanted one must be to be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Match,
    Rename,
    Adapt,
}

/// Plans a run.
#[must_use]
pub fn plan(situation: &Situation<'_>) -> Plan {
    let mut left: Vec<&CurrentWorker> = situation.current.iter().collect();
    left.sort_by_key(|worker| worker.rank());
    let mut wanted: VecDeque<&WantedWorker> = situation.wanted.iter().collect();
    let mut plan = Plan::default();
    let mut paired = Vec::new();
    for pass in [Pass::Match, Pass::Rename, Pass::Adapt] {
        left.retain(|worker| {
            let Some(at) = wanted.iter().position(|wanted| worker.fits(wanted, pass)) else { return true };
            if let Some(wanted) = wanted.remove(at) {
                plan.pair(worker, wanted, pass);
            }
            paired.push(*worker);
            false
        });
    }
    plan.stop(&left, situation);
    plan.create(&wanted, situation);
    plan.resume(&paired, situation);
    plan.close(situation);
    plan
}

impl Plan {
    fn pair(&mut self, worker: &CurrentWorker, wanted: &WantedWorker, pass: Pass) {
        let (id, from, to) = (worker.id.clone(), worker.name.clone(), wanted.name.clone());
        match pass {
            Pass::Match => self.matched += 1,
            Pass::Rename => self.changes.push(Change::Rename { id, from, to }),
            Pass::Adapt => {
                self.changes.push(Change::Adapt { id, from, to, is_scavenger: wanted.is_scavenger });
            }
        }
    }

    /// Only what runs on a node that lives can be stopped; everything else is left as it is.
    fn stop(&mut self, left: &[&CurrentWorker], situation: &Situation<'_>) {
        let runs = |worker: &&&CurrentWorker| {
            let is_live = worker.node.as_deref().is_some_and(|node| situation.nodes.is_live(node));
            worker.state == WorkerState::Running && is_live
        };
        self.changes.extend(left.iter().filter(runs).map(|worker| Change::Suspend { id: worker.id.clone() }));
    }

    fn create(&mut self, wanted: &VecDeque<&WantedWorker>, situation: &Situation<'_>) {
        let is_of_use = |worker: &&&WantedWorker| {
            !situation.close_done && (worker.is_scavenger || !situation.is_scavenging)
        };
        let is_suspended = situation.is_suspended;
        let create = |worker: &&WantedWorker| Change::Create { worker: (*worker).clone(), is_suspended };
        self.changes.extend(wanted.iter().filter(is_of_use).map(create));
    }

    fn resume(&mut self, paired: &[&CurrentWorker], situation: &Situation<'_>) {
        if situation.is_suspended || situation.close_done {
            return;
        }
        let suspended = paired.iter().filter(|worker| worker.state == WorkerState::Suspended);
        self.changes.extend(suspended.map(|worker| Change::Resume { id: worker.id.clone() }));
    }

    fn close(&mut self, situation: &Situation<'_>) {
        let idles =
            |worker: &&CurrentWorker| matches!(worker.state, WorkerState::Suspended | WorkerState::Ready);
        if situation.close_done {
            let idle = situation.current.iter().filter(idles);
            self.changes.extend(idle.map(|worker| Change::Close { id: worker.id.clone() }));
        }
    }
}

#[cfg(test)]
mod tests;
