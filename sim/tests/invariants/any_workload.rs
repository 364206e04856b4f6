//! Task queues, workloads and their arrivals.

use crate::any::Luck;
use wci_core::metrics::TaskQueueType;
use wci_sim::dist::Dist;
use wci_sim::model::{MILLI, Nanos, SECOND, TaskQueue, WorkflowShape, Workload};
use wci_sim::workload::{Arrivals, Expand, Gaps, Phases, Rate};

/// One to three task queues.
pub fn any_queues(luck: &mut Luck) -> Vec<TaskQueue> {
    (0..luck.between(1, 3))
        .map(|i| TaskQueue {
            name: format!("queue-{i}"),
            partitions: luck.between(1, 5) as u32,
            spool_delay: luck.one_of(&[0, MILLI, 10 * MILLI]),
            max_dispatch_rate: luck.one_of(&[None, None, Some(2.0), Some(20.0)]),
        })
        .collect()
}

/// One to four workloads, the first of them Poisson, so that no scenario is without luck.
pub fn any(luck: &mut Luck, horizon: Nanos, queues: usize) -> (Vec<Workload>, Vec<(Arrivals, Dist)>) {
    (0..luck.between(1, 4))
        .map(|i| {
            let rate = luck.between(2, 20) as f64;
            let arrivals = if i == 0 { Arrivals::poisson(rate) } else { any_arrivals(luck, rate, horizon) };
            let arrivals = arrivals.expect("valid parameters");
            let (millis, workload) = (luck.one_of(&[1, 50, 500]), any_workload(luck, i, queues));
            (workload, (arrivals, luck.dist(millis)))
        })
        .unzip()
}

fn any_workload(luck: &mut Luck, i: u64, queues: usize) -> Workload {
    let queue = |luck: &mut Luck| luck.between(0, queues as u64 - 1) as usize;
    let types = [TaskQueueType::Activity, TaskQueueType::Workflow, TaskQueueType::Nexus];
    let task_type = luck.one_of(&types);
    let is_workflow = task_type == TaskQueueType::Workflow && luck.chance(0.5);
    Workload {
        name: format!("workload-{i}"),
        task_queue: queue(luck),
        task_type,
        start_to_close_timeout: luck.one_of(&[SECOND, 30 * SECOND]),
        workflow: is_workflow.then(|| WorkflowShape {
            activities: luck.between(0, 4) as u32,
            workflow_task_service: luck.dist(20),
            activity_service: luck.dist(300),
            activity_task_queue: queue(luck),
        }),
    }
}

fn any_arrivals(
    luck: &mut Luck,
    rate: f64,
    horizon: Nanos,
) -> Result<Arrivals, wci_sim::dist::ParameterError> {
    let second = |luck: &mut Luck| luck.between(0, horizon / SECOND) * SECOND;
    match luck.between(0, 7) {
        0 => Arrivals::constant(rate),
        1 => Arrivals::new(Gaps::Gamma { cv: 3.0 }, Rate::constant(rate)?),
        2 => Arrivals::new(Gaps::Exponential, Rate::sinusoid(rate, rate, horizon / 2, 0)?),
        3 => {
            let phases = luck.one_of(&[Phases::Constant, Phases::Exponential]);
            Arrivals::new(Gaps::Exponential, Rate::on_off(3.0 * rate, 10 * SECOND, 20 * SECOND, phases)?)
        }
        4 => Arrivals::bursts(second(luck), 30 * SECOND, luck.between(1, 300), luck.one_of(&[0, SECOND])),
        5 => Ok(Arrivals::bulk((0..3).map(|_| (second(luck), luck.between(0, 500))).collect())),
        6 => Ok(Arrivals::instants((0..100).map(|_| second(luck)).collect())),
        _ => {
            let counts = (0..10).map(|_| luck.between(0, 200)).collect();
            let expand = luck.one_of(&[Expand::Uniform, Expand::Even, Expand::Start]);
            Arrivals::counts(second(luck), 10 * SECOND, counts, expand)
        }
    }
}
