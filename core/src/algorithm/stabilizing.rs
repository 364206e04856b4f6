//! How Kubernetes turns recommended sizes into sizes: quickly up, slowly down.
//!
//! Up without delay, by at most the larger of 4 workers and 100 % of the set within 15 s. Down to no less than what
//! was recommended at any moment of the last 300 s; the size found at the first look counts as recommended, too. A
//! set whose measure is within a tenth of its target is left alone. (Kubernetes, "Horizontal Pod Autoscaling",
//! defaults of `behavior`; the edges as in its controller `pkg/controller/podautoscaler/horizontal.go`.)

use super::history::History;
use super::sizing::{Bounds, saturated};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::Limit;
use crate::time::{Millis, Timestamp};

pub(super) const TOLERANCE: KeyDoc = KeyDoc::number("tolerance", 0.1)
    .at_most(1.0)
    .help("How far from its target, as a share of it, the measure may be without any change");
pub(super) const DOWN_WINDOW: KeyDoc = KeyDoc::millis("scale_down_stabilization_ms", 300_000)
    .at_most(3_600_000.0)
    .help("The size never goes below what was recommended within this time");
pub(super) const UP_WORKERS: KeyDoc = KeyDoc::count("scale_up_workers_per_period", 4)
    .help("So many workers may be added within a period, or the share below if that is more");
pub(super) const UP_PCT: KeyDoc = KeyDoc::number("scale_up_pct_per_period", 100.0)
    .unit("%")
    .help("Share of the size at the period's start that may be added within it, or the workers above if that is more");
pub(super) const UP_PERIOD: KeyDoc = KeyDoc::millis("scale_up_period_ms", 15_000)
    .at_least(1_000.0)
    .at_most(1_800_000.0)
    .help("Length of the period for which the two limits on the way up hold");

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stabilizer {
    tolerance: f64,
    down_window: Millis,
    up_workers: u32,
    up_pct: f64,
    up_period: Millis,
    recommendations: History,
    changes: History,
}

impl Stabilizer {
    pub(super) fn read(config: &Reader<'_>, state: &ConfigMap) -> Result<Self, ConfigError> {
        Ok(Self {
            tolerance: config.number(&TOLERANCE)?,
            down_window: Millis::new(config.integer(&DOWN_WINDOW)?),
            up_workers: config.count(&UP_WORKERS)?,
            up_pct: config.number(&UP_PCT)?,
            up_period: Millis::new(config.integer(&UP_PERIOD)?),
            recommendations: History::read(state, "recommended_workers"),
            changes: History::read(state, "worker_count_changes"),
        })
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.recommendations.write(state);
        self.changes.write(state);
    }

    /// Whether the ratio of a measure to its target is near enough to 1; the edges are.
    pub(super) fn tolerates(&self, ratio: f64) -> bool {
        (1.0 - self.tolerance..=1.0 + self.tolerance).contains(&ratio)
    }

    /// The size to go to, and what kept it from the recommended one.
    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        current: u32,
        recommended: i64,
        bounds: Bounds,
    ) -> (u32, Option<Limit>) {
        let (wished, held) = self.stabilized(now, current, recommended);
        let (bounded, cut) = bounds.cut(wished);
        let (size, slowed) = self.slowed(now, current, bounded);
        self.changes.add(now, f64::from(size) - f64::from(current));
        (size, slowed.or(cut).or(held))
    }

    fn stabilized(&mut self, now: Timestamp, current: u32, recommended: i64) -> (i64, Option<Limit>) {
        let current = i64::from(current);
        if self.recommendations.is_empty() {
            self.recommendations.add(now, current as f64);
        }
        self.recommendations.forget(now, self.down_window);
        self.recommendations.add_to_maximum(now, recommended as f64);
        let highest = self.recommendations.largest().map_or(recommended, saturated);
        let wished = if recommended > current { recommended } else { current.min(highest) };
        (wished, (wished > recommended).then_some(Limit::Stabilized))
    }

    /// The period's limit goes by the size at its start.
    fn slowed(&mut self, now: Timestamp, current: u32, wished: u32) -> (u32, Option<Limit>) {
        self.changes.forget(now, self.up_period);
        let at_start = (f64::from(current) - self.changes.values().sum::<f64>()).max(0.0);
        let by_share = (at_start * (1.0 + self.up_pct / 100.0)).ceil();
        let most = saturated((at_start + f64::from(self.up_workers)).max(by_share));
        let most = u32::try_from(most).unwrap_or(u32::MAX).max(current);
        if wished > most { (most, Some(Limit::MaxStep)) } else { (wished, None) }
    }
}

#[cfg(test)]
mod tests {
    //! Each published figure at its edge.

    use super::*;

    const BOUNDS: Bounds = Bounds { min: 1, max: 100 };

    fn stabilizer() -> Stabilizer {
        let (config, keys) = (ConfigMap::new(), [TOLERANCE, DOWN_WINDOW, UP_WORKERS, UP_PCT, UP_PERIOD]);
        Stabilizer::read(&Reader::new(&config, &keys).unwrap(), &ConfigMap::new()).unwrap()
    }

    fn settle(s: &mut Stabilizer, ms: i64, current: u32, recommended: i64) -> (u32, Option<Limit>) {
        s.settle(Timestamp::from_millis(ms), current, recommended, BOUNDS)
    }

    #[test]
    fn a_tenth_is_tolerated_and_not_more() {
        let tolerates = |ratio| stabilizer().tolerates(ratio);
        assert_eq!([0.899, 0.9, 1.0, 1.1, 1.101].map(tolerates), [false, true, true, true, false]);
    }

    #[test]
    fn up_is_the_larger_of_four_workers_and_as_many_again() {
        let up = |current| settle(&mut stabilizer(), 0, current, 99);
        assert_eq!(up(1), (5, Some(Limit::MaxStep)));
        assert_eq!(up(4), (8, Some(Limit::MaxStep)));
        assert_eq!(up(5), (10, Some(Limit::MaxStep)));
        assert_eq!(up(60), (99, None));
        assert_eq!(settle(&mut stabilizer(), 0, 99, 500), (100, Some(Limit::MaxCount)));
    }

    #[test]
    fn the_limit_up_holds_for_fifteen_seconds_from_each_change() {
        let mut s = stabilizer();
        assert_eq!(settle(&mut s, 1_000, 10, 99).0, 20);
        assert_eq!(settle(&mut s, 15_999, 20, 99), (20, Some(Limit::MaxStep)));
        assert_eq!(settle(&mut s, 16_000, 20, 99).0, 40);
    }

    #[test]
    fn down_waits_until_every_larger_recommendation_is_300_s_old() {
        let mut s = stabilizer();
        assert_eq!(settle(&mut s, 1_000, 10, 10), (10, None));
        assert_eq!(settle(&mut s, 100_000, 10, 6), (10, Some(Limit::Stabilized)));
        assert_eq!(settle(&mut s, 300_999, 10, 2), (10, Some(Limit::Stabilized)));
        assert_eq!(settle(&mut s, 301_000, 10, 2), (6, Some(Limit::Stabilized)));
        assert_eq!(settle(&mut s, 400_000, 6, 2), (2, None));
    }

    #[test]
    fn the_size_found_at_the_start_counts_as_recommended() {
        let mut s = stabilizer();
        assert_eq!(settle(&mut s, 0, 8, 1), (8, Some(Limit::Stabilized)));
        assert_eq!(settle(&mut s, 299_999, 8, 1), (8, Some(Limit::Stabilized)));
        assert_eq!(settle(&mut s, 300_000, 8, 1), (1, None));
    }

    #[test]
    fn a_recommendation_does_not_raise_the_size_above_what_it_is() {
        let mut s = stabilizer();
        settle(&mut s, 0, 10, 50);
        assert_eq!(settle(&mut s, 20_000, 12, 3), (12, Some(Limit::Stabilized)));
    }
}
