//! Whether this program can go on with what stands in history: it must order again what was ordered then.

use super::Histories;
use crate::controller::client::ClientError;
use crate::controller::data_converter;
use crate::controller::workflow::InstanceWorkflow;
use crate::error::ProviderError;
use temporalio_client::WorkflowHistory;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{History, HistoryEvent};
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayFailure, WorkflowReplayer, WorkflowReplayerOptions,
};

/// What became of replaying a controller's runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many runs the server still had.
    pub runs: usize,
    /// The runs that this program cannot go on with, each with what it says of it.
    pub failed: Vec<(String, String)>,
}

impl Histories<'_> {
    /// Replays every run that the server still has, as a process does that takes the controller over.
    ///
    /// # Errors
    /// When there is no such controller, or the server cannot be asked.
    pub async fn replay(&self) -> Result<Replayed, ClientError> {
        let mut replayed = Replayed::default();
        let mut run = Vec::new();
        self.events(false, async |event| {
            if event.event_id == 1 {
                replayed.take(std::mem::take(&mut run)).await?;
            }
            run.push(event);
            Ok(())
        })
        .await?;
        replayed.take(run).await?;
        Ok(replayed)
    }
}

impl Replayed {
    async fn take(&mut self, run: Vec<HistoryEvent>) -> Result<(), ClientError> {
        let Some(run_id) = run.first().and_then(run_id) else { return Ok(()) };
        self.runs += 1;
        self.failed.extend(why_not(run).await?.map(|why| (run_id, why)));
        Ok(())
    }
}

fn run_id(first: &HistoryEvent) -> Option<String> {
    match &first.attributes {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
            Some(started.original_execution_run_id.clone())
        }
        _ => None,
    }
}

/// Why what a run has done up to now cannot be replayed, if it cannot.
pub(in crate::controller) async fn why_not(run: Vec<HistoryEvent>) -> Result<Option<String>, ClientError> {
    let events = without_open_task(run);
    if events.is_empty() {
        return Ok(None);
    }
    replay(History { events }.into()).await.map_err(|e| {
        ClientError::Server(ProviderError::unavailable(format!("the history was not replayed: {e}")))
    })
}

/// Of a task that is under way nothing is known yet, and what the replayer is given must end one.
fn without_open_task(mut events: Vec<HistoryEvent>) -> Vec<HistoryEvent> {
    let is_told = |event: &HistoryEvent| {
        matches!(event.attributes, Some(Attributes::WorkflowTaskCompletedEventAttributes(_)))
    };
    let begins_task = |event: &HistoryEvent| {
        matches!(event.attributes, Some(Attributes::WorkflowTaskStartedEventAttributes(_)))
    };
    let told = events.iter().rposition(is_told).map_or(0, |told| told + 1);
    let open = events[told..].iter().position(begins_task);
    events.truncate(if told == 0 { 0 } else { open.map_or(events.len(), |open| told + open) });
    events
}

/// Replays one run; what comes back is why it cannot be. No activity is registered, so a decision can come from nowhere
/// but the record.
pub(in crate::controller) async fn replay(history: WorkflowHistory) -> Result<Option<String>, String> {
    let options = WorkflowReplayerOptions::new()
        .data_converter(data_converter())
        .register_workflow::<InstanceWorkflow>()
        .map_err(|e| e.to_string())?
        .build();
    let replayer = WorkflowReplayer::new(options).map_err(|e| e.to_string())?;
    match replayer.replay_workflow(history).await {
        Ok(()) => Ok(None),
        // What else goes wrong says nothing of the history.
        Err(WorkflowReplayError::Replay(
            failure @ (WorkflowReplayFailure::Nondeterminism { .. }
            | WorkflowReplayFailure::WorkflowTaskFailure { .. }
            | WorkflowReplayFailure::Internal { .. }),
        )) => Ok(Some(failure.to_string())),
        Err(e) => Err(e.to_string()),
    }
}
