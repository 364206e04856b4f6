//! Everything a controller is, in the wire's form, and the lenient reader of it.
//!
//! A state outlives releases and passes through hands that are not ours, so reading never fails: a field that
//! is missing or damaged gets its default, the others keep their values, and fields of later releases are
//! carried along untouched.

use super::change::{Change, PeriodicCheck, ValidationRequest};
use super::lane::Planned;
use super::lenient::{take, take_list, take_map};
use super::reading::Reading;
use crate::decision::{ActionId, GroupName};
use crate::metrics::Observation;
use crate::signals::TaskAdd;
use crate::spec::{ConfigMap, Spec};
use crate::time::{Millis, Timestamp};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The layout of [`Bookkeeping`] that this release writes.
pub const STATE_SCHEMA: u32 = 1;

/// Everything a controller is, in the wire's form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The spec.
    pub spec: Option<Spec>,
    /// A spec that this release cannot read: carried along untouched until an update replaces it.
    pub unreadable_spec: Option<Value>,
    /// State of each group's algorithm.
    pub scaling_state: BTreeMap<GroupName, ConfigMap>,
    /// Signals that wait for their turn, first in first out.
    pub pending_task_add_signals: Vec<TaskAdd>,
    /// Changes with every accepted update (base64); empty: not yet given.
    pub conflict_token: String,
    /// When the controller was created.
    pub create_time: Option<WireTime>,
    /// Who changed the spec last.
    pub last_modifier_identity: String,
    /// How the last validation ended.
    pub validation_state: Option<ValidationState>,
    /// What the original does not have.
    pub wci: Bookkeeping,
    /// Fields this release does not know, kept.
    pub unknown: Map<String, Value>,
}

/// A point in time as the wire carries it: seconds and nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireTime {
    /// Whole seconds.
    pub seconds: i64,
    /// The rest.
    pub nanos: i32,
}

impl From<Timestamp> for WireTime {
    fn from(time: Timestamp) -> Self {
        let millis = time.as_millis();
        let nanos = i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or_default();
        Self { seconds: millis.div_euclid(1000), nanos }
    }
}

/// How the last validation of the spec against its providers ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValidationState {
    /// RFC 3339.
    pub last_validation_time: String,
    /// `success` or `failed`.
    pub status: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub err_message: String,
    /// Fields this release does not know, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl ValidationState {
    pub(super) fn success(at: Timestamp) -> Self {
        let last_validation_time = at.to_rfc3339();
        Self { last_validation_time, status: "success".to_owned(), ..Self::default() }
    }

    pub(super) fn failed(at: Timestamp, err_message: String) -> Self {
        let last_validation_time = at.to_rfc3339();
        Self { last_validation_time, status: "failed".to_owned(), err_message, ..Self::default() }
    }
}

/// What only this project's controllers remember; stands under `wci`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bookkeeping {
    /// Layout of this object; 0: written by something else.
    pub schema: u32,
    /// The number of the next action.
    pub next_action_id: u64,
    /// When the next poll is due; absent while one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_poll_at: Option<Timestamp>,
    /// The wait that begins when the last action of the poll under way has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<Millis>,
    /// When the next periodic validation is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_validation_at: Option<Timestamp>,
    /// The fetch, invocation or resize under way: at most one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Planned>,
    /// Actions that were decided and wait for the one under way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting_actions: Vec<Planned>,
    /// The update under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Change>,
    /// Requests for validation under way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub validations: Vec<ValidationRequest>,
    /// The periodic validation under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periodic_check: Option<PeriodicCheck>,
    /// Sizes of worker sets that could not be set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_sizes: BTreeMap<GroupName, u32>,
    /// What the host last said of each group's workers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub observations: BTreeMap<GroupName, Observation>,
    /// Groups that are new or changed and whose algorithms have not been told yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups_to_start: Vec<GroupName>,
    /// The last statistics that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reading: Option<Reading>,
    /// Signals that found the queue full.
    pub dropped_signals: u64,
    /// Signals handled while a timer was due.
    #[serde(skip_serializing_if = "is_zero")]
    pub signals_since_due: u32,
    /// Whether the host asked to continue as new.
    #[serde(skip_serializing_if = "is_false")]
    pub is_continue_wanted: bool,
    /// Whether the controller was deleted.
    #[serde(skip_serializing_if = "is_false")]
    pub is_deleted: bool,
    /// Fields this release does not know, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(b: &bool) -> bool {
    !*b
}

impl State {
    /// The state of a controller that was created just now.
    #[must_use]
    pub fn new(spec: Option<Spec>, create_time: Timestamp) -> Self {
        Self { spec, create_time: Some(create_time.into()), ..Self::default() }
    }

    /// Reads a state field by field; never fails.
    #[must_use]
    pub fn from_json(value: Value) -> Self {
        let Value::Object(mut map) = value else { return Self::default() };
        let (spec, unreadable_spec) = read_spec(map.remove("spec"));
        Self {
            spec,
            unreadable_spec,
            scaling_state: take_map(&mut map, "scaling_state"),
            pending_task_add_signals: take_list(&mut map, "pending_task_add_signals"),
            conflict_token: take(&mut map, "conflict_token"),
            create_time: take(&mut map, "create_time"),
            last_modifier_identity: take(&mut map, "last_modifier_identity"),
            validation_state: take(&mut map, "validation_state"),
            wci: Bookkeeping::from_json(map.remove("wci")),
            unknown: map,
        }
    }
}

fn read_spec(value: Option<Value>) -> (Option<Spec>, Option<Value>) {
    match value {
        None | Some(Value::Null) => (None, None),
        Some(value) => match serde_json::from_value(value.clone()) {
            Ok(spec) => (Some(spec), None),
            Err(_) => (None, Some(value)),
        },
    }
}

/// Action numbers beyond this are damage: at a million a second they would last 285 years.
const LARGEST_ACTION_ID: u64 = 1 << 53;

impl Bookkeeping {
    fn from_json(value: Option<Value>) -> Self {
        let Some(Value::Object(mut map)) = value else { return Self::default() };
        Self {
            schema: take(&mut map, "schema"),
            next_action_id: take(&mut map, "next_action_id"),
            next_poll_at: take(&mut map, "next_poll_at"),
            poll_interval: take(&mut map, "poll_interval"),
            next_validation_at: take(&mut map, "next_validation_at"),
            in_flight: take(&mut map, "in_flight"),
            waiting_actions: take_list(&mut map, "waiting_actions"),
            update: take(&mut map, "update"),
            validations: take_list(&mut map, "validations"),
            periodic_check: take(&mut map, "periodic_check"),
            failed_sizes: take_map(&mut map, "failed_sizes"),
            observations: take_map(&mut map, "observations"),
            groups_to_start: take_list(&mut map, "groups_to_start"),
            last_reading: take(&mut map, "last_reading"),
            dropped_signals: take(&mut map, "dropped_signals"),
            signals_since_due: take(&mut map, "signals_since_due"),
            is_continue_wanted: take(&mut map, "is_continue_wanted"),
            is_deleted: take(&mut map, "is_deleted"),
            unknown: map,
        }
    }

    /// Drops actions that no controller plans here or in this order, and statistics that none keeps; makes the counter
    /// larger than every number given.
    pub(super) fn drop_what_cannot_be(&mut self) {
        let fits = |id: ActionId| id.0 < LARGEST_ACTION_ID;
        let may_plan = |planned: &Planned| planned.is_scaling() && fits(planned.action.id);
        self.in_flight = self.in_flight.take().filter(may_plan);
        let mut last = self.in_flight.as_ref().map(|planned| planned.action.id);
        self.waiting_actions.retain(|planned| {
            let is_next = may_plan(planned) && last.is_none_or(|last| last < planned.action.id);
            last = if is_next { Some(planned.action.id) } else { last };
            is_next
        });
        self.update = self.update.take().filter(|u| fits(u.action_id));
        self.validations.retain(|v| fits(v.action_id));
        self.periodic_check = self.periodic_check.take().filter(|c| fits(c.action_id));
        self.last_reading = self.last_reading.filter(Reading::can_be_kept);
        if self.next_action_id >= LARGEST_ACTION_ID {
            self.next_action_id = 0;
        }
        let given = self.given_ids().map(|id| id.0).max().unwrap_or_default();
        self.next_action_id = self.next_action_id.max(given + 1);
    }

    fn given_ids(&self) -> impl Iterator<Item = ActionId> {
        let scaling = self.in_flight.iter().chain(&self.waiting_actions).map(|p| p.action.id);
        let requests = self.validations.iter().map(|v| v.action_id);
        let update = self.update.iter().map(|u| u.action_id);
        scaling.chain(requests).chain(update).chain(self.periodic_check.iter().map(|c| c.action_id))
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from_json)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match (&self.spec, &self.unreadable_spec) {
            (Some(spec), _) => map.serialize_entry("spec", spec)?,
            (None, Some(raw)) => map.serialize_entry("spec", raw)?,
            (None, None) => {}
        }
        map.serialize_entry("scaling_state", &self.scaling_state)?;
        if !self.pending_task_add_signals.is_empty() {
            map.serialize_entry("pending_task_add_signals", &self.pending_task_add_signals)?;
        }
        if !self.conflict_token.is_empty() {
            map.serialize_entry("conflict_token", &self.conflict_token)?;
        }
        if let Some(time) = &self.create_time {
            map.serialize_entry("create_time", time)?;
        }
        if !self.last_modifier_identity.is_empty() {
            map.serialize_entry("last_modifier_identity", &self.last_modifier_identity)?;
        }
        if let Some(validation) = &self.validation_state {
            map.serialize_entry("validation_state", validation)?;
        }
        map.serialize_entry("wci", &self.wci)?;
        for (name, value) in &self.unknown {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
