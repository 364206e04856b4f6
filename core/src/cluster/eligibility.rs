//! Which tasks a scan touches.

use super::TaskId;
use serde::{Deserialize, Serialize};

/// What a scan has to know of a distributed task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Its identifier.
    pub oid: TaskId,
    /// Its name.
    pub name: String,
    /// Identifiers of its archetypes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archetypes: Vec<String>,
    /// Whether it runs.
    pub is_running: bool,
    /// Whether it waits for its children, as a coordinator does while workers work.
    pub waits_for_children: bool,
    /// Whether it may be touched.
    #[serde(default)]
    pub auto_scaling: AutoScaling,
}

/// The task's own word on being touched: as the documentation has it, or as the code has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoScaling {
    /// `distribution.autoScaling.enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `autoScaling.mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// `autoScaling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The task is touched.
    Enabled,
    /// It is left alone.
    Disabled,
}

impl AutoScaling {
    /// What two places say of one task: each word from the first place that has it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { enabled: self.enabled.or(other.enabled), mode: self.mode.or(other.mode) }
    }

    /// Enabled unless either word says otherwise.
    #[must_use]
    pub fn is_enabled(self) -> bool {
        self.enabled != Some(false) && self.mode != Some(Mode::Disabled)
    }
}

/// The `tasks` that a scan is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Every task.
    #[default]
    All,
    /// Those that any of these describes.
    AnyOf(Vec<Selector>),
}

/// One description of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// That identifier.
    Oid(String),
    /// That name.
    Name(String),
    /// Among its archetypes, that one.
    Archetype(String),
}

impl Selection {
    /// Whether the task is one of these.
    #[must_use]
    pub fn matches(&self, task: &TaskFacts) -> bool {
        let is_described = |selector: &Selector| match selector {
            Selector::Oid(oid) => *task.oid.0 == **oid,
            Selector::Name(name) => task.name == *name,
            Selector::Archetype(archetype) => task.archetypes.contains(archetype),
        };
        match self {
            Self::All => true,
            Self::AnyOf(selectors) => selectors.iter().any(is_described),
        }
    }
}

/// Why a task is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    /// It does not run.
    #[error("it does not run")]
    NotRunning,
    /// It does not wait for children, so it has no workers at work.
    #[error("it does not wait for its children")]
    NotWaiting,
    /// The selection does not name it.
    #[error("it is not among the selected tasks")]
    NotSelected,
    /// Its definition says no.
    #[error("its definition disables auto-scaling")]
    Disabled,
}

/// Whether a scan touches this task.
///
/// # Errors
/// Says why not.
pub fn check(task: &TaskFacts, selection: &Selection) -> Result<(), Ineligible> {
    let conditions = [
        (task.is_running, Ineligible::NotRunning),
        (task.waits_for_children, Ineligible::NotWaiting),
        (selection.matches(task), Ineligible::NotSelected),
        (task.auto_scaling.is_enabled(), Ineligible::Disabled),
    ];
    conditions.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskFacts {
        TaskFacts {
            oid: "7c1".into(),
            name: "Recompute".into(),
            archetypes: vec!["bulk".into()],
            is_running: true,
            waits_for_children: true,
            auto_scaling: AutoScaling::default(),
        }
    }

    #[test]
    fn a_task_that_runs_and_waits_is_touched_by_default() {
        assert_eq!(check(&task(), &Selection::default()), Ok(()));
    }

    #[test]
    fn every_condition_counts() {
        let all = Selection::All;
        assert_eq!(check(&TaskFacts { is_running: false, ..task() }, &all), Err(Ineligible::NotRunning));
        assert_eq!(
            check(&TaskFacts { waits_for_children: false, ..task() }, &all),
            Err(Ineligible::NotWaiting)
        );
        assert_eq!(check(&task(), &Selection::AnyOf(Vec::new())), Err(Ineligible::NotSelected));
    }

    #[test]
    fn either_word_disables_and_neither_enables() {
        let says = |enabled, mode| {
            check(&TaskFacts { auto_scaling: AutoScaling { enabled, mode }, ..task() }, &Selection::All)
        };
        assert_eq!(says(Some(false), None), Err(Ineligible::Disabled));
        assert_eq!(says(None, Some(Mode::Disabled)), Err(Ineligible::Disabled));
        assert_eq!(says(Some(false), Some(Mode::Enabled)), Err(Ineligible::Disabled));
        assert_eq!(says(Some(true), Some(Mode::Enabled)), Ok(()));
        assert_eq!(says(None, None), Ok(()));
    }

    #[test]
    fn selections_go_by_oid_name_or_archetype() {
        let is_selected =
            |selector| Selection::AnyOf(vec![Selector::Oid("none".into()), selector]).matches(&task());
        assert!(is_selected(Selector::Oid("7c1".into())));
        assert!(is_selected(Selector::Name("Recompute".into())));
        assert!(is_selected(Selector::Archetype("bulk".into())));
        assert!(!is_selected(Selector::Name("recompute".into())));
    }
}
