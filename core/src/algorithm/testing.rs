//! Short words for the tests of the rules.

use super::{Algorithm, AlgorithmKind, Context, Verdict};
use crate::config::ConfigMap;
use crate::decision::{Limit, Rule};
use crate::metrics::{MetricsSnapshot, Observation, QueueMetrics, TaskQueueType};
use crate::signals::TaskAdd;
use crate::spec::{LaunchStrategy, WireTaskType};
use crate::time::Timestamp;
use serde_json::Value;

pub(super) fn map(value: Value) -> ConfigMap {
    match value {
        Value::Object(map) => map,
        other => panic!("a map, not {other}"),
    }
}

pub(super) fn algorithm(kind: AlgorithmKind, config: Value, state: Value) -> Algorithm {
    Algorithm::new(kind, &map(config), &map(state)).expect("a valid config")
}

/// The text of the error that a configuration causes.
pub(super) fn error(kind: AlgorithmKind, config: Value) -> String {
    Algorithm::new(kind, &map(config), &ConfigMap::new()).expect_err("an invalid config").to_string()
}

/// A group with its algorithm and the observation it gets.
pub(super) struct Rig {
    pub(super) algorithm: Algorithm,
    pub(super) strategy: LaunchStrategy,
    pub(super) observation: Observation,
}

impl Rig {
    pub(super) fn new(kind: AlgorithmKind, config: Value, state: Value) -> Self {
        let algorithm = algorithm(kind, config, state);
        let strategy = *algorithm.launch_strategies().last().expect("one strategy at least");
        Self { algorithm, strategy, observation: Observation::default() }
    }

    pub(super) fn on_invoke(mut self, workers: u32) -> Self {
        self.strategy = LaunchStrategy::Invoke;
        self.observe(workers);
        self
    }

    pub(super) fn observe(&mut self, workers: u32) {
        self.observation = Observation { ready: Some(workers), starting: Some(0), ..Observation::default() };
    }

    /// Workers with their slots, and how many of these hold tasks.
    pub(super) fn see(&mut self, ready: u32, starting: u32, slots: u32, busy: u32) -> &mut Self {
        self.observation = Observation {
            ready: Some(ready),
            starting: Some(starting),
            slots: Some(slots),
            busy_slots: Some(busy),
            running: Some(busy),
            backlog_count: Some(0),
            ..Observation::default()
        };
        self
    }

    /// So many tasks ran or waited since the last look.
    pub(super) fn see_tasks(&mut self, ready: u32, slots: u32, tasks: f64) -> &mut Self {
        self.see(ready, 0, slots, 0).observation.mean_concurrency = Some(tasks);
        self
    }

    pub(super) fn start(&mut self, now: i64) -> Verdict {
        let now = Timestamp::from_millis(now);
        let context = Context { now, strategy: self.strategy, observation: &self.observation };
        self.algorithm.on_started(context)
    }

    pub(super) fn add(&mut self, now: i64, add: &TaskAdd) -> Verdict {
        let now = Timestamp::from_millis(now);
        let context = Context { now, strategy: self.strategy, observation: &self.observation };
        self.algorithm.on_task_added(context, add)
    }

    pub(super) fn poll(&mut self, now: i64, metrics: &MetricsSnapshot) -> Verdict {
        let now = Timestamp::from_millis(now);
        let context = Context { now, strategy: self.strategy, observation: &self.observation };
        let verdict = self.algorithm.on_metrics(context, metrics);
        assert!(verdict.reason.is_some(), "every poll gives a reason");
        verdict
    }

    pub(super) fn deferred(&mut self, now: i64, metrics: &MetricsSnapshot) -> Verdict {
        let now = Timestamp::from_millis(now);
        let context = Context { now, strategy: self.strategy, observation: &self.observation };
        self.algorithm.on_deferred_metrics(context, metrics)
    }

    pub(super) fn interval(&self, now: i64) -> i64 {
        self.algorithm.poll_interval(Timestamp::from_millis(now)).get()
    }

    pub(super) fn state(&self) -> Value {
        Value::Object(self.algorithm.state())
    }

    pub(super) fn slot(&self, key: &str) -> Value {
        self.algorithm.state().get(key).cloned().unwrap_or(Value::Null)
    }
}

pub(super) fn signal(is_sync_match: bool, no_sync: u32) -> TaskAdd {
    TaskAdd {
        task_queue_name: "q".into(),
        task_queue_type: WireTaskType(TaskQueueType::Activity),
        is_sync_match,
        sync_match_signals_batched: 0,
        no_sync_match_signals_batched: no_sync,
        rate_limited_signals_batched: 0,
    }
}

/// One add that found no waiting worker.
pub(super) fn missed() -> TaskAdd {
    signal(false, 1)
}

pub(super) fn queue(backlog: i64, arrival: f32, dispatch: f32) -> QueueMetrics {
    QueueMetrics {
        last_backlog_count: backlog,
        last_arrival_rate: arrival,
        last_processing_rate: dispatch,
        ..QueueMetrics::default()
    }
}

/// Statistics of activities only.
pub(super) fn activity(backlog: i64, arrival: f32, dispatch: f32) -> MetricsSnapshot {
    MetricsSnapshot { activity: Some(queue(backlog, arrival, dispatch)), ..MetricsSnapshot::default() }
}

/// What a verdict says: the rule, the wish before and after the limits, the limit.
pub(super) fn said(verdict: &Verdict) -> (Rule, i64, i64, Option<Limit>) {
    let reason = verdict.reason.as_ref().expect("a reason");
    (
        reason.rule,
        reason.recommended_workers.expect("a wish"),
        reason.desired_workers.expect("what was left"),
        reason.limit,
    )
}

pub(super) fn input(verdict: &Verdict, name: &str) -> f64 {
    let reason = verdict.reason.as_ref().expect("a reason");
    reason.input(name).unwrap_or_else(|| panic!("no number {name} in {reason:?}"))
}
