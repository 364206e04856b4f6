//! Two processes that serve the same controllers with different settings undo each other's at every decision. That
//! is said, once for each pair of settings.

use super::decide::Question;
use crate::provider::VersionName;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wci_core::controller::Settings;
use wci_core::{Millis, Timestamp};

/// Processes that share one dynamic config read a change of it within less.
const SOON: Millis = Millis::from_secs(30);
/// So many pairs of settings are remembered.
const MOST: usize = 16;

/// What this process has last set, and what it has said.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    set: BTreeMap<VersionName, Settings>,
    rivalries: Vec<Rivalry>,
}

/// Settings that somebody else gives to controllers in the place of ours.
#[derive(Debug)]
struct Rivalry {
    theirs: Settings,
    own: Settings,
    since: Timestamp,
    is_told: bool,
}

impl Rivals {
    /// Looks at the settings that a controller has and those that this process is about to give it. If for some time
    /// they are again and again not those that this process gave it, somebody else is at work: in which settings, is
    /// what comes back.
    ///
    /// A difference by itself says nothing: the dynamic config may have changed, or a process with other options may
    /// have taken the place of a former one.
    pub(super) fn note(&self, question: &Question, own: &Settings, now: Timestamp) -> Option<String> {
        let name = question.version_name();
        let mut memory = self.memory();
        let is_unchanged_here = memory.set.get(&name) == Some(own);
        if !is_unchanged_here {
            memory.set.insert(name, own.clone());
        }
        let found = question.settings.as_ref().or(question.former.as_ref());
        let theirs = found.filter(|theirs| is_unchanged_here && *theirs != own)?;
        memory.meet(theirs, own, now)
    }

    /// Forgets a controller that is gone.
    pub(super) fn forget(&self, gone: &VersionName) {
        self.memory().set.remove(gone);
    }

    /// The controllers that were given settings here.
    pub(super) fn controllers(&self) -> BTreeSet<VersionName> {
        self.memory().set.keys().cloned().collect()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn meet(&mut self, theirs: &Settings, own: &Settings, now: Timestamp) -> Option<String> {
        let known =
            self.rivalries.iter_mut().find(|rivalry| rivalry.theirs == *theirs && rivalry.own == *own);
        let Some(known) = known else {
            if self.rivalries.len() == MOST {
                self.rivalries.remove(0);
            }
            let (theirs, own) = (theirs.clone(), own.clone());
            self.rivalries.push(Rivalry { theirs, own, since: now, is_told: false });
            return None;
        };
        if known.is_told || now.since(known.since) < SOON {
            return None;
        }
        known.is_told = true;
        Some(differences(theirs, own))
    }
}

/// Each setting that differs, with both values.
fn differences(theirs: &Settings, own: &Settings) -> String {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (theirs, own) = (fields(theirs), fields(own));
    let names = theirs.keys().chain(own.keys().filter(|name| !theirs.contains_key(*name)));
    let value = |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or_default();
    let differing = names.filter(|name| value(&theirs, name) != value(&own, name));
    let said =
        differing.map(|name| format!("{name}: {} there, {} here", value(&theirs, name), value(&own, name)));
    said.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::controller::WorkerDeploymentVersion;

    fn question(build_id: &str, settings: &Settings) -> Question {
        let version = WorkerDeploymentVersion { deployment_name: "d".into(), build_id: build_id.into() };
        Question { version, settings: Some(settings.clone()), ..Question::default() }
    }

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    #[test]
    fn a_process_that_undoes_our_settings_is_told_of_once_with_both_values() {
        let (ours, theirs) = (Settings::default(), Settings { enabled: false, ..Settings::default() });
        let rivals = Rivals::default();
        let note = |build, found, secs| rivals.note(&question(build, found), &ours, at(secs));
        assert_eq!(note("1", &theirs, 0), None, "a former process may have set them");
        assert_eq!(note("1", &ours, 60), None);
        assert_eq!(note("1", &theirs, 120), None, "it may be about to read the same dynamic config");
        assert_eq!(note("1", &theirs, 149), None);
        assert_eq!(note("1", &theirs, 150).unwrap(), "enabled: false there, true here");
        assert_eq!(note("1", &theirs, 180), None, "once");
        assert_eq!(note("2", &ours, 190), None);
        assert_eq!(note("2", &theirs, 250), None, "once for all controllers");
    }

    #[test]
    fn what_a_run_inherits_tells_of_a_rival_too() {
        let (ours, theirs) = (Settings::default(), Settings { enabled: false, ..Settings::default() });
        let rivals = Rivals::default();
        let begun = |former| Question { settings: None, former, ..question("1", &ours) };
        assert_eq!(rivals.note(&begun(None), &ours, at(0)), None);
        assert_eq!(rivals.note(&begun(Some(theirs.clone())), &ours, at(60)), None);
        assert!(rivals.note(&begun(Some(theirs)), &ours, at(90)).is_some());
    }

    #[test]
    fn a_change_of_our_own_is_no_rival() {
        let (old, new) = (Settings::default(), Settings { enabled: false, ..Settings::default() });
        let rivals = Rivals::default();
        let note = |found, own, secs| rivals.note(&question("1", found), own, at(secs));
        assert_eq!(note(&old, &old, 0), None);
        assert_eq!(note(&old, &new, 100), None, "the dynamic config was read again");
        assert_eq!(note(&new, &new, 200), None);
        assert_eq!(note(&old, &new, 300), None);
        assert!(note(&old, &new, 400).is_some(), "somebody does not read it");
    }
}
