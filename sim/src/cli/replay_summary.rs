//! What another spec would have decided differently, in a few lines.

use crate::report::units::{count, plural, utc};
use crate::report::why::{Direction, direction};
use std::collections::BTreeMap;
use std::fmt;
use wci_core::decision::GroupName;
use wci_core::journal::OpenLoopStep;
use wci_core::{Decision, Timestamp};

/// How the decisions of two specs on the same inputs differ.
#[derive(Debug, Default, PartialEq)]
pub struct Differences {
    steps: u64,
    equal: u64,
    kinds: BTreeMap<&'static str, u64>,
    first: Option<Timestamp>,
    recorded: BTreeMap<GroupName, i64>,
    other: BTreeMap<GroupName, i64>,
}

impl Differences {
    /// Compares what was decided on each input.
    pub fn of(steps: &[OpenLoopStep]) -> Self {
        let mut found = Self::default();
        for step in steps {
            found.steps += 1;
            add_starts(&mut found.recorded, &step.recorded);
            add_starts(&mut found.other, &step.other);
            if is_equal(&step.recorded, &step.other) {
                found.equal += 1;
            } else {
                *found.kinds.entry(kind(&step.recorded, &step.other)).or_default() += 1;
                found.first.get_or_insert(step.t);
            }
        }
        found
    }
}

/// Whether both would have done the same; the words and numbers of the reasons may differ.
pub fn is_equal(recorded: &[Decision], other: &[Decision]) -> bool {
    deeds(recorded) == deeds(other)
}

/// What a step did to each group; a decision that does nothing leaves no trace.
fn deeds(decisions: &[Decision]) -> Vec<(&str, Option<i64>, Option<i64>)> {
    let acting = decisions.iter().filter(|decision| decision.action_id.is_some());
    let mut deeds: Vec<_> = acting
        .map(|decision| {
            let reason = &decision.reason;
            let current = reason.input("current_workers").map(|n| n as i64);
            (&*decision.group, current, reason.desired_workers)
        })
        .collect();
    deeds.sort_unstable();
    deeds
}

fn kind(recorded: &[Decision], other: &[Decision]) -> &'static str {
    match (deeds(recorded).is_empty(), deeds(other).is_empty()) {
        (false, true) => "this spec would have done nothing",
        (true, false) => "this spec would have acted where nothing was done",
        _ => "both act, but not the same",
    }
}

/// Workers that the actions start, less those they end.
fn add_starts(sums: &mut BTreeMap<GroupName, i64>, decisions: &[Decision]) {
    for decision in decisions.iter().filter(|decision| decision.action_id.is_some()) {
        let reason = &decision.reason;
        let desired = reason.desired_workers.unwrap_or(0);
        let change = match reason.input("current_workers") {
            Some(current) => desired - current as i64,
            // A size that is set again changes no plan.
            None if direction(decision) == Direction::Set => 0,
            None => desired,
        };
        *sums.entry(decision.group.clone()).or_default() += change;
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differ = self.steps - self.equal;
        let inputs = plural(self.steps, "input", "inputs");
        writeln!(
            f,
            "{inputs} with a decision: on {} both do the same, on {} not",
            count(self.equal),
            count(differ)
        )?;
        for (kind, n) in &self.kinds {
            writeln!(f, "  {:>9} x {kind}", count(*n))?;
        }
        if let Some(first) = self.first {
            writeln!(f, "first difference at {}", utc(first.as_millis()))?;
        }
        let groups: std::collections::BTreeSet<_> = self.recorded.keys().chain(self.other.keys()).collect();
        for group in groups {
            let net = |sums: &BTreeMap<GroupName, i64>| sums.get(group).copied().unwrap_or(0);
            let (recorded, other) = (net(&self.recorded), net(&self.other));
            writeln!(f, "{group}: net workers started {recorded:+}, with this spec {other:+}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::decision;
    use wci_core::decision::{ActionId, Rule};

    fn start(workers: i64) -> Decision {
        let mut start = decision("a", Rule::NoSyncMatch, None, true);
        start.action_id = Some(ActionId(workers as u64));
        start.reason = start.reason.wishing(workers, workers, None);
        start
    }

    #[test]
    fn counts_what_agrees_what_differs_and_the_workers() {
        let step = |n: u64, recorded: Vec<Decision>, other: Vec<Decision>| OpenLoopStep {
            n,
            t: Timestamp::from_millis(n as i64 * 1000),
            recorded,
            other,
        };
        let nothing = || decision("a", Rule::NoChange, None, false);
        let mut same = start(1);
        same.action_id = Some(ActionId(99));
        let steps = [
            step(1, vec![start(1)], vec![same]),
            step(2, vec![nothing()], vec![]),
            step(3, vec![start(1)], vec![nothing()]),
            step(4, vec![nothing()], vec![start(2)]),
            step(5, vec![start(1)], vec![start(3)]),
        ];
        let text = Differences::of(&steps).to_string();
        for part in [
            "5 inputs with a decision: on 2 both do the same, on 3 not",
            "1 x this spec would have done nothing",
            "1 x this spec would have acted where nothing was done",
            "1 x both act, but not the same",
            "first difference at 1970-01-01 00:00:03 UTC",
            "a: net workers started +3, with this spec +6",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
