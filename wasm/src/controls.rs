//! A parameter as a page shows it: all of it comes from the scenario's schema and from the scenario itself. What it
//! is for is told apart, when a person asks: the texts are most of the schema.

use serde::Serialize;
use serde_json::Value as Json;
use wci_sim::scenario::{Scenario, toml_to_json};

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// The dotted key, as `--set` takes it.
    pub path: String,
    /// `number`, `integer`, `duration`, `choice` or `text`.
    pub kind: &'static str,
    /// The smallest value.
    pub minimum: Option<f64>,
    /// Whether the minimum itself is too small.
    pub is_minimum_excluded: bool,
    /// The largest value.
    pub maximum: Option<f64>,
    /// What counts when the scenario leaves it out, as far as the schema says.
    pub default: Option<Json>,
    /// What one may choose from.
    pub choices: Vec<String>,
    /// What the scenario says.
    pub value: Option<Json>,
}

impl Control {
    /// The parameter at a dotted key of a scenario.
    pub fn of(scenario: &Scenario, path: &str) -> Option<Self> {
        let node = scenario.schema_at(path).ok()?;
        let value = scenario.get(path).ok()?;
        let alternatives = alternatives(&node);
        let number = |key: &str| alternatives.iter().find_map(|node| node.get(key)?.as_f64());
        let excluded = number("exclusiveMinimum");
        Some(Self {
            path: path.to_owned(),
            kind: kind(&alternatives),
            minimum: number("minimum").or(excluded),
            is_minimum_excluded: excluded.is_some(),
            maximum: number("maximum"),
            default: node.get("default").cloned(),
            choices: choices(&alternatives),
            value: value.as_ref().map(toml_to_json),
        })
    }
}

fn alternatives(node: &Json) -> Vec<&Json> {
    let choices = ["oneOf", "anyOf"].iter().find_map(|key| node.get(key)).and_then(Json::as_array);
    choices.map_or_else(|| vec![node], |choices| choices.iter().collect())
}

fn kind(alternatives: &[&Json]) -> &'static str {
    let has_type = |name: &str| {
        let is = |node: &&Json| match &node["type"] {
            Json::Array(types) => types.iter().any(|one| one == name),
            one => one == name,
        };
        alternatives.iter().any(is)
    };
    let is_whole = |node: &&Json| node["type"] == "integer" || node["multipleOf"] == 1;
    let is_duration =
        |node: &&Json| node["format"].as_str().is_some_and(|format| format.starts_with("duration"));
    match () {
        () if alternatives.iter().any(is_duration) => "duration",
        () if alternatives.iter().any(is_whole) => "integer",
        () if has_type("number") => "number",
        () if !choices(alternatives).is_empty() => "choice",
        () => "text",
    }
}

fn choices(alternatives: &[&Json]) -> Vec<String> {
    let texts = |node: &&Json| {
        let listed = node["enum"].as_array().cloned().unwrap_or_default();
        listed.into_iter().chain(node.get("const").cloned()).collect::<Vec<_>>()
    };
    let all = alternatives.iter().flat_map(texts);
    all.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}
