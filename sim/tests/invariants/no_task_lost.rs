//! No task is lost, none is done twice: each ends in just one way.

use crate::any::Scenario;
use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::{FinishedTask, Observer, Quiet, Simulation};
use wci_sim::model::{ChangeKind, End, OnLimit, ProviderMode, SECOND};

/// Keeps all finished tasks.
#[derive(Default)]
pub struct Finished(pub Vec<FinishedTask>);

impl Observer for Finished {
    fn wants_tasks(&self) -> bool {
        true
    }
    fn task(&mut self, task: &FinishedTask) {
        self.0.push(*task);
    }
}

#[test]
fn each_completed_task_is_reported_once_and_in_order() {
    for_every_seed("each_completed_task_is_reported_once_and_in_order", |scenario| {
        let mut finished = Finished::default();
        let run = scenario.run(&mut finished)?;
        let (reported, completed) = (finished.0.len() as u64, run.summary.total.tasks.completed);
        ensure(reported == completed, || format!("{reported} reported, {completed} completed"))?;
        let in_order =
            |t: &FinishedTask| t.arrived <= t.added && t.added <= t.matched && t.matched <= t.completed;
        let wrong = finished.0.iter().find(|task| !in_order(task));
        ensure(wrong.is_none(), || format!("times out of order: {wrong:?}"))?;
        let is_retry = |task: &&FinishedTask| (task.attempt > 1) != (task.added > task.arrived);
        let wrong = finished.0.iter().find(is_retry);
        ensure(wrong.is_none(), || format!("attempt and times disagree: {wrong:?}"))?;
        ensure(finished.0.is_sorted_by_key(|task| task.completed), || "completions out of order".into())
    });
}

/// With two workers in each group, or a platform that starts them, every task is done in the end.
#[test]
fn every_task_is_done_in_the_end() {
    for_every_seed("every_task_is_done_in_the_end", |scenario| {
        let patient = scenario.made_patient();
        let simulation = match patient.is_per_request() {
            true => patient.simulation(),
            false => Simulation::with_theory(patient.model.clone(), patient.sources(), Box::new(|_, _| 2)),
        };
        let run = simulation.run(&mut Quiet).map_err(|e| e.to_string())?;
        let tasks = &run.summary.total.tasks;
        ensure(tasks.arrived == tasks.completed, || format!("{tasks:?}"))
    });
}

impl Scenario {
    /// The same tasks with workers that stay, nothing that fails, and no end before the last task.
    pub fn made_patient(&self) -> Self {
        let mut model = self.model.clone();
        model.end = End::Drain;
        model.drain_limit = 1_000_000 * SECOND;
        model.max_backlog = u64::MAX;
        model.retry.maximum_attempts = None;
        model.faults.clear();
        model.changes.retain(|change| !matches!(change.kind, ChangeKind::Spec(_)));
        for group in &mut model.groups {
            group.worker.crash_rate = 0.0;
            group.worker.lifetime = None;
            group.worker.idle_exit = None;
            group.provider.failure_probability = 0.0;
            group.provider.on_limit = OnLimit::Queue;
            group.provider.queue_limit = u64::MAX;
        }
        Self { model, arrivals: self.arrivals.clone() }
    }

    /// Whether the platform starts the workers.
    pub fn is_per_request(&self) -> bool {
        self.model.groups.iter().all(|group| matches!(group.provider.mode, ProviderMode::PerRequest { .. }))
    }
}
