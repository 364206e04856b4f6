//! Scaling rules, one file each, behind one small trait.
//!
//! The set is closed: a rule is one file with its `Config`, its `State` and its decision, one variant of
//! [`AlgorithmKind`] and one line in the table that this file dispatches with.

pub mod backlog;
pub mod delayed_off;
pub mod fixed;
mod history;
pub mod hpa;
pub mod keda;
mod kind;
pub mod kpa;
pub mod lcp;
pub mod no_sync;
mod occupancy;
mod pacing;
mod part_mean;
pub mod peak_rate;
pub mod pid;
pub mod rate_based;
pub mod seasonal;
mod sizing;
mod stabilizing;
mod state;
mod stepping;
pub mod target_tracking;

pub use kind::{AlgorithmKind, Needs, config_schema};
pub use sizing::to_launch;

use crate::config::{ConfigError, ConfigMap};
use crate::decision::{Launch, Limit, Reason};
use crate::metrics::{MetricsSnapshot, Observation};
use crate::signals::TaskAdd;
use crate::spec::LaunchStrategy;
use crate::time::{Millis, Timestamp};

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

    /// A wish and why.
    #[must_use]
    pub const fn new(wish: Wish, reason: Reason) -> Self {
        Self { wish, wants_deferred: false, throttled: 0, reason: Some(reason) }
    }

    /// With further numbers the rule looked at.
    fn with_all(mut self, numbers: &[(&'static str, f64)]) -> Self {
        self.reason = self.reason.map(|reason| reason.with_all(numbers));
        self
    }

    /// With the limit that cut the wish.
    fn limited_by(mut self, limit: Limit) -> Self {
        if let Some(reason) = &mut self.reason {
            reason.limit = Some(limit);
        }
        self
    }
}

/// What the host knows at the moment at which something happens.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// When it happens.
    pub now: Timestamp,
    /// How the group's provider launches workers.
    pub strategy: LaunchStrategy,
    /// What the host knows of the group's workers.
    pub observation: &'a Observation,
}

/// One scaling rule with its configuration and state.
pub trait ScalingAlgorithm {
    /// The group starts to be served: it is new, its controller is new, or its spec has changed.
    fn on_started(&mut self, _context: Context<'_>) -> Verdict {
        Verdict::NOTHING
    }
    /// Tasks were added.
    fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict;
    /// The periodic statistics arrived.
    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict;
    /// The statistics of a deferred decision arrived.
    fn on_deferred_metrics(&mut self, _context: Context<'_>, _metrics: &MetricsSnapshot) -> Verdict {
        Verdict::NOTHING
    }
    /// Whether a deferred decision would look at statistics at all.
    fn is_deferred_useful(&self) -> bool {
        false
    }
    /// How long until it wants the next statistics.
    fn poll_interval(&self, now: Timestamp) -> Millis;
    /// How many workers it believes there are, if it counts them.
    fn planned(&self) -> Option<u32> {
        None
    }
    /// The size of a worker set in which workers register their task queues; remembered as the planned one.
    fn register(&mut self) -> u32 {
        1
    }
    /// The state in the wire's form.
    fn state(&self) -> ConfigMap;
}

/// A rule with its configuration and state.
#[derive(Clone, Debug, PartialEq)]
pub struct Algorithm {
    kind: AlgorithmKind,
    rule: AnyRule,
}

#[derive(Clone, Debug, PartialEq)]
enum AnyRule {
    NoSync(no_sync::NoSync),
    NoSyncConfirmed(no_sync::NoSyncConfirmed),
    RateBased(Box<rate_based::RateBased>),
    Backlog(backlog::Backlog),
    Pid(pid::Pid),
    PeakRate(peak_rate::PeakRate),
    Fixed(fixed::Fixed),
    Keda(Box<keda::Keda>),
    Hpa(Box<hpa::Hpa>),
    Kpa(Box<kpa::Kpa>),
    TargetTracking(Box<target_tracking::TargetTracking>),
    DelayedOff(Box<delayed_off::DelayedOff>),
    Seasonal(Box<seasonal::Seasonal>),
    Lcp(Box<lcp::Lcp>),
}

/// Calls the same method of whichever rule it is.
macro_rules! dispatch {
    ($rule:expr, $inner:ident => $call:expr) => {
        match $rule {
            AnyRule::NoSync($inner) => $call,
            AnyRule::NoSyncConfirmed($inner) => $call,
            AnyRule::RateBased($inner) => $call,
            AnyRule::Backlog($inner) => $call,
            AnyRule::Pid($inner) => $call,
            AnyRule::PeakRate($inner) => $call,
            AnyRule::Fixed($inner) => $call,
            AnyRule::Keda($inner) => $call,
            AnyRule::Hpa($inner) => $call,
            AnyRule::Kpa($inner) => $call,
            AnyRule::TargetTracking($inner) => $call,
            AnyRule::DelayedOff($inner) => $call,
            AnyRule::Seasonal($inner) => $call,
            AnyRule::Lcp($inner) => $call,
        }
    };
}

impl Algorithm {
    /// Makes a rule from its configuration and the state it had, both in the wire's form.
    ///
    /// Broken entries of the state are dropped; a `no-sync` configuration with one of the keys of the confirmed
    /// form follows that form.
    ///
    /// # Errors
    /// Names the key of the configuration that is wrong, what was found and what would be right.
    pub fn new(kind: AlgorithmKind, config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let rule = match kind {
            AlgorithmKind::NoSync if !no_sync::is_confirmed(config) => {
                AnyRule::NoSync(no_sync::NoSync::new(config, state)?)
            }
            AlgorithmKind::NoSync | AlgorithmKind::NoSyncConfirmed => {
                AnyRule::NoSyncConfirmed(no_sync::NoSyncConfirmed::new(config, state)?)
            }
            AlgorithmKind::RateBased => {
                AnyRule::RateBased(Box::new(rate_based::RateBased::new(config, state)?))
            }
            AlgorithmKind::Backlog => AnyRule::Backlog(backlog::Backlog::new(config, state)?),
            AlgorithmKind::Pid => AnyRule::Pid(pid::Pid::new(config, state)?),
            AlgorithmKind::PeakRate => AnyRule::PeakRate(peak_rate::PeakRate::new(config, state)?),
            AlgorithmKind::Fixed => AnyRule::Fixed(fixed::Fixed::new(config, state)?),
            AlgorithmKind::Keda => AnyRule::Keda(Box::new(keda::Keda::new(config, state)?)),
            AlgorithmKind::Hpa => AnyRule::Hpa(Box::new(hpa::Hpa::new(config, state)?)),
            AlgorithmKind::Kpa => AnyRule::Kpa(Box::new(kpa::Kpa::new(config, state)?)),
            AlgorithmKind::TargetTracking => {
                AnyRule::TargetTracking(Box::new(target_tracking::TargetTracking::new(config, state)?))
            }
            AlgorithmKind::DelayedOff => {
                AnyRule::DelayedOff(Box::new(delayed_off::DelayedOff::new(config, state)?))
            }
            AlgorithmKind::Seasonal => AnyRule::Seasonal(Box::new(seasonal::Seasonal::new(config, state)?)),
            AlgorithmKind::Lcp => AnyRule::Lcp(Box::new(lcp::Lcp::new(config, state)?)),
        };
        Ok(Self { kind, rule })
    }

    /// A rule with the defaults of its configuration.
    #[must_use]
    pub fn with_defaults(kind: AlgorithmKind, state: &ConfigMap) -> Self {
        match Self::new(kind, &ConfigMap::new(), state) {
            Ok(algorithm) => algorithm,
            Err(error) => unreachable!("a test holds that every default is valid: {error}"),
        }
    }

    /// Which rule it is, as its spec names it.
    #[must_use]
    pub const fn kind(&self) -> AlgorithmKind {
        self.kind
    }

    /// What it needs from a host whose provider launches workers this way.
    #[must_use]
    pub const fn needs(&self, strategy: LaunchStrategy) -> Needs {
        self.kind.needs(strategy)
    }

    /// The launch strategies it fits.
    #[must_use]
    pub const fn launch_strategies(&self) -> &'static [LaunchStrategy] {
        self.kind.launch_strategies()
    }

    /// The group starts to be served: it is new, its controller is new, or its spec has changed.
    pub fn on_started(&mut self, context: Context<'_>) -> Verdict {
        dispatch!(&mut self.rule, rule => rule.on_started(context))
    }

    /// Tasks were added.
    #[inline]
    pub fn on_task_added(&mut self, context: Context<'_>, add: &TaskAdd) -> Verdict {
        dispatch!(&mut self.rule, rule => rule.on_task_added(context, add))
    }

    /// The periodic statistics arrived.
    pub fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        dispatch!(&mut self.rule, rule => rule.on_metrics(context, metrics))
    }

    /// The statistics of a deferred decision arrived.
    pub fn on_deferred_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        dispatch!(&mut self.rule, rule => rule.on_deferred_metrics(context, metrics))
    }

    /// Whether a deferred decision would look at statistics at all.
    #[must_use]
    pub fn is_deferred_useful(&self) -> bool {
        dispatch!(&self.rule, rule => rule.is_deferred_useful())
    }

    /// How long until it wants the next statistics.
    #[must_use]
    pub fn poll_interval(&self, now: Timestamp) -> Millis {
        dispatch!(&self.rule, rule => rule.poll_interval(now))
    }

    /// How many workers it believes there are, if it counts them.
    #[must_use]
    pub fn planned(&self) -> Option<u32> {
        dispatch!(&self.rule, rule => rule.planned())
    }

    /// What to launch so that workers register their task queues: one invocation, or the planned size within its
    /// limits and at least 1, which is remembered.
    pub fn registration(&mut self, strategy: LaunchStrategy) -> Launch {
        match strategy {
            LaunchStrategy::Invoke => Launch::InvokeWorker(1),
            LaunchStrategy::WorkerSet => {
                Launch::SetWorkerSetSize(dispatch!(&mut self.rule, rule => rule.register()))
            }
        }
    }

    /// The state in the wire's form.
    #[must_use]
    pub fn state(&self) -> ConfigMap {
        dispatch!(&self.rule, rule => rule.state())
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
