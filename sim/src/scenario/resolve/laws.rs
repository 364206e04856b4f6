//! Distributions of times: from what is written to what can be drawn from.

use crate::dist::{self, Dist, ParameterError};
use crate::scenario::Span;
use crate::scenario::error::Problem;
use crate::scenario::file::{Interpolation, Law, MixturePart, Times};
use crate::scenario::key::KeyPath;
use std::collections::BTreeMap;
use wci_core::{parse_number, sorted_by};

/// Resolves a distribution that is written at `path`.
pub(crate) fn times(path: &KeyPath, times: &Times) -> Result<Dist, Problem> {
    match times {
        Times::Constant(span) => constant(path, *span),
        Times::Law(law) => self::law(path, law),
    }
}

/// A distribution's refusal of a parameter, with the key that holds it.
pub(super) fn refused(path: &KeyPath) -> impl Fn(ParameterError) -> Problem {
    move |error| Problem::value(path, format!("{} {}", error.parameter, error.found), error.expected)
}

fn constant(path: &KeyPath, span: Span) -> Result<Dist, Problem> {
    Dist::constant(nanos(span)).map_err(refused(path))
}

fn law(path: &KeyPath, law: &Law) -> Result<Dist, Problem> {
    let positive = |name: &str, span: Span| positive(&path.key(name), span);
    let refused = refused(path);
    match law {
        Law::Constant { value } => constant(&path.key("value"), *value),
        Law::Uniform { min, max } if max < min => {
            Err(Problem::value(&path.key("max"), max.to_string(), format!("at least min, {min}")))
        }
        Law::Uniform { min, max } => Dist::uniform(nanos(*min), nanos(*max)).map_err(refused),
        Law::Exponential { mean } => Dist::exponential(positive("mean", *mean)?).map_err(refused),
        Law::Lognormal { median, p99, mean, cv } => log_normal(path, (*median, *p99), (*mean, *cv)),
        Law::Gamma { mean, cv } => Dist::gamma_with_cv(positive("mean", *mean)?, *cv).map_err(refused),
        Law::Weibull { mean, cv } => Dist::weibull_with_cv(positive("mean", *mean)?, *cv).map_err(refused),
        Law::Pareto { min, shape } => Dist::pareto(positive("min", *min)?, *shape).map_err(refused),
        Law::Percentiles { points, interpolation } => percentiles(path, points, *interpolation),
        Law::Mixture { parts } => mixture(path, parts),
    }
}

fn log_normal(
    path: &KeyPath,
    by_quantiles: (Option<Span>, Option<Span>),
    by_moments: (Option<Span>, Option<f64>),
) -> Result<Dist, Problem> {
    match (by_quantiles, by_moments) {
        ((Some(median), Some(p99)), (None, None)) => {
            positive(&path.key("median"), median)?;
            if p99 <= median {
                let expected = format!("more than the median, {median}");
                return Err(Problem::value(&path.key("p99"), p99.to_string(), expected));
            }
            Dist::log_normal(nanos(median), nanos(p99)).map_err(refused(path))
        }
        ((None, None), (Some(mean), Some(cv))) => {
            let mean = positive(&path.key("mean"), mean)?;
            Dist::log_normal_with_cv(mean, cv).map_err(refused(path))
        }
        _ => {
            let expected = "either median and p99, or mean and cv";
            Err(Problem::value(path, "neither of the two pairs alone", expected))
        }
    }
}

fn percentiles(
    path: &KeyPath,
    points: &BTreeMap<String, Span>,
    interpolation: Option<Interpolation>,
) -> Result<Dist, Problem> {
    let path = path.key("points");
    let mut curve = Vec::new();
    for (name, span) in points {
        let percentage = name.strip_prefix('p').and_then(parse_number);
        let Some(percentage) = percentage.filter(|p| (0.0..=100.0).contains(p)) else {
            let expected = "a percentage from p0 to p100, such as p50 or \"p99.9\"";
            return Err(Problem::value(&path.key(name), format!("{name:?}"), expected));
        };
        curve.push((percentage, nanos(*span)));
    }
    // Numbers that are not negative are in the order of their bits.
    let curve = sorted_by(curve, |(percentage, _)| (percentage + 0.0).to_bits());
    let interpolation = match interpolation.unwrap_or(Interpolation::LogLinear) {
        Interpolation::LogLinear => dist::Interpolation::LogLinear,
        Interpolation::Linear => dist::Interpolation::Linear,
    };
    if interpolation == dist::Interpolation::LogLinear && curve.first().is_some_and(|point| point.1 == 0.0) {
        let expected = "more than \"0s\", or interpolation = \"linear\"";
        return Err(Problem::value(&path, "a time of 0s", expected));
    }
    Dist::empirical(&curve, interpolation).map_err(refused(&path))
}

fn mixture(path: &KeyPath, parts: &[MixturePart]) -> Result<Dist, Problem> {
    let path = path.key("parts");
    let part = |(index, part): (usize, &MixturePart)| {
        Ok((part.weight, times(&path.item(index, None).key("times"), &part.times)?))
    };
    let parts: Vec<(f64, Dist)> = parts.iter().enumerate().map(part).collect::<Result<_, _>>()?;
    if parts.is_empty() {
        return Err(Problem::value(&path, "an empty list", "at least one distribution"));
    }
    Dist::mixture(parts).map_err(refused(&path))
}

/// A time that has to be more than nothing, in nanoseconds.
pub(super) fn positive(path: &KeyPath, span: Span) -> Result<f64, Problem> {
    if span.0 == 0 { Err(Problem::value(path, "0s", "more than \"0s\"")) } else { Ok(nanos(span)) }
}

fn nanos(span: Span) -> f64 {
    span.0 as f64
}
