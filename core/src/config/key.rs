//! What there is to say about a key of a configuration, in one place for reading it and for describing it.

use serde::Serialize;
use std::fmt;

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

    pub(super) fn admits(&self, number: f64) -> bool {
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
