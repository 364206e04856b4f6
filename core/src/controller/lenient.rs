//! Reading of JSON that may be damaged: what can be read is taken, the rest gets its default.

use crate::gather;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Takes a field out of the map; a missing or unreadable one gets its default.
pub(super) fn take<T: DeserializeOwned + Default>(map: &mut Map<String, Value>, name: &str) -> T {
    map.remove(name).and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

/// Takes a list, without the elements that cannot be read.
pub(super) fn take_list<T: DeserializeOwned>(map: &mut Map<String, Value>, name: &str) -> Vec<T> {
    match map.remove(name) {
        Some(Value::Array(items)) => {
            items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect()
        }
        _ => Vec::new(),
    }
}

/// Takes a map, without the entries that cannot be read.
pub(super) fn take_map<K: From<String> + Ord, T: DeserializeOwned>(
    map: &mut Map<String, Value>,
    name: &str,
) -> BTreeMap<K, T> {
    match map.remove(name) {
        Some(Value::Object(entries)) => {
            let read = |(key, value)| Some((K::from(key), serde_json::from_value(value).ok()?));
            gather(entries.into_iter().filter_map(read))
        }
        _ => BTreeMap::new(),
    }
}
