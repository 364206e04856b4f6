//! Specs and groups in files; `-` is stdin.

use super::Failed;
use serde_json::Value;
use std::io::Read;
use wci_core::Spec;

/// Reads the JSON in a file.
pub(super) fn read_json(path: &str) -> Result<Value, Failed> {
    let mut text = String::new();
    let read = if path == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|e| Failed::Usage(format!("{path}: {e}")))?;
    serde_json::from_str(&text)
        .map_err(|e| Failed::Usage(format!("{path}, line {}: found no JSON ({e})", e.line())))
}

/// Reads and checks a spec; what comes back is the text as it was written.
pub(super) fn read_spec(path: &str) -> Result<Value, Failed> {
    let value = read_json(path)?;
    let checked = Spec::from_json(&value).and_then(|spec| spec.check_complete());
    checked.map_err(|e| Failed::Usage(format!("{path}: {e}")))?;
    Ok(value)
}
