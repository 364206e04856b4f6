//! Typed reading of configuration maps: strings and numbers alike, the same acceptance rules for everyone.

mod key;
mod nearest;
mod payload;

pub use key::{KeyDoc, KeyKind};
pub use nearest::{nearest, unknown_key};
pub use payload::Config;

use serde_json::{Map, Value};

/// A configuration map as the wire carries it: numbers may be strings, null means absent.
pub type ConfigMap = Map<String, Value>;

/// What is wrong with one entry of a configuration, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: found {found}, expected {expected}")]
pub struct ConfigError {
    /// The key.
    pub key: String,
    /// What was found there.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl ConfigError {
    /// An error about `key`.
    #[must_use]
    pub fn new(key: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { key: key.to_owned(), found: found.into(), expected: expected.into() }
    }
}

/// Reads typed values from a map whose keys are all known.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    values: &'a ConfigMap,
}

impl<'a> Reader<'a> {
    /// Makes sure that every key of the map is one of `keys`.
    ///
    /// # Errors
    /// Names the unknown key and the nearest known one.
    pub fn new(values: &'a ConfigMap, keys: &[KeyDoc]) -> Result<Self, ConfigError> {
        let known = |key: &str| keys.iter().any(|doc| doc.key == key);
        match values.keys().find(|key| !known(key)) {
            Some(key) => Err(unknown_key(key, keys.iter().map(|doc| doc.key))),
            None => Ok(Self { values }),
        }
    }

    /// The entry of a key; null is absent.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// A whole number or its default.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    #[expect(clippy::cast_possible_truncation, reason = "defaults of integers are written as whole numbers")]
    #[expect(clippy::cast_precision_loss, reason = "limits are far below the numbers that lose precision")]
    pub fn integer(&self, doc: &KeyDoc) -> Result<i64, ConfigError> {
        let Some(value) = self.value(doc.key) else { return Ok(doc.default.unwrap_or_default() as i64) };
        match integer(value) {
            Some(number) if doc.admits(number as f64) => Ok(number),
            _ => Err(wrong(doc, value)),
        }
    }

    /// A number of workers or its default.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn count(&self, doc: &KeyDoc) -> Result<u32, ConfigError> {
        let number = self.integer(doc)?;
        u32::try_from(number).map_err(|_| ConfigError::new(doc.key, number.to_string(), doc.to_string()))
    }

    /// A finite number or its default.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn number(&self, doc: &KeyDoc) -> Result<f64, ConfigError> {
        let Some(value) = self.value(doc.key) else { return Ok(doc.default.unwrap_or_default()) };
        match number(value) {
            Some(number) if doc.admits(number) => Ok(number),
            _ => Err(wrong(doc, value)),
        }
    }
}

fn wrong(doc: &KeyDoc, value: &Value) -> ConfigError {
    ConfigError::new(doc.key, shown(value), doc.to_string())
}

/// A whole number, however it is written; none for a fraction, for text that Go's `ParseInt` refuses and for
/// numbers beyond `i64`.
#[must_use]
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        _ => None,
    }
}

/// A float that is a whole number within `i64`.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
pub(crate) fn whole(number: f64) -> Option<i64> {
    // The largest i64 is no f64; the first float beyond it is 2^63.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-BEYOND..BEYOND).contains(&number)).then_some(number as i64)
}

/// A finite number, however it is written.
#[must_use]
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => crate::parse_number(text)?,
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    f64::is_finite(number).then_some(number)
}

/// A value for an error text; never longer than a line.
#[must_use]
pub fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// What kind of value it is, for error texts that must not show the value itself.
#[must_use]
pub const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
