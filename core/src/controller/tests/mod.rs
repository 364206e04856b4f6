//! Tests of the controller, and the rig they share.

mod polling;
mod properties;
mod readings;
mod requests;
mod sizes;
mod states;
mod turns;

use super::*;
use crate::decision::{Action, ActionKind, FetchWhy};
use crate::metrics::{MetricsSnapshot, Observation, QueueMetrics};
use crate::signals::TaskAdd;
use crate::time::Millis;
use serde_json::{Value, json};

/// The time at which every rig starts: far from zero, because algorithms take 0 for "never".
const START: i64 = 1_700_000_000_000;

/// A controller and the time.
struct Rig {
    controller: Controller,
    now: i64,
    start: Step,
}

impl Rig {
    fn new(groups: Value) -> Self {
        Self::with(Settings::default(), groups)
    }

    fn with(settings: Settings, groups: Value) -> Self {
        let state = State::new(Some(spec(groups)), Timestamp::from_millis(START));
        Self::from_state(settings, state)
    }

    fn from_state(settings: Settings, state: State) -> Self {
        let (controller, start) =
            Controller::start(version(), settings, state, Timestamp::from_millis(START));
        Self { controller, now: START, start }
    }

    /// Moves the clock to this long after the start.
    fn at(&mut self, millis: i64) -> &mut Self {
        self.now = START + millis;
        self
    }

    fn give(&mut self, input: Input) -> Step {
        self.controller.handle(Timestamp::from_millis(self.now), input)
    }

    fn wake(&mut self) -> Step {
        self.give(Input::WokeUp)
    }

    fn signal(&mut self, task_type: u8) -> Step {
        self.give(Input::TaskAdd(add(task_type)))
    }

    fn answer(&mut self, step: &Step, metrics: MetricsSnapshot) -> Step {
        let id = only(step).id;
        self.give(Input::Metrics { id, result: Ok(metrics) })
    }

    fn finish(&mut self, step: &Step) -> Step {
        let id = only(step).id;
        self.give(Input::ActionFinished { id, result: Ok(()) })
    }

    fn fail(&mut self, step: &Step, class: FailureClass) -> Step {
        let id = only(step).id;
        self.give(Input::ActionFinished { id, result: Err(class) })
    }

    fn request(&mut self, id: &str, request: Request) -> Step {
        self.give(Input::Requested { request_id: id.to_owned(), request: Box::new(request) })
    }

    /// Wakes the controller for its poll and answers it.
    fn poll(&mut self, metrics: MetricsSnapshot) -> Step {
        let step = self.wake();
        assert_eq!(fetches(&step), [FetchWhy::Poll], "no poll is due");
        self.answer(&step, metrics)
    }
}

fn version() -> WorkerDeploymentVersion {
    WorkerDeploymentVersion { deployment_name: "shop".to_owned(), build_id: "7".to_owned() }
}

fn spec(groups: Value) -> Spec {
    Spec::from_json(&json!({ "scaling_group_specs": groups })).unwrap()
}

fn lambda(algorithm: &str, config: Value) -> Value {
    group("aws-lambda", algorithm, config)
}

fn worker_set(algorithm: &str, config: Value) -> Value {
    group("k8s", algorithm, config)
}

fn group(provider: &str, algorithm: &str, config: Value) -> Value {
    json!({
        "compute": { "provider_type": provider },
        "scaling": { "scaling_algorithm": algorithm, "config": config },
    })
}

/// The group with these task types.
fn serving(task_types: &[u8], mut group: Value) -> Value {
    group["task_types"] = json!(task_types);
    group
}

/// An add that met no worker; types are the wire's numbers.
fn add(task_type: u8) -> TaskAdd {
    serde_json::from_value(json!({
        "task_queue_name": "q", "task_queue_type": task_type, "no_sync_match_signals_batched": 1,
    }))
    .unwrap()
}

fn sync_add(task_type: u8) -> TaskAdd {
    TaskAdd { is_sync_match: true, no_sync_match_signals_batched: 0, ..add(task_type) }
}

const fn queue(backlog: i64, arrivals: f32, dispatches: f32) -> QueueMetrics {
    QueueMetrics {
        last_backlog_count: backlog,
        last_arrival_rate: arrivals,
        last_processing_rate: dispatches,
        last_backlog_age: 0,
        rate_limiting_active: false,
    }
}

fn activity(backlog: i64) -> MetricsSnapshot {
    MetricsSnapshot { activity: Some(queue(backlog, 1.0, 1.0)), ..MetricsSnapshot::default() }
}

fn only(step: &Step) -> &Action {
    assert_eq!(step.actions.len(), 1, "{:?}", step.actions);
    &step.actions[0]
}

fn fetches(step: &Step) -> Vec<FetchWhy> {
    let fetch = |action: &Action| match &action.kind {
        ActionKind::FetchMetrics { why } => Some(why.clone()),
        _ => None,
    };
    step.actions.iter().filter_map(fetch).collect()
}

/// What a step does, in short: `invoke a 1`, `size b 3`, `poll`, `deferred b`, and so on.
fn doings(step: &Step) -> Vec<String> {
    let doing = |action: &Action| match &action.kind {
        ActionKind::FetchMetrics { why: FetchWhy::Poll } => "poll".to_owned(),
        ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } } => format!("deferred {group}"),
        ActionKind::InvokeWorker { group, count } => format!("invoke {group} {count}"),
        ActionKind::SetWorkerSetSize { group, count } => format!("size {group} {count}"),
        ActionKind::CheckSpec { .. } => "check".to_owned(),
        ActionKind::RegisterTaskQueues { groups } => {
            let names: Vec<_> = groups.iter().map(|g| format!("{} {:?}", g.group, g.launch)).collect();
            format!("register {}", names.join(", "))
        }
        ActionKind::Answer { request_id, response } => match &**response {
            Response::Refused(refusal) => format!("{request_id} refused {:?}", refusal.kind),
            Response::Updated { spec: None, .. } => format!("{request_id} updated to nothing"),
            Response::Updated { .. } => format!("{request_id} updated"),
            Response::Valid => format!("{request_id} valid"),
            Response::Deleted => format!("{request_id} deleted"),
        },
        ActionKind::Finish => "finish".to_owned(),
    };
    step.actions.iter().map(doing).collect()
}

/// How long after the start the controller wants to be woken.
fn wakes(step: &Step) -> i64 {
    step.wake_at.unwrap().as_millis() - START
}
