//! No task is lost, none is done twice: each ends in just one way.

use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::{FinishedTask, Observer};

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

#[test]
fn every_task_is_done_in_the_end() {
    for_every_seed("every_task_is_done_in_the_end", |scenario| {
        let patient = scenario.made_patient();
        let run = patient.run_with_two_workers()?;
        let tasks = &run.summary.total.tasks;
        let is_done = tasks.completed + tasks.rejected == tasks.arrived;
        ensure(is_done, || format!("not all done: {tasks:?}"))
    });
}
