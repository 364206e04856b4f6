//! The task-add signal and the batching that the Matching Service's hook does before it signals.

use crate::metrics::TaskQueueType;
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
#[serde(default)]
pub struct BatchIntervals {
    /// Shortest time between signals while an add without a waiting poller is counted (500 ms).
    pub min_signal_interval_no_sync_match: Millis,
    /// Shortest time between signals otherwise (60 s).
    pub min_signal_interval_sync_match: Millis,
}

impl Default for BatchIntervals {
    fn default() -> Self {
        Self {
            min_signal_interval_no_sync_match: Self::NO_SYNC_DEFAULT,
            min_signal_interval_sync_match: Self::SYNC_DEFAULT,
        }
    }
}

impl BatchIntervals {
    const NO_SYNC_DEFAULT: Millis = Millis::new(500);
    const SYNC_DEFAULT: Millis = Millis::from_secs(60);

    /// How old the last signal must be, strictly, before the next one goes out.
    #[inline]
    const fn interval(self, has_no_sync: bool) -> Millis {
        let (interval, default) = if has_no_sync {
            (self.min_signal_interval_no_sync_match, Self::NO_SYNC_DEFAULT)
        } else {
            (self.min_signal_interval_sync_match, Self::SYNC_DEFAULT)
        };
        if interval.get() > 0 { interval } else { default }
    }
}

/// A batch that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Outcome of the add that sends; for a rate-limited add and for a flush: whether no add of the batch was
    /// without a waiting poller.
    pub is_sync_match: bool,
    /// Adds with a waiting poller.
    pub sync: u32,
    /// Adds without one.
    pub no_sync: u32,
    /// Adds held back by a rate limit.
    pub rate_limited: u32,
}

impl Batch {
    /// The signal that carries this batch.
    #[must_use]
    pub const fn into_signal(self, task_queue_name: Arc<str>, task_queue_type: TaskQueueType) -> TaskAdd {
        TaskAdd {
            task_queue_name,
            task_queue_type: WireTaskType(task_queue_type),
            is_sync_match: self.is_sync_match,
            sync_match_signals_batched: self.sync,
            no_sync_match_signals_batched: self.no_sync,
            rate_limited_signals_batched: self.rate_limited,
        }
    }
}

/// Counts adds of one controller and partition and says when a signal is due.
///
/// A batch is sent only by an add that comes later than the interval after the last signal (no timer), unless the
/// host also calls [`Batcher::flush`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batcher {
    last_signal: Option<Timestamp>,
    sync: u32,
    no_sync: u32,
    rate_limited: u32,
}

impl Batcher {
    /// Counts one add and returns the batch if this add sends it.
    #[inline]
    pub fn add(&mut self, now: Timestamp, outcome: AddOutcome, intervals: &BatchIntervals) -> Option<Batch> {
        self.count(outcome, 1);
        if !self.is_due(now, intervals.interval(self.no_sync > 0)) {
            return None;
        }
        let is_sync_match = match outcome {
            AddOutcome::SyncMatch => true,
            AddOutcome::NoSyncMatch => false,
            AddOutcome::RateLimited => self.no_sync == 0,
        };
        Some(self.send(now, is_sync_match))
    }

    /// Counts so many adds of one moment. Only the first one can send: the others find nothing changed but its signal.
    pub fn add_many(
        &mut self,
        now: Timestamp,
        outcome: AddOutcome,
        adds: u32,
        intervals: &BatchIntervals,
    ) -> Option<Batch> {
        let others = adds.checked_sub(1)?;
        let batch = self.add(now, outcome, intervals);
        self.count(outcome, others);
        batch
    }

    #[inline]
    fn count(&mut self, outcome: AddOutcome, adds: u32) {
        let counter = match outcome {
            AddOutcome::SyncMatch => &mut self.sync,
            AddOutcome::NoSyncMatch => &mut self.no_sync,
            AddOutcome::RateLimited => &mut self.rate_limited,
        };
        *counter = counter.saturating_add(adds);
    }

    /// Sends what a burst left behind: a batch with an add that found no poller, `after` the last signal.
    ///
    /// Adds that found a poller, or that a rate limit held back, start no worker and keep waiting for an add.
    pub fn flush(&mut self, now: Timestamp, after: Millis) -> Option<Batch> {
        (self.no_sync > 0 && self.is_due(now, after)).then(|| self.send(now, false))
    }

    /// The first moment at which [`Batcher::flush`] would send; none while nothing waits for it.
    #[must_use]
    pub fn flush_at(&self, after: Millis) -> Option<Timestamp> {
        let last = self.last_signal.filter(|_| self.no_sync > 0)?;
        Some(last.plus(after).plus(Millis::new(1)))
    }

    #[inline]
    fn is_due(&self, now: Timestamp, interval: Millis) -> bool {
        self.last_signal.is_none_or(|last| now > last.plus(interval))
    }

    fn send(&mut self, now: Timestamp, is_sync_match: bool) -> Batch {
        let Self { sync, no_sync, rate_limited, .. } = *self;
        *self = Self { last_signal: Some(now), ..Self::default() };
        Batch { is_sync_match, sync, no_sync, rate_limited }
    }
}

#[cfg(test)]
mod tests;
