//! How full workers are, for the rules that a host shows slots and tasks.

use super::state::{Slot, positive};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::metrics::Observation;

pub(super) const INITIAL_SLOTS: KeyDoc = KeyDoc::integer("initial_slots_per_worker", 1)
    .at_least(1.0)
    .at_most(10_000.0)
    .unit("slots")
    .help("Slots of one worker, until ready workers show theirs");

const SLOTS: &str = "slots_per_worker";

/// How many slots one worker has: as last seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SlotsPerWorker {
    initial: f64,
    seen: Slot<f64>,
}

impl SlotsPerWorker {
    pub(super) fn read(config: &Reader<'_>, state: &ConfigMap) -> Result<Self, ConfigError> {
        let initial = f64::from(config.count(&INITIAL_SLOTS)?);
        Ok(Self { initial, seen: Slot::strict(state, SLOTS, positive) })
    }

    pub(super) fn observe(&mut self, observation: &Observation) {
        if let (Some(ready @ 1..), Some(slots @ 1..)) = (observation.ready, observation.slots) {
            self.seen.set(f64::from(slots) / f64::from(ready));
        }
    }

    pub(super) fn get(&self) -> f64 {
        self.seen.get().unwrap_or(self.initial)
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.seen.write(SLOTS, state);
    }
}

/// Tasks that run or wait: the mean since the last look, else what the moment shows.
pub(super) fn concurrency(observation: &Observation) -> Option<f64> {
    let mean = observation.mean_concurrency.filter(|mean| mean.is_finite() && *mean >= 0.0);
    #[expect(clippy::cast_precision_loss, reason = "counts this large do not occur")]
    let waiting = observation.backlog_count.unwrap_or(0).max(0) as f64;
    mean.or_else(|| observation.running.map(|running| f64::from(running) + waiting))
}

/// The share of the ready workers' slots that hold a task; draining workers may add tasks, never slots.
pub(super) fn utilization(observation: &Observation) -> Option<f64> {
    let (Some(busy), Some(slots @ 1..)) = (observation.busy_slots, observation.slots) else { return None };
    Some((f64::from(busy) / f64::from(slots)).min(1.0))
}

#[cfg(test)]
mod tests {
    //! What observations say.

    use super::*;

    #[test]
    fn the_mean_counts_before_the_moment() {
        let moment = Observation { running: Some(3), backlog_count: Some(4), ..Observation::default() };
        assert_eq!(concurrency(&moment), Some(7.0));
        assert_eq!(concurrency(&Observation { mean_concurrency: Some(2.5), ..moment }), Some(2.5));
        assert_eq!(concurrency(&Observation { mean_concurrency: Some(f64::NAN), ..moment }), Some(7.0));
        assert_eq!(concurrency(&Observation { backlog_count: Some(4), ..Observation::default() }), None);
    }

    #[test]
    fn workers_are_never_more_than_full_and_no_slots_say_nothing() {
        let of = |busy_slots, slots| {
            utilization(&Observation {
                busy_slots: Some(busy_slots),
                slots: Some(slots),
                ..Observation::default()
            })
        };
        assert_eq!((of(3, 4), of(9, 4), of(0, 4), of(1, 0)), (Some(0.75), Some(1.0), Some(0.0), None));
    }
}
