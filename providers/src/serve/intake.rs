//! The intake of task adds, for servers without the hook and for whatever else sees tasks come in.
//!
//! `POST /v1/task-adds` takes `{"events": [EVENT]}` or one event; gRPC takes the same. Adds are batched for each
//! controller, task queue and partition as the server's own hook does.

use super::metrics::{Labels, Metrics};
use super::proto::task_adds as proto;
use crate::controller::LiveHost;
use crate::controller::client::{Client, ClientError};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::metrics::TaskQueueType;
use wci_core::signals::{AddOutcome, Batcher, TaskAdd};
use wci_core::spec::WireTaskType;
use wci_core::time::Millis;

/// Signals on their way at a time; beyond that a batch is lost, as one is that cannot be delivered.
const MOST_SENDING: usize = 256;
/// How long a version without a controller is not asked about again.
const FORGET_MISSING: Duration = Duration::from_secs(10);
/// Queues that are remembered; beyond that everything is forgotten, so that nobody can fill the memory.
const MOST_QUEUES: usize = 100_000;
/// Adds that one event may stand for.
const MOST_ADDS: u32 = 10_000;

/// One task that was added, or several of a kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Absent: the namespace that the process serves.
    #[serde(default)]
    pub namespace: String,
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
    /// Name of the task queue.
    pub task_queue_name: String,
    /// `WORKFLOW` or `ACTIVITY`, or their numbers.
    pub task_queue_type: WireTaskType,
    /// Partition of the task queue.
    #[serde(default)]
    pub partition: i32,
    /// How the add ended.
    pub outcome: AddOutcome,
    /// How many such adds.
    #[serde(default = "one")]
    pub count: u32,
}

const fn one() -> u32 {
    1
}

/// What a request may hold; the key `events` tells which it is, so that an error can say what is wrong in it.
fn events(body: Value) -> Result<Vec<Event>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Many {
        events: Vec<Value>,
    }
    if body.get("events").is_none() {
        return serde_json::from_value(body).map(|event| vec![event]).map_err(|e| format!("event: {e}"));
    }
    let many: Many = serde_json::from_value(body).map_err(|e| e.to_string())?;
    let read = |(nth, event)| serde_json::from_value(event).map_err(|e| format!("event {}: {e}", nth + 1));
    many.events.into_iter().enumerate().map(read).collect()
}

/// One batch is counted for each of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    deployment_name: String,
    build_id: String,
    task_queue_name: String,
    task_type: TaskQueueType,
    partition: i32,
}

/// Counts task adds and signals what is due.
#[derive(Clone)]
pub struct Intake {
    client: Client,
    host: Arc<LiveHost>,
    metrics: Metrics,
    batchers: Arc<Mutex<HashMap<Key, Batcher>>>,
    missing: Arc<Mutex<HashMap<(String, String), Instant>>>,
    sending: Arc<Semaphore>,
}

impl Intake {
    /// An intake for the client's namespace.
    #[must_use]
    pub fn new(client: Client, host: Arc<LiveHost>, metrics: Metrics) -> Self {
        let sending = Arc::new(Semaphore::new(MOST_SENDING));
        Self { client, host, metrics, batchers: Arc::default(), missing: Arc::default(), sending }
    }

    /// HTTP and gRPC in one.
    pub fn router(&self) -> Router {
        let grpc = proto::task_adds_server::TaskAddsServer::new(self.clone());
        let http = Router::new().route("/v1/task-adds", post(take)).with_state(self.clone());
        tonic::service::Routes::new(grpc).into_axum_router().merge(http)
    }

    /// Sends what bursts left behind, for ever; at once over when the host has no flush interval.
    pub async fn flush(self) {
        let Some(after) = self.settings().flush_interval.filter(|after| after.get() > 0) else { return };
        let pause = Duration::from_millis(u64::try_from(after.get() / 4).unwrap_or(0).max(10));
        loop {
            tokio::time::sleep(pause).await;
            self.flush_due(after);
        }
    }

    fn flush_due(&self, after: Millis) {
        let now = crate::controller::now();
        let mut due = Vec::new();
        let mut batchers = self.batchers.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::iter_over_hash_type, reason = "signals of different queues have no order")]
        for (key, batcher) in batchers.iter_mut() {
            due.extend(batcher.flush(now, after).map(|batch| (key.clone(), batch)));
        }
        drop(batchers);
        due.into_iter().for_each(|(key, batch)| self.send(key, batch));
    }

    /// Whether the event can be counted.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(&self, event: &Event) -> Result<(), String> {
        let own = &self.client.temporal().options().namespace;
        if !event.namespace.is_empty() && event.namespace != *own {
            return Err(format!("namespace: found {}, this process serves {own}", event.namespace));
        }
        for (key, value) in [("deployment_name", &event.deployment_name), ("build_id", &event.build_id)] {
            if value.is_empty() {
                return Err(format!("{key}: found nothing, expected the version that the task is for"));
            }
        }
        if event.count > MOST_ADDS {
            return Err(format!("count: found {}, expected at most {MOST_ADDS}", event.count));
        }
        Ok(())
    }

    /// Counts one event and sends the batches that it makes due.
    fn count(&self, event: &Event) -> u64 {
        // As in the original, a Nexus queue raises no signals.
        if event.task_queue_type.0 == TaskQueueType::Nexus {
            return 0;
        }
        let key = Key {
            deployment_name: event.deployment_name.clone(),
            build_id: event.build_id.clone(),
            task_queue_name: event.task_queue_name.clone(),
            task_type: event.task_queue_type.0,
            partition: event.partition,
        };
        let (now, intervals) = (crate::controller::now(), self.settings().batching);
        let mut batchers = self.batchers.lock().unwrap_or_else(PoisonError::into_inner);
        if batchers.len() >= MOST_QUEUES {
            batchers.clear();
        }
        let batcher = batchers.entry(key.clone()).or_default();
        let due = batcher.add_many(now, event.outcome, event.count, &intervals);
        drop(batchers);
        if let Some(batch) = due {
            self.send(key, batch);
        }
        u64::from(event.count)
    }

    fn send(&self, key: Key, batch: wci_core::signals::Batch) {
        let missing = (key.deployment_name.clone(), key.build_id.clone());
        let is_missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner).get(&missing).copied();
        if is_missing.is_some_and(|since| since.elapsed() < FORGET_MISSING) {
            return;
        }
        let Ok(permit) = self.sending.clone().try_acquire_owned() else {
            let labels = Labels { skip_reason: "too_many_signals".into(), ..self.labels() };
            self.metrics.workflow_busy.write(&labels, Counter::inc);
            return;
        };
        let this = self.clone();
        let of_version = Labels {
            worker_deployment_name: key.deployment_name.clone(),
            worker_build_id: key.build_id.clone(),
            ..self.labels()
        };
        tokio::spawn(async move {
            let version =
                WorkerDeploymentVersion { deployment_name: key.deployment_name, build_id: key.build_id };
            let signal: TaskAdd = batch.into_signal(key.task_queue_name.into(), key.task_type);
            let error = this.client.signal_task_add(&version, &signal).await.err();
            drop(permit);
            let (error_type, labels) = match error {
                None => return,
                Some(ClientError::NotFound(_)) => {
                    let mut known = this.missing.lock().unwrap_or_else(PoisonError::into_inner);
                    known.retain(|_, since| since.elapsed() < FORGET_MISSING);
                    known.insert(missing, Instant::now());
                    // Nobody has seen the names: whoever invents them must not fill the memory.
                    ("no_controller", this.labels())
                }
                Some(e) if e.is_transient() => ("unavailable", of_version),
                Some(_) => ("refused", of_version),
            };
            let labels = Labels { error_type: error_type.into(), ..labels };
            this.metrics.task_match_error.write(&labels, Counter::inc);
        });
    }

    fn labels(&self) -> Labels {
        Labels { namespace: self.client.temporal().options().namespace.clone(), ..Labels::default() }
    }

    fn settings(&self) -> wci_core::controller::Settings {
        self.host.settings(&self.client.temporal().options().namespace)
    }

    /// Counts all events, or none when one of them is wrong: the sender may then send them again.
    fn count_all(&self, events: &[Event]) -> Result<u64, String> {
        for (nth, event) in events.iter().enumerate() {
            self.check(event).map_err(|why| format!("event {}: {why}", nth + 1))?;
        }
        Ok(events.iter().map(|event| self.count(event)).sum())
    }
}

async fn take(
    State(intake): State<Intake>,
    body: Result<Json<Value>, JsonRejection>,
) -> (StatusCode, Json<Value>) {
    let refused = |why: String| (StatusCode::BAD_REQUEST, Json(json!({"error": why})));
    let read = body.map_err(|e| e.body_text()).and_then(|Json(body)| events(body));
    match read.and_then(|events| intake.count_all(&events)) {
        Ok(accepted) => (StatusCode::ACCEPTED, Json(json!({"accepted": accepted}))),
        Err(why) => refused(why),
    }
}

#[tonic::async_trait]
impl proto::task_adds_server::TaskAdds for Intake {
    async fn report(
        &self,
        request: Request<proto::ReportRequest>,
    ) -> Result<Response<proto::ReportResponse>, Status> {
        let events = request.into_inner().events.into_iter().map(event).collect::<Result<Vec<_>, _>>();
        let counted = events.and_then(|events| self.count_all(&events));
        let accepted = counted.map_err(Status::invalid_argument)?;
        Ok(Response::new(proto::ReportResponse { accepted }))
    }
}

fn event(event: proto::TaskAddEvent) -> Result<Event, String> {
    let read =
        |value: &str, key: &str| serde_json::from_value(json!(value)).map_err(|e| format!("{key}: {e}"));
    Ok(Event {
        task_queue_type: WireTaskType::from_json(&json!(event.task_queue_type))?,
        outcome: read(&event.outcome, "outcome")?,
        namespace: event.namespace,
        deployment_name: event.deployment_name,
        build_id: event.build_id,
        task_queue_name: event.task_queue_name,
        partition: event.partition,
        count: event.count.max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_alone_or_with_others() {
        let one = json!({"deployment_name": "d", "build_id": "b", "task_queue_name": "q",
            "task_queue_type": "activity", "outcome": "no_sync_match"});
        assert_eq!(events(one.clone()).unwrap().len(), 1);
        assert_eq!(events(json!({"events": [one, one]})).unwrap().len(), 2);
        let mut wrong = one.clone();
        wrong["outcome"] = json!("lost");
        let refused = events(json!({"events": [one, wrong]})).unwrap_err();
        assert!(refused.starts_with("event 2: unknown variant `lost`"), "{refused}");
        assert!(events(json!({"event": one})).unwrap_err().contains("unknown field `event`"));
    }

    #[test]
    fn grpc_events_are_the_same() {
        let told = proto::TaskAddEvent {
            deployment_name: "d".into(),
            build_id: "b".into(),
            task_queue_type: "WORKFLOW".into(),
            outcome: "sync_match".into(),
            ..proto::TaskAddEvent::default()
        };
        let read = event(told.clone()).unwrap();
        assert_eq!((read.outcome, read.count), (AddOutcome::SyncMatch, 1));
        assert!(event(proto::TaskAddEvent { outcome: "lost".into(), ..told }).is_err());
    }
}
