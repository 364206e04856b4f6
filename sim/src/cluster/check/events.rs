//! Events that cannot happen, or that would pass without any effect.

use super::key;
use crate::cluster::scenario::{ClusterScenario, NodeEvent, NodeEventKind, millis};
use crate::scenario::{Problem, Span};
use std::collections::BTreeMap;
use wci_core::cluster::NodeId;

/// How a node stands.
#[derive(Clone, Copy)]
enum Standing {
    Works,
    Silent,
    Gone,
}

impl Standing {
    /// What it is after something has happened to it; none: that cannot happen, or changes nothing.
    const fn after(self, kind: NodeEventKind) -> Option<Self> {
        use NodeEventKind::{Crash, Join, Leave, Return, Silent};
        match (self, kind) {
            (Self::Gone, Join) | (Self::Silent, Return) => Some(Self::Works),
            (Self::Works, Silent) => Some(Self::Silent),
            (Self::Works | Self::Silent, Leave | Crash) => Some(Self::Gone),
            _ => None,
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Works => ("works", "leave, silent or crash"),
            Self::Silent => ("is silent", "return, leave or crash"),
            Self::Gone => ("is not there", "join"),
        }
    }
}

impl ClusterScenario {
    /// Nothing can happen to a node that was never there.
    pub(super) fn event_problems(&self) -> Vec<Problem> {
        let problem = |(index, event): (usize, &NodeEvent)| {
            let path = key("event").item(index, None).key("node");
            let found = format!("{:?}", &*event.node);
            if event.node.trim().is_empty() {
                return Some(Problem::value(&path, found, "the name of a node"));
            }
            let joins = |other: &NodeEvent| {
                other.kind == NodeEventKind::Join && other.node == event.node && other.at <= event.at
            };
            let is_there = self.nodes.contains(&event.node) || self.events.iter().any(joins);
            (!is_there).then(|| {
                let names: Vec<&str> = self.nodes.iter().map(|name| &**name).collect();
                let expected = format!("one of {}, or a node that has joined before", names.join(", "));
                Problem::value(&path, found, expected)
            })
        };
        self.events.iter().enumerate().filter_map(problem).collect()
    }

    /// Events that change nothing, because the node is not as they take it to be.
    pub(super) fn idle_events(&self) -> Vec<Problem> {
        let mut standings: BTreeMap<&NodeId, Standing> =
            self.nodes.iter().map(|node| (node, Standing::Works)).collect();
        let mut events: Vec<(usize, &NodeEvent)> = self.events.iter().enumerate().collect();
        events.sort_by_key(|(_, event)| event.at);
        let mut problems = Vec::new();
        for (index, event) in events {
            let standing = standings.entry(&event.node).or_insert(Standing::Gone);
            match standing.after(event.kind) {
                Some(next) => *standing = next,
                // Chance may have done something else to this one before.
                None if self.failures.is_some() && self.nodes.contains(&event.node) => {}
                None => {
                    let (is, expected) = standing.words();
                    let found = format!(
                        "{:?}, which changes nothing, as {} {is} then",
                        event.kind.name(),
                        &*event.node
                    );
                    problems.push(Problem::value(
                        &key("event").item(index, None).key("kind"),
                        found,
                        expected,
                    ));
                }
            }
        }
        problems
    }

    /// Beyond the horizon nothing happens.
    pub(super) fn lateness_problems(&self) -> Vec<Problem> {
        let events = self.events.iter().enumerate().map(|(index, event)| ("event", index, "at", event.at));
        let changes =
            self.changes.iter().enumerate().map(|(index, change)| ("change", index, "at", change.at));
        let faults =
            self.faults.iter().enumerate().map(|(index, fault)| ("fault", index, "from", fault.from));
        let late = events.chain(changes).chain(faults).filter(|(.., at)| millis(*at) > self.horizon);
        let horizon = Span(self.horizon.get().unsigned_abs().saturating_mul(crate::model::MILLI));
        late.map(|(list, index, of, at)| {
            let path = key(list).item(index, None).key(of);
            Problem::value(&path, at.to_string(), format!("at most the horizon, {horizon}"))
        })
        .collect()
    }
}
