//! Which deployments and builds a namespace has: for whoever named one that is not there.

use super::messages::timed;
use super::statistics::failure;
use crate::error::ProviderError;
use temporalio_client::Client;
use temporalio_client::tonic::Code;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;

/// More names than this help nobody.
const MOST: usize = 20;

/// The builds of a deployment; none if there is no such deployment.
pub(crate) async fn builds_of(client: &Client, deployment: &str) -> Result<Vec<String>, ProviderError> {
    let request = api::DescribeWorkerDeploymentRequest {
        namespace: client.options().namespace.clone(),
        deployment_name: deployment.to_owned(),
    };
    let mut service = client.connection().workflow_service();
    let summaries = match service.describe_worker_deployment(timed(request)).await {
        Ok(answer) => answer.into_inner().worker_deployment_info.unwrap_or_default().version_summaries,
        Err(status) if status.code() == Code::NotFound => Vec::new(),
        Err(status) => return Err(failure(&format!("reading deployment {deployment}"), &status)),
    };
    let versions = summaries.into_iter().filter_map(|summary| summary.deployment_version);
    Ok(some(versions.map(|version| version.build_id)))
}

/// The deployments of the namespace.
pub(crate) async fn deployments(client: &Client) -> Result<Vec<String>, ProviderError> {
    let request = api::ListWorkerDeploymentsRequest {
        namespace: client.options().namespace.clone(),
        page_size: i32::try_from(MOST).unwrap_or(i32::MAX),
        next_page_token: Vec::new(),
    };
    let mut service = client.connection().workflow_service();
    let answer = service.list_worker_deployments(timed(request)).await;
    let answer = answer.map_err(|status| failure("listing the deployments", &status))?.into_inner();
    Ok(some(answer.worker_deployments.into_iter().map(|deployment| deployment.name)))
}

fn some(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.take(MOST).collect();
    names.sort();
    names
}
