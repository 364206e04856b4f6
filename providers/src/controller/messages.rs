//! Between our messages and the server's: payloads, failures, and which failures pass by themselves.

use super::client::{ClientError, Summary, problem};
use super::contract::{self, DIVISION, DIVISION_ATTRIBUTE, MEMO, Memo, WORKFLOW_TYPE, workflow_id};
use super::statistics::failure;
use crate::error::ProviderError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use temporalio_client::tonic::{Code, Request, Status};
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads, WorkflowExecution};
use temporalio_common::protos::temporal::api::failure::v1::Failure;
use temporalio_common::protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_common::protos::temporal::api::update::v1 as update;
use temporalio_common::protos::temporal::api::workflow::v1::WorkflowExecutionInfo;
use wci_core::controller::{WireTime, WorkerDeploymentVersion};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);

pub(super) fn query_of(is_by_type: bool) -> String {
    let running = format!("WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'");
    if is_by_type { running } else { format!("{running} AND {DIVISION_ATTRIBUTE} = '{DIVISION}'") }
}

pub(super) fn summary(info: &WorkflowExecutionInfo) -> Option<Summary> {
    let version = contract::version_of(&info.execution.as_ref()?.workflow_id)?;
    let memo = info.memo.as_ref().and_then(|memo| memo.fields.get(MEMO));
    let memo: Option<Memo> = memo.and_then(|payload| decode(Some(payload)).ok());
    let started = info.start_time.as_ref().map(|t| WireTime { seconds: t.seconds, nanos: t.nanos });
    Some(Summary {
        deployment_name: version.deployment_name,
        build_id: version.build_id,
        task_queue: info.task_queue.clone(),
        create_time: memo.and_then(|memo| memo.create_time).or(started),
        problem: problem(info.search_attributes.as_ref()),
    })
}

/// Each controller once: two of its runs may be told of while it goes from one to the next, which can be on two pages.
pub(super) fn distinct(mut all: Vec<Summary>) -> Vec<Summary> {
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert((one.deployment_name.clone(), one.build_id.clone())));
    all
}

pub(super) fn execution(version: &WorkerDeploymentVersion) -> WorkflowExecution {
    WorkflowExecution { workflow_id: workflow_id(version), run_id: String::new() }
}

pub(super) fn result(outcome: update::Outcome) -> Result<Payloads, ClientError> {
    match outcome.value {
        Some(update::outcome::Value::Success(payloads)) => Ok(payloads),
        Some(update::outcome::Value::Failure(failure)) => Err(refused(&failure)),
        None => Ok(Payloads::default()),
    }
}

fn refused(failure: &Failure) -> ClientError {
    let kind = match &failure.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => info.r#type.clone(),
        _ => String::new(),
    };
    ClientError::Refused { kind, message: failure.message.clone() }
}

/// Refused for the moment only: the controller cannot begin anything just now, or the worker has lost the workflow task
/// that held the request, of which the server then says that it was not processed.
pub(super) fn is_for_later(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { kind, .. } if matches!(&**kind, "errLongHistory" | "UnprocessedUpdate"))
}

/// Too many questions to one controller at once, or one that the server has dropped.
pub(super) fn is_crowded(status: &Status) -> bool {
    let message = status.message();
    message.contains("query buffer is full") || message.contains("buffered query cleared")
}

/// What passes by itself: the run ended or its task failed while it had the request.
pub(super) fn is_busy(status: &Status) -> bool {
    matches!(status.code(), Code::Aborted | Code::ResourceExhausted | Code::Unavailable)
        || status.message().to_lowercase().contains("workflow task")
        || status.message().contains("Workflow Update was aborted")
}

pub(super) fn missing_or(version: &WorkerDeploymentVersion, doing: &str, status: &Status) -> ClientError {
    match () {
        () if status.code() == Code::NotFound => not_found(version),
        // The server's words end here.
        () if status.message().contains("Workflow Task in failed state") => {
            let words = "its last workflow task has failed and is made again; if that goes on, `wci-controller list` \
                         says why and what to do";
            ClientError::Server(ProviderError::unavailable(format!("{doing}: {words}")))
        }
        () => server(doing, status),
    }
}

pub(super) fn not_found(version: &WorkerDeploymentVersion) -> ClientError {
    ClientError::NotFound(format!("{}:{}", version.deployment_name, version.build_id))
}

pub(super) fn server(doing: &str, status: &Status) -> ClientError {
    ClientError::Server(failure(doing, status))
}

pub(super) fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL);
    request
}

pub(super) fn payloads(value: &impl Serialize) -> Payloads {
    let metadata = HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]);
    // Our messages are maps with text keys, so writing them cannot fail.
    let data = serde_json::to_vec(value).unwrap_or_default();
    Payloads { payloads: vec![Payload { metadata, data, ..Payload::default() }] }
}

pub(super) fn keyword(text: &str) -> Payload {
    let mut payload = payloads(&text).payloads.remove(0);
    payload.metadata.insert("type".to_owned(), b"Keyword".to_vec());
    payload
}

pub(super) fn decode<T: DeserializeOwned>(payload: Option<&Payload>) -> Result<T, String> {
    let data = payload.map_or(b"null".as_slice(), |payload| payload.data.as_slice());
    serde_json::from_slice(data).map_err(|e| format!("the controller's answer cannot be read: {e}"))
}

pub(super) fn request_id() -> String {
    let random: u128 = rand::random();
    format!("{random:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(deployment_name: &str, build_id: &str, seconds: i64) -> Summary {
        Summary {
            deployment_name: deployment_name.into(),
            build_id: build_id.into(),
            create_time: Some(WireTime { seconds, nanos: 0 }),
            ..Summary::default()
        }
    }

    #[test]
    fn a_refusal_that_did_not_pass_says_what_is_the_matter_and_what_to_do() {
        let refused = |kind: &str| ClientError::Refused { kind: kind.into(), message: kind.into() };
        let told = refused("errLongHistory").after(Duration::from_secs(60));
        assert!(matches!(&told, ClientError::Refused { kind, .. } if kind == "errLongHistory"), "{told:?}");
        let words = told.to_string();
        assert!(words.starts_with("for 60 s the controller has taken no change"), "{words}");
        assert!(words.contains("try again in a minute") && words.contains("describe --dump"), "{words}");
        let other = refused("FailedPrecondition");
        assert_eq!(other.clone().after(Duration::ZERO), other);
    }

    #[test]
    fn a_controller_between_two_runs_is_told_of_once() {
        let all = vec![
            told("orders", "1", 5),
            told("orders", "2", 5),
            told("orders", "1", 9),
            told("mail", "1", 5),
        ];
        let once = vec![told("orders", "1", 5), told("orders", "2", 5), told("mail", "1", 5)];
        assert_eq!(distinct(all), once);
    }
}
