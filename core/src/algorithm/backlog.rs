//! `backlog`: one worker more while work waits, one fewer when none has waited for a while.
//!
//! Up by one when a task found no waiting worker (an eligible signal), or when a poll finds a backlog; that stands
//! for "no slot is free", which a controller cannot see. Down by the newest one when every poll for the whole
//! empty time found no backlog, and no eligible signal came in between; the empty time starts anew after each.
//! Below the minimum a poll goes up at once.

use super::sizing::{MIN_COUNT, Totals, max_count};
use super::state::{Slot, time};
use super::stepping::{METRICS_POLL_INTERVAL, SCALE_DOWN_COOLDOWN, SCALE_UP_COOLDOWN, Stepper};
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::Rule;
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

const MAX_COUNT: KeyDoc = max_count(10);
const EMPTY_BACKLOG: KeyDoc =
    KeyDoc::millis("empty_backlog_ms", 30_000).help("How long no work must wait before a worker is removed");

pub(super) const KEYS: &[KeyDoc] =
    &[MIN_COUNT, MAX_COUNT, SCALE_UP_COOLDOWN, SCALE_DOWN_COOLDOWN, EMPTY_BACKLOG, METRICS_POLL_INTERVAL];

const EMPTY_SINCE: &str = "backlog_empty_since_ms";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Backlog {
    stepper: Stepper,
    empty_time: Millis,
    empty_since: Slot<i64>,
}

impl Backlog {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            stepper: Stepper::read(&config, &MAX_COUNT, state)?,
            empty_time: Millis::new(config.integer(&EMPTY_BACKLOG)?),
            empty_since: Slot::strict(state, EMPTY_SINCE, time),
        })
    }

    /// How long the backlog has been empty without a break, counting from the first poll that found it so.
    fn empty_for(&mut self, now: Timestamp) -> Millis {
        if self.empty_since.get().is_none() {
            self.empty_since.stamp(now);
        }
        self.empty_since.elapsed(now)
    }

    fn on_empty(&mut self, context: Context<'_>) -> Verdict {
        let empty_for = self.empty_for(context.now);
        let verdict = if self.stepper.is_below_min() {
            self.stepper.step_up(context, Rule::BelowMinimum)
        } else if empty_for >= self.empty_time {
            self.stepper.step_down(context, Rule::BacklogEmpty)
        } else {
            self.stepper.stay()
        };
        if verdict.wish != Wish::Nothing {
            self.empty_since.stamp(context.now);
        }
        let numbers = [("empty_ms", empty_for.as_f64()), ("empty_backlog_ms", self.empty_time.as_f64())];
        verdict.with_all(&numbers)
    }
}

impl ScalingAlgorithm for Backlog {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        if !add.is_eligible() {
            return Verdict::NOTHING;
        }
        self.empty_since.clear();
        self.stepper.step_up_for(context, add)
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.stepper.planned.observe(context);
        match Totals::of(metrics) {
            None => self.stepper.stay(),
            Some(totals) if totals.backlog > 0 => {
                self.empty_since.clear();
                let verdict = self.stepper.step_up(context, Rule::NoFreeSlot);
                verdict.with_all(&[("backlog_count", totals.backlog_f64())])
            }
            Some(_) => self.on_empty(context).with_all(&[("backlog_count", 0.0)]),
        }
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.stepper.poll_interval
    }

    fn planned(&self) -> Option<u32> {
        Some(self.stepper.planned.get())
    }

    fn register(&mut self) -> u32 {
        self.stepper.planned.register(self.stepper.bounds)
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.stepper.write(&mut state);
        self.empty_since.write(EMPTY_SINCE, &mut state);
        state
    }
}

#[cfg(test)]
mod tests;
