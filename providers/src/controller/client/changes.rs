//! The requests that change a controller: an update of a running one, or of one that is started with it.

use super::{Client, ClientError};
use crate::controller::contract::{DIVISION, DIVISION_ATTRIBUTE, Start, WORKFLOW_TYPE, workflow_id};
use crate::controller::messages::{execution, keyword, payloads, result, timed};
use std::collections::HashMap;
use temporalio_client::tonic::{Code, Status};
use temporalio_common::protos::temporal::api::common::v1::{Payloads, SearchAttributes, WorkflowType};
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
        let namespace_id = self.namespace_id().await?;
        let mut has_division = true;
        loop {
            let start = self.start_request(version, &namespace_id, id, has_division);
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

    fn start_request(
        &self,
        version: &WorkerDeploymentVersion,
        namespace_id: &str,
        id: &str,
        has_division: bool,
    ) -> api::StartWorkflowExecutionRequest {
        let start = Start {
            namespace_name: self.namespace(),
            namespace_id: namespace_id.to_owned(),
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
            goes_by_record: true,
            ..Start::default()
        };
        let division = HashMap::from([(DIVISION_ATTRIBUTE.to_owned(), keyword(DIVISION))]);
        api::StartWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_id: workflow_id(version),
            workflow_type: Some(WorkflowType { name: WORKFLOW_TYPE.into() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..TaskQueue::default() }),
            input: Some(payloads(&start)),
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
