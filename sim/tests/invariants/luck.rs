//! What is drawn for a task does not depend on who scales.

use crate::harness::{ensure, for_every_seed};
use crate::no_task_lost::Finished;
use wci_sim::driver::Simulation;

#[test]
fn another_allocator_meets_the_same_tasks() {
    for_every_seed("another_allocator_meets_the_same_tasks", |scenario| {
        let patient = scenario.made_patient();
        // Who is rejected, and when the next step of a workflow is added, depends on the workers.
        let depends = patient.model.workloads.iter().any(|w| w.workflow.is_some())
            || patient.model.groups.iter().any(|group| group.provider.is_per_request());
        if depends {
            return Ok(());
        }
        let arrivals_with = |workers: u64| -> Result<Vec<(usize, u64, u64)>, String> {
            let mut finished = Finished::default();
            let model = patient.model.clone();
            let run = Simulation::with_theory(model, patient.sources(), Box::new(move |_, _| workers));
            run.run(&mut finished).map_err(|e| e.to_string())?;
            let round_trips = |group: usize| patient.model.groups[group].worker.poll_round_trip / 2;
            let met = finished.0.iter().map(|task| {
                (task.workload, task.arrived, task.completed - task.matched - round_trips(task.group))
            });
            let mut met: Vec<_> = met.collect();
            met.sort_unstable();
            Ok(met)
        };
        let (few, many) = (arrivals_with(1)?, arrivals_with(7)?);
        let differs = few.iter().zip(&many).find(|(one, other)| one != other);
        ensure(few.len() == many.len() && differs.is_none(), || {
            format!("{} and {} tasks, first difference {differs:?}", few.len(), many.len())
        })
    });
}
