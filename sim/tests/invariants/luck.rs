//! Common random numbers: whatever scales, the same tasks arrive at the same times and take as long.

use crate::any::Scenario;
use crate::harness::{ensure, for_every_seed};
use crate::no_task_lost::Finished;
use serde_json::json;
use wci_core::Spec;
use wci_sim::driver::FinishedTask;
use wci_sim::model::{ChangeKind, Nanos};

/// Workload, arrival and service.
type Task = (usize, Nanos, Nanos);

#[test]
fn another_algorithm_meets_the_same_tasks() {
    for_every_seed("another_algorithm_meets_the_same_tasks", |scenario| {
        let [one, other] = ["no-sync", "fixed"].map(|algorithm| tasks(&under(scenario, algorithm)));
        let (one, other) = (one?, other?);
        ensure(!one.is_empty() && one == other, || format!("{} and {} tasks", one.len(), other.len()))
    });
}

/// Tasks whose arrival is nobody's doing: no executions, whose steps follow each other.
fn tasks(scenario: &Scenario) -> Result<Vec<Task>, String> {
    let mut finished = Finished::default();
    let run = scenario.run(&mut finished)?;
    let done = run.summary.total.tasks.completed == run.summary.total.tasks.arrived;
    ensure(done, || format!("not all done: {:?}", run.summary.total.tasks))?;
    let workloads = &scenario.model.workloads;
    let task = |t: &FinishedTask| {
        let half_trip = scenario.model.groups[t.group].worker.poll_round_trip / 2;
        (t.workload, t.arrived, t.completed - t.matched - half_trip)
    };
    let mut tasks: Vec<Task> =
        finished.0.iter().filter(|t| workloads[t.workload].workflow.is_none()).map(task).collect();
    tasks.sort_unstable();
    Ok(tasks)
}

/// The same workload on five invoked workers at most, which never fail, under an algorithm.
fn under(scenario: &Scenario, algorithm: &str) -> Scenario {
    let mut patient = scenario.made_patient();
    patient.model.changes.retain(|change| !matches!(change.kind, ChangeKind::Spec(_)));
    let names: Vec<String> = patient.model.spec.groups().map(|(name, _)| name.to_string()).collect();
    let mut spec = patient.model.spec.to_json();
    for name in names {
        let config = if algorithm == "fixed" { json!({ "count": 5 }) } else { json!({}) };
        let group = &mut spec["scaling_group_specs"][&name];
        group["compute"] = json!({ "provider_type": "aws-lambda" });
        group["scaling"] = json!({ "scaling_algorithm": algorithm, "config": config });
    }
    patient.model.spec = Spec::from_json(&spec).unwrap_or_else(|e| panic!("{e}"));
    patient
}
