//! Fast-poll as a thing that is started, found and stopped: one workflow for each task queue of a namespace.

use super::{FastPollWorkflow, Turn};
use crate::controller::Client;
use crate::controller::client::ClientError;
use crate::controller::messages::{decode, server, timed};
use serde::Serialize;
use std::time::SystemTime;
use temporalio_client::errors::WorkflowStartError;
use temporalio_client::tonic::Code;
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowStartOptions};
use temporalio_common::protos::temporal::api::common::v1::WorkflowExecution;
use temporalio_common::protos::temporal::api::enums::v1::WorkflowExecutionStatus;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;

/// The workflow that polls for the controllers of a task queue.
pub(crate) fn workflow_id(task_queue: &str) -> String {
    format!("wci-fast-poll:{task_queue}")
}

/// A fast-poll that runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Standing {
    /// The task queue whose controllers are signalled.
    pub(crate) task_queue: String,
    /// The process that reads now; none waits for one.
    pub(crate) worker: Option<String>,
    /// Seconds since that process last said that it is alive.
    pub(crate) heard_secs_ago: Option<u64>,
    /// Versions that are read in turn, as last heard.
    pub(crate) versions: usize,
    /// The time that a round over all of them really takes, as last heard.
    pub(crate) period_secs: Option<f64>,
}

/// Starts it unless it runs already.
pub(crate) async fn start(client: &temporalio_client::Client, task_queue: &str) -> Result<(), String> {
    let options = WorkflowStartOptions::new(task_queue.to_owned(), workflow_id(task_queue))
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .build();
    match client.start_workflow(FastPollWorkflow::run, Turn::default(), options).await {
        Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
        Err(e) => Err(format!("fast-poll does not start: {}", crate::error::chain(&e))),
    }
}

/// How it stands, if it runs.
pub(crate) async fn find(client: &Client, task_queue: &str) -> Result<Option<Standing>, ClientError> {
    let temporal = client.temporal();
    let request = api::DescribeWorkflowExecutionRequest {
        namespace: temporal.options().namespace.clone(),
        execution: Some(execution(task_queue)),
    };
    let mut service = temporal.connection().workflow_service();
    match service.describe_workflow_execution(timed(request)).await {
        Ok(answer) => Ok(standing(task_queue, &answer.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(server("looking for fast-poll", &status)),
    }
}

/// Stops it, whether or not any process serves it. Nothing that it has told is taken back; what is stopped already
/// is as good.
pub(crate) async fn stop(client: &Client, task_queue: &str) -> Result<(), ClientError> {
    let temporal = client.temporal();
    let request = api::TerminateWorkflowExecutionRequest {
        namespace: temporal.options().namespace.clone(),
        workflow_execution: Some(execution(task_queue)),
        reason: "stopped by `wci-controller fast-poll stop`".into(),
        identity: temporal.connection().identity().to_owned(),
        ..api::TerminateWorkflowExecutionRequest::default()
    };
    let mut service = temporal.connection().workflow_service();
    match service.terminate_workflow_execution(timed(request)).await {
        Err(status) if status.code() != Code::NotFound => Err(server("stopping fast-poll", &status)),
        _ => Ok(()),
    }
}

fn execution(task_queue: &str) -> WorkflowExecution {
    WorkflowExecution { workflow_id: workflow_id(task_queue), run_id: String::new() }
}

fn standing(task_queue: &str, answer: &api::DescribeWorkflowExecutionResponse) -> Option<Standing> {
    let info = answer.workflow_execution_info.as_ref()?;
    if info.status() != WorkflowExecutionStatus::Running {
        return None;
    }
    let activity = answer.pending_activities.first();
    let heard = activity.and_then(|activity| activity.last_heartbeat_time);
    let heard = heard.and_then(|at| SystemTime::try_from(at).ok()?.elapsed().ok());
    let details = activity.and_then(|activity| activity.heartbeat_details.as_ref()?.payloads.first());
    let turn: Option<Turn> = details.and_then(|payload| decode(Some(payload)).ok());
    let turn = turn.unwrap_or_default();
    Some(Standing {
        task_queue: task_queue.to_owned(),
        worker: activity.map(|a| a.last_worker_identity.clone()).filter(|worker| !worker.is_empty()),
        heard_secs_ago: heard.map(|ago| ago.as_secs()),
        versions: turn.versions,
        period_secs: turn.period_secs,
    })
}
