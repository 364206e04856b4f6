//! Workers come and go.

use super::tasks::PollTrip;
use super::{World, luck};
use crate::event_queue::EventKind;
use crate::model::{BilledFrom, Nanos, Price, SECOND, WorkerModel};
use crate::rng;
use crate::worker::{LaneSlots, Worker, WorkerState};

/// The workers of a group that are not gone.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Workers started so far: the next one's number.
    pub started: u64,
    /// Starting workers, oldest first.
    pub starting: Vec<usize>,
    /// Ready workers, oldest first.
    pub ready: Vec<usize>,
    /// Size of the worker set, once one was set.
    pub set_size: Option<u64>,
    /// Factor on cold starts (a cold-start storm).
    pub cold_start_factor: f64,
}

impl World {
    /// Begins to start a worker.
    pub(super) fn start_worker(&mut self, group: usize) -> usize {
        let index = self.new_worker(group);
        let state = &self.groups[group];
        let number = self.workers[index].number;
        let mut luck = rng::keyed(self.seed, [luck::COLD_START, group_key(group, number)]);
        let cold_start = state.model.worker.cold_start.sample(&mut luck);
        let factor = state.fleet.cold_start_factor;
        let cold_start = if factor > 0.0 { (cold_start as f64 * factor) as Nanos } else { cold_start };
        self.push_worker_event(self.now.saturating_add(cold_start), EventKind::Ready, index);
        index
    }

    /// Starts a worker that is ready at once and does not poll yet (per-request mode with a cold service).
    pub(super) fn start_ready(&mut self, group: usize, lane_index: usize) -> usize {
        let index = self.new_worker(group);
        self.become_ready(index);
        let position = self.lanes[lane_index].position;
        // The slot that runs the request is reserved as if a poll had been open.
        self.workers[index].lanes[position].polls += 1;
        self.open_polls(index);
        index
    }

    pub(super) fn start_initial_workers(&mut self) {
        for group in 0..self.groups.len() {
            let n = self.groups[group].model.provider.initial_workers;
            for _ in 0..n {
                let index = self.new_worker(group);
                self.become_ready(index);
                self.open_polls(index);
                self.got_idle(index);
            }
            let is_set = !self.groups[group].model.provider.is_per_request();
            if n > 0 && is_set {
                self.groups[group].fleet.set_size = Some(u64::from(n));
            }
        }
    }

    pub(super) fn get_ready(&mut self, index: usize) {
        if !self.event_arrived(index, WorkerState::Starting) {
            return;
        }
        self.become_ready(index);
        if let Some((lane_index, task)) = self.workers[index].bound.take() {
            let position = self.lanes[lane_index].position;
            self.workers[index].lanes[position].polls += 1;
            self.dispatch(lane_index, index, task);
        }
        self.open_polls(index);
        if self.workers[index].running == 0 {
            self.got_idle(index);
        }
    }

    pub(super) fn lifetime_over(&mut self, index: usize) {
        if self.event_arrived(index, WorkerState::Ready) {
            self.drain(index);
        }
    }

    pub(super) fn crash(&mut self, index: usize) {
        let worker = &self.workers[index];
        let alive = matches!(worker.state, WorkerState::Ready | WorkerState::Draining);
        let state = worker.state;
        if !self.event_arrived(index, state) || !alive {
            return;
        }
        self.crash_now(index);
    }

    /// Ends a worker without a drain.
    pub(super) fn crash_now(&mut self, index: usize) {
        if self.workers[index].state == WorkerState::Ready {
            self.drain_quietly(index);
        }
        if self.workers[index].state == WorkerState::Draining {
            self.kill_tasks(index);
            self.end_worker(index);
        }
    }

    pub(super) fn drain_limit_reached(&mut self, index: usize) {
        if self.event_arrived(index, WorkerState::Draining) {
            self.kill_tasks(index);
            self.end_worker(index);
        }
    }

    /// A task left its worker: a draining one may end, a ready one may be idle now.
    #[inline]
    pub(super) fn task_left(&mut self, index: usize) {
        let worker = &self.workers[index];
        if worker.running > 0 {
            return;
        }
        match worker.state {
            WorkerState::Draining => self.end_worker(index),
            WorkerState::Ready => self.got_idle(index),
            WorkerState::Starting | WorkerState::Gone => {}
        }
    }

    /// Begins a worker's end: open polls are withdrawn, running tasks have the drain timeout.
    pub(super) fn drain(&mut self, index: usize) {
        self.drain_quietly(index);
        if self.workers[index].running == 0 {
            self.end_worker(index);
            return;
        }
        let timeout = self.groups[self.workers[index].group].model.worker.drain_timeout;
        self.push_worker_event(self.now.saturating_add(timeout), EventKind::DrainLimit, index);
    }

    /// Ends a starting worker before it got ready.
    pub(super) fn cancel(&mut self, index: usize) {
        let group = self.workers[index].group;
        remove(&mut self.groups[group].fleet.starting, index);
        self.groups[group].ledger.change_workers(self.now, |levels| levels.starting -= 1);
        self.bury(index);
    }

    /// Share of the ready workers that crash now, the newest first.
    pub fn crash_share(&mut self, group: usize, share: f64) {
        let ready = self.groups[group].fleet.ready.clone();
        let n = (ready.len() as f64 * share.clamp(0.0, 1.0)).round() as usize;
        for &index in ready.iter().rev().take(n) {
            self.crash_now(index);
        }
    }

    /// Sets the factor on cold starts; 1 is normal.
    pub fn set_cold_start_factor(&mut self, group: usize, factor: f64) {
        self.groups[group].fleet.cold_start_factor = if factor == 1.0 { 0.0 } else { factor };
    }

    /// At the end of a run that was cut: what the workers that are still there cost. Committed lifetimes are
    /// billed in full.
    pub fn cost_of_living_workers(&self, group: usize) -> f64 {
        let model = &self.groups[group].model;
        let committed = |worker: &Worker| {
            let from = if worker.ready_at == Nanos::MAX { self.now } else { worker.ready_at };
            let until = model.worker.lifetime.map_or(self.now, |lifetime| from.saturating_add(lifetime));
            cost_of(&model.price, worker.invoked_at, from, until.max(self.now))
        };
        self.workers_of(group).map(committed).sum()
    }

    fn new_worker(&mut self, group: usize) -> usize {
        let state = &mut self.groups[group];
        let number = state.fleet.started;
        state.fleet.started += 1;
        state.ledger.counters.started += 1;
        let slots = state.model.worker.slots;
        let lanes = state.lanes.iter().map(|&lane| {
            let free = slots[self.lanes[lane].task_type.index()];
            LaneSlots { free, polls: 0 }
        });
        let index = self.workers.insert(Worker::starting(group, number, self.now, lanes.collect()));
        state.fleet.starting.push(index);
        state.ledger.change_workers(self.now, |levels| levels.starting += 1);
        index
    }

    fn become_ready(&mut self, index: usize) {
        let now = self.now;
        let worker = &mut self.workers[index];
        worker.state = WorkerState::Ready;
        worker.ready_at = now;
        let (group, number) = (worker.group, worker.number);
        let slots: u32 = worker.lanes.iter().map(|lane| lane.free).sum();
        let state = &mut self.groups[group];
        remove(&mut state.fleet.starting, index);
        state.fleet.ready.push(index);
        state.ledger.change_workers(now, |levels| {
            levels.starting -= 1;
            levels.ready += 1;
            levels.slots += u64::from(slots);
        });
        let WorkerModel { lifetime, crash_rate, drain_timeout, .. } = state.model.worker;
        if let Some(lifetime) = lifetime {
            self.push_worker_event(now.saturating_add(lifetime), EventKind::Lifetime, index);
        }
        if crash_rate > 0.0 {
            let mean = 3600.0 * SECOND as f64 / crash_rate;
            let key = rng::key(self.seed, [luck::CRASH, group_key(group, number)]);
            let after = (-libm::log(1.0 - rng::unit(key)) * mean) as Nanos;
            // An event that comes too late would keep the worker's place in memory until then.
            if lifetime.is_none_or(|lifetime| after <= lifetime.saturating_add(drain_timeout)) {
                self.push_worker_event(now.saturating_add(after), EventKind::Crash, index);
            }
        }
    }

    /// Opens as many polls as pollers and free slots allow.
    fn open_polls(&mut self, index: usize) {
        let group = self.workers[index].group;
        let half_trip = self.groups[group].model.worker.poll_round_trip / 2;
        for position in 0..self.groups[group].lanes.len() {
            let lane = self.groups[group].lanes[position];
            let pollers = self.groups[group].model.worker.pollers[self.lanes[lane].task_type.index()];
            loop {
                // A poll that arrives at once may take a task, so slots and polls are looked at anew each time.
                let slots = self.workers[index].lanes[position];
                if slots.polls >= pollers.min(slots.free) {
                    break;
                }
                self.workers[index].lanes[position].polls += 1;
                if half_trip == 0 {
                    self.poll_arrives(index, lane);
                } else {
                    self.send_poll(group, index, lane, PollTrip::Half);
                }
            }
        }
    }

    fn drain_quietly(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        worker.state = WorkerState::Draining;
        let (group, number) = (worker.group, worker.number);
        for position in 0..self.groups[group].lanes.len() {
            let lane = self.groups[group].lanes[position];
            if self.workers[index].lanes[position].polls > 0 {
                self.lanes[lane].withdraw(index as u32, number);
                self.workers[index].lanes[position].polls = 0;
            }
        }
        remove(&mut self.groups[group].fleet.ready, index);
        self.groups[group].ledger.change_workers(self.now, |levels| {
            levels.ready -= 1;
            levels.draining += 1;
        });
    }

    fn end_worker(&mut self, index: usize) {
        let group = self.workers[index].group;
        let slots: u64 = self.workers[index].lanes.iter().map(|lane| u64::from(lane.free)).sum();
        self.groups[group].ledger.change_workers(self.now, |levels| {
            levels.draining -= 1;
            levels.slots -= slots;
        });
        self.bury(index);
    }

    /// Charges a worker that ended, frees its place and lets the provider fill the gap.
    fn bury(&mut self, index: usize) {
        let now = self.now;
        let worker = &mut self.workers[index];
        worker.state = WorkerState::Gone;
        let (group, invoked_at) = (worker.group, worker.invoked_at);
        let ready = worker.ready_at.min(now);
        let state = &mut self.groups[group];
        state.ledger.cost += cost_of(&state.model.price, worker.invoked_at, ready, now);
        state.ledger.counters.never_used += u64::from(!worker.was_used);
        if worker.pending_events == 0 {
            self.workers.free(index);
        }
        // A worker that lived for no time at all is not replaced: its successor would not live longer.
        if now > invoked_at {
            self.worker_ended(group);
        }
    }

    pub(super) fn push_worker_event(&mut self, at: Nanos, kind: EventKind, index: usize) {
        self.workers[index].pending_events += 1;
        self.queue.push(at, kind, index);
    }

    /// Books an event that pointed at a worker; true if the worker is in the state the event is about.
    pub(super) fn event_arrived(&mut self, index: usize, expected: WorkerState) -> bool {
        let worker = &mut self.workers[index];
        worker.pending_events -= 1;
        if worker.state == WorkerState::Gone && worker.pending_events == 0 {
            self.workers.free(index);
            return false;
        }
        self.workers[index].state == expected
    }
}

/// What a worker costs that was invoked, ready and gone at these times (USD).
pub(super) fn cost_of(price: &Price, invoked: Nanos, ready: Nanos, ended: Nanos) -> f64 {
    let from = if price.billed_from == BilledFrom::Invoke { invoked } else { ready };
    let mut billed = (ended - from.min(ended)).max(price.minimum);
    if price.rounding > 0 {
        billed = billed.div_ceil(price.rounding) * price.rounding;
    }
    price.per_request + price.per_second() * (billed as f64 / SECOND as f64)
}

impl Price {
    /// USD for each second of a worker's billed time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let gigabytes = self.memory_mb / 1024.0;
        let hourly = self.per_vcpu_hour * self.vcpu
            + self.per_gb_hour * gigabytes
            + self.per_node_hour / self.workers_per_node.max(1.0);
        self.per_gb_second * gigabytes + hourly / 3600.0
    }
}

fn remove(list: &mut Vec<usize>, index: usize) {
    if let Some(at) = list.iter().rposition(|&other| other == index) {
        list.remove(at);
    }
}

pub(super) fn group_key(group: usize, number: u64) -> u64 {
    rng::key(group as u64, [number, 0])
}
