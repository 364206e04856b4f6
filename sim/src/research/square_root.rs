//! Square-root staffing on the true rate: what a rule could do that knows every rate, past and future.
//!
//! ```text
//! m(t + step) = m(t) e^(-step / S) + tasks of the step / step * S (1 - e^(-step / S))    for each workload, S the mean service
//! slots(t)    = m(t) + beta * sqrt(m(t))                            m of all workloads of a task queue and type together
//! workers(t)  = max over t .. t + lead of ceil(slots / slots of a worker)
//! ```
//!
//! `m` is the offered load as it comes about when nobody waits: the mean number of busy servers among infinitely many
//! (S. Eick, W. Massey, W. Whitt, "Mt/G/infinity queues with sinusoidal arrival rates", Management Science 39, 1993),
//! here with services as if they were exponential, so that it follows a change of the rate within about one service.
//! Staffing it so: O. Jennings, A. Mandelbaum, W. Massey, W. Whitt, "Server staffing to meet time-varying demand",
//! Management Science 42, 1996.

mod rates;

use super::variant::Unfit;
use crate::driver::StaffingPlan;
use crate::model::{Group, Model, Nanos, SECOND};
use crate::scenario::{OpenError, Resolved, Surroundings};
use rates::{Demand, demands};
use std::collections::BTreeMap;

/// Steps of a plan at most; it has one a second unless the horizon is longer than that.
const MOST_STEPS: u64 = 100_000;
/// Less than this share of a task is none: a decaying load must end somewhere.
const NOTHING: f64 = 1e-3;
/// No plan asks for more workers.
const MOST_WORKERS: f64 = 100_000.0;
/// So large a share of the starts takes no longer than the plan looks ahead.
const LEAD_SHARE: f64 = 0.99;

/// The margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquareRoot {
    /// So many square roots of the offered load above it. With as many slots as `a + beta * sqrt(a)` the chance of a
    /// wait tends to 50 % at 0.5, 22 % at 1 and 2.7 % at 2 for large loads (Halfin and Whitt 1981).
    pub beta: f64,
}

impl Default for SquareRoot {
    fn default() -> Self {
        Self { beta: 1.0 }
    }
}

impl SquareRoot {
    /// Whether a scenario has what the plan needs.
    ///
    /// # Errors
    /// When the platform itself starts the workers, or services have no mean.
    pub fn check(&self, resolved: &Resolved) -> Result<(), Unfit> {
        if resolved.model.groups.iter().any(|group| group.provider.is_per_request()) {
            return Err(Unfit("square-root has nothing to decide: the platform starts the workers".into()));
        }
        for (workload, source) in resolved.model.workloads.iter().zip(&resolved.sources) {
            if source.service().is_some_and(|service| !service.mean().is_finite()) {
                let name = &workload.name;
                return Err(Unfit(format!(
                    "square-root needs a mean service time, workload {name} has none"
                )));
            }
        }
        Ok(())
    }

    /// The plan for a scenario under a seed: its horizon must be known.
    ///
    /// # Errors
    /// When a trace cannot be read.
    pub fn plan(
        &self,
        resolved: &mut Resolved,
        seed: u64,
        around: Surroundings<'_>,
    ) -> Result<StaffingPlan, OpenError> {
        let step = step(resolved.model.horizon);
        let demands = demands(resolved, seed, around, step)?;
        let model = &resolved.model;
        let groups = model.groups.iter().map(|group| self.steps(model, group, &demands, step));
        Ok(StaffingPlan { groups: groups.collect() })
    }

    fn steps(&self, model: &Model, group: &Group, demands: &[Demand], step: Nanos) -> Vec<(Nanos, u64)> {
        let region = model.controller.settings.host_region.as_deref();
        let is_own = |demand: &&Demand| {
            model.spec.group_for(demand.place.task_type, region).is_some_and(|name| *name == group.name)
        };
        let mut loads: BTreeMap<(usize, usize), (u32, Vec<f64>)> = BTreeMap::new();
        for demand in demands.iter().filter(is_own) {
            let index = demand.place.task_type.index();
            let own = demand.load(step);
            let (_, load) = loads
                .entry((demand.place.task_queue, index))
                .or_insert_with(|| (group.worker.slots[index], vec![0.0; own.len()]));
            load.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        let mut workers: Vec<u64> = Vec::new();
        for (slots, load) in loads.into_values() {
            workers.resize(load.len().max(workers.len()), 0);
            let each = load.into_iter().map(|load| self.workers(load, slots));
            workers.iter_mut().zip(each).for_each(|(most, own)| *most = own.max(*most));
        }
        changes(&ahead(&workers, lead(group).div_ceil(step) as usize), step)
    }

    /// Workers for an offered load.
    fn workers(&self, load: f64, slots: u32) -> u64 {
        if load < NOTHING {
            return 0;
        }
        let wanted = (load + self.beta * load.sqrt()) / f64::from(slots.max(1));
        // A millionth of a worker is rounding.
        (wanted - 1e-6).ceil().clamp(1.0, MOST_WORKERS) as u64
    }
}

/// A second, or longer where that would be too many steps.
fn step(horizon: Nanos) -> Nanos {
    horizon.div_ceil(MOST_STEPS).div_ceil(SECOND).max(1) * SECOND
}

/// What nearly every start of a worker takes.
fn lead(group: &Group) -> Nanos {
    let start = group.worker.cold_start.quantile(LEAD_SHARE) + group.provider.invocation_latency.mean();
    start.min(3600.0 * SECOND as f64) as Nanos
}

/// The largest of each value and of so many that follow.
fn ahead(values: &[u64], steps: usize) -> Vec<u64> {
    let upto = |i: usize| values.len().min(i + steps + 1);
    (0..values.len()).map(|i| values[i..upto(i)].iter().copied().max().unwrap_or(0)).collect()
}

/// The values that differ from the one before, with their times.
fn changes(values: &[u64], step: Nanos) -> Vec<(Nanos, u64)> {
    let mut changes: Vec<(Nanos, u64)> = Vec::new();
    for (at, value) in (0..).step_by(step as usize).zip(values) {
        if changes.last().is_none_or(|(_, last)| last != value) {
            changes.push((at, *value));
        }
    }
    changes
}

#[cfg(test)]
mod tests;
