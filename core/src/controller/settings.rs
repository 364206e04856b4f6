//! What the host decides about.

use crate::signals::BatchIntervals;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// What the host decides about; one field for every improvement over the original that changes a decision or
/// its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the namespace may scale.
    pub enabled: bool,
    /// The host's region, if it has one.
    pub host_region: Option<String>,
    /// Allowed provider types; `None`: all but `subprocess`.
    pub allowed_providers: Option<Vec<String>>,
    /// Allowed algorithms; `None`: all.
    pub allowed_algorithms: Option<Vec<String>>,
    /// The shortest poll interval this host serves.
    pub shortest_poll: Millis,
    /// The longest time between polls.
    pub longest_poll: Millis,
    /// How long after the start the first poll comes.
    pub first_poll_after: Millis,
    /// How many signals may wait.
    pub max_waiting_signals: usize,
    /// How many signals are handled before a due timer gets its turn.
    pub signals_before_timer: u32,
    /// Time between periodic validations; zero or less: none.
    pub validation_interval: Millis,
    /// Batching of task adds before the signal.
    pub batching: BatchIntervals,
    /// Better: the next poll's time survives continue-as-new and restarts.
    pub keep_next_poll: bool,
    /// Better: poll as soon as the workers of an updated spec registered.
    pub poll_after_update: bool,
    /// Better: the last adds of a burst are signalled by a timer; `None`: only by a later add. The core only
    /// carries it: batching happens at the host.
    pub flush_interval: Option<Millis>,
    /// Better: a set size that failed for good is issued again at the next poll.
    pub reissue_failed_size: bool,
    /// Better: the conflict token changes with every accepted update.
    pub rotate_conflict_token: bool,
    /// Better: statistics younger than this answer a deferred decision at once, instead of another read; zero or less:
    /// always read.
    #[serde(default = "always_read")]
    pub deferred_metrics_max_age: Millis,
}

/// What was recorded before there was a reuse of statistics always read.
const fn always_read() -> Millis {
    Millis::ZERO
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            host_region: None,
            allowed_providers: None,
            allowed_algorithms: None,
            shortest_poll: Millis::from_secs(1),
            longest_poll: Millis::from_secs(300),
            first_poll_after: Millis::from_secs(300),
            max_waiting_signals: 4000,
            signals_before_timer: 100,
            validation_interval: Millis::from_secs(21_600),
            batching: BatchIntervals {
                min_signal_interval_no_sync_match: Millis::new(500),
                min_signal_interval_sync_match: Millis::from_secs(60),
            },
            keep_next_poll: true,
            poll_after_update: true,
            flush_interval: None,
            reissue_failed_size: true,
            rotate_conflict_token: true,
            deferred_metrics_max_age: Millis::from_secs(1),
        }
    }
}

impl Settings {
    /// The original's behaviour: every improvement that changes a decision or its time is off.
    #[must_use]
    pub fn like_go() -> Self {
        Self {
            keep_next_poll: false,
            poll_after_update: false,
            flush_interval: None,
            reissue_failed_size: false,
            rotate_conflict_token: false,
            deferred_metrics_max_age: Millis::ZERO,
            ..Self::default()
        }
    }

    /// No poll interval is shorter: whole seconds, at least one.
    pub(super) fn poll_floor(&self) -> Millis {
        self.shortest_poll.max(Millis::from_secs(1))
    }

    /// No poll interval is longer; at least the floor, so that the two never contradict each other.
    pub(super) fn poll_ceiling(&self) -> Millis {
        self.longest_poll.max(self.poll_floor())
    }
}
