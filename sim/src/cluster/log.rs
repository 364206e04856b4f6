//! What happened in a run, line by line.

use serde::Serialize;
use wci_core::cluster::NodeId;
use wci_core::cluster::latch::LatchReason;
use wci_core::cluster::reconcile::Outcome;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogEntry {
    /// When (ms since the start).
    pub t_ms: i64,
    /// What.
    #[serde(flatten)]
    pub line: LogLine,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LogLine {
    /// Something happened to a node.
    Node {
        /// The node.
        node: NodeId,
        /// What: one of the event kinds, or `down` when others gave it up.
        what: &'static str,
    },
    /// A scan decided.
    Scan {
        /// Why it reconciled, or did not.
        reason: LatchReason,
        /// Why, in words.
        why: &'static str,
        /// Whether it reconciled.
        reconciles: bool,
        /// The nodes that were UP.
        up: Vec<NodeId>,
        /// What it did, by task.
        tasks: Vec<Reconciled>,
    },
    /// A task's last bucket is complete.
    WorkComplete {
        /// The task.
        task: String,
    },
    /// A task and all its workers have ended.
    Ended {
        /// The task.
        task: String,
    },
}

/// What a scan did about one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reconciled {
    /// The task.
    pub task: String,
    /// Why it was left alone, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<String>,
    /// What was done.
    #[serde(flatten)]
    pub outcome: Outcome,
}
