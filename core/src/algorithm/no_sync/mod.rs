//! `no-sync`: one more worker whenever tasks find no waiting one, for providers whose workers end by themselves.
//!
//! A task-add signal that counts a task without a waiting poller invokes one worker, at most one per cooldown. A
//! poll does the same for each task queue type whose backlog is above the threshold, or whose backlog is not empty
//! when the newest worker has reached the end of its lifetime. With an epsilon, a poll whose dispatch rate is the
//! same as the last poll's within that epsilon cancels its wish: the last worker did not help, so the next one
//! would not either. Nothing is ever scaled down: workers end by themselves.
//!
//! For each type, with `elapsed = now - last_scale_up`:
//!
//! ```text
//! up = backlog > threshold and elapsed >= cooldown
//!      or lifetime > 0 and backlog > 0 and elapsed >= lifetime
//! up = up and not (epsilon > 0 and previous_rate >= 0 and |rate - previous_rate| <= epsilon)
//! ```
//!
//! [`confirmed`] is the later form, which has another way to tell that more workers do not help.

pub mod confirmed;

pub(super) use confirmed::{NoSyncConfirmed, is_confirmed};

use super::state::{Slot, lenient_integer, lenient_number};
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Reason, Rule, per_type};
use crate::metrics::{MetricsSnapshot, QueueMetrics, TaskQueueType};
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

const SCALE_UP_COOLOFF: KeyDoc = KeyDoc::millis("scale_up_cooloff_ms", 100)
    .help("Shortest time between two invocations, over all task queue types; 0: none");
const SCALE_UP_BACKLOG_THRESHOLD: KeyDoc = KeyDoc::integer("scale_up_backlog_threshold", 0)
    .unit("tasks")
    .help("A poll invokes a worker when the backlog is larger than this");
const MAX_WORKER_LIFETIME: KeyDoc = KeyDoc::millis("max_worker_lifetime_ms", 600_000)
    .help("A poll that finds a backlog this long after the last invocation replaces the worker; 0: never");
const SCALE_UP_DISPATCH_RATE_EPSILON: KeyDoc = KeyDoc::number("scale_up_dispatch_rate_epsilon", 0.0)
    .unit("tasks/s")
    .help(
        "No worker more while the dispatch rate stays within this of the last poll's; in the confirmed form a \
         share of the rate, at most 0.1; 0: off",
    );
const METRICS_POLL_INTERVAL: KeyDoc = KeyDoc::millis("metrics_poll_interval_ms", 60_000)
    .at_least(10_000.0)
    .help("Time between polls; at least the cooldown");

/// The keys of both forms.
pub(super) const KEYS: &[KeyDoc] = &[
    SCALE_UP_COOLOFF,
    SCALE_UP_BACKLOG_THRESHOLD,
    MAX_WORKER_LIFETIME,
    SCALE_UP_DISPATCH_RATE_EPSILON,
    METRICS_POLL_INTERVAL,
    confirmed::CONFIRM,
    confirmed::SUPPRESS,
    confirmed::SUPPRESS_POLL_INTERVAL,
];

/// What both forms are configured with.
#[derive(Clone, Debug, PartialEq)]
struct Config {
    cooldown: Millis,
    threshold: i64,
    lifetime: Millis,
    epsilon: f64,
    poll_interval: Millis,
}

impl Config {
    fn read(config: &Reader<'_>) -> Result<Self, ConfigError> {
        let read = Self {
            cooldown: Millis::new(config.integer(&SCALE_UP_COOLOFF)?),
            threshold: config.integer(&SCALE_UP_BACKLOG_THRESHOLD)?,
            lifetime: Millis::new(config.integer(&MAX_WORKER_LIFETIME)?),
            epsilon: config.number(&SCALE_UP_DISPATCH_RATE_EPSILON)?,
            poll_interval: Millis::new(config.integer(&METRICS_POLL_INTERVAL)?),
        };
        if read.cooldown > Millis::ZERO && read.poll_interval < read.cooldown {
            let expected = format!(
                "at least {} ({}), otherwise no poll could ever invoke a worker",
                SCALE_UP_COOLOFF.key,
                read.cooldown.get()
            );
            let found = read.poll_interval.get().to_string();
            return Err(ConfigError::new(METRICS_POLL_INTERVAL.key, found, expected));
        }
        Ok(read)
    }

    /// Judges one task queue type; `is_suppressed` holds back growth but never the replacement of a worker.
    fn judge(&self, backlog: i64, elapsed: Millis, is_suppressed: bool) -> Judgement {
        let wants_more = backlog > self.threshold;
        let is_cool = elapsed >= self.cooldown;
        if wants_more && is_cool && !is_suppressed {
            return Judgement::Up(Rule::BacklogAboveThreshold);
        }
        if self.lifetime > Millis::ZERO && backlog > 0 && elapsed >= self.lifetime {
            return Judgement::Up(Rule::LifetimeRefresh);
        }
        match (wants_more, is_cool) {
            (false, _) => Judgement::NoChange,
            (true, true) => Judgement::Held(Rule::BacklogAboveThreshold, Limit::Suppressed),
            (true, false) => Judgement::Held(Rule::BacklogAboveThreshold, Limit::Cooldown),
        }
    }
}

/// What one task queue type asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Judgement {
    NoChange,
    Held(Rule, Limit),
    Up(Rule),
}

impl Judgement {
    /// The more telling of two: an invocation, then a wish that was held back, the cooldown last; at equal weight
    /// the first.
    fn or(self, other: Self) -> Self {
        let weight = |judgement| match judgement {
            Self::NoChange => 0,
            Self::Held(_, Limit::Cooldown) => 1,
            Self::Held(..) => 2,
            Self::Up(_) => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }

    fn reason(self) -> Reason {
        match self {
            Self::NoChange => Reason::new(Rule::NoChange).wishing(0, 0, None),
            Self::Held(rule, limit) => Reason::new(rule).wishing(1, 0, Some(limit)),
            Self::Up(rule) => Reason::new(rule).wishing(1, 1, None),
        }
    }
}

/// When the last worker was invoked; shared by signals and polls and by all types.
#[derive(Clone, Debug, Default, PartialEq)]
struct LastScaleUp(Slot<i64>);

impl LastScaleUp {
    const KEY: &'static str = "last_scale_up_time_ms";

    fn read(state: &ConfigMap) -> Self {
        Self(Slot::lenient(state, Self::KEY, lenient_integer))
    }

    fn elapsed(&self, now: Timestamp) -> Millis {
        self.0.elapsed(now)
    }

    /// Carries a judgement out.
    fn conclude(&mut self, now: Timestamp, judgement: Judgement, reason: Reason) -> Verdict {
        match judgement {
            Judgement::Up(_) => {
                self.0.stamp(now);
                Verdict::new(Wish::MoreWorkers(1), reason)
            }
            _ => Verdict::new(Wish::Nothing, reason),
        }
    }

    /// The decision on an eligible signal.
    fn on_eligible_add(
        &mut self,
        now: Timestamp,
        config: &Config,
        add: &TaskAdd,
        held: Option<Limit>,
    ) -> Verdict {
        let elapsed = self.elapsed(now);
        let judgement = match held {
            Some(limit) => Judgement::Held(Rule::NoSyncMatch, limit),
            None if elapsed < config.cooldown => Judgement::Held(Rule::NoSyncMatch, Limit::Cooldown),
            None => Judgement::Up(Rule::NoSyncMatch),
        };
        let reason = judgement.reason().with_all(&[
            ("no_sync_match_count", f64::from(add.no_sync_match_signals_batched)),
            ("sync_match_count", f64::from(add.sync_match_signals_batched)),
            ("elapsed_ms", elapsed.as_f64()),
            ("cooldown_ms", config.cooldown.as_f64()),
        ]);
        let verdict = self.conclude(now, judgement, reason);
        let is_held = verdict.wish == Wish::Nothing;
        Verdict { throttled: if is_held { add.no_sync_match_signals_batched } else { 0 }, ..verdict }
    }
}

const BACKLOGS: [&str; 3] = ["workflow_backlog_count", "activity_backlog_count", "nexus_backlog_count"];
const RATES: [&str; 3] = ["workflow_dispatch_rate", "activity_dispatch_rate", "nexus_dispatch_rate"];

/// The numbers of a poll that both forms look at.
fn with_poll_numbers(
    mut reason: Reason,
    config: &Config,
    elapsed: Millis,
    metrics: &MetricsSnapshot,
) -> Reason {
    // Four settings, epsilon, and for each type its backlog, its rate and the rate before: one allocation.
    reason.inputs.reserve(14);
    reason = reason.with_all(&[
        ("threshold", as_f64(config.threshold)),
        ("elapsed_ms", elapsed.as_f64()),
        ("cooldown_ms", config.cooldown.as_f64()),
        ("lifetime_ms", config.lifetime.as_f64()),
    ]);
    for (task_type, queue) in metrics.present() {
        reason = reason
            .with(per_type(task_type, BACKLOGS), as_f64(queue.last_backlog_count))
            .with(per_type(task_type, RATES), f64::from(queue.last_processing_rate));
    }
    reason
}

const PREVIOUS_RATES: [&str; 3] =
    ["workflow_previous_dispatch_rate", "activity_previous_dispatch_rate", "nexus_previous_dispatch_rate"];

#[expect(clippy::cast_precision_loss, reason = "for a record; counts this large do not occur")]
const fn as_f64(number: i64) -> f64 {
    number as f64
}

/// The plain form.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NoSync {
    config: Config,
    last_scale_up: LastScaleUp,
    last_rates: [Slot<f64>; 3],
}

const LAST_RATES: [&str; 3] =
    ["workflow_last_dispatch_rate", "activity_last_dispatch_rate", "nexus_last_dispatch_rate"];

impl NoSync {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        Ok(Self {
            config: Config::read(&Reader::new(config, KEYS)?)?,
            last_scale_up: LastScaleUp::read(state),
            last_rates: LAST_RATES.map(|key| Slot::lenient(state, key, lenient_number)),
        })
    }

    fn judge(&self, task_type: TaskQueueType, queue: &QueueMetrics, elapsed: Millis) -> Judgement {
        match self.config.judge(queue.last_backlog_count, elapsed, false) {
            Judgement::Up(rule) if self.is_rate_flat(task_type, queue) => {
                Judgement::Held(rule, Limit::DispatchRateEpsilon)
            }
            judgement => judgement,
        }
    }

    fn is_rate_flat(&self, task_type: TaskQueueType, queue: &QueueMetrics) -> bool {
        let previous = self.last_rates[task_type.index()].get().filter(|rate| *rate >= 0.0);
        let is_same =
            |previous: f64| (f64::from(queue.last_processing_rate) - previous).abs() <= self.config.epsilon;
        self.config.epsilon > 0.0 && previous.is_some_and(is_same)
    }

    fn with_epsilon_numbers(&self, reason: Reason, metrics: &MetricsSnapshot) -> Reason {
        if self.config.epsilon <= 0.0 {
            return reason;
        }
        let previous = metrics.present().filter_map(|(task_type, _)| {
            Some((per_type(task_type, PREVIOUS_RATES), self.last_rates[task_type.index()].get()?))
        });
        previous
            .fold(reason.with("epsilon", self.config.epsilon), |reason, (name, rate)| reason.with(name, rate))
    }

    fn keep_rate(&mut self, task_type: TaskQueueType, queue: &QueueMetrics) {
        let rate = f64::from(queue.last_processing_rate);
        if rate.is_finite() {
            self.last_rates[task_type.index()].set(rate);
        }
    }
}

impl ScalingAlgorithm for NoSync {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        if !add.is_eligible() {
            return Verdict::NOTHING;
        }
        self.last_scale_up.on_eligible_add(context.now, &self.config, add, None)
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        let elapsed = self.last_scale_up.elapsed(context.now);
        let judgements = metrics.present().map(|(task_type, queue)| self.judge(task_type, queue, elapsed));
        let judgement = judgements.fold(Judgement::NoChange, Judgement::or);
        let reason = with_poll_numbers(judgement.reason(), &self.config, elapsed, metrics);
        let reason = self.with_epsilon_numbers(reason, metrics);
        for (task_type, queue) in metrics.present() {
            self.keep_rate(task_type, queue);
        }
        self.last_scale_up.conclude(context.now, judgement, reason)
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.config.poll_interval
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.last_scale_up.0.write(LastScaleUp::KEY, &mut state);
        for (slot, key) in self.last_rates.iter().zip(LAST_RATES) {
            slot.write(key, &mut state);
        }
        state
    }
}

#[cfg(test)]
mod tests;
