//! A whole scenario from a seed.

use crate::{any_fleet, any_workload};
use wci_core::Timestamp;
use wci_sim::dist::Dist;
use wci_sim::model::{
    Change, ChangeKind, ControllerModel, End, Fault, FaultKind, MILLI, Model, Nanos, Retry, Routing, SECOND,
    Started,
};
use wci_sim::rng::Stream;
use wci_sim::workload::{Arrivals, Source, SyntheticSource};

/// A model with the recipe of its arrivals.
#[derive(Debug)]
pub struct Scenario {
    pub model: Model,
    /// Arrivals and services, one for each workload.
    pub arrivals: Vec<(Arrivals, Dist)>,
}

impl Scenario {
    /// The scenario of this seed.
    pub fn any(seed: u64) -> Self {
        let mut luck = Luck(Stream::named(seed, "scenario"));
        let horizon = luck.between(60, 240) * SECOND;
        let (spec, groups) = any_fleet::any(&mut luck);
        let task_queues = any_workload::any_queues(&mut luck);
        let (workloads, arrivals) = any_workload::any(&mut luck, horizon, task_queues.len());
        let retry = Retry {
            initial_interval: luck.between(1, 2000) * MILLI,
            backoff_coefficient: luck.one_of(&[1.0, 2.0]),
            maximum_interval: 100 * SECOND,
            maximum_attempts: luck.one_of(&[None, None, Some(1), Some(3)]),
        };
        let mut model = Model {
            name: format!("seed-{seed}"),
            title: String::new(),
            seed,
            start: Timestamp::from_millis(1_767_571_200_000),
            horizon,
            warm_up: luck.one_of(&[0, 0, horizon / 10, horizon]),
            end: luck.one_of(&[End::Drain, End::Drain, End::Cut]),
            drain_limit: luck.one_of(&[10 * SECOND, 3600 * SECOND]),
            max_backlog: luck.one_of(&[100, 1_000_000]),
            routing: luck.one_of(&[
                Routing::LongestIdle,
                Routing::Newest,
                Routing::Oldest,
                Routing::LastUsed,
                Routing::Random,
            ]),
            task_queues,
            workloads,
            spec,
            groups,
            retry,
            controller: any_controller(&mut luck),
            faults: Vec::new(),
            changes: Vec::new(),
        };
        model.faults = (0..luck.between(0, 4)).map(|_| any_fault(&mut luck, &model)).collect();
        model.changes = (0..luck.between(0, 4)).map(|_| any_change(&mut luck, &model)).collect();
        Self { model, arrivals }
    }

    /// The same system where nothing fails, workers stay and the run goes on until every task is done.
    pub fn made_patient(&self) -> Self {
        let mut model = self.model.clone();
        model.end = End::Drain;
        model.drain_limit = 1_000_000 * SECOND;
        model.max_backlog = 1_000_000;
        model.faults.clear();
        for group in &mut model.groups {
            group.worker.lifetime = None;
            group.worker.idle_exit = None;
            group.worker.crash_rate = 0.0;
        }
        Self { model, arrivals: self.arrivals.clone() }
    }

    /// Its sources, from the beginning, with the luck of the model's seed.
    pub fn sources(&self) -> Vec<Source> {
        let model = &self.model;
        let recipes = model.workloads.iter().zip(&self.arrivals);
        let source = |(workload, (arrivals, service)): (&wci_sim::model::Workload, &(Arrivals, Dist))| {
            SyntheticSource::new(model.seed, &workload.name, arrivals, service.clone(), model.horizon).into()
        };
        recipes.map(source).collect()
    }
}

/// Random choices.
pub struct Luck(Stream);

impl Luck {
    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.below(most - least + 1)
    }

    /// True with this chance.
    pub fn chance(&mut self, p: f64) -> bool {
        self.0.uniform() < p
    }

    /// Any of them.
    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len() as u64) as usize].clone()
    }

    /// Times around so many milliseconds.
    pub fn dist(&mut self, millis: u64) -> Dist {
        let mean = (millis * MILLI) as f64;
        let dist = match self.between(0, 4) {
            0 => Dist::constant(mean),
            1 => Dist::uniform(0.0, 2.0 * mean),
            2 if millis > 0 => Dist::exponential(mean),
            3 if millis > 0 => Dist::log_normal_with_cv(mean, 2.0),
            _ => Dist::constant(0.0),
        };
        dist.expect("valid parameters")
    }
}

fn any_controller(luck: &mut Luck) -> ControllerModel {
    let settings = match luck.chance(0.3) {
        true => wci_core::Settings::like_go(),
        false => wci_core::Settings::default(),
    };
    ControllerModel {
        settings,
        started: luck.one_of(&[Started::Steady, Started::Cold]),
        statistics_cache: luck.one_of(&[0, 5 * SECOND]),
        metric_delay: luck.one_of(&[0, 0, 20 * SECOND]),
        signal_latency: luck.one_of(&[0, 50 * MILLI, 5 * SECOND]),
    }
}

fn any_fault(luck: &mut Luck, model: &Model) -> Fault {
    let group = match luck.chance(0.5) {
        true => None,
        false => Some(luck.between(0, model.groups.len() as u64 - 1) as usize),
    };
    let kind = match luck.between(0, 8) {
        0 => FaultKind::ProviderOutage { group },
        1 => FaultKind::OutOfCapacity { group },
        2 => FaultKind::ColdStartStorm { group, factor: luck.one_of(&[0.5, 10.0]) },
        3 => FaultKind::LostSignals { probability: luck.one_of(&[0.5, 1.0]) },
        4 => FaultKind::LateMetrics { delay: 20 * SECOND },
        5 => FaultKind::MissingMetrics,
        6 => FaultKind::WorkerCrashes { group, fraction: luck.one_of(&[0.5, 1.0]) },
        7 => FaultKind::ControllerRestart,
        _ => FaultKind::NamespaceDisabled,
    };
    Fault { at: any_time(luck, model), lasts: luck.between(0, 120) * SECOND, kind }
}

fn any_change(luck: &mut Luck, model: &Model) -> Change {
    // Services of a workflow shape are its own.
    let workload = luck.between(0, model.workloads.len() as u64 - 1) as usize;
    let kind = match luck.between(0, 3) {
        0 => ChangeKind::AddTasks { workload, count: luck.between(1, 200), service: luck.dist(500) },
        1 => ChangeKind::RateFactor { workload, factor: luck.one_of(&[0.0, 0.5, 1.0, 3.0]) },
        2 => ChangeKind::Service { workload, service: luck.dist(1000) },
        _ => ChangeKind::Spec(Box::new(any_fleet::another_spec(luck, &model.spec))),
    };
    Change { at: any_time(luck, model), kind }
}

/// A whole second, so that several things happen at once now and then.
fn any_time(luck: &mut Luck, model: &Model) -> Nanos {
    luck.between(0, model.horizon / SECOND) * SECOND
}
