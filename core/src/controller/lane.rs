//! One thing at a time: the fetch, invocation or resize under way, and those that wait for it.

use crate::decision::{Action, ActionId, ActionKind, GroupName};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// An action that was decided: under way, or waiting until the one before it has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The action.
    pub action: Action,
    /// Whether a poll decided it: the wait for the next poll begins when the last of these has ended.
    #[serde(default)]
    pub of_poll: bool,
}

impl Planned {
    /// Whether this is one of the actions that take turns.
    pub(super) const fn is_scaling(&self) -> bool {
        matches!(
            self.action.kind,
            ActionKind::FetchMetrics { .. }
                | ActionKind::InvokeWorker { .. }
                | ActionKind::SetWorkerSetSize { .. }
        )
    }
}

/// The turn-taking. At most one action is under way.
#[derive(Debug, Default)]
pub(super) struct Lane {
    under_way: Option<Planned>,
    waiting: VecDeque<Planned>,
}

impl Lane {
    pub(super) fn restore(under_way: Option<Planned>, waiting: Vec<Planned>) -> Self {
        Self { under_way, waiting: waiting.into() }
    }

    pub(super) const fn is_free(&self) -> bool {
        self.under_way.is_none()
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) const fn under_way(&self) -> Option<&Planned> {
        self.under_way.as_ref()
    }

    pub(super) const fn waiting(&self) -> &VecDeque<Planned> {
        &self.waiting
    }

    pub(super) fn plan(&mut self, planned: Planned) {
        self.waiting.push_back(planned);
    }

    /// Begins the first waiting action, if nothing is under way.
    pub(super) fn begin_next(&mut self) -> Option<Action> {
        if !self.is_free() {
            return None;
        }
        self.under_way = self.waiting.pop_front();
        self.under_way.as_ref().map(|planned| planned.action.clone())
    }

    /// Ends the action under way if it is the one answered and `fits`.
    pub(super) fn end(&mut self, id: ActionId, fits: impl Fn(&ActionKind) -> bool) -> Option<Planned> {
        self.under_way.take_if(|planned| planned.action.id == id && fits(&planned.action.kind))
    }

    /// Whether any action of the last poll still waits.
    pub(super) fn has_waiting_of_poll(&self) -> bool {
        self.waiting.iter().any(|planned| planned.of_poll)
    }

    /// Workers that waiting invocations of this group will start.
    pub(super) fn invocations_waiting(&self, name: &GroupName) -> u32 {
        let counts = self.waiting.iter().filter_map(|planned| match &planned.action.kind {
            ActionKind::InvokeWorker { group, count } if group == name => Some(*count),
            _ => None,
        });
        counts.fold(0, u32::saturating_add)
    }

    /// Drops waiting actions.
    pub(super) fn retain_waiting(&mut self, keep: impl Fn(&Planned) -> bool) {
        self.waiting.retain(keep);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
