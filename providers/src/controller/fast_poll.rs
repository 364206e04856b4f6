//! Signals for servers without the hook: one long activity a task queue reads every version that is served from it,
//! round robin, and signals what the hook would have told.
//!
//! A backlog that has grown is one signal whose count is the growth; an age that has crossed the threshold upwards is
//! one more. An unchanged answer sends nothing. What grows and shrinks between two looks is not seen.

pub(crate) mod life;
mod seen;

use super::activities::telling;
use super::client::{Client, Summary};
use super::pace::Pace;
use super::statistics::{VersionQueue, read_queues};
use crate::error::ProviderError;
use seen::Seen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use temporalio_client::RetryPolicy;
use temporalio_sdk::activities::{ActivityContext, ActivityError, activities};
use temporalio_sdk::workflows::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCloseTimeouts, ActivityOptions, ContinueAsNewOptions, WorkflowContext, WorkflowResult,
};
use tokio::sync::watch;
use wci_core::controller::{FailureClass, WorkerDeploymentVersion};

/// Reads a second: what the paced reads leave of the server's 50.
const READS_PER_SECOND: u32 = 10;
/// The list of controllers is read again after so long.
const LIST_EVERY: Duration = Duration::from_secs(5);
/// How often the activity says how far it is. The SDK sends only some of it on.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// One activity lasts so long; then the next one goes on.
const TURN: Duration = Duration::from_secs(3600);
/// A process that is silent for so long has died.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// What one activity leaves to the next: through its result, or through its last heartbeat if its process died.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {
    seen: Seen,
    /// Versions that are read in turn.
    pub(super) versions: usize,
    /// The time that a round over all of them really takes.
    pub(super) period_secs: Option<f64>,
}

/// The activity's side.
pub struct FastPoll {
    pub client: Client,
    /// The task queue whose controllers are signalled.
    pub task_queue: String,
    /// Told when this process stops.
    pub stopping: watch::Receiver<bool>,
}

#[activities]
impl FastPoll {
    #[activity(name = "fast-poll")]
    pub async fn poll(self: Arc<Self>, ctx: ActivityContext, turn: Turn) -> Result<Turn, ActivityError> {
        let left_behind = ctx.heartbeat_details().deserialize::<Turn>().ok().flatten();
        let mut round = Round::new(left_behind.unwrap_or(turn));
        let (begun, mut told_at) = (Instant::now(), Instant::now());
        let mut stopping = self.stopping.clone();
        let mut stopped = std::pin::pin!(stopping.wait_for(|is_told| *is_told));
        while begun.elapsed() < TURN {
            let so_far = round.turn.clone();
            // A read asks the controller itself for its spec, so one under way while its process stops would hang.
            // Whoever goes on reads again; what was seen is always told before that.
            let seen = tokio::select! {
                seen = telling(&ctx, so_far, round.look(&self.client, &self.task_queue)) => seen,
                _ = stopped.as_mut() => break,
                () = ctx.cancelled() => break,
            };
            round.tell(&self.client, seen).await;
            if told_at.elapsed() >= TELL_EVERY {
                told_at = Instant::now();
                ctx.record_heartbeat(round.turn.clone()).await?;
            }
        }
        tracing::info!(self.task_queue, "fast-poll does not read any more here");
        Ok(round.turn)
    }
}

/// A version, and its task queues.
type Answer = (WorkerDeploymentVersion, Result<Vec<VersionQueue>, ProviderError>);

/// Where the round robin stands.
struct Round {
    turn: Turn,
    pace: Pace,
    versions: Vec<WorkerDeploymentVersion>,
    listed_at: Option<Instant>,
    next: usize,
    begun_at: Option<Instant>,
    /// Versions that could not be read, and why: told once, and again when the reason changes.
    unread: BTreeMap<(String, String), FailureClass>,
}

impl Round {
    fn new(turn: Turn) -> Self {
        let pace = Pace::a_second(READS_PER_SECOND);
        Self {
            turn,
            pace,
            versions: Vec::new(),
            listed_at: None,
            next: 0,
            begun_at: None,
            unread: BTreeMap::new(),
        }
    }

    /// One read, at its turn: of which version, and what it said.
    async fn look(&mut self, client: &Client, task_queue: &str) -> Option<Answer> {
        if self.listed_at.is_none_or(|at| at.elapsed() >= LIST_EVERY) {
            self.list(client, task_queue).await;
        }
        self.pace.turn().await;
        let version = self.versions.get(self.next)?.clone();
        let queues = read_queues(client.temporal(), &version, true).await;
        Some((version, queues))
    }

    /// Signals what an answer is worth. After the last version nothing comes, and the next round begins.
    async fn tell(&mut self, client: &Client, answer: Option<Answer>) {
        let Some((version, queues)) = answer else {
            self.end_of_round();
            return;
        };
        self.next += 1;
        let name = (version.deployment_name.clone(), version.build_id.clone());
        let queues = match queues {
            Ok(queues) => queues,
            Err(e) => {
                if self.unread.insert(name, e.class) != Some(e.class) {
                    tracing::warn!(error = %e, "fast-poll cannot see this version's work");
                }
                return;
            }
        };
        self.unread.remove(&name);
        for signal in self.turn.seen.compare(&version, &queues) {
            if let Err(e) = client.signal_task_add(&version, &signal).await {
                tracing::warn!(error = %e, "a signal of fast-poll is lost");
            }
        }
    }

    async fn list(&mut self, client: &Client, task_queue: &str) {
        self.listed_at = Some(Instant::now());
        match client.list_all().await {
            Ok(all) => {
                self.versions = served_from(all, task_queue);
                self.turn.versions = self.versions.len();
                self.turn.seen.keep(&self.versions);
            }
            Err(e) => tracing::warn!(error = %e, "fast-poll goes on with the controllers it knows"),
        }
    }

    /// Says the period that is really held, when it has changed much.
    fn end_of_round(&mut self) {
        self.next = 0;
        let period = self.begun_at.replace(Instant::now()).map(|at| at.elapsed().as_secs_f64());
        let Some(period) = period.filter(|_| !self.versions.is_empty()) else { return };
        if self.turn.period_secs.is_none_or(|told| (period / told - 1.0).abs() > 0.25) {
            tracing::info!(
                versions = self.versions.len(),
                period_secs = period,
                "fast-poll holds this period"
            );
            self.turn.period_secs = Some(period);
        }
    }
}

/// The controllers that this task queue serves: those of another one have a fast-poll of their own, and the
/// original's are none of ours.
fn served_from(all: Vec<Summary>, task_queue: &str) -> Vec<WorkerDeploymentVersion> {
    let ours = all.into_iter().filter(|one| one.task_queue == task_queue);
    ours.map(|one| WorkerDeploymentVersion { deployment_name: one.deployment_name, build_id: one.build_id })
        .collect()
}

/// Keeps one such activity running, whichever process of the task queue carries it out.
#[workflow]
#[derive(Default)]
pub struct FastPollWorkflow;

#[workflow_methods]
impl FastPollWorkflow {
    /// One turn after the other.
    #[run(name = "wci-fast-poll-workflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, mut turn: Turn) -> WorkflowResult<()> {
        for _ in 0..100 {
            let options = ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::StartToClose(2 * TURN))
                .heartbeat_timeout(HEARTBEAT_TIMEOUT)
                .retry_policy(RetryPolicy::builder().maximum_interval(Duration::from_secs(5)).build())
                .build();
            turn = ctx.execute_activity(FastPoll::poll, turn, options).await?;
        }
        ctx.continue_as_new(turn, ContinueAsNewOptions::default())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_of_another_task_queue_are_left_alone() {
        let summary = |name: &str, task_queue: &str| Summary {
            deployment_name: name.into(),
            build_id: "1".into(),
            task_queue: task_queue.into(),
            ..Summary::default()
        };
        let all = vec![summary("a", "mine"), summary("b", "temporal-sys-per-ns-tq"), summary("c", "")];
        let names: Vec<_> = served_from(all, "mine").into_iter().map(|v| v.deployment_name).collect();
        assert_eq!(names, ["a"]);
    }
}
