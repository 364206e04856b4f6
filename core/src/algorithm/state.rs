//! One entry of an algorithm's state: typed for the rule, and yet going out exactly as it came while unwritten.

use crate::config::{self, ConfigMap, whole};
use crate::time::{Millis, Timestamp};
use serde_json::Value;

/// A value of the state. Most came in the form in which they would go out; only the others carry what came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot<T> {
    value: Option<T>,
    came_as: Option<Box<Value>>,
}

/// A type that a slot can hold.
pub(super) trait Entry: Copy + PartialEq {
    /// The wire's form.
    fn to_json(self) -> Value;
}

impl<T: Entry> Slot<T> {
    /// Reads an entry; what `read` refuses counts as absent and yet goes out as it came.
    pub(super) fn lenient(state: &ConfigMap, key: &str, read: fn(&Value) -> Option<T>) -> Self {
        let Some(raw) = state.get(key) else { return Self { value: None, came_as: None } };
        let value = read(raw);
        let is_canonical = value.is_some_and(|value| value.to_json() == *raw);
        Self { value, came_as: (!is_canonical).then(|| Box::new(raw.clone())) }
    }

    /// Reads an entry; what `read` refuses is dropped.
    pub(super) fn strict(state: &ConfigMap, key: &str, read: fn(&Value) -> Option<T>) -> Self {
        let slot = Self::lenient(state, key, read);
        if slot.value.is_some() { slot } else { Self { value: None, came_as: None } }
    }

    pub(super) const fn get(&self) -> Option<T> {
        self.value
    }

    pub(super) fn set(&mut self, value: T) {
        *self = Self { value: Some(value), came_as: None };
    }

    pub(super) fn clear(&mut self) {
        *self = Self { value: None, came_as: None };
    }

    /// Writes the entry, if there is one.
    pub(super) fn write(&self, key: &str, state: &mut ConfigMap) {
        let written = match (&self.came_as, self.value) {
            (Some(raw), _) => (**raw).clone(),
            (None, Some(value)) => value.to_json(),
            (None, None) => return,
        };
        state.insert(key.to_owned(), written);
    }
}

/// Times of the state, in milliseconds since the Unix epoch; an unset one counts as the epoch.
impl Slot<i64> {
    pub(super) fn elapsed(&self, now: Timestamp) -> Millis {
        now.since(Timestamp::from_millis(self.value.unwrap_or(0)))
    }

    /// Takes the present time down. A time before the epoch would be dropped when the state is read again.
    pub(super) fn stamp(&mut self, now: Timestamp) {
        self.set(now.as_millis().max(0));
    }
}

impl Entry for i64 {
    fn to_json(self) -> Value {
        self.into()
    }
}

impl Entry for u32 {
    fn to_json(self) -> Value {
        self.into()
    }
}

/// Whole numbers go out without a point, as the original writes them.
impl Entry for f64 {
    fn to_json(self) -> Value {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        let is_negative_zero = self == 0.0 && self.is_sign_negative();
        match whole(self) {
            Some(number) if self.abs() < EXACT && !is_negative_zero => number.into(),
            _ => self.into(),
        }
    }
}

/// How `no-sync` reads a whole number: text counts, a fraction is cut off.
#[expect(clippy::cast_possible_truncation, reason = "saturates by definition")]
pub(super) fn lenient_integer(value: &Value) -> Option<i64> {
    config::integer(value).or_else(|| value.as_f64().map(|number| number as i64))
}

/// How `no-sync` reads a number: text counts.
pub(super) fn lenient_number(value: &Value) -> Option<f64> {
    config::number(value)
}

/// A whole number that is not negative; text does not count.
pub(super) fn time(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    number.as_i64().or_else(|| number.as_f64().and_then(whole)).filter(|time| *time >= 0)
}

/// A number of workers as the wire's `i32` holds it; text does not count.
pub(super) fn count(value: &Value) -> Option<u32> {
    i32::try_from(time(value)?).ok()?.try_into().ok()
}

/// A finite number; text does not count.
pub(super) fn finite(value: &Value) -> Option<f64> {
    value.as_number()?.as_f64().filter(|number| number.is_finite())
}

/// A finite number above zero; text does not count.
pub(super) fn positive(value: &Value) -> Option<f64> {
    finite(value).filter(|number| *number > 0.0)
}
