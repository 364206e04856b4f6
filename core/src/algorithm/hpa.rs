//! `hpa`: Kubernetes' Horizontal Pod Autoscaler on the share of busy slots.
//!
//! Each 15 s, with `R` ready and `S` starting workers and the share `u` of the ready workers' slots that are busy:
//!
//! ```text
//! ratio   = u / target
//! ratio > 1 and S > 0:  ratio = u * R / (R + S) / target      those that start count as unused on the way up
//! desired = ceil(ratio * R)        with those that start: ceil(ratio * (R + S)), and no change if ratio <= 1 now
//! ```
//!
//! No change while `ratio` is within the tolerance. How sizes are reached: module `stabilizing`.
//! CPU use, by which the original is mostly run, is here the use of slots. Signals are not used.

use super::occupancy::utilization;
use super::pacing::{Paced, PacedRule, rule_for};
use super::sizing::{max_count, min_count, saturated};
use super::stabilizing::{DOWN_WINDOW, Stabilizer, TOLERANCE, UP_PCT, UP_PERIOD, UP_WORKERS};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::metrics::{MetricsSnapshot, Observation};

// At size 0 there is no use to measure: the original does not go there by use alone.
const MIN_COUNT: KeyDoc = min_count(1).at_least(1.0);
const MAX_COUNT: KeyDoc = max_count(100);
const TARGET: KeyDoc = KeyDoc::number("target_utilization", 0.80)
    .above(0.0)
    .at_most(1.0)
    .help("Share of the slots that shall be busy");
const INTERVAL: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 15_000).at_least(15_000.0).help("Time between decisions");

pub(super) const KEYS: &[KeyDoc] =
    &[MIN_COUNT, MAX_COUNT, TARGET, TOLERANCE, DOWN_WINDOW, UP_WORKERS, UP_PCT, UP_PERIOD, INTERVAL];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hpa {
    target: f64,
    paced: Paced,
    stabilizer: Stabilizer,
}

/// What the workers show.
struct Usage {
    utilization: f64,
    ready: f64,
    starting: f64,
}

impl Usage {
    /// None without ready workers: nothing can be measured then.
    fn of(observation: &Observation) -> Option<Self> {
        let ready = f64::from(observation.ready.filter(|ready| *ready > 0)?);
        let starting = f64::from(observation.starting.unwrap_or(0));
        Some(Self { utilization: utilization(observation)?, ready, starting })
    }

    /// The wished size, or why there is none.
    fn size(&self, target: f64, stabilizer: &Stabilizer) -> Result<i64, Limit> {
        let ratio = self.utilization / target;
        let counts_starting = ratio > 1.0 && self.starting > 0.0;
        let workers = if counts_starting { self.ready + self.starting } else { self.ready };
        let ratio = ratio * self.ready / workers;
        if stabilizer.tolerates(ratio) {
            Err(Limit::Tolerance)
        } else if counts_starting && ratio < 1.0 {
            Err(Limit::StartingSuffice)
        } else {
            Ok(saturated((ratio * workers).ceil()))
        }
    }
}

impl Hpa {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            target: config.number(&TARGET)?,
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?,
            stabilizer: Stabilizer::read(&config, state)?,
        })
    }
}

impl PacedRule for Hpa {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        let usage = Usage::of(context.observation).ok_or_else(|| self.paced.wait(None))?;
        let current = self.paced.planned.get();
        let wished = usage.size(self.target, &self.stabilizer);
        let recommended = wished.unwrap_or_else(|_| current.into());
        let (size, cut) = self.stabilizer.settle(context.now, current, recommended, self.paced.bounds);
        let limit = cut.or(wished.err());
        let rule = rule_for(recommended, current, Rule::UtilizationAbove, Rule::UtilizationBelow);
        Ok(self.paced.go(context, rule, recommended, (size, limit)).with_all(&[
            ("utilization", usage.utilization),
            ("target_utilization", self.target),
            ("ready_workers", usage.ready),
            ("starting_workers", usage.starting),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.stabilizer.write(state);
    }
}

#[cfg(test)]
mod tests;
