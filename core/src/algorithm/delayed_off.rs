//! `delayed-off`: workers at once when they are needed, off after the break-even time.
//!
//! ```text
//! needed(t) = ceil((running + waiting) / slots per worker)
//! size(t)   = largest needed within the last break-even time          within min_count and max_count
//! ```
//!
//! So the k-th worker goes when fewer than `k` were needed for the whole break-even time, which is what starting one
//! costs divided by what an idle one costs per second: never more than twice the cost of knowing the future, whatever
//! comes (A. Karlin et al., "Competitive randomized algorithms for nonuniform problems", Algorithmica 11, 1994, the
//! ski rental; as a rule for servers: A. Gandhi, V. Gupta, M. Harchol-Balter, M. Kozuch, "Optimality analysis of
//! energy-performance trade-off for server farm management", Performance Evaluation 67, 2010). Signals are not used.

use super::history::History;
use super::occupancy::{INITIAL_SLOTS, SlotsPerWorker, concurrency};
use super::pacing::{Paced, PacedRule, rule_for};
use super::sizing::{MIN_COUNT, max_count, saturated};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use crate::time::Millis;

const MAX_COUNT: KeyDoc = max_count(100);
const BREAK_EVEN: KeyDoc =
    KeyDoc::millis("break_even_ms", 60_000).help("How long an idle worker costs as much as starting one");
const INTERVAL: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 1_000).at_least(1_000.0).help("Time between decisions");

pub(super) const KEYS: &[KeyDoc] = &[MIN_COUNT, MAX_COUNT, BREAK_EVEN, INITIAL_SLOTS, INTERVAL];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct DelayedOff {
    break_even: Millis,
    paced: Paced,
    slots: SlotsPerWorker,
    needed: History,
}

impl DelayedOff {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            break_even: Millis::new(config.integer(&BREAK_EVEN)?),
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?,
            slots: SlotsPerWorker::read(&config, state)?,
            needed: History::read(state, "needed_workers"),
        })
    }
}

impl PacedRule for DelayedOff {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        self.slots.observe(context.observation);
        let tasks = concurrency(context.observation).ok_or_else(|| self.paced.wait(None))?;
        let needed = (tasks / self.slots.get()).ceil();
        self.needed.forget(context.now, self.break_even);
        self.needed.add_to_maximum(context.now, needed);
        let largest = self.needed.largest().unwrap_or(needed).max(needed);
        let (current, recommended) = (self.paced.planned.get(), saturated(largest));
        let (size, cut) = self.paced.bounds.cut(recommended);
        let limit = cut.or((largest > needed).then_some(Limit::Stabilized));
        let rule = rule_for(recommended, current, Rule::ConcurrencyAbove, Rule::SurplusOverBreakEven);
        Ok(self.paced.go(context, rule, recommended, (size, limit)).with_all(&[
            ("concurrency", tasks),
            ("slots_per_worker", self.slots.get()),
            ("needed_workers", needed),
            ("break_even_ms", self.break_even.as_f64()),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.slots.write(state);
        self.needed.write(state);
    }
}

#[cfg(test)]
mod tests;
