//! The interactive `no-sync` simulator of `temporalio/temporal-auto-scaled-workers` at its default settings: 5 tasks a
//! second of 10 to 15 s need 62.5 slots, ten workers of 5 slots have 50, so the backlog grows without end.

use crate::support::{System, constant, nanos, spec};
use serde_json::json;
use wci_sim::dist::Dist;
use wci_sim::model::{End, OnLimit, SECOND};
use wci_sim::results::RunResult;

const HOUR: f64 = 3600.0;
/// Mean service in seconds.
const SERVICE: f64 = 12.5;
const SLOTS: f64 = 50.0;

#[test]
fn the_backlog_grows_without_end() {
    let [short, long] = [2.0, 4.0].map(|hours| run(5.0, hours));
    assert!(short.summary.total.overloaded && long.summary.total.overloaded);
    // Twice the time, twice the backlog: no end in sight.
    let growth = waiting(&long) / waiting(&short);
    assert!((1.8..2.2).contains(&growth), "{growth}");
    // Full slots finish 4 tasks a second; a worker that starts or ends finishes fewer.
    let slope = waiting(&long) / (4.0 * HOUR);
    let least = 5.0 - SLOTS / SERVICE;
    assert!((least..least + 0.5).contains(&slope), "{slope} tasks a second are left behind");
}

#[test]
fn the_same_workers_keep_up_with_less() {
    let run = run(3.5, 4.0);
    assert!(!run.summary.total.overloaded);
    assert!(waiting(&run) < 100.0, "{} tasks wait", waiting(&run));
}

/// Waiting tasks in the last whole window.
fn waiting(run: &RunResult) -> f64 {
    run.timeline.total.iter().rev().nth(1).map_or(f64::NAN, |row| row.backlog)
}

fn run(arrival_rate: f64, hours: f64) -> RunResult {
    let service = Dist::uniform(10.0 * SECOND as f64, 15.0 * SECOND as f64).expect("times");
    let no_sync = spec("aws-lambda", "no-sync", &json!({}));
    let mut system = System::controlled(no_sync, arrival_rate, service, arrival_rate * hours * HOUR);
    system.model.end = End::Cut;
    system.model.task_queues[0].partitions = 4;
    system.model.task_queues[0].spool_delay = nanos(0.01);
    let worker = &mut system.model.groups[0].worker;
    worker.slots = [5; 3];
    worker.pollers = [5; 3];
    worker.cold_start = constant(1.0);
    worker.lifetime = Some(nanos(120.0));
    worker.drain_timeout = nanos(15.0);
    worker.poll_round_trip = nanos(0.01);
    let provider = &mut system.model.groups[0].provider;
    provider.concurrency = Some(10);
    provider.on_limit = OnLimit::Reject;
    system.run(1)
}
