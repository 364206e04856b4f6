//! The requests that change a controller: an update of a running one, or of one that is started with it.

use super::{Client, ClientError, PATIENCE};
use crate::controller::contract::{DIVISION, DIVISION_ATTRIBUTE, Start, WORKFLOW_TYPE, workflow_id};
use crate::controller::messages::{execution, is_busy, keyword, missing_or, payloads, result, server, timed};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use temporalio_client::tonic::{Code, Status};
use temporalio_common::protos::temporal::api::common::v1::{
    Payloads, SearchAttributes, WorkflowExecution, WorkflowType,
};
use temporalio_common::protos::temporal::api::enums::v1::{
    UpdateWorkflowExecutionLifecycleStage, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
};
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_common::protos::temporal::api::update::v1 as update;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use wci_core::controller::{Update, WorkerDeploymentVersion};

impl Client {
    pub(super) async fn update_running(
        &self,
        version: &WorkerDeploymentVersion,
        name: &str,
        message: &Update,
        id: &str,
    ) -> Result<Result<Payloads, ClientError>, Status> {
        let request = self.update_request(version, name, message, id);
        loop {
            let answer = self.service().update_workflow_execution(timed(request.clone())).await?.into_inner();
            if let Some(outcome) = answer.outcome {
                return Ok(result(outcome));
            }
        }
    }

    pub(super) async fn update_or_start(
        &self,
        version: &WorkerDeploymentVersion,
        name: &str,
        message: &Update,
        id: &str,
    ) -> Result<Result<Payloads, ClientError>, Status> {
        let start = Start {
            namespace_name: self.namespace(),
            namespace_id: self.namespace_id().await?,
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
            goes_by_record: true,
            is_strict: true,
            ..Start::default()
        };
        let mut has_division = true;
        loop {
            let start = self.start_request(&start, &self.task_queue, id, has_division);
            let update = self.update_request(version, name, message, id);
            let operation =
                |operation| api::execute_multi_operation_request::Operation { operation: Some(operation) };
            use api::execute_multi_operation_request::operation::Operation;
            let request = api::ExecuteMultiOperationRequest {
                namespace: self.namespace(),
                operations: vec![
                    operation(Operation::StartWorkflow(start)),
                    operation(Operation::UpdateWorkflow(update)),
                ],
                ..api::ExecuteMultiOperationRequest::default()
            };
            let answer = match self.service().execute_multi_operation(timed(request)).await {
                Ok(answer) => answer.into_inner(),
                Err(status) if has_division && status.code() == Code::InvalidArgument => {
                    has_division = false;
                    continue;
                }
                Err(status) => return Err(status),
            };
            use api::execute_multi_operation_response::response::Response;
            let mut updates = answer.responses.into_iter().filter_map(|response| match response.response {
                Some(Response::UpdateWorkflow(answer)) => answer.outcome,
                _ => None,
            });
            match updates.next() {
                Some(outcome) => return Ok(result(outcome)),
                // It runs now and has the update; its end is still to come.
                None => return self.update_running(version, name, message, id).await,
            }
        }
    }

    /// Begins a new run in the place of this one, which ends; false if it is no longer the one that goes on. The server
    /// ends whatever run there is, so each try looks first.
    pub(in crate::controller) async fn supersede(
        &self,
        start: &Start,
        task_queue: &str,
        run_id: &str,
    ) -> Result<bool, ClientError> {
        let begun = Instant::now();
        let mut has_division = true;
        while self.is_current(&start.version(), run_id).await? {
            let request = api::StartWorkflowExecutionRequest {
                workflow_id_conflict_policy: WorkflowIdConflictPolicy::TerminateExisting.into(),
                // Whoever else does the same for the same run asks for the same thing.
                ..self.start_request(start, task_queue, &format!("recover:{run_id}"), has_division)
            };
            match self.service().start_workflow_execution(timed(request)).await {
                Ok(_) => return Ok(true),
                Err(status) if has_division && status.code() == Code::InvalidArgument => has_division = false,
                Err(status) if is_busy(&status) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(status) => return Err(server("beginning a new run", &status)),
            }
        }
        Ok(false)
    }

    /// Ends this run at once.
    pub(in crate::controller) async fn terminate(
        &self,
        version: &WorkerDeploymentVersion,
        run_id: &str,
        reason: &str,
    ) -> Result<(), ClientError> {
        let request = api::TerminateWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id: workflow_id(version),
                run_id: run_id.to_owned(),
            }),
            reason: reason.to_owned(),
            identity: self.identity(),
            ..api::TerminateWorkflowExecutionRequest::default()
        };
        let answer = self.service().terminate_workflow_execution(timed(request)).await;
        answer.map(drop).map_err(|status| missing_or(version, "ending the run", &status))
    }

    fn start_request(
        &self,
        start: &Start,
        task_queue: &str,
        id: &str,
        has_division: bool,
    ) -> api::StartWorkflowExecutionRequest {
        let division = HashMap::from([(DIVISION_ATTRIBUTE.to_owned(), keyword(DIVISION))]);
        api::StartWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_id: workflow_id(&start.version()),
            workflow_type: Some(WorkflowType { name: WORKFLOW_TYPE.into() }),
            task_queue: Some(TaskQueue { name: task_queue.to_owned(), ..TaskQueue::default() }),
            input: Some(payloads(start)),
            identity: self.identity(),
            request_id: id.to_owned(),
            workflow_id_reuse_policy: WorkflowIdReusePolicy::AllowDuplicate.into(),
            workflow_id_conflict_policy: WorkflowIdConflictPolicy::UseExisting.into(),
            search_attributes: has_division.then_some(SearchAttributes { indexed_fields: division }),
            ..api::StartWorkflowExecutionRequest::default()
        }
    }

    fn update_request(
        &self,
        version: &WorkerDeploymentVersion,
        name: &str,
        message: &Update,
        id: &str,
    ) -> api::UpdateWorkflowExecutionRequest {
        let identity = if message.identity.is_empty() { self.identity() } else { message.identity.clone() };
        let args = payloads(message);
        let stage = UpdateWorkflowExecutionLifecycleStage::Completed.into();
        api::UpdateWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_execution: Some(execution(version)),
            wait_policy: Some(update::WaitPolicy { lifecycle_stage: stage }),
            request: Some(update::Request {
                meta: Some(update::Meta { update_id: id.to_owned(), identity }),
                input: Some(update::Input {
                    name: name.to_owned(),
                    args: Some(args),
                    ..update::Input::default()
                }),
                ..update::Request::default()
            }),
            ..api::UpdateWorkflowExecutionRequest::default()
        }
    }

    async fn namespace_id(&self) -> Result<String, Status> {
        let request = api::DescribeNamespaceRequest {
            namespace: self.namespace(),
            ..api::DescribeNamespaceRequest::default()
        };
        let answer = self.service().describe_namespace(timed(request)).await?;
        Ok(answer.into_inner().namespace_info.unwrap_or_default().id)
    }
}
