//! `fixed`: the same number of workers all the time, the yardstick for every other rule.
//!
//! The count is issued again only when what is known differs from it: at the start, after registration needed
//! another size, and on invoke providers when workers have ended, at the next poll.

use super::sizing::{Bounds, Planned};
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Reason, Rule};
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

const COUNT: KeyDoc = KeyDoc::count("count", 1).help("How many workers");

const INTERVAL: KeyDoc = KeyDoc::millis("metrics_poll_interval_ms", 60_000)
    .at_least(1_000.0)
    .help("Time between the looks that replace workers that have ended");

pub(super) const KEYS: &[KeyDoc] = &[COUNT, INTERVAL];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fixed {
    count: u32,
    interval: Millis,
    planned: Planned,
}

impl Fixed {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            count: config.count(&COUNT)?,
            interval: Millis::new(config.integer(&INTERVAL)?),
            planned: Planned::read(state, 0),
        })
    }

    fn decide(&mut self, context: Context<'_>) -> Verdict {
        let is_new = !self.planned.is_known();
        self.planned.observe(context);
        let current = self.planned.get();
        let (wish, limit) = match current == self.count && !is_new {
            true => (Wish::Nothing, None),
            false => match self.planned.go_to(context, self.count) {
                Ok(wish) => (wish, None),
                Err(limit) => (Wish::Nothing, Some(limit)),
            },
        };
        let desired = self.planned.get();
        let reason = Reason::new(Rule::FixedCount)
            .wishing(self.count.into(), desired.into(), limit)
            .with("current_workers", current.into());
        Verdict::new(wish, reason)
    }
}

impl ScalingAlgorithm for Fixed {
    fn on_started(&mut self, context: Context<'_>) -> Verdict {
        self.decide(context)
    }

    fn on_task_added(&mut self, _context: Context<'_>, _add: &TaskAdd) -> Verdict {
        Verdict::NOTHING
    }

    fn on_metrics(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Verdict {
        self.decide(context)
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.interval
    }

    fn planned(&self) -> Option<u32> {
        Some(self.planned.get())
    }

    fn register(&mut self) -> u32 {
        self.planned.set(self.count);
        self.planned.register(Bounds { min: self.count, max: self.count })
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.planned.write(&mut state);
        state
    }
}

#[cfg(test)]
mod tests;
