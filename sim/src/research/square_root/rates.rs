//! What is known beforehand: how many tasks each step brings, and how long they take.

use crate::model::{ChangeKind, Nanos, SECOND};
use crate::rng::Stream;
use crate::scenario::{OpenError, Resolved, SourceSpec, Surroundings, broken};
use crate::workload::{Block, Source};
use wci_core::metrics::TaskQueueType;

/// Traces and bursts have no rate: their tasks are counted in windows of this length.
const WINDOW: Nanos = 10 * SECOND;

/// Where tasks are added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub task_queue: usize,
    pub task_type: TaskQueueType,
}

/// The tasks of one workload and type.
pub(super) struct Demand {
    pub place: Place,
    /// Tasks of each step, and their mean service time in nanoseconds.
    tasks: Vec<f64>,
    service: Vec<f64>,
}

impl Demand {
    /// The offered load in each step, in tasks: the larger one of its two ends.
    pub fn load(&self, step: Nanos) -> Vec<f64> {
        let mut load = 0.0_f64;
        let each = self.tasks.iter().zip(&self.service).map(|(tasks, service)| {
            let before = load;
            let left = libm::exp(-(step as f64) / service.max(1.0));
            load = before * left + tasks / step as f64 * service * (1.0 - left);
            load.max(before)
        });
        each.collect()
    }
}

/// The demands of all workloads.
pub(super) fn demands(
    resolved: &mut Resolved,
    seed: u64,
    around: Surroundings<'_>,
    step: Nanos,
) -> Result<Vec<Demand>, OpenError> {
    let sources = resolved.open_sources(seed, around)?;
    let mut demands = Vec::new();
    for (index, source) in sources.into_iter().enumerate() {
        let (mut tasks, service) = expected(resolved, index, seed, step)
            .map_or_else(|| counted(resolved, index, source, step), |(tasks, mean)| Ok((tasks, mean)))?;
        let mut service = vec![service; tasks.len()];
        apply_changes(resolved, index, step, &mut tasks, &mut service);
        push(resolved, index, tasks, service, &mut demands);
    }
    Ok(demands)
}

/// Tasks of each step where there is a rate, and their mean service time.
fn expected(resolved: &Resolved, index: usize, seed: u64, step: Nanos) -> Option<(Vec<f64>, f64)> {
    let SourceSpec::Synthetic { arrivals, service } = &resolved.sources[index] else { return None };
    let horizon = resolved.model.horizon;
    let states = Stream::named(seed, &format!("{}/states", resolved.model.workloads[index].name));
    let ends = (1..=horizon.div_ceil(step)).map(|i| (i * step).min(horizon));
    let upto = arrivals.expected(states, ends)?;
    let before = [0.0].into_iter().chain(upto.iter().copied());
    Some((upto.iter().zip(before).map(|(upto, before)| upto - before).collect(), service.mean()))
}

/// Tasks of each step as they will come, evened out over windows, and the mean of their services.
fn counted(
    resolved: &Resolved,
    index: usize,
    mut source: Source,
    step: Nanos,
) -> Result<(Vec<f64>, f64), OpenError> {
    let (horizon, workload) = (resolved.model.horizon, &resolved.model.workloads[index].name);
    let mut tasks = vec![0.0; horizon.div_ceil(step) as usize];
    let (mut count, mut sum, mut block) = (0_u64, 0.0, Block::default());
    loop {
        match &mut source {
            Source::Synthetic(source) => source.fill(&mut block),
            Source::Trace(source) => source.fill(&mut block).map_err(|error| broken(workload, error))?,
        }
        for (at, service) in block.at.iter().zip(&block.service).filter(|(at, _)| **at < horizon) {
            tasks[(at / step) as usize] += 1.0;
            (count, sum) = (count + 1, sum + *service as f64);
        }
        if block.at.last().is_none_or(|at| *at >= horizon) {
            break;
        }
    }
    for window in tasks.chunks_mut(WINDOW.div_ceil(step) as usize) {
        let mean = window.iter().sum::<f64>() / window.len() as f64;
        window.fill(mean);
    }
    let said = resolved.sources[index].service().map(crate::dist::Dist::mean);
    Ok((tasks, said.unwrap_or(sum / count.max(1) as f64)))
}

/// What hands will do is known too.
fn apply_changes(resolved: &Resolved, index: usize, step: Nanos, tasks: &mut [f64], services: &mut [f64]) {
    // A factor is on the scenario's own rate, so the later one counts: from the last change back.
    let mut factored_from = tasks.len();
    for change in resolved.model.changes.iter().rev() {
        if let ChangeKind::RateFactor { workload, factor } = &change.kind
            && *workload == index
        {
            let from = ((change.at / step) as usize).min(factored_from);
            tasks[from..factored_from].iter_mut().for_each(|tasks| *tasks *= factor);
            factored_from = from;
        }
    }
    for change in &resolved.model.changes {
        let from = ((change.at / step) as usize).min(tasks.len());
        match &change.kind {
            ChangeKind::AddTasks { workload, count, .. } if *workload == index => {
                let window = &mut tasks[from..];
                let steps = (WINDOW.div_ceil(step) as usize).min(window.len());
                window[..steps].iter_mut().for_each(|tasks| *tasks += *count as f64 / steps.max(1) as f64);
            }
            ChangeKind::Service { workload, service } if *workload == index => {
                services[from..].fill(service.mean());
            }
            _ => {}
        }
    }
}

/// The tasks of a workload, or of both types of its executions.
fn push(resolved: &Resolved, index: usize, tasks: Vec<f64>, service: Vec<f64>, demands: &mut Vec<Demand>) {
    let workload = &resolved.model.workloads[index];
    let place = Place { task_queue: workload.task_queue, task_type: workload.task_type };
    let Some(shape) = &workload.workflow else {
        demands.push(Demand { place, tasks, service });
        return;
    };
    let times = |n: u32| tasks.iter().map(|tasks| tasks * f64::from(n)).collect::<Vec<f64>>();
    let always = |mean: f64| vec![mean; tasks.len()];
    let activity = Place { task_queue: shape.activity_task_queue, task_type: TaskQueueType::Activity };
    let workflow_service = always(shape.workflow_task_service.mean());
    demands.push(Demand { place, tasks: times(shape.activities + 1), service: workflow_service });
    let activity_service = always(shape.activity_service.mean());
    demands.push(Demand { place: activity, tasks: times(shape.activities), service: activity_service });
}
