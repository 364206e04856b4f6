//! What a user may ask of a controller, and what it answers.

use crate::spec::Spec;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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

impl Refusal {
    /// A refusal of this kind with these words.
    #[must_use]
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
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
