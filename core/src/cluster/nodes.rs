//! The nodes as the cluster's records show them.

use super::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Whether it is recorded as UP: it said so when it started, and nobody has marked it DOWN since.
    pub is_up: bool,
    /// Whether it checked in lately.
    pub is_alive: bool,
}

/// All known nodes by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nodes(pub BTreeMap<NodeId, Node>);

impl Nodes {
    /// Nodes that are all up and alive.
    #[must_use]
    pub fn all_up(names: &[&str]) -> Self {
        let up = Node { is_up: true, is_alive: true };
        Self(names.iter().map(|name| (NodeId::from(*name), up)).collect())
    }

    /// The names of those that are UP, whether they are alive or not.
    #[must_use]
    pub fn up(&self) -> BTreeSet<NodeId> {
        self.0.iter().filter(|(_, node)| node.is_up).map(|(name, _)| name.clone()).collect()
    }

    /// Whether that node is up and alive.
    #[must_use]
    pub fn is_live(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|node| node.is_up && node.is_alive)
    }
}
