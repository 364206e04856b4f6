//! What several runs of a case are looked at side by side: their course, and how often each rule acted.

use crate::results::{RunResult, Timeline};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How one run went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The course of all groups together; kept of the first replication only.
    pub timeline: Timeline,
    /// How often each rule led to an action, by the rule's name.
    pub actions: BTreeMap<String, u64>,
    /// How often each rule was evaluated and led to none.
    pub passed: BTreeMap<String, u64>,
}

impl Course {
    pub(super) fn of(result: &RunResult, with_timeline: bool) -> Self {
        let mut course = Self::default();
        if with_timeline {
            course.timeline.window_s = result.timeline.window_s;
            course.timeline.total.clone_from(&result.timeline.total);
        }
        for kind in &result.decisions.counts {
            let rule = serde_json::to_value(kind.first.decision.reason.rule).ok();
            let rule = rule.as_ref().and_then(|name| name.as_str()).unwrap_or("other").to_owned();
            let counts = if kind.acted { &mut course.actions } else { &mut course.passed };
            *counts.entry(rule).or_default() += kind.count;
        }
        course
    }
}
