//! From JSON to a valid spec and back.

use super::{Compute, ProviderType, Scaling, ScalingGroup, Spec, SpecError, WireTaskType};
use crate::algorithm::{Algorithm, AlgorithmKind};
use crate::config::{Config, ConfigMap, kind_of, nearest, shown, unknown_key};
use crate::decision::GroupName;
use crate::gather;
use crate::metrics::TaskQueueType;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const SPEC_KEYS: [&str; 1] = ["scaling_group_specs"];
const GROUP_KEYS: [&str; 4] = ["task_types", "region_ids", "compute", "scaling"];
const COMPUTE_KEYS: [&str; 4] = ["provider_type", "config", "nexus_endpoint", "config_hash"];
const SCALING_KEYS: [&str; 2] = ["scaling_algorithm", "config"];

impl Spec {
    /// Reads and checks a spec.
    ///
    /// # Errors
    /// Names the group and the key at fault, what was found and what would be right.
    pub fn from_json(value: &Value) -> Result<Self, SpecError> {
        let map = match value {
            Value::Null => return Err(SpecError::new("no spec", "a spec with at least one scaling group")),
            Value::Object(map) => map,
            other => return Err(SpecError::new(kind_of(other), "an object with scaling_group_specs")),
        };
        check_keys(map, &SPEC_KEYS, "")?;
        match map.get("scaling_group_specs") {
            Some(Value::Object(groups)) => Self::from_groups(groups),
            None | Some(Value::Null) => Self::from_groups(&Map::new()),
            Some(other) => {
                Err(SpecError::new(kind_of(other), "a map of scaling groups").at("scaling_group_specs"))
            }
        }
    }

    pub(super) fn from_groups(groups: &Map<String, Value>) -> Result<Self, SpecError> {
        let parse = |(name, value): (&String, &Value)| match name.as_str() {
            "" => Err(SpecError::new("a scaling group without a name", "a name").at("scaling_group_specs")),
            _ => Ok((GroupName::from(name.as_str()), group(value).map_err(|e| e.in_group(name))?)),
        };
        let parsed: Vec<_> = groups.iter().map(parse).collect::<Result<_, _>>()?;
        let groups: BTreeMap<_, _> = gather(parsed);
        if groups.is_empty() {
            return Err(SpecError::new("no groups", "at least one scaling group").at("scaling_group_specs"));
        }
        super::routing::check_unique(&groups)?;
        Ok(Self { groups })
    }

    /// The wire's form: task types as integers, configurations in the form in which they came.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let groups = gather(self.groups.iter().map(|(name, group)| (name.to_string(), group.to_json())));
        Value::Object(gather([("scaling_group_specs".to_owned(), Value::Object(groups))]))
    }
}

impl ScalingGroup {
    /// The wire's form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let types = self.task_types.iter().map(|t| Value::from(WireTaskType(*t).number())).collect();
        let mut map = Map::new();
        map.insert("task_types".into(), Value::Array(types));
        if !self.region_ids.is_empty() {
            map.insert("region_ids".into(), self.region_ids.clone().into());
        }
        map.insert("compute".into(), self.compute.to_json());
        if let Some(scaling) = &self.scaling {
            map.insert("scaling".into(), scaling.to_json());
        }
        Value::Object(map)
    }
}

impl Compute {
    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("provider_type".into(), self.provider_type.name().into());
        insert_some(&mut map, "config", self.config.to_json());
        insert_some(&mut map, "nexus_endpoint", self.nexus_endpoint.clone().map(Value::String));
        insert_some(&mut map, "config_hash", self.config_hash.clone().map(Value::String));
        Value::Object(map)
    }
}

impl Scaling {
    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("scaling_algorithm".into(), self.algorithm.name().into());
        insert_some(&mut map, "config", self.config.to_json());
        Value::Object(map)
    }
}

fn insert_some(map: &mut ConfigMap, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value);
    }
}

fn group(value: &Value) -> Result<ScalingGroup, SpecError> {
    let Value::Object(map) = value else {
        return Err(SpecError::new(kind_of(value), "a scaling group with compute"));
    };
    check_keys(map, &GROUP_KEYS, "")?;
    let compute = match map.get("compute") {
        Some(Value::Object(compute)) => self::compute(compute)?,
        None | Some(Value::Null) => {
            return Err(SpecError::new("nothing", providers()).at("compute.provider_type"));
        }
        Some(other) => return Err(SpecError::new(kind_of(other), "an object").at("compute")),
    };
    let scaling = match map.get("scaling") {
        None | Some(Value::Null) => None,
        Some(Value::Object(scaling)) => Some(self::scaling(scaling)?),
        Some(other) => return Err(SpecError::new(kind_of(other), "an object").at("scaling")),
    };
    let group = ScalingGroup {
        task_types: list(map, "task_types", task_type)?,
        region_ids: list(map, "region_ids", region_id)?,
        compute,
        scaling,
    };
    check_fit(&group)?;
    Ok(group)
}

fn compute(map: &ConfigMap) -> Result<Compute, SpecError> {
    check_keys(map, &COMPUTE_KEYS, "compute")?;
    let provider_type = match text(map, "provider_type", "compute.provider_type")? {
        None => return Err(SpecError::new("nothing", providers()).at("compute.provider_type")),
        Some(name) => ProviderType::from_name(name).ok_or_else(|| {
            let names = ProviderType::ALL.iter().map(|p| p.name());
            unknown_type(name, names, providers()).at("compute.provider_type")
        })?,
    };
    let config = config(map, "compute")?;
    provider_type.check_config(&config).map_err(|e| SpecError::config("compute.config", e))?;
    let nexus_endpoint = text(map, "nexus_endpoint", "compute.nexus_endpoint")?.map(str::to_owned);
    if provider_type.needs_nexus_endpoint() && nexus_endpoint.as_deref().is_none_or(|e| e.trim().is_empty()) {
        let expected = format!("the Nexus endpoint that {provider_type} is reached through");
        return Err(SpecError::new("nothing", expected).at("compute.nexus_endpoint"));
    }
    let config_hash = text(map, "config_hash", "compute.config_hash")?.map(str::to_owned);
    Ok(Compute { provider_type, config, nexus_endpoint, config_hash })
}

fn scaling(map: &ConfigMap) -> Result<Scaling, SpecError> {
    check_keys(map, &SCALING_KEYS, "scaling")?;
    let algorithm = match text(map, "scaling_algorithm", "scaling.scaling_algorithm")? {
        None => return Err(SpecError::new("nothing", algorithms()).at("scaling.scaling_algorithm")),
        Some(name) => AlgorithmKind::from_name(name).ok_or_else(|| {
            let names = AlgorithmKind::ALL.iter().map(|a| a.name());
            unknown_type(name, names, algorithms()).at("scaling.scaling_algorithm")
        })?,
    };
    let config = config(map, "scaling")?;
    Algorithm::new(algorithm, &config, &ConfigMap::new())
        .map_err(|e| SpecError::config("scaling.config", e))?;
    Ok(Scaling { algorithm, config })
}

fn config(map: &ConfigMap, prefix: &str) -> Result<Config, SpecError> {
    Config::from_json(map.get("config").unwrap_or(&Value::Null)).map_err(|e| SpecError::config(prefix, e))
}

fn check_fit(group: &ScalingGroup) -> Result<(), SpecError> {
    let provider = group.compute.provider_type;
    let strategy = provider.launch_strategy();
    let fits = |kind: &AlgorithmKind| kind.launch_strategies().contains(&strategy);
    let algorithm = group.algorithm();
    if fits(&algorithm) {
        return Ok(());
    }
    let fitting: Vec<_> = AlgorithmKind::ALL.iter().filter(|a| fits(a)).map(|a| a.name()).collect();
    let expected = format!("one that fits the {strategy} provider {provider}: {}", fitting.join(", "));
    Err(SpecError::new(algorithm.name(), expected).at("scaling.scaling_algorithm"))
}

fn list<T: PartialEq>(
    map: &ConfigMap,
    key: &str,
    item: fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, SpecError> {
    let values = match map.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(other) => return Err(SpecError::new(kind_of(other), "a list").at(key)),
    };
    let mut items = Vec::with_capacity(values.len().min(16));
    for value in values {
        let parsed = item(value).map_err(|expected| SpecError::new(shown(value), expected).at(key))?;
        if items.contains(&parsed) {
            return Err(SpecError::new(format!("{} twice", shown(value)), "each one once").at(key));
        }
        items.push(parsed);
    }
    Ok(items)
}

fn task_type(value: &Value) -> Result<TaskQueueType, String> {
    WireTaskType::parse(value).map(|t| t.0).ok_or_else(|| WireTaskType::EXPECTED.to_owned())
}

fn region_id(value: &Value) -> Result<String, String> {
    match value.as_str() {
        Some(text) if super::routing::is_region_id(text) => Ok(text.to_owned()),
        _ => {
            Err("lower-case letters and digits in parts joined by single hyphens, such as eu-west-1"
                .to_owned())
        }
    }
}

fn text<'a>(map: &'a ConfigMap, key: &str, path: &str) -> Result<Option<&'a str>, SpecError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(SpecError::new(kind_of(other), "a string").at(path)),
    }
}

pub(super) fn check_keys(map: &ConfigMap, known: &[&str], prefix: &str) -> Result<(), SpecError> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(SpecError::config(prefix, unknown_key(key, known.iter().copied()))),
        None => Ok(()),
    }
}

fn unknown_type<'a>(name: &str, known: impl Iterator<Item = &'a str>, all: String) -> SpecError {
    let expected = nearest(name, known).map_or(all, |near| format!("{near} (the nearest known type)"));
    SpecError::new(shown(&Value::from(name)), expected)
}

fn providers() -> String {
    let names: Vec<_> = ProviderType::ALL.iter().map(|p| p.name()).collect();
    format!("one of {}", names.join(", "))
}

fn algorithms() -> String {
    let names: Vec<_> = AlgorithmKind::ALL.iter().map(|a| a.name()).collect();
    format!("one of {}", names.join(", "))
}
