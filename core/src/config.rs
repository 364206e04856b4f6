//! Typed reading of configuration maps: strings and numbers alike, the same acceptance rules for everyone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

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

/// What belongs under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A whole number that fits `i64`.
    Integer,
    /// A finite number.
    Number,
    /// Text, or a reference to a secret.
    Text,
    /// Text, a list of texts, or a reference to a secret.
    TextOrList,
}

/// Everything there is to say about one key, for reading it, for the docs, the JSON schema and the browser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KeyDoc {
    /// The key.
    pub key: &'static str,
    /// What belongs there.
    pub kind: KeyKind,
    /// What an absent number means; text has no default.
    pub default: Option<f64>,
    /// The smallest number allowed.
    pub minimum: Option<f64>,
    /// Whether the minimum itself is too small.
    pub is_minimum_excluded: bool,
    /// The largest number allowed.
    pub maximum: Option<f64>,
    /// Unit of the number, empty if it has none.
    pub unit: &'static str,
    /// Whether a live host refuses a spec without it.
    pub is_required: bool,
    /// One sentence for people.
    pub help: &'static str,
}

impl KeyDoc {
    const fn new(key: &'static str, kind: KeyKind, default: Option<f64>) -> Self {
        Self {
            key,
            kind,
            default,
            minimum: None,
            is_minimum_excluded: false,
            maximum: None,
            unit: "",
            is_required: false,
            help: "",
        }
    }

    /// A whole number, at least 0 unless another minimum is named.
    #[must_use]
    pub const fn integer(key: &'static str, default: i32) -> Self {
        Self::new(key, KeyKind::Integer, Some(default as f64)).at_least(0.0)
    }

    /// A number of workers: a whole number that fits the wire's `i32`, at least 0.
    #[must_use]
    pub const fn count(key: &'static str, default: i32) -> Self {
        Self::integer(key, default).at_most(i32::MAX as f64).unit("workers")
    }

    /// A span of time in milliseconds, at least 0 unless another minimum is named.
    #[must_use]
    pub const fn millis(key: &'static str, default: i32) -> Self {
        Self::integer(key, default).unit("ms")
    }

    /// A finite number, at least 0 unless another minimum is named.
    #[must_use]
    pub const fn number(key: &'static str, default: f64) -> Self {
        Self::new(key, KeyKind::Number, Some(default)).at_least(0.0)
    }

    /// Text.
    #[must_use]
    pub const fn text(key: &'static str) -> Self {
        Self::new(key, KeyKind::Text, None)
    }

    /// Text or a list of texts.
    #[must_use]
    pub const fn text_or_list(key: &'static str) -> Self {
        Self::new(key, KeyKind::TextOrList, None)
    }

    /// With the smallest number allowed.
    #[must_use]
    pub const fn at_least(mut self, minimum: f64) -> Self {
        self.minimum = Some(minimum);
        self.is_minimum_excluded = false;
        self
    }

    /// With a number that is just too small.
    #[must_use]
    pub const fn above(mut self, minimum: f64) -> Self {
        self.minimum = Some(minimum);
        self.is_minimum_excluded = true;
        self
    }

    /// With the largest number allowed.
    #[must_use]
    pub const fn at_most(mut self, maximum: f64) -> Self {
        self.maximum = Some(maximum);
        self
    }

    /// With a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// With a sentence for people.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// A live host refuses a spec without it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    fn admits(&self, number: f64) -> bool {
        let is_large_enough = match self.minimum {
            Some(minimum) if self.is_minimum_excluded => number > minimum,
            Some(minimum) => number >= minimum,
            None => true,
        };
        is_large_enough && self.maximum.is_none_or(|maximum| number <= maximum)
    }
}

/// What would be right, in words: `an integer of at least 0 and at most 10`.
impl fmt::Display for KeyDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            KeyKind::Integer => "an integer",
            KeyKind::Number => "a finite number",
            KeyKind::Text => "a string or {\"secret_ref\": \"env:NAME\" or \"file:NAME\"}",
            KeyKind::TextOrList => "a string or a list of strings",
        })?;
        match (self.minimum, self.is_minimum_excluded) {
            (Some(minimum), true) => write!(f, " above {minimum}")?,
            (Some(minimum), false) => write!(f, " of at least {minimum}")?,
            (None, _) => {}
        }
        match self.maximum {
            Some(maximum) if self.minimum.is_some() => write!(f, " and at most {maximum}"),
            Some(maximum) => write!(f, " of at most {maximum}"),
            None => Ok(()),
        }
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
        Value::String(text) => text.parse().ok()?,
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

/// The error about a key that nobody knows.
pub fn unknown_key<'a>(key: &str, known: impl Iterator<Item = &'a str> + Clone) -> ConfigError {
    let expected = match nearest(key, known.clone()) {
        Some(near) => format!("{near} (the nearest known key)"),
        None => {
            let all: Vec<&str> = known.collect();
            if all.is_empty() { "no keys at all".to_owned() } else { format!("one of {}", all.join(", ")) }
        }
    };
    ConfigError::new(key, "an unknown key", expected)
}

/// The known word that a misspelt one most likely means, if any is near enough.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, near) =
        known.map(|k| (edit_distance(word, k), k)).min_by_key(|(distance, _)| *distance)?;
    (distance * 2 <= near.len().max(2)).then_some(near)
}

/// Levenshtein's distance without regard to case, over at most the first 64 characters of each word.
fn edit_distance(a: &str, b: &str) -> usize {
    let chars = |s: &str| s.chars().take(64).map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (chars(a), chars(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

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

#[cfg(test)]
mod tests;
