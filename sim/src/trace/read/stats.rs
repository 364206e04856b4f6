//! What `wci trace stats` prints: counts, rates, burstiness, durations and offered load, in flat memory.

use super::error::TraceError;
use super::source::TraceSource;
use crate::histogram::Histogram;
use crate::workload::Block;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1_000_000_000;

/// Figures of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceStats {
    /// Arrivals.
    pub count: u64,
    /// Seconds from the first to the last arrival, or all intervals of a trace of counts.
    pub span_seconds: f64,
    /// Arrivals per second over the span.
    pub mean_rate: f64,
    /// Most arrivals in a window of 1 s.
    pub peak_per_second: u64,
    /// Most arrivals in a window of 60 s.
    pub peak_per_minute: u64,
    /// Variance / mean of the arrivals in windows of 1 s: 1 for a Poisson process.
    pub index_of_dispersion_1s: f64,
    /// Variance / mean of the arrivals in windows of 60 s.
    pub index_of_dispersion_60s: f64,
    /// Service times in seconds.
    pub duration_seconds: DurationStats,
    /// Erlangs: the slots that are busy on average if nothing ever waits.
    pub offered_load: f64,
}

/// Service times in seconds; percentiles to within 0.8 %.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DurationStats {
    /// The mean.
    pub mean: f64,
    /// Half are shorter.
    pub p50: f64,
    /// 90 % are shorter.
    pub p90: f64,
    /// 99 % are shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Reads a trace to its end.
///
/// # Errors
/// What is wrong with the trace.
pub fn stats(source: &mut TraceSource) -> Result<TraceStats, TraceError> {
    let (mut builder, mut block) = (StatsBuilder::default(), Block::default());
    loop {
        source.fill(&mut block)?;
        if block.at.is_empty() {
            return Ok(builder.finish(source.span()));
        }
        for (at, service) in block.at.iter().zip(&block.service) {
            builder.add(*at, *service);
        }
    }
}

/// Computes the figures as arrivals come.
#[derive(Clone, Debug)]
pub struct StatsBuilder {
    count: u64,
    first: u64,
    last: u64,
    seconds: Windows,
    minutes: Windows,
    services: Histogram,
}

impl Default for StatsBuilder {
    fn default() -> Self {
        Self {
            count: 0,
            first: 0,
            last: 0,
            seconds: Windows::new(SECOND),
            minutes: Windows::new(60 * SECOND),
            services: Histogram::default(),
        }
    }
}

impl StatsBuilder {
    /// Takes an arrival and its service time in nanoseconds; arrivals come in order.
    pub fn add(&mut self, at: u64, service: u64) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += 1;
        self.last = at;
        self.seconds.add(at);
        self.minutes.add(at);
        self.services.record(service);
    }

    /// The figures. `span`: what the trace covers in nanoseconds, where that is more than first to last arrival.
    #[must_use]
    pub fn finish(&self, span: Option<u64>) -> TraceStats {
        let span = span.unwrap_or(0).max(self.last);
        let seconds = span as f64 / SECOND as f64;
        let per_second = |total: f64| if span == 0 { 0.0 } else { total / seconds };
        let total_seconds = self.services.sum() as f64 / SECOND as f64;
        let quantile = |q| self.services.quantile(q).unwrap_or(0.0) / SECOND as f64;
        TraceStats {
            count: self.count,
            span_seconds: seconds,
            mean_rate: per_second(self.count as f64),
            peak_per_second: self.seconds.peak(),
            peak_per_minute: self.minutes.peak(),
            index_of_dispersion_1s: self.seconds.index_of_dispersion(span),
            index_of_dispersion_60s: self.minutes.index_of_dispersion(span),
            duration_seconds: DurationStats {
                mean: if self.count == 0 { 0.0 } else { total_seconds / self.count as f64 },
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                max: self.services.max() as f64 / SECOND as f64,
            },
            offered_load: per_second(total_seconds),
        }
    }
}

/// Arrivals in windows of one width that begin at 0.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    width: u64,
    /// The current window's number and arrivals.
    current: (u64, u64),
    peak: u64,
    sum: u64,
    sum_of_squares: u128,
}

impl Windows {
    pub(crate) fn new(width: u64) -> Self {
        Self { width, current: (0, 0), peak: 0, sum: 0, sum_of_squares: 0 }
    }

    pub(crate) fn add(&mut self, at: u64) {
        let window = at / self.width;
        if window != self.current.0 {
            self.sum_of_squares += square(self.current.1);
            self.current = (window, 0);
        }
        self.current.1 += 1;
        self.sum += 1;
        self.peak = self.peak.max(self.current.1);
    }

    fn peak(&self) -> u64 {
        self.peak
    }

    /// Over all windows that have a part within the span, empty ones included.
    pub(crate) fn index_of_dispersion(&self, span: u64) -> f64 {
        if self.sum == 0 {
            return 0.0;
        }
        let windows = span.div_ceil(self.width).max(self.current.0 + 1) as f64;
        let mean = self.sum as f64 / windows;
        let squares = (self.sum_of_squares + square(self.current.1)) as f64;
        (squares / windows - mean * mean) / mean
    }
}

fn square(count: u64) -> u128 {
    u128::from(count) * u128::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_tiny_trace_are_exact() {
        let mut builder = StatsBuilder::default();
        for (at, service) in [(0, 4), (0, 1), (500, 1), (2_500, 2), (120_000, 2)] {
            builder.add(at * 1_000_000, service * SECOND);
        }
        let stats = builder.finish(None);
        assert_eq!((stats.count, stats.peak_per_second, stats.peak_per_minute), (5, 3, 4));
        assert_eq!((stats.span_seconds, stats.offered_load), (120.0, 10.0 / 120.0));
        assert_eq!((stats.duration_seconds.mean, stats.duration_seconds.max), (2.0, 4.0));
        // Windows of 60 s hold 4, 0 and 1: mean 5/3, variance 17/3 - 25/9.
        assert!((stats.index_of_dispersion_60s - (17.0 / 3.0 - 25.0 / 9.0) / (5.0 / 3.0)).abs() < 1e-12);
        assert!((stats.duration_seconds.p50 / 2.0 - 1.0).abs() < 0.008);
    }

    #[test]
    fn nothing_has_figures_of_zero() {
        let stats = StatsBuilder::default().finish(Some(0));
        assert_eq!((stats.count, stats.mean_rate, stats.index_of_dispersion_1s), (0, 0.0, 0.0));
        assert_eq!((stats.duration_seconds.mean, stats.duration_seconds.p99), (0.0, 0.0));
    }
}
