//! `kpa`: Knative's pod autoscaler, by tasks in a long and a short window.
//!
//! Each tick of 2 s, with `c` the tasks that run or wait, averaged over the stable window (60 s) and over the panic
//! window (6 s), `R` ready workers (at least 1 is assumed) and a target of 70 % of the slots:
//!
//! ```text
//! stable = ceil(c60 / (0.7 * slots per worker))
//! panic  = ceil(c6  / (0.7 * slots per worker))      both within floor(R / 2) and ceil(R * 1000)
//! panic(unclamped) / R >= 2:  panic mode, until 60 s after the last such tick
//! ```
//!
//! In panic mode the size is the largest `panic` since it began and never falls; else it is `stable`. The last
//! worker stays 30 s longer. A task that finds no worker at size 0 starts one at once, as the original's activator
//! does. (Knative, "Additional autoscaling configuration"; the edges as in `pkg/autoscaler/scaling/autoscaler.go`.)

use super::history::History;
use super::occupancy::{INITIAL_SLOTS, SlotsPerWorker, concurrency};
use super::pacing::{Paced, PacedRule, rule_for};
use super::sizing::{MIN_COUNT, max_count, saturated};
use super::state::{Slot, count, time};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

const MAX_COUNT: KeyDoc = max_count(100);
const TARGET: KeyDoc = KeyDoc::number("target_utilization", 0.70)
    .above(0.0)
    .at_most(1.0)
    .help("Share of a worker's slots that tasks shall fill");
const STABLE_WINDOW: KeyDoc = KeyDoc::millis("stable_window_ms", 60_000)
    .at_least(6_000.0)
    .at_most(3_600_000.0)
    .help("The window whose average sizes the set, and how long panic lasts after its last cause");
const PANIC_WINDOW_PCT: KeyDoc = KeyDoc::number("panic_window_pct", 10.0)
    .at_least(1.0)
    .at_most(100.0)
    .unit("%")
    .help("The panic window as a share of the stable one");
const PANIC_THRESHOLD_PCT: KeyDoc = KeyDoc::number("panic_threshold_pct", 200.0)
    .at_least(110.0)
    .at_most(1_000.0)
    .unit("%")
    .help("Panic begins when the panic window asks for this share of the ready workers");
const UP_RATE: KeyDoc = KeyDoc::number("max_scale_up_rate", 1_000.0)
    .above(1.0)
    .help("A tick goes to at most this many times the ready workers");
const DOWN_RATE: KeyDoc = KeyDoc::number("max_scale_down_rate", 2.0)
    .above(1.0)
    .help("A tick goes to no less than the ready workers divided by this");
const GRACE: KeyDoc = KeyDoc::millis("scale_to_zero_grace_ms", 30_000)
    .help("How much longer the last worker stays when no worker is wanted");
const TICK: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 2_000).at_least(2_000.0).help("Time between ticks");

pub(super) const KEYS: &[KeyDoc] = &[
    MIN_COUNT,
    MAX_COUNT,
    TARGET,
    INITIAL_SLOTS,
    STABLE_WINDOW,
    PANIC_WINDOW_PCT,
    PANIC_THRESHOLD_PCT,
    UP_RATE,
    DOWN_RATE,
    GRACE,
    TICK,
];

const PANIC_SINCE: &str = "last_panic_time_ms";
const PANIC_SIZE: &str = "panic_worker_count";
const IDLE_SINCE: &str = "idle_since_ms";

#[derive(Clone, Debug, PartialEq)]
struct Config {
    target: f64,
    stable_window: Millis,
    panic_window: Millis,
    panic_threshold: f64,
    up_rate: f64,
    down_rate: f64,
    grace: Millis,
}

impl Config {
    fn read(config: &Reader<'_>) -> Result<Self, ConfigError> {
        let stable_window = Millis::new(config.integer(&STABLE_WINDOW)?);
        let panic_ms = stable_window.as_f64() * config.number(&PANIC_WINDOW_PCT)? / 100.0;
        Ok(Self {
            target: config.number(&TARGET)?,
            stable_window,
            panic_window: Millis::new(saturated(panic_ms)),
            panic_threshold: config.number(&PANIC_THRESHOLD_PCT)? / 100.0,
            up_rate: config.number(&UP_RATE)?,
            down_rate: config.number(&DOWN_RATE)?,
            grace: Millis::new(config.integer(&GRACE)?),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kpa {
    config: Config,
    paced: Paced,
    slots: SlotsPerWorker,
    tasks: History,
    last_panic: Slot<i64>,
    panic_size: Slot<u32>,
    idle_since: Slot<i64>,
}

/// The two averages of one tick and what each asks for.
struct Tick {
    stable: f64,
    panic: f64,
    ready: f64,
    wanted_stable: f64,
    wanted_panic: f64,
}

impl Kpa {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            config: Config::read(&config)?,
            paced: Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &TICK, state)?,
            slots: SlotsPerWorker::read(&config, state)?,
            tasks: History::read(state, "concurrency_by_tick"),
            last_panic: Slot::strict(state, PANIC_SINCE, time),
            panic_size: Slot::strict(state, PANIC_SIZE, count),
            idle_since: Slot::strict(state, IDLE_SINCE, time),
        })
    }

    fn tick(&mut self, context: Context<'_>) -> Option<Tick> {
        self.slots.observe(context.observation);
        let tasks = concurrency(context.observation)?;
        let Config { stable_window, panic_window, target, .. } = self.config;
        self.tasks.forget(context.now, stable_window);
        self.tasks.add(context.now, tasks);
        let mean = |window| self.tasks.mean(context.now, window).unwrap_or(tasks);
        let (stable, panic) = (mean(stable_window), mean(panic_window));
        let per_worker = target * self.slots.get();
        let (wanted_stable, wanted_panic) = ((stable / per_worker).ceil(), (panic / per_worker).ceil());
        let ready = f64::from(context.observation.ready.unwrap_or(0).max(1));
        Some(Tick { stable, panic, ready, wanted_stable, wanted_panic })
    }

    /// Whether it is in panic now; begins, prolongs and ends it.
    fn panics(&mut self, now: Timestamp, tick: &Tick) -> bool {
        if tick.wanted_panic / tick.ready >= self.config.panic_threshold {
            self.last_panic.stamp(now);
        } else if self.last_panic.get().is_some() && self.last_panic.elapsed(now) > self.config.stable_window
        {
            self.last_panic.clear();
        }
        if self.last_panic.get().is_none() {
            self.panic_size.clear();
        }
        self.last_panic.get().is_some()
    }

    fn within_rates(&self, tick: &Tick, wanted: f64) -> f64 {
        let least = (tick.ready / self.config.down_rate).floor();
        wanted.max(least).min((tick.ready * self.config.up_rate).ceil())
    }

    /// The last worker goes only when none has been wanted for the grace period.
    fn with_grace(&mut self, now: Timestamp, current: u32, size: u32) -> (u32, Option<Limit>) {
        if size > 0 || current == 0 {
            self.idle_since.clear();
            return (size, None);
        }
        if self.idle_since.get().is_none() {
            self.idle_since.stamp(now);
        }
        let is_over = self.idle_since.elapsed(now) >= self.config.grace;
        if is_over { (0, None) } else { (1, Some(Limit::Grace)) }
    }
}

impl PacedRule for Kpa {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        if !add.is_eligible() || self.paced.planned.get() > 0 {
            return Verdict::NOTHING;
        }
        let first = self.paced.bounds.min.max(1);
        let verdict = self.paced.go(context, Rule::NoSyncMatch, first.into(), (first, None));
        verdict.with_all(&[("no_sync_match_count", f64::from(add.no_sync_match_signals_batched))])
    }

    fn decide(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        let tick = self.tick(context).ok_or_else(|| self.paced.wait(None))?;
        let current = self.paced.planned.get();
        let is_panic = self.panics(context.now, &tick);
        let (rule, recommended, held) = if is_panic {
            // After a surge the slow average can be the larger one.
            let larger = tick.wanted_panic.max(tick.wanted_stable);
            let wanted = saturated(self.within_rates(&tick, larger));
            let kept = i64::from(self.panic_size.get().unwrap_or(0).max(current));
            (Rule::Panic, wanted, (kept > wanted).then_some((kept, Limit::Panicking)))
        } else {
            let wanted = saturated(tick.wanted_stable);
            let least = saturated(self.within_rates(&tick, tick.wanted_stable));
            let rule = rule_for(wanted, current, Rule::ConcurrencyAbove, Rule::ConcurrencyBelow);
            let limit = if least > wanted { Limit::MaxStepDown } else { Limit::MaxStep };
            (rule, wanted, (least != wanted).then_some((least, limit)))
        };
        let (size, cut) = self.paced.bounds.cut(held.map_or(recommended, |(size, _)| size));
        let (size, grace) = self.with_grace(context.now, current, size);
        if is_panic {
            self.panic_size.set(size);
        }
        let limit = grace.or(cut).or(held.map(|(_, limit)| limit));
        let verdict = self.paced.go(context, rule, recommended, (size, limit));
        Ok(verdict.with_all(&[
            ("stable_concurrency", tick.stable),
            ("panic_concurrency", tick.panic),
            ("target_concurrency", self.config.target * self.slots.get()),
            ("ready_workers", tick.ready),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.slots.write(state);
        self.tasks.write(state);
        self.last_panic.write(PANIC_SINCE, state);
        self.panic_size.write(PANIC_SIZE, state);
        self.idle_since.write(IDLE_SINCE, state);
    }
}

#[cfg(test)]
mod tests;
