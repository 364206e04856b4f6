//! `wci decide`: one decision a line, without any state between lines, for comparing implementations.
//!
//! In: `{"algorithm", "config", "status", "now_ms"}` and one of `"task_add"`, `"metrics"` and `"deferred"` (the
//! metrics of a deferred decision). Out: `{"actions", "status", "next_poll_ms", "throttled_count", "reason"}`.
//! Two optional fields serve the algorithms that count workers: `"launch_strategy"` (`invoke` or `worker-set`, by
//! default a worker set if that fits the algorithm) and `"observation"`.

use crate::algorithm::{Algorithm, AlgorithmKind, Context, Verdict, Wish};
use crate::config::{Config, ConfigError, ConfigMap, nearest};
use crate::decision::Reason;
use crate::metrics::{MetricsSnapshot, Observation, TaskQueueType};
use crate::signals::TaskAdd;
use crate::spec::{LaunchStrategy, WireTaskType};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Answers one line; `false` when the line is no request at all, so that a run can end with an error status.
#[must_use]
pub fn decide_line(line: &str, number: usize) -> (String, bool) {
    let error = |text: String| json!({ "error": text }).to_string();
    let request = match serde_json::from_str::<Request>(line) {
        Ok(request) => request,
        Err(e) => return (error(format!("line {number}: {e}")), false),
    };
    match request.answer() {
        Ok(answer) => (serde_json::to_string(&answer).unwrap_or_else(|e| error(e.to_string())), true),
        Err(e) => (error(e), true),
    }
}

#[derive(Deserialize)]
struct Request {
    algorithm: String,
    #[serde(default)]
    config: Value,
    #[serde(default)]
    status: Option<ConfigMap>,
    now_ms: i64,
    #[serde(default)]
    task_add: Option<Added>,
    #[serde(default)]
    metrics: Option<MetricsSnapshot>,
    #[serde(default)]
    deferred: Option<MetricsSnapshot>,
    #[serde(default)]
    launch_strategy: Option<LaunchStrategy>,
    #[serde(default)]
    observation: Observation,
}

/// A task-add signal of which every field may be left out.
#[derive(Deserialize)]
#[serde(default)]
struct Added {
    task_queue_type: WireTaskType,
    is_sync_match: bool,
    sync_match_signals_batched: u32,
    no_sync_match_signals_batched: u32,
    rate_limited_signals_batched: u32,
}

impl Default for Added {
    fn default() -> Self {
        Self {
            task_queue_type: WireTaskType(TaskQueueType::Workflow),
            is_sync_match: false,
            sync_match_signals_batched: 0,
            no_sync_match_signals_batched: 0,
            rate_limited_signals_batched: 0,
        }
    }
}

impl From<Added> for TaskAdd {
    fn from(added: Added) -> Self {
        Self {
            task_queue_name: "".into(),
            task_queue_type: added.task_queue_type,
            is_sync_match: added.is_sync_match,
            sync_match_signals_batched: added.sync_match_signals_batched,
            no_sync_match_signals_batched: added.no_sync_match_signals_batched,
            rate_limited_signals_batched: added.rate_limited_signals_batched,
        }
    }
}

#[derive(Serialize)]
struct Answer {
    actions: Vec<Action>,
    status: ConfigMap,
    next_poll_ms: Option<Millis>,
    throttled_count: u32,
    reason: Option<Reason>,
}

#[derive(Serialize)]
struct Action {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

impl Request {
    fn answer(self) -> Result<Answer, String> {
        let mut algorithm = self.algorithm()?;
        let now = Timestamp::from_millis(self.now_ms);
        let strategy = self.strategy(&algorithm)?;
        let context = Context { now, strategy, observation: &self.observation };
        let mut next_poll = None;
        let verdict = match (self.task_add, self.metrics, self.deferred) {
            (Some(added), None, None) => algorithm.on_task_added(context, &added.into()),
            (None, Some(metrics), None) => {
                let verdict = algorithm.on_metrics(context, &metrics);
                next_poll = Some(algorithm.poll_interval(now));
                verdict
            }
            (None, None, Some(metrics)) => algorithm.on_deferred_metrics(context, &metrics),
            _ => return Err("expected exactly one of task_add, metrics and deferred".to_owned()),
        };
        Ok(Answer {
            actions: actions(&verdict),
            status: algorithm.state(),
            next_poll_ms: next_poll,
            throttled_count: verdict.throttled,
            reason: verdict.reason,
        })
    }

    fn strategy(&self, algorithm: &Algorithm) -> Result<LaunchStrategy, String> {
        let fitting = algorithm.launch_strategies();
        match self.launch_strategy {
            Some(strategy) if fitting.contains(&strategy) => Ok(strategy),
            Some(strategy) => Err(format!("launch_strategy: {} does not fit {strategy}", self.algorithm)),
            None if fitting.contains(&LaunchStrategy::WorkerSet) => Ok(LaunchStrategy::WorkerSet),
            None => Ok(LaunchStrategy::Invoke),
        }
    }

    fn algorithm(&self) -> Result<Algorithm, String> {
        let kind = AlgorithmKind::from_name(&self.algorithm).ok_or_else(|| {
            let names = AlgorithmKind::ALL.iter().map(|kind| kind.name());
            let all = names.clone().collect::<Vec<_>>().join(", ");
            let expected = nearest(&self.algorithm, names).map_or(format!("one of {all}"), str::to_owned);
            ConfigError::new("algorithm", format!("{:?}", self.algorithm), expected).to_string()
        })?;
        let config = Config::from_json(&self.config).map_err(|e| e.to_string())?;
        let empty = ConfigMap::new();
        let status = self.status.as_ref().unwrap_or(&empty);
        Algorithm::new(kind, &config, status).map_err(|e| e.to_string())
    }
}

/// The actions in the words of the original.
fn actions(verdict: &Verdict) -> Vec<Action> {
    let wished = match verdict.wish {
        Wish::Nothing | Wish::MoreWorkers(0) => None,
        Wish::MoreWorkers(1) => Some(Action { action: "invoke-worker", count: None }),
        Wish::MoreWorkers(more) => Some(Action { action: "invoke-worker", count: Some(more) }),
        Wish::Workers(size) => Some(Action { action: "update-worker-set-size", count: Some(size) }),
    };
    let deferred =
        verdict.wants_deferred.then_some(Action { action: "deferred-scaling-decision", count: None });
    wished.into_iter().chain(deferred).collect()
}

#[cfg(test)]
mod tests;
