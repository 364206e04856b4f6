//! The state machine of one worker controller instance.

use crate::decision::{Action, ActionId, Decision, GroupName};
use crate::metrics::{MetricsSnapshot, Observation};
use crate::signals::{BatchIntervals, TaskAdd};
use crate::spec::{ConfigMap, Spec};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Deployment name and build id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDeploymentVersion {
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
}

/// Everything that can happen to a controller.
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
    /// A request came in that [`Controller::admit`] let through.
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
        result: Result<(), Failure>,
    },
    /// The answer to `RegisterTaskQueues`.
    Registered {
        /// The action answered.
        id: ActionId,
        /// The groups for which something was launched (the others were registered already).
        result: Result<Vec<GroupName>, Failure>,
    },
    /// The answer to `InvokeWorker` and `SetWorkerSetSize`.
    ActionFinished {
        /// The action answered.
        id: ActionId,
        /// How it ended.
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

/// A failure with words for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub class: FailureClass,
    /// What went wrong; no secrets.
    pub message: String,
}

/// A request of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Change the spec.
    Update(Update),
    /// Check a change and store nothing.
    Validate(Update),
    /// Delete this controller.
    Delete {
        /// Who asks.
        #[serde(default)]
        identity: String,
        /// Must equal the current one when given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conflict_token: Option<String>,
    },
}

/// A change of the spec: the whole of it, or by group. JSON as in the wire contract.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Update {
    /// Who asks.
    pub identity: String,
    /// Must equal the current one when given (base64).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_token: Option<String>,
    /// The whole new spec, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// Groups to insert or change.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub upsert_scaling_groups: BTreeMap<String, GroupUpdate>,
    /// Groups to remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_scaling_groups: Vec<String>,
}

/// A change of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupUpdate {
    /// The group as the wire carries it; for a masked update only the named fields count.
    pub spec: Value,
    /// The fields to take.
    pub update_mask: Vec<String>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The new spec and its token.
    Updated {
        /// The spec now stored; absent when the update left no group and so deleted the controller.
        spec: Option<Box<Spec>>,
        /// The token to give with the next update (base64).
        conflict_token: String,
    },
    /// The checked change would be accepted.
    Valid,
    /// The controller is gone.
    Deleted,
    /// Refused after all.
    Refused(Refusal),
}

/// Why a request is refused; `kind` is the failure type of the wire contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The failure type.
    pub kind: RefusalKind,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The failure types of the wire contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalKind {
    /// Wrong conflict token, disabled namespace, or another update under way.
    FailedPrecondition,
    /// An invalid spec or request.
    InvalidArgument,
    /// A limit was reached.
    ResourceExhausted,
    /// The history is long: try again after the next continue-as-new.
    #[serde(rename = "errLongHistory")]
    LongHistory,
    /// This controller is deleted.
    #[serde(rename = "worker deployment deleted")]
    Deleted,
}

/// What one input caused.
#[must_use = "a step holds the actions to carry out"]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// To be carried out.
    pub actions: Vec<Action>,
    /// Every evaluated rule.
    pub decisions: Vec<Decision>,
    /// When to hand in `WokeUp`; replaces the former one, absent: never.
    pub wake_at: Option<Timestamp>,
}

/// What the host decides about; one field for every improvement over the original that changes a decision or
/// its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the namespace may scale.
    pub enabled: bool,
    /// The host's region, if it has one.
    pub host_region: Option<String>,
    /// Allowed provider types; `None`: all but `subprocess`.
    pub allowed_providers: Option<Vec<String>>,
    /// Allowed algorithms; `None`: all.
    pub allowed_algorithms: Option<Vec<String>>,
    /// The shortest poll interval this host serves.
    pub shortest_poll: Millis,
    /// The longest time between polls.
    pub longest_poll: Millis,
    /// How long after the start the first poll comes.
    pub first_poll_after: Millis,
    /// How many signals may wait.
    pub max_waiting_signals: usize,
    /// How many signals are handled before a due timer gets its turn.
    pub signals_before_timer: u32,
    /// Time between periodic validations.
    pub validation_interval: Millis,
    /// Batching of task adds before the signal.
    pub batching: BatchIntervals,
    /// Better: the next poll's time survives continue-as-new and restarts.
    pub keep_next_poll: bool,
    /// Better: poll as soon as the workers of an updated spec registered.
    pub poll_after_update: bool,
    /// Better: the last adds of a burst are signalled by a timer; `None`: only by a later add.
    pub flush_interval: Option<Millis>,
    /// Better: a set size that failed for good is issued again at the next poll.
    pub reissue_failed_size: bool,
    /// Better: the conflict token changes with every accepted update.
    pub rotate_conflict_token: bool,
}

/// Everything a controller is, in the wire's form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The spec.
    pub spec: Option<Spec>,
    /// State of each group's algorithm.
    pub scaling_state: BTreeMap<GroupName, ConfigMap>,
    /// Fields this release does not know, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            host_region: None,
            allowed_providers: None,
            allowed_algorithms: None,
            shortest_poll: Millis::from_secs(1),
            longest_poll: Millis::from_secs(300),
            first_poll_after: Millis::from_secs(300),
            max_waiting_signals: 4000,
            signals_before_timer: 100,
            validation_interval: Millis::from_secs(21_600),
            batching: BatchIntervals {
                min_signal_interval_no_sync_match: Millis::new(500),
                min_signal_interval_sync_match: Millis::from_secs(60),
            },
            keep_next_poll: true,
            poll_after_update: true,
            flush_interval: None,
            reissue_failed_size: true,
            rotate_conflict_token: true,
        }
    }
}
