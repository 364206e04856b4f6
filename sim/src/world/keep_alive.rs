//! How long idle workers stay, and which are started again ahead of the next request.

use super::fleet::group_key;
use super::idle_times::IdleTimes;
use super::{World, luck};
use crate::event_queue::EventKind;
use crate::model::{KeepAlive, Nanos, ProviderMode, ProviderModel};
use crate::rng;
use crate::worker::WorkerState;

/// What the hybrid histogram policy knows of one group.
#[derive(Debug)]
pub(super) struct Idleness {
    times: IdleTimes,
    /// When the last request was done, while there is none.
    since: Option<Nanos>,
    /// When a worker is to be started again, if no request comes before.
    pre_warm_at: Option<Nanos>,
    /// When that worker leaves.
    leaves_at: Nanos,
}

impl Idleness {
    /// Nothing is known yet; `None`: another policy keeps workers alive.
    pub fn of(provider: &ProviderModel) -> Option<Self> {
        let ProviderMode::PerRequest { keep_alive: KeepAlive::HybridHistogram(range), .. } = provider.mode
        else {
            return None;
        };
        Some(Self { times: IdleTimes::new(range), since: None, pre_warm_at: None, leaves_at: 0 })
    }
}

impl World {
    /// The worker may have been idle long enough; it may also have got work and idle again meanwhile.
    pub(super) fn idle_exit(&mut self, index: usize) {
        self.workers[index].armed_at = Nanos::MAX;
        if !self.event_arrived(index, WorkerState::Ready) || self.workers[index].running > 0 {
            return;
        }
        let expires = self.workers[index].expires_at;
        if expires <= self.now {
            self.drain(index);
        } else {
            self.arm_idle_exit(index, expires);
        }
    }

    #[inline]
    pub(super) fn got_idle(&mut self, index: usize) {
        if self.groups[self.workers[index].group].exits_when_idle {
            self.plan_idle_exit(index);
        }
    }

    /// A request comes: how long the group had none is known now.
    #[inline]
    pub(super) fn end_idle_time(&mut self, group: usize) {
        if let Some(idleness) = &mut self.groups[group].idleness
            && let Some(since) = idleness.since.take()
        {
            idleness.times.record(self.now - since);
            idleness.pre_warm_at = None;
        }
    }

    /// Starts a worker ahead of the next request, unless that came first or another worker is still there.
    pub(super) fn pre_warm(&mut self, group: usize) {
        let state = &mut self.groups[group];
        let is_due = state.idleness.as_ref().is_some_and(|idleness| idleness.pre_warm_at == Some(self.now));
        let levels = state.ledger.levels();
        if is_due && levels.starting + levels.ready == 0 && self.can_start_now(group) {
            self.take_start_token(group);
            self.start_worker(group);
        }
    }

    /// No worker is started ahead any more: the run drains.
    pub(super) fn forget_pre_warm(&mut self, group: usize) {
        if let Some(idleness) = &mut self.groups[group].idleness {
            idleness.pre_warm_at = None;
        }
    }

    fn plan_idle_exit(&mut self, index: usize) {
        let Some(idle) = self.idle_time(index) else { return };
        // A worker is idle from when its poll reaches the server: else one that stays no longer than half a
        // round trip would leave before any task could reach it.
        let half_trip = self.groups[self.workers[index].group].model.worker.poll_round_trip / 2;
        let idle_from = self.now.saturating_add(half_trip).saturating_add(u64::from(half_trip > 0));
        let expires = idle_from.saturating_add(idle);
        self.workers[index].expires_at = expires;
        // An event that comes earlier looks again: one event a worker, however often it gets idle.
        if self.workers[index].armed_at > expires {
            self.arm_idle_exit(index, expires);
        }
    }

    /// How long a worker that got idle stays if it stays idle; `None`: until something else ends it.
    fn idle_time(&mut self, index: usize) -> Option<Nanos> {
        let worker = &mut self.workers[index];
        worker.idle_times += 1;
        let group = worker.group;
        let key = [luck::IDLE_EXIT, rng::key(group_key(group, worker.number), [worker.idle_times, 0])];
        let model = &self.groups[group].model;
        match &model.provider.mode {
            ProviderMode::PerRequest { keep_alive: KeepAlive::Fixed(window), .. } => Some(*window),
            ProviderMode::PerRequest { keep_alive: KeepAlive::Exponential(mean), .. } => {
                Some((-libm::log(1.0 - rng::unit(rng::key(self.seed, key))) * mean) as Nanos)
            }
            ProviderMode::PerRequest { keep_alive: KeepAlive::HybridHistogram(_), .. } => {
                self.learnt_idle_time(index)
            }
            ProviderMode::Controller => {
                model.worker.idle_exit.as_ref().map(|dist| dist.sample(&mut rng::keyed(self.seed, key)))
            }
        }
    }

    fn learnt_idle_time(&mut self, index: usize) -> Option<Nanos> {
        let (group, was_used) = (self.workers[index].group, self.workers[index].was_used);
        let state = &mut self.groups[group];
        let idleness = state.idleness.as_mut()?;
        if !was_used && idleness.since.is_some() {
            return Some(idleness.leaves_at.saturating_sub(self.now));
        }
        let windows = idleness.times.windows();
        let whole = windows.pre_warm + windows.keep_alive;
        let levels = state.ledger.levels();
        if levels.busy + levels.backlog > 0 {
            return Some(whole);
        }
        idleness.since = Some(self.now);
        if windows.pre_warm == 0 {
            return Some(whole);
        }
        let at = self.now.saturating_add(windows.pre_warm);
        idleness.pre_warm_at = Some(at);
        idleness.leaves_at = self.now.saturating_add(whole);
        self.queue.push(at, EventKind::PreWarm, group);
        Some(0)
    }

    fn arm_idle_exit(&mut self, index: usize, at: Nanos) {
        self.workers[index].armed_at = at;
        self.push_worker_event(at, EventKind::IdleExit, index);
    }
}
