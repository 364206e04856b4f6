//! Arrivals as points of unit rate: drawn one gap after the other, then bent in time by the rate.

use super::BLOCK;
use super::rate::Clock;
use crate::dist::{Dist, ParameterError, nanos};
use crate::rng::Stream;

/// How the gaps between arrivals vary at a constant rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gaps {
    /// Not at all: arrivals at 0, 1, 2 ... expected ones.
    Even,
    /// Exponential: a Poisson process.
    Exponential,
    /// Gamma, with this coefficient of variation.
    Gamma {
        /// Standard deviation / mean.
        cv: f64,
    },
    /// Weibull, with this coefficient of variation.
    Weibull {
        /// Standard deviation / mean.
        cv: f64,
    },
}

/// A renewal process of unit rate.
#[derive(Clone, Debug)]
pub(super) struct Renewal {
    /// Where it stands before its first gap.
    origin: f64,
    gaps: Dist,
}

impl Renewal {
    pub(super) fn new(gaps: Gaps) -> Result<Self, ParameterError> {
        let origin = if gaps == Gaps::Even { -1.0 } else { 0.0 };
        let gaps = match gaps {
            Gaps::Even => Dist::constant(1.0),
            Gaps::Exponential => Dist::exponential(1.0),
            Gaps::Gamma { cv } => Dist::gamma_with_cv(1.0, cv),
            Gaps::Weibull { cv } => Dist::weibull_with_cv(1.0, cv),
        };
        Ok(Self { origin, gaps: gaps? })
    }
}

/// A renewal process that runs.
#[derive(Clone, Debug)]
pub(super) struct Points {
    gaps: Dist,
    stream: Stream,
    /// The last point drawn.
    point: f64,
    tempo: Tempo,
    clock: Clock,
    /// The last arrival: rounding must not turn time back.
    last: u64,
}

/// How many arrivals the process expects by the time of a point: as many as the point's own number, but for the
/// factors that were set.
#[derive(Clone, Copy, Debug)]
struct Tempo {
    factor: f64,
    /// The point and the expected arrivals at the last change.
    point: f64,
    expected: f64,
}

impl Points {
    pub(super) fn new(renewal: Renewal, clock: Clock, stream: Stream) -> Self {
        let tempo = Tempo { factor: 1.0, point: 0.0, expected: 0.0 };
        Self { gaps: renewal.gaps, stream, point: renewal.origin, tempo, clock, last: 0 }
    }

    pub(super) fn fill(&mut self, n: usize, until: u64, at: &mut Vec<u64>) {
        if self.tempo.factor == 0.0 {
            return;
        }
        let mut times = [0.0; BLOCK];
        let times = &mut times[..n];
        self.gaps.draw_into(&mut self.stream, times);
        for time in &mut *times {
            self.point += *time;
            *time = self.tempo.expected(self.point);
        }
        self.clock.times(until as f64, times);
        let arrivals = times.iter().map(|time| {
            self.last = nanos(*time).max(self.last);
            self.last
        });
        at.extend(arrivals.take_while(|at| *at < until));
    }

    /// The points stay where they are; what is expected from `now` on changes.
    pub(super) fn set_rate_factor(&mut self, now: u64, factor: f64) {
        if factor == self.tempo.factor {
            return;
        }
        let now = now.max(self.last);
        let expected = self.clock.expected(now as f64);
        self.tempo = Tempo { factor, point: self.tempo.point_at(expected), expected };
        self.last = now;
    }
}

impl Tempo {
    #[inline]
    fn expected(&self, point: f64) -> f64 {
        self.expected + (point - self.point) / self.factor
    }

    fn point_at(&self, expected: f64) -> f64 {
        self.point + (expected - self.expected) * self.factor
    }
}
