//! Workers by a plan that was made beforehand, from what no controller can know.

use crate::model::{Model, Nanos};
use crate::world::{Launch, World};
use wci_core::spec::LaunchStrategy;

/// How many workers each group of a model shall have, from each time on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffingPlan {
    /// (time, workers) in the order of time, for each group in the model's order.
    pub groups: Vec<Vec<(Nanos, u64)>>,
}

/// Carries a plan out. It calls no provider, so that no call fails; cold starts, concurrency and the provider's
/// capacity bind it as everyone.
pub(super) struct Oracle {
    plan: StaffingPlan,
    groups: Vec<Staffed>,
    is_stopped: bool,
}

struct Staffed {
    strategy: LaunchStrategy,
    /// Steps of the plan that have happened, and what the last of them said.
    done: usize,
    planned: u64,
    /// The size that a worker set has been given.
    set_to: Option<u64>,
}

impl Oracle {
    pub fn new(model: &Model, plan: StaffingPlan) -> Self {
        let strategy = |name| {
            let group = model.spec.group(name);
            group.map_or(LaunchStrategy::WorkerSet, |group| group.compute.provider_type.launch_strategy())
        };
        let staffed = |name| Staffed { strategy: strategy(name), done: 0, planned: 0, set_to: None };
        let groups = model.groups.iter().map(|group| staffed(&*group.name)).collect();
        Self { plan, groups, is_stopped: false }
    }

    /// When the next step is due.
    pub fn due(&self) -> Nanos {
        if self.is_stopped {
            return Nanos::MAX;
        }
        let each = self.plan.groups.iter().zip(&self.groups);
        each.filter_map(|(steps, group)| steps.get(group.done)).map(|(at, _)| *at).min().unwrap_or(Nanos::MAX)
    }

    /// Takes the steps that are due.
    pub fn act(&mut self, now: Nanos) {
        for (steps, group) in self.plan.groups.iter().zip(&mut self.groups) {
            while let Some((_, workers)) = steps.get(group.done).filter(|(at, _)| *at <= now) {
                (group.done, group.planned) = (group.done + 1, *workers);
            }
        }
    }

    /// After each event: who is missing is started. Where the plan has no worker, one stays while there is a task.
    pub fn attend(&mut self, world: &mut World) {
        if self.is_stopped {
            return;
        }
        for (index, group) in self.groups.iter_mut().enumerate() {
            let levels = world.groups[index].ledger.levels();
            let is_needed = levels.backlog + levels.busy > 0;
            let wanted = group.planned.max(u64::from(is_needed));
            match group.strategy {
                LaunchStrategy::Invoke => world.allocate(index, wanted),
                LaunchStrategy::WorkerSet if group.set_to == Some(wanted) => {}
                LaunchStrategy::WorkerSet => {
                    group.set_to = Some(wanted);
                    let size = u32::try_from(wanted).unwrap_or(u32::MAX);
                    // A worker set takes any size; what the provider cannot start waits there.
                    let _ = world.launch(index, Launch::SetSize(size));
                }
            }
        }
    }

    /// The run drains: no worker is started any more.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }
}
