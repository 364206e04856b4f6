//! Specs without secrets, for journals.

use super::Spec;
use serde_json::{Map, Value};

impl Spec {
    /// The spec with each provider's configuration replaced by a hash; [`Spec::from_json`] reads it back.
    #[must_use]
    pub fn redacted(&self) -> Value {
        redact_spec(&self.to_json())
    }
}

/// Replaces each provider's configuration by a hash, in a spec that need not be valid.
#[must_use]
pub fn redact_spec(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(Value::Object(groups)) = spec.get_mut("scaling_group_specs") {
        groups.values_mut().for_each(redact_group);
    }
    spec
}

/// Replaces the provider's configuration of one group by a hash; the group need not be valid.
pub fn redact_group(group: &mut Value) {
    match group.get_mut("compute") {
        Some(Value::Object(compute)) => redact_compute(compute),
        Some(other) => *other = Value::Null,
        None => {}
    }
}

fn redact_compute(compute: &mut Map<String, Value>) {
    if let Some(config) = compute.remove("config").filter(|config| !config.is_null()) {
        compute.insert("config_hash".to_owned(), format!("{:016x}", fnv1a(&config.to_string())).into());
    }
}

/// The 64-bit FNV-1a hash: tells whether two configurations are the same, and stays the same over releases.
fn fnv1a(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
