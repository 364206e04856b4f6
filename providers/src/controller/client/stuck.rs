//! Controllers whose workflow tasks fail again and again: the server says which ones, with a search attribute that it
//! takes away when a task has ended well.

use super::{Client, ClientError, Summary};
use crate::controller::contract::{DIVISION, DIVISION_ATTRIBUTE, workflow_id};
use crate::controller::messages::{decode, execution, missing_or, query_of, server, summary, timed};
use temporalio_common::protos::temporal::api::common::v1::SearchAttributes;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use wci_core::controller::WorkerDeploymentVersion;

/// Known from Server 1.30 on; set after five failures in a row unless the server is told otherwise.
const ATTRIBUTE: &str = "TemporalReportedProblems";
/// Where there are more, nobody counts them.
const MOST: i32 = 1000;
/// A task that was tried this often has failed twice in a row: one that only lost its process has failed once.
const LATER_ATTEMPT: i32 = 3;

/// What the server says of a controller's workflow tasks, if they fail again and again.
pub(in crate::controller) fn problem(attributes: Option<&SearchAttributes>) -> Option<String> {
    let told: Vec<String> = decode(attributes?.indexed_fields.get(ATTRIBUTE)).ok()?;
    let values: Vec<_> =
        told.iter().map(|part| part.split_once('=').map_or(part.as_str(), |(_, v)| v)).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// What lets a stuck controller go on; signals and updates that it could not take stay.
pub(crate) fn way_out(version: &WorkerDeploymentVersion) -> String {
    let id = workflow_id(version);
    format!(
        "the log of `wci-controller run` says why; when that is mended, `temporal workflow reset --type \
         LastWorkflowTask --reason stuck --workflow-id {id}` lets it go on"
    )
}

impl Client {
    /// The controllers of the namespace whose workflow tasks fail again and again, a thousand at most.
    ///
    /// # Errors
    /// When the server cannot be asked, or does not know of such things (before 1.30): then it rejects the question.
    pub async fn stuck(&self) -> Result<Vec<Summary>, ClientError> {
        let by_type = query_of(true);
        // One question for controllers with and without a division: without any word the server leaves the former out.
        let anywhere = format!("({DIVISION_ATTRIBUTE} = '{DIVISION}' OR {DIVISION_ATTRIBUTE} IS NULL)");
        let request = api::ListWorkflowExecutionsRequest {
            namespace: self.namespace(),
            page_size: MOST,
            query: format!("{by_type} AND {anywhere} AND {ATTRIBUTE} IS NOT NULL"),
            ..api::ListWorkflowExecutionsRequest::default()
        };
        let answer = self.service().list_workflow_executions(timed(request)).await;
        let answer = answer.map_err(|status| server("listing stuck controllers", &status))?.into_inner();
        Ok(answer.executions.iter().filter_map(summary).collect())
    }

    /// Why the controller is stuck, if it is.
    ///
    /// # Errors
    /// When there is no such controller, or the server cannot be asked.
    pub async fn problem(&self, version: &WorkerDeploymentVersion) -> Result<Option<String>, ClientError> {
        let request = api::DescribeWorkflowExecutionRequest {
            namespace: self.namespace(),
            execution: Some(execution(version)),
        };
        let answer = self.service().describe_workflow_execution(timed(request)).await;
        let answer = answer.map_err(|status| missing_or(version, "looking at the controller", &status))?;
        let answer = answer.into_inner();
        let info = answer.workflow_execution_info.unwrap_or_default();
        let attempt = answer.pending_workflow_task.map_or(0, |task| task.attempt);
        Ok(problem(info.search_attributes.as_ref()).or_else(|| {
            (attempt >= LATER_ATTEMPT).then(|| format!("attempt {attempt} of one workflow task"))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::messages::payloads;

    #[test]
    fn the_servers_words_are_kept_without_their_keys() {
        let told = |value: &serde_json::Value| {
            let payload = payloads(value).payloads.remove(0);
            problem(Some(&SearchAttributes { indexed_fields: [(ATTRIBUTE.to_owned(), payload)].into() }))
        };
        // As Server 1.32.0 sets it for a run whose start cannot be read.
        let recorded = serde_json::json!([
            "category=WorkflowTaskFailed",
            "cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"
        ]);
        let words = "WorkflowTaskFailed, WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure";
        assert_eq!(told(&recorded).as_deref(), Some(words));
        assert_eq!(told(&serde_json::json!([])), None);
        assert_eq!(problem(Some(&SearchAttributes::default())), None);
        assert_eq!(problem(None), None);
    }

    #[test]
    fn the_way_out_names_the_workflow() {
        let version = WorkerDeploymentVersion { deployment_name: "d".into(), build_id: "b".into() };
        assert!(way_out(&version).contains("--workflow-id temporal-sys-worker-controller-instance:d:b`"));
    }
}
