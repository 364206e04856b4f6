//! What the original's controller has decided, read from its workflow's history.
//!
//! Its SDK records what a local activity answered to a signal, and what the activities of a poll answered. It records
//! no reasons and no statistics.

use super::{Histories, end_of_run};
use crate::controller::client::ClientError;
use crate::controller::contract::{SIGNAL_TASK_ADD, Start};
use crate::controller::messages::decode;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use temporalio_common::protos::temporal::api::common::v1::Payloads;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{HistoryEvent, MarkerRecordedEventAttributes};
use wci_core::Timestamp;
use wci_core::signals::TaskAdd;

const MARKER: &str = "LocalActivity";
const SIGNAL_HANDLER: &str = "HandleTaskAddSignal";
const POLL: &str = "PullStats";
const DEFERRED: &str = "HandleDeferredScalingDecision";

/// One thing that the original decided to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    /// The scaling group.
    #[serde(rename(deserialize = "scaling_group_key"))]
    pub(crate) group: String,
    /// In the words of the wire: `invoke-worker`, `update-worker-set-size` or `deferred-scaling-decision`.
    pub(crate) action: String,
    /// The size of a worker set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u32>,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.group, self.action)?;
        self.count.map_or(Ok(()), |count| write!(f, " {count}"))
    }
}

/// What an activity of the original answers, as far as it matters here.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    actions: Option<Vec<Act>>,
}

#[derive(Deserialize)]
struct MarkerData {
    #[serde(rename = "ActivityType")]
    activity_type: String,
}

/// What happened in the original's controller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happened {
    /// A run began.
    Begun(Box<Start>),
    /// A signal was taken from the queue and decided on. The signal is missing where it cannot be read.
    Signalled(Option<TaskAdd>, Vec<Act>),
    /// It reads the statistics now.
    Reads { is_poll: bool },
    /// It has read them, and decided.
    Polled { is_poll: bool, acts: Vec<Act> },
}

/// Goes through the events of one controller after the other, and pairs what belongs together.
#[derive(Debug, Default)]
pub(crate) struct Original {
    signals: VecDeque<Option<TaskAdd>>,
    /// Activities that read statistics, by the event that scheduled them; true for polls.
    reading: BTreeMap<i64, bool>,
    /// When the workflow last went on: a decision on a signal is made right after that, and recorded later.
    went_on_at: Option<Timestamp>,
}

impl Original {
    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &HistoryEvent) -> Option<(Timestamp, Happened)> {
        let at = event.event_time.map_or(0, |at| at.seconds * 1000 + i64::from(at.nanos) / 1_000_000);
        let at = Timestamp::from_millis(at);
        let attributes = event.attributes.as_ref()?;
        if let Attributes::WorkflowTaskStartedEventAttributes(_) = attributes {
            self.went_on_at = Some(at);
        }
        let happened = self.happened(event.event_id, attributes)?;
        let is_signal = matches!(happened, Happened::Signalled(..));
        Some((self.went_on_at.filter(|_| is_signal).unwrap_or(at), happened))
    }

    fn happened(&mut self, event: i64, attributes: &Attributes) -> Option<Happened> {
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                let mut start: Start = first(started.input.as_ref())?;
                // It hands its queue over in its own time, one by one.
                let waiting = std::mem::take(&mut start.state.pending_task_add_signals);
                self.signals = waiting.into_iter().map(Some).collect();
                self.reading.clear();
                Some(Happened::Begun(Box::new(start)))
            }
            Attributes::WorkflowExecutionSignaledEventAttributes(signal) => {
                if signal.signal_name == SIGNAL_TASK_ADD {
                    self.signals.push_back(first(signal.input.as_ref()));
                }
                None
            }
            Attributes::MarkerRecordedEventAttributes(marker) => {
                let acts = acts_of_marker(marker)?;
                Some(Happened::Signalled(self.signals.pop_front().flatten(), acts))
            }
            Attributes::ActivityTaskScheduledEventAttributes(scheduled) => {
                let is_poll = match scheduled.activity_type.as_ref()?.name.as_str() {
                    POLL => true,
                    DEFERRED => false,
                    _ => return None,
                };
                self.reading.insert(event, is_poll);
                Some(Happened::Reads { is_poll })
            }
            Attributes::ActivityTaskCompletedEventAttributes(completed) => {
                let is_poll = self.reading.remove(&completed.scheduled_event_id)?;
                Some(Happened::Polled { is_poll, acts: acts_in(completed.result.as_ref()) })
            }
            _ => None,
        }
    }
}

/// What the original decided on a signal; nothing if the marker is about something else.
pub(super) fn acts_of_marker(marker: &MarkerRecordedEventAttributes) -> Option<Vec<Act>> {
    if marker.marker_name != MARKER || marker.failure.is_some() {
        return None;
    }
    let data: MarkerData = first(marker.details.get("data"))?;
    if data.activity_type != SIGNAL_HANDLER {
        return None;
    }
    Some(acts_in(marker.details.get("result")))
}

/// What is to be done by the answer of an activity; nothing, if it is not one that decides.
pub(super) fn acts_in(result: Option<&Payloads>) -> Vec<Act> {
    let answer: Option<Answer> = first(result);
    answer.and_then(|answer| answer.actions).unwrap_or_default()
}

fn first<T: serde::de::DeserializeOwned>(payloads: Option<&Payloads>) -> Option<T> {
    decode(Some(payloads?.payloads.first()?)).ok()
}

impl Histories<'_> {
    /// Shows every event of every run that the server still has; with `follow` also what is yet to come, until the
    /// controller is deleted.
    ///
    /// # Errors
    /// When there is no such controller, the server cannot be asked, or `taker` fails.
    pub(crate) async fn events(
        &self,
        follow: bool,
        mut taker: impl AsyncFnMut(HistoryEvent) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let mut run = Some(self.first_run().await?);
        while let Some(run_id) = run.take() {
            let mut token = Vec::new();
            let has_ended = loop {
                let answer = self.fetch(&run_id, std::mem::take(&mut token), follow, 0).await?;
                token = answer.next_page_token;
                let mut is_closed = false;
                for event in answer.history.map(|history| history.events).unwrap_or_default() {
                    if let Some(next) = event.attributes.as_ref().and_then(end_of_run) {
                        is_closed = true;
                        run = next;
                    }
                    taker(event).await?;
                }
                if is_closed || token.is_empty() {
                    break is_closed;
                }
            };
            if has_ended && run.is_none() {
                run = self.run_after(&run_id).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::messages::payloads;
    use serde_json::Value;
    use std::time::{Duration, SystemTime};
    use temporalio_common::protos::temporal::api::common::v1::ActivityType;
    use temporalio_common::protos::temporal::api::history::v1 as history;

    /// Recorded from the controller inside Temporal Server 1.32.0; what no decision hangs on is left out.
    fn recorded() -> Vec<HistoryEvent> {
        let lines = include_str!("../../../tests/fixtures/original-history.jsonl").lines();
        lines.map(|line| event(&serde_json::from_str(line).unwrap())).collect()
    }

    fn event(line: &Value) -> HistoryEvent {
        let at = line["at_ms"].as_i64().unwrap();
        let since = Duration::from_millis(at.try_into().unwrap());
        HistoryEvent {
            event_id: line["id"].as_i64().unwrap(),
            event_time: Some((SystemTime::UNIX_EPOCH + since).into()),
            attributes: Some(attributes(line)),
            ..HistoryEvent::default()
        }
    }

    fn attributes(line: &Value) -> Attributes {
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let given = |key: &str| line.get(key).map(payloads);
        if line["task_started"] == true {
            Attributes::WorkflowTaskStartedEventAttributes(
                history::WorkflowTaskStartedEventAttributes::default(),
            )
        } else if let Some(signal_name) = text("signaled") {
            let input = given("input");
            let signal = history::WorkflowExecutionSignaledEventAttributes {
                signal_name,
                input,
                ..Default::default()
            };
            Attributes::WorkflowExecutionSignaledEventAttributes(signal)
        } else if let Some(marker_name) = text("marker") {
            let details =
                ["data", "result"].into_iter().filter_map(|key| Some((key.to_owned(), given(key)?)));
            let details = details.collect();
            Attributes::MarkerRecordedEventAttributes(MarkerRecordedEventAttributes {
                marker_name,
                details,
                ..Default::default()
            })
        } else if let Some(name) = text("scheduled") {
            let activity_type = Some(ActivityType { name });
            let scheduled =
                history::ActivityTaskScheduledEventAttributes { activity_type, ..Default::default() };
            Attributes::ActivityTaskScheduledEventAttributes(scheduled)
        } else if let Some(scheduled_event_id) = line["completed"].as_i64() {
            let result = given("result");
            let completed = history::ActivityTaskCompletedEventAttributes {
                scheduled_event_id,
                result,
                ..Default::default()
            };
            Attributes::ActivityTaskCompletedEventAttributes(completed)
        } else {
            let input = given("started");
            let started = history::WorkflowExecutionStartedEventAttributes { input, ..Default::default() };
            Attributes::WorkflowExecutionStartedEventAttributes(started)
        }
    }

    fn sizes(acts: &[Act]) -> Vec<u32> {
        acts.iter().filter_map(|act| act.count).collect()
    }

    #[test]
    fn every_decision_of_the_original_is_read_with_its_signal() {
        let mut original = Original::default();
        let happened: Vec<_> = recorded().iter().filter_map(|event| original.take(event)).collect();
        let Happened::Begun(start) = &happened[0].1 else { panic!("{:?}", happened[0]) };
        assert_eq!(start.deployment_name, "set");
        let (mut of_signals, mut of_polls, mut reads) = (Vec::new(), Vec::new(), 0);
        for (_, happened) in &happened {
            match happened {
                Happened::Signalled(add, acts) => {
                    assert!(add.as_ref().is_some_and(TaskAdd::is_eligible));
                    of_signals.extend(sizes(acts));
                }
                Happened::Polled { is_poll: true, acts } => of_polls.push(sizes(acts)),
                Happened::Reads { is_poll: true } => reads += 1,
                _ => {}
            }
        }
        assert_eq!((of_signals, of_polls, reads), (vec![3, 3], vec![vec![2], vec![]], 2));
    }

    #[test]
    fn a_decision_on_a_signal_is_as_old_as_the_task_that_made_it() {
        let mut original = Original::default();
        let events = recorded();
        let signalled = events.iter().find_map(|event| {
            let (at, happened) = original.take(event)?;
            matches!(&happened, Happened::Signalled(_, acts) if acts.iter().any(|act| act.count == Some(3)))
                .then_some(at)
        });
        // The time that the controller itself stored for this decision is 1795336524580.
        assert_eq!(signalled, Some(Timestamp::from_millis(1_795_336_524_578)));
    }
}
