//! Faults and hands: what a scenario does to the world at given times.

use super::Records;
use super::arrivals::{Arrivals, ArrivalsError};
use super::control::ControllerHost;
use crate::dist::Dist;
use crate::event_queue::EventKind;
use crate::model::{Change, ChangeKind, Fault, FaultKind, Model, Nanos};
use crate::rng;
use crate::world::{World, luck};

#[derive(Debug)]
enum Item {
    FaultBegins(usize),
    FaultEnds(usize),
    Change {
        number: u64,
        at: Nanos,
        kind: ChangeKind,
    },
    /// A change that was replaced before its time came.
    Nothing,
}

impl Item {
    fn of(number: usize, change: &Change) -> Self {
        Self::Change { number: number as u64, at: change.at, kind: change.kind.clone() }
    }
}

/// The timeline of faults and changes. What a fault sets is derived from all that are active, so that faults may
/// overlap.
#[derive(Debug)]
pub struct Plan {
    items: Vec<Item>,
    faults: Vec<Fault>,
    active: Vec<bool>,
    seed: u64,
    max_backlog: u64,
}

impl Plan {
    /// Schedules everything.
    pub fn new(model: &Model, world: &mut World) -> Self {
        let mut plan = Self {
            items: Vec::new(),
            faults: model.faults.clone(),
            active: vec![false; model.faults.len()],
            seed: model.seed,
            max_backlog: model.max_backlog,
        };
        for (index, fault) in model.faults.iter().enumerate() {
            plan.add(world, fault.at, Item::FaultBegins(index));
            plan.add(world, fault.at.saturating_add(fault.lasts), Item::FaultEnds(index));
        }
        for (number, change) in model.changes.iter().enumerate() {
            plan.add(world, change.at, Item::of(number, change));
        }
        plan
    }

    /// Replaces all changes that are not yet due. A change's number is its place in the whole list, and so is its
    /// luck: nothing tells a hand that acted while the run went on from one that was planned from the start.
    pub fn set_changes(&mut self, world: &mut World, changes: &[Change]) {
        let now = world.now;
        let is_open = |item: &Item| matches!(item, Item::Change { at, .. } if *at > now);
        let mut open: Vec<usize> = (0..self.items.len()).filter(|i| is_open(&self.items[*i])).collect();
        for (number, change) in changes.iter().enumerate().filter(|(_, change)| change.at > now) {
            let same_time = |i: &usize| matches!(self.items[*i], Item::Change { at, .. } if at == change.at);
            match open.iter().position(same_time) {
                // Takes the old one's place in the queue, so that a run counts the same events either way.
                Some(place) => self.items[open.remove(place)] = Item::of(number, change),
                None => self.add(world, change.at, Item::of(number, change)),
            }
        }
        open.into_iter().for_each(|i| self.items[i] = Item::Nothing);
    }

    /// Does what was planned.
    pub fn carry_out(
        &mut self,
        index: usize,
        world: &mut World,
        host: Option<&mut ControllerHost>,
        arrivals: &mut Arrivals,
        records: &mut Records<'_>,
    ) -> Result<(), ArrivalsError> {
        match &self.items[index] {
            Item::FaultBegins(fault) => {
                let fault = *fault;
                self.active[fault] = true;
                if let FaultKind::WorkerCrashes { group, fraction } = self.faults[fault].kind {
                    let of = |g: &usize| group.is_none_or(|group| group == *g);
                    (0..world.groups.len()).filter(of).for_each(|g| world.crash_share(g, fraction));
                }
                self.apply_faults(world, host, records);
            }
            Item::FaultEnds(fault) => {
                let fault = *fault;
                self.active[fault] = false;
                self.apply_faults(world, host, records);
            }
            Item::Nothing => {}
            Item::Change { number, kind, .. } => match kind {
                ChangeKind::AddTasks { workload, count, service } => {
                    self.add_tasks(world, *number, (*workload, *count), service);
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

    /// Adds tasks by hand; the run is over anyway once the backlog is beyond its limit.
    fn add_tasks(&self, world: &mut World, number: u64, (workload, count): (usize, u64), service: &Dist) {
        let mut luck = rng::keyed(self.seed, [luck::CHANGE, number]);
        for _ in 0..count {
            if world.backlog() > self.max_backlog {
                return;
            }
            world.arrive(workload, service.sample(&mut luck));
        }
    }

    /// Sets everything that faults set, from those that are active now.
    fn apply_faults(&self, world: &mut World, host: Option<&mut ControllerHost>, records: &mut Records<'_>) {
        for g in 0..world.groups.len() {
            let hits = |group: &Option<usize>| group.is_none_or(|group| group == g);
            world.set_outage(
                g,
                self.any(|kind| matches!(kind, FaultKind::ProviderOutage { group } if hits(group))),
            );
            world.set_out_of_capacity(
                g,
                self.any(|kind| matches!(kind, FaultKind::OutOfCapacity { group } if hits(group))),
            );
            let factor = self.largest(|kind| match kind {
                FaultKind::ColdStartStorm { group, factor } if hits(group) => Some(*factor),
                _ => None,
            });
            world.set_cold_start_factor(g, factor.unwrap_or(1.0));
        }
        let loss = self.largest(|kind| match kind {
            FaultKind::LostSignals { probability } => Some(*probability),
            _ => None,
        });
        world.signal_loss = loss.unwrap_or(0.0);
        let is_disabled = self.any(|kind| matches!(kind, FaultKind::NamespaceDisabled));
        if let Some(host) = host {
            world.hook_enabled = !is_disabled;
            let late = self.largest(|kind| match kind {
                FaultKind::LateMetrics { delay } => Some(*delay as f64),
                _ => None,
            });
            host.metrics_late = late.unwrap_or(0.0) as Nanos;
            host.metrics_missing = self.any(|kind| matches!(kind, FaultKind::MissingMetrics));
            host.set_away(world, records, self.any(|kind| matches!(kind, FaultKind::ControllerRestart)));
            host.set_enabled(world, records, !is_disabled);
        }
    }

    fn active(&self) -> impl Iterator<Item = &FaultKind> {
        self.faults
            .iter()
            .zip(&self.active)
            .filter(|(_, is_active)| **is_active)
            .map(|(fault, _)| &fault.kind)
    }

    fn any(&self, is_it: impl Fn(&FaultKind) -> bool) -> bool {
        self.active().any(is_it)
    }

    fn largest(&self, value: impl Fn(&FaultKind) -> Option<f64>) -> Option<f64> {
        self.active().filter_map(value).max_by(f64::total_cmp)
    }

    fn add(&mut self, world: &mut World, at: Nanos, item: Item) {
        world.queue.push(at, EventKind::Planned, self.items.len());
        self.items.push(item);
    }
}
