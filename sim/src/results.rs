//! What a run says: the summary whose keys are part of the interface, timelines, and the decision log.

use crate::pool::Pool;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wci_core::Decision;
use wci_core::controller::FailureClass;

/// The result of one run. Durations are milliseconds; an infinite quantile is `None` and named in `censored`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// 64-bit digest of everything that happened, 16 hexadecimal digits.
    pub digest: String,
    /// Which waiting poll a task took.
    pub routing: crate::model::Routing,
    /// The figures of all groups together.
    #[serde(flatten)]
    pub total: Figures,
    /// The same for each group.
    pub groups: BTreeMap<String, Figures>,
}

/// The figures of a group or of all together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The backlog grew over the last half, did not drain, or passed its limit.
    pub overloaded: bool,
    /// Where the tasks are.
    pub tasks: Tasks,
    /// Sync matches over adds, of measured tasks' attempts.
    pub sync_match_ratio: Option<f64>,
    /// Match minus add, an attempt a value.
    pub schedule_to_start: Quantiles,
    /// Completion minus first add, a task a value.
    pub sojourn: Quantiles,
    /// Waiting tasks over time.
    pub backlog: Backlog,
    /// Workers over time.
    pub workers: Workers,
    /// What the controller had done.
    pub actions: ActionCounts,
    /// What it cost.
    pub cost_usd: Cost,
}

/// Task counts; arrived = completed + waiting + running + retrying + failed + rejected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tasks {
    /// First adds.
    pub arrived: u64,
    /// Arrived in [warm_up, horizon).
    pub measured: u64,
    /// Done.
    pub completed: u64,
    /// In a backlog at the end.
    pub waiting: u64,
    /// With a worker at the end.
    pub running: u64,
    /// Lost until their timeout, or backing off, at the end.
    pub retrying: u64,
    /// Out of attempts.
    pub failed: u64,
    /// Refused by the provider (per-request mode).
    pub rejected: u64,
}

/// Mean and quantiles in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Mean; a lower bound when tasks still wait.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90 % are not longer.
    pub p90: Option<f64>,
    /// 95 % are not longer.
    pub p95: Option<f64>,
    /// 99 % are not longer.
    pub p99: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Names of the values above that are lower bounds or infinite.
    pub censored: Vec<String>,
}

/// Waiting tasks over [warm_up, end).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Backlog {
    /// Time average.
    pub mean: f64,
    /// Most at once.
    pub max: u64,
    /// Age of the oldest waiting task, its maximum (ms).
    pub max_age: f64,
}

/// Workers over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workers {
    /// Time average of starting, ready and draining ones, over [warm_up, horizon).
    pub mean: f64,
    /// Most at once.
    pub max: u64,
    /// Started in all.
    pub started: u64,
    /// Ended without having run a task.
    pub never_used: u64,
    /// Measured tasks matched by a worker that was not ready when they were added / measured tasks.
    pub cold_start_ratio: Option<f64>,
    /// Time of all workers from start to end (s).
    pub worker_seconds: f64,
    /// Time of slots that held a task (s).
    pub busy_slot_seconds: f64,
    /// Of these, time of tasks that were lost (s).
    pub lost_slot_seconds: f64,
    /// Busy slot time / slot time of ready and draining workers.
    pub utilization: Option<f64>,
}

/// What the controller had done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionCounts {
    /// Invocations.
    pub invoke_worker: u64,
    /// Changes of a set's size.
    pub set_worker_set_size: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Batched adds that a limit kept from starting workers.
    pub throttled: u64,
}

/// What it cost (USD).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// In all.
    pub total: f64,
    /// By group; empty inside a group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, f64>,
}

/// How fast the run was; outside every comparison of bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Events handled.
    pub events: u64,
    /// Time it took (s).
    pub wall_seconds: f64,
    /// Completed tasks per second of that time.
    pub tasks_per_second: f64,
    /// Largest resident memory of the process.
    pub peak_rss_bytes: u64,
}

/// One window of a timeline. Rates are per second, counts are time averages unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Start of the window, seconds since the simulation's start.
    pub t_s: f64,
    /// Waiting tasks.
    pub backlog: f64,
    /// Waiting tasks, most at once.
    pub backlog_max: u64,
    /// Adds per second.
    pub arrival_rate: f64,
    /// Matches per second.
    pub dispatch_rate: f64,
    /// Completions per second.
    pub completion_rate: f64,
    /// Share of adds that were sync matches; `None` without adds.
    pub sync_match_ratio: Option<f64>,
    /// Workers that start.
    pub workers_starting: f64,
    /// Workers that are ready.
    pub workers_ready: f64,
    /// Workers that drain.
    pub workers_draining: f64,
    /// Slots that hold a task.
    pub busy_slots: f64,
    /// Slots of ready and draining workers.
    pub slots: f64,
    /// Cost accrued in the window (USD).
    pub cost_usd: f64,
    /// Median wait of the tasks matched in the window (ms); `None`: no match, a gap.
    pub schedule_to_start_p50_ms: Option<f64>,
    /// 95th percentile.
    pub schedule_to_start_p95_ms: Option<f64>,
    /// 99th percentile.
    pub schedule_to_start_p99_ms: Option<f64>,
}

/// The course of a run in at most 2,000 windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Width of a window (s).
    pub window_s: f64,
    /// All groups together.
    pub total: Vec<TimelineRow>,
    /// By group.
    pub groups: BTreeMap<String, Vec<TimelineRow>>,
}

/// A decision with its time: one line of decisions.jsonl.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedDecision {
    /// Unix epoch milliseconds.
    pub t: i64,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why the call to the provider failed that this decision caused; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureClass>,
}

impl TimedDecision {
    /// A decision whose call, if it causes one, has not failed.
    #[must_use]
    pub const fn new(t: i64, decision: Decision) -> Self {
        Self { t, decision, failure: None }
    }

    /// Whether it caused an action.
    #[must_use]
    pub const fn acted(&self) -> bool {
        self.decision.action_id.is_some()
    }
}

/// How often one kind of decision fell, with an example that explains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionCount {
    /// Whether it caused an action.
    pub acted: bool,
    /// How often.
    pub count: u64,
    /// Of these, how many calls to the provider failed.
    #[serde(default)]
    pub failed: u64,
    /// The first of them.
    pub first: TimedDecision,
    /// Time of the last (Unix epoch ms).
    pub last_t: i64,
}

/// The decisions a report and a page hold; all of them are in decisions.jsonl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionLog {
    /// Decisions in all.
    pub total: u64,
    /// First, last and most telling ones, in time order, without doubles.
    pub listed: Vec<TimedDecision>,
    /// Groups of equal decisions (same group, rule, limit and whether it acted), most frequent first.
    pub counts: Vec<DecisionCount>,
    /// How many calls to the provider failed, by why.
    #[serde(default)]
    pub failures: BTreeMap<FailureClass, u64>,
}

/// Workers of one group or of all, by where their life stands: time averages over [warm_up, horizon).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerMeans {
    /// Workers that start.
    pub starting: f64,
    /// Workers that are ready, with a task or without.
    pub ready: f64,
    /// Workers that drain.
    pub draining: f64,
    /// Slots that hold a task.
    pub busy_slots: f64,
}

/// All of a finished run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The figures.
    pub summary: Summary,
    /// The summary's mean number of workers in its parts, all groups together.
    pub worker_means: WorkerMeans,
    /// How fast it was; the caller fills in wall time and memory.
    pub performance: Performance,
    /// The course.
    pub timeline: Timeline,
    /// Decisions to show.
    pub decisions: DecisionLog,
    /// What a reader should know (assumed service models, skipped records, ..).
    pub notes: Vec<String>,
    /// What replications are pooled from, by group.
    pub pools: BTreeMap<String, Pool>,
}
