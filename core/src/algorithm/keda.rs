//! `keda`: KEDA's Temporal scaler, which is an event-driven switch between 0 and 1 and an autoscaler above.
//!
//! Each 30 s it looks whether work waits. From 0 it goes to 1 (or the minimum) when some does, to 0 when none has
//! for more than 300 s. In between, each 15 s, `ceil(backlog / 5)` workers, as the Horizontal Pod Autoscaler sizes
//! by an external metric with an average value: no change while `backlog / (5 * workers)` is within the tolerance.
//! How sizes are reached: module `stabilizing`. Signals are not used.

use super::pacing::{Pace, Paced, PacedRule, rule_for};
use super::sizing::{Bounds, MIN_COUNT, Totals, max_count, saturated};
use super::stabilizing::{DOWN_WINDOW, Stabilizer, TOLERANCE, UP_PCT, UP_PERIOD, UP_WORKERS};
use super::state::{Slot, time};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use crate::time::{Millis, Timestamp};

const MAX_COUNT: KeyDoc = max_count(100);
const TARGET: KeyDoc =
    KeyDoc::number("target_queue_size", 5.0).above(0.0).unit("tasks").help("Waiting tasks for each worker");
const ACTIVATION: KeyDoc = KeyDoc::integer("activation_target_queue_size", 0)
    .unit("tasks")
    .help("More than this many waiting tasks start the first worker and keep the last");
const POLLING: KeyDoc = KeyDoc::millis("polling_interval_ms", 30_000)
    .at_least(1_000.0)
    .help("Time between the looks that decide between none and one");
const COOLDOWN: KeyDoc = KeyDoc::millis("cooldown_ms", 300_000)
    .help("More than this long no work must wait before the last worker goes");
const INTERVAL: KeyDoc = KeyDoc::millis("metrics_poll_interval_ms", 15_000)
    .at_least(15_000.0)
    .help("Time between decisions above one worker");

pub(super) const KEYS: &[KeyDoc] = &[
    MIN_COUNT,
    MAX_COUNT,
    TARGET,
    ACTIVATION,
    POLLING,
    COOLDOWN,
    TOLERANCE,
    DOWN_WINDOW,
    UP_WORKERS,
    UP_PCT,
    UP_PERIOD,
    INTERVAL,
];

const LAST_ACTIVE: &str = "last_active_time_ms";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keda {
    target: f64,
    activation: i64,
    cooldown: Millis,
    paced: Paced,
    looks: Pace,
    stabilizer: Stabilizer,
    last_active: Slot<i64>,
}

impl Keda {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        let polling = Millis::new(config.integer(&POLLING)?);
        Ok(Self {
            target: config.number(&TARGET)?,
            activation: config.integer(&ACTIVATION)?,
            cooldown: Millis::new(config.integer(&COOLDOWN)?),
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?,
            looks: Pace::new(polling, "last_activity_check_time_ms", state),
            stabilizer: Stabilizer::read(&config, state)?,
            last_active: Slot::strict(state, LAST_ACTIVE, time),
        })
    }

    /// Whether the last worker may go; one that never had work need not wait.
    fn is_over(&self, now: Timestamp) -> bool {
        self.paced.bounds.min == 0 && self.last_active.elapsed(now) > self.cooldown
    }

    fn size(&mut self, context: Context<'_>, current: u32, backlog: f64) -> Verdict {
        let is_tolerated = self.stabilizer.tolerates(backlog / (self.target * f64::from(current)));
        let recommended =
            if is_tolerated { i64::from(current) } else { saturated((backlog / self.target).ceil()) };
        let bounds = Bounds { min: self.paced.bounds.min.max(1), ..self.paced.bounds };
        let (size, cut) = self.stabilizer.settle(context.now, current, recommended, bounds);
        let limit = cut.or(is_tolerated.then_some(Limit::Tolerance));
        let rule = rule_for(recommended, current, Rule::BacklogPerWorkerAbove, Rule::BacklogPerWorkerBelow);
        let verdict = self.paced.go(context, rule, recommended, (size, limit));
        verdict.with_all(&[("target_backlog_per_worker", self.target)])
    }
}

impl PacedRule for Keda {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        let totals = Totals::of(metrics).ok_or_else(|| self.paced.wait(None))?;
        let looks = self.looks.is_due(context.now);
        let is_active = totals.backlog > self.activation;
        if looks && is_active {
            self.last_active.stamp(context.now);
        }
        let verdict = match self.paced.planned.get() {
            0 if looks && is_active => self.paced.go(context, Rule::Activated, 1, (1, None)),
            0 => self.paced.wait(None),
            _ if looks && !is_active && self.is_over(context.now) => {
                self.paced.go(context, Rule::Deactivated, 0, (0, None))
            }
            current => self.size(context, current, totals.backlog_f64()),
        };
        Ok(verdict.with_all(&[
            ("backlog_count", totals.backlog_f64()),
            ("activation_backlog", self.activation as f64),
            ("cooldown_ms", self.cooldown.as_f64()),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.looks.write(state);
        self.stabilizer.write(state);
        self.last_active.write(LAST_ACTIVE, state);
    }
}

#[cfg(test)]
mod tests;
