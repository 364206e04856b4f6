//! Which group serves which task type in which region.

use super::{ScalingGroup, Spec, SpecError};
use crate::decision::GroupName;
use crate::metrics::TaskQueueType;
use std::collections::BTreeMap;

impl Spec {
    /// The group that serves a task type in a region (none: a host without a region).
    ///
    /// A regional group that lists the type comes first, then the regional catch-all, then a global group that
    /// lists the type, then the global catch-all.
    #[must_use]
    pub fn group_for(&self, task_type: TaskQueueType, region: Option<&str>) -> Option<&GroupName> {
        let candidates = self.groups.iter().filter_map(|(name, group)| {
            let is_regional = group.is_in(region)?;
            let lists = group.task_types.contains(&task_type);
            (lists || group.is_catch_all()).then_some((is_regional, lists, name))
        });
        candidates.max_by_key(|(is_regional, lists, _)| (*is_regional, *lists)).map(|(_, _, name)| name)
    }

    /// The task types that a group serves in a region, in the order workflow, activity, nexus.
    pub fn effective_task_types(
        &self,
        group: &str,
        region: Option<&str>,
    ) -> impl Iterator<Item = TaskQueueType> {
        let serves = move |task_type: &TaskQueueType| {
            self.group_for(*task_type, region).is_some_and(|name| **name == *group)
        };
        TaskQueueType::ALL.into_iter().filter(serves)
    }
}

impl ScalingGroup {
    /// Whether the group gets every type that no other group claims.
    #[must_use]
    pub const fn is_catch_all(&self) -> bool {
        self.task_types.is_empty()
    }

    /// Whether it serves a region as one of its own (`true`) or as everybody's (`false`); none: not at all.
    fn is_in(&self, region: Option<&str>) -> Option<bool> {
        if self.region_ids.is_empty() {
            return Some(false);
        }
        region.filter(|region| self.region_ids.iter().any(|id| id == region)).map(|_| true)
    }

    /// A region in which both stand on the same level, in words.
    fn shared_region(&self, other: &Self) -> Option<String> {
        if self.region_ids.is_empty() && other.region_ids.is_empty() {
            return Some(String::new());
        }
        let shared = self.region_ids.iter().find(|id| other.region_ids.contains(id))?;
        Some(format!(" in region {shared}"))
    }
}

/// Whether the text can name a region: `^[a-z0-9]+(-[a-z0-9]+)*$`.
#[must_use]
pub fn is_region_id(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(is_part)
}

/// Every task type, and the catch-all, at most once a region.
pub(super) fn check_unique(groups: &BTreeMap<GroupName, ScalingGroup>) -> Result<(), SpecError> {
    for (i, (name, group)) in groups.iter().enumerate() {
        for (other_name, other) in groups.iter().take(i) {
            if let Some(place) = group.shared_region(other) {
                check_pair(group, (other_name, other), &place).map_err(|e| e.in_group(name))?;
            }
        }
    }
    Ok(())
}

fn check_pair(
    group: &ScalingGroup,
    (other_name, other): (&GroupName, &ScalingGroup),
    place: &str,
) -> Result<(), SpecError> {
    let clash = |found: String, expected: &str| Err(SpecError::new(found, expected).at("task_types"));
    if group.is_catch_all() && other.is_catch_all() {
        let found = format!("no task types, as in scaling group {other_name:?}{place}");
        return clash(found, "at most one group without task types");
    }
    match group.task_types.iter().find(|t| other.task_types.contains(t)) {
        Some(t) => {
            let name = t.name().to_ascii_uppercase();
            let found = format!("{name}, which scaling group {other_name:?} lists too{place}");
            clash(found, "each task type in one group")
        }
        None => Ok(()),
    }
}
