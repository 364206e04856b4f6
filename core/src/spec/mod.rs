//! The spec of a worker controller instance: what the user asked for, valid by construction.

mod error;
mod host;
mod parse;
mod provider;
mod redact;
mod routing;
mod update;

pub use crate::config::{Config, ConfigMap};
pub use error::SpecError;
pub use host::HostOffers;
pub use provider::{LaunchStrategy, ProviderType, SecretRef, secret_ref};
pub use redact::{redact_group, redact_spec};
pub use routing::is_region_id;

use crate::algorithm::{Algorithm, AlgorithmKind};
use crate::config::{integer, shown};
use crate::decision::GroupName;
use crate::metrics::TaskQueueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr;

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
    pub config: Config,
    /// The Nexus endpoint that the Nexus providers are reached through.
    pub nexus_endpoint: Option<String>,
    /// Stands for the settings in a spec read back from a journal.
    pub config_hash: Option<String>,
}

/// The rule and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Which rule.
    pub algorithm: AlgorithmKind,
    /// Its settings.
    pub config: Config,
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

impl ScalingGroup {
    /// The rule: the named one, or the provider's default.
    #[must_use]
    pub fn algorithm(&self) -> AlgorithmKind {
        let default = self.compute.provider_type.default_algorithm();
        self.scaling.as_ref().map_or(default, |scaling| scaling.algorithm)
    }

    /// The rule, ready to decide, without any state yet.
    #[must_use]
    pub fn instantiate(&self) -> Algorithm {
        self.resume(&ConfigMap::new())
    }

    /// The rule, ready to decide, with the state it had.
    #[must_use]
    pub fn resume(&self, state: &ConfigMap) -> Algorithm {
        let kind = self.algorithm();
        let empty = ConfigMap::new();
        let config = self.scaling.as_ref().map_or(&empty, |scaling| scaling.config.values());
        // The fallback is never taken on a group of a spec, whose configuration has been checked.
        Algorithm::new(kind, config, state).unwrap_or_else(|_| Algorithm::with_defaults(kind, state))
    }
}

impl FromStr for Spec {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| SpecError::new(format!("text that is no JSON ({e})"), "a JSON object"))?;
        Self::from_json(&value)
    }
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(s)
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// A task queue type in the wire's form: an integer goes out, names and integers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTaskType(pub TaskQueueType);

impl Serialize for WireTaskType {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for WireTaskType {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

impl WireTaskType {
    const EXPECTED: &'static str = "WORKFLOW, ACTIVITY or NEXUS (or 1, 2, 3)";

    /// Reads a name (any case, with or without `TASK_QUEUE_TYPE_`) or a number.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        Self::parse(value).ok_or_else(|| format!("found {}, expected {}", shown(value), Self::EXPECTED))
    }

    /// The wire's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self.0 {
            TaskQueueType::Workflow => 1,
            TaskQueueType::Activity => 2,
            TaskQueueType::Nexus => 3,
        }
    }

    fn parse(value: &Value) -> Option<Self> {
        let is_meant = |task_type: &TaskQueueType| match value {
            Value::String(text) => {
                let name = text.to_ascii_lowercase();
                name.strip_prefix("task_queue_type_").unwrap_or(&name) == task_type.name()
            }
            Value::Number(_) => integer(value) == Some(i64::from(Self(*task_type).number())),
            _ => false,
        };
        TaskQueueType::ALL.into_iter().find(is_meant).map(Self)
    }
}

#[cfg(test)]
mod tests;
