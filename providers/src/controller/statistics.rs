//! Statistics of a version's task queues, read at a pace that all controllers of a namespace share.
//!
//! The server lets a namespace read them only so often. The reads are activities of a task queue of their own, whose
//! rate the server holds over all processes.

use super::activities::alive;
use super::failure::activity_error;
use super::messages::timed;
use super::pace::Pace;
use crate::error::ProviderError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use temporalio_client::Client;
use temporalio_client::tonic::{Code, Status};
use temporalio_common::protos::temporal::api::deployment::v1::WorkerDeploymentVersion as ProtoVersion;
use temporalio_common::protos::temporal::api::enums::v1::TaskQueueType as ProtoType;
use temporalio_common::protos::temporal::api::taskqueue::v1::{PollerInfo, TaskQueue, TaskQueueStats};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    DescribeTaskQueueRequest, DescribeWorkerDeploymentVersionRequest, DescribeWorkerDeploymentVersionResponse,
};
use temporalio_sdk::activities::{ActivityContext, ActivityError, activities};
use wci_core::controller::{FailureClass, WorkerDeploymentVersion};
use wci_core::metrics::{MetricsSnapshot, QueueMetrics, TaskQueueType};

/// Reads a second of all processes of a namespace; the server allows 50.
pub(super) const READS_PER_SECOND: f64 = 40.0;

/// A long poll takes at most a minute, then the next one begins.
const ONE_POLL: Duration = Duration::from_secs(70);

/// The task queue of the reads.
pub(super) fn task_queue(own: &str) -> String {
    format!("{own}-statistics")
}

/// One task queue of a version.
#[derive(Clone, Debug)]
pub(crate) struct VersionQueue {
    pub(crate) name: String,
    pub(crate) task_type: TaskQueueType,
    pub(crate) metrics: QueueMetrics,
}

/// What is to be read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Read {
    pub version: WorkerDeploymentVersion,
}

/// The activities of the paced task queue.
pub struct Statistics {
    pub client: Client,
}

#[activities]
impl Statistics {
    #[activity(name = "fetch-metrics")]
    pub async fn fetch(
        self: Arc<Self>,
        ctx: ActivityContext,
        read: Read,
    ) -> Result<MetricsSnapshot, ActivityError> {
        let queues =
            alive(&ctx, read_queues(&self.client, &read.version, true)).await.map_err(activity_error)?;
        Ok(sum(&queues))
    }
}

/// The task queues that workers of the version have ever polled.
pub(crate) async fn read_queues(
    client: &Client,
    version: &WorkerDeploymentVersion,
    with_statistics: bool,
) -> Result<Vec<VersionQueue>, ProviderError> {
    let queues = describe(client, version, with_statistics).await?.version_task_queues;
    Ok(queues
        .into_iter()
        .filter_map(|queue| {
            let task_type = task_type(queue.r#type())?;
            let metrics = metrics(queue.stats.as_ref());
            Some(VersionQueue { name: queue.name, task_type, metrics })
        })
        .collect())
}

async fn describe(
    client: &Client,
    version: &WorkerDeploymentVersion,
    with_statistics: bool,
) -> Result<DescribeWorkerDeploymentVersionResponse, ProviderError> {
    let request = DescribeWorkerDeploymentVersionRequest {
        namespace: client.options().namespace.clone(),
        deployment_version: Some(ProtoVersion {
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
        }),
        report_task_queue_stats: with_statistics,
        ..DescribeWorkerDeploymentVersionRequest::default()
    };
    let mut service = client.connection().workflow_service();
    let doing = format!("reading version {}:{}", version.deployment_name, version.build_id);
    let answer = service
        .describe_worker_deployment_version(timed(request))
        .await
        .map_err(|status| failure(&doing, &status))?;
    Ok(answer.into_inner())
}

/// How many workers of the version polled within the length of one poll, over all its task queues. The server
/// remembers pollers for some minutes longer.
pub(crate) async fn pollers_of(
    client: &Client,
    version: &WorkerDeploymentVersion,
    pace: &Pace,
) -> Result<usize, ProviderError> {
    let doing = "reading the pollers";
    let namespace = client.options().namespace.clone();
    let mut found = BTreeSet::new();
    pace.turn().await;
    let named = describe(client, version, false).await?;
    for queue in named.version_task_queues {
        let request = DescribeTaskQueueRequest {
            namespace: namespace.clone(),
            task_queue: Some(TaskQueue { name: queue.name.clone(), ..TaskQueue::default() }),
            task_queue_type: queue.r#type,
            ..DescribeTaskQueueRequest::default()
        };
        let mut service = client.connection().workflow_service();
        let answer = service.describe_task_queue(timed(request)).await.map_err(|e| failure(doing, &e))?;
        let is_recent = |poller: &PollerInfo| {
            let seen = poller.last_access_time.and_then(|at| SystemTime::try_from(at).ok());
            seen.is_some_and(|at| at.elapsed().map_or(true, |ago| ago < ONE_POLL))
        };
        let is_ours = |poller: &PollerInfo| {
            let options = poller.deployment_options.as_ref();
            options.is_some_and(|o| {
                o.deployment_name == version.deployment_name && o.build_id == version.build_id
            })
        };
        let pollers = answer.into_inner().pollers.into_iter().filter(is_ours).filter(is_recent);
        found.extend(pollers.map(|poller| poller.identity));
    }
    Ok(found.len())
}

/// The sum over the queues of each type.
pub(crate) fn sum(queues: &[VersionQueue]) -> MetricsSnapshot {
    let mut snapshot = MetricsSnapshot::default();
    for queue in queues {
        snapshot.of_mut(queue.task_type).get_or_insert_default().add_queue(&queue.metrics);
    }
    snapshot
}

pub(super) const fn task_type(proto: ProtoType) -> Option<TaskQueueType> {
    match proto {
        ProtoType::Workflow => Some(TaskQueueType::Workflow),
        ProtoType::Activity => Some(TaskQueueType::Activity),
        ProtoType::Nexus => Some(TaskQueueType::Nexus),
        ProtoType::Unspecified => None,
    }
}

fn metrics(stats: Option<&TaskQueueStats>) -> QueueMetrics {
    let Some(stats) = stats else { return QueueMetrics::default() };
    let age = stats.approximate_backlog_age.as_ref();
    QueueMetrics {
        last_backlog_count: stats.approximate_backlog_count,
        last_arrival_rate: stats.tasks_add_rate,
        last_processing_rate: stats.tasks_dispatch_rate,
        last_backlog_age: age.map_or(0, |age| age.seconds * 1000 + i64::from(age.nanos) / 1_000_000),
        rate_limiting_active: false,
    }
}

/// The class of a failed call to the server.
pub(crate) fn failure(doing: &str, status: &Status) -> ProviderError {
    let class = match status.code() {
        Code::NotFound => FailureClass::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => FailureClass::Denied,
        Code::ResourceExhausted => FailureClass::Throttled,
        Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented | Code::OutOfRange => {
            FailureClass::Rejected
        }
        _ => FailureClass::Unavailable,
    };
    ProviderError::new(class, format!("{doing}: {}", status.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_of_a_type_are_added_up() {
        let queue = |task_type, backlog| VersionQueue {
            name: String::new(),
            task_type,
            metrics: QueueMetrics { last_backlog_count: backlog, ..QueueMetrics::default() },
        };
        let queues = [
            queue(TaskQueueType::Activity, 2),
            queue(TaskQueueType::Activity, 3),
            queue(TaskQueueType::Nexus, 1),
        ];
        let snapshot = sum(&queues);
        assert_eq!(snapshot.activity.map(|m| m.last_backlog_count), Some(5));
        assert_eq!(snapshot.nexus.map(|m| m.last_backlog_count), Some(1));
        assert_eq!(snapshot.workflow, None);
    }
}
