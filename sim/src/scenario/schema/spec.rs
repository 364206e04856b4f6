//! The schema of the spec, made of what the core says about each algorithm's and provider's keys.

use super::schema_of;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use wci_core::algorithm::AlgorithmKind;
use wci_core::config::{KeyDoc, KeyKind};
use wci_core::spec::{LaunchStrategy, ProviderType};

/// The spec as a table.
pub(in crate::scenario) fn inline_spec(_: &mut SchemaGenerator) -> Schema {
    let groups = json!({
        "type": "object",
        "description": "The scaling groups by name: at least one.",
        "additionalProperties": group(),
    });
    schema_of(table("The spec itself.", &["scaling_group_specs"], json!({"scaling_group_specs": groups})))
}

/// Settings of any algorithm; the core checks them, because which one it is stands elsewhere.
pub(in crate::scenario) fn scaling_config(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "object"}))
}

fn table(description: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn group() -> Value {
    let task_types =
        "WORKFLOW, ACTIVITY, NEXUS, or 1, 2, 3. Left out: every type that no other group claims.";
    let scaling = AlgorithmKind::ALL.iter().map(|kind| scaling(*kind)).collect::<Vec<_>>();
    let compute = ProviderType::ALL.iter().map(|provider| compute(*provider)).collect::<Vec<_>>();
    table(
        "Task types, a provider and an algorithm.",
        &["compute"],
        json!({
            "task_types": {"type": "array", "items": {"type": ["string", "integer"]}, "description": task_types},
            "region_ids": {"type": "array", "items": {"type": "string"}, "description": "Regions it serves. Left out: all."},
            "compute": {"oneOf": compute, "description": "Who runs the workers."},
            "scaling": {"oneOf": scaling, "description": "The rule. Left out: the provider's own, no-sync or rate-based."},
        }),
    )
}

fn scaling(kind: AlgorithmKind) -> Value {
    let strategies: Vec<String> = kind.launch_strategies().iter().map(LaunchStrategy::to_string).collect();
    let description = format!("For providers of type {}.", strategies.join(" and "));
    let properties =
        json!({"scaling_algorithm": {"const": kind.name()}, "config": config(Some(kind.config_schema()))});
    table(&description, &["scaling_algorithm"], properties)
}

fn compute(provider: ProviderType) -> Value {
    let description = format!("Launches workers by {}.", provider.launch_strategy());
    let properties = json!({
        "provider_type": {"const": provider.name()},
        "config": config(provider.config_schema()),
        "nexus_endpoint": {"type": "string", "description": "The Nexus endpoint of a Nexus provider."},
    });
    table(&description, &["provider_type"], properties)
}

/// A configuration, plain or as a Temporal payload.
fn config(keys: Option<&[KeyDoc]>) -> Value {
    const DESCRIPTION: &str = "Settings; numbers may be written as texts.";
    let Some(keys) = keys else { return json!({"type": "object", "description": DESCRIPTION}) };
    let properties: Map<String, Value> = keys.iter().map(|doc| (doc.key.to_owned(), key(doc))).collect();
    let payload = json!({
        "metadata": {"type": "object", "description": "The encoding."},
        "data": {"type": "string", "description": "The settings in base64."},
    });
    json!({"description": DESCRIPTION, "anyOf": [
        table(DESCRIPTION, &[], Value::Object(properties)),
        table("A Temporal payload that holds the settings.", &["metadata"], payload),
    ]})
}

fn key(doc: &KeyDoc) -> Value {
    let types: &[&str] = match doc.kind {
        KeyKind::Integer | KeyKind::Number => &["number", "string"],
        KeyKind::Text => &["string", "object"],
        KeyKind::TextOrList => &["string", "array", "object"],
    };
    let unit = if doc.unit.is_empty() { String::new() } else { format!(" ({})", doc.unit) };
    let least = if doc.is_minimum_excluded { "exclusiveMinimum" } else { "minimum" };
    let mut schema = Map::new();
    schema.insert("type".into(), types.into());
    schema.insert("description".into(), format!("{}{unit}.", doc.help).into());
    let numbers = [("default", doc.default), (least, doc.minimum), ("maximum", doc.maximum)];
    for (name, number) in numbers.into_iter().filter_map(|(name, number)| Some((name, number?))) {
        schema.insert(name.into(), number.into());
    }
    if doc.kind == KeyKind::Integer {
        schema.insert("multipleOf".into(), 1.into());
    }
    Value::Object(schema)
}
