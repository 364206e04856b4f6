//! Time and memory of the controller: signals, decisions, many controllers at once.
//!
//! `cargo bench --package wci-core --bench controller`

use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::decision::ActionId;
use wci_core::metrics::{MetricsSnapshot, QueueMetrics};
use wci_core::signals::TaskAdd;
use wci_core::spec::SpecError;
use wci_core::{Controller, Input, Settings, Spec, State, Step, Timestamp};

const START: i64 = 1_700_000_000_000;
const RUNS: usize = 500;
const MANY: usize = 10_000;

fn main() -> Result<(), SpecError> {
    println!("{:<44} {:>10}", "one input", "ns");
    for (name, algorithm) in [("no-sync", no_sync()), ("rate-based", rate_based())] {
        println!("{:<44} {:>10.1}", format!("sync-matched signal, {name}"), sync_matched(algorithm.clone())?);
        println!("{:<44} {:>10.1}", format!("poll and its decision, {name}"), poll(algorithm)?);
    }
    println!("{:<44} {:>10.1}", "signal that a cooldown holds back, no-sync", throttled(no_sync())?);
    println!("{:<44} {:>10.1}", "signal, invocation and its end, no-sync", invocation(no_sync())?);
    println!();
    many()
}

fn no_sync() -> Value {
    json!({
        "compute": { "provider_type": "aws-lambda", "config": { "arn": "arn:aws:lambda:eu-west-1:1:function:f" } },
        "scaling": { "scaling_algorithm": "no-sync", "config": { "scale_up_cooloff_ms": "100" } },
    })
}

fn rate_based() -> Value {
    json!({
        "compute": { "provider_type": "k8s", "config": { "namespace": "n", "deployment": "d" } },
        "scaling": { "scaling_algorithm": "rate-based", "config": { "initial_count": 4 } },
    })
}

fn controller(group: Value) -> Result<Controller, SpecError> {
    let spec = Spec::from_json(&json!({ "scaling_group_specs": { "orders": group } }))?;
    let settings = Settings { validation_interval: wci_core::Millis::ZERO, ..Settings::default() };
    let now = Timestamp::from_millis(START);
    let (mut controller, _) =
        Controller::start(WorkerDeploymentVersion::default(), settings, State::new(Some(spec), now), now);
    let _ = controller.handle(now, Input::WokeUp);
    Ok(controller)
}

fn add(is_sync_match: bool) -> TaskAdd {
    TaskAdd {
        task_queue_name: "orders".into(),
        task_queue_type: wci_core::spec::WireTaskType(wci_core::metrics::TaskQueueType::Activity),
        is_sync_match,
        sync_match_signals_batched: 0,
        no_sync_match_signals_batched: u32::from(!is_sync_match),
        rate_limited_signals_batched: 0,
    }
}

fn quiet() -> MetricsSnapshot {
    let queue = QueueMetrics { last_arrival_rate: 3.5, last_processing_rate: 3.5, ..QueueMetrics::default() };
    MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() }
}

/// Signals that met a waiting worker.
fn sync_matched(group: Value) -> Result<f64, SpecError> {
    let mut controller = controller(group)?;
    let now = Timestamp::from_millis(START + 1);
    let signals = || vec![Input::TaskAdd(add(true)); 1000];
    Ok(nanos_each(signals, |input| {
        let _ = black_box(controller.handle(now, input));
    }))
}

fn throttled(group: Value) -> Result<f64, SpecError> {
    let mut controller = controller(group)?;
    let now = Timestamp::from_millis(START + 1);
    let step = controller.handle(now, Input::TaskAdd(add(false)));
    let _ = controller.handle(now, Input::ActionFinished { id: id_of(&step), result: Ok(()) });
    let add = add(false);
    Ok(nanos(10_000, |_| {
        let _ = black_box(controller.handle(now, Input::TaskAdd(add.clone())));
    }))
}

/// The answer to a poll, given to controllers that were woken before.
fn poll(group: Value) -> Result<f64, SpecError> {
    let mut controllers = (0..64).map(|_| controller(group.clone())).collect::<Result<Vec<_>, _>>()?;
    let mut now = Timestamp::from_millis(START);
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        now = now.plus(wci_core::Millis::from_secs(300));
        let woken = |controller: &mut Controller| id_of(&controller.handle(now, Input::WokeUp));
        let ids: Vec<_> = controllers.iter_mut().map(woken).collect();
        let mut steps = Vec::with_capacity(ids.len());
        let begun = clock();
        for (controller, id) in controllers.iter_mut().zip(ids) {
            steps.push(controller.handle(now, Input::Metrics { id, result: Ok(quiet()) }));
        }
        best = best.min(begun.elapsed().as_secs_f64() / steps.len() as f64);
        // A rate-based group that shrinks sets its size.
        for (controller, step) in
            controllers.iter_mut().zip(&steps).filter(|(_, step)| !step.actions.is_empty())
        {
            let _ = controller.handle(now, Input::ActionFinished { id: id_of(step), result: Ok(()) });
        }
    }
    Ok(best * 1e9)
}

fn invocation(group: Value) -> Result<f64, SpecError> {
    let mut controller = controller(group)?;
    let add = add(false);
    let mut now = Timestamp::from_millis(START);
    Ok(nanos(2_000, |i| {
        now = Timestamp::from_millis(START + 100 * (i % 2000));
        let step = controller.handle(now, Input::TaskAdd(add.clone()));
        if let Some(action) = step.actions.first() {
            let _ = controller.handle(now, Input::ActionFinished { id: action.id, result: Ok(()) });
        }
    }))
}

fn id_of(step: &Step) -> ActionId {
    step.actions.first().map(|action| action.id).unwrap_or_default()
}

/// The best of several runs: the machine is shared.
fn nanos(count: i64, mut once: impl FnMut(i64)) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let begun = clock();
        (0..count).for_each(&mut once);
        best = best.min(begun.elapsed());
    }
    best.as_secs_f64() * 1e9 / count as f64
}

/// The same for inputs that are made beforehand.
fn nanos_each(inputs: impl Fn() -> Vec<Input>, mut once: impl FnMut(Input)) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let inputs = inputs();
        let count = inputs.len();
        let begun = clock();
        inputs.into_iter().for_each(&mut once);
        best = best.min(begun.elapsed().as_secs_f64() / count as f64);
    }
    best * 1e9
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

/// Ten thousand controllers, and signals for all of them in turn: a third found no worker.
fn many() -> Result<(), SpecError> {
    let before = resident_bytes();
    let mut controllers = (0..MANY).map(|_| controller(no_sync())).collect::<Result<Vec<_>, _>>()?;
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let bytes = after.saturating_sub(before) as f64;
        println!(
            "{MANY} controllers: {:.1} MiB, {:.0} bytes each",
            bytes / f64::from(1 << 20),
            bytes / MANY as f64
        );
    }
    let signals = 20 * MANY;
    let adds = [add(true), add(true), add(false)];
    let begun = clock();
    for i in 0..signals {
        let now = Timestamp::from_millis(START + (i / 1000) as i64);
        let controller = &mut controllers[i * 7919 % MANY];
        let step = controller.handle(now, Input::TaskAdd(adds[i % 3].clone()));
        if let Some(action) = step.actions.first() {
            let _ = controller.handle(now, Input::ActionFinished { id: action.id, result: Ok(()) });
        }
    }
    let rate = signals as f64 / begun.elapsed().as_secs_f64();
    println!("signals to {MANY} controllers on one thread: {:.2} M/s", rate / 1e6);
    Ok(())
}

/// Resident memory, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
