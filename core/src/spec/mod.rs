//! The spec of a worker controller instance: what the user asked for, valid by construction.

use crate::decision::GroupName;
use crate::metrics::TaskQueueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A configuration map as the wire carries it: numbers may be strings.
pub type ConfigMap = Map<String, Value>;

/// A task queue type in the wire's form: an integer goes out, names and integers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTaskType(pub TaskQueueType);

impl Serialize for WireTaskType {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(self.0.index() as u64 + 1)
    }
}

impl<'de> Deserialize<'de> for WireTaskType {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

impl WireTaskType {
    /// Reads a name (any case, with or without `TASK_QUEUE_TYPE_`) or a number.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let wrong = || format!("found {value}, expected WORKFLOW, ACTIVITY or NEXUS (or 1, 2, 3)");
        let index = match value {
            Value::String(text) => {
                let name = text.to_ascii_lowercase();
                let name = name.strip_prefix("task_queue_type_").unwrap_or(&name);
                TaskQueueType::ALL.iter().position(|t| t.name() == name)
            }
            Value::Number(n) => {
                n.as_u64().and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1))
            }
            _ => None,
        };
        let task_type = index.and_then(|i| TaskQueueType::ALL.get(i)).ok_or_else(wrong)?;
        Ok(Self(*task_type))
    }
}

/// A valid spec: at least one group, every task type in at most one group a region, known providers and
/// algorithms, valid configurations.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    groups: BTreeMap<GroupName, ScalingGroup>,
}

/// Task types, a provider and an algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingGroup {
    /// Claimed types; none: the catch-all.
    pub task_types: Vec<TaskQueueType>,
    /// Regions it serves; none: all.
    pub region_ids: Vec<String>,
    /// Who runs the workers.
    pub compute: Compute,
    /// The rule; absent: the provider's default.
    pub scaling: Option<Scaling>,
}

/// Who runs the workers.
#[derive(Clone, Debug, PartialEq)]
pub struct Compute {
    /// The provider's type.
    pub provider_type: ProviderType,
    /// The provider's settings.
    pub config: ConfigMap,
}

/// The rule and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Which rule.
    pub algorithm: crate::algorithm::AlgorithmKind,
    /// Its settings.
    pub config: ConfigMap,
}

/// How a provider gets workers running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchStrategy {
    /// Each call starts workers that end by themselves.
    Invoke,
    /// A call sets the size of a set that the platform keeps.
    WorkerSet,
}

/// The provider types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderType {
    /// AWS Lambda.
    AwsLambda,
    /// AWS ECS.
    AwsEcs,
    /// Google Cloud Run worker pools.
    GcpCloudRun,
    /// Kubernetes Deployments.
    K8s,
    /// Local processes, for development.
    Subprocess,
}

impl Spec {
    /// The groups by name.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupName, &ScalingGroup)> {
        self.groups.iter()
    }

    /// One group.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&ScalingGroup> {
        self.groups.get(name)
    }
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_none()
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("not read yet"))
    }
}
