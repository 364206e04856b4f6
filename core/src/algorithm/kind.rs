//! The closed set of algorithms and what is known of each without an instance.

use super::{
    backlog, delayed_off, fixed, hpa, keda, kpa, lcp, no_sync, peak_rate, pid, rate_based, seasonal,
    target_tracking,
};
use crate::config::KeyDoc;
use crate::spec::LaunchStrategy;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// The closed set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlgorithmKind {
    /// One more worker for each task that found none: [`no_sync`].
    NoSync,
    /// The later, confirmed form of `no-sync`: [`no_sync::confirmed`].
    NoSyncConfirmed,
    /// Size from arrival rate and capacity: [`rate_based`].
    RateBased,
    /// One up while work waits, one down when none does: [`backlog`].
    Backlog,
    /// A control loop on the backlog: [`pid`].
    Pid,
    /// One down when fewer workers have carried more: [`peak_rate`].
    PeakRate,
    /// A fixed size: [`fixed`].
    Fixed,
    /// Waiting tasks a worker, and none at all when nothing waits: [`keda`].
    Keda,
    /// The share of busy slots, slowly down: [`hpa`].
    Hpa,
    /// Tasks in a long and a short window: [`kpa`].
    Kpa,
    /// Alarms on the share of busy slots: [`target_tracking`].
    TargetTracking,
    /// Off after the break-even time: [`delayed_off`].
    DelayedOff,
    /// A forecast from earlier days with a safety margin: [`seasonal`].
    Seasonal,
    /// No further than hindsight makes it: [`lcp`].
    Lcp,
}

const INVOKE: &[LaunchStrategy] = &[LaunchStrategy::Invoke];
const WORKER_SET: &[LaunchStrategy] = &[LaunchStrategy::WorkerSet];
const BOTH: &[LaunchStrategy] = &[LaunchStrategy::Invoke, LaunchStrategy::WorkerSet];

impl AlgorithmKind {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::NoSync,
        Self::NoSyncConfirmed,
        Self::RateBased,
        Self::Backlog,
        Self::Pid,
        Self::PeakRate,
        Self::Fixed,
        Self::Keda,
        Self::Hpa,
        Self::Kpa,
        Self::TargetTracking,
        Self::DelayedOff,
        Self::Seasonal,
        Self::Lcp,
    ];

    /// The wire's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSync => "no-sync",
            Self::NoSyncConfirmed => "no-sync-confirmed",
            Self::RateBased => "rate-based",
            Self::Backlog => "backlog",
            Self::Pid => "pid",
            Self::PeakRate => "peak-rate",
            Self::Fixed => "fixed",
            Self::Keda => "keda",
            Self::Hpa => "hpa",
            Self::Kpa => "kpa",
            Self::TargetTracking => "target-tracking",
            Self::DelayedOff => "delayed-off",
            Self::Seasonal => "seasonal",
            Self::Lcp => "lcp",
        }
    }

    /// The algorithm with that name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The launch strategies it fits.
    #[must_use]
    pub const fn launch_strategies(self) -> &'static [LaunchStrategy] {
        match self {
            Self::NoSync | Self::NoSyncConfirmed => INVOKE,
            Self::RateBased => WORKER_SET,
            _ => BOTH,
        }
    }

    /// What it needs from a host whose provider launches workers this way.
    ///
    /// A rule that counts workers can trust its own count of a worker set; workers that end by themselves have to
    /// be observed, and so have slots and running tasks.
    #[must_use]
    pub const fn needs(self, strategy: LaunchStrategy) -> Needs {
        let is_invoke = matches!(strategy, LaunchStrategy::Invoke);
        let (signals, statistics, observation, shortest_poll) = match self {
            Self::NoSync | Self::NoSyncConfirmed | Self::RateBased => (true, true, false, 30),
            Self::Backlog | Self::PeakRate => (true, true, is_invoke, 1),
            Self::Pid => (false, true, is_invoke, 1),
            Self::Fixed => (false, false, is_invoke, 1),
            Self::Keda => (false, true, is_invoke, 15),
            Self::Seasonal => (false, true, is_invoke, 1),
            // Those that only look at workers need statistics all the same: they are what a turn comes with.
            Self::Hpa => (false, true, true, 15),
            Self::Kpa => (true, true, true, 2),
            Self::TargetTracking | Self::DelayedOff | Self::Lcp => (false, true, true, 1),
        };
        Needs { signals, statistics, observation, shortest_poll: Millis::from_secs(shortest_poll) }
    }

    /// The keys of its configuration with defaults, limits and help.
    #[must_use]
    pub const fn config_schema(self) -> &'static [KeyDoc] {
        match self {
            Self::NoSync | Self::NoSyncConfirmed => no_sync::KEYS,
            Self::RateBased => rate_based::KEYS,
            Self::Backlog => backlog::KEYS,
            Self::Pid => pid::KEYS,
            Self::PeakRate => peak_rate::KEYS,
            Self::Fixed => fixed::KEYS,
            Self::Keda => keda::KEYS,
            Self::Hpa => hpa::KEYS,
            Self::Kpa => kpa::KEYS,
            Self::TargetTracking => target_tracking::KEYS,
            Self::DelayedOff => delayed_off::KEYS,
            Self::Seasonal => seasonal::KEYS,
            Self::Lcp => lcp::KEYS,
        }
    }
}

/// The keys of an algorithm's configuration with defaults, limits and help.
#[must_use]
pub const fn config_schema(kind: AlgorithmKind) -> &'static [KeyDoc] {
    kind.config_schema()
}

/// What an algorithm needs from its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Task-add signals.
    pub signals: bool,
    /// Statistics of the task queues.
    pub statistics: bool,
    /// Counts of the group's workers, and for rules that go by use of their slots and tasks.
    pub observation: bool,
    /// The shortest interval at which it wants statistics.
    pub shortest_poll: Millis,
}
