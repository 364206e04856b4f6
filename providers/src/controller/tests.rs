//! Histories of every release replay under this one: the workflow follows the record and never asks the core.

use super::data_converter;
use super::workflow::InstanceWorkflow;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
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

/// A run whose last decision was recorded by itself, as happens when a question comes between, and which a signal
/// reached before it gave way to the next.
fn signalled_at_the_end(settles: bool) -> String {
    let mut history: Value = serde_json::from_str(HISTORIES[0]).unwrap();
    let recorded = history["events"].as_array().unwrap().clone();
    let event = |id: usize| recorded[id - 1].clone();
    let mut begun = event(1);
    let input =
        begun.pointer_mut("/attributes/WorkflowExecutionStartedEventAttributes/input/payloads/0/data");
    with_start(input.unwrap(), |start| start["settles"] = settles.into());
    let mut settling = event(40);
    settling["attributes"]["TimerStartedEventAttributes"]["timer_id"] = "4".into();
    let mut fired = event(35);
    fired["event_type"] = 18.into();
    fired["attributes"] = json!({"TimerFiredEventAttributes": {"timer_id": "4", "started_event_id": 44}});
    let task = [event(35), event(36), event(37)];
    let mut events = [&[begun][..], &recorded[1..38], &task, &[event(39), event(40), settling]].concat();
    events.extend([event(28), fired].into_iter().chain(task).chain([event(41)]));
    number(&mut events[38..], 39);
    history["events"] = events.into();
    history.to_string()
}

fn with_start(data: &mut Value, change: impl FnOnce(&mut Value)) {
    let text = BASE64_STANDARD.decode(data.as_str().unwrap()).unwrap();
    let mut start: Value = serde_json::from_slice(&text).unwrap();
    change(&mut start);
    *data = BASE64_STANDARD.encode(start.to_string()).into();
}

/// Gives the events numbers from `first` on, and workflow tasks and what they ordered the numbers to point to.
fn number(events: &mut [Value], first: usize) {
    let [mut scheduled, mut started, mut completed] = [0; 3];
    for (event, id) in events.iter_mut().zip(first..) {
        event["event_id"] = id.into();
        let (kind, attributes) = event["attributes"].as_object_mut().unwrap().iter_mut().next().unwrap();
        match kind.as_str() {
            "WorkflowTaskScheduledEventAttributes" => scheduled = id,
            "WorkflowTaskStartedEventAttributes" => {
                attributes["scheduled_event_id"] = scheduled.into();
                started = id;
            }
            "WorkflowTaskCompletedEventAttributes" => {
                attributes["scheduled_event_id"] = scheduled.into();
                attributes["started_event_id"] = started.into();
                completed = id;
            }
            _ if attributes.get("workflow_task_completed_event_id").is_some() => {
                attributes["workflow_task_completed_event_id"] = completed.into();
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_decision_alone_ends_no_run_that_a_signal_may_still_reach() {
    replay(&signalled_at_the_end(true)).await.unwrap();
    let as_before = replay(&signalled_at_the_end(false)).await.unwrap_err();
    assert!(as_before.contains("Continue as new"), "{as_before}");
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
