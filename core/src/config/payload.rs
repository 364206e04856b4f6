//! Configurations that come as plain maps or as Temporal payloads.

use super::{ConfigError, ConfigMap, kind_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt;

/// A configuration together with the form in which it came, so that it goes out in the same form.
#[derive(Clone, Default, PartialEq)]
pub struct Config {
    values: ConfigMap,
    payload: Option<Box<Value>>,
}

impl Config {
    /// Reads a plain map or a Temporal `Payload` that holds one; null is an empty map.
    ///
    /// # Errors
    /// Says what was found and what would be right; the key is `config`.
    pub fn from_json(value: &Value) -> Result<Self, ConfigError> {
        let plain = |values: ConfigMap| Self { values, payload: None };
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(map) if is_payload(map) => {
                Ok(Self { values: decode_payload(map)?, payload: Some(Box::new(value.clone())) })
            }
            Value::Object(map) => Ok(plain(map.clone())),
            other => Err(ConfigError::new("config", kind_of(other), "a map or a payload that holds one")),
        }
    }

    /// The wire's form: as it came; none for an empty plain map.
    #[must_use]
    pub fn to_json(&self) -> Option<Value> {
        match &self.payload {
            Some(payload) => Some((**payload).clone()),
            None if self.values.is_empty() => None,
            None => Some(Value::Object(self.values.clone())),
        }
    }

    /// The entries.
    #[must_use]
    pub const fn values(&self) -> &ConfigMap {
        &self.values
    }

    /// Whether it came as a Temporal `Payload`.
    #[must_use]
    pub const fn is_payload(&self) -> bool {
        self.payload.is_some()
    }
}

impl From<ConfigMap> for Config {
    fn from(values: ConfigMap) -> Self {
        Self { values, payload: None }
    }
}

impl std::ops::Deref for Config {
    type Target = ConfigMap;
    fn deref(&self) -> &ConfigMap {
        &self.values
    }
}

/// Shows keys only: values may be secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A payload has `metadata`, which no algorithm and no provider takes as a key.
fn is_payload(map: &ConfigMap) -> bool {
    map.get("metadata").is_some_and(|metadata| metadata.is_object() || metadata.is_null())
        && map
            .keys()
            .all(|key| matches!(key.as_str(), "metadata" | "data" | "external_payloads" | "externalPayloads"))
}

fn decode_payload(map: &ConfigMap) -> Result<ConfigMap, ConfigError> {
    let wrong = |found: String, expected: &str| Err(ConfigError::new("config", found, expected));
    let data = match map.get("data") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => match STANDARD.decode(text) {
            Ok(data) => data,
            Err(_) => return wrong("a payload whose data is no base64".into(), "base64 of a JSON map"),
        },
        Some(other) => {
            return wrong(format!("a payload whose data is {}", kind_of(other)), "base64 of a JSON map");
        }
    };
    match encoding(map).as_str() {
        "binary/null" => Ok(ConfigMap::new()),
        "json/plain" => match serde_json::from_slice(&data) {
            Ok(Value::Object(values)) => Ok(values),
            Ok(Value::Null) => Ok(ConfigMap::new()),
            Ok(other) => {
                wrong(format!("a payload that holds {}", kind_of(&other)), "a payload that holds a map")
            }
            Err(_) => wrong("a payload that holds no JSON".into(), "a payload that holds a JSON map"),
        },
        other => wrong(format!("a payload with encoding {other:?}"), "a payload with encoding json/plain"),
    }
}

/// The encoding named in the metadata, which is base64 on the wire; plain text is understood too.
fn encoding(map: &ConfigMap) -> String {
    let text =
        map.get("metadata").and_then(|m| m.get("encoding")).and_then(Value::as_str).unwrap_or_default();
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}
