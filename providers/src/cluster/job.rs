//! A job: a ConfigMap with the definition of a distributed task, and with the Pod that its workers are.

use k8s_openapi::api::core::v1::{ConfigMap, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;
use wci_core::cluster::TaskId;
use wci_core::cluster::definition::{Definitions, DistributedTask, ExecutionState};

/// Labels and annotations.
pub mod labels {
    /// Label of a ConfigMap that is a job; its value is `true`.
    pub const IS_JOB: &str = "wci-controller/distributed-task";
    /// Label of a job's record and Pods: the job's name.
    pub const OF_JOB: &str = "wci-controller/job";
    /// Annotation of a job: with `true`, its new workers wait and suspended ones stay so.
    pub const SUSPENDED: &str = "wci-controller/suspended";
    /// Annotation of a Pod: the name of its worker.
    pub const WORKER_NAME: &str = "wci-controller/worker-name";
    /// Annotation of a Pod: the group of its worker.
    pub const GROUP: &str = "wci-controller/group";
    /// Annotation of a Pod: whether its worker looks for what others left behind.
    pub const SCAVENGER: &str = "wci-controller/scavenger";
    /// Label of a node: a group that it serves beside the one of its own name.
    pub const SERVES: &str = "wci-controller/execution-group";
    /// Label of all that this program makes.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The value of that.
    pub const US: &str = "wci-controller";
}

/// A Pod's name is its worker's: the job's name and a number. It is a label's value, too, which may have 63 characters.
const LONGEST_NAME: usize = 52;

/// A distributed task that Pods work on.
#[derive(Clone, Debug)]
pub struct Job {
    /// The name of its ConfigMap.
    pub name: String,
    /// What belongs to it goes with it.
    pub owner: OwnerReference,
    /// Its definition.
    pub task: DistributedTask,
    /// What a worker runs.
    pub template: PodTemplateSpec,
    /// Whether new workers wait.
    pub is_suspended: bool,
}

impl Job {
    /// Reads a job's ConfigMap.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(map: &ConfigMap) -> Result<Self, String> {
        let name = map.metadata.name.clone().unwrap_or_default();
        if name.len() > LONGEST_NAME {
            return Err(format!("its name has {} characters, expected at most {LONGEST_NAME}", name.len()));
        }
        let text = |key: &str| map.data.as_ref().and_then(|data| data.get(key));
        let task = match (text("task.toml"), text("task.xml")) {
            (Some(toml), None) => from_toml(toml, &name)?,
            (None, Some(xml)) => from_xml(xml)?,
            (Some(_), Some(_)) => return Err("found task.toml and task.xml, expected one of them".into()),
            (None, None) => return Err("found neither task.toml nor task.xml, expected one of them".into()),
        };
        let template = text("pod.yaml").ok_or("found no pod.yaml, expected the template of a Pod")?;
        let template: PodTemplateSpec =
            serde_saphyr::from_str(template).map_err(|error| format!("pod.yaml: {error}"))?;
        if template.spec.as_ref().is_none_or(|spec| spec.containers.is_empty()) {
            return Err("pod.yaml: found no containers, expected spec.containers with at least one".into());
        }
        let annotations = map.metadata.annotations.as_ref();
        let is_suspended =
            annotations.and_then(|all| all.get(labels::SUSPENDED)).is_some_and(|value| value == "true")
                || task.execution == ExecutionState::Suspended;
        Ok(Self { owner: owner(map, &name), name, task, template, is_suspended })
    }
}

impl Job {
    /// Whether an object belongs to this job: not to an earlier one of the same name, with which it is about to go.
    #[must_use]
    pub fn owns(&self, metadata: &ObjectMeta) -> bool {
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        owners.is_empty() || owners.iter().any(|owner| owner.uid == self.owner.uid)
    }
}

fn owner(map: &ConfigMap, name: &str) -> OwnerReference {
    OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: name.to_owned(),
        uid: map.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

fn from_toml(text: &str, job: &str) -> Result<DistributedTask, String> {
    let task: DistributedTask =
        toml::from_str(text).map_err(|error| format!("task.toml: {}", error.to_string().trim_end()))?;
    if let Some(key) = task.nameless().first() {
        return Err(format!("task.toml: {key}: found \"\", expected a name"));
    }
    // Names of tasks need not differ, those of ConfigMaps do.
    let has_own = *task.oid.0 != *task.name;
    Ok(if has_own { task } else { DistributedTask { oid: TaskId(job.into()), ..task } })
}

fn from_xml(text: &str) -> Result<DistributedTask, String> {
    let mut tasks = Definitions::from_xml(text, "task.xml").map_err(|error| error.to_string())?.tasks;
    match (tasks.pop(), tasks.len()) {
        (Some(task), 0) => Ok(task),
        (_, more) => {
            Err(format!("task.xml: found {} tasks with workers, expected one", more + usize::from(more > 0)))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    pub const POD: &str = "metadata: {labels: {app: w}}\nspec:\n  containers:\n  - {name: w, image: w}\n";

    pub fn map(data: &[(&str, &str)]) -> ConfigMap {
        let data: BTreeMap<String, String> =
            data.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let mut map = ConfigMap { data: Some(data), ..ConfigMap::default() };
        map.metadata.name = Some("recompute".into());
        map.metadata.uid = Some("u1".into());
        map
    }

    fn wrong(data: &[(&str, &str)]) -> String {
        Job::read(&map(data)).unwrap_err()
    }

    #[test]
    fn a_definition_comes_as_toml_or_as_xml() {
        let toml = "name = \"Recompute\"\n[[workers_per_node]]\ncount = 2\n";
        let job = Job::read(&map(&[("task.toml", toml), ("pod.yaml", POD)])).unwrap();
        assert_eq!((&*job.task.oid.0, job.task.workers[0].count), ("recompute", 2));
        let xml = include_str!("../../../scenarios/cluster/auto-scaling.xml");
        let job = Job::read(&map(&[("task.xml", xml), ("pod.yaml", POD)])).unwrap();
        assert_eq!(job.task.name, "Recompute all users");
        assert!(job.task.oid.0.ends_with("002"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let toml = ("task.toml", "name = \"T\"\n");
        assert!(wrong(&[("pod.yaml", POD)]).contains("neither task.toml nor task.xml"));
        assert!(wrong(&[toml]).contains("no pod.yaml"));
        assert!(wrong(&[toml, ("pod.yaml", "spec: {containers: []}")]).contains("no containers"));
        assert!(wrong(&[("task.toml", "nmae = 1"), ("pod.yaml", POD)]).contains("unknown field `nmae`"));
        assert!(wrong(&[("task.xml", "<task><name>T</name></task>"), ("pod.yaml", POD)]).contains("found 0"));
        let mut long = map(&[toml, ("pod.yaml", POD)]);
        long.metadata.name = Some("x".repeat(53));
        assert!(Job::read(&long).unwrap_err().contains("53 characters"));
    }
}
