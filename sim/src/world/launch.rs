//! The provider's side of a call: accepted or refused, started now or later.

use super::fleet::group_key;
use super::{World, luck};
use crate::event_queue::EventKind;
use crate::model::{Nanos, OnLimit, ProviderModel};
use crate::rng;
use crate::task_queue::TokenBucket;
use std::collections::VecDeque;
use wci_core::controller::FailureClass;

/// What a controller asks of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launch {
    /// Start so many workers more.
    Invoke(u32),
    /// Have so many workers in all.
    SetSize(u32),
}

/// When a call answers and whether it had luck; the limits are asked when it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// When the answer comes.
    pub answers_at: Nanos,
    /// Why it fails, if it does.
    pub failure: Option<FailureClass>,
}

/// One group's provider.
#[derive(Debug)]
pub(crate) struct ProviderState {
    /// When each start that waits was asked for.
    waiting: VecDeque<Nanos>,
    start_limit: Option<TokenBucket>,
    slot_armed: bool,
    calls: u64,
    /// Calls fail now.
    pub is_out: bool,
    /// No worker starts now.
    pub is_full: bool,
}

impl ProviderState {
    pub fn new(model: &ProviderModel) -> Self {
        let start_limit = model.start_rate.map(TokenBucket::new);
        Self {
            waiting: VecDeque::new(),
            start_limit,
            slot_armed: false,
            calls: 0,
            is_out: false,
            is_full: false,
        }
    }

    pub fn waiting_starts(&self) -> u64 {
        self.waiting.len() as u64
    }
}

impl World {
    /// A call to a group's provider begins.
    pub fn call_provider(&mut self, group: usize) -> CallOutcome {
        let state = &mut self.groups[group];
        state.provider.calls += 1;
        let call = group_key(group, state.provider.calls);
        let mut latency_luck = rng::keyed(self.seed, [luck::CALL_LATENCY, call]);
        let latency = state.model.provider.invocation_latency.sample(&mut latency_luck);
        let chance = rng::unit(rng::key(self.seed, [luck::CALL_FAILURE, call]));
        let fails = state.provider.is_out || chance < state.model.provider.failure_probability;
        let failure = fails.then_some(FailureClass::Unavailable);
        CallOutcome { answers_at: self.now.saturating_add(latency), failure }
    }

    /// A call was accepted: start or end workers.
    ///
    /// # Errors
    /// The provider refuses starts above its concurrency; those below it were begun.
    pub fn launch(&mut self, group: usize, launch: Launch) -> Result<(), FailureClass> {
        match launch {
            Launch::Invoke(n) => {
                let accepted = self.room(group).min(u64::from(n));
                self.request_starts(group, accepted);
                if accepted < u64::from(n) {
                    return Err(FailureClass::Throttled);
                }
            }
            Launch::SetSize(size) => {
                self.groups[group].fleet.set_size = Some(u64::from(size));
                self.fit_set(group);
            }
        }
        Ok(())
    }

    /// Has so many workers starting or ready, but ends no ready one: surplus starts are cancelled, newest first.
    pub fn allocate(&mut self, group: usize, wanted: u64) {
        let state = &self.groups[group];
        let levels = state.ledger.levels();
        let present = levels.ready + levels.starting + state.provider.waiting_starts();
        if wanted > present {
            self.request_starts(group, wanted - present);
        }
        for _ in wanted..present {
            if self.groups[group].provider.waiting.pop_back().is_some() {
                continue;
            }
            let Some(&newest) = self.groups[group].fleet.starting.last() else { return };
            self.cancel(newest);
        }
    }

    /// Asks for workers, which start now or wait at the provider.
    pub(super) fn request_starts(&mut self, group: usize, n: u64) {
        for _ in 0..n {
            self.groups[group].provider.waiting.push_back(self.now);
        }
        self.start_waiting(group);
    }

    /// Whether the platform can start one worker more at this moment.
    pub(super) fn can_start_now(&self, group: usize) -> bool {
        let provider = &self.groups[group].provider;
        let has_token = provider.start_limit.as_ref().is_none_or(|limit| limit.has_token(self.now));
        has_token && !provider.is_full && !self.is_platform_out(group) && !self.is_at_concurrency(group)
    }

    /// A start passes the provider's start rate.
    pub(super) fn take_start_token(&mut self, group: usize) {
        if let Some(limit) = &mut self.groups[group].provider.start_limit {
            limit.take(self.now);
        }
    }

    /// How many starts more the provider accepts: those that wait count like workers.
    fn room(&self, group: usize) -> u64 {
        let state = &self.groups[group];
        match (state.model.provider.on_limit, state.model.provider.concurrency) {
            (OnLimit::Reject, Some(most)) => {
                u64::from(most).saturating_sub(state.ledger.workers() + state.provider.waiting_starts())
            }
            _ => u64::MAX,
        }
    }

    /// Whether one worker more would be too many.
    fn is_at_concurrency(&self, group: usize) -> bool {
        let state = &self.groups[group];
        state.model.provider.concurrency.is_some_and(|most| state.ledger.workers() >= u64::from(most))
    }

    /// An outage stops a controller's calls, not the starts it accepted before; where the platform itself starts
    /// workers, it stops those.
    fn is_platform_out(&self, group: usize) -> bool {
        let state = &self.groups[group];
        state.provider.is_out && state.model.provider.is_per_request()
    }

    pub(super) fn start_slot_free(&mut self, group: usize) {
        self.groups[group].provider.slot_armed = false;
        self.start_waiting(group);
    }

    /// A worker is gone: its place may be taken, a worker set is kept at its size.
    pub(super) fn worker_ended(&mut self, group: usize) {
        self.start_waiting(group);
        let state = &self.groups[group];
        let levels = state.ledger.levels();
        let coming = levels.starting + state.provider.waiting_starts();
        // The platform counted on this worker for the requests that wait.
        let missing = match state.fleet.set_size {
            _ if state.model.provider.is_per_request() => levels.backlog.saturating_sub(coming),
            Some(size) => size.saturating_sub(coming + levels.ready),
            None => 0,
        };
        if missing > 0 {
            self.request_starts(group, missing);
        }
    }

    /// Sets whether calls to a group's provider fail.
    pub fn set_outage(&mut self, group: usize, is_out: bool) {
        self.groups[group].provider.is_out = is_out;
        self.start_waiting(group);
    }

    /// Sets whether a group's provider has no capacity for new workers.
    pub fn set_out_of_capacity(&mut self, group: usize, is_full: bool) {
        self.groups[group].provider.is_full = is_full;
        self.start_waiting(group);
    }

    /// Forgets the sizes of worker sets and starts that wait: the run drains.
    pub fn dismiss_workers(&mut self) {
        for group in 0..self.groups.len() {
            self.groups[group].provider.waiting.clear();
            self.forget_pre_warm(group);
            if self.groups[group].fleet.set_size.is_some() {
                self.groups[group].fleet.set_size = Some(0);
                self.fit_set(group);
            }
        }
    }

    fn start_waiting(&mut self, group: usize) {
        self.forget_useless_starts(group);
        loop {
            let at_limit = self.is_at_concurrency(group) || self.is_platform_out(group);
            let state = &mut self.groups[group];
            let provider = &mut state.provider;
            if provider.is_full || at_limit {
                return;
            }
            let Some(&asked_at) = provider.waiting.front() else { return };
            // Only single invocations are dropped: a worker set is kept at its size however long that takes.
            if state.fleet.set_size.is_none() && self.now - asked_at > state.model.provider.queue_limit {
                provider.waiting.pop_front();
                continue;
            }
            if let Some(limit) = &mut provider.start_limit {
                if !limit.has_token(self.now) {
                    if !std::mem::replace(&mut provider.slot_armed, true) {
                        self.queue.push(limit.next_token(), EventKind::StartSlot, group);
                    }
                    return;
                }
                limit.take(self.now);
            }
            provider.waiting.pop_front();
            self.start_worker(group);
        }
    }

    /// Per-request mode: a start whose request another worker took is not wanted any more.
    fn forget_useless_starts(&mut self, group: usize) {
        let state = &mut self.groups[group];
        if state.model.provider.is_per_request() {
            let levels = state.ledger.levels();
            let wanted = levels.backlog.saturating_sub(levels.starting);
            state.provider.waiting.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        }
    }

    /// Brings a worker set to its size: waiting starts go first, then starting workers, then the newest ready.
    fn fit_set(&mut self, group: usize) {
        let Some(size) = self.groups[group].fleet.set_size else { return };
        let levels = *self.groups[group].ledger.levels();
        let present = levels.starting + levels.ready + self.groups[group].provider.waiting_starts();
        if size > present {
            self.request_starts(group, size - present);
            return;
        }
        for _ in size..present {
            let state = &mut self.groups[group];
            if state.provider.waiting.pop_back().is_some() {
                continue;
            }
            if let Some(&newest) = state.fleet.starting.last() {
                self.cancel(newest);
            } else if let Some(&newest) = state.fleet.ready.last() {
                self.drain(newest);
            }
        }
    }
}
