//! A controller's journal, made from its workflow's history alone.

mod newest;
pub(crate) mod original;
mod replayed;

pub(crate) use newest::{Newest, Place};
pub use replayed::Replayed;
#[cfg(test)]
pub(super) use replayed::replay;
pub(super) use replayed::why_not;

use super::client::{Client, ClientError};
use super::contract::{Start, workflow_id};
use super::decide::Record;
use super::statistics::failure;
use std::io;
use std::time::Duration;
use temporalio_client::tonic::{Code, Request};
use temporalio_common::protos::temporal::api::common::v1::{Payloads, WorkflowExecution};
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{HistoryEvent, MarkerRecordedEventAttributes};
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::journal::JournalWriter;

/// The marker of a local activity, and where its result stands in it.
const MARKER: &str = "core_local_activity";
const RESULT: &str = "result";

/// How long after a failure that may pass by itself a reader that follows asks again.
const AGAIN: Duration = Duration::from_secs(1);

/// Reads histories run by run.
pub struct Histories<'a> {
    client: &'a Client,
    version: &'a WorkerDeploymentVersion,
}

/// Said of the histories of another program's workflow.
const OF_THE_ORIGINAL: &str = "this controller is served by the original, which records neither statistics nor \
                               reasons: there is no journal; `shadow` shows what it decides";
/// The kind of that refusal.
const NO_JOURNAL: &str = "NoJournal";
/// How the original's SDK calls itself in a history.
const SDK_OF_THE_ORIGINAL: &str = "temporal-go";

/// What a page of a history holds for us.
#[derive(Default)]
struct Page {
    /// Whether this run has recorded a decision up to here: ours do so before anything else.
    is_ours: bool,
    records: Vec<Record>,
    next_token: Vec<u8>,
    next_run: Option<String>,
    is_closed: bool,
}

impl<'a> Histories<'a> {
    /// The histories of this version's controller.
    #[must_use]
    pub const fn of(client: &'a Client, version: &'a WorkerDeploymentVersion) -> Self {
        Self { client, version }
    }

    /// Writes the journal of every run that the server still has; with `follow` also what is yet to come, until the
    /// controller is deleted.
    ///
    /// # Errors
    /// When there is no such controller, it is served by the original and so has no journal, a decision cannot be read,
    /// the server cannot be asked, or `out` cannot be written.
    pub async fn write(&self, mut out: impl io::Write, follow: bool) -> Result<(), ClientError> {
        let mut run = Some(self.first_run().await?);
        while let Some(run_id) = run {
            run = match self.write_run(&mut out, &run_id, follow).await? {
                None => self.run_after(&run_id).await?,
                next => next,
            };
        }
        Ok(())
    }

    /// The journal of one run; what comes back is the next one.
    async fn write_run(
        &self,
        out: &mut impl io::Write,
        run_id: &str,
        follow: bool,
    ) -> Result<Option<String>, ClientError> {
        let mut written = 0;
        let mut token = Vec::new();
        let mut is_ours = false;
        loop {
            let page = self.page(run_id, std::mem::take(&mut token), follow, is_ours).await?;
            is_ours = page.is_ours;
            for record in page.records {
                written = write_record(out, record, written).map_err(unwritable)?;
            }
            out.flush().map_err(unwritable)?;
            if page.is_closed || page.next_token.is_empty() {
                return Ok(page.next_run);
            }
            token = page.next_token;
        }
    }

    /// The oldest run that the server still has.
    async fn first_run(&self) -> Result<String, ClientError> {
        let chain = self.chain().await?;
        chain.into_iter().next().ok_or_else(|| ClientError::NotFound(workflow_id(self.version)))
    }

    /// The run after one that ended without saying which comes next: it was recovered, or there is none.
    async fn run_after(&self, run_id: &str) -> Result<Option<String>, ClientError> {
        if self.client.newest_run(self.version).await? == run_id {
            return Ok(None);
        }
        let chain = self.chain().await?;
        Ok(chain.into_iter().skip_while(|run| run != run_id).nth(1))
    }

    /// The runs that the server still has, oldest first: from the newest one back.
    async fn chain(&self) -> Result<Vec<String>, ClientError> {
        let mut chain = vec![self.client.newest_run(self.version).await?];
        loop {
            let own = chain.last().map_or("", String::as_str);
            match self.run_before(own).await {
                Ok(Some(before)) => chain.push(before),
                Ok(None) => break,
                // The server keeps this run no longer; it is not the newest one.
                Err(ClientError::NotFound(_)) if chain.len() > 1 => {
                    chain.pop();
                    break;
                }
                Err(e) => return Err(e),
            }
        }
        chain.reverse();
        Ok(chain)
    }

    async fn run_before(&self, run_id: &str) -> Result<Option<String>, ClientError> {
        let answer = self.fetch(run_id, Vec::new(), false, 1).await?;
        let first = answer.history.and_then(|history| history.events.into_iter().next());
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
            first.and_then(|event| event.attributes)
        else {
            return Err(ClientError::NotFound(workflow_id(self.version)));
        };
        let continued = started.continued_execution_run_id;
        let recovered = || start_of(started.input.as_ref()).map(|start| start.recovered_from);
        let before = if continued.is_empty() { recovered().unwrap_or_default() } else { continued };
        Ok(Some(before).filter(|before| !before.is_empty()))
    }

    /// All events of one run up to now.
    pub(super) async fn run(&self, run_id: &str) -> Result<Vec<HistoryEvent>, ClientError> {
        let (mut events, mut token) = (Vec::new(), Vec::new());
        loop {
            let answer = self.fetch(run_id, token, false, 0).await?;
            events.extend(answer.history.map(|history| history.events).unwrap_or_default());
            token = answer.next_page_token;
            if token.is_empty() {
                return Ok(events);
            }
        }
    }

    async fn page(
        &self,
        run_id: &str,
        token: Vec<u8>,
        follow: bool,
        is_ours: bool,
    ) -> Result<Page, ClientError> {
        let answer = self.fetch(run_id, token, follow, 0).await?;
        let mut page = Page { is_ours, next_token: answer.next_page_token, ..Page::default() };
        for event in answer.history.map(|history| history.events).unwrap_or_default() {
            page.take(event)?;
        }
        Ok(page)
    }

    async fn fetch(
        &self,
        run_id: &str,
        token: Vec<u8>,
        follow: bool,
        page_size: i32,
    ) -> Result<api::GetWorkflowExecutionHistoryResponse, ClientError> {
        let temporal = self.client.temporal();
        let message = api::GetWorkflowExecutionHistoryRequest {
            namespace: temporal.options().namespace.clone(),
            execution: Some(WorkflowExecution {
                workflow_id: workflow_id(self.version),
                run_id: run_id.to_owned(),
            }),
            next_page_token: token,
            wait_new_event: follow,
            maximum_page_size: page_size,
            ..api::GetWorkflowExecutionHistoryRequest::default()
        };
        let mut is_said = false;
        loop {
            let mut request = Request::new(message.clone());
            request.set_timeout(Duration::from_secs(if follow { 70 } else { 30 }));
            match temporal.connection().workflow_service().get_workflow_execution_history(request).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if follow && status.code() == Code::DeadlineExceeded => {}
                Err(status) if follow && failure("", &status).class.is_transient() => {
                    if !std::mem::replace(&mut is_said, true) {
                        eprintln!("the server does not answer ({}): trying again", status.message());
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                Err(status) if status.code() == Code::NotFound => {
                    let WorkerDeploymentVersion { deployment_name, build_id } = self.version;
                    return Err(ClientError::NotFound(format!("{deployment_name}:{build_id}")));
                }
                Err(status) => return Err(ClientError::Server(failure("reading the history", &status))),
            }
        }
    }
}

impl ClientError {
    /// Whether the history is one of the original's.
    pub(crate) fn is_of_the_original(&self) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == NO_JOURNAL)
    }
}

impl Page {
    fn take(&mut self, event: HistoryEvent) -> Result<(), ClientError> {
        let number = event.event_id;
        let Some(attributes) = event.attributes else { return Ok(()) };
        if !self.is_ours && is_of_the_original(&attributes) {
            return Err(ClientError::Refused { kind: NO_JOURNAL.into(), message: OF_THE_ORIGINAL.into() });
        }
        if let Some(next_run) = end_of_run(&attributes) {
            self.is_closed = true;
            self.next_run = next_run;
        }
        if let Attributes::MarkerRecordedEventAttributes(marker) = attributes
            && marker.marker_name == MARKER
        {
            self.is_ours = true;
            self.records.extend(read_record(number, &marker)?);
        }
        Ok(())
    }
}

/// Whether this is the last event of a run, and which run comes next.
fn end_of_run(attributes: &Attributes) -> Option<Option<String>> {
    match attributes {
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(next) => {
            Some(Some(next.new_execution_run_id.clone()))
        }
        Attributes::WorkflowExecutionCompletedEventAttributes(_)
        | Attributes::WorkflowExecutionFailedEventAttributes(_)
        | Attributes::WorkflowExecutionCanceledEventAttributes(_)
        | Attributes::WorkflowExecutionTerminatedEventAttributes(_)
        | Attributes::WorkflowExecutionTimedOutEventAttributes(_) => Some(None),
        _ => None,
    }
}

/// What a workflow of ours does not do before its first decision. An update may be accepted before it.
fn is_of_the_original(attributes: &Attributes) -> bool {
    match attributes {
        Attributes::WorkflowTaskCompletedEventAttributes(completed) => {
            completed.sdk_metadata.as_ref().is_some_and(|sdk| sdk.sdk_name == SDK_OF_THE_ORIGINAL)
        }
        Attributes::MarkerRecordedEventAttributes(marker) => marker.marker_name != MARKER,
        Attributes::TimerStartedEventAttributes(_)
        | Attributes::ActivityTaskScheduledEventAttributes(_)
        | Attributes::WorkflowPropertiesModifiedEventAttributes(_)
        | Attributes::UpsertWorkflowSearchAttributesEventAttributes(_)
        | Attributes::WorkflowExecutionContinuedAsNewEventAttributes(_)
        | Attributes::WorkflowExecutionCompletedEventAttributes(_) => true,
        _ => false,
    }
}

/// What a decision recorded; nothing, if it failed.
fn read_marker(marker: &MarkerRecordedEventAttributes) -> Result<Option<Record>, String> {
    if marker.failure.is_some() {
        return Ok(None);
    }
    let result = marker.details.get(RESULT).and_then(|payloads| payloads.payloads.first());
    let payload = result.ok_or("found no result")?;
    serde_json::from_slice(&payload.data).map(Some).map_err(|e| format!("found {e}"))
}

/// What the decision in this event recorded; nothing, if it failed or the marker is another one.
pub(super) fn read_record(
    event: i64,
    marker: &MarkerRecordedEventAttributes,
) -> Result<Option<Record>, ClientError> {
    if marker.marker_name != MARKER {
        return Ok(None);
    }
    read_marker(marker).map_err(|why| unreadable(event, &why))
}

/// What a run was started with, if it can be read.
pub(super) fn start_of(input: Option<&Payloads>) -> Option<Start> {
    let payload = input?.payloads.first()?;
    serde_json::from_slice(&payload.data).ok()
}

fn unreadable(event: i64, why: &str) -> ClientError {
    ClientError::Server(crate::ProviderError::rejected(format!(
        "event {event} of the history: {why}, expected what a decision records"
    )))
}

/// Writes what one decision recorded; what comes back is how many entries the run has now.
fn write_record(out: &mut impl io::Write, record: Record, written: u64) -> io::Result<u64> {
    if let Some(header) = &record.header {
        serde_json::to_writer(&mut *out, header)?;
        out.write_all(b"\n")?;
    }
    let mut writer = JournalWriter::resume(&mut *out, written);
    for entry in &record.entries {
        writer.record(entry.t, &entry.input, &entry.step)?;
    }
    Ok(written + record.entries.len() as u64)
}

fn unwritable(error: io::Error) -> ClientError {
    ClientError::Server(crate::ProviderError::rejected(format!("the journal cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_client::WorkflowHistory;
    use temporalio_common::protos::temporal::api::history::v1::{
        TimerStartedEventAttributes, WorkflowExecutionSignaledEventAttributes,
        WorkflowTaskCompletedEventAttributes,
    };
    use temporalio_common::protos::temporal::api::sdk::v1::WorkflowTaskCompletedMetadata;

    async fn recorded() -> Vec<HistoryEvent> {
        let history = include_bytes!("../../tests/histories/0.1.0-served-and-deleted.json");
        WorkflowHistory::from_json(history).unwrap().into_events().await.unwrap()
    }

    fn page_of(events: Vec<HistoryEvent>) -> Result<Page, ClientError> {
        let mut page = Page::default();
        events.into_iter().try_for_each(|event| page.take(event)).map(|()| page)
    }

    fn marker(event: &mut HistoryEvent) -> Option<&mut MarkerRecordedEventAttributes> {
        match &mut event.attributes {
            Some(Attributes::MarkerRecordedEventAttributes(marker)) => Some(marker),
            _ => None,
        }
    }

    fn event(attributes: Attributes) -> HistoryEvent {
        HistoryEvent { event_id: 4, attributes: Some(attributes), ..HistoryEvent::default() }
    }

    #[tokio::test]
    async fn every_decision_of_a_history_is_read() {
        let mut events = recorded().await;
        let markers = events.iter_mut().filter_map(marker).count();
        let page = page_of(events).unwrap();
        assert_eq!(page.records.len(), markers);
        assert!(page.records[0].header.is_some() && page.is_closed);
    }

    #[tokio::test]
    async fn a_decision_that_cannot_be_read_is_told_with_its_place() {
        let mut events = recorded().await;
        let broken = events.iter_mut().filter(|event| event.event_id > 8).find_map(|event| {
            let number = event.event_id;
            marker(event).map(|marker| (number, marker))
        });
        let (number, marker) = broken.unwrap();
        marker.details.get_mut(RESULT).unwrap().payloads[0].data = b"{\"entries\": 7}".to_vec();
        let said = page_of(events).err().unwrap().to_string();
        assert!(said.starts_with(&format!("event {number} of the history: found invalid type")), "{said}");
    }

    #[test]
    fn a_history_of_the_original_is_told_apart_at_its_first_step() {
        let sdk_metadata = Some(WorkflowTaskCompletedMetadata {
            sdk_name: SDK_OF_THE_ORIGINAL.to_owned(),
            ..WorkflowTaskCompletedMetadata::default()
        });
        let completed = WorkflowTaskCompletedEventAttributes { sdk_metadata, ..Default::default() };
        let timer = TimerStartedEventAttributes::default();
        for step in [
            Attributes::WorkflowTaskCompletedEventAttributes(completed),
            Attributes::TimerStartedEventAttributes(timer),
        ] {
            let said = page_of(vec![event(step.clone())]).err().unwrap().to_string();
            assert_eq!(said, OF_THE_ORIGINAL);
            let mut page = Page { is_ours: true, ..Page::default() };
            assert_eq!(page.take(event(step)), Ok(()), "a run of ours goes on over pages");
        }
        let signal = WorkflowExecutionSignaledEventAttributes::default();
        let waiting = vec![event(Attributes::WorkflowExecutionSignaledEventAttributes(signal))];
        assert!(page_of(waiting).is_ok(), "nobody has taken it up yet");
    }
}
