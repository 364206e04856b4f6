//! Histories of every release replay under this one: the workflow follows the record and never asks the core.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use temporalio_client::WorkflowHistory;

/// The first two are from before the record alone said how a run goes on, the third one from before it also said what a
/// decision took and when timers begin.
const HISTORIES: [&str; 4] = [
    include_str!("../../tests/histories/0.1.0-created.json"),
    include_str!("../../tests/histories/0.1.0-served-and-deleted.json"),
    include_str!("../../tests/histories/0.1.0-went-on.json"),
    include_str!("../../tests/histories/0.1.0-by-record-alone.json"),
];

async fn replay(history: &str) -> Result<(), String> {
    let history = WorkflowHistory::from_json(history.as_bytes()).unwrap();
    super::journal::replay(history).await.unwrap().map_or(Ok(()), Err)
}

/// The history with every recorded decision changed by `change`.
fn with_decisions(history: &str, change: impl Fn(&mut Value)) -> String {
    let mut history: Value = serde_json::from_str(history).unwrap();
    for event in history["events"].as_array_mut().unwrap() {
        if event["attributes"].get("MarkerRecordedEventAttributes").is_some() {
            with_payload(event, DECIDED, &change);
        }
    }
    history.to_string()
}

/// Changes what stands at a place of an event: JSON, packed in a payload.
fn with_payload<T>(event: &mut Value, place: &str, change: impl FnOnce(&mut Value) -> T) -> T {
    let data = event["attributes"].as_object_mut().unwrap().values_mut().next().unwrap();
    let data = data.pointer_mut(place).unwrap();
    let mut value = serde_json::from_slice(&BASE64_STANDARD.decode(data.as_str().unwrap()).unwrap()).unwrap();
    let changed = change(&mut value);
    *data = BASE64_STANDARD.encode(value.to_string()).into();
    changed
}

const MARKED: &str = "/details/data/payloads/0/data";
const SIGNALLED: &str = "/input/payloads/0/data";
const DECIDED: &str = "/details/result/payloads/0/data";

/// A run that was begun, reached by a signal, and gave way to the next: its events, to be changed.
struct Events(Vec<Value>);

impl Events {
    fn recorded() -> Self {
        let history: Value = serde_json::from_str(HISTORIES[2]).unwrap();
        Self(history["events"].as_array().unwrap().clone())
    }

    fn history(self) -> String {
        json!({"events": self.0}).to_string()
    }

    fn event(&self, id: usize) -> Value {
        self.0[id - 1].clone()
    }

    /// Puts in an event; all later ones get the next number, also where others point to them.
    fn insert(&mut self, id: usize, mut event: Value) {
        let next = |value: &mut Value| {
            if let Some(later) = value.as_u64().filter(|number| *number >= id as u64) {
                *value = (later + 1).into();
            }
        };
        for event in &mut self.0 {
            next(&mut event["event_id"]);
            let attributes = event["attributes"].as_object_mut().unwrap().values_mut().next().unwrap();
            let attributes = attributes.as_object_mut().unwrap();
            attributes.iter_mut().filter(|(name, _)| name.ends_with("event_id")).for_each(|(_, id)| next(id));
        }
        event["event_id"] = id.into();
        self.0.insert(id - 1, event);
    }

    /// Puts in a workflow task, to which the orders of the given events belong from now on.
    fn insert_task(&mut self, id: usize, orders: impl Iterator<Item = usize>) {
        let task = [self.event(33), self.event(34), self.event(35)];
        for (at, event) in (id..).zip(task) {
            self.insert(at, event);
        }
        self.0[id]["attributes"]["WorkflowTaskStartedEventAttributes"]["scheduled_event_id"] = id.into();
        let completed = &mut self.0[id + 1]["attributes"]["WorkflowTaskCompletedEventAttributes"];
        completed["scheduled_event_id"] = id.into();
        completed["started_event_id"] = (id + 1).into();
        for order in orders {
            let attributes = self.0[order - 1]["attributes"].as_object_mut().unwrap();
            let attributes = attributes.values_mut().next().unwrap();
            attributes["workflow_task_completed_event_id"] = (id + 2).into();
        }
    }

    /// Makes room for one more call of the workflow with this number.
    fn renumber_calls(&mut self, from: u64) {
        for event in &mut self.0 {
            if let Some(id) =
                event.pointer_mut("/attributes/ActivityTaskScheduledEventAttributes/activity_id")
            {
                let number: u64 = id.as_str().unwrap().parse().unwrap();
                *id = (number + u64::from(number >= from)).to_string().into();
            }
            if event["attributes"].get("MarkerRecordedEventAttributes").is_some() {
                with_payload(event, MARKED, |marked| {
                    let number = marked["seq"].as_u64().unwrap();
                    let number = number + u64::from(number >= from);
                    marked["seq"] = number.into();
                    marked["activity_id"] = number.to_string().into();
                });
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_beside_the_decision_that_ends_a_run_changes_nothing_in_replay() {
    // The last decision, of event 36, is recorded by itself, as happens when a question comes between, and the signal
    // comes before what it leads to was ordered, or after.
    for signalled_at in [37, 44] {
        let mut events = Events::recorded();
        let signal = events.event(27);
        events.insert_task(37, 40..43);
        events.insert(signalled_at, signal);
        replay(&events.history()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_a_recorded_decision_did_not_take_wait_for_the_next_one() {
    // They came in a task that was lost after the first decision was taken: on replay they are there before it.
    let mut events = Events::recorded();
    let mut signal = events.event(27);
    let task_add = with_payload(&mut signal, SIGNALLED, |add| add.clone());
    events.renumber_calls(3);
    let mut second = events.event(6);
    with_payload(&mut second, MARKED, |marked| {
        marked["seq"] = 3.into();
        marked["activity_id"] = "3".into();
        marked["activation_index"] = 2.into();
    });
    with_payload(&mut second, DECIDED, |record| {
        let entry = &mut record["entries"][0];
        entry["step"]["actions"] = json!([]);
        entry["input"] = json!({"task_add": task_add});
        record["entries"] = json!([entry, entry]);
        record["taken"] = 2.into();
        for key in ["header", "begun", "settings"] {
            record.as_object_mut().unwrap().remove(key);
        }
    });
    events.insert(10, second);
    events.insert(2, signal.clone());
    events.insert(2, signal);
    let history = events.history();
    replay(&history).await.unwrap();
    let as_before = with_decisions(&history, |record| drop(record.as_object_mut().unwrap().remove("taken")));
    assert!(
        replay(&as_before).await.is_err(),
        "the first decision takes all, and nothing asks for the second"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_decision_took_need_not_have_come_first() {
    // The last decision took the answer alone; the signal came after it was asked and is handed on.
    let later = with_decisions(HISTORIES[2], |record| {
        let entries = record["entries"].as_array_mut().unwrap();
        if entries.iter().any(|entry| entry["input"].get("task_add").is_some()) {
            entries.retain(|entry| entry["input"].get("metrics").is_some());
            assert_eq!(entries.len(), 1);
            record["taken"] = 1.into();
        }
    });
    assert_ne!(later, with_decisions(HISTORIES[2], |_| ()));
    replay(&later).await.unwrap();
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
    for history in HISTORIES {
        let other = with_decisions(history, |record| {
            for entry in record["entries"].as_array_mut().unwrap() {
                entry["step"]["decisions"] = Value::Array(Vec::new());
            }
        });
        replay(&other).await.unwrap();
    }
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
