//! The waits themselves, as counts that several runs can be added up from, and the quantiles of such sums.

use crate::histogram::{Histogram, Sparse};
use crate::model::{MILLI, Nanos};
use crate::results::Quantiles;
use serde::{Deserialize, Serialize};

/// What replications of one group are pooled from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// From add to start.
    pub waits: Sample,
    /// From first add to completion.
    pub sojourns: Sample,
    /// Sync matches over adds.
    pub sync_match: Ratio,
    /// Cold starts over tasks.
    pub cold_start: Ratio,
    /// Busy over all slot time.
    pub utilization: Ratio,
}

/// Known values, and lower bounds of those that are not known yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    known: Sparse,
    bounds: Sparse,
    shortest_bound: Option<Nanos>,
}

/// Lower bounds of values that are not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    counts: Histogram,
    shortest: Option<Nanos>,
}

/// A part and its whole: ratios are pooled as the ratio of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// What counts.
    pub part: f64,
    /// Of what.
    pub whole: f64,
}

impl Ratio {
    /// A part of a whole.
    #[must_use]
    pub const fn new(part: f64, whole: f64) -> Self {
        Self { part, whole }
    }
}

impl Sample {
    /// Known values and the bounds of the others.
    #[must_use]
    pub fn new(known: &Histogram, bounds: &Bounds) -> Self {
        Self {
            known: Sparse::from(known),
            bounds: Sparse::from(&bounds.counts),
            shortest_bound: bounds.shortest,
        }
    }
}

/// The quantiles of several runs' values together.
#[must_use]
pub fn pooled<'a>(samples: impl Iterator<Item = &'a Sample>) -> Quantiles {
    let mut known = Histogram::default();
    let mut bounds = Bounds::default();
    for sample in samples {
        known.add(&sample.known);
        bounds.counts.add(&sample.bounds);
        bounds.shortest = bounds.shortest.into_iter().chain(sample.shortest_bound).min();
    }
    quantiles([(&known, &bounds)].into_iter())
}

impl Bounds {
    /// A value that is at least `bound`.
    pub fn record(&mut self, bound: Nanos) {
        self.counts.record(bound);
        self.shortest = self.shortest.into_iter().chain([bound]).min();
    }

    fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.shortest = self.shortest.into_iter().chain(other.shortest).min();
    }
}

/// Mean and quantiles of known values and lower bounds together. A quantile is known for sure only while no lower
/// bound lies below it: an unknown value may be anywhere above its bound.
#[must_use]
pub fn quantiles<'a>(parts: impl Iterator<Item = (&'a Histogram, &'a Bounds)>) -> Quantiles {
    let mut known = Histogram::default();
    let mut bounds = Bounds::default();
    for (values, open) in parts {
        known.merge(values);
        bounds.merge(open);
    }
    let Bounds { counts: bounds, shortest } = bounds;
    let mut all = known.clone();
    all.merge(&bounds);
    let mut result = Quantiles::default();
    let nothing_known = known.count() == 0 && bounds.count() > 0;
    let sure = shortest.map_or(u64::MAX, |shortest| known.count_below(shortest));
    let in_millis = |nanos: f64| nanos / MILLI as f64;
    let mut value = |name: &str, rank: u64, value: Option<f64>| {
        let is_sure = bounds.count() == 0 || rank <= sure;
        if all.count() > 0 && !is_sure {
            result.censored.push(name.into());
        }
        value.filter(|_| !nothing_known).map(in_millis)
    };
    let n = all.count();
    let mean = (n > 0).then(|| all.sum() as f64 / n as f64);
    let mean = value("mean", u64::MAX, mean);
    let mut at = |name: &str, p: f64| value(name, (p * n as f64).ceil() as u64, all.quantile(p));
    let (p50, p90, p95, p99) = (at("p50", 0.5), at("p90", 0.9), at("p95", 0.95), at("p99", 0.99));
    let max = value("max", u64::MAX, (n > 0).then(|| all.max() as f64));
    Quantiles { mean, p50, p90, p95, p99, max, censored: result.censored }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(known: &[u64], bounds: &[u64]) -> Sample {
        let (mut values, mut open) = (Histogram::default(), Bounds::default());
        known.iter().for_each(|value| values.record(value * MILLI));
        bounds.iter().for_each(|bound| open.record(bound * MILLI));
        Sample::new(&values, &open)
    }

    fn of(parts: &[Sample]) -> Quantiles {
        pooled(parts.iter())
    }

    #[test]
    fn pooled_quantiles_are_those_of_all_values_together() {
        let (low, high) = (sample(&[1; 50], &[]), sample(&[100; 50], &[]));
        let about =
            |found: Option<f64>, expected: f64| (found.unwrap_or(f64::NAN) / expected - 1.0).abs() < 0.01;
        assert!(about(of(&[low.clone(), high.clone()]).p95, 100.0));
        assert!(about(of(&[low.clone(), low, high]).p50, 1.0));
    }

    #[test]
    fn a_bound_of_one_run_censors_the_pool() {
        let pooled = of(&[sample(&[1; 90], &[]), sample(&[], &[1; 10])]);
        assert!(pooled.censored.iter().any(|name| name == "p95"), "{:?}", pooled.censored);
        assert!(of(&[sample(&[], &[5])]).p50.is_none(), "nothing started: infinite");
    }
}
