//! Faults and hands: what a scenario does to the world at given times.

use super::Records;
use super::arrivals::{Arrivals, ArrivalsError};
use super::control::ControllerHost;
use crate::event_queue::EventKind;
use crate::model::{ChangeKind, Fault, FaultKind, Model, Nanos};
use crate::rng;
use crate::world::{World, luck};

#[derive(Debug)]
enum Item {
    FaultBegins(Fault),
    FaultEnds(Fault),
    Change { number: u64, kind: ChangeKind },
}

/// The timeline of faults and changes.
#[derive(Debug)]
pub struct Plan {
    items: Vec<Item>,
    seed: u64,
}

impl Plan {
    /// Schedules everything.
    pub fn new(model: &Model, world: &mut World) -> Self {
        let mut plan = Self { items: Vec::new(), seed: model.seed };
        for fault in &model.faults {
            plan.add(world, fault.at, Item::FaultBegins(fault.clone()));
            let lasts = !matches!(fault.kind, FaultKind::WorkerCrashes { .. });
            if lasts {
                plan.add(world, fault.at.saturating_add(fault.lasts), Item::FaultEnds(fault.clone()));
            }
        }
        for (number, change) in model.changes.iter().enumerate() {
            plan.add(world, change.at, Item::Change { number: number as u64, kind: change.kind.clone() });
        }
        plan
    }

    /// Adds a change while the run goes on.
    pub fn add_change(&mut self, world: &mut World, at: Nanos, kind: ChangeKind) {
        let number = self.items.len() as u64 + (1 << 32);
        self.add(world, at.max(world.now), Item::Change { number, kind });
    }

    /// Does what was planned.
    pub fn carry_out(
        &self,
        index: usize,
        world: &mut World,
        host: Option<&mut ControllerHost>,
        arrivals: &mut Arrivals,
        records: &mut Records<'_>,
    ) -> Result<(), ArrivalsError> {
        match &self.items[index] {
            Item::FaultBegins(fault) => set_fault(&fault.kind, true, world, host, records),
            Item::FaultEnds(fault) => set_fault(&fault.kind, false, world, host, records),
            Item::Change { number, kind } => match kind {
                ChangeKind::AddTasks { workload, count, service } => {
                    let mut luck = rng::keyed(self.seed, [luck::CHANGE, *number]);
                    for _ in 0..*count {
                        world.arrive(*workload, service.sample(&mut luck));
                    }
                }
                ChangeKind::RateFactor { workload, factor } => {
                    arrivals.set_rate_factor(*workload, world.now, *factor)?;
                }
                ChangeKind::Service { workload, service } => {
                    arrivals.set_service(*workload, service.clone())?
                }
                ChangeKind::Spec(spec) => {
                    if let Some(host) = host {
                        host.change_spec(world, records, spec);
                    }
                }
            },
        }
        Ok(())
    }

    fn add(&mut self, world: &mut World, at: Nanos, item: Item) {
        world.queue.push(at, EventKind::Planned, self.items.len());
        self.items.push(item);
    }
}

fn set_fault(
    kind: &FaultKind,
    begins: bool,
    world: &mut World,
    host: Option<&mut ControllerHost>,
    records: &mut Records<'_>,
) {
    match kind {
        FaultKind::ProviderOutage { group } => for_groups(world, *group, |w, g| w.set_outage(g, begins)),
        FaultKind::OutOfCapacity { group } => {
            for_groups(world, *group, |w, g| w.set_out_of_capacity(g, begins))
        }
        FaultKind::ColdStartStorm { group, factor } => {
            let factor = if begins { *factor } else { 1.0 };
            for_groups(world, *group, |w, g| w.set_cold_start_factor(g, factor));
        }
        FaultKind::WorkerCrashes { group, fraction } => {
            for_groups(world, *group, |w, g| w.crash_share(g, *fraction));
        }
        FaultKind::LostSignals { probability } => world.signal_loss = if begins { *probability } else { 0.0 },
        FaultKind::NamespaceDisabled => {
            world.hook_enabled = !begins;
            if let Some(host) = host {
                host.change_settings(world, records, |settings| settings.enabled = !begins);
            }
        }
        FaultKind::LateMetrics { .. } | FaultKind::MissingMetrics | FaultKind::ControllerRestart => {
            if let Some(host) = host {
                set_host_fault(kind, begins, world, host, records);
            }
        }
    }
}

fn set_host_fault(
    kind: &FaultKind,
    begins: bool,
    world: &mut World,
    host: &mut ControllerHost,
    records: &mut Records<'_>,
) {
    match kind {
        FaultKind::LateMetrics { delay } => host.metrics_late = if begins { *delay } else { 0 },
        FaultKind::MissingMetrics => host.metrics_missing = begins,
        FaultKind::ControllerRestart if begins => host.kill(),
        FaultKind::ControllerRestart => host.restore(world, records),
        _ => {}
    }
}

fn for_groups(world: &mut World, group: Option<usize>, mut act: impl FnMut(&mut World, usize)) {
    match group {
        Some(group) => act(world, group),
        None => (0..world.groups.len()).for_each(|group| act(world, group)),
    }
}
