//! The calls that can be made about a worker controller instance, as the original's client has them.

mod changes;
mod stuck;

use super::contract::{
    self, QUERY_DESCRIBE, QUERY_DUMP, SIGNAL_TASK_ADD, UPDATE_DELETE, UPDATE_SPEC, UPDATE_VALIDATE, Updated,
};
use super::messages::{
    decode, distinct, execution, is_busy, is_crowded, is_for_later, missing_or, not_found, payloads,
    query_of, request_id, server, summary, timed,
};
use crate::error::ProviderError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};
pub(super) use stuck::problem;
pub(crate) use stuck::way_out;
use temporalio_client::tonic::{Code, Status};
use temporalio_common::protos::temporal::api::enums::v1::WorkflowExecutionStatus;
use temporalio_common::protos::temporal::api::query::v1::WorkflowQuery;
use temporalio_common::protos::temporal::api::workflow::v1::WorkflowExecutionInfo;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use tokio::time::timeout;
use wci_core::State;
use wci_core::controller::{Description, FailureClass, Update, WireTime, WorkerDeploymentVersion};
use wci_core::signals::TaskAdd;

/// How long a call waits for a controller that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a change may take in all: the providers are asked, and workers may have to register their queues.
const LONGEST_CHANGE: Duration = Duration::from_secs(120);
/// How long a signal or a question waits for it: the next one may tell more.
const SIGNAL_PATIENCE: Duration = Duration::from_secs(10);

/// What a call can fail with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no such controller.
    #[error("there is no worker controller instance for {0}")]
    NotFound(String),
    /// The controller refused; the kind is the wire's failure type.
    #[error("{message}")]
    Refused {
        /// The failure type.
        kind: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The server could not be asked.
    #[error("{0}")]
    Server(ProviderError),
}

/// One line of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
    /// The task queue that it is served from.
    pub task_queue: String,
    /// When the controller was created.
    pub create_time: Option<WireTime>,
    /// What the server says of its workflow tasks, if they fail again and again: the controller is stuck.
    pub problem: Option<String>,
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageToken {
    is_by_type: bool,
    token: Vec<u8>,
}

/// Talks to worker controller instances.
#[derive(Clone)]
pub struct Client {
    temporal: temporalio_client::Client,
    task_queue: String,
    most_instances: usize,
}

impl Client {
    /// A client whose new controllers are served from this task queue.
    #[must_use]
    pub fn new(temporal: temporalio_client::Client, task_queue: impl Into<String>) -> Self {
        Self { temporal, task_queue: task_queue.into(), most_instances: 100 }
    }

    /// The same client with another limit of controllers in the namespace.
    #[must_use]
    pub fn with_most_instances(self, most_instances: usize) -> Self {
        Self { most_instances, ..self }
    }

    /// The connection below.
    #[must_use]
    pub const fn temporal(&self) -> &temporalio_client::Client {
        &self.temporal
    }

    /// Where its new controllers are served from.
    pub(super) fn task_queue(&self) -> &str {
        &self.task_queue
    }

    /// Whether the version has a running controller.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn exists(&self, version: &WorkerDeploymentVersion) -> Result<bool, ClientError> {
        let request = api::DescribeWorkflowExecutionRequest {
            namespace: self.namespace(),
            execution: Some(execution(version)),
        };
        match self.service().describe_workflow_execution(timed(request)).await {
            Ok(answer) => {
                let info = answer.into_inner().workflow_execution_info;
                Ok(info.is_some_and(|info| info.status() == WorkflowExecutionStatus::Running))
            }
            Err(status) if status.code() == Code::NotFound => Ok(false),
            Err(status) => Err(server("looking for the controller", &status)),
        }
    }

    /// The id of the version's newest run, also of one that has ended.
    pub(super) async fn newest_run(&self, version: &WorkerDeploymentVersion) -> Result<String, ClientError> {
        Ok(self.execution_info(version).await?.execution.unwrap_or_default().run_id)
    }

    async fn execution_info(
        &self,
        version: &WorkerDeploymentVersion,
    ) -> Result<WorkflowExecutionInfo, ClientError> {
        let request = api::DescribeWorkflowExecutionRequest {
            namespace: self.namespace(),
            execution: Some(execution(version)),
        };
        let answer = self.service().describe_workflow_execution(timed(request)).await;
        let answer = answer.map_err(|status| missing_or(version, "looking for the controller", &status))?;
        Ok(answer.into_inner().workflow_execution_info.unwrap_or_default())
    }

    /// Whether this is the version's run, and still goes on.
    pub(super) async fn is_current(
        &self,
        version: &WorkerDeploymentVersion,
        run_id: &str,
    ) -> Result<bool, ClientError> {
        let info = self.execution_info(version).await?;
        let is_running = info.status() == WorkflowExecutionStatus::Running;
        Ok(is_running && info.execution.is_some_and(|execution| execution.run_id == run_id))
    }

    /// The spec and its standing.
    ///
    /// # Errors
    /// When there is no such controller, or the server cannot be asked.
    pub async fn describe(&self, version: &WorkerDeploymentVersion) -> Result<Description, ClientError> {
        self.query(version, QUERY_DESCRIBE).await
    }

    /// Everything the controller is.
    ///
    /// # Errors
    /// When there is no such controller, or the server cannot be asked.
    pub async fn dump(&self, version: &WorkerDeploymentVersion) -> Result<State, ClientError> {
        self.query(version, QUERY_DUMP).await
    }

    /// One page of the namespace's controllers, and where the next one begins.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn list(
        &self,
        page_size: usize,
        from: PageToken,
    ) -> Result<(Vec<Summary>, Option<PageToken>), ClientError> {
        let request = api::ListWorkflowExecutionsRequest {
            namespace: self.namespace(),
            page_size: i32::try_from(page_size).unwrap_or(i32::MAX),
            next_page_token: from.token,
            query: query_of(from.is_by_type),
        };
        let answer = self.service().list_workflow_executions(timed(request)).await;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            // A server that does not know the attribute has only controllers without it.
            Err(status) if status.code() == Code::InvalidArgument && !from.is_by_type => {
                return Ok((Vec::new(), Some(PageToken { is_by_type: true, token: Vec::new() })));
            }
            Err(status) => return Err(server("listing controllers", &status)),
        };
        let next = match (answer.next_page_token.is_empty(), from.is_by_type) {
            (false, is_by_type) => Some(PageToken { is_by_type, token: answer.next_page_token }),
            (true, false) => Some(PageToken { is_by_type: true, token: Vec::new() }),
            (true, true) => None,
        };
        Ok((answer.executions.iter().filter_map(summary).collect(), next))
    }

    /// Every controller of the namespace.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn list_all(&self) -> Result<Vec<Summary>, ClientError> {
        let (mut all, mut next) = (Vec::new(), Some(PageToken::default()));
        while let Some(from) = next {
            let (page, after) = self.list(1000, from).await?;
            all.extend(page);
            next = after;
        }
        Ok(distinct(all))
    }

    /// How many controllers the namespace has, if these are `least` or more.
    pub(super) async fn count_from(&self, least: usize) -> Result<Option<usize>, ClientError> {
        // The server's count is cheap but holds a controller that begins a new run twice for a moment, and each one
        // does so after its creation. Only a list tells them apart.
        if self.count_runs().await? < least {
            return Ok(None);
        }
        let count = self.list_all().await?.len();
        Ok((count >= least).then_some(count))
    }

    async fn count_runs(&self) -> Result<usize, ClientError> {
        let mut sum = 0;
        for is_by_type in [false, true] {
            let request = api::CountWorkflowExecutionsRequest {
                namespace: self.namespace(),
                query: query_of(is_by_type),
            };
            match self.service().count_workflow_executions(timed(request)).await {
                Ok(answer) => sum += usize::try_from(answer.into_inner().count).unwrap_or(0),
                // A server that does not know the attribute has only controllers without it.
                Err(status) if status.code() == Code::InvalidArgument && !is_by_type => {}
                Err(status) => return Err(server("counting controllers", &status)),
            }
        }
        Ok(sum)
    }

    /// Changes the spec; creates the controller if there is none yet.
    ///
    /// # Errors
    /// When the change is refused, the namespace has too many controllers, or the server cannot be asked.
    pub async fn update(
        &self,
        version: &WorkerDeploymentVersion,
        change: &Update,
    ) -> Result<Updated, ClientError> {
        if self.exists(version).await? {
            return self.send(version, UPDATE_SPEC, change, Starting::Never).await;
        }
        if let Some(count) = self.count_from(self.most_instances).await? {
            return Err(ClientError::Refused {
                kind: "ResourceExhausted".into(),
                message: format!("the namespace has {count} worker controller instances, which is its limit"),
            });
        }
        self.send(version, UPDATE_SPEC, change, Starting::IfMissing).await
    }

    /// Checks a change of an existing controller's spec and stores nothing.
    ///
    /// # Errors
    /// When the change would be refused, or the server cannot be asked.
    pub async fn validate(
        &self,
        version: &WorkerDeploymentVersion,
        change: &Update,
    ) -> Result<(), ClientError> {
        let _: Value = self.send(version, UPDATE_VALIDATE, change, Starting::Never).await?;
        Ok(())
    }

    /// Deletes the controller. A missing one is as good as deleted.
    ///
    /// # Errors
    /// When the conflict token is not the current one, or the server cannot be asked.
    pub async fn delete(
        &self,
        version: &WorkerDeploymentVersion,
        identity: &str,
        conflict_token: Option<&str>,
    ) -> Result<(), ClientError> {
        let message = Update {
            identity: identity.to_owned(),
            conflict_token: conflict_token.map(str::to_owned),
            ..Update::default()
        };
        match self.send::<Value>(version, UPDATE_DELETE, &message, Starting::Never).await {
            Ok(_) | Err(ClientError::NotFound(_)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Says that tasks were added.
    ///
    /// # Errors
    /// When there is no such controller, or the server cannot be asked.
    pub async fn signal_task_add(
        &self,
        version: &WorkerDeploymentVersion,
        add: &TaskAdd,
    ) -> Result<(), ClientError> {
        self.signal_once(version, add, request_id()).await
    }

    /// The same; a second one with the same id is none.
    pub(super) async fn signal_once(
        &self,
        version: &WorkerDeploymentVersion,
        add: &TaskAdd,
        request_id: String,
    ) -> Result<(), ClientError> {
        let request = api::SignalWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_execution: Some(execution(version)),
            signal_name: SIGNAL_TASK_ADD.into(),
            input: Some(payloads(add)),
            identity: self.identity(),
            request_id,
            ..api::SignalWorkflowExecutionRequest::default()
        };
        let begun = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            // The server knows a repeated signal by its request id.
            match self.service().signal_workflow_execution(timed(request.clone())).await {
                Ok(_) => return Ok(()),
                // A run that ends takes no signals; the next one does.
                Err(status) if is_busy(&status) && begun.elapsed() < SIGNAL_PATIENCE => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(status) => return Err(missing_or(version, "signalling the controller", &status)),
            }
        }
    }

    fn nobody_serves(&self) -> ClientError {
        ClientError::Server(ProviderError::unavailable(format!(
            "no process answers for the controller: is `wci-controller run` running for namespace {} and the \
             controller's task queue ({} unless it was created with another)?",
            self.namespace(),
            self.task_queue
        )))
    }

    async fn query<T: DeserializeOwned>(
        &self,
        version: &WorkerDeploymentVersion,
        name: &str,
    ) -> Result<T, ClientError> {
        let request = api::QueryWorkflowRequest {
            namespace: self.namespace(),
            execution: Some(execution(version)),
            query: Some(WorkflowQuery { query_type: name.to_owned(), ..WorkflowQuery::default() }),
            ..api::QueryWorkflowRequest::default()
        };
        let doing = "asking the controller";
        let answer = self.ask(request).await.map_err(|status| {
            let is_deleted = status.message().contains(contract::DELETED);
            let is_unserved = matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
                || status.message().contains("no poller seen");
            match () {
                () if is_deleted => not_found(version),
                () if is_unserved => self.nobody_serves(),
                () => missing_or(version, doing, &status),
            }
        })?;
        let result = answer.query_result.unwrap_or_default();
        decode(result.payloads.first()).map_err(|why| ClientError::Server(ProviderError::rejected(why)))
    }

    /// Asks, and again where the server says that it cannot keep one more question for this controller just now.
    async fn ask(&self, request: api::QueryWorkflowRequest) -> Result<api::QueryWorkflowResponse, Status> {
        let begun = Instant::now();
        loop {
            match self.service().query_workflow(timed(request.clone())).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if is_crowded(&status) && begun.elapsed() < SIGNAL_PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(status) => return Err(status),
            }
        }
    }

    /// Sends an update and waits for its end, also while the controller begins a new run.
    async fn send<T: DeserializeOwned>(
        &self,
        version: &WorkerDeploymentVersion,
        name: &str,
        message: &Update,
        starting: Starting,
    ) -> Result<T, ClientError> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(100);
        // One for all tries: the server knows an update that it has taken already.
        let mut id = request_id();
        loop {
            let sending = async {
                match starting {
                    Starting::Never => self.update_running(version, name, message, &id).await,
                    Starting::IfMissing => self.update_or_start(version, name, message, &id).await,
                }
            };
            let Ok(outcome) = timeout(LONGEST_CHANGE.saturating_sub(begun.elapsed()), sending).await else {
                return Err(self.nobody_serves());
            };
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(status) if is_busy(&status) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                    continue;
                }
                Err(status) => return Err(missing_or(version, "changing the controller", &status)),
            };
            match outcome {
                Ok(result) => {
                    return decode(result.payloads.first())
                        .map_err(|why| ClientError::Server(ProviderError::rejected(why)));
                }
                // The controller decides something or is about to begin a new run, and then takes the request.
                Err(refused) if is_for_later(&refused) && begun.elapsed() < PATIENCE => {
                    id = request_id();
                    tokio::time::sleep(pause).await;
                }
                Err(ClientError::Refused { kind, .. }) if kind == contract::DELETED => {
                    return Err(not_found(version));
                }
                Err(refused) => return Err(refused.after(PATIENCE)),
            }
        }
    }

    fn service(&self) -> Box<dyn temporalio_client::grpc::WorkflowService> {
        self.temporal.connection().workflow_service()
    }

    fn namespace(&self) -> String {
        self.temporal.options().namespace.clone()
    }

    fn identity(&self) -> String {
        self.temporal.connection().identity().to_owned()
    }
}

/// Whether an update may start the controller.
#[derive(Clone, Copy)]
enum Starting {
    Never,
    IfMissing,
}

impl ClientError {
    /// What to tell of a refusal that was to pass by itself and has not: the wire has one bare word for it.
    pub(super) fn after(self, patience: Duration) -> Self {
        match self {
            Self::Refused { kind, .. } if kind == "errLongHistory" => {
                let secs = patience.as_secs();
                let message = format!(
                    "for {secs} s the controller has taken no change: it is busy with a call of a provider, or about \
                     to begin a new run as soon as such a call has ended; try again in a minute, and if that lasts, \
                     `describe --dump` shows the call (wci.in_flight) and the log of `wci-controller run` how it ends"
                );
                Self::Refused { kind, message }
            }
            other => other,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Server(ProviderError { class: FailureClass::Throttled | FailureClass::Unavailable, .. })
        )
    }
}
