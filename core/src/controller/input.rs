//! What can happen to a controller.

use super::{Request, Settings};
use crate::decision::{ActionId, GroupName};
use crate::metrics::{MetricsSnapshot, Observation};
use crate::signals::TaskAdd;
use serde::{Deserialize, Serialize};

/// Everything that can happen to a controller.
///
/// In JSON the variant names the input: `{"task_add": {..}}`, `{"metrics": {"id": 7, "result": {"ok": {..}}}}`,
/// `"woke_up"`. A result is `{"ok": value}` or `{"err": value}`; success without a value is `{"ok": null}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The task-add signal.
    TaskAdd(TaskAdd),
    /// The answer to `FetchMetrics`.
    Metrics {
        /// The action answered.
        id: ActionId,
        /// The statistics, or why there are none.
        #[serde(with = "outcome")]
        result: Result<MetricsSnapshot, FailureClass>,
    },
    /// What the host knows of one group's workers; handed in right before each `Metrics`.
    Observation {
        /// The group.
        group: GroupName,
        /// What is known.
        observation: Observation,
    },
    /// The time named by `wake_at` has come.
    WokeUp,
    /// A request came in that [`Controller::admit`](super::Controller::admit) let through.
    Requested {
        /// Repeated in the answer.
        request_id: String,
        /// What is asked.
        request: Box<Request>,
    },
    /// The answer to `CheckSpec`.
    SpecChecked {
        /// The action answered.
        id: ActionId,
        /// Whether the providers take the spec.
        #[serde(with = "outcome")]
        result: Result<(), Failure>,
    },
    /// The answer to `RegisterTaskQueues`.
    Registered {
        /// The action answered.
        id: ActionId,
        /// The groups for which something was launched (the others were registered already).
        #[serde(with = "outcome")]
        result: Result<Vec<GroupName>, Failure>,
    },
    /// The answer to `InvokeWorker` and `SetWorkerSetSize`.
    ActionFinished {
        /// The action answered.
        id: ActionId,
        /// How it ended.
        #[serde(with = "outcome")]
        result: Result<(), FailureClass>,
    },
    /// The host's settings changed.
    SettingsChanged(Box<Settings>),
    /// The host wants to continue as new: no new action is issued from now on.
    ContinueWanted,
}

/// Why something failed, as far as it matters for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Too many calls; may pass.
    Throttled,
    /// Not reachable, timed out or lost; may pass.
    Unavailable,
    /// Not allowed.
    Denied,
    /// The target does not exist.
    NotFound,
    /// The target refused the call as wrong.
    Rejected,
}

impl FailureClass {
    /// Whether the same call may succeed later without a change by the user.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// A failure with words for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub class: FailureClass,
    /// What went wrong; no secrets.
    pub message: String,
}

/// Results as `{"ok": ..}` and `{"err": ..}`: serde's own form has capital letters, unlike all else on the wire.
mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Outcome<T, E> {
        Ok(T),
        Err(E),
    }

    pub(super) fn serialize<T: Serialize, E: Serialize, S: Serializer>(
        result: &Result<T, E>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match result {
            Ok(value) => Outcome::<&T, &E>::Ok(value),
            Err(failure) => Outcome::Err(failure),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, E: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<T, E>, D::Error> {
        Ok(match Outcome::deserialize(deserializer)? {
            Outcome::Ok(value) => Ok(value),
            Outcome::Err(failure) => Err(failure),
        })
    }
}
