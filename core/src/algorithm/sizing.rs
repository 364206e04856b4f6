//! What the rules that count workers have in common: the planned size, its limits, and how a size is wished.

use super::state::{Slot, count};
use super::{Context, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Launch, Limit};
use crate::metrics::MetricsSnapshot;
use crate::spec::LaunchStrategy;

pub(super) const MIN_COUNT: KeyDoc = min_count(0);

pub(super) const fn min_count(default: i32) -> KeyDoc {
    KeyDoc::count("min_count", default).help("The rule never goes below this many workers")
}

pub(super) const fn max_count(default: i32) -> KeyDoc {
    KeyDoc::count("max_count", default).at_least(1.0).help("The rule never goes above this many workers")
}

/// A computed number of workers as an integer, as near as one comes.
#[expect(clippy::cast_possible_truncation, reason = "saturates by definition; far above any limit anyway")]
pub(super) const fn saturated(workers: f64) -> i64 {
    workers as i64
}

/// Turns a wish into a launch; none when there is nothing to do.
///
/// `known_workers` are those that start or are ready, as far as the caller knows. A size below them needs no call
/// on an invoke provider: its workers end by themselves.
#[must_use]
pub const fn to_launch(wish: Wish, strategy: LaunchStrategy, known_workers: u32) -> Option<Launch> {
    match (wish, strategy) {
        (Wish::Nothing | Wish::MoreWorkers(0), _) => None,
        (Wish::MoreWorkers(more), LaunchStrategy::Invoke) => Some(Launch::InvokeWorker(more)),
        (Wish::MoreWorkers(more), LaunchStrategy::WorkerSet) => {
            Some(Launch::SetWorkerSetSize(known_workers.saturating_add(more)))
        }
        (Wish::Workers(size), LaunchStrategy::WorkerSet) => Some(Launch::SetWorkerSetSize(size)),
        (Wish::Workers(size), LaunchStrategy::Invoke) => match size.saturating_sub(known_workers) {
            0 => None,
            more => Some(Launch::InvokeWorker(more)),
        },
    }
}

/// The smallest and the largest size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl Bounds {
    pub(super) fn read(config: &Reader<'_>, max_count: &KeyDoc) -> Result<Self, ConfigError> {
        Self::between(config, &MIN_COUNT, max_count)
    }

    /// Bounds of a rule that has a smallest size of its own.
    pub(super) fn between(
        config: &Reader<'_>,
        min_count: &KeyDoc,
        max_count: &KeyDoc,
    ) -> Result<Self, ConfigError> {
        let (min, max) = (config.count(min_count)?, config.count(max_count)?);
        if min > max {
            let expected = format!("at most max_count ({max})");
            return Err(ConfigError::new(min_count.key, min.to_string(), expected));
        }
        Ok(Self { min, max })
    }

    pub(super) fn clamp(self, size: u32) -> u32 {
        size.clamp(self.min, self.max)
    }

    /// A wished size within the bounds, and which of them cut it.
    pub(super) fn cut(self, wished: i64) -> (u32, Option<Limit>) {
        if wished > i64::from(self.max) {
            (self.max, Some(Limit::MaxCount))
        } else if wished < i64::from(self.min) {
            (self.min, Some(Limit::MinCount))
        } else {
            (u32::try_from(wished).unwrap_or(self.min), None)
        }
    }
}

/// The number of workers that a rule believes there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Planned {
    count: Slot<u32>,
    initial: u32,
}

impl Planned {
    pub(super) const KEY: &'static str = "worker_count";

    pub(super) fn read(state: &ConfigMap, initial: u32) -> Self {
        Self { count: Slot::strict(state, Self::KEY, count), initial }
    }

    pub(super) fn get(&self) -> u32 {
        self.count.get().unwrap_or(self.initial)
    }

    /// Whether the number was ever written down.
    pub(super) const fn is_known(&self) -> bool {
        self.count.get().is_some()
    }

    pub(super) fn set(&mut self, count: u32) {
        self.count.set(count);
    }

    /// Writes down the number the rule goes by, also when that is the initial one.
    pub(super) fn keep(&mut self) {
        self.count.set(self.get());
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.count.write(Self::KEY, state);
    }

    /// Takes over what the host sees, where workers end by themselves. A worker set is kept at its size by the
    /// platform, so there the planned number stays true even while a worker is being replaced.
    pub(super) fn observe(&mut self, context: Context<'_>) {
        match (context.strategy, context.observation.workers()) {
            (LaunchStrategy::Invoke, Some(observed)) => self.set(observed),
            _ => self.keep(),
        }
    }

    /// Goes to another size and says how to get there. On an invoke provider a smaller size only comes about by
    /// itself, so that the plan stays.
    pub(super) fn go_to(&mut self, context: Context<'_>, size: u32) -> Result<Wish, Limit> {
        let current = self.get();
        match (context.strategy, size.checked_sub(current)) {
            (LaunchStrategy::WorkerSet, _) => {
                self.set(size);
                Ok(Wish::Workers(size))
            }
            (LaunchStrategy::Invoke, None) => Err(Limit::WorkersEndThemselves),
            (LaunchStrategy::Invoke, Some(0)) => Ok(Wish::Nothing),
            (LaunchStrategy::Invoke, Some(more)) => {
                self.set(size);
                Ok(Wish::MoreWorkers(more))
            }
        }
    }

    /// The size with which workers get their task queues registered; remembered.
    pub(super) fn register(&mut self, bounds: Bounds) -> u32 {
        let size = bounds.clamp(self.get()).max(1);
        self.set(size);
        size
    }
}

/// Statistics of all task queue types together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) backlog: i64,
    pub(super) arrival_rate: f64,
    pub(super) dispatch_rate: f64,
}

impl Totals {
    /// Sums the types whose values are valid (finite and not negative); none without any.
    pub(super) fn of(metrics: &MetricsSnapshot) -> Option<Self> {
        let is_rate = |rate: f32| rate.is_finite() && rate >= 0.0;
        let valid = metrics.present().map(|(_, queue)| queue).filter(|queue| {
            queue.last_backlog_count >= 0
                && is_rate(queue.last_arrival_rate)
                && is_rate(queue.last_processing_rate)
        });
        valid.fold(None, |sum: Option<Self>, queue| {
            let sum = sum.unwrap_or_default();
            Some(Self {
                backlog: sum.backlog.saturating_add(queue.last_backlog_count),
                arrival_rate: sum.arrival_rate + f64::from(queue.last_arrival_rate),
                dispatch_rate: sum.dispatch_rate + f64::from(queue.last_processing_rate),
            })
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts this large do not occur")]
    pub(super) const fn backlog_f64(&self) -> f64 {
        self.backlog as f64
    }
}
