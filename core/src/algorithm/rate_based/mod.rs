//! `rate-based`: the size of a worker set from the arrival rate and the measured capacity of one worker.
//!
//! At each poll, with exponentially weighted averages of weight `alpha`:
//!
//! ```text
//! required = ewma_arrival_rate + (drain rate if backlog > 0)          tasks per second
//! a        = required / capacity                                      offered load, in workers
//! desired  = max(ceil(a / utilization target), ceil(a + beta * sqrt(a)))
//! ```
//!
//! The first term keeps workers from being busy all the time, the second is square-root staffing (A. K. Erlang;
//! S. Halfin, W. Whitt, "Heavy-traffic limits for queues with many exponential servers", Operations Research 29,
//! 1981): a safety margin of `beta * sqrt(a)` workers keeps the probability of waiting about the same at every
//! scale. With the defaults the second is larger up to a load of 4 workers and the first above, where the second
//! would do with less. The capacity of a worker is the dispatch rate divided by the planned size, measured while a
//! material backlog says that all are busy, or right after a task found no waiting worker.
//!
//! Up by at most `max_scale_up_step` a poll; down by one a poll, when no task has missed a worker for a while. A
//! task that finds no waiting worker adds one at once.

mod config;

pub(super) use config::KEYS;

use self::config::Config;
use super::sizing::{Planned, Totals};
use super::state::{Slot, finite, positive, time};
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap};
use crate::decision::{Limit, Reason, Rule};
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RateBased {
    config: Config,
    planned: Planned,
    arrival_rate: Slot<f64>,
    dispatch_rate: Slot<f64>,
    capacity: Slot<f64>,
    last_scale_up: Slot<i64>,
    last_scale_down: Slot<i64>,
    last_no_sync: Slot<i64>,
}

const ARRIVAL_RATE: &str = "ewma_arrival_rate";
const DISPATCH_RATE: &str = "ewma_dispatch_rate";
const CAPACITY: &str = "ewma_per_consumer_capacity";
const LAST_SCALE_UP: &str = "last_scale_up_time_ms";
const LAST_SCALE_DOWN: &str = "last_scale_down_time_ms";
const LAST_NO_SYNC: &str = "last_no_sync_match_time_ms";

impl RateBased {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Config::new(config)?;
        Ok(Self {
            planned: Planned::read(state, config.initial_count),
            config,
            arrival_rate: Slot::strict(state, ARRIVAL_RATE, finite),
            dispatch_rate: Slot::strict(state, DISPATCH_RATE, finite),
            capacity: Slot::strict(state, CAPACITY, positive),
            last_scale_up: Slot::strict(state, LAST_SCALE_UP, time),
            last_scale_down: Slot::strict(state, LAST_SCALE_DOWN, time),
            last_no_sync: Slot::strict(state, LAST_NO_SYNC, time),
        })
    }

    fn capacity(&self) -> f64 {
        self.capacity.get().unwrap_or(self.config.initial_capacity)
    }

    /// Learns the averages of the rates; an idle version counts as idle at once.
    fn learn_rates(&mut self, totals: &Totals) {
        let alpha = self.config.alpha;
        let is_idle = totals.backlog == 0 && totals.arrival_rate == 0.0 && totals.dispatch_rate == 0.0;
        let learn = |slot: &mut Slot<f64>, sample: f64| {
            let averaged = slot.get().map_or(sample, |previous| ewma(alpha, sample, previous));
            slot.set(if is_idle { 0.0 } else { averaged });
        };
        learn(&mut self.arrival_rate, totals.arrival_rate);
        learn(&mut self.dispatch_rate, totals.dispatch_rate);
    }

    /// Learns the capacity of one worker, taking all planned ones for busy; says whether it could.
    fn learn_capacity(&mut self, dispatch_rate: f64) -> bool {
        let planned = self.planned.get();
        if planned == 0 || dispatch_rate <= 0.0 {
            return false;
        }
        let learned = ewma(self.config.alpha, dispatch_rate / f64::from(planned), self.capacity());
        if learned.is_finite() && learned > 0.0 {
            self.capacity.set(learned);
        }
        true
    }

    /// The size for the load.
    fn sizing(&self, backlog: i64) -> Sizing {
        let drain_rate = if backlog > 0 { self.config.drain_rate } else { 0.0 };
        let required_rate = self.arrival_rate.get().unwrap_or(0.0) + drain_rate;
        let offered_load = if required_rate > 0.0 { required_rate / self.capacity() } else { 0.0 };
        Sizing {
            required_rate,
            offered_load,
            utilization_workers: (offered_load / self.config.utilization_target).ceil(),
            halfin_whitt_workers: (offered_load + self.config.beta * offered_load.sqrt()).ceil(),
        }
    }

    /// What is left of the wish after the limits.
    fn limited(&self, now: Timestamp, sizing: &Sizing) -> (u32, Option<Limit>) {
        let current = self.planned.get();
        let (desired, cut) = self.config.bounds.cut(sizing.recommended());
        if desired > current {
            if self.last_scale_up.elapsed(now) < self.config.up_cooldown {
                return (current, Some(Limit::Cooldown));
            }
            let reachable = current.saturating_add(self.config.max_step);
            if reachable < desired { (reachable, Some(Limit::MaxStep)) } else { (desired, cut) }
        } else if desired < current {
            if self.last_no_sync.elapsed(now) < self.config.no_sync_quiet {
                (current, Some(Limit::NoSyncQuiet))
            } else if self.last_scale_down.elapsed(now) < self.config.down_cooldown {
                (current, Some(Limit::Cooldown))
            } else {
                (current - 1, if desired < current - 1 { Some(Limit::OneStepDown) } else { cut })
            }
        } else {
            (current, cut)
        }
    }

    fn resize(&mut self, now: Timestamp, size: u32) -> Wish {
        let current = self.planned.get();
        if size == current {
            return Wish::Nothing;
        }
        let last = if size > current { &mut self.last_scale_up } else { &mut self.last_scale_down };
        last.stamp(now);
        self.planned.set(size);
        Wish::Workers(size)
    }

    fn poll_reason(&self, now: Timestamp, totals: Option<&Totals>, sizing: &Sizing, current: u32) -> Reason {
        let seen = totals.copied().unwrap_or_default();
        let rule = match sizing.recommended() - i64::from(current) {
            0 => Rule::NoChange,
            1.. => Rule::OfferedLoadAbove,
            _ => Rule::OfferedLoadBelow,
        };
        let (last, cooldown) = match rule {
            Rule::OfferedLoadBelow => (&self.last_scale_down, self.config.down_cooldown),
            _ => (&self.last_scale_up, self.config.up_cooldown),
        };
        Reason::new(rule).with_all(&[
            ("backlog_count", seen.backlog_f64()),
            ("arrival_rate", seen.arrival_rate),
            ("dispatch_rate", seen.dispatch_rate),
            ("ewma_arrival_rate", self.arrival_rate.get().unwrap_or(0.0)),
            ("ewma_dispatch_rate", self.dispatch_rate.get().unwrap_or(0.0)),
            ("required_rate", sizing.required_rate),
            ("capacity", self.capacity()),
            ("offered_load", sizing.offered_load),
            ("utilization_workers", sizing.utilization_workers),
            ("halfin_whitt_workers", sizing.halfin_whitt_workers),
            ("current_workers", f64::from(current)),
            ("min_count", f64::from(self.config.bounds.min)),
            ("max_count", f64::from(self.config.bounds.max)),
            ("max_scale_up_step", f64::from(self.config.max_step)),
            ("elapsed_ms", last.elapsed(now).as_f64()),
            ("cooldown_ms", cooldown.as_f64()),
            ("since_no_sync_ms", self.last_no_sync.elapsed(now).as_f64()),
            ("no_sync_quiet_ms", self.config.no_sync_quiet.as_f64()),
        ])
    }
}

fn ewma(alpha: f64, sample: f64, previous: f64) -> f64 {
    alpha * sample + (1.0 - alpha) * previous
}

/// How many workers the load asks for, by both models.
struct Sizing {
    required_rate: f64,
    offered_load: f64,
    utilization_workers: f64,
    halfin_whitt_workers: f64,
}

impl Sizing {
    /// The larger of both, before any limit.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates by definition; far above any limit anyway"
    )]
    fn recommended(&self) -> i64 {
        self.utilization_workers.max(self.halfin_whitt_workers) as i64
    }
}

impl ScalingAlgorithm for RateBased {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        self.planned.keep();
        if !add.is_eligible() {
            return Verdict::NOTHING;
        }
        let now = context.now;
        self.last_no_sync.stamp(now);
        let (current, max) = (self.planned.get(), self.config.bounds.max);
        let since_scale_up = self.last_scale_up.elapsed(now);
        let limit = if current >= max {
            Some(Limit::MaxCount)
        } else if since_scale_up < self.config.up_cooldown {
            Some(Limit::Cooldown)
        } else {
            None
        };
        let desired = if limit.is_none() { current + 1 } else { current };
        let reason = Reason::new(Rule::NoSyncMatch)
            .wishing(i64::from(current) + 1, desired.into(), limit)
            .with_all(&[
                ("no_sync_match_count", f64::from(add.no_sync_match_signals_batched)),
                ("sync_match_count", f64::from(add.sync_match_signals_batched)),
                ("elapsed_ms", since_scale_up.as_f64()),
                ("cooldown_ms", self.config.up_cooldown.as_f64()),
                ("current_workers", f64::from(current)),
                ("max_count", f64::from(max)),
            ]);
        Verdict {
            wish: self.resize(now, desired),
            wants_deferred: true,
            throttled: if limit.is_some() { add.no_sync_match_signals_batched } else { 0 },
            reason: Some(reason),
        }
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.planned.keep();
        let totals = Totals::of(metrics);
        if let Some(totals) = &totals {
            self.learn_rates(totals);
            if totals.backlog >= self.config.material_backlog {
                self.learn_capacity(totals.dispatch_rate);
            }
        }
        let current = self.planned.get();
        let sizing = self.sizing(totals.map_or(0, |totals| totals.backlog));
        let (size, limit) = self.limited(context.now, &sizing);
        let reason = self.poll_reason(context.now, totals.as_ref(), &sizing, current).wishing(
            sizing.recommended(),
            size.into(),
            limit,
        );
        Verdict::new(self.resize(context.now, size), reason)
    }

    fn on_deferred_metrics(&mut self, _context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.planned.keep();
        let (before, current) = (self.capacity(), self.planned.get());
        let totals = Totals::of(metrics);
        let is_measured = totals.is_some_and(|totals| self.learn_capacity(totals.dispatch_rate));
        let rule = if is_measured { Rule::CapacityMeasured } else { Rule::CapacityUnknown };
        let reason = Reason::new(rule).wishing(current.into(), current.into(), None).with_all(&[
            ("dispatch_rate", totals.unwrap_or_default().dispatch_rate),
            ("current_workers", f64::from(current)),
            ("previous_capacity", before),
            ("capacity", self.capacity()),
        ]);
        Verdict::new(Wish::Nothing, reason)
    }

    fn is_deferred_useful(&self) -> bool {
        self.planned.get() > 0
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.config.poll_interval
    }

    fn planned(&self) -> Option<u32> {
        Some(self.planned.get())
    }

    fn register(&mut self) -> u32 {
        self.planned.register(self.config.bounds)
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.planned.write(&mut state);
        self.arrival_rate.write(ARRIVAL_RATE, &mut state);
        self.dispatch_rate.write(DISPATCH_RATE, &mut state);
        self.capacity.write(CAPACITY, &mut state);
        self.last_scale_up.write(LAST_SCALE_UP, &mut state);
        self.last_scale_down.write(LAST_SCALE_DOWN, &mut state);
        self.last_no_sync.write(LAST_NO_SYNC, &mut state);
        state
    }
}

#[cfg(test)]
mod tests;
