//! Polls, deferred statistics, and how actions end.

use super::signal::Cause;
use super::{Controller, FailureClass, Step, ValidationState};
use crate::algorithm::AlgorithmKind;
use crate::decision::{Action, ActionId, ActionKind, FetchWhy, GroupName, Reason, Rule};
use crate::metrics::MetricsSnapshot;
use crate::time::{Millis, Timestamp};

/// No poll comes earlier while every algorithm of the spec is one of the original's two.
const ORIGINAL_FLOOR: Millis = Millis::from_secs(30);

impl Controller {
    /// Asks for statistics. Without a spec or while disabled there is nothing to ask for.
    pub(super) fn begin_poll(&mut self, now: Timestamp) {
        self.signals_since_due = 0;
        self.timers.poll_interval = None;
        if self.spec.is_none() || !self.settings.enabled {
            self.timers.next_poll_at = Some(now.plus(self.settings.poll_ceiling()));
            return;
        }
        self.timers.next_poll_at = None;
        let id = self.next_id();
        let action = Action { id, kind: ActionKind::FetchMetrics { why: FetchWhy::Poll } };
        self.lane.plan(super::Planned { action, of_poll: false });
    }

    pub(super) fn on_metrics(
        &mut self,
        now: Timestamp,
        id: ActionId,
        result: Result<MetricsSnapshot, FailureClass>,
        step: &mut Step,
    ) {
        let is_fetch = |kind: &ActionKind| matches!(kind, ActionKind::FetchMetrics { .. });
        let Some(fetch) = self.lane.end(id, is_fetch) else { return };
        if let Ok(metrics) = &result {
            self.remember(now, metrics);
        }
        match (&fetch.action.kind, result) {
            (ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } }, Ok(metrics)) => {
                self.decide_deferred(now, group, &metrics, step);
            }
            (ActionKind::FetchMetrics { why: FetchWhy::Deferred { .. } }, Err(_)) => {}
            (_, Ok(metrics)) if self.settings.enabled => self.decide_poll(now, &metrics, step),
            _ => self.timers.poll_answered(now, self.settings.poll_ceiling(), false),
        }
    }

    /// The statistics of a deferred decision reach only its group, if that is still there.
    pub(super) fn decide_deferred(
        &mut self,
        now: Timestamp,
        name: &GroupName,
        metrics: &MetricsSnapshot,
        step: &mut Step,
    ) {
        if let Some(index) = self.groups.iter().position(|group| group.name == *name) {
            let verdict = self.groups[index].on_deferred_metrics(now, metrics);
            self.conclude(index, Cause::Deferred, verdict, step);
        }
    }

    /// The statistics of a poll reach every group of this host.
    pub(super) fn decide_poll(&mut self, now: Timestamp, metrics: &MetricsSnapshot, step: &mut Step) {
        let mut wish = Millis::new(i64::MAX);
        let mut has_actions = false;
        for index in 0..self.groups.len() {
            if !self.groups[index].is_here {
                continue;
            }
            let verdict = self.groups[index].on_metrics(now, metrics);
            let acts = self.conclude(index, Cause::Poll, verdict, step);
            has_actions |= acts || self.reissue_failed_size(index, step);
            wish = wish.min(self.groups[index].poll_interval(now));
        }
        self.timers.poll_answered(now, self.poll_interval(wish), has_actions);
    }

    /// A size that could not be set is wished again, unless the poll has just wished another one.
    fn reissue_failed_size(&mut self, index: usize, step: &mut Step) -> bool {
        let Some(count) = self.groups[index].failed_size.filter(|_| self.settings.reissue_failed_size) else {
            return false;
        };
        let group = self.groups[index].name.clone();
        let id = self.plan_action(index, ActionKind::SetWorkerSetSize { group, count }, Cause::Poll);
        let reason = Reason::new(Rule::SizeIssuedAgain).wishing(count.into(), count.into(), None);
        self.record(index, reason, 0, Some(id), step);
        true
    }

    /// How long after a poll that was answered now the next one would come.
    #[must_use]
    pub fn current_poll_interval(&self, now: Timestamp) -> Millis {
        let wishes = self.groups.iter().filter(|group| group.is_here).map(|group| group.poll_interval(now));
        self.poll_interval(wishes.min().unwrap_or(Millis::new(i64::MAX)))
    }

    /// The groups' smallest wish within floor and ceiling, in whole seconds.
    fn poll_interval(&self, wish: Millis) -> Millis {
        let floor = self.poll_floor();
        let ceiling = self.settings.poll_ceiling().max(floor);
        let whole_seconds = wish.clamp(floor, ceiling).get() / 1000 * 1000;
        Millis::new(whole_seconds).max(floor)
    }

    /// The original's floor, or the shortest interval that one of the other algorithms declares.
    fn poll_floor(&self) -> Millis {
        let others = self.groups.iter().filter(|group| group.is_here && !is_original(group.algorithm.kind()));
        let declared = others.map(|group| group.algorithm.needs(group.strategy).shortest_poll).min();
        declared.unwrap_or(ORIGINAL_FLOOR).max(self.settings.poll_floor())
    }

    pub(super) fn on_action_finished(
        &mut self,
        now: Timestamp,
        id: ActionId,
        result: Result<(), FailureClass>,
    ) {
        self.end_action(now, id, result.err());
    }

    fn end_action(&mut self, now: Timestamp, id: ActionId, failure: Option<FailureClass>) {
        // A fetch is answered by statistics; only its failure may also come this way.
        let fits = |kind: &ActionKind| failure.is_some() || !matches!(kind, ActionKind::FetchMetrics { .. });
        let Some(ended) = self.lane.end(id, fits) else { return };
        if let Some(class) = failure {
            self.note_failed_action(now, &ended.action.kind, class);
        }
        if ended.of_poll && !self.lane.has_waiting_of_poll() {
            self.timers.poll_ended(now);
        }
    }

    /// The action under way when a state was taken never gets an answer.
    pub(super) fn lose_action_under_way(&mut self, now: Timestamp) {
        if let Some(id) = self.lane.under_way().map(|planned| planned.action.id) {
            self.end_action(now, id, Some(FailureClass::Unavailable));
        }
    }

    /// A group that is gone says nothing any more.
    fn note_failed_action(&mut self, now: Timestamp, kind: &ActionKind, class: FailureClass) {
        if matches!(kind, ActionKind::FetchMetrics { why: FetchWhy::Poll }) {
            self.timers.poll_answered(now, self.settings.poll_ceiling(), false);
        }
        let group = self.groups.iter_mut().find(|group| kind.group() == Some(&group.name));
        let what = match (group, kind) {
            (Some(group), ActionKind::InvokeWorker { count, .. }) => {
                group.give_up_workers(*count);
                format!("{}: starting a worker", group.name)
            }
            (Some(group), ActionKind::SetWorkerSetSize { count, .. }) => {
                group.failed_size = Some(*count);
                format!("{}: setting the worker set's size", group.name)
            }
            _ => return,
        };
        self.note_refusal_by_provider(now, &what, class);
    }

    /// A failure that does not pass by itself says that the spec is no longer valid.
    fn note_refusal_by_provider(&mut self, at: Timestamp, what: &str, class: FailureClass) {
        let why = match class {
            FailureClass::Throttled | FailureClass::Unavailable => return,
            FailureClass::Denied => "was denied by the provider",
            FailureClass::NotFound => "failed: the provider does not know the target",
            FailureClass::Rejected => "was rejected by the provider",
        };
        self.validation_state = Some(ValidationState::failed(at, format!("{what} {why}")));
    }
}

const fn is_original(kind: AlgorithmKind) -> bool {
    matches!(kind, AlgorithmKind::NoSync | AlgorithmKind::NoSyncConfirmed | AlgorithmKind::RateBased)
}
