//! One value of the dynamic config: where it counts, and whether it is of its key's kind.

use super::{
    ALGORITHMS, ENABLED, MAX_INSTANCES, NO_SYNC_INTERVAL, PROVIDERS, REQUIRE_ROLE, ROLES, SERVICE_ACCOUNTS,
    SYNC_INTERVAL, VALIDATION_INTERVAL,
};
use crate::host::{IntermediaryRole, IntermediaryServiceAccount};
use serde::de::DeserializeOwned;
use serde_json::Value;
use wci_core::algorithm::AlgorithmKind;
use wci_core::config::{integer, nearest, shown};
use wci_core::spec::ProviderType;
use wci_core::time::Millis;

/// One value and where it counts.
#[derive(Clone, Debug)]
pub(super) struct Constrained {
    pub(super) value: Value,
    pub(super) namespace: Option<String>,
}

impl Constrained {
    /// Reads an entry of a key's list. What is not understood is refused: a constraint that were left out would let
    /// the value count everywhere.
    pub(super) fn read(key: &str, entry: Value) -> Result<Self, String> {
        let wanted = "expected entries with `value`, and `constraints` if it does not count everywhere";
        let Value::Object(entry) = entry else {
            return Err(format!("{key}: found {}, {wanted}", shown(&entry)));
        };
        let (mut value, mut namespace) = (None, None);
        for (name, part) in entry {
            match name.as_str() {
                "value" => value = Some(part),
                "constraints" => namespace = read_constraints(key, part)?,
                _ => return Err(format!("{key}: found the unknown entry `{name}`, {wanted}")),
            }
        }
        let value = value.ok_or_else(|| format!("{key}: found no `value`, {wanted}"))?;
        check(key, &value)?;
        Ok(Self { value, namespace })
    }
}

/// The namespace that a value is for; the server reads the constraints' names in any case.
fn read_constraints(key: &str, constraints: Value) -> Result<Option<String>, String> {
    let wrong = |found: String| Err(format!("{key}: constraints: found {found}, expected namespace: NAME"));
    let constraints = match constraints {
        Value::Null => return Ok(None),
        Value::Object(constraints) => constraints,
        other => return wrong(shown(&other)),
    };
    let mut namespace = None;
    for (name, value) in constraints {
        match value {
            _ if !name.eq_ignore_ascii_case("namespace") => return wrong(format!("the unknown key {name}")),
            Value::String(value) if !value.is_empty() => namespace = Some(value),
            other => return wrong(format!("namespace: {}", shown(&other))),
        }
    }
    Ok(namespace)
}

/// Every value must be of its key's kind, wherever it counts.
fn check(key: &str, value: &Value) -> Result<(), String> {
    let (is_good, expected) = match key {
        ENABLED | REQUIRE_ROLE => (value.is_boolean(), "true or false"),
        PROVIDERS => return check_names(key, value, || ProviderType::ALL.iter().map(|known| known.name())),
        ALGORITHMS => return check_names(key, value, || AlgorithmKind::ALL.iter().map(|known| known.name())),
        ROLES => (
            read_as::<Vec<Vec<IntermediaryRole>>>(value).is_some(),
            "a list of steps, each a list of {RoleARN, RoleSessionName, ExternalID}",
        ),
        SERVICE_ACCOUNTS => (
            read_as::<Vec<Vec<IntermediaryServiceAccount>>>(value).is_some(),
            "a list of steps, each a list of {ServiceAccountEmail}",
        ),
        MAX_INSTANCES => (count(value).is_some(), "a whole number, not negative"),
        VALIDATION_INTERVAL => {
            (time(key, value).is_some(), "a whole number of seconds, or a time such as 90s or 10m")
        }
        _ => (time(key, value).is_some(), "a whole number of milliseconds, or a time such as 500ms or 2s"),
    };
    if is_good { Ok(()) } else { Err(format!("{key}: found {}, expected {expected}", shown(value))) }
}

fn check_names<I>(key: &str, value: &Value, known: impl Fn() -> I) -> Result<(), String>
where
    I: Iterator<Item = &'static str>,
{
    let names = read_as::<Vec<String>>(value)
        .ok_or_else(|| format!("{key}: found {}, expected a list of names", shown(value)))?;
    let Some(unknown) = names.iter().find(|name| known().all(|known| known != name.as_str())) else {
        return Ok(());
    };
    let expected = nearest(unknown, known()).map_or_else(
        || format!("one of {}", known().collect::<Vec<_>>().join(", ")),
        |near| format!("{near} (the nearest known type)"),
    );
    Err(format!("{key}: found {unknown:?}, expected {expected}"))
}

pub(super) fn read_as<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// How many of something.
pub(super) fn count(value: &Value) -> Option<usize> {
    integer(value).and_then(|number| usize::try_from(number).ok())
}

/// A number in the unit that the key counts in, or a time with a unit of its own, such as `500ms`, `60s` or `1m`.
pub(super) fn time(key: &str, value: &Value) -> Option<Millis> {
    debug_assert!([NO_SYNC_INTERVAL, SYNC_INTERVAL, VALIDATION_INTERVAL].contains(&key), "{key} is no time");
    let own = if key == VALIDATION_INTERVAL { 1000 } else { 1 };
    let (number, factor) = match value.as_str() {
        None => (integer(value)?, own),
        Some(text) => {
            let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
            let (number, unit) = text.split_at(split);
            let factor = match unit {
                "" => own,
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return None,
            };
            (number.parse().ok()?, factor)
        }
    };
    number.checked_mul(factor).map(Millis::new)
}
