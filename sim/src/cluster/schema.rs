//! The JSON Schema of the cluster scenario.

#[cfg(any(feature = "cli", test))]
use super::file::File;
use serde_json::Value;
use std::sync::LazyLock;

/// The JSON Schema (draft 2020-12) of the cluster scenario.
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
    crate::scenario::schema_of_struct::<File>("Scenario of distributed tasks on a cluster")
}

/// A browser gets it ready-made.
#[cfg(not(any(feature = "cli", test)))]
fn source() -> Value {
    // A test holds the file equal to what the structs say.
    serde_json::from_str(include_str!("schema.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_made_schema_says_what_the_structs_say() {
        let ready_made: Value = serde_json::from_str(include_str!("schema.json")).unwrap();
        assert_eq!(ready_made, schema(), "`cargo xtask bless` writes it anew");
    }

    #[test]
    fn every_key_is_documented_and_every_table_refuses_unknown_ones() {
        fn visit(node: &Value, path: &str) {
            if let Some(Value::Object(keys)) = node.get("properties") {
                assert_eq!(node.get("additionalProperties"), Some(&Value::Bool(false)), "{path}");
                for (name, key) in
                    keys.iter().filter(|(name, key)| *name != "kind" && key.get("const").is_none())
                {
                    assert!(key.get("description").is_some(), "{path}/{name}");
                }
            }
            match node {
                Value::Object(map) => {
                    map.iter().for_each(|(key, node)| visit(node, &format!("{path}/{key}")))
                }
                Value::Array(items) => items.iter().for_each(|node| visit(node, path)),
                _ => {}
            }
        }
        visit(shared(), "");
    }
}
