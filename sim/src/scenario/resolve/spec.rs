//! The spec of the worker controller instance.

use super::{Problems, ROOT};
use crate::scenario::error::Problem;
use crate::scenario::file::File;
use crate::scenario::key::KeyPath;
use serde_json::Value;
use wci_core::spec::SpecError;
use wci_core::{Settings, Spec};

pub(super) fn resolve(file: &File, settings: &Settings, problems: &mut Problems) -> Option<Spec> {
    problems.keep(parse(&file.spec_json(), settings).map_err(|error| problem(&ROOT.key("spec"), error)))
}

/// A spec that this host would run.
pub(super) fn parse(json: &Value, settings: &Settings) -> Result<Spec, SpecError> {
    let spec = Spec::from_json(json)?;
    spec.check_host(settings)?;
    Ok(spec)
}

/// An error of the core with its key in the scenario; `path` is where the spec stands.
pub(super) fn problem(path: &KeyPath, error: SpecError) -> Problem {
    let mut path = path.clone();
    if let Some(group) = &error.group {
        path = path.key("scaling_group_specs").key(group);
    }
    if let Some(key) = &error.key {
        path = key.split('.').fold(path, |path, key| path.key(key));
    }
    Problem::value(&path, error.found, error.expected)
}
