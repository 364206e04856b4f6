//! The later form of `no-sync`: a flat dispatch rate has to be confirmed before it holds scale-ups back.
//!
//! Epsilon is a share of the dispatch rate. While the backlog is above the threshold and the rate stays within
//! `epsilon * reference` of the rate at which the watch began, the watch goes on; once it has lasted for the
//! confirm time, scale-ups of that type are suppressed for a while, by each further flat poll anew. More workers
//! would not dispatch more: something downstream, or a rate limit, is the bottleneck. An empty backlog, a moved
//! rate or a standstill ends both the watch and the suppression. Workers at the end of their lifetime are replaced
//! all the same.

use super::{Config, Judgement, KEYS, LastScaleUp, SCALE_UP_DISPATCH_RATE_EPSILON, with_poll_numbers};
use crate::algorithm::state::{Slot, lenient_integer, lenient_number};
use crate::algorithm::{Context, ScalingAlgorithm, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader, shown};
use crate::decision::Limit;
use crate::metrics::{MetricsSnapshot, QueueMetrics, TaskQueueType};
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

pub(super) const CONFIRM: KeyDoc = KeyDoc::millis("scale_up_dispatch_rate_epsilon_confirm_ms", 90_000)
    .help("Confirmed form: how long the dispatch rate must stay flat; more than the poll interval");
pub(super) const SUPPRESS: KeyDoc = KeyDoc::millis("suppress_scale_up_ms", 120_000)
    .help("Confirmed form: how long scale-ups are suppressed; more than the suppressed poll interval");
pub(super) const SUPPRESS_POLL_INTERVAL: KeyDoc = KeyDoc::millis("suppress_poll_interval_ms", 90_000)
    .help("Confirmed form: time between polls while a type is suppressed");

const OWN_KEYS: [KeyDoc; 3] = [CONFIRM, SUPPRESS, SUPPRESS_POLL_INTERVAL];
const LARGEST_EPSILON: f64 = 0.1;

/// Whether a configuration holds a key that only this form has.
pub(in crate::algorithm) fn is_confirmed(config: &ConfigMap) -> bool {
    OWN_KEYS.iter().any(|doc| is_given(config, doc))
}

/// The confirmed form.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::algorithm) struct NoSyncConfirmed {
    config: Config,
    confirm: Millis,
    suppress: Millis,
    suppress_poll_interval: Millis,
    last_scale_up: LastScaleUp,
    watches: [Watch; 3],
}

impl NoSyncConfirmed {
    pub(in crate::algorithm) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let reader = Reader::new(config, KEYS)?;
        let rule = Self {
            config: Config::read(&reader)?,
            confirm: Millis::new(reader.integer(&CONFIRM)?),
            suppress: Millis::new(reader.integer(&SUPPRESS)?),
            suppress_poll_interval: Millis::new(reader.integer(&SUPPRESS_POLL_INTERVAL)?),
            last_scale_up: LastScaleUp::read(state),
            watches: TaskQueueType::ALL.map(|task_type| Watch::read(state, task_type)),
        };
        rule.check(config)?;
        Ok(rule)
    }

    fn check(&self, config: &ConfigMap) -> Result<(), ConfigError> {
        let wrong = |doc: &KeyDoc, expected: String| {
            let default = || format!("{} (the default)", doc.default.unwrap_or_default());
            let found = config.get(doc.key).filter(|value| !value.is_null()).map_or_else(default, shown);
            Err(ConfigError::new(doc.key, found, expected))
        };
        let Config { epsilon, poll_interval, .. } = self.config;
        if epsilon > LARGEST_EPSILON {
            let expected = format!("at most {LARGEST_EPSILON}: it is a share of the dispatch rate");
            return wrong(&SCALE_UP_DISPATCH_RATE_EPSILON, expected);
        }
        if epsilon <= 0.0 {
            let own = OWN_KEYS.iter().find(|doc| is_given(config, doc));
            let expected = format!("none without {} above 0", SCALE_UP_DISPATCH_RATE_EPSILON.key);
            return own.map_or(Ok(()), |doc| wrong(doc, expected));
        }
        if self.confirm <= poll_interval {
            return wrong(&CONFIRM, format!("more than metrics_poll_interval_ms ({})", poll_interval.get()));
        }
        if self.suppress_poll_interval <= Millis::ZERO {
            return wrong(&SUPPRESS_POLL_INTERVAL, "an integer above 0".to_owned());
        }
        if self.suppress <= self.suppress_poll_interval {
            let interval = self.suppress_poll_interval.get();
            let expected = format!("more than {} ({interval})", SUPPRESS_POLL_INTERVAL.key);
            return wrong(&SUPPRESS, expected + ", or the suppression ends between polls");
        }
        Ok(())
    }

    fn is_suppressed(&self, task_type: TaskQueueType, now: Timestamp) -> bool {
        self.watches[task_type.index()].is_suppressed(now)
    }

    /// Brings the watch of one type up to date and judges the type.
    fn judge(&mut self, task_type: TaskQueueType, queue: &QueueMetrics, now: Timestamp) -> Judgement {
        let watch = &mut self.watches[task_type.index()];
        if self.config.epsilon > 0.0 {
            watch.look(queue, now, &self.config, self.confirm, self.suppress);
        }
        let is_suppressed = watch.is_suppressed(now);
        self.config.judge(queue.last_backlog_count, self.last_scale_up.elapsed(now), is_suppressed)
    }
}

fn is_given(config: &ConfigMap, doc: &KeyDoc) -> bool {
    config.get(doc.key).is_some_and(|value| !value.is_null())
}

impl ScalingAlgorithm for NoSyncConfirmed {
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        if !add.is_eligible() {
            return Verdict::NOTHING;
        }
        let is_suppressed = self.is_suppressed(add.task_queue_type.0, context.now);
        let held = is_suppressed.then_some(Limit::Suppressed);
        self.last_scale_up.on_eligible_add(context.now, &self.config, add, held)
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        if self.config.epsilon <= 0.0 {
            self.watches = <[Watch; 3]>::default();
        }
        let elapsed = self.last_scale_up.elapsed(context.now);
        let mut judgement = Judgement::NoChange;
        for (task_type, queue) in metrics.present() {
            judgement = judgement.or(self.judge(task_type, queue, context.now));
        }
        let reason = with_poll_numbers(judgement.reason(), &self.config, elapsed, metrics);
        let reason =
            if self.config.epsilon > 0.0 { reason.with("epsilon", self.config.epsilon) } else { reason };
        self.last_scale_up.conclude(context.now, judgement, reason)
    }

    fn poll_interval(&self, now: Timestamp) -> Millis {
        if self.watches.iter().any(|watch| watch.is_suppressed(now)) {
            self.suppress_poll_interval
        } else {
            self.config.poll_interval
        }
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.last_scale_up.0.write(LastScaleUp::KEY, &mut state);
        for (watch, task_type) in self.watches.iter().zip(TaskQueueType::ALL) {
            watch.write(task_type, &mut state);
        }
        state
    }
}

/// How long one type's dispatch rate has been flat, and until when that suppresses scale-ups.
#[derive(Clone, Debug, Default, PartialEq)]
struct Watch {
    since: Slot<i64>,
    until: Slot<i64>,
    reference_rate: Slot<f64>,
}

impl Watch {
    /// No reference rate, on the wire.
    const NO_REFERENCE: f64 = -1.0;

    fn keys(task_type: TaskQueueType) -> [String; 3] {
        let name = task_type.name();
        [
            format!("{name}_dispatch_rate_within_epsilon_since_ms"),
            format!("{name}_suppress_scale_up_until_ms"),
            format!("{name}_dispatch_ref_rate"),
        ]
    }

    fn read(state: &ConfigMap, task_type: TaskQueueType) -> Self {
        let [since, until, reference_rate] = Self::keys(task_type);
        Self {
            since: Slot::lenient(state, &since, lenient_integer),
            until: Slot::lenient(state, &until, lenient_integer),
            reference_rate: Slot::lenient(state, &reference_rate, lenient_number),
        }
    }

    fn write(&self, task_type: TaskQueueType, state: &mut ConfigMap) {
        let [since, until, reference_rate] = Self::keys(task_type);
        self.since.write(&since, state);
        self.until.write(&until, state);
        self.reference_rate.write(&reference_rate, state);
    }

    fn is_suppressed(&self, now: Timestamp) -> bool {
        now.as_millis() < self.until.get().unwrap_or(0)
    }

    fn look(
        &mut self,
        queue: &QueueMetrics,
        now: Timestamp,
        config: &Config,
        confirm: Millis,
        suppress: Millis,
    ) {
        let rate = f64::from(queue.last_processing_rate);
        let reference = self.reference_rate.get().unwrap_or(Self::NO_REFERENCE);
        let since = self.since.get().unwrap_or(0);
        let mut until = self.until.get().unwrap_or(0);
        let has_moved = reference >= 0.0 && (rate - reference).abs() > config.epsilon * reference;
        if queue.last_backlog_count <= config.threshold || rate <= 0.0 || !rate.is_finite() || has_moved {
            return self.write_down(0, 0, Self::NO_REFERENCE);
        }
        if since == 0 {
            return self.write_down(now.as_millis(), until, rate);
        }
        if now.since(Timestamp::from_millis(since)) >= confirm {
            until = now.plus(suppress).as_millis();
        }
        self.write_down(since, until, reference);
    }

    fn write_down(&mut self, since: i64, until: i64, reference_rate: f64) {
        self.since.set(since);
        self.until.set(until);
        self.reference_rate.set(reference_rate);
    }
}
