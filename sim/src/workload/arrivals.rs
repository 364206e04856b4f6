//! Arrival processes: what they are, and their times as they run.

use super::BLOCK;
use super::groups::{Expand, Groups, Plan};
use super::points::{Gaps, Points, Renewal};
use super::rate::{Clock, Rate};
use crate::dist::{Check, ParameterError};
use crate::rng::Stream;
use std::sync::Arc;
use wci_core::sorted_by;

/// An arrival process. One that exists has valid parameters.
#[derive(Clone, Debug)]
pub struct Arrivals(Process);

#[derive(Clone, Debug)]
enum Process {
    Points(Renewal, Rate),
    Groups(Plan),
}

impl Arrivals {
    /// A renewal process bent by a rate.
    pub fn new(gaps: Gaps, rate: Rate) -> Result<Self, ParameterError> {
        Ok(Self(Process::Points(Renewal::new(gaps)?, rate)))
    }

    /// One arrival every `1 / rate` seconds, the first at once.
    pub fn constant(rate: f64) -> Result<Self, ParameterError> {
        Self::new(Gaps::Even, Rate::constant(rate)?)
    }

    /// `rate` arrivals a second, independent of each other.
    pub fn poisson(rate: f64) -> Result<Self, ParameterError> {
        Self::new(Gaps::Exponential, Rate::constant(rate)?)
    }

    /// `size` arrivals every `period`, from `first` on, each burst spread at random over `spread`.
    pub fn bursts(first: u64, period: u64, size: u64, spread: u64) -> Result<Self, ParameterError> {
        let check = Check("bursts");
        check.that(period > 0, "period", period, "more than 0 ns")?;
        check.that(size > 0, "size", size, "at least 1")?;
        check.that(spread <= period, "spread", spread, format!("at most the period, {period} ns"))?;
        Ok(Self(Process::Groups(Plan::Bursts { first, period, size, spread })))
    }

    /// (time, count) pairs in any order: so many arrivals at once.
    #[must_use]
    pub fn bulk(groups: Vec<(u64, u64)>) -> Self {
        let groups = sorted_by(groups, |group| group.0);
        Self(Process::Groups(Plan::Bulk(groups.into())))
    }

    /// One arrival at each of these times, in any order.
    #[must_use]
    pub fn instants(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        Self(Process::Groups(Plan::Instants(times.into())))
    }

    /// So many arrivals in each interval from `start` on.
    pub fn counts(
        start: u64,
        interval: u64,
        counts: Vec<u64>,
        expand: Expand,
    ) -> Result<Self, ParameterError> {
        Check("counts").that(interval > 0, "interval", interval, "more than 0 ns")?;
        Ok(Self(Process::Groups(Plan::Counts { start, interval, counts: Arc::from(counts), expand })))
    }

    /// Whether its law is the same at every time: a constant or a randomly modulated rate.
    #[must_use]
    pub fn is_stationary(&self) -> bool {
        matches!(&self.0, Process::Points(_, rate) if rate.is_stationary())
    }

    /// The true rate at a time, in arrivals a second; `None` for groups, which have none.
    #[must_use]
    pub fn rate_at(&self, now: u64) -> Option<f64> {
        match &self.0 {
            Process::Points(_, rate) => Some(rate.at(now)),
            Process::Groups(_) => None,
        }
    }

    /// How many arrivals are expected by each of these times, which must not fall; `None` for groups, which have no
    /// rate. The states of a modulated rate are those that `states` decides.
    #[must_use]
    pub fn expected(&self, states: Stream, times: impl Iterator<Item = u64>) -> Option<Vec<f64>> {
        let Process::Points(_, rate) = &self.0 else { return None };
        let mut clock = Clock::new(rate, states);
        Some(times.map(|now| clock.expected(now as f64)).collect())
    }

    /// The process from time 0 on. `states` decides the states of an on-off or modulated rate and nothing else.
    #[must_use]
    pub fn start(&self, arrivals: Stream, states: Stream) -> ArrivalTimes {
        ArrivalTimes(match &self.0 {
            Process::Points(renewal, rate) => {
                Running::Points(Points::new(renewal.clone(), Clock::new(rate, states), arrivals))
            }
            Process::Groups(plan) => Running::Groups(Groups::new(plan.clone(), arrivals)),
        })
    }
}

/// A running arrival process. A clone is cheap and goes on with the same luck.
#[derive(Clone, Debug)]
pub struct ArrivalTimes(Running);

#[derive(Clone, Debug)]
enum Running {
    Points(Points),
    Groups(Groups),
}

impl ArrivalTimes {
    /// Appends the next arrivals before `until`, `n` (and a block) at most; none: there are no more.
    pub fn fill(&mut self, n: usize, until: u64, at: &mut Vec<u64>) {
        let n = n.min(BLOCK);
        match &mut self.0 {
            Running::Points(points) => points.fill(n, until, at),
            Running::Groups(groups) => groups.fill(n, until, at),
        }
    }

    /// From `now` on the rate is `factor` times that of the process. The points of unit rate stay; groups change
    /// their size.
    pub(super) fn set_rate_factor(&mut self, now: u64, factor: RateFactor) {
        match &mut self.0 {
            Running::Points(points) => points.set_rate_factor(now, factor.0),
            Running::Groups(groups) => groups.set_rate_factor(now, factor.0),
        }
    }
}

/// A factor on a process's own rate: 0, or neither too small nor too large to divide by.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateFactor(f64);

impl RateFactor {
    pub(super) fn new(factor: f64) -> Result<Self, ParameterError> {
        let good = factor == 0.0 || (1e-9..=1e9).contains(&factor);
        Check("rate").that(good, "factor", factor, "0, or a number from 1e-9 to 1e9")?;
        Ok(Self(factor))
    }
}
