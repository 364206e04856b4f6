//! Scaling rules, one file each, behind one small trait.

use crate::decision::Reason;
use crate::metrics::{MetricsSnapshot, Observation};
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// What a rule wishes, before the controller turns it into an action of the group's launch strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Leave everything as it is.
    Nothing,
    /// Start this many workers more.
    MoreWorkers(u32),
    /// Have this many workers in all.
    Workers(u32),
}

/// A rule's answer to what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What to do.
    pub wish: Wish,
    /// Whether the rule wants to see statistics before it learns from this signal.
    pub wants_deferred: bool,
    /// Batched adds that a limit kept from starting workers.
    pub throttled: u32,
    /// Why; absent only when there was nothing to decide (a signal that is not eligible).
    pub reason: Option<Reason>,
}

impl Verdict {
    /// Nothing to decide.
    pub const NOTHING: Self = Self { wish: Wish::Nothing, wants_deferred: false, throttled: 0, reason: None };
}

/// What happened, and what the host knows at that moment.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// When it happened.
    pub now: Timestamp,
    /// What the host knows of the group's workers.
    pub observation: &'a Observation,
}

/// What an algorithm needs from its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Task-add signals.
    pub signals: bool,
    /// Statistics of the task queues.
    pub statistics: bool,
    /// Counts of the group's workers.
    pub observation: bool,
    /// The shortest interval at which it wants statistics.
    pub shortest_poll: Millis,
}

/// One scaling rule with its configuration and state.
pub trait ScalingAlgorithm {
    /// Tasks were added.
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict;
    /// The periodic statistics arrived.
    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict;
    /// The statistics of a deferred decision arrived.
    fn on_deferred_metrics(&mut self, _context: Context<'_>, _metrics: &MetricsSnapshot) -> Verdict {
        Verdict::NOTHING
    }
    /// How long until it wants the next statistics.
    fn poll_interval(&self, now: Timestamp) -> Millis;
}

/// The closed set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlgorithmKind {
    /// One more worker for each task that found none.
    NoSync,
    /// The later, confirmed form of `no-sync`.
    NoSyncConfirmed,
    /// Size from arrival rate and capacity.
    RateBased,
    /// One up while work waits, one down when none does.
    Backlog,
    /// A control loop on the backlog.
    Pid,
    /// One down when fewer workers have carried more.
    PeakRate,
    /// A fixed size.
    Fixed,
}
