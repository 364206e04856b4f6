//! The wire contract: names and messages that the original's clients and the server's hook know.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use wci_core::State;
use wci_core::controller::{
    Description, GroupUpdate, Request, Response, Settings, Update, WireTime, WorkerDeploymentVersion,
};
use wci_core::signals::TaskAdd;

/// Workflow type of a worker controller instance.
pub const WORKFLOW_TYPE: &str = "temporal-sys-worker-controller-instance-workflow";
/// Signal: tasks were added.
pub const SIGNAL_TASK_ADD: &str = "task-add-signal";
/// Query: the spec and its standing.
pub const QUERY_DESCRIBE: &str = "describe-wci";
/// Query: everything the controller is.
pub const QUERY_DUMP: &str = "dump-local-state";
/// Update: change the spec.
pub const UPDATE_SPEC: &str = "update-worker-controller-instance";
/// Update: delete the controller.
pub const UPDATE_DELETE: &str = "delete-worker-controller-instance";
/// Update: check a change and store nothing.
pub const UPDATE_VALIDATE: &str = "validate-spec";
/// The memo that listing reads.
pub const MEMO: &str = "WorkerControllerInstanceMemo";
/// The search attribute that keeps controllers out of ordinary lists.
pub const DIVISION_ATTRIBUTE: &str = "TemporalNamespaceDivision";
/// The value of that attribute.
pub const DIVISION: &str = "TemporalWorkerControllerInstance";
/// Our own task queue; the original's is never polled.
pub const DEFAULT_TASK_QUEUE: &str = "wci-controller";
/// The text with which a query of a deleted controller fails.
pub const DELETED: &str = "worker deployment deleted";

/// The id that the server's hook looks for.
#[must_use]
pub fn workflow_id(version: &WorkerDeploymentVersion) -> String {
    format!("temporal-sys-worker-controller-instance:{}:{}", version.deployment_name, version.build_id)
}

/// The version in such an id. Neither part may hold the separator, so the last one counts.
#[must_use]
pub fn version_of(workflow_id: &str) -> Option<WorkerDeploymentVersion> {
    let rest = workflow_id.strip_prefix("temporal-sys-worker-controller-instance:")?;
    let (deployment_name, build_id) = rest.rsplit_once(':')?;
    Some(WorkerDeploymentVersion { deployment_name: deployment_name.into(), build_id: build_id.into() })
}

/// What a controller is started with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Start {
    /// Name of the namespace.
    pub namespace_name: String,
    /// Id of the namespace.
    pub namespace_id: String,
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
    /// Everything that the former run was.
    pub state: State,
    /// The settings of the former run, to notice who undoes whose. Ours; the original does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// Signals that came when the former run was about to end. Ours; the original does not know it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<TaskAdd>,
    /// Whether nothing but the record says what the run orders. Ours; histories from before this was so lack it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub goes_by_record: bool,
    /// Whether the record alone also says when timers begin and what a decision took, and no timer is ever cancelled.
    /// Ours; histories from before this was so lack it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_strict: bool,
    /// The run in whose place this one was begun because its history could not be replayed. Ours.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recovered_from: String,
}

impl Start {
    /// The version whose workers are scaled.
    #[must_use]
    pub fn version(&self) -> WorkerDeploymentVersion {
        WorkerDeploymentVersion {
            deployment_name: self.deployment_name.clone(),
            build_id: self.build_id.clone(),
        }
    }
}

/// The answer to an update of the spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Updated {
    /// The spec now stored; absent when the update deleted the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// To be given with the next update (base64).
    pub conflict_token: String,
}

/// What listing reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memo {
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
    /// When the controller was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<WireTime>,
}

/// The request in an update's argument. Absent and null are the same, as in the original's messages.
///
/// # Errors
/// Says what cannot be read.
pub fn request(update_name: &str, argument: Value) -> Result<Request, String> {
    let mut update =
        Message::deserialize(argument).map_err(|e| format!("the request cannot be read: {e}"))?;
    let token = update.conflict_token.take().filter(|token| !token.is_empty());
    Ok(match update_name {
        UPDATE_DELETE => Request::Delete { identity: update.identity, conflict_token: token },
        UPDATE_VALIDATE => Request::Validate(update.into_update(token)),
        _ => Request::Update(update.into_update(token)),
    })
}

/// Requests as they come: every field optional.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    identity: String,
    conflict_token: Option<String>,
    spec: Option<Value>,
    upsert_scaling_groups: Option<BTreeMap<String, GroupMessage>>,
    remove_scaling_groups: Option<Vec<String>>,
}

/// The original sends a mask that it does not have as null.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupMessage {
    spec: Value,
    update_mask: Option<Vec<String>>,
}

impl GroupMessage {
    fn into_update(self) -> GroupUpdate {
        GroupUpdate { spec: self.spec, update_mask: self.update_mask.unwrap_or_default() }
    }
}

impl Message {
    fn into_update(self, conflict_token: Option<String>) -> Update {
        let groups = self.upsert_scaling_groups.unwrap_or_default().into_iter();
        Update {
            identity: self.identity,
            conflict_token,
            spec: self.spec.filter(|spec| !spec.is_null()),
            upsert_scaling_groups: groups.map(|(name, group)| (name, group.into_update())).collect(),
            remove_scaling_groups: self.remove_scaling_groups.unwrap_or_default(),
        }
    }
}

/// The wire's form of an answer; a refusal is no answer but a failure.
#[must_use]
pub fn answer(response: &Response) -> Value {
    match response {
        Response::Updated { spec, conflict_token } => {
            let spec = spec.as_ref().map(|spec| spec.to_json());
            serde_json::to_value(Updated { spec, conflict_token: conflict_token.clone() }).unwrap_or_default()
        }
        Response::Valid | Response::Deleted | Response::Refused(_) => Value::Object(serde_json::Map::new()),
    }
}

/// The answer to `describe-wci`.
#[must_use]
pub fn describe(version: &WorkerDeploymentVersion, state: &State) -> Description {
    Description {
        deployment_name: version.deployment_name.clone(),
        deployment_build_id: version.build_id.clone(),
        create_time: state.create_time,
        spec: state.spec.clone(),
        conflict_token: state.conflict_token.clone(),
        last_modifier_identity: state.last_modifier_identity.clone(),
        validation_state: state.validation_state.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wci_core::Controller;

    #[test]
    fn ids_read_back() {
        let version = WorkerDeploymentVersion { deployment_name: "d".into(), build_id: "b.1".into() };
        assert_eq!(workflow_id(&version), "temporal-sys-worker-controller-instance:d:b.1");
        assert_eq!(version_of(&workflow_id(&version)), Some(version));
        assert_eq!(version_of("d:b"), None);
    }

    #[test]
    fn null_and_absent_fields_are_the_same() {
        let read = request(
            UPDATE_SPEC,
            json!({"identity": "me", "conflict_token": null, "spec": {"scaling_group_specs": {}},
                   "upsert_scaling_groups": null, "remove_scaling_groups": null}),
        );
        let expected = Update {
            identity: "me".into(),
            spec: Some(json!({"scaling_group_specs": {}})),
            ..Update::default()
        };
        assert_eq!(read, Ok(Request::Update(expected)));
        assert!(request(UPDATE_SPEC, json!({"identity": 7})).is_err());
    }

    /// Messages as the server's own client and controller wrote them.
    fn recorded(name: &str) -> Value {
        let all: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/original-messages.json")).unwrap();
        all[name].clone()
    }

    #[test]
    fn the_originals_messages_are_understood() {
        let fresh: Start = serde_json::from_value(recorded("start")).unwrap();
        assert_eq!((fresh.deployment_name.as_str(), &fresh.state), ("default-go", &State::default()));
        let update = request(UPDATE_SPEC, recorded("update")).unwrap();
        let controller = Controller::resume(fresh.version(), Settings::default(), fresh.state);
        assert_eq!(controller.admit(&update), Ok(()));
        for signal in recorded("signals").as_array().unwrap() {
            let signal: TaskAdd = serde_json::from_value(signal.clone()).unwrap();
            assert!(signal.is_eligible());
        }
        let memo: Memo = serde_json::from_value(recorded("memo")).unwrap();
        assert!(memo.create_time.is_some());
    }

    #[test]
    fn the_originals_checks_and_deletions_are_understood_and_answered_in_its_form() {
        let continued: Start = serde_json::from_value(recorded("continued")).unwrap();
        let controller = Controller::resume(continued.version(), Settings::default(), continued.state);
        let validate = request(UPDATE_VALIDATE, recorded("validate")).unwrap();
        let Request::Validate(change) = &validate else { panic!("{validate:?}") };
        assert_eq!(change.identity, "test");
        assert!(change.upsert_scaling_groups["g"].update_mask.is_empty());
        assert_eq!(controller.admit(&validate), Ok(()));
        let delete = request(UPDATE_DELETE, recorded("delete")).unwrap();
        let identity = "worker-deployment workflow temporal-sys-worker-deployment:new".to_owned();
        assert_eq!(delete, Request::Delete { identity, conflict_token: None });
        assert_eq!(controller.admit(&delete), Ok(()));
        assert_eq!(answer(&Response::Valid), recorded("validated"));
        assert_eq!(answer(&Response::Deleted), recorded("deleted"));
    }

    #[test]
    fn a_run_of_the_originals_goes_on_with_everything_it_knew() {
        let continued: Start = serde_json::from_value(recorded("continued")).unwrap();
        assert!(continued.state.unreadable_spec.is_none());
        let spec = continued.state.spec.clone().unwrap();
        // The configuration goes out in the form in which it came.
        let sent = &recorded("continued")["state"]["spec"]["scaling_group_specs"]["g"]["compute"];
        assert_eq!(spec.to_json()["scaling_group_specs"]["g"]["compute"], *sent);
        assert!(continued.state.scaling_state["g"].contains_key("last_scale_up_time_ms"));
        let ours = serde_json::to_value(describe(&continued.version(), &continued.state)).unwrap();
        for key in ["deployment_name", "deployment_build_id", "create_time", "validation_state"] {
            assert_eq!(ours[key], recorded("describe")[key], "{key}");
        }
        let dumped = serde_json::to_value(&continued.state).unwrap();
        for key in recorded("dump").as_object().unwrap().keys() {
            assert!(dumped.get(key).is_some() || key == "conflict_token", "{key}");
        }
    }

    #[test]
    fn a_start_without_a_state_is_a_fresh_one() {
        let start: Start =
            serde_json::from_value(json!({"namespace_name": "n", "deployment_name": "d", "build_id": "b"}))
                .unwrap();
        assert_eq!(start.state, State::default());
        let start: Start = serde_json::from_value(json!({"deployment_name": "d", "state": null})).unwrap();
        assert_eq!(start.state, State::default());
    }
}
