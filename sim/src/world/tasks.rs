//! Tasks: added, matched, run, done.

use super::{GroupState, PollInFlight, Tag, World, luck};
use crate::event_queue::EventKind;
use crate::model::{Binding, MILLI, Nanos, OnLimit, ProviderMode};
use crate::rng;
use crate::task_queue::{PollRef, Waiting};
use crate::worker::WorkerState;
use wci_core::metrics::TaskQueueType;
use wci_core::signals::{AddOutcome, Batch};

/// One workload as the world sees it.
#[derive(Debug)]
pub struct WorkloadState {
    pub(super) index: usize,
    pub(super) lane: usize,
    pub(super) activity_lane: usize,
    pub(super) timeout: Nanos,
    pub(super) shape: Option<crate::model::WorkflowShape>,
    pub(super) next_number: u64,
}

impl WorkloadState {
    pub(super) fn new(
        index: usize,
        model: &crate::model::Workload,
        lane: usize,
        activity_lane: usize,
    ) -> Self {
        let timeout = model.start_to_close_timeout;
        Self { index, lane, activity_lane, timeout, shape: model.workflow.clone(), next_number: 0 }
    }
}

/// A task with a worker.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    pub(super) worker: usize,
    pub(super) lane: usize,
    pub(super) matched_at: Nanos,
    pub(super) task: Waiting,
    /// Its worker died: the departure still in the queue means nothing.
    pub(super) is_dead: bool,
}

/// What is known of a task beyond its place in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Extra {
    pub(super) number: u64,
    pub(super) attempt: u32,
    pub(super) first_added: Nanos,
    pub(super) lane: usize,
    pub(super) execution: Option<usize>,
}

/// A finished task, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedTask {
    /// Index of its workload.
    pub workload: usize,
    /// Its first add.
    pub arrived: Nanos,
    /// Its last add.
    pub added: Nanos,
    /// When a worker took it.
    pub matched: Nanos,
    /// When it was done.
    pub completed: Nanos,
    /// How many attempts it took.
    pub attempt: u32,
    /// Index of the group.
    pub group: usize,
    /// Number of the worker in its group.
    pub worker: u64,
}

/// How far a poll has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollTrip {
    /// From the worker to the server.
    Half = 0,
    /// The match first goes to the worker.
    Whole = 1,
}

impl PollTrip {
    /// How many kinds of trip there are.
    pub(super) const ALL: usize = 2;
}

impl World {
    /// Whether finished tasks are kept until someone looks.
    pub fn record_tasks(&mut self, wanted: bool) {
        self.finished_tasks = wanted.then(Vec::new);
    }

    /// A task of a workload arrives.
    #[inline]
    pub fn arrive(&mut self, workload: usize, service: Nanos) {
        self.events += 1;
        let state = &mut self.workloads[workload];
        let number = state.next_number;
        state.next_number += 1;
        if state.shape.is_some() {
            self.begin_execution(workload, number);
            return;
        }
        let lane = state.lane;
        let task = Waiting { added: self.now, service, tag: Tag::fresh(workload, number) };
        self.add_first(lane, task);
    }

    /// Counts a first add and adds the task.
    #[inline]
    pub(super) fn add_first(&mut self, lane: usize, task: Waiting) {
        let is_measured = self.is_measured(self.now);
        let counters = &mut self.groups[self.lanes[lane].group].ledger.counters;
        counters.arrived += 1;
        counters.measured += u64::from(is_measured);
        self.add(lane, task, is_measured);
    }

    /// Adds a task to its queue: matched at once or spooled.
    #[inline]
    pub(super) fn add(&mut self, lane_index: usize, task: Waiting, is_measured: bool) {
        let partition = self.partition_of(lane_index, task.tag);
        let lane = &mut self.lanes[lane_index];
        let group = lane.group;
        lane.adds.record(self.now);
        let counters = &mut self.groups[group].ledger.counters;
        counters.added += 1;
        counters.measured_added += u64::from(is_measured);
        if !matches!(self.groups[group].model.provider.mode, ProviderMode::Controller) {
            self.add_request(lane_index, partition, task, is_measured);
            return;
        }
        let has_token = lane.limit.as_ref().is_none_or(|limit| limit.has_token(self.now));
        let outcome = if has_token && lane.can_sync_match(self.now, partition) {
            self.sync_match(lane_index, task, is_measured);
            AddOutcome::SyncMatch
        } else {
            self.spool(lane_index, partition, task);
            if has_token { AddOutcome::NoSyncMatch } else { AddOutcome::RateLimited }
        };
        self.signal(lane_index, partition, outcome);
    }

    /// A running task is done.
    #[inline]
    pub(super) fn depart(&mut self, index: usize) {
        let running = self.running[index];
        if running.is_dead {
            self.queue.pop();
            self.free_running(index);
            return;
        }
        let lane = &self.lanes[running.lane];
        let (group, position, task_type) = (lane.group, lane.position, lane.task_type);
        self.complete(group, &running);
        let worker = &mut self.workers[running.worker];
        worker.running -= 1;
        let slots = &mut worker.lanes[position];
        slots.free += 1;
        if worker.state == WorkerState::Ready {
            let model = &self.groups[group].model.worker;
            let half_trip = model.poll_round_trip / 2;
            let may_poll = slots.polls < model.pollers[task_type.index()].min(slots.free);
            if may_poll && half_trip == 0 {
                slots.polls += 1;
                self.poll_again(index, running.lane, running.worker);
                return;
            }
            if may_poll {
                slots.polls += 1;
                self.send_poll(group, running.worker, running.lane, PollTrip::Half);
            }
        }
        self.queue.pop();
        self.free_running(index);
        self.task_left(running.worker);
    }

    /// A poll reaches the server: it takes a task or waits.
    pub(super) fn poll_arrives(&mut self, worker: usize, lane_index: usize) {
        let lane = &mut self.lanes[lane_index];
        let partition = lane.partition_for_poll();
        if let Some(task) = lane.take_matchable(self.now, partition) {
            self.dispatch(lane_index, worker, task);
            return;
        }
        lane.add_poll(
            PollRef { worker: worker as u32, partition: partition as u32 },
            self.workers[worker].number,
        );
        if lane.backlog_count > 0 {
            self.arm_spool(lane_index);
        }
    }

    pub(super) fn poll_in_flight_arrives(&mut self, index: usize) {
        let (group, trip) = (index / PollTrip::ALL, index % PollTrip::ALL);
        let Some(poll) = self.groups[group].polls_in_flight[trip].pop_front() else { return };
        let worker = &self.workers[poll.worker];
        if worker.state == WorkerState::Ready && worker.number == poll.number && worker.group == group {
            self.poll_arrives(poll.worker, poll.lane);
        }
    }

    /// Sends a poll on its way. Polls of one group and trip take equally long, so they arrive in their order.
    pub(super) fn send_poll(&mut self, group: usize, worker: usize, lane: usize, trip: PollTrip) {
        let number = self.workers[worker].number;
        let state = &mut self.groups[group];
        let round_trip = state.model.worker.poll_round_trip;
        let takes = if trip == PollTrip::Half { round_trip / 2 } else { round_trip };
        state.polls_in_flight[trip as usize].push_back(PollInFlight { worker, number, lane });
        let index = group * PollTrip::ALL + trip as usize;
        self.queue.push(self.now + takes, EventKind::PollArrival, index);
    }

    /// Spooled tasks may have become matchable while polls wait.
    pub(super) fn spool_due(&mut self, lane_index: usize) {
        self.lanes[lane_index].spool_at = None;
        loop {
            let lane = &mut self.lanes[lane_index];
            if lane.polls.is_empty() {
                return;
            }
            let Some(task) = lane.take_oldest_matchable(self.now) else { break };
            let luck = self.routing_luck(task.tag);
            let lane = &mut self.lanes[lane_index];
            let Some(poll) = lane.take_poll(|n| rng::below(luck, n)) else { return };
            self.dispatch(lane_index, poll.worker as usize, task);
        }
        self.arm_spool(lane_index);
    }

    /// A spooled task is matched with a worker's poll.
    pub(super) fn dispatch(&mut self, lane_index: usize, worker: usize, task: Waiting) {
        let (index, departs) = self.begin(lane_index, worker, task, true);
        self.queue.push(departs, EventKind::Departure, index);
    }

    /// A worker's slot got free and polls again at once: in place of a pop and a push if a task waits.
    #[inline]
    fn poll_again(&mut self, index: usize, lane_index: usize, worker: usize) {
        let lane = &mut self.lanes[lane_index];
        let partition = lane.partition_for_poll();
        if let Some(task) = lane.take_matchable(self.now, partition) {
            self.free_running(index);
            let (index, departs) = self.begin(lane_index, worker, task, true);
            self.queue.replace(departs, EventKind::Departure, index);
            return;
        }
        lane.add_poll(
            PollRef { worker: worker as u32, partition: partition as u32 },
            self.workers[worker].number,
        );
        self.queue.pop();
        self.free_running(index);
        if self.lanes[lane_index].backlog_count > 0 {
            self.arm_spool(lane_index);
        }
        self.task_left(worker);
    }

    #[inline]
    fn sync_match(&mut self, lane_index: usize, task: Waiting, is_measured: bool) {
        let luck = self.routing_luck(task.tag);
        let lane = &mut self.lanes[lane_index];
        let counters = &mut self.groups[lane.group].ledger.counters;
        counters.sync_matched += 1;
        counters.measured_sync_matched += u64::from(is_measured);
        if let Some(limit) = &mut lane.limit {
            limit.take(self.now);
        }
        if let Some(poll) = lane.take_poll(|n| rng::below(luck, n)) {
            let (index, departs) = self.begin(lane_index, poll.worker as usize, task, false);
            self.queue.push(departs, EventKind::Departure, index);
        }
    }

    #[inline]
    fn spool(&mut self, lane_index: usize, partition: usize, task: Waiting) {
        let lane = &mut self.lanes[lane_index];
        lane.spool(partition, task);
        let (group, polls_wait) = (lane.group, !lane.polls.is_empty());
        self.groups[group].ledger.change_tasks(self.now, 1, 0);
        self.count_waiting();
        if polls_wait {
            self.arm_spool(lane_index);
        }
    }

    /// Books a match and says where the task runs and when it departs.
    #[inline]
    fn begin(
        &mut self,
        lane_index: usize,
        worker_index: usize,
        task: Waiting,
        was_spooled: bool,
    ) -> (usize, Nanos) {
        let now = self.now;
        let lane = &mut self.lanes[lane_index];
        lane.dispatches.record(now);
        let first_added = match task.tag.extra() {
            None => task.added,
            Some(extra) => self.extras[extra].first_added,
        };
        let is_measured = (self.measured_from..self.measured_until).contains(&first_added);
        let GroupState { ledger, model, .. } = &mut self.groups[lane.group];
        ledger.change_tasks(now, -i64::from(was_spooled), 1);
        ledger.record_match(now - task.added, is_measured);
        let worker = &mut self.workers[worker_index];
        let slots = &mut worker.lanes[lane.position];
        slots.free -= 1;
        slots.polls -= 1;
        worker.running += 1;
        worker.was_used = true;
        let is_first_attempt = first_added == task.added;
        ledger.counters.cold_started +=
            u64::from(is_measured && is_first_attempt && worker.ready_at > task.added);
        let running =
            Running { worker: worker_index, lane: lane_index, matched_at: now, task, is_dead: false };
        let departs = now.saturating_add(model.worker.poll_round_trip / 2).saturating_add(task.service);
        let pollers = model.worker.pollers[lane.task_type.index()];
        if slots.polls < pollers.min(slots.free) && worker.state == WorkerState::Ready {
            // The answer reaches the worker and its next poll the server: one whole round trip.
            slots.polls += 1;
            let group = lane.group;
            self.send_poll(group, worker_index, lane_index, PollTrip::Whole);
        }
        self.backlog_now -= u64::from(was_spooled);
        (self.running.insert(running), departs)
    }

    #[inline]
    fn count_waiting(&mut self) {
        self.backlog_now += 1;
        self.max_backlog = self.max_backlog.max(self.backlog_now);
    }

    /// Frees a running task's place so that nobody takes it for a running one.
    #[inline]
    fn free_running(&mut self, index: usize) {
        self.running[index].worker = usize::MAX;
        self.running.free(index);
    }

    #[inline]
    fn complete(&mut self, group: usize, running: &Running) {
        if self.finished_tasks.is_some() {
            self.record_finished(group, running);
        }
        let task = running.task;
        let ledger = &mut self.groups[group].ledger;
        ledger.change_tasks(self.now, 0, -1);
        ledger.counters.completed += 1;
        let Some(extra) = task.tag.extra() else {
            if (self.measured_from..self.measured_until).contains(&task.added) {
                ledger.sojourns.record(self.now - task.added);
            }
            return;
        };
        let Extra { first_added, execution, .. } = self.extras[extra];
        self.extras.free(extra);
        if (self.measured_from..self.measured_until).contains(&first_added) {
            ledger.sojourns.record(self.now - first_added);
        }
        if let Some(execution) = execution {
            self.next_step(execution);
        }
    }

    #[cold]
    fn record_finished(&mut self, group: usize, running: &Running) {
        let task = running.task;
        let extra = task.tag.extra().map(|extra| self.extras[extra]);
        let finished = FinishedTask {
            workload: task.tag.workload(),
            arrived: extra.map_or(task.added, |extra| extra.first_added),
            added: task.added,
            matched: running.matched_at,
            completed: self.now,
            attempt: extra.map_or(1, |extra| extra.attempt),
            group,
            worker: self.workers[running.worker].number,
        };
        self.finished_tasks.iter_mut().for_each(|tasks| tasks.push(finished));
    }

    /// Per-request mode: the platform starts a worker for a request that finds none idle.
    fn add_request(&mut self, lane_index: usize, partition: usize, task: Waiting, is_measured: bool) {
        let group = self.lanes[lane_index].group;
        self.end_idle_time(group);
        if !self.lanes[lane_index].polls.is_empty() {
            self.sync_match(lane_index, task, is_measured);
            return;
        }
        let model = &self.groups[group].model.provider;
        let ProviderMode::PerRequest { binding, .. } = model.mode else { return };
        let can_start = self.can_start_now(group);
        if !can_start && model.on_limit == OnLimit::Reject {
            self.reject(group, task);
        } else if binding == Binding::NewWorker && can_start {
            self.take_start_token(group);
            self.start_bound(group, lane_index, task);
        } else {
            self.spool(lane_index, partition, task);
            self.request_starts(group, 1);
        }
    }

    fn reject(&mut self, group: usize, task: Waiting) {
        self.groups[group].ledger.counters.rejected += 1;
        if let Some(extra) = task.tag.extra() {
            if let Some(execution) = self.extras[extra].execution {
                self.executions.free(execution);
            }
            self.extras.free(extra);
        }
    }

    /// Starts a worker that belongs to one request.
    fn start_bound(&mut self, group: usize, lane_index: usize, task: Waiting) {
        let ProviderMode::PerRequest { cold_service, .. } = &self.groups[group].model.provider.mode else {
            return;
        };
        let key = rng::key(self.seed, [luck::COLD_SERVICE, self.identity(task.tag)]);
        let cold = cold_service.as_ref().map(|dist| dist.sample(&mut rng::Stream::from_key(key)));
        if let Some(service) = cold {
            let worker = self.start_ready(group, lane_index);
            let is_measured = self.is_measured(task.added);
            self.groups[group].ledger.counters.cold_started += u64::from(is_measured);
            let (index, departs) = self.begin(lane_index, worker, Waiting { service, ..task }, false);
            self.queue.push(departs, EventKind::Departure, index);
            return;
        }
        self.groups[group].ledger.change_tasks(self.now, 1, 0);
        self.count_waiting();
        let worker = self.start_worker(group);
        self.workers[worker].bound = Some((lane_index, task));
    }

    #[inline]
    fn signal(&mut self, lane_index: usize, partition: usize, outcome: AddOutcome) {
        let now = self.timestamp();
        let lane = &mut self.lanes[lane_index];
        if lane.task_type == TaskQueueType::Nexus || !self.hook_enabled {
            return;
        }
        if let Some(batch) = lane.partitions[partition].batcher.add(now, outcome, &self.batching) {
            self.send_signal(lane_index, batch);
        } else if self.flush_after.is_some() {
            self.arm_flush(lane_index, partition);
        }
    }

    /// The last adds of a burst are signalled if no later add has done it.
    pub(super) fn flush_due(&mut self, index: usize) {
        let (lane_index, partition) = self.flush_places[index];
        let now = self.timestamp();
        let place = &mut self.lanes[lane_index].partitions[partition];
        place.flush_armed = false;
        let Some(after) = self.flush_after else { return };
        match place.batcher.flush(now, after) {
            Some(batch) if self.hook_enabled => self.send_signal(lane_index, batch),
            Some(_) => {}
            None => self.arm_flush(lane_index, partition),
        }
    }

    fn arm_flush(&mut self, lane_index: usize, partition: usize) {
        let place = &mut self.lanes[lane_index].partitions[partition];
        let Some(at) = self.flush_after.and_then(|after| place.batcher.flush_at(after)) else { return };
        if std::mem::replace(&mut place.flush_armed, true) {
            return;
        }
        let at = at.since(self.start).get().max(0) as Nanos * MILLI;
        let here = (lane_index, partition);
        let known = self.flush_places.iter().position(|place| *place == here);
        let index = known.unwrap_or_else(|| {
            self.flush_places.push(here);
            self.flush_places.len() - 1
        });
        self.queue.push(at.max(self.now), EventKind::Flush, index);
    }

    fn send_signal(&mut self, lane_index: usize, batch: Batch) {
        self.signals_sent += 1;
        let chance = rng::unit(rng::key(self.seed, [luck::LOST_SIGNAL, self.signals_sent]));
        if chance < self.signal_loss {
            return;
        }
        let lane = &self.lanes[lane_index];
        let add = batch.into_signal(lane.name.clone(), lane.task_type);
        self.signals.push_back((self.now + self.signal_latency, add));
    }

    fn arm_spool(&mut self, lane_index: usize) {
        let lane = &mut self.lanes[lane_index];
        let Some(at) = lane.next_matchable(self.now) else { return };
        if lane.spool_at.is_none_or(|armed| at < armed) {
            lane.spool_at = Some(at);
            self.queue.push(at, EventKind::Spool, lane_index);
        }
    }

    #[inline]
    fn partition_of(&self, lane_index: usize, tag: Tag) -> usize {
        let n = self.lanes[lane_index].partitions.len();
        if n == 1 {
            return 0;
        }
        rng::below(rng::key(self.seed, [luck::PARTITION, self.identity(tag)]), n as u64) as usize
    }

    /// The number that keys a task's luck: the same whatever place it holds.
    #[inline]
    fn identity(&self, tag: Tag) -> u64 {
        tag.extra().map_or(tag.bits(), |extra| {
            let extra = &self.extras[extra];
            rng::key(extra.number, [u64::from(extra.attempt), tag.workload() as u64])
        })
    }

    /// Which poll a task takes under random routing: only drawn where that matters.
    #[inline]
    fn routing_luck(&self, tag: Tag) -> u64 {
        if self.routing_is_random { rng::key(self.seed, [luck::ROUTING, self.identity(tag)]) } else { 0 }
    }

    /// Whether a task that was first added then is measured.
    #[inline]
    #[must_use]
    pub fn is_measured(&self, first_added: Nanos) -> bool {
        (self.measured_from..self.measured_until).contains(&first_added)
    }
}
