//! What the rules have in common that go up and down by one worker: cooldowns, limits, the way up.

use super::sizing::{Bounds, Planned};
use super::state::{Slot, time};
use super::{Context, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Reason, Rule};
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

pub(super) const SCALE_UP_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_up_cooldown_ms", 500).help("Shortest time between two scale-ups");
pub(super) const SCALE_DOWN_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_down_cooldown_ms", 500).help("Shortest time between two scale-downs");
pub(super) const METRICS_POLL_INTERVAL: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 1_000).at_least(1_000.0).help("Time between polls");

const LAST_SCALE_UP: &str = "last_scale_up_time_ms";
const LAST_SCALE_DOWN: &str = "last_scale_down_time_ms";

/// Goes up and down by one worker within bounds and cooldowns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stepper {
    pub(super) bounds: Bounds,
    pub(super) poll_interval: Millis,
    pub(super) planned: Planned,
    up: Direction,
    down: Direction,
}

/// The cooldown of one direction.
#[derive(Clone, Debug, PartialEq)]
struct Direction {
    cooldown: Millis,
    last: Slot<i64>,
}

impl Direction {
    fn is_cool(&self, now: Timestamp) -> bool {
        self.last.elapsed(now) >= self.cooldown
    }
}

impl Stepper {
    pub(super) fn read(
        config: &Reader<'_>,
        max_count: &KeyDoc,
        state: &ConfigMap,
    ) -> Result<Self, ConfigError> {
        let direction = |doc: &KeyDoc, key: &str| {
            let cooldown = Millis::new(config.integer(doc)?);
            Ok(Direction { cooldown, last: Slot::strict(state, key, time) })
        };
        Ok(Self {
            bounds: Bounds::read(config, max_count)?,
            poll_interval: Millis::new(config.integer(&METRICS_POLL_INTERVAL)?),
            planned: Planned::read(state, 0),
            up: direction(&SCALE_UP_COOLDOWN, LAST_SCALE_UP)?,
            down: direction(&SCALE_DOWN_COOLDOWN, LAST_SCALE_DOWN)?,
        })
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.planned.write(state);
        self.up.last.write(LAST_SCALE_UP, state);
        self.down.last.write(LAST_SCALE_DOWN, state);
    }

    /// One worker more, or up to the minimum at once.
    pub(super) fn step_up(&mut self, context: Context<'_>, rule: Rule) -> Verdict {
        let current = self.planned.get();
        let wished = current.saturating_add(1).max(self.bounds.min);
        let limit = if current >= self.bounds.max {
            Err(Limit::MaxCount)
        } else if self.up.is_cool(context.now) {
            Ok(wished)
        } else {
            Err(Limit::Cooldown)
        };
        let reason = self.reason(rule, self.up.last.elapsed(context.now), self.up.cooldown);
        let verdict = self.conclude(context, wished, limit, reason);
        if verdict.wish != Wish::Nothing {
            self.up.last.stamp(context.now);
        }
        verdict
    }

    /// One worker more for an eligible signal; what a limit held back counts as throttled.
    pub(super) fn step_up_for(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        let verdict = self.step_up(context, Rule::NoSyncMatch);
        let is_held = verdict.wish == Wish::Nothing;
        Verdict { throttled: if is_held { add.no_sync_match_signals_batched } else { 0 }, ..verdict }
    }

    /// One worker fewer.
    pub(super) fn step_down(&mut self, context: Context<'_>, rule: Rule) -> Verdict {
        let current = self.planned.get();
        let wished = current.saturating_sub(1);
        let limit = if current <= self.bounds.min {
            Err(Limit::MinCount)
        } else if self.down.is_cool(context.now) {
            Ok(wished)
        } else {
            Err(Limit::Cooldown)
        };
        let reason = self.reason(rule, self.down.last.elapsed(context.now), self.down.cooldown);
        let verdict = self.conclude(context, wished, limit, reason);
        if verdict.wish != Wish::Nothing {
            self.down.last.stamp(context.now);
        }
        verdict
    }

    pub(super) fn is_below_min(&self) -> bool {
        self.planned.get() < self.bounds.min
    }

    /// No step.
    pub(super) fn stay(&self) -> Verdict {
        let current = i64::from(self.planned.get());
        let reason = Reason::new(Rule::NoChange)
            .wishing(current, current, None)
            .with("current_workers", f64::from(self.planned.get()));
        Verdict::new(Wish::Nothing, reason)
    }

    fn reason(&self, rule: Rule, elapsed: Millis, cooldown: Millis) -> Reason {
        Reason::new(rule).with_all(&[
            ("elapsed_ms", elapsed.as_f64()),
            ("cooldown_ms", cooldown.as_f64()),
            ("current_workers", f64::from(self.planned.get())),
            ("min_count", f64::from(self.bounds.min)),
            ("max_count", f64::from(self.bounds.max)),
        ])
    }

    fn conclude(
        &mut self,
        context: Context<'_>,
        wished: u32,
        allowed: Result<u32, Limit>,
        reason: Reason,
    ) -> Verdict {
        let gone = allowed.and_then(|size| self.planned.go_to(context, size));
        let desired = self.planned.get().into();
        match gone {
            Ok(wish) => Verdict::new(wish, reason.wishing(wished.into(), desired, None)),
            Err(limit) => Verdict::new(Wish::Nothing, reason.wishing(wished.into(), desired, Some(limit))),
        }
    }
}
