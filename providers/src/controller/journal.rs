//! A controller's journal, made from its workflow's history alone.

use super::client::{Client, ClientError};
use super::contract::workflow_id;
use super::decide::Record;
use super::statistics::failure;
use std::io;
use std::time::Duration;
use temporalio_client::tonic::{Code, Request};
use temporalio_common::protos::temporal::api::common::v1::WorkflowExecution;
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::workflowservice::v1 as api;
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::journal::JournalWriter;

/// The marker of a local activity, and where its result stands in it.
const MARKER: &str = "core_local_activity";
const RESULT: &str = "result";

/// Reads histories run by run.
pub struct Histories<'a> {
    client: &'a Client,
    version: &'a WorkerDeploymentVersion,
}

/// What a page of a history holds for us.
#[derive(Default)]
struct Page {
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
    /// When there is no such controller, the server cannot be asked, or `out` cannot be written.
    pub async fn write(&self, mut out: impl io::Write, follow: bool) -> Result<(), ClientError> {
        let mut run = Some(self.first_run().await?);
        while let Some(run_id) = run {
            run = self.write_run(&mut out, &run_id, follow).await?;
        }
        Ok(())
    }

    /// Writes the journal of the newest run alone.
    ///
    /// # Errors
    /// As [`Histories::write`].
    pub async fn write_newest(&self, mut out: impl io::Write) -> Result<(), ClientError> {
        self.write_run(&mut out, "", false).await.map(drop)
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
        loop {
            let page = self.page(run_id, std::mem::take(&mut token), follow).await?;
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

    /// The oldest run that the server still has: from the newest one back.
    async fn first_run(&self) -> Result<String, ClientError> {
        let mut run_id = String::new();
        let mut known = None;
        loop {
            let opening = match self.opening(&run_id).await {
                Ok(opening) => opening,
                Err(e) => return known.ok_or(e),
            };
            let (own, before) = opening;
            known = Some(own);
            if before.is_empty() {
                return known.ok_or_else(|| ClientError::NotFound(workflow_id(self.version)));
            }
            run_id = before;
        }
    }

    /// A run's own id and that of the run before it.
    async fn opening(&self, run_id: &str) -> Result<(String, String), ClientError> {
        let answer = self.fetch(run_id, Vec::new(), false, 1).await?;
        let first = answer.history.and_then(|history| history.events.into_iter().next());
        match first.and_then(|event| event.attributes) {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                Ok((started.original_execution_run_id, started.continued_execution_run_id))
            }
            _ => Err(ClientError::NotFound(workflow_id(self.version))),
        }
    }

    async fn page(&self, run_id: &str, token: Vec<u8>, follow: bool) -> Result<Page, ClientError> {
        let answer = self.fetch(run_id, token, follow, 0).await?;
        let mut page = Page { next_token: answer.next_page_token, ..Page::default() };
        for event in answer.history.map(|history| history.events).unwrap_or_default() {
            page.take(event);
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
        loop {
            let mut request = Request::new(message.clone());
            request.set_timeout(Duration::from_secs(if follow { 70 } else { 30 }));
            match temporal.connection().workflow_service().get_workflow_execution_history(request).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if follow && status.code() == Code::DeadlineExceeded => {}
                Err(status) if status.code() == Code::NotFound => {
                    let WorkerDeploymentVersion { deployment_name, build_id } = self.version;
                    return Err(ClientError::NotFound(format!("{deployment_name}:{build_id}")));
                }
                Err(status) => return Err(ClientError::Server(failure("reading the history", &status))),
            }
        }
    }
}

impl Page {
    fn take(&mut self, event: HistoryEvent) {
        match event.attributes {
            Some(Attributes::MarkerRecordedEventAttributes(marker)) if marker.marker_name == MARKER => {
                let result = marker.details.get(RESULT).and_then(|payloads| payloads.payloads.first());
                let record = result.and_then(|payload| serde_json::from_slice(&payload.data).ok());
                self.records.extend(record);
            }
            Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(next)) => {
                self.is_closed = true;
                self.next_run = Some(next.new_execution_run_id);
            }
            Some(
                Attributes::WorkflowExecutionCompletedEventAttributes(_)
                | Attributes::WorkflowExecutionFailedEventAttributes(_)
                | Attributes::WorkflowExecutionCanceledEventAttributes(_)
                | Attributes::WorkflowExecutionTerminatedEventAttributes(_)
                | Attributes::WorkflowExecutionTimedOutEventAttributes(_),
            ) => self.is_closed = true,
            _ => {}
        }
    }
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
