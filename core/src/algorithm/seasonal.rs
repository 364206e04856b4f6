//! `seasonal`: a forecast from the same time of earlier days, staffed with a safety margin.
//!
//! ```text
//! profile[b] = g * mean arrival rate in part b of the season + (1 - g) * profile[b]      at the end of each part
//! offset     = a * (arrival rate - profile now) + (1 - a) * offset                       at each decision
//! forecast   = max over now and now + lead time of (profile then + offset)
//! load       = (forecast + backlog / drain time) / capacity of one worker                in workers
//! size       = ceil(load + beta * sqrt(load))
//! ```
//!
//! Until a part of the season has been seen, the smoothed arrival rate stands in for it. Additive seasonal smoothing
//! without a trend: P. Winters, "Forecasting sales by exponentially weighted moving averages", Management Science 6,
//! 1960. The margin: S. Halfin, W. Whitt, "Heavy-traffic limits for queues with many exponential servers",
//! Operations Research 29, 1981. Signals are not used.

use super::pacing::{Paced, PacedRule, rule_for};
use super::part_mean::PartMean;
use super::sizing::{MIN_COUNT, Totals, max_count, saturated};
use super::state::{Entry, Slot, finite};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::Rule;
use crate::metrics::MetricsSnapshot;
use crate::time::{Millis, Timestamp};
use serde_json::Value;

const MAX_COUNT: KeyDoc = max_count(100);
const SEASON: KeyDoc = KeyDoc::millis("season_ms", 86_400_000)
    .at_least(60_000.0)
    .at_most(604_800_000.0)
    .help("After this long the load repeats: a day, or up to a week");
const PARTS: KeyDoc = KeyDoc::integer("season_parts", 96)
    .at_least(2.0)
    .at_most(2_016.0)
    .unit("parts")
    .help("Into so many parts the season is cut; each has a rate of its own");
const GAMMA: KeyDoc = KeyDoc::number("season_weight", 0.3)
    .above(0.0)
    .at_most(1.0)
    .help("Weight of the newest season in the profile");
const ALPHA: KeyDoc = KeyDoc::number("offset_weight", 0.3)
    .above(0.0)
    .at_most(1.0)
    .help("Weight of the newest decision in the offset from the profile");
const LEAD: KeyDoc =
    KeyDoc::millis("lead_time_ms", 60_000).help("How far ahead to look: what starting a worker takes");
const CAPACITY: KeyDoc = KeyDoc::number("per_consumer_capacity", 2.0)
    .above(0.0)
    .unit("tasks/s")
    .help("Tasks per second of one worker");
const DRAIN: KeyDoc = KeyDoc::millis("backlog_drain_time_ms", 60_000)
    .at_least(1_000.0)
    .help("Within this time the backlog shall be worked off");
const BETA: KeyDoc = KeyDoc::number("halfin_whitt_beta", 0.5)
    .help("Safety staffing: this many times the square root of the load");
const INTERVAL: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 30_000).at_least(1_000.0).help("Time between decisions");

pub(super) const KEYS: &[KeyDoc] =
    &[MIN_COUNT, MAX_COUNT, SEASON, PARTS, GAMMA, ALPHA, LEAD, CAPACITY, DRAIN, BETA, INTERVAL];

const OFFSET: &str = "profile_offset_rate";
const SMOOTHED: &str = "ewma_arrival_rate";

#[derive(Clone, Debug, PartialEq)]
struct Config {
    alpha: f64,
    lead: Millis,
    capacity: f64,
    drain_s: f64,
    beta: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seasonal {
    config: Config,
    paced: Paced,
    profile: Profile,
    offset: Slot<f64>,
    smoothed: Slot<f64>,
}

impl Seasonal {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            config: Config {
                alpha: config.number(&ALPHA)?,
                lead: Millis::new(config.integer(&LEAD)?),
                capacity: config.number(&CAPACITY)?,
                drain_s: Millis::new(config.integer(&DRAIN)?).as_f64() / 1000.0,
                beta: config.number(&BETA)?,
            },
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?,
            profile: Profile::read(&config, state)?,
            offset: Slot::strict(state, OFFSET, finite),
            smoothed: Slot::strict(state, SMOOTHED, finite),
        })
    }

    fn learn(&mut self, now: Timestamp, rate: f64) {
        self.profile.learn(now, rate);
        let alpha = self.config.alpha;
        let average = |sample: f64, previous: f64| alpha * sample + (1.0 - alpha) * previous;
        self.smoothed.set(self.smoothed.get().map_or(rate, |previous| average(rate, previous)));
        if let Some(expected) = self.profile.at(now) {
            self.offset.set(average(rate - expected, self.offset.get().unwrap_or(0.0)));
        }
    }

    fn forecast(&self, now: Timestamp) -> f64 {
        let offset = self.offset.get().unwrap_or(0.0);
        let smoothed = self.smoothed.get().unwrap_or(0.0);
        let at = |then| self.profile.at(then).map_or(smoothed, |rate| rate + offset);
        at(now).max(at(now.plus(self.config.lead))).max(0.0)
    }
}

impl PacedRule for Seasonal {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        let totals = Totals::of(metrics).ok_or_else(|| self.paced.wait(None))?;
        self.learn(context.now, totals.arrival_rate);
        let forecast = self.forecast(context.now);
        let load = (forecast + totals.backlog_f64() / self.config.drain_s) / self.config.capacity;
        let recommended = saturated((load + self.config.beta * load.sqrt()).ceil());
        let current = self.paced.planned.get();
        let cut = self.paced.bounds.cut(recommended);
        let rule = rule_for(recommended, current, Rule::ForecastAbove, Rule::ForecastBelow);
        Ok(self.paced.go(context, rule, recommended, cut).with_all(&[
            ("arrival_rate", totals.arrival_rate),
            ("forecast_rate", forecast),
            ("profile_rate", self.profile.at(context.now).unwrap_or(0.0)),
            ("backlog_count", totals.backlog_f64()),
            ("forecast_load", load),
            ("lead_time_ms", self.config.lead.as_f64()),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.profile.write(state);
        self.offset.write(OFFSET, state);
        self.smoothed.write(SMOOTHED, state);
    }
}

/// The arrival rate of each part of a season, and the mean of the part that has begun.
#[derive(Clone, Debug, PartialEq)]
struct Profile {
    season: i64,
    weight: f64,
    parts: usize,
    /// Empty until the first part has ended; a part that was never seen has none.
    rates: Vec<Option<f64>>,
    begun: PartMean,
}

impl Profile {
    const RATES: &'static str = "arrival_rate_by_part";

    fn read(config: &Reader<'_>, state: &ConfigMap) -> Result<Self, ConfigError> {
        let parts = config.count(&PARTS)? as usize;
        let stored = state.get(Self::RATES).and_then(Value::as_array).filter(|rates| rates.len() == parts);
        let rate = |value: &Value| finite(value).filter(|rate| *rate >= 0.0);
        Ok(Self {
            season: config.integer(&SEASON)?,
            weight: config.number(&GAMMA)?,
            parts,
            rates: stored.map(|rates| rates.iter().map(rate).collect()).unwrap_or_default(),
            begun: PartMean::read(state),
        })
    }

    fn write(&self, state: &mut ConfigMap) {
        if !self.rates.is_empty() {
            let rate = |rate: &Option<f64>| rate.map_or(Value::Null, Entry::to_json);
            state.insert(Self::RATES.to_owned(), self.rates.iter().map(rate).collect());
        }
        self.begun.write(state);
    }

    /// The rate of that time of the season, if it was seen.
    fn at(&self, when: Timestamp) -> Option<f64> {
        self.rates.get(self.part(self.number(when))).copied().flatten()
    }

    /// Takes a rate in; a part that has ended becomes part of the profile.
    fn learn(&mut self, now: Timestamp, rate: f64) {
        let Some((ended, mean)) = self.begun.add(self.number(now), rate) else { return };
        self.rates.resize(self.parts, None);
        let part = self.part(ended);
        let known = self.rates[part];
        self.rates[part] =
            Some(known.map_or(mean, |known| self.weight * mean + (1.0 - self.weight) * known).max(0.0));
    }

    /// Parts are numbered from the epoch on.
    fn number(&self, when: Timestamp) -> i64 {
        let ms = when.as_millis().max(0);
        ms / self.season * self.parts_i64() + ms % self.season * self.parts_i64() / self.season
    }

    #[expect(clippy::cast_possible_truncation, reason = "a remainder of the number of parts")]
    fn part(&self, number: i64) -> usize {
        number.rem_euclid(self.parts_i64()) as usize
    }

    #[expect(clippy::cast_possible_wrap, reason = "at most 2,016")]
    const fn parts_i64(&self) -> i64 {
        self.parts as i64
    }
}

#[cfg(test)]
mod tests;
