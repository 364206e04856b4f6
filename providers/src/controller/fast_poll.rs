//! Signals for servers without the hook: one long activity a namespace reads every version round robin and signals
//! what the hook would have told.
//!
//! A backlog that has grown is one signal whose count is the growth; an age that has crossed the threshold upwards is
//! one more. An unchanged answer sends nothing. What grows and shrinks between two looks is not seen.

use super::client::Client;
use super::statistics::{VersionQueue, read_queues};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use temporalio_client::errors::WorkflowStartError;
use temporalio_client::{RetryPolicy, WorkflowIdConflictPolicy, WorkflowStartOptions};
use temporalio_sdk::activities::{ActivityContext, ActivityError, activities};
use temporalio_sdk::workflows::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCloseTimeouts, ActivityOptions, ContinueAsNewOptions, WorkflowContext, WorkflowResult,
};
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::metrics::TaskQueueType;
use wci_core::signals::{Batch, TaskAdd};

/// Reads a second: what the paced reads leave of the server's 50.
const READS_PER_SECOND: f64 = 10.0;
/// The list of controllers is read again after so long.
const LIST_EVERY: Duration = Duration::from_secs(5);
/// A head that has waited so long raises one signal of its own, in milliseconds.
const OLD: i64 = 10_000;
/// One activity lasts so long; then the next one begins.
const TURN: Duration = Duration::from_secs(3600);
const WORKFLOW_ID: &str = "wci-fast-poll";

/// What was last seen of each task queue of a version, by name and type: backlog and age.
#[derive(Default)]
struct Seen {
    queues: BTreeMap<(String, usize), (i64, i64)>,
}

impl Seen {
    /// The signals that a new answer is worth.
    fn compare(&mut self, queues: &[VersionQueue]) -> Vec<TaskAdd> {
        let mut signals = Vec::new();
        for queue in queues.iter().filter(|queue| queue.task_type != TaskQueueType::Nexus) {
            let key = (queue.name.clone(), queue.task_type.index());
            let (count, age) = (queue.metrics.last_backlog_count, queue.metrics.last_backlog_age);
            let (last_count, last_age) = self.queues.insert(key, (count, age)).unwrap_or_default();
            let growth = u32::try_from(count - last_count).unwrap_or(0);
            if growth > 0 {
                signals.push(signal(queue, growth));
            }
            if count > 0 && age >= OLD && last_age < OLD {
                signals.push(signal(queue, 1));
            }
        }
        signals
    }
}

/// A batch of adds that found no worker, as the hook would have sent it.
fn signal(queue: &VersionQueue, count: u32) -> TaskAdd {
    let batch = Batch { is_sync_match: false, sync: 0, no_sync: count, rate_limited: 0 };
    batch.into_signal(queue.name.as_str().into(), queue.task_type)
}

/// What the workflow hands to its activity; nothing yet, but room for more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {}

/// The activity's side.
pub struct FastPoll {
    pub client: Client,
}

#[activities]
impl FastPoll {
    #[activity(name = "fast-poll")]
    pub async fn poll(self: Arc<Self>, ctx: ActivityContext, _turn: Turn) -> Result<(), ActivityError> {
        let begun = Instant::now();
        let mut round = Round::default();
        while begun.elapsed() < TURN && !ctx.is_cancelled() {
            ctx.record_heartbeat(round.reads).await?;
            round.step(&self.client).await;
        }
        Ok(())
    }
}

/// Where the round robin stands.
#[derive(Default)]
struct Round {
    versions: Vec<WorkerDeploymentVersion>,
    listed_at: Option<Instant>,
    next: usize,
    begun_at: Option<Instant>,
    told_period: Option<f64>,
    seen: BTreeMap<(String, String), Seen>,
    reads: u64,
}

impl Round {
    /// One read, and the pause that keeps the pace.
    async fn step(&mut self, client: &Client) {
        if self.listed_at.is_none_or(|at| at.elapsed() >= LIST_EVERY) {
            self.list(client).await;
        }
        tokio::time::sleep(Duration::from_secs_f64(1.0 / READS_PER_SECOND)).await;
        let Some(version) = self.versions.get(self.next).cloned() else {
            self.end_of_round();
            return;
        };
        self.next += 1;
        self.reads += 1;
        let Ok(queues) = read_queues(client.temporal(), &version, true).await else { return };
        let key = (version.deployment_name.clone(), version.build_id.clone());
        for signal in self.seen.entry(key).or_default().compare(&queues) {
            if let Err(e) = client.signal_task_add(&version, &signal).await {
                tracing::warn!(error = %e, "a signal of fast-poll is lost");
            }
        }
    }

    async fn list(&mut self, client: &Client) {
        self.listed_at = Some(Instant::now());
        match client.list_all().await {
            Ok(all) => {
                let version = |one: super::client::Summary| WorkerDeploymentVersion {
                    deployment_name: one.deployment_name,
                    build_id: one.build_id,
                };
                self.versions = all.into_iter().map(version).collect();
                let versions = &self.versions;
                self.seen.retain(|key, _| {
                    versions.iter().any(|v| (&v.deployment_name, &v.build_id) == (&key.0, &key.1))
                });
            }
            Err(e) => tracing::warn!(error = %e, "fast-poll goes on with the controllers it knows"),
        }
    }

    /// Says the period that is really held, when it has changed much.
    fn end_of_round(&mut self) {
        self.next = 0;
        let period = self.begun_at.replace(Instant::now()).map(|at| at.elapsed().as_secs_f64());
        let Some(period) = period.filter(|_| !self.versions.is_empty()) else { return };
        if self.told_period.is_none_or(|told| (period / told - 1.0).abs() > 0.25) {
            tracing::info!(
                versions = self.versions.len(),
                period_secs = period,
                "fast-poll holds this period"
            );
            self.told_period = Some(period);
        }
    }
}

/// Keeps one such activity running in the namespace, whichever process carries it out.
#[workflow]
#[derive(Default)]
pub struct FastPollWorkflow;

#[workflow_methods]
impl FastPollWorkflow {
    /// One turn after the other.
    #[run(name = "wci-fast-poll-workflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, turn: Turn) -> WorkflowResult<()> {
        for _ in 0..100 {
            let options = ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::StartToClose(2 * TURN))
                .heartbeat_timeout(Duration::from_secs(10))
                .retry_policy(RetryPolicy::builder().maximum_interval(Duration::from_secs(5)).build())
                .build();
            ctx.execute_activity(FastPoll::poll, turn.clone(), options).await?;
        }
        ctx.continue_as_new(turn, ContinueAsNewOptions::default())?;
        Ok(())
    }
}

/// Starts the workflow unless it runs already.
pub(super) async fn ensure(client: &temporalio_client::Client, task_queue: &str) -> Result<(), String> {
    let options = WorkflowStartOptions::new(task_queue.to_owned(), WORKFLOW_ID.to_owned())
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .build();
    match client.start_workflow(FastPollWorkflow::run, Turn::default(), options).await {
        Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
        Err(e) => Err(format!("fast-poll does not start: {}", crate::error::chain(&e))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::metrics::QueueMetrics;

    fn queue(count: i64, age: i64) -> VersionQueue {
        VersionQueue {
            name: "q".into(),
            task_type: TaskQueueType::Activity,
            metrics: QueueMetrics {
                last_backlog_count: count,
                last_backlog_age: age,
                ..QueueMetrics::default()
            },
        }
    }

    #[test]
    fn growth_is_told_once_and_by_its_size() {
        let mut seen = Seen::default();
        let counts = |signals: Vec<TaskAdd>| {
            signals.iter().map(|s| s.no_sync_match_signals_batched).collect::<Vec<_>>()
        };
        assert_eq!(counts(seen.compare(&[queue(3, 0)])), [3]);
        assert_eq!(counts(seen.compare(&[queue(3, 0)])), [0; 0]);
        assert_eq!(counts(seen.compare(&[queue(5, 0)])), [2]);
        assert_eq!(counts(seen.compare(&[queue(1, 0)])), [0; 0]);
        assert!(seen.compare(&[queue(2, 0)])[0].is_eligible());
    }

    #[test]
    fn an_old_head_is_told_when_it_becomes_old() {
        let mut seen = Seen::default();
        assert_eq!(seen.compare(&[queue(1, OLD - 1)]).len(), 1);
        assert_eq!(seen.compare(&[queue(1, OLD)]).len(), 1);
        assert_eq!(seen.compare(&[queue(1, OLD + 5000)]).len(), 0);
        assert_eq!(seen.compare(&[queue(1, 0)]).len(), 0);
        assert_eq!(seen.compare(&[queue(1, OLD)]).len(), 1);
    }
}
