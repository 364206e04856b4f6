//! A controller whose history cannot be replayed goes on in a new run.
//!
//! Such a run fails each of its tasks for ever, and nothing in a history can be changed. But each decision records
//! everything that the controller is, so what the next run needs can be read without replaying: the state of the last
//! decision and the signals that no decision has taken. What was under way counts as lost, as after a kill.

use super::client::{Client, ClientError};
use super::contract::{SIGNAL_TASK_ADD, Start};
use super::journal::{Histories, read_record, start_of, why_not};
use crate::error::ProviderError;
use std::time::Duration;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use wci_core::controller::{Input, WorkerDeploymentVersion};
use wci_core::signals::TaskAdd;

/// More signals than the core lets wait are dropped by it anyway, and a start must not grow beyond what the server takes.
const MOST_SIGNALS: usize = 4000;
/// How often one of them is tried.
const TRIES: u32 = 10;

/// What came of looking at a controller that seems to be stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Its history can be replayed, or somebody else was first: it is nothing for us.
    NotNeeded,
    /// It was deleted or never got a spec, and only the end of its run was still to come.
    Ended,
    /// It goes on in a new run; this is why.
    Begun(String),
}

/// Begins a new run if this program cannot replay the present one.
pub(super) async fn recover(
    client: &Client,
    version: &WorkerDeploymentVersion,
) -> Result<Recovery, ClientError> {
    let run_id = client.newest_run(version).await?;
    let histories = Histories::of(client, version);
    let Some(why) = why_not(histories.run(&run_id).await?).await? else { return Ok(Recovery::NotNeeded) };
    // Replaying takes its time, and the later this is read, the less comes in the meantime.
    let events = histories.run(&run_id).await?;
    let mut next = Successor::default();
    events.iter().try_for_each(|event| next.take(event))?;
    if !client.is_current(version, &run_id).await? {
        return Ok(Recovery::NotNeeded);
    }
    let Some(start) = next.start(&run_id) else {
        client.terminate(version, &run_id, "nothing is left to do; its history cannot be replayed").await?;
        return Ok(Recovery::Ended);
    };
    if !client.supersede(&start, &next.task_queue, &run_id).await? {
        return Ok(Recovery::NotNeeded);
    }
    // Only signals tell what is new: the task that failed took numbers of events that it never had.
    let known = events.iter().filter_map(task_add).count();
    let all = histories.run(&run_id).await?;
    for (n, add) in all.iter().filter_map(task_add).enumerate().skip(known) {
        hand_over(client, version, &add, format!("{run_id}:{n}")).await?;
    }
    Ok(Recovery::Begun(why))
}

/// Nobody else has that signal any more.
async fn hand_over(
    client: &Client,
    version: &WorkerDeploymentVersion,
    add: &TaskAdd,
    id: String,
) -> Result<(), ClientError> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match client.signal_once(version, add, id.clone()).await {
            Err(e) if e.is_transient() && tries > 0 => tokio::time::sleep(Duration::from_secs(1)).await,
            done => return done,
        }
    }
}

/// What a run hands on, gathered from its events.
#[derive(Default)]
struct Successor {
    start: Start,
    task_queue: String,
    waiting: Vec<TaskAdd>,
    taken: usize,
}

impl Successor {
    fn take(&mut self, event: &HistoryEvent) -> Result<(), ClientError> {
        if let Some(add) = task_add(event) {
            self.waiting.push(add);
        }
        match &event.attributes {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                let unreadable = || ProviderError::rejected("what the run was started with cannot be read");
                let start = start_of(started.input.as_ref());
                self.start = start.ok_or_else(|| ClientError::Server(unreadable()))?;
                self.waiting = std::mem::take(&mut self.start.waiting);
                self.task_queue = started.task_queue.clone().unwrap_or_default().name;
            }
            Some(Attributes::MarkerRecordedEventAttributes(marker)) => {
                let Some(record) = read_record(event.event_id, marker)? else { return Ok(()) };
                let is_add = |input: &Input| matches!(input, Input::TaskAdd(_));
                self.taken += record.entries.iter().filter(|entry| is_add(&entry.input)).count();
                self.start.state = record.state;
                self.start.settings =
                    record.settings.map(|settings| *settings).or(self.start.settings.take());
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing if the controller was deleted, or has no spec.
    fn start(&self, run_id: &str) -> Option<Start> {
        let state = &self.start.state;
        let is_empty = state.spec.is_none() && state.unreadable_spec.is_none();
        (!is_empty && !state.wci.is_deleted).then(|| Start {
            waiting: self.waiting.iter().skip(self.taken).take(MOST_SIGNALS).cloned().collect(),
            goes_by_record: true,
            is_strict: true,
            recovered_from: run_id.to_owned(),
            ..self.start.clone()
        })
    }
}

/// The signal in an event. Those that cannot be read are dropped by the workflow, too.
fn task_add(event: &HistoryEvent) -> Option<TaskAdd> {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionSignaledEventAttributes(signal))
            if signal.signal_name == SIGNAL_TASK_ADD =>
        {
            let payload = signal.input.as_ref()?.payloads.first()?;
            serde_json::from_slice(&payload.data).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_client::WorkflowHistory;

    async fn successor(history: &str, events: usize) -> Successor {
        let history = WorkflowHistory::from_json(history.as_bytes()).unwrap();
        let mut successor = Successor::default();
        for event in history.into_events().await.unwrap().iter().take(events) {
            successor.take(event).unwrap();
        }
        successor
    }

    #[tokio::test]
    async fn the_next_run_has_the_last_state_and_the_signals_that_no_decision_has_taken() {
        let history = include_str!("../../tests/histories/0.1.0-went-on.json");
        // Up to the signal, and one event further, which is the decision that takes it.
        let (before, after) = (successor(history, 35).await, successor(history, 36).await);
        let (before, after) = (before.start("r").unwrap(), after.start("r").unwrap());
        assert_eq!((before.waiting.len(), after.waiting.len()), (1, 0));
        assert!(before.state.wci.in_flight.is_some() && after.state.wci.in_flight.is_none());
        assert_eq!(before.version(), after.version());
        assert!(before.settings.is_some() && before.goes_by_record && !before.deployment_name.is_empty());
        assert_eq!(before.recovered_from, "r");
    }

    #[tokio::test]
    async fn a_deleted_controller_has_no_next_run() {
        let history = include_str!("../../tests/histories/0.1.0-served-and-deleted.json");
        assert!(successor(history, usize::MAX).await.start("r").is_none());
    }

    #[test]
    fn a_run_whose_start_cannot_be_read_has_no_successor() {
        let started = Attributes::WorkflowExecutionStartedEventAttributes(Default::default());
        let event = HistoryEvent { attributes: Some(started), ..HistoryEvent::default() };
        let said = Successor::default().take(&event).unwrap_err().to_string();
        assert!(said.contains("what the run was started with cannot be read"), "{said}");
    }
}
