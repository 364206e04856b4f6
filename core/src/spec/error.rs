//! What is wrong with a spec: where, what was found, and what would be right.

use crate::config::ConfigError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub struct SpecError {
    /// The scaling group, if one is at fault.
    pub group: Option<String>,
    /// Dotted path of the key inside the group (or of the spec), if one is at fault.
    pub key: Option<String>,
    /// What was found; never the value of a provider's configuration, which may be a secret.
    pub found: String,
    /// What would be right; empty when `found` says it all.
    pub expected: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.group, &self.key) {
            (Some(group), Some(key)) => write!(f, "scaling group {group:?}, {key}: ")?,
            (Some(group), None) => write!(f, "scaling group {group:?}: ")?,
            (None, Some(key)) => write!(f, "{key}: ")?,
            (None, None) => {}
        }
        match self.expected.as_str() {
            "" => f.write_str(&self.found),
            expected => write!(f, "found {}, expected {expected}", self.found),
        }
    }
}

impl SpecError {
    /// An error about the whole spec.
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { group: None, key: None, found: found.into(), expected: expected.into() }
    }

    /// The same, about one key.
    pub(crate) fn at(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same, about one group.
    pub(crate) fn in_group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    /// An error of a configuration that stands under `prefix`.
    pub(crate) fn config(prefix: &str, error: ConfigError) -> Self {
        let key = if prefix.is_empty() { error.key } else { format!("{prefix}.{}", error.key) };
        Self::new(error.found, error.expected).at(key)
    }
}
