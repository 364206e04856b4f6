//! The newest decision of a controller, read backwards from the end of its history.
//!
//! Whoever looks again and again keeps a place: what lies before it is not read anew.

use super::original::{Act, acts_in, acts_of_marker};
use super::{Histories, MARKER, read_marker, unreadable};
use crate::controller::client::ClientError;
use crate::controller::contract::workflow_id;
use crate::controller::messages::{missing_or, timed};
use temporalio_common::protos::temporal::api::common::v1::WorkflowExecution;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use wci_core::decision::Decision;

/// Most looks find their decision among the last few events.
const PAGE: i32 = 50;

/// A decision, as far as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Newest {
    /// With its reason.
    Ours(Box<Decision>),
    /// What the original decided to do; it decides to do nothing without a word.
    Original(Act),
}

/// How far histories have been read: time and number of an event. A further run's events are all later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    seconds: i64,
    nanos: i32,
    event: i64,
}

impl Place {
    fn of(event: &HistoryEvent) -> Self {
        let (seconds, nanos) = event.event_time.map_or((0, 0), |at| (at.seconds, at.nanos));
        Self { seconds, nanos, event: event.event_id }
    }
}

impl Histories<'_> {
    /// The newest decision of the newest run behind that place, if there is one; the place moves to the end.
    ///
    /// # Errors
    /// When there is no such controller, the decision cannot be read, or the server cannot be asked. The place stays.
    pub(crate) async fn newest(&self, place: &mut Place) -> Result<Option<Newest>, ClientError> {
        let mut end = None;
        let mut token = Vec::new();
        loop {
            let page = self.page_backwards(token).await?;
            let events = page.history.map(|history| history.events).unwrap_or_default();
            end = end.or(events.first().map(Place::of));
            let fresh = behind(&events, *place);
            let found = newest_of(fresh)?;
            let is_through = found.is_some() || fresh.len() < events.len() || page.next_page_token.is_empty();
            if is_through {
                *place = end.unwrap_or(*place);
                return Ok(found);
            }
            token = page.next_page_token;
        }
    }

    async fn page_backwards(
        &self,
        token: Vec<u8>,
    ) -> Result<api::GetWorkflowExecutionHistoryReverseResponse, ClientError> {
        let temporal = self.client.temporal();
        let message = api::GetWorkflowExecutionHistoryReverseRequest {
            namespace: temporal.options().namespace.clone(),
            execution: Some(WorkflowExecution {
                workflow_id: workflow_id(self.version),
                run_id: String::new(),
            }),
            maximum_page_size: PAGE,
            next_page_token: token,
        };
        let mut service = temporal.connection().workflow_service();
        let answer = service.get_workflow_execution_history_reverse(timed(message)).await;
        answer
            .map(|answer| answer.into_inner())
            .map_err(|status| missing_or(self.version, "reading the history", &status))
    }
}

/// Those of a page, newest first, that lie behind a place.
fn behind(events: &[HistoryEvent], place: Place) -> &[HistoryEvent] {
    &events[..events.partition_point(|event| Place::of(event) > place)]
}

/// The first decision of events that come newest first.
fn newest_of(events: &[HistoryEvent]) -> Result<Option<Newest>, ClientError> {
    for event in events {
        let found = match &event.attributes {
            Some(Attributes::MarkerRecordedEventAttributes(marker)) if marker.marker_name == MARKER => {
                let record = read_marker(marker).map_err(|why| unreadable(event.event_id, &why))?;
                let entries = record.map(|record| record.entries).unwrap_or_default();
                let last = entries.iter().rev().find_map(|entry| entry.step.decisions.last());
                last.cloned().map(|decision| Newest::Ours(Box::new(decision)))
            }
            Some(Attributes::MarkerRecordedEventAttributes(marker)) => {
                acts_of_marker(marker).and_then(|mut acts| acts.pop()).map(Newest::Original)
            }
            Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) => {
                acts_in(completed.result.as_ref()).pop().map(Newest::Original)
            }
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_client::WorkflowHistory;

    async fn backwards() -> Vec<HistoryEvent> {
        let history = include_bytes!("../../../tests/histories/0.1.0-served-and-deleted.json");
        let mut events = WorkflowHistory::from_json(history).unwrap().into_events().await.unwrap();
        events.reverse();
        events
    }

    #[tokio::test]
    async fn the_newest_decision_is_the_first_one_met_backwards() {
        let events = backwards().await;
        let found = newest_of(&events).unwrap().unwrap();
        let at = (0..events.len()).find(|n| newest_of(&events[..*n]).unwrap().is_some()).unwrap();
        assert_eq!(newest_of(&events[..at]).unwrap(), Some(found));
        assert_eq!(newest_of(&events[..at - 1]).unwrap(), None, "behind it nothing was decided");
    }

    #[tokio::test]
    async fn places_are_in_the_order_of_events_and_runs() {
        let events = backwards().await;
        assert!(events.windows(2).all(|pair| Place::of(&pair[0]) > Place::of(&pair[1])));
        assert_eq!(behind(&events, Place::default()).len(), events.len());
        assert_eq!(
            behind(&events, Place::of(&events[3])),
            &events[..3],
            "what was seen is not looked at again"
        );
        let first_of_next_run = Place { event: 1, seconds: i64::MAX, nanos: 0 };
        assert!(first_of_next_run > Place::of(&events[0]));
    }
}
