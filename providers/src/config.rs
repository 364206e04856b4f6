//! The configuration of one provider, its secrets resolved.

use crate::error::ProviderError;
use crate::secrets::SecretPlaces;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use wci_core::spec::ConfigMap;

/// Keys whose values are secrets even when the spec holds them itself.
const SECRET_KEYS: [&str; 3] = ["role_external_id", "kubeconfig", "auth_token"];

/// The configuration of one provider: texts and lists of texts by key.
#[derive(Clone, Default)]
pub struct ProviderConfig {
    texts: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    secrets: Vec<String>,
}

impl ProviderConfig {
    /// Reads a map whose keys and kinds the spec has checked, and resolves its references.
    ///
    /// # Errors
    /// Names the key whose reference cannot be resolved.
    pub fn resolve(map: &ConfigMap, places: &SecretPlaces) -> Result<Self, ProviderError> {
        let mut config = Self::default();
        for (key, value) in map {
            match value {
                Value::Null => {}
                Value::Array(items) => {
                    let texts = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    config.lists.insert(key.clone(), texts);
                }
                value => {
                    let (text, is_secret) = places.resolve(key, value)?;
                    if is_secret || SECRET_KEYS.contains(&key.as_str()) {
                        config.secrets.extend(std::iter::once(text.clone()).chain(lines(&text)));
                    }
                    config.texts.insert(key.clone(), text);
                }
            }
        }
        Ok(config)
    }

    /// The text under a key; empty counts as absent.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The text under a key that must be there.
    ///
    /// # Errors
    /// Names the key.
    pub fn required(&self, key: &str) -> Result<&str, ProviderError> {
        self.text(key)
            .ok_or_else(|| ProviderError::rejected(format!("{key}: found nothing, expected a text")))
    }

    /// A list, or one text with commas.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<String> {
        match (self.lists.get(key), self.text(key)) {
            (Some(list), _) => list.clone(),
            (None, Some(text)) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Everything that must appear in no text.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

/// The values of a text of several lines, such as a kubeconfig: a message may repeat one of them.
fn lines(text: &str) -> Vec<String> {
    let is_long = |value: &&str| value.len() >= 16;
    let values = text.lines().filter_map(|line| line.split_once(": ")).map(|(_, value)| value.trim());
    values.filter(is_long).map(str::to_owned).collect()
}

/// Shows keys only: values may be secrets.
impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.texts.keys().chain(self.lists.keys())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(value: Value) -> ProviderConfig {
        let map = value.as_object().unwrap().clone();
        ProviderConfig::resolve(&map, &SecretPlaces::default()).unwrap()
    }

    #[test]
    fn a_list_may_be_one_text_with_commas() {
        assert_eq!(config(json!({"args": "a, b"})).list("args"), ["a", "b"]);
        assert_eq!(config(json!({"args": ["a, b", "c"]})).list("args"), ["a, b", "c"]);
        assert!(config(json!({})).list("args").is_empty());
    }

    #[test]
    fn debugging_shows_no_value() {
        let config = config(json!({"role_external_id": "hunter22"}));
        assert_eq!(format!("{config:?}"), r#"{"role_external_id"}"#);
        assert_eq!(config.secrets(), ["hunter22"]);
    }
}
