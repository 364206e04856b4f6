//! Workflow-shaped load: an execution alternates workflow tasks and activities.

use super::tasks::Extra;
use super::{Tag, World, luck};
use crate::model::Nanos;
use crate::rng;
use crate::task_queue::Waiting;

/// A workflow execution.
#[derive(Clone, Copy, Debug)]
pub struct Execution {
    workload: usize,
    number: u64,
    /// Steps done: even ones are workflow tasks, odd ones activities.
    step: u32,
}

impl World {
    /// An execution begins with its first workflow task.
    pub(super) fn begin_execution(&mut self, workload: usize, number: u64) {
        let execution = self.executions.insert(Execution { workload, number, step: 0 });
        self.add_step(execution);
    }

    /// A step is done: the next one is added, or the execution ends.
    pub(super) fn next_step(&mut self, index: usize) {
        let execution = &mut self.executions[index];
        execution.step += 1;
        let activities =
            self.workloads[execution.workload].shape.as_ref().map_or(0, |shape| shape.activities);
        if execution.step > 2 * activities {
            self.executions.free(index);
        } else {
            self.add_step(index);
        }
    }

    fn add_step(&mut self, index: usize) {
        let Execution { workload, number, step } = self.executions[index];
        let state = &self.workloads[workload];
        let Some(shape) = &state.shape else { return };
        let is_activity = step % 2 == 1;
        let (dist, lane) = if is_activity {
            (&shape.activity_service, state.activity_lane)
        } else {
            (&shape.workflow_task_service, state.lane)
        };
        let step_key = rng::key(number, [u64::from(step), state.index as u64]);
        let service: Nanos = dist.sample(&mut rng::keyed(self.seed, [luck::STEP, step_key]));
        let extra =
            Extra { number: step_key, attempt: 1, first_added: self.now, lane, execution: Some(index) };
        let place = self.extras.insert(extra);
        let task = Waiting { added: self.now, service, tag: Tag::with_extra(workload, place) };
        self.add_first(lane, task);
    }
}
