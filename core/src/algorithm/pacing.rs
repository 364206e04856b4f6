//! What the rules have in common that decide on a size once each control interval.

use super::sizing::{Bounds, Planned};
use super::state::{Slot, time};
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Reason, Rule};
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

/// Lets something happen once an interval.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pace {
    key: &'static str,
    interval: Millis,
    last: Slot<i64>,
}

impl Pace {
    pub(super) fn new(interval: Millis, key: &'static str, state: &ConfigMap) -> Self {
        Self { key, interval, last: Slot::strict(state, key, time) }
    }

    /// Whether the interval has passed; then the next one begins. After a clock that went backwards it has.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let waits = Millis::ZERO..self.interval;
        let is_due = self.last.get().is_none() || !waits.contains(&self.last.elapsed(now));
        if is_due {
            self.last.stamp(now);
        }
        is_due
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.last.write(self.key, state);
    }
}

/// A planned size within bounds, looked at once each control interval.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Paced {
    pub(super) bounds: Bounds,
    pub(super) planned: Planned,
    pace: Pace,
}

impl Paced {
    pub(super) fn read(
        config: &Reader<'_>,
        counts: (&KeyDoc, &KeyDoc),
        interval: &KeyDoc,
        state: &ConfigMap,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            bounds: Bounds::between(config, counts.0, counts.1)?,
            planned: Planned::read(state, 0),
            pace: Pace::new(Millis::new(config.integer(interval)?), "last_control_time_ms", state),
        })
    }

    pub(super) fn interval(&self) -> Millis {
        self.pace.interval
    }

    /// Takes the turn if the interval has passed, and has at least the minimum of workers. The error is what there
    /// is to say without a turn.
    pub(super) fn take_turn(&mut self, context: Context<'_>) -> Result<(), Verdict> {
        self.planned.observe(context);
        if !self.pace.is_due(context.now) {
            return Err(self.wait(Some(Limit::Cooldown)));
        }
        let min = self.bounds.min;
        if self.planned.get() < min {
            let verdict = self.go(context, Rule::BelowMinimum, min.into(), (min, None));
            return Err(verdict.with_all(&[("min_count", min.into())]));
        }
        Ok(())
    }

    /// Nothing happens: it is too early, or there is nothing to go by.
    pub(super) fn wait(&self, limit: Option<Limit>) -> Verdict {
        let current = self.planned.get();
        let reason = Reason::new(Rule::NoChange).wishing(current.into(), current.into(), limit);
        Verdict::new(Wish::Nothing, reason.with("current_workers", current.into()))
    }

    /// Goes to a size, of which `recommended` was left by the limit that comes with it.
    pub(super) fn go(
        &mut self,
        context: Context<'_>,
        rule: Rule,
        recommended: i64,
        (size, cut): (u32, Option<Limit>),
    ) -> Verdict {
        let current = self.planned.get();
        let (wish, limit) = match self.planned.go_to(context, size) {
            Ok(_) if size == current => (Wish::Nothing, cut),
            Ok(wish) => (wish, cut),
            Err(limit) => (Wish::Nothing, Some(limit)),
        };
        let reason = Reason::new(rule).wishing(recommended, self.planned.get().into(), limit);
        Verdict::new(wish, reason.with("current_workers", current.into()))
    }
}

/// A rule that decides on a size once each control interval. What such rules have in common is written once: they
/// look at statistics only, plan a size, and remember the plan and their turn beside what is their own.
pub(super) trait PacedRule {
    fn paced(&self) -> &Paced;
    fn paced_mut(&mut self) -> &mut Paced;

    /// Takes the turn; the error is what there is to say without one.
    fn decide(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Result<Verdict, Verdict>;

    /// Tasks were added: most rules do not listen.
    fn on_task_added(&mut self, _context: Context<'_>, _add: &TaskAdd) -> Verdict {
        Verdict::NOTHING
    }

    /// Writes down what it remembers beside plan and turn.
    fn remember(&self, state: &mut ConfigMap);
}

impl<R: PacedRule> ScalingAlgorithm for R {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        PacedRule::on_task_added(self, context, add)
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.decide(context, metrics).unwrap_or_else(|said| said)
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.paced().interval()
    }

    fn planned(&self) -> Option<u32> {
        Some(self.paced().planned.get())
    }

    fn register(&mut self) -> u32 {
        let paced = self.paced_mut();
        paced.planned.register(paced.bounds)
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        let paced = self.paced();
        paced.planned.write(&mut state);
        paced.pace.write(&mut state);
        self.remember(&mut state);
        state
    }
}

/// Which of two rules spoke for the recommended size, or none.
pub(super) fn rule_for(recommended: i64, current: u32, above: Rule, below: Rule) -> Rule {
    match recommended.cmp(&current.into()) {
        std::cmp::Ordering::Greater => above,
        std::cmp::Ordering::Equal => Rule::NoChange,
        std::cmp::Ordering::Less => below,
    }
}

#[cfg(test)]
mod tests {
    //! When a turn is due.

    use super::*;

    #[test]
    fn a_turn_comes_exactly_an_interval_after_the_last_one() {
        let mut pace = Pace::new(Millis::new(15_000), "last", &ConfigMap::new());
        let mut is_due = |ms| pace.is_due(Timestamp::from_millis(ms));
        assert_eq!(
            [1_000, 15_999, 16_000, 16_000, 31_000].map(&mut is_due),
            [true, false, true, false, true]
        );
        assert!(is_due(500), "a clock that went backwards does not stop it");
    }
}
