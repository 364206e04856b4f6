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
    Scan(Scanned),
    /// A task could not make its first workers.
    NotStarted {
        /// The task.
        task: String,
        /// Why.
        why: String,
    },
    /// The definition of a task's workers changed.
    Definition {
        /// The task.
        task: String,
        /// What is wanted from now on.
        what: String,
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

/// What a scan saw and decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scanned {
    /// The rule of the latch that decided.
    pub reason: LatchReason,
    /// Why it reconciled, or did not, in words.
    pub why: &'static str,
    /// Whether it reconciled every task.
    pub reconciles: bool,
    /// The nodes that were UP.
    pub up: Vec<NodeId>,
    /// Of these, those that were not at the last scan.
    pub joined: Vec<NodeId>,
    /// Those that were UP at the last scan.
    pub left: Vec<NodeId>,
    /// Seconds since the last reconciliation began; none: there was none.
    pub since_last_s: Option<f64>,
    /// Whether a reconciliation is put off now; none: there was none yet.
    pub pending: Option<bool>,
    /// What it did, by task.
    pub tasks: Vec<Reconciled>,
}

/// What a scan did about one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reconciled {
    /// The task.
    pub task: String,
    /// Why it was left alone, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<String>,
    /// Seconds since it was last reconciled by itself, if that was after the last time for all tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_last_s: Option<f64>,
    /// What was done.
    #[serde(flatten)]
    pub outcome: Outcome,
}
