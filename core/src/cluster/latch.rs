//! Whether a scan reconciles: at once after a change, but not too often, and now and then in any case.
//!
//! A change that comes too early after the last reconciliation is remembered, and never forgotten again, also when
//! the cluster changes back.

use super::NodeId;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How often to reconcile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatchConfig {
    /// Shortest time between reconciliations; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_interval: Option<Millis>,
    /// Longest time between reconciliations; absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_interval: Option<Millis>,
    /// Whether the first scan only takes the cluster's state down.
    pub skip_initial: bool,
}

/// What a scan leaves for the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LatchState {
    /// When the last scan began that reconciled, or that skipped the initial reconciliation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconciliation: Option<Timestamp>,
    /// Whether a reconciliation was put off; absent until the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// The nodes that were UP at the last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<BTreeSet<NodeId>>,
    /// When that change was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
}

/// Why a scan reconciles, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatchReason {
    /// The first scan reconciles.
    Initial,
    /// The first scan was told not to.
    InitialSkipped,
    /// The longest interval has passed.
    MaxReached,
    /// A reconciliation was put off, and the shortest interval has passed now.
    PutOffBefore,
    /// The nodes are the same.
    NothingChanged,
    /// The nodes have changed, and the shortest interval has passed.
    NodesChanged,
    /// The nodes have changed, but the shortest interval has not passed: put off.
    TooEarly,
    /// Better: only the tasks are reconciled whose definition has changed.
    DefinitionChanged,
    /// Better: a definition has changed, but the shortest interval has not passed: put off.
    DefinitionTooEarly,
    /// Better: a changed definition that was put off still waits for the shortest interval to pass.
    DefinitionWaits,
    /// Better: only the tasks are reconciled whose coordinator was resumed.
    CoordinatorResumed,
    /// Better: only the tasks are reconciled that failed before.
    FailedBefore,
    /// Better: only tasks whose work is complete are looked at, to close what idles.
    WorkDone,
    /// Better: [`Self::CoordinatorResumed`], while a change of the nodes is put off ([`Self::TooEarly`]).
    ResumedTooEarly,
    /// Better: [`Self::WorkDone`], while a change of the nodes is put off ([`Self::TooEarly`]).
    WorkDoneTooEarly,
}

impl LatchReason {
    /// One sentence for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Initial => "The first scan reconciles.",
            Self::InitialSkipped => "The first scan only takes down which nodes are up, as configured.",
            Self::MaxReached => "The maximum interval since the last reconciliation has passed.",
            Self::PutOffBefore => "A reconciliation was put off before, and the minimum interval has passed.",
            Self::NothingChanged => "The nodes that are up have not changed.",
            Self::NodesChanged => "The nodes that are up have changed.",
            Self::TooEarly => {
                "The nodes that are up have changed; put off until the minimum interval has passed."
            }
            Self::DefinitionChanged => "The definition of a task's workers has changed.",
            Self::DefinitionTooEarly => {
                "The definition of a task's workers has changed; put off until the minimum interval has passed."
            }
            Self::DefinitionWaits => {
                "A changed definition is put off, and the minimum interval has not passed yet."
            }
            Self::CoordinatorResumed => "The coordinator of a task was resumed, and so are its workers.",
            Self::FailedBefore => "Tasks whose reconciliation failed before are tried again.",
            Self::WorkDone => "The work of a task is complete: its workers that do not run are closed.",
            Self::ResumedTooEarly => {
                "The coordinator of a task was resumed, and so are its workers. The nodes that are up have changed; \
                 put off until the minimum interval has passed."
            }
            Self::WorkDoneTooEarly => {
                "The work of a task is complete: its workers that do not run are closed. The nodes that are up have \
                 changed; put off until the minimum interval has passed."
            }
        }
    }

    /// Whether every task is reconciled.
    #[must_use]
    pub const fn reconciles(self) -> bool {
        matches!(self, Self::Initial | Self::MaxReached | Self::PutOffBefore | Self::NodesChanged)
    }

    /// Whether only some tasks are reconciled, for one of the better switches.
    #[must_use]
    pub const fn reconciles_some(self) -> bool {
        matches!(
            self,
            Self::DefinitionChanged
                | Self::CoordinatorResumed
                | Self::FailedBefore
                | Self::WorkDone
                | Self::ResumedTooEarly
                | Self::WorkDoneTooEarly
        )
    }

    /// Whether something has changed, just now, that a later scan is to deal with.
    #[must_use]
    pub const fn puts_off(self) -> bool {
        matches!(
            self,
            Self::TooEarly | Self::DefinitionTooEarly | Self::ResumedTooEarly | Self::WorkDoneTooEarly
        )
    }

    /// The same for some tasks, when the latch has said this about all of them: what it puts off is told as well.
    ///
    /// A changed definition and a failed task wait for the shortest interval themselves: once that has passed for one
    /// of them, the latch puts nothing off.
    #[must_use]
    pub(super) const fn beside(self, latch: Self) -> Self {
        match (self, latch) {
            (Self::CoordinatorResumed, Self::TooEarly) => Self::ResumedTooEarly,
            (Self::WorkDone, Self::TooEarly) => Self::WorkDoneTooEarly,
            (some, _) => some,
        }
    }
}

/// What the latch says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatchVerdict {
    /// Why it says so; [`LatchReason::reconciles`] is the answer.
    pub reason: LatchReason,
    /// Whether the set of nodes that are UP differs from the stored one.
    pub has_changed: bool,
    /// To be stored after the tasks were handled; a crash before that leaves the next scan to decide the same.
    pub next: LatchState,
}

impl LatchConfig {
    /// Decides for a scan that began now, for all tasks together.
    #[must_use]
    pub fn decide(&self, state: &LatchState, now: Timestamp, up: &BTreeSet<NodeId>) -> LatchVerdict {
        let has_changed = state.up.as_ref() != Some(up);
        let reason = self.reason(state, now, has_changed);
        let mut next = state.clone();
        if has_changed {
            next.up = Some(up.clone());
            next.up_since = Some(now);
        }
        match reason {
            LatchReason::TooEarly => next.pending = Some(true),
            LatchReason::InitialSkipped => next.last_reconciliation = Some(now),
            reason if reason.reconciles() => {
                next.pending = Some(false);
                next.last_reconciliation = Some(now);
            }
            _ => {}
        }
        LatchVerdict { reason, has_changed, next }
    }

    fn reason(&self, state: &LatchState, now: Timestamp, has_changed: bool) -> LatchReason {
        let Some(last) = state.last_reconciliation else {
            return if self.skip_initial { LatchReason::InitialSkipped } else { LatchReason::Initial };
        };
        let is_reached = |interval: Millis| last.plus(interval) < now;
        let min_reached = self.min_interval.is_none_or(is_reached);
        if self.max_interval.is_some_and(is_reached) {
            LatchReason::MaxReached
        } else if state.pending == Some(true) && min_reached {
            LatchReason::PutOffBefore
        } else if !has_changed {
            LatchReason::NothingChanged
        } else if min_reached {
            LatchReason::NodesChanged
        } else {
            LatchReason::TooEarly
        }
    }

    /// Whether the shortest interval has passed since then.
    #[must_use]
    pub fn is_min_reached(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        let since = |interval: Millis| last.is_none_or(|last| last.plus(interval) < now);
        self.min_interval.is_none_or(since)
    }
}

#[cfg(test)]
mod tests;
