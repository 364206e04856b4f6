//! A scaling rule of your own: one worker for each so many waiting tasks.

use serde_json::{Value, json};
use wci_core::Timestamp;
use wci_core::algorithm::{Context, ScalingAlgorithm, Verdict, Wish};
use wci_core::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use wci_core::decision::{Limit, Reason, Rule};
use wci_core::metrics::{MetricsSnapshot, Observation, QueueMetrics};
use wci_core::signals::TaskAdd;
use wci_core::spec::LaunchStrategy;
use wci_core::time::Millis;

// ANCHOR: rule
const PER_WORKER: KeyDoc =
    KeyDoc::integer("tasks_per_worker", 10).at_least(1.0).unit("tasks").help("Waiting tasks for one worker");
const MAX_COUNT: KeyDoc = KeyDoc::count("max_count", 20).at_least(1.0).help("Never more workers than this");
const KEYS: &[KeyDoc] = &[PER_WORKER, MAX_COUNT];

struct Proportional {
    per_worker: i64,
    max_count: i64,
    worker_count: i64,
}

impl Proportional {
    fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            per_worker: config.integer(&PER_WORKER)?,
            max_count: config.integer(&MAX_COUNT)?,
            // A broken entry of the state is as good as none.
            worker_count: state
                .get("worker_count")
                .and_then(Value::as_u64)
                .map_or(0, |n| i64::from(n as u32)),
        })
    }
}

impl ScalingAlgorithm for Proportional {
    fn on_task_added(&mut self, _context: Context<'_>, _add: &TaskAdd) -> Verdict {
        Verdict::NOTHING
    }

    fn on_metrics(&mut self, _context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        let waiting = metrics.present().map(|(_, queue)| queue.last_backlog_count.max(0));
        let backlog = waiting.fold(0_i64, i64::saturating_add);
        let rest = i64::from(backlog % self.per_worker > 0);
        let (current, recommended) = (self.worker_count, backlog / self.per_worker + rest);
        let desired = recommended.min(self.max_count);
        self.worker_count = desired;
        let rule = match recommended - current {
            0 => Rule::NoChange,
            1.. => Rule::BacklogPerWorkerAbove,
            _ => Rule::BacklogPerWorkerBelow,
        };
        let limit = (desired < recommended).then_some(Limit::MaxCount);
        let reason = Reason::new(rule)
            .wishing(recommended, desired, limit)
            .with("backlog_count", backlog as f64)
            .with("current_workers", current as f64);
        let wish = if desired == current { Wish::Nothing } else { Wish::Workers(desired as u32) };
        Verdict::new(wish, reason)
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        Millis::from_secs(5)
    }

    fn state(&self) -> ConfigMap {
        ConfigMap::from_iter([("worker_count".to_owned(), self.worker_count.into())])
    }
}
// ANCHOR_END: rule

fn main() -> Result<(), ConfigError> {
    let config = ConfigMap::from_iter([("max_count".to_owned(), json!("4"))]);
    let mut rule = Proportional::new(&config, &ConfigMap::new())?;
    for (at, backlog) in [(0, 0), (5, 7), (10, 31), (15, 90), (20, 12)] {
        let now = Timestamp::from_millis(at * 1000);
        let context =
            Context { now, strategy: LaunchStrategy::WorkerSet, observation: &Observation::default() };
        let queue = QueueMetrics { last_backlog_count: backlog, ..QueueMetrics::default() };
        let metrics = MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() };
        let verdict = rule.on_metrics(context, &metrics);
        let why = verdict.reason.map(|reason| reason.explain("proportional")).unwrap_or_default();
        println!("{at:>3} s  {:?}  {why}", verdict.wish);
    }
    println!("next look in {}, state {}", rule.poll_interval(Timestamp::EPOCH), json!(rule.state()));
    Ok(())
}
