//! Changes of a spec group by group, field by field.

use super::{Spec, SpecError};
use crate::config::{ConfigMap, nearest, shown};
use crate::controller::GroupUpdate;
use crate::gather;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const PATHS: [&str; 9] = [
    "task_queue_types",
    "region_ids",
    "provider",
    "provider.type",
    "provider.details",
    "provider.nexus_endpoint",
    "scaler",
    "scaler.type",
    "scaler.details",
];

impl Spec {
    /// The spec after inserting or changing `upserts` (in the order of their names) and then removing `removals`;
    /// none when no group is left.
    ///
    /// A new group is taken whole, an existing one gets the fields its mask names and nothing for an empty mask.
    ///
    /// # Errors
    /// An empty change, an unknown mask path, or a result that is no valid spec.
    pub fn apply(
        current: Option<&Self>,
        upserts: &BTreeMap<String, GroupUpdate>,
        removals: &[String],
    ) -> Result<Option<Self>, SpecError> {
        if upserts.is_empty() && removals.is_empty() {
            return Err(SpecError::new("no change found: name a group to insert, change or remove", ""));
        }
        let groups = current.iter().flat_map(|spec| spec.groups.iter());
        let mut groups: Map<String, Value> =
            gather(groups.map(|(name, group)| (name.to_string(), group.to_json())));
        for (name, update) in upserts {
            let changed = match groups.get(name) {
                Some(existing) => masked(existing, update).map_err(|e| e.in_group(name))?,
                None => update.spec.clone(),
            };
            groups.insert(name.clone(), changed);
        }
        groups.retain(|name, _| !removals.contains(name));
        if groups.is_empty() { Ok(None) } else { Self::from_groups(&groups).map(Some) }
    }
}

/// The group with the fields taken that the mask names. Works on the wire's form, because what the update holds is
/// only a part of a group, and because each configuration shall go out in the form in which it came.
fn masked(existing: &Value, update: &GroupUpdate) -> Result<Value, SpecError> {
    let mut group = existing.as_object().cloned().unwrap_or_default();
    let empty = ConfigMap::new();
    let new = update.spec.as_object().unwrap_or(&empty);
    for path in &update.update_mask {
        match path.as_str() {
            "task_queue_types" => take(&mut group, new, "task_types"),
            "region_ids" => take(&mut group, new, "region_ids"),
            "provider" => take(&mut group, new, "compute"),
            "provider.type" => take_inner(&mut group, new, "compute", "provider_type"),
            "provider.details" => {
                take_inner(&mut group, new, "compute", "config");
                // Stands for the configuration in a change read back from a journal.
                take_inner(&mut group, new, "compute", "config_hash");
            }
            "provider.nexus_endpoint" => take_inner(&mut group, new, "compute", "nexus_endpoint"),
            "scaler" => take(&mut group, new, "scaling"),
            "scaler.type" | "scaler.details" if !new.get("scaling").is_some_and(Value::is_object) => {
                return Err(
                    SpecError::new("nothing", format!("scaling, as the mask names {path}")).at("scaling")
                );
            }
            "scaler.type" => take_inner(&mut group, new, "scaling", "scaling_algorithm"),
            "scaler.details" => take_inner(&mut group, new, "scaling", "config"),
            other => return Err(unknown_path(other)),
        }
    }
    Ok(Value::Object(group))
}

/// Takes the new value of a field, or its absence.
fn take(group: &mut ConfigMap, new: &ConfigMap, key: &str) {
    match new.get(key) {
        Some(value) => group.insert(key.to_owned(), value.clone()),
        None => group.remove(key),
    };
}

fn take_inner(group: &mut ConfigMap, new: &ConfigMap, outer: &str, key: &str) {
    let empty = ConfigMap::new();
    let source = new.get(outer).and_then(Value::as_object).unwrap_or(&empty);
    let target = group.entry(outer).or_insert_with(|| Value::Object(ConfigMap::new()));
    match target.as_object_mut() {
        Some(target) => take(target, source, key),
        None => *target = Value::Object(source.clone()),
    }
}

fn unknown_path(path: &str) -> SpecError {
    let expected = match nearest(path, PATHS.iter().copied()) {
        Some(near) => format!("{near} (the nearest known path)"),
        None => format!("one of {}", PATHS.join(", ")),
    };
    SpecError::new(format!("unsupported path {}", shown(&Value::from(path))), expected).at("update_mask")
}
