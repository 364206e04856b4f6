//! What is true right now: the numbers and the workers that a page draws.

use crate::recorder::Recorder;
use serde::Serialize;
use serde_json::{Map, Value};
use wci_core::algorithm::peak_rate;
use wci_core::spec::ConfigMap;
use wci_core::{gather, sorted_by};
use wci_sim::driver::Simulation;
use wci_sim::histogram::Histogram;
use wci_sim::model::{MILLI, Nanos};
use wci_sim::worker::{Worker, WorkerState};
use wci_sim::world::World;

/// Most workers that are drawn one by one.
const MOST_DRAWN: usize = 400;

/// A moment.
#[derive(Debug, Serialize)]
pub struct View {
    /// Milliseconds since the start of the run.
    pub t_ms: f64,
    /// Whether the run is over.
    pub done: bool,
    /// Events handled so far.
    pub events: u64,
    /// Tasks completed so far.
    pub completed: u64,
    /// Decisions made so far.
    pub decisions: u64,
    /// All groups together.
    pub total: Levels,
    /// Each group.
    pub groups: Vec<GroupView>,
}

/// One group.
#[derive(Debug, Serialize)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// Its numbers.
    #[serde(flatten)]
    pub levels: Levels,
    /// Its workers as `[number, state, running, slots]`, oldest first; state 0 starting, 1 ready, 2 draining.
    pub workers: Vec<[u64; 4]>,
    /// The algorithm's own state; lists left out.
    pub state: Map<String, Value>,
    /// What `peak-rate` has seen each number of workers carry at best.
    pub peaks: Vec<(u32, f64)>,
}

/// Numbers of a group or of all.
#[derive(Debug, Default, Serialize)]
pub struct Levels {
    backlog: u64,
    backlog_age_ms: f64,
    starting: u64,
    ready: u64,
    draining: u64,
    busy_slots: u64,
    slots: u64,
    arrival_rate: f64,
    dispatch_rate: f64,
    cost_usd: f64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

impl View {
    /// What is true now.
    pub fn of(simulation: &Simulation, recorder: &Recorder) -> Self {
        let world = simulation.world();
        let count = world.groups.len();
        let mut waits = Histogram::default();
        world.groups.iter().for_each(|group| waits.merge(&group.ledger.waits));
        let mut total = rates(recorder, None).with_waits(&waits);
        let groups = (0..count).map(|group| GroupView::of(simulation, recorder, group)).collect::<Vec<_>>();
        groups.iter().for_each(|group| total.add(&group.levels));
        let completed = world.groups.iter().map(|group| group.ledger.counters.completed).sum();
        Self {
            t_ms: world.now as f64 / MILLI as f64,
            done: simulation.is_done(),
            events: world.events,
            completed,
            decisions: simulation.decisions_total(),
            total,
            groups,
        }
    }
}

impl GroupView {
    fn of(simulation: &Simulation, recorder: &Recorder, group: usize) -> Self {
        let world = simulation.world();
        let state = algorithm_state(simulation, &world.groups[group].model.name);
        let plain = |(_, value): &(String, Value)| !value.is_object() && !value.is_array();
        Self {
            name: world.groups[group].model.name.to_string(),
            levels: levels(world, recorder, group),
            workers: workers(world, group),
            peaks: state.as_ref().map(peak_rate::peaks).unwrap_or_default(),
            state: gather(state.unwrap_or_default().into_iter().filter(plain)),
        }
    }
}

impl Levels {
    fn add(&mut self, other: &Self) {
        self.backlog += other.backlog;
        self.backlog_age_ms = self.backlog_age_ms.max(other.backlog_age_ms);
        self.starting += other.starting;
        self.ready += other.ready;
        self.draining += other.draining;
        self.busy_slots += other.busy_slots;
        self.slots += other.slots;
    }

    /// Of the measured tasks that were matched so far.
    fn with_waits(self, waits: &Histogram) -> Self {
        let at = |p: f64| waits.quantile(p).map(|nanos| nanos / MILLI as f64);
        Self { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), ..self }
    }
}

fn levels(world: &World, recorder: &Recorder, group: usize) -> Levels {
    let ledger = &world.groups[group].ledger;
    let now = ledger.levels();
    Levels {
        backlog: now.backlog,
        backlog_age_ms: oldest(world, group) as f64 / MILLI as f64,
        starting: now.starting,
        ready: now.ready,
        draining: now.draining,
        busy_slots: now.busy,
        slots: now.slots,
        ..rates(recorder, Some(group))
    }
    .with_waits(&ledger.waits)
}

/// Rates and cost as of the last point.
fn rates(recorder: &Recorder, group: Option<usize>) -> Levels {
    let Some(point) = recorder.last(group) else { return Levels::default() };
    Levels { arrival_rate: point[7], dispatch_rate: point[8], cost_usd: point[9], ..Levels::default() }
}

fn oldest(world: &World, group: usize) -> Nanos {
    let lanes = world.groups[group].lanes.iter();
    lanes.map(|&lane| world.lanes[lane].backlog_age(world.now)).max().unwrap_or(0)
}

fn workers(world: &World, group: usize) -> Vec<[u64; 4]> {
    let slots: u64 = slots_of_worker(world, group);
    let shown = |worker: &Worker| {
        let state = match worker.state {
            WorkerState::Starting => 0,
            WorkerState::Ready => 1,
            WorkerState::Draining | WorkerState::Gone => 2,
        };
        [worker.number, state, u64::from(worker.running), slots]
    };
    let mut workers = sorted_by(world.workers_of(group).map(shown).collect(), |worker| worker[0]);
    workers.truncate(MOST_DRAWN);
    workers
}

fn slots_of_worker(world: &World, group: usize) -> u64 {
    let state = &world.groups[group];
    let slots = |lane: &usize| u64::from(state.model.worker.slots[world.lanes[*lane].task_type.index()]);
    state.lanes.iter().map(slots).sum()
}

fn algorithm_state(simulation: &Simulation, group: &str) -> Option<ConfigMap> {
    simulation.controller()?.dump().scaling_state.remove(group)
}
