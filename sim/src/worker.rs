//! Workers: starting, ready, draining, gone.

use crate::model::Nanos;
use crate::task_queue::Waiting;

/// Where a worker's life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Asked for; does not poll yet.
    Starting,
    /// Polls.
    Ready,
    /// Finishes its tasks and takes no new ones.
    Draining,
    /// Ended; its place is free once no event points at it.
    Gone,
}

/// Slots of one lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneSlots {
    /// Slots without a task; open polls reserve some of them.
    pub free: u32,
    /// Open polls: waiting at the server or on their way to it.
    pub polls: u32,
}

/// One worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Index of its group.
    pub group: usize,
    /// It is the n-th worker its group started.
    pub number: u64,
    /// Where its life stands.
    pub state: WorkerState,
    /// When it began to start.
    pub invoked_at: Nanos,
    /// When it got ready.
    pub ready_at: Nanos,
    /// Tasks it runs.
    pub running: u32,
    /// Whether it ever ran one.
    pub was_used: bool,
    /// Events that point at it.
    pub pending_events: u32,
    /// When it exits if it stays idle.
    pub expires_at: Nanos,
    /// When the next `IdleExit` event looks; `MAX`: none is on its way.
    pub armed_at: Nanos,
    /// How often it got idle: the key of its next idle time.
    pub idle_times: u64,
    /// Its slots, in the order of its group's lanes.
    pub lanes: Vec<LaneSlots>,
    /// The request it was started for (per-request mode).
    pub bound: Option<(usize, Waiting)>,
}

impl Worker {
    /// A worker that begins to start.
    pub fn starting(group: usize, number: u64, now: Nanos, lanes: Vec<LaneSlots>) -> Self {
        Self {
            group,
            number,
            state: WorkerState::Starting,
            invoked_at: now,
            ready_at: Nanos::MAX,
            running: 0,
            was_used: false,
            pending_events: 0,
            expires_at: Nanos::MAX,
            armed_at: Nanos::MAX,
            idle_times: 0,
            lanes,
            bound: None,
        }
    }
}
