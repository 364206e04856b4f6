//! `target-tracking`: a target-tracking policy as AWS Application Auto Scaling runs it for ECS services.
//!
//! The share of busy slots is averaged over periods of 60 s, aligned to whole minutes. At the end of each period:
//!
//! ```text
//! 3 periods in a row above the target          -> ceil(workers * average / target)          "alarm high"
//! 15 periods in a row below 90 % of the target -> ceil(workers * average / target)          "alarm low"
//! ```
//!
//! with the last period's average. For 300 s after a scale-out, what it added counts against the next one: that goes
//! by the size before it, and only a larger result acts. Two scale-ins are at least 300 s apart. A scale-out waits
//! for no scale-in. A period without data breaks the row. Signals are not used.

use super::history::History;
use super::occupancy::utilization;
use super::pacing::{Paced, PacedRule, rule_for};
use super::part_mean::PartMean;
use super::sizing::{max_count, min_count, saturated};
use super::state::{Slot, count, time};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use crate::time::{Millis, Timestamp};

// At size 0 there is no use to measure, so the policy would never come back.
const MIN_COUNT: KeyDoc = min_count(1).at_least(1.0);
const MAX_COUNT: KeyDoc = max_count(100);
const TARGET: KeyDoc = KeyDoc::number("target_utilization", 0.75)
    .above(0.0)
    .at_most(1.0)
    .help("Share of the slots that shall be busy");
const PERIOD: KeyDoc = KeyDoc::millis("period_ms", 60_000)
    .at_least(1_000.0)
    .at_most(3_600_000.0)
    .help("Length of the periods over which the use is averaged");
const OUT_PERIODS: KeyDoc = KeyDoc::integer("scale_out_periods", 3)
    .at_least(1.0)
    .at_most(100.0)
    .unit("periods")
    .help("So many periods in a row must be above the target before workers are added");
const IN_PERIODS: KeyDoc = KeyDoc::integer("scale_in_periods", 15)
    .at_least(1.0)
    .at_most(100.0)
    .unit("periods")
    .help("So many periods in a row must be below the share of the target before workers are removed");
const IN_PCT: KeyDoc = KeyDoc::number("scale_in_threshold_pct", 90.0)
    .at_most(100.0)
    .unit("%")
    .help("Share of the target below which a period counts for a scale-in");
const OUT_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_up_cooldown_ms", 300_000).help("How long a scale-out is given to take effect");
const IN_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_down_cooldown_ms", 300_000).help("Shortest time between two scale-ins");
const INTERVAL: KeyDoc = KeyDoc::millis("metrics_poll_interval_ms", 10_000)
    .at_least(1_000.0)
    .help("Time between looks at the use");

pub(super) const KEYS: &[KeyDoc] = &[
    MIN_COUNT,
    MAX_COUNT,
    TARGET,
    PERIOD,
    OUT_PERIODS,
    IN_PERIODS,
    IN_PCT,
    OUT_COOLDOWN,
    IN_COOLDOWN,
    INTERVAL,
];

const LAST_OUT: &str = "last_scale_up_time_ms";
const LAST_IN: &str = "last_scale_down_time_ms";
const BASE: &str = "worker_count_before_scale_up";

#[derive(Clone, Debug, PartialEq)]
struct Config {
    target: f64,
    out_periods: usize,
    in_periods: usize,
    in_share: f64,
    out_cooldown: Millis,
    in_cooldown: Millis,
}

impl Config {
    fn read(config: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            target: config.number(&TARGET)?,
            out_periods: config.count(&OUT_PERIODS)? as usize,
            in_periods: config.count(&IN_PERIODS)? as usize,
            in_share: config.number(&IN_PCT)? / 100.0,
            out_cooldown: Millis::new(config.integer(&OUT_COOLDOWN)?),
            in_cooldown: Millis::new(config.integer(&IN_COOLDOWN)?),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetTracking {
    config: Config,
    paced: Paced,
    periods: Periods,
    last_out: Slot<i64>,
    last_in: Slot<i64>,
    base: Slot<u32>,
}

impl TargetTracking {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            config: Config::read(&config)?,
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?,
            periods: Periods::read(Millis::new(config.integer(&PERIOD)?), state),
            last_out: Slot::strict(state, LAST_OUT, time),
            last_in: Slot::strict(state, LAST_IN, time),
            base: Slot::strict(state, BASE, count),
        })
    }

    fn scale_out(&mut self, context: Context<'_>, average: f64) -> Verdict {
        let current = self.paced.planned.get();
        let cools =
            self.last_out.get().is_some() && self.last_out.elapsed(context.now) < self.config.out_cooldown;
        let base = if cools { self.base.get().unwrap_or(current) } else { current };
        let recommended = self.size(base, average).max(current.into());
        let cut = self.paced.bounds.cut(recommended);
        let limit = cut.1.or((recommended == i64::from(current)).then_some(Limit::Cooldown));
        if cut.0 > current {
            self.last_out.stamp(context.now);
            self.base.set(base);
        }
        let rule = rule_for(recommended, current, Rule::UtilizationAbove, Rule::UtilizationBelow);
        self.paced.go(context, rule, recommended, (cut.0, limit))
    }

    fn scale_in(&mut self, context: Context<'_>, average: f64) -> Verdict {
        let current = self.paced.planned.get();
        let recommended = self.size(current, average);
        let cools =
            self.last_in.get().is_some() && self.last_in.elapsed(context.now) < self.config.in_cooldown;
        let cut = if cools { (current, Some(Limit::Cooldown)) } else { self.paced.bounds.cut(recommended) };
        if cut.0 < current {
            self.last_in.stamp(context.now);
        }
        let rule = rule_for(recommended, current, Rule::UtilizationAbove, Rule::UtilizationBelow);
        self.paced.go(context, rule, recommended, cut)
    }

    fn size(&self, workers: u32, average: f64) -> i64 {
        saturated((f64::from(workers) * average / self.config.target).ceil())
    }
}

impl PacedRule for TargetTracking {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        let usage = utilization(context.observation).ok_or_else(|| self.paced.wait(None))?;
        let closed = self.periods.add(context.now, usage);
        let high = self.periods.in_a_row(|average| average > self.config.target);
        let low = self.periods.in_a_row(|average| average < self.config.target * self.config.in_share);
        let average = self.periods.latest().unwrap_or(usage);
        let verdict = match closed {
            true if high >= self.config.out_periods => self.scale_out(context, average),
            true if low >= self.config.in_periods => self.scale_in(context, average),
            _ => self.paced.wait(Some(Limit::TooFewPeriods)),
        };
        Ok(verdict.with_all(&[
            ("utilization", average),
            ("target_utilization", self.config.target),
            ("periods_above", high as f64),
            ("periods_below", low as f64),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.periods.write(state);
        self.last_out.write(LAST_OUT, state);
        self.last_in.write(LAST_IN, state);
        self.base.write(BASE, state);
    }
}

/// Averages over whole periods, and the one that has begun. Periods are numbered from the epoch on.
#[derive(Clone, Debug, PartialEq)]
struct Periods {
    length: Millis,
    closed: History,
    begun: PartMean,
}

impl Periods {
    /// Longer rows are never asked for.
    const MOST: i64 = 100;

    fn read(length: Millis, state: &ConfigMap) -> Self {
        Self { length, closed: History::read(state, "utilization_by_period"), begun: PartMean::read(state) }
    }

    fn write(&self, state: &mut ConfigMap) {
        self.closed.write(state);
        self.begun.write(state);
    }

    /// Takes a look in; says whether it is the first one of a period, so that the one before has ended.
    fn add(&mut self, now: Timestamp, usage: f64) -> bool {
        let length = self.length.get();
        let ended = self.begun.add(now.as_millis().max(0) / length, usage);
        if let Some((period, mean)) = ended {
            let begun_at = Timestamp::from_millis(period.saturating_mul(length));
            self.closed.add(begun_at, mean);
            self.closed.forget(now, Millis::new(length.saturating_mul(Self::MOST + 2)));
        }
        ended.is_some()
    }

    /// How many of the newest closed periods, one right after the other up to the present one, are all so.
    fn in_a_row(&self, is_so: impl Fn(f64) -> bool) -> usize {
        let mut expected = self.begun.part().unwrap_or(0);
        let is_next = |(at, average): &(i64, f64)| {
            expected -= 1;
            *at / self.length.get() == expected && is_so(*average)
        };
        self.closed.newest_first().take_while(is_next).count()
    }

    fn latest(&self) -> Option<f64> {
        self.closed.values().next_back()
    }
}

#[cfg(test)]
mod tests;
