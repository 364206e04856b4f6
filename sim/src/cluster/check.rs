//! What is wrong with a cluster scenario that has the right form: what no single key can say.

use super::scenario::{ClusterScenario, NodeEvent, NodeEventKind};
use crate::model::MILLI;
use crate::scenario::{KeyPath, Problem, Span};
use std::collections::BTreeSet;
use wci_core::cluster::NodeId;

/// Nothing may happen more often than this.
const SHORTEST: Span = Span(100 * MILLI);

impl ClusterScenario {
    /// Everything that is wrong with its meaning.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.node_problems();
        problems.extend(self.task_problems());
        problems.extend(self.timer_problems());
        problems.extend(self.event_problems());
        problems.extend(self.change_problems());
        problems.extend(self.fault_problems());
        problems
    }

    fn node_problems(&self) -> Vec<Problem> {
        let nodes = key("nodes");
        if self.nodes.is_empty() {
            return vec![Problem::value(&nodes, "no nodes", "at least one")];
        }
        let problem = |(index, name): (usize, &NodeId)| {
            let path = nodes.item(index, None);
            if name.trim().is_empty() {
                Some(Problem::value(&path, format!("{name:?}"), "the name of a node"))
            } else if self.nodes[..index].contains(name) {
                Some(Problem::value(&path, format!("{name:?} again"), "each node once"))
            } else {
                None
            }
        };
        self.nodes.iter().enumerate().filter_map(problem).collect()
    }

    fn task_problems(&self) -> Vec<Problem> {
        if self.definitions.tasks.is_empty() {
            let expected = "at least one, here or in the definitions";
            return vec![Problem::value(&key("task"), "no task with workers", expected)];
        }
        let mut seen = BTreeSet::new();
        let tasks = self.definitions.tasks.iter().enumerate();
        let twice = tasks.filter(|(_, task)| !seen.insert(&task.oid));
        // Those of the definitions come first, and the last of two is the one that is too many.
        let own = self.definitions.tasks.len() - self.own_tasks;
        twice
            .map(|(index, task)| {
                let path = key("task").item(index.saturating_sub(own), None).key("name");
                let found = format!("the identifier {:?} a second time", &*task.oid.0);
                Problem::value(&path, found, "each oid once, or each name where there is no oid")
            })
            .collect()
    }

    fn timer_problems(&self) -> Vec<Problem> {
        let timers = &self.timers;
        let (failures, scan) = (self.failures, self.definitions.scan.as_ref());
        let interval = scan.map(|scan| Span(scan.interval.get().unsigned_abs().saturating_mul(MILLI)));
        let shortest = [
            ("timers.check_in", Some(timers.check_in)),
            ("timers.check", Some(timers.check)),
            ("timers.scavenger_poll", Some(timers.scavenger_poll)),
            ("scan.interval", interval),
            ("failures.mean_between", failures.map(|failures| failures.mean_between)),
            ("failures.mean_repair", failures.and_then(|failures| failures.mean_repair)),
            ("work.bucket", self.work.bucket.as_constant().map(|nanos| Span(nanos as u64))),
            ("horizon", Some(Span(self.horizon.get().unsigned_abs().saturating_mul(MILLI)))),
        ];
        let is_short = |(name, span): (&str, Option<Span>)| {
            let span = span.filter(|span| *span < SHORTEST)?;
            Some(Problem::value(&key(name), span.to_string(), format!("at least {SHORTEST}")))
        };
        let silent = [("timers.alive_within", timers.alive_within), ("timers.down_after", timers.down_after)];
        let is_hasty = |(name, span): (&str, Span)| {
            let expected = format!("at least timers.check_in, {}", timers.check_in);
            (span < timers.check_in).then(|| Problem::value(&key(name), span.to_string(), expected))
        };
        let hasty = silent.into_iter().filter_map(is_hasty);
        shortest.into_iter().filter_map(is_short).chain(hasty).collect()
    }

    /// Nothing can happen to a node that was never there.
    fn event_problems(&self) -> Vec<Problem> {
        let problem = |(index, event): (usize, &NodeEvent)| {
            let path = key("event").item(index, None).key("node");
            if event.node.trim().is_empty() {
                return Some(Problem::value(&path, format!("{:?}", &*event.node), "the name of a node"));
            }
            let joins = |other: &NodeEvent| {
                other.kind == NodeEventKind::Join && other.node == event.node && other.at <= event.at
            };
            let is_there = self.nodes.contains(&event.node) || self.events.iter().any(joins);
            (!is_there).then(|| {
                let names: Vec<&str> = self.nodes.iter().map(|name| &**name).collect();
                let expected = format!("one of {}, or a node that has joined before", names.join(", "));
                Problem::value(&path, format!("{:?}", &*event.node), expected)
            })
        };
        self.events.iter().enumerate().filter_map(problem).collect()
    }

    fn change_problems(&self) -> Vec<Problem> {
        let names: Vec<&str> = self.definitions.tasks.iter().map(|task| task.name.as_str()).collect();
        let mut problems = Vec::new();
        for (index, change) in self.changes.iter().enumerate() {
            let path = key("change").item(index, None);
            if let Some(name) = change.task.as_ref().filter(|name| !names.contains(&name.as_str())) {
                problems.push(Problem::unknown_name(&path.key("task"), name, names.iter().copied()));
            }
            if change.count.is_none() && change.scavengers.is_none() && change.suspended.is_none() {
                problems.push(Problem::value(
                    &path,
                    "nothing that changes",
                    "count, scavengers or suspended",
                ));
            }
        }
        problems
    }

    fn fault_problems(&self) -> Vec<Problem> {
        let faults = self.faults.iter().enumerate().filter(|(_, fault)| fault.until <= fault.from);
        faults
            .map(|(index, fault)| {
                let path = key("fault").item(index, None).key("until");
                Problem::value(&path, fault.until.to_string(), format!("later than from, {}", fault.from))
            })
            .collect()
    }
}

/// The path of a dotted key without lists.
fn key(dotted: &str) -> KeyPath {
    dotted.split('.').fold(KeyPath::ROOT, |path, name| path.key(name))
}
