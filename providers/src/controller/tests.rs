//! Histories of every release replay under this one: the workflow follows the record and never asks the core.

use super::data_converter;
use super::workflow::InstanceWorkflow;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

const HISTORIES: [&str; 2] = [
    include_str!("../../tests/histories/0.1.0-created.json"),
    include_str!("../../tests/histories/0.1.0-served-and-deleted.json"),
];

/// No activity is registered, so a decision can come from nowhere but the record.
async fn replay(history: &str) -> Result<(), String> {
    let options = WorkflowReplayerOptions::new()
        .data_converter(data_converter())
        .register_workflow::<InstanceWorkflow>()
        .unwrap()
        .build();
    let replayer = WorkflowReplayer::new(options).unwrap();
    let history = WorkflowHistory::from_json(history.as_bytes()).unwrap();
    replayer.replay_workflow(history).await.map(drop).map_err(|e| format!("{e:?}"))
}

/// The history with every recorded decision changed by `change`.
fn with_decisions(history: &str, change: impl Fn(&mut Value)) -> String {
    let mut history: Value = serde_json::from_str(history).unwrap();
    for event in history["events"].as_array_mut().unwrap() {
        let data = "/attributes/MarkerRecordedEventAttributes/details/result/payloads/0/data";
        let Some(data) = event.pointer_mut(data) else { continue };
        let mut record: Value =
            serde_json::from_slice(&BASE64_STANDARD.decode(data.as_str().unwrap()).unwrap()).unwrap();
        change(&mut record);
        *data = BASE64_STANDARD.encode(record.to_string()).into();
    }
    history.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_histories_replay() {
    for history in HISTORIES {
        replay(history).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_and_thresholds_of_a_record_are_free_to_change() {
    // A release with other rules would have written other reasons, inputs and settings.
    let other = with_decisions(HISTORIES[1], |record| {
        for entry in record["entries"].as_array_mut().unwrap() {
            entry["step"]["decisions"] = Value::Array(Vec::new());
        }
    });
    replay(&other).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_alone_decides_what_is_done() {
    let idle = with_decisions(HISTORIES[1], |record| {
        for entry in record["entries"].as_array_mut().unwrap() {
            entry["step"]["actions"] = Value::Array(Vec::new());
        }
    });
    let error = replay(&idle).await.unwrap_err();
    assert!(error.to_lowercase().contains("nondetermin"), "{error}");
}
