//! `peak-rate`: one worker more while work waits, one fewer when fewer have carried more.
//!
//! Up by one as `backlog` does. Down by one when the dispatch rate is below a share of the best that one worker
//! fewer has been seen to carry: the 99th percentile (nearest rank) of the rates at the polls with that size. With
//! a single worker: when nothing is dispatched. A size that was never seen gives no step. While work waits no
//! worker is removed.
//!
//! The rate is the statistics' own, which is an average over about half a minute; a controller cannot see the
//! last ten seconds that the rule was first tried with. Of each size the last 100 rates are kept.

use super::sizing::{MIN_COUNT, Totals, max_count};
use super::stepping::{METRICS_POLL_INTERVAL, SCALE_DOWN_COOLDOWN, SCALE_UP_COOLDOWN, Stepper};
use super::{Context, ScalingAlgorithm, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::gather;
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

const MAX_COUNT: KeyDoc = max_count(10);
const THRESHOLD: KeyDoc = KeyDoc::number("scale_down_threshold_pct", 90.0)
    .at_most(100.0)
    .unit("%")
    .help("Share of the peak rate of one worker fewer below which a worker is removed");

pub(super) const KEYS: &[KeyDoc] =
    &[MIN_COUNT, MAX_COUNT, SCALE_UP_COOLDOWN, SCALE_DOWN_COOLDOWN, THRESHOLD, METRICS_POLL_INTERVAL];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct PeakRate {
    stepper: Stepper,
    threshold_pct: f64,
    seen: SeenRates,
}

impl PeakRate {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            stepper: Stepper::read(&config, &MAX_COUNT, state)?,
            threshold_pct: config.number(&THRESHOLD)?,
            seen: SeenRates::read(state),
        })
    }

    fn on_empty(&mut self, context: Context<'_>, rate: f64) -> Verdict {
        let current = self.stepper.planned.get();
        if self.stepper.is_below_min() {
            return self.stepper.step_up(context, Rule::BelowMinimum);
        }
        let peak = match current {
            0 => return self.stepper.stay(),
            1 => None,
            _ => match self.seen.peak(current - 1) {
                None => return self.stepper.stay().limited_by(Limit::NoPeakKnown),
                peak => peak,
            },
        };
        let threshold = peak.unwrap_or(0.0) * self.threshold_pct / 100.0;
        let is_below = if current == 1 { rate == 0.0 } else { rate < threshold };
        let verdict = match is_below {
            true => self.stepper.step_down(context, Rule::BelowPeakRate),
            false => self.stepper.stay(),
        };
        verdict.with_all(&[("peak_rate", peak.unwrap_or(0.0)), ("threshold_rate", threshold)])
    }
}

impl ScalingAlgorithm for PeakRate {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        if !add.is_eligible() {
            return Verdict::NOTHING;
        }
        self.stepper.step_up_for(context, add)
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.stepper.planned.observe(context);
        let Some(totals) = Totals::of(metrics) else { return self.stepper.stay() };
        self.seen.add(self.stepper.planned.get(), totals.dispatch_rate);
        let verdict = if totals.backlog > 0 {
            self.stepper.step_up(context, Rule::NoFreeSlot)
        } else {
            self.on_empty(context, totals.dispatch_rate)
        };
        verdict.with_all(&[("backlog_count", totals.backlog_f64()), ("dispatch_rate", totals.dispatch_rate)])
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
        self.seen.write(&mut state);
        state
    }
}

/// The peak rates that a state of this algorithm knows, by number of workers: for whoever shows them.
#[must_use]
pub fn peaks(state: &ConfigMap) -> Vec<(u32, f64)> {
    let seen = SeenRates::read(state);
    seen.0.keys().filter_map(|size| Some((*size, seen.peak(*size)?))).collect()
}

/// The dispatch rates seen with each number of workers, the newest last.
#[derive(Clone, Debug, Default, PartialEq)]
struct SeenRates(BTreeMap<u32, VecDeque<f64>>);

impl SeenRates {
    const KEY: &'static str = "dispatch_rates_by_worker_count";
    const PER_SIZE: usize = 100;
    const SIZES: usize = 64;

    fn read(state: &ConfigMap) -> Self {
        let mut seen = Self::default();
        let sizes = state.get(Self::KEY).and_then(Value::as_object);
        for (size, rates) in sizes.into_iter().flatten() {
            let rates = rates.as_array().map(Vec::as_slice).unwrap_or_default();
            let rates = rates.iter().filter_map(Value::as_f64).filter(|rate| *rate >= 0.0);
            if let Some(size) = size.parse().ok().filter(|size| *size <= i32::MAX.cast_unsigned()) {
                rates.for_each(|rate| seen.add(size, rate));
            }
        }
        seen
    }

    fn write(&self, state: &mut ConfigMap) {
        if self.0.is_empty() {
            return;
        }
        let rates = |rates: &VecDeque<f64>| rates.iter().copied().map(Value::from).collect::<Value>();
        let sizes = gather(self.0.iter().map(|(size, seen)| (size.to_string(), rates(seen))));
        state.insert(Self::KEY.to_owned(), Value::Object(sizes));
    }

    fn add(&mut self, size: u32, rate: f64) {
        if size == 0 {
            return;
        }
        let rates = self.0.entry(size).or_default();
        if rates.len() == Self::PER_SIZE {
            rates.pop_front();
        }
        rates.push_back(rate);
        if self.0.len() > Self::SIZES {
            // The size farthest from the present one is the least likely to be asked for.
            let farthest = self.0.keys().copied().max_by_key(|other| other.abs_diff(size));
            farthest.and_then(|farthest| self.0.remove(&farthest));
        }
    }

    /// The 99th percentile by nearest rank, `ceil(0.99 n)`: of up to 99 rates the largest, of 100 the second.
    fn peak(&self, size: u32) -> Option<f64> {
        let rates = self.0.get(&size).filter(|rates| !rates.is_empty())?;
        let two_largest = |(first, second): (f64, f64), rate: &f64| match *rate {
            rate if rate >= first => (rate, first),
            rate => (first, second.max(rate)),
        };
        let (first, second) = rates.iter().fold((0.0, 0.0), two_largest);
        Some(if rates.len() < Self::PER_SIZE { first } else { second })
    }
}

#[cfg(test)]
mod tests;
