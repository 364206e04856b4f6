//! Distributed tasks: workers on every node of a cluster, kept in step as nodes come and go.
//!
//! A coordinator task divides its work into buckets, which worker tasks on the nodes fetch one by one. A periodic
//! scan looks at the nodes, and when these have changed, reconciles the workers of each distributed task with what its
//! definition wants on the nodes of now. This is the activity auto-scaling of midPoint; where it defines a behaviour,
//! that is the default, and what we do better is a switch.
//!
//! The parts, each pure: [`eligibility`] says which tasks a scan touches, [`latch`] whether it reconciles at all,
//! [`wanted`] which workers a definition asks for, [`reconcile`] what has to be done to get them, [`scan`] joins these,
//! [`buckets`] hands out the work, [`definition`] is what files say about tasks, and [`journal`] what can be replayed.

pub mod buckets;
pub mod definition;
pub mod eligibility;
pub mod journal;
pub mod latch;
mod nodes;
pub mod reconcile;
pub mod scan;
pub mod wanted;

pub use nodes::{Node, Nodes};

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Name of a node.
pub type NodeId = Arc<str>;

/// Identifier of a task: of a distributed one or of one of its workers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub Arc<str>);

impl From<&str> for TaskId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod properties;
