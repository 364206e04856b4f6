//! Task-add signals, what the host observes, and how verdicts become actions and decisions.

use super::{Controller, Planned, Step};
use crate::algorithm::Verdict;
use crate::decision::{Action, ActionId, ActionKind, Decision, FetchWhy, GroupName, Reason};
use crate::metrics::Observation;
use crate::signals::TaskAdd;
use crate::time::Timestamp;
use std::borrow::Cow;

/// What made a rule speak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Start,
    Signal,
    Poll,
    Deferred,
}

impl Controller {
    /// Waits for its turn, unless the queue is full.
    pub(super) fn queue_signal(&mut self, add: TaskAdd) {
        if self.signals.len() < self.most_waiting_signals() {
            self.signals.push_back(add);
        } else {
            self.dropped_signals = self.dropped_signals.saturating_add(1);
        }
    }

    pub(super) fn trim_signals(&mut self) {
        let dropped = self.signals.len().saturating_sub(self.most_waiting_signals());
        self.signals.truncate(self.signals.len() - dropped);
        self.dropped_signals = self.dropped_signals.saturating_add(dropped as u64);
    }

    /// At least one, because a signal passes through the queue on its way.
    fn most_waiting_signals(&self) -> usize {
        self.settings.max_waiting_signals.max(1)
    }

    /// Hands the signal to the group that serves its type. A disabled namespace does not scale: its signals,
    /// which a live server does not even send, cause nothing.
    pub(super) fn take_signal(&mut self, now: Timestamp, add: &TaskAdd, step: &mut Step) {
        let serving = self.serving[add.task_queue_type.0.index()];
        if let Some(index) = serving.filter(|_| self.settings.enabled) {
            let verdict = self.groups[index].on_task_added(now, add);
            if verdict != Verdict::NOTHING {
                self.conclude(index, Cause::Signal, verdict, step);
            }
        }
    }

    pub(super) fn on_observation(&mut self, name: &GroupName, observation: Observation) {
        let waiting = self.lane.invocations_waiting(name);
        if let Some(group) = self.groups.iter_mut().find(|group| group.name == *name) {
            group.observe(observation, waiting);
        }
    }

    /// Plans what the verdict wishes, and records why. Returns whether an action was planned.
    pub(super) fn conclude(&mut self, index: usize, cause: Cause, verdict: Verdict, step: &mut Step) -> bool {
        let kind = self.groups[index].action_for(verdict.wish);
        let has_action = kind.is_some();
        let action_id = kind.map(|kind| self.plan_action(index, kind, cause));
        if let Some(reason) = verdict.reason {
            self.record(index, reason, verdict.throttled, action_id, step);
        }
        // Only a signal may defer: statistics that ask for statistics could go on for ever.
        if verdict.wants_deferred && cause == Cause::Signal {
            let group = self.groups[index].name.clone();
            self.plan_action(index, ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } }, cause);
        }
        has_action
    }

    pub(super) fn plan_action(&mut self, index: usize, kind: ActionKind, cause: Cause) -> ActionId {
        let group = &mut self.groups[index];
        match &kind {
            ActionKind::InvokeWorker { count, .. } => group.expect_workers(*count),
            ActionKind::SetWorkerSetSize { .. } => group.failed_size = None,
            _ => {}
        }
        let id = self.next_id();
        self.lane.plan(Planned { action: Action { id, kind }, of_poll: cause == Cause::Poll });
        id
    }

    pub(super) fn record(
        &self,
        index: usize,
        reason: Reason,
        throttled: u32,
        action_id: Option<ActionId>,
        step: &mut Step,
    ) {
        let group = &self.groups[index];
        if step.decisions.is_empty() {
            // Most steps decide once, and room for four would cost as much as the decision.
            step.decisions.reserve_exact(1);
        }
        step.decisions.push(Decision {
            group: group.name.clone(),
            algorithm: Cow::Borrowed(group.algorithm.kind().name()),
            reason,
            action_id,
            throttled,
        });
    }
}
