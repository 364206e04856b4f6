//! The last statistics: while they are fresh, a deferred decision takes them instead of another read.

use super::{Controller, Settings, Step};
use crate::decision::{Action, ActionKind, FetchWhy};
use crate::metrics::MetricsSnapshot;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// Statistics, and when the controller was given them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// What was read.
    pub metrics: MetricsSnapshot,
}

impl Reading {
    /// Rates that are no numbers never enter a state: statistics with such rates are read anew.
    pub(super) fn can_be_kept(&self) -> bool {
        let mut queues = self.metrics.present();
        queues.all(|(_, queue)| queue.last_arrival_rate.is_finite() && queue.last_processing_rate.is_finite())
    }

    /// Statistics from later than now are not fresh: the clock was set back, and nobody knows how far.
    fn is_fresh(&self, now: Timestamp, max_age: Millis) -> bool {
        (Millis::ZERO..max_age).contains(&now.since(self.at))
    }
}

impl Controller {
    /// Keeps the statistics for deferred decisions to come.
    pub(super) fn remember(&mut self, now: Timestamp, metrics: &MetricsSnapshot) {
        let reading = Reading { at: now, metrics: *metrics };
        if keeps_readings(&self.settings) && reading.can_be_kept() {
            self.last_reading = Some(reading);
        }
    }

    pub(super) fn change_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.last_reading.take_if(|_| !keeps_readings(&self.settings));
        self.place_groups();
    }

    /// Ends the action that has just begun if it is a deferred fetch that fresh statistics answer; says whether they
    /// did. That is looked at only when its turn has come, because the actions before it take their time.
    pub(super) fn answer_at_once(&mut self, now: Timestamp, action: &Action, step: &mut Step) -> bool {
        let ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } } = &action.kind else {
            return false;
        };
        let max_age = self.settings.deferred_metrics_max_age;
        let Some(fresh) = self.last_reading.filter(|reading| reading.is_fresh(now, max_age)) else {
            return false;
        };
        self.lane.end(action.id, |_| true);
        self.decide_deferred(now, group, &fresh.metrics, step);
        true
    }
}

/// Whether these settings have any use for a reading.
pub(super) fn keeps_readings(settings: &Settings) -> bool {
    settings.deferred_metrics_max_age > Millis::ZERO
}
