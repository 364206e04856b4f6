//! References to secrets, resolved on the host from places it allows, and texts freed of secrets.

use crate::error::ProviderError;
use serde_json::Value;
use std::path::{Component, Path, PathBuf};
use wci_core::spec::{SecretRef, secret_ref};

/// Where the host lets specs take secrets from; nowhere unless it says so.
#[derive(Clone, Debug, Default)]
pub struct SecretPlaces {
    /// Names of environment variables that specs may name.
    pub env: Vec<String>,
    /// The folder whose files specs may name.
    pub dir: Option<PathBuf>,
}

impl SecretPlaces {
    /// The text of a configuration value; the flag says whether it came from a reference.
    ///
    /// # Errors
    /// Says what is wrong with the reference, never what it refers to.
    pub fn resolve(&self, key: &str, value: &Value) -> Result<(String, bool), ProviderError> {
        match (value, secret_ref(value)) {
            (_, Some(SecretRef::Env(name))) => self.read_env(key, name).map(|text| (text, true)),
            (_, Some(SecretRef::File(name))) => self.read_file(key, name).map(|text| (text, true)),
            (Value::String(text), None) => Ok((text.clone(), false)),
            (other, None) => Ok((other.to_string(), false)),
        }
    }

    fn read_env(&self, key: &str, name: &str) -> Result<String, ProviderError> {
        if !self.env.iter().any(|allowed| allowed == name) {
            return Err(ProviderError::rejected(format!(
                "{key}: this host lets no spec read the environment variable {name} (start it with --secret-env {name})"
            )));
        }
        std::env::var(name).map_err(|_| {
            ProviderError::rejected(format!("{key}: the environment variable {name} is not set on this host"))
        })
    }

    fn read_file(&self, key: &str, name: &str) -> Result<String, ProviderError> {
        let dir = self.dir.as_deref().ok_or_else(|| {
            ProviderError::rejected(format!("{key}: this host has no folder of secrets (--secret-dir)"))
        })?;
        let is_plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain {
            return Err(ProviderError::rejected(format!(
                "{key}: found the secret's file name {name:?}, expected a plain name inside the host's folder of secrets"
            )));
        }
        let text = std::fs::read_to_string(dir.join(name)).map_err(|e| {
            ProviderError::rejected(format!(
                "{key}: the secret {name} cannot be read on this host: {}",
                e.kind()
            ))
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// The text without any of the secrets. Short ones are left: they would tear holes into innocent words.
#[must_use]
pub fn scrub(text: &str, secrets: &[String]) -> String {
    const SHORTEST: usize = 4;
    let mut clean = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        clean = clean.replace(secret.as_str(), "[secret]");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_allowed_variables_are_read() {
        let places = SecretPlaces { env: vec!["PATH".into()], dir: None };
        let found = places.resolve("k", &json!({"secret_ref": "env:PATH"}));
        assert!(matches!(found, Ok((text, true)) if !text.is_empty()));
        let refused = places.resolve("k", &json!({"secret_ref": "env:HOME"})).unwrap_err();
        assert!(refused.message.contains("--secret-env HOME"), "{refused}");
    }

    #[test]
    fn files_outside_the_folder_are_refused() {
        let dir = std::env::temp_dir().join(format!("wci-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("token"), "abc\n").unwrap();
        let places = SecretPlaces { env: vec![], dir: Some(dir) };
        assert_eq!(places.resolve("k", &json!({"secret_ref": "file:token"})).unwrap().0, "abc");
        for name in ["../token", "/etc/passwd", "a/../../b"] {
            let refused = places.resolve("k", &json!({"secret_ref": format!("file:{name}")}));
            assert!(refused.unwrap_err().message.contains("plain name"), "{name}");
        }
    }

    #[test]
    fn texts_are_freed_of_secrets() {
        let secrets = ["hunter22".to_owned(), "a".to_owned()];
        assert_eq!(scrub("a bad id hunter22", &secrets), "a bad id [secret]");
    }
}
