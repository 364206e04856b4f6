//! The task-add signal and the batching that the Matching Service's hook does before it signals.

use crate::spec::WireTaskType;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Tasks were added to a task queue partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAdd {
    /// Name of the task queue; shared, so that a signal costs no allocation.
    #[serde(default)]
    pub task_queue_name: Arc<str>,
    /// Type of the task queue.
    pub task_queue_type: WireTaskType,
    /// Whether the add that sent the batch met a waiting poller.
    #[serde(default)]
    pub is_sync_match: bool,
    /// Adds of the batch that met a waiting poller.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sync_match_signals_batched: u32,
    /// Adds of the batch that met none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub no_sync_match_signals_batched: u32,
    /// Adds of the batch that a dispatch-rate limit held back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rate_limited_signals_batched: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl TaskAdd {
    /// Whether this signal may start workers.
    #[must_use]
    pub const fn is_eligible(&self) -> bool {
        self.no_sync_match_signals_batched > 0
            || (!self.is_sync_match && self.rate_limited_signals_batched == 0)
    }
}

/// How one task add ended in the Matching Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddOutcome {
    /// A poller was waiting.
    SyncMatch,
    /// No poller was waiting: the task was spooled.
    NoSyncMatch,
    /// A dispatch-rate limit held the task back.
    RateLimited,
}

/// The intervals of the batching; non-positive values mean the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIntervals {
    /// Shortest time between signals while an add without a waiting poller is counted (500 ms).
    pub min_signal_interval_no_sync_match: Millis,
    /// Shortest time between signals otherwise (60 s).
    pub min_signal_interval_sync_match: Millis,
}

/// A batch that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Outcome of the add that sends.
    pub is_sync_match: bool,
    /// Adds with a waiting poller.
    pub sync: u32,
    /// Adds without one.
    pub no_sync: u32,
    /// Adds held back by a rate limit.
    pub rate_limited: u32,
}

/// Counts adds of one controller and partition and says when a signal is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batcher {
    last_signal: Option<Timestamp>,
    sync: u32,
    no_sync: u32,
    rate_limited: u32,
}
