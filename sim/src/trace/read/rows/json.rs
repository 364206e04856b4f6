//! One JSON object: the values of some keys as they stand, everything else unread.

use super::Cells;
use crate::trace::error::Fault;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Puts the values of `keys` in order of the keys, each as its JSON text, a string without its quotes.
pub(super) fn read_object(line: &[u8], keys: &[String], cells: &mut Cells) -> Result<(), Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::bad_record("bytes that are no UTF-8", "JSON"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let values = ObjectSeed { keys }
        .deserialize(&mut json)
        .and_then(|values| json.end().map(|()| values))
        .map_err(|e| Fault::bad_record(format!("no JSON object ({e})"), "one JSON object a line"))?;
    for value in &values {
        push_value(value.map_or("", RawValue::get), cells);
    }
    Ok(())
}

fn push_value(raw: &str, cells: &mut Cells) {
    if !raw.starts_with('"') {
        cells.push(if raw == "null" { b"" } else { raw.as_bytes() });
    } else if let Ok(text) = serde_json::from_str::<String>(raw) {
        cells.push(text.as_bytes());
    } else {
        cells.push(raw.as_bytes());
    }
}

/// Reads an object and keeps the raw values of some keys.
struct ObjectSeed<'k> {
    keys: &'k [String],
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut values = vec![None; self.keys.len()];
        while let Some(wanted) = map.next_key_seed(KeySeed { keys: self.keys })? {
            match wanted {
                Some(index) => values[index] = Some(map.next_value::<&'de RawValue>()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(values)
    }
}

/// Finds a key's index without keeping its text.
struct KeySeed<'k> {
    keys: &'k [String],
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.keys.iter().position(|k| k == key))
    }
}
