//! Nodes that crash by chance: the same scenario under another seed has other crashes.

use super::scenario::{NodeEvent, NodeEventKind};
use crate::dist::unit_exponential;
use crate::model::Nanos;
use crate::rng::Stream;
use crate::scenario::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use wci_core::cluster::NodeId;

/// How often nodes crash, and how long they are away; both times exponential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// How long a node works on average until it crashes.
    pub mean_between: Span,
    /// How long it is away on average. Default: no node comes back.
    #[serde(default)]
    pub mean_repair: Option<Span>,
}

impl Failures {
    /// The crashes and returns of these nodes before `until`, each node with luck of its own.
    pub(super) fn draw(&self, nodes: &[NodeId], until: Nanos, seed: u64) -> Vec<NodeEvent> {
        nodes.iter().flat_map(|node| self.of_node(node, until, seed)).collect()
    }

    fn of_node(&self, node: &NodeId, until: Nanos, seed: u64) -> Vec<NodeEvent> {
        let mut luck = Stream::named(seed, &format!("{node}/crashes"));
        let mut draw = |mean: Span| (unit_exponential(&mut luck) * mean.0 as f64) as Nanos;
        let mut events = Vec::new();
        let mut now = 0_u64;
        let mut happens = |now: Nanos, kind| {
            events.push(NodeEvent { at: Span(now), node: node.clone(), kind });
        };
        loop {
            now = now.saturating_add(draw(self.mean_between));
            if now >= until {
                return events;
            }
            happens(now, NodeEventKind::Crash);
            let Some(repair) = self.mean_repair else { return events };
            now = now.saturating_add(draw(repair));
            if now >= until {
                return events;
            }
            happens(now, NodeEventKind::Join);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    const HOUR: u64 = 3600 * SECOND;

    fn drawn(repair: Option<u64>, seed: u64) -> Vec<NodeEvent> {
        let failures = Failures { mean_between: Span(HOUR), mean_repair: repair.map(Span) };
        failures.draw(&["A".into(), "B".into()], 1000 * HOUR, seed)
    }

    #[test]
    fn crashes_come_as_often_as_said() {
        let crashes = |events: &[NodeEvent]| {
            events.iter().filter(|event| event.kind == NodeEventKind::Crash).count() as f64
        };
        // Two nodes, 1000 h each, of which they work half: 1000 crashes, give or take three deviations.
        let found = crashes(&drawn(Some(HOUR), 1));
        assert!((found - 1000.0).abs() < 100.0, "{found}");
        assert_eq!(drawn(None, 1).len(), 2, "nobody comes back");
    }

    #[test]
    fn a_node_crashes_and_comes_back_in_turns_and_other_seeds_differ() {
        let events = drawn(Some(HOUR), 1);
        let kinds: Vec<NodeEventKind> = events.iter().take(4).map(|event| event.kind).collect();
        use NodeEventKind::{Crash, Join};
        assert_eq!(kinds, [Crash, Join, Crash, Join]);
        assert_eq!(events, drawn(Some(HOUR), 1));
        assert_ne!(events, drawn(Some(HOUR), 2));
    }
}
