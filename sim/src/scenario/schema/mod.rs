//! The JSON Schema of the scenario file: the structs of [`super::file`] with their comments, and the spec of the
//! worker controller instance with the settings of each algorithm and provider.

mod reference;
mod spec;

pub use reference::reference_markdown;
pub(super) use spec::{inline_spec, scaling_config};

#[cfg(any(feature = "cli", test))]
use super::file::File;
use super::file::Spec;
use schemars::{JsonSchema, Schema, SchemaGenerator};
#[cfg(any(feature = "cli", test))]
use serde_json::Map;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The JSON Schema (draft 2020-12) of the scenario file.
#[must_use]
pub fn schema() -> Value {
    shared().clone()
}

pub(super) fn shared() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(source);
    &SCHEMA
}

#[cfg(any(feature = "cli", test))]
fn source() -> Value {
    generated()
}

/// A browser gets the schema ready-made and without its texts: what makes it would be a tenth of the download, and the
/// texts are most of it. A page that wants them has the whole schema beside it: see [`super::Scenario::help_at`].
#[cfg(not(any(feature = "cli", test)))]
fn source() -> Value {
    // A test holds the file equal to what the structs say.
    serde_json::from_str(include_str!("bare.json")).unwrap_or_default()
}

#[cfg(any(feature = "cli", test))]
fn generated() -> Value {
    schema_of_struct::<File>("Scenario of the Temporal worker autoscaling simulator")
}

/// The JSON Schema of a file that is read into a struct.
#[cfg(any(feature = "cli", test))]
pub(crate) fn schema_of_struct<T: JsonSchema>(title: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    simplify(&mut schema);
    schema["title"] = title.into();
    schema
}

#[cfg(any(feature = "cli", test))]
/// Takes out what only matters to Rust: TOML has no null, so a key that may be left out is just not required.
fn simplify(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(map) => {
            map.values_mut().for_each(simplify);
            unwrap_type(map);
            unwrap_option(map);
            if map
                .get("default")
                .is_some_and(|default| default.is_null() || *default == json!([]) || *default == json!({}))
            {
                map.remove("default");
            }
            // Comments are broken at the width of the source.
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
        }
        _ => {}
    }
}

#[cfg(any(feature = "cli", test))]
/// `type: [X, null]` becomes `type: X`.
fn unwrap_type(map: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = map.get_mut("type") else { return };
    types.retain(|name| name != "null");
    if let [only] = &types[..] {
        let only = only.clone();
        map.insert("type".into(), only);
    }
}

#[cfg(any(feature = "cli", test))]
/// `anyOf: [X, null]` becomes X.
fn unwrap_option(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("anyOf") else { return };
    let is_null = |choice: &&Value| choice.get("type").is_some_and(|name| name == "null");
    let some: Vec<&Value> = choices.iter().filter(|choice| !is_null(choice)).collect();
    match some[..] {
        [Value::Object(only)] => {
            let only = only.clone();
            map.remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
        _ => {
            let some = some.into_iter().cloned().collect();
            map.insert("anyOf".into(), Value::Array(some));
        }
    }
}

impl JsonSchema for Spec {
    fn schema_name() -> Cow<'static, str> {
        "Spec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let file = json!({"type": "string", "description": "Name of a JSON file that holds the spec."});
        schema_of(json!({"anyOf": [file, inline_spec(generator)]}))
    }
}

/// A schema that was written by hand.
fn schema_of(value: Value) -> Schema {
    // Only an object or a boolean is a schema, and all of ours are objects.
    Schema::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(node: &Value, path: &str, check: &mut dyn FnMut(&Map<String, Value>, &str)) {
        match node {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| visit(item, &format!("{path}/{i}"), check));
            }
            Value::Object(map) => {
                check(map, path);
                map.iter().for_each(|(key, value)| visit(value, &format!("{path}/{key}"), check));
            }
            _ => {}
        }
    }

    #[test]
    fn the_ready_made_schema_says_what_the_structs_say() {
        let ready_made: Value = serde_json::from_str(include_str!("schema.json")).unwrap();
        assert_eq!(ready_made, generated(), "`cargo xtask bless` writes it anew");
    }

    #[test]
    fn the_bare_schema_is_the_same_without_texts() {
        fn bare(node: &mut Value) {
            match node {
                Value::Array(items) => items.iter_mut().for_each(bare),
                Value::Object(map) => {
                    map.retain(|key, value| key != "description" || !value.is_string());
                    map.values_mut().for_each(bare);
                }
                _ => {}
            }
        }
        let ready_made: Value = serde_json::from_str(include_str!("bare.json")).unwrap();
        let mut expected = generated();
        bare(&mut expected);
        assert_eq!(ready_made, expected, "`cargo xtask bless` writes it anew");
    }

    #[test]
    fn every_key_is_documented() {
        let mut silent = Vec::new();
        visit(shared(), "", &mut |map, path| {
            let Some(Value::Object(properties)) = map.get("properties").filter(|_| map.contains_key("type"))
            else {
                return;
            };
            let is_silent = |(name, node): &(&String, &Value)| {
                // The tag of a choice is documented by the choice itself.
                node.get("const").is_none() && node.get("description").is_none() && *name != "kind"
            };
            silent.extend(properties.iter().filter(is_silent).map(|(name, _)| format!("{path}: {name}")));
        });
        assert_eq!(silent, [""; 0]);
    }

    #[test]
    fn every_table_refuses_unknown_keys() {
        let mut open = Vec::new();
        visit(shared(), "", &mut |map, path| {
            if map.contains_key("properties")
                && map.contains_key("type")
                && !map.contains_key("additionalProperties")
            {
                open.push(path.to_owned());
            }
        });
        assert_eq!(open, [""; 0]);
    }

    #[test]
    fn nothing_is_null() {
        visit(shared(), "", &mut |map, path| {
            assert_ne!(map.get("type"), Some(&"null".into()), "{path}");
            let types = map.get("type").and_then(Value::as_array);
            assert!(types.is_none_or(|types| !types.contains(&"null".into())), "{path}");
        });
    }
}
