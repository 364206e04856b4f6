//! The world: task queues, workers and providers, moved by events. It takes no scaling decision.
//!
//! Kept apart by subject: `tasks` adds, matches and finishes tasks, `lost` brings lost ones back, `fleet`
//! starts and ends workers, `launch` is the provider's side of a call, `keep_alive` says how long idle workers stay, `execution` shapes workflows.

mod execution;
mod fleet;
mod idle_times;
mod keep_alive;
mod launch;
mod lost;
mod open;
mod tasks;

pub use launch::{CallOutcome, Launch};
pub use tasks::FinishedTask;

use crate::event_queue::{EventKind, EventQueue};
use crate::ledger::Ledger;
use crate::model::{Group, MILLI, Model, Nanos};
use crate::slab::Slab;
use crate::task_queue::{Lane, PollSet};
use crate::worker::Worker;
use execution::Execution;
use fleet::Fleet;
use keep_alive::Idleness;
use launch::ProviderState;
use lost::Lost;
use std::collections::VecDeque;
use tasks::{Extra, PollTrip, Running, WorkloadState};
use wci_core::metrics::{MetricsSnapshot, Observation, QueueMetrics, TaskQueueType};
use wci_core::signals::{BatchIntervals, TaskAdd};
use wci_core::{Millis, Timestamp};

/// Who a task is: its workload and number, or a place in the table of tasks with a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u64);

const WORKLOAD_SHIFT: u32 = 56;
const HAS_EXTRA: u64 = 1 << 55;
const NUMBER_MASK: u64 = HAS_EXTRA - 1;

impl Tag {
    const fn fresh(workload: usize, number: u64) -> Self {
        Self(((workload as u64) << WORKLOAD_SHIFT) | (number & NUMBER_MASK))
    }

    const fn with_extra(workload: usize, extra: usize) -> Self {
        Self(((workload as u64) << WORKLOAD_SHIFT) | HAS_EXTRA | extra as u64)
    }

    const fn workload(self) -> usize {
        (self.0 >> WORKLOAD_SHIFT) as usize
    }

    const fn extra(self) -> Option<usize> {
        if self.0 & HAS_EXTRA == 0 { None } else { Some((self.0 & NUMBER_MASK) as usize) }
    }

    const fn bits(self) -> u64 {
        self.0
    }
}

/// Purposes of keyed luck: no two draws share a key.
pub(crate) mod luck {
    pub const COLD_START: u64 = 1;
    pub const CRASH: u64 = 2;
    pub const CALL_FAILURE: u64 = 3;
    pub const CALL_LATENCY: u64 = 4;
    pub const IDLE_EXIT: u64 = 5;
    pub const PARTITION: u64 = 6;
    pub const ROUTING: u64 = 7;
    pub const STEP: u64 = 8;
    pub const COLD_SERVICE: u64 = 9;
    pub const LOST_SIGNAL: u64 = 10;
    pub const FIRST_POLL: u64 = 11;
    pub const CHANGE: u64 = 12;
}

/// One scaling group: its model, books, workers and provider.
#[derive(Debug)]
pub struct GroupState {
    /// What the scenario says of it.
    pub model: Group,
    /// Its books.
    pub ledger: Ledger,
    /// Indexes of the lanes it serves.
    pub lanes: Vec<usize>,
    /// Its workers.
    pub(crate) fleet: Fleet,
    pub(crate) provider: ProviderState,
    /// By trip.
    polls_in_flight: [VecDeque<PollInFlight>; PollTrip::ALL],
    exits_when_idle: bool,
    /// What the hybrid histogram policy knows, where it keeps workers alive.
    idleness: Option<Idleness>,
    /// Integral of running + waiting tasks at the last observation, and when that was.
    observed: (u128, Nanos),
}

#[derive(Clone, Copy, Debug)]
struct PollInFlight {
    worker: usize,
    number: u64,
    lane: usize,
}

/// Everything but the controller.
#[derive(Debug)]
pub struct World {
    /// Simulated time in nanoseconds.
    pub now: Nanos,
    /// Events handled.
    pub events: u64,
    /// Events to come.
    pub queue: EventQueue,
    /// Task queues by type.
    pub lanes: Vec<Lane>,
    /// Scaling groups in the order of their names.
    pub groups: Vec<GroupState>,
    /// Signals on their way to the controller, in time order.
    pub signals: VecDeque<(Nanos, TaskAdd)>,
    /// Whether the hook signals at all (off while the namespace is disabled).
    pub hook_enabled: bool,
    /// Chance that a signal is lost now.
    pub signal_loss: f64,
    /// Tasks that finished since someone looked; `None`: nobody does.
    pub finished_tasks: Option<Vec<FinishedTask>>,
    seed: u64,
    start: Timestamp,
    measured_from: Nanos,
    measured_until: Nanos,
    batching: BatchIntervals,
    /// The optional timer that signals the last adds of a burst.
    flush_after: Option<Millis>,
    /// Lane and partition of each `Flush` event's index.
    flush_places: Vec<(usize, usize)>,
    signal_latency: Nanos,
    signals_sent: u64,
    routing_is_random: bool,
    backlog_now: u64,
    /// Most waiting tasks of all groups at once.
    pub max_backlog: u64,
    retry: crate::model::Retry,
    task_queues: Vec<[Option<usize>; 3]>,
    workloads: Vec<WorkloadState>,
    workers: Slab<Worker>,
    running: Slab<Running>,
    extras: Slab<Extra>,
    lost: Slab<Lost>,
    executions: Slab<Execution>,
}

impl World {
    /// The world at time 0.
    pub fn new(model: &Model, seed: u64) -> Self {
        let mut world = Self {
            now: 0,
            events: 0,
            queue: EventQueue::default(),
            lanes: Vec::new(),
            groups: model.groups.iter().map(GroupState::new).collect(),
            signals: VecDeque::new(),
            hook_enabled: model.controller.settings.enabled,
            signal_loss: 0.0,
            finished_tasks: None,
            seed,
            start: model.start,
            measured_from: model.warm_up,
            measured_until: model.horizon,
            batching: model.controller.settings.batching,
            flush_after: model.controller.settings.flush_interval,
            flush_places: Vec::new(),
            signal_latency: model.controller.signal_latency,
            signals_sent: 0,
            routing_is_random: model.routing == crate::model::Routing::Random,
            backlog_now: 0,
            max_backlog: 0,
            retry: model.retry,
            task_queues: vec![[None; 3]; model.task_queues.len()],
            workloads: Vec::new(),
            workers: Slab::default(),
            running: Slab::default(),
            extras: Slab::default(),
            lost: Slab::default(),
            executions: Slab::default(),
        };
        world.open_lanes(model);
        world.start_initial_workers();
        world
    }

    /// Handles the next event; its time must have been reached.
    #[inline]
    pub fn handle_next(&mut self) {
        self.events += 1;
        match self.queue.peek() {
            Some((EventKind::Departure, index)) => self.depart(index),
            Some((kind, index)) => {
                self.queue.pop();
                self.handle_rare(kind, index);
            }
            None => {}
        }
    }

    /// The controller's clock.
    #[inline]
    pub const fn timestamp(&self) -> Timestamp {
        self.start.plus(Millis::new((self.now / MILLI) as i64))
    }

    /// Whether every task of every group is somewhere.
    pub fn is_conserved(&self) -> bool {
        self.groups.iter().all(|group| group.ledger.is_conserved())
    }

    /// Waiting tasks.
    #[inline]
    pub const fn backlog(&self) -> u64 {
        self.backlog_now
    }

    /// Whether events can soon no longer name a task or worker by its place: more run at once than the queue knows.
    pub fn is_full(&self) -> bool {
        const MARGIN: usize = 1 << 18;
        let places = [self.running.places_used(), self.workers.places_used(), self.lost.places_used()];
        places.into_iter().any(|used| used > crate::event_queue::MAX_INDEX - MARGIN)
    }

    /// Tasks that are not done.
    pub fn open_tasks(&self) -> u64 {
        let open = |g: &GroupState| {
            let levels = g.ledger.levels();
            levels.backlog + levels.busy + levels.retrying
        };
        self.groups.iter().map(open).sum()
    }

    /// Workers that are not gone, and starts that wait at their provider.
    pub fn open_workers(&self) -> u64 {
        self.groups.iter().map(|g| g.ledger.workers() + g.provider.waiting_starts()).sum()
    }

    /// The statistics of all task queues, by type.
    pub fn statistics(&mut self) -> MetricsSnapshot {
        let mut snapshot = MetricsSnapshot::default();
        for lane in &mut self.lanes {
            let metrics = lane.metrics(self.now);
            let sum = snapshot.of_mut(lane.task_type).get_or_insert_default();
            add_metrics(sum, &metrics);
        }
        snapshot
    }

    /// What a host could know at best of a group's workers.
    pub fn observe(&mut self, group: usize) -> Observation {
        let now = self.now;
        let state = &mut self.groups[group];
        let integrals = state.ledger.integrals(now);
        let concurrency = integrals.backlog + integrals.busy;
        let (before, at) = std::mem::replace(&mut state.observed, (concurrency, now));
        let levels = *state.ledger.levels();
        let instant = (levels.backlog + levels.busy) as f64;
        let mean = if now > at { (concurrency - before) as f64 / (now - at) as f64 } else { instant };
        let count = |n: u64| Some(u32::try_from(n).unwrap_or(u32::MAX));
        Observation {
            ready: count(levels.ready),
            starting: count(levels.starting + state.provider.waiting_starts()),
            draining: count(levels.draining),
            busy_slots: count(levels.busy),
            slots: count(levels.slots),
            running: count(levels.busy),
            backlog_count: Some(i64::try_from(levels.backlog).unwrap_or(i64::MAX)),
            mean_concurrency: Some(mean),
        }
    }

    /// Workers of a group, for drawing: state, busy slots, slots and number.
    pub fn workers_of(&self, group: usize) -> impl Iterator<Item = &Worker> {
        let alive = move |w: &&Worker| w.group == group && w.state != crate::worker::WorkerState::Gone;
        self.workers.places().map(|(_, worker)| worker).filter(alive)
    }

    fn handle_rare(&mut self, kind: EventKind, index: usize) {
        match kind {
            EventKind::Crash => self.crash(index),
            EventKind::Lifetime => self.lifetime_over(index),
            EventKind::IdleExit => self.idle_exit(index),
            EventKind::DrainLimit => self.drain_limit_reached(index),
            EventKind::Ready => self.get_ready(index),
            EventKind::PollArrival => self.poll_in_flight_arrives(index),
            EventKind::Spool => self.spool_due(index),
            EventKind::StartSlot => self.start_slot_free(index),
            EventKind::LostTimeout => self.lost_timeout(index),
            EventKind::BackoffEnd => self.backoff_end(index),
            EventKind::Flush => self.flush_due(index),
            EventKind::PreWarm => self.pre_warm(index),
            // Departures are handled by the caller; plans belong to the driver, which looks before it calls.
            EventKind::Departure | EventKind::Planned => {}
        }
    }

    fn open_lanes(&mut self, model: &Model) {
        let served = |task_type: TaskQueueType| {
            let region = model.controller.settings.host_region.as_deref();
            let name = model.spec.group_for(task_type, region)?;
            model.groups.iter().position(|group| group.name == *name)
        };
        for (workload_index, workload) in model.workloads.iter().enumerate() {
            let mut open = |queue: usize, task_type: TaskQueueType| {
                let group = served(task_type)?;
                Some(self.lane(model, queue, task_type, group))
            };
            let first = open(workload.task_queue, workload.task_type);
            let activity =
                workload.workflow.as_ref().and_then(|w| open(w.activity_task_queue, TaskQueueType::Activity));
            // The scenario has been checked: each workload's types are served by a group.
            let lane = first.unwrap_or(0);
            self.workloads.push(WorkloadState::new(workload_index, workload, lane, activity.unwrap_or(lane)));
        }
    }

    fn lane(&mut self, model: &Model, queue: usize, task_type: TaskQueueType, group: usize) -> usize {
        if let Some(lane) = self.task_queues[queue][task_type.index()] {
            return lane;
        }
        let index = self.lanes.len();
        let position = self.groups[group].lanes.len();
        let polls = PollSet::new(model.routing);
        let mut task_queue = model.task_queues[queue].clone();
        if model.groups[group].provider.is_per_request() {
            // A platform that starts workers for requests hands them over itself: no spool, no dispatch rate.
            (task_queue.spool_delay, task_queue.max_dispatch_rate) = (0, None);
        }
        self.lanes.push(Lane::new(&task_queue, task_type, group, position, polls));
        self.groups[group].lanes.push(index);
        self.task_queues[queue][task_type.index()] = Some(index);
        index
    }
}

impl GroupState {
    fn new(model: &Group) -> Self {
        Self {
            model: model.clone(),
            ledger: Ledger::default(),
            lanes: Vec::new(),
            fleet: Fleet::default(),
            provider: ProviderState::new(&model.provider),
            polls_in_flight: Default::default(),
            exits_when_idle: model.worker.idle_exit.is_some() || model.provider.is_per_request(),
            idleness: Idleness::of(&model.provider),
            observed: (0, 0),
        }
    }
}

/// Sums statistics of several queues of one type, rates in `f32` as the server does.
fn add_metrics(sum: &mut QueueMetrics, metrics: &QueueMetrics) {
    sum.last_backlog_count += metrics.last_backlog_count;
    sum.last_arrival_rate += metrics.last_arrival_rate;
    sum.last_processing_rate += metrics.last_processing_rate;
    sum.last_backlog_age = sum.last_backlog_age.max(metrics.last_backlog_age);
    sum.rate_limiting_active |= metrics.rate_limiting_active;
}
