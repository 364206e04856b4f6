//! The record of a job's workers: what is to be there, whatever becomes of Pods and controllers.

use super::job::labels;
use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wci_core::cluster::TaskId;
use wci_core::cluster::reconcile::{CurrentWorker, WorkerState};

/// What the record's ConfigMap holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    schema: u32,
    /// The number of the worker that is made next: names are never used twice.
    next: u32,
    /// The first workers were all made.
    #[serde(default)]
    pub has_begun: bool,
    /// The workers: ready, suspended or closed. Where a ready one runs is for its Pod to say.
    pub workers: Vec<CurrentWorker>,
}

impl Default for Record {
    fn default() -> Self {
        Self { schema: 1, next: 1, has_begun: false, workers: Vec::new() }
    }
}

impl Record {
    pub fn from_json(text: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(text).map_err(|error| format!("workers.json: {error}"))?;
        match record.schema {
            1 => Ok(record),
            other => Err(format!("workers.json: found schema {other}, expected 1: a newer release wrote it")),
        }
    }

    pub fn to_json(&self) -> String {
        // Strings and numbers cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// When the record was lost: made anew from what the Pods say of their workers.
    pub fn of_pods<'a>(job: &str, pods: impl Iterator<Item = &'a Pod>) -> Self {
        let mut record = Self::default();
        for pod in pods {
            let Some(name) = &pod.metadata.name else { continue };
            let number = name.strip_prefix(job).and_then(|rest| rest.strip_prefix('-')?.parse::<u32>().ok());
            // Whoever has another name has borrowed the label.
            let Some(number) = number else { continue };
            let annotation = |key| pod.metadata.annotations.as_ref()?.get(key).map(String::as_str);
            record.workers.push(CurrentWorker {
                id: name.as_str().into(),
                group: annotation(labels::GROUP).map(Arc::from),
                name: annotation(labels::WORKER_NAME).unwrap_or_default().into(),
                is_scavenger: annotation(labels::SCAVENGER) == Some("true"),
                state: WorkerState::Ready,
                node: None,
            });
            record.next = record.next.max(number.saturating_add(1));
        }
        record
    }

    /// A name for the next worker.
    pub fn new_id(&mut self, job: &str) -> TaskId {
        let id = TaskId(format!("{job}-{}", self.next).into());
        self.next = self.next.saturating_add(1);
        id
    }

    /// Whether the job has had workers and all of them have ended.
    pub fn has_ended(&self) -> bool {
        !self.workers.is_empty() && self.workers.iter().all(|worker| worker.state == WorkerState::Closed)
    }

    /// A worker ends when it finds no bucket, so new ones have run out.
    pub fn is_scavenging(&self) -> bool {
        self.workers.iter().any(|worker| worker.state == WorkerState::Closed)
    }

    /// A scavenger ends only when all is done.
    pub fn is_work_complete(&self) -> bool {
        self.workers.iter().any(|worker| worker.state == WorkerState::Closed && worker.is_scavenger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_after_a_record_was_lost() {
        let mut pod = Pod::default();
        pod.metadata.name = Some("job-7".into());
        pod.metadata.annotations = Some([(labels::SCAVENGER.to_owned(), "true".to_owned())].into());
        let mut record = Record::of_pods("job", [pod].iter());
        assert_eq!(&*record.new_id("job").0, "job-8");
        assert!(record.workers[0].is_scavenger);
        assert_eq!(Record::from_json(&record.to_json()), Ok(record));
    }

    #[test]
    fn closed_workers_tell_how_far_the_work_is() {
        let worker = |state, is_scavenger| CurrentWorker {
            id: "w".into(),
            group: None,
            name: "w".into(),
            is_scavenger,
            state,
            node: None,
        };
        let of = |workers: Vec<CurrentWorker>| Record { workers, ..Record::default() };
        let says = |record: &Record| (record.is_scavenging(), record.is_work_complete(), record.has_ended());
        use WorkerState::{Closed, Ready};
        assert_eq!(says(&of(vec![])), (false, false, false));
        assert_eq!(says(&of(vec![worker(Ready, true), worker(Closed, false)])), (true, false, false));
        assert_eq!(says(&of(vec![worker(Closed, true), worker(Ready, false)])), (true, true, false));
        assert_eq!(says(&of(vec![worker(Closed, true), worker(Closed, false)])), (true, true, true));
    }
}
