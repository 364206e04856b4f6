//! Arrivals: from what is written to a process that can run.

use super::laws::{positive, refused};
use crate::scenario::Span;
use crate::scenario::error::Problem;
use crate::scenario::file::{Arrival, Expand, Phases, RatePoint};
use crate::scenario::key::KeyPath;
use crate::workload::{self, Arrivals, Gaps, Rate};

const DAY: Span = Span(86_400_000_000_000);

/// Resolves the arrivals that are written at `path`.
pub(super) fn arrivals(path: &KeyPath, arrival: &Arrival) -> Result<Arrivals, Problem> {
    match arrival {
        Arrival::Bursts { size, every, first, spread } => {
            let first = first.unwrap_or(*every).0;
            positive(&path.key("every"), *every)?;
            Arrivals::bursts(first, every.0, *size, spread.map_or(0, |s| s.0)).map_err(refused(path))
        }
        Arrival::Bulk { count, at } => Ok(Arrivals::bulk(vec![(at.map_or(0, |at| at.0), *count)])),
        Arrival::Timestamps { at } => Ok(Arrivals::instants(at.iter().map(|at| at.0).collect())),
        Arrival::Counts { interval, counts, first, expand } => {
            positive(&path.key("interval"), *interval)?;
            let first = first.map_or(0, |first| first.0);
            Arrivals::counts(first, interval.0, counts.clone(), self::expand(*expand)).map_err(refused(path))
        }
        _ => Arrivals::new(gaps(arrival), rate(path, arrival)?).map_err(refused(path)),
    }
}

/// The `rate` that is written, if there is one.
pub(super) const fn own_rate(arrival: &Arrival) -> Option<f64> {
    match arrival {
        Arrival::Constant { rate }
        | Arrival::Poisson { rate }
        | Arrival::Gamma { rate, .. }
        | Arrival::Weibull { rate, .. }
        | Arrival::OnOff { rate, .. }
        | Arrival::Sinusoidal { rate, .. } => Some(*rate),
        _ => None,
    }
}

fn gaps(arrival: &Arrival) -> Gaps {
    match arrival {
        Arrival::Constant { .. } => Gaps::Even,
        Arrival::Weibull { cv, .. } => Gaps::Weibull { cv: *cv },
        Arrival::Gamma { cv, .. } => Gaps::Gamma { cv: *cv },
        Arrival::OnOff { cv: Some(cv), .. }
        | Arrival::Sinusoidal { cv: Some(cv), .. }
        | Arrival::Steps { cv: Some(cv), .. }
        | Arrival::Ramps { cv: Some(cv), .. }
        | Arrival::Profile { cv: Some(cv), .. } => Gaps::Gamma { cv: *cv },
        _ => Gaps::Exponential,
    }
}

fn rate(path: &KeyPath, arrival: &Arrival) -> Result<Rate, Problem> {
    let result = match arrival {
        Arrival::OnOff { rate, on, off, phases, .. } => {
            positive(&path.key("on"), *on)?;
            positive(&path.key("off"), *off)?;
            Rate::on_off(*rate, on.0, off.0, self::phases(*phases))
        }
        Arrival::MarkovModulated { states } => {
            let states: Vec<_> = states.iter().map(|state| (state.rate, state.mean.0)).collect();
            Rate::modulated(&states)
        }
        Arrival::Sinusoidal { rate, amplitude, period, peak_at, .. } => {
            let period = period.unwrap_or(DAY);
            positive(&path.key("period"), period)?;
            let peak_at = peak_at.map_or(period.0 / 2, |at| at.0 % period.0);
            // A sine is highest a quarter of its period after its begin.
            let quarter = period.0 / 4;
            let phase = if peak_at <= quarter { quarter - peak_at } else { quarter + (period.0 - peak_at) };
            Rate::sinusoid(*rate, rate * amplitude, period.0, phase)
        }
        Arrival::Steps { points, .. } => Rate::steps(&in_order(&path.key("points"), points)?),
        Arrival::Ramps { points, .. } => Rate::ramps(&in_order(&path.key("points"), points)?),
        Arrival::Profile { interval, rates, repeat, .. } => {
            positive(&path.key("interval"), *interval)?;
            Rate::intervals(interval.0, rates, repeat.unwrap_or(true))
        }
        other => Rate::constant(own_rate(other).unwrap_or_default()),
    };
    result.map_err(refused(path))
}

fn in_order(path: &KeyPath, points: &[RatePoint]) -> Result<Vec<(u64, f64)>, Problem> {
    let early = (1..points.len()).find(|index| points[*index].at < points[index - 1].at);
    if let Some(index) = early {
        let expected = format!("at least the time before, {}", points[index - 1].at);
        let path = path.item(index, None).key("at");
        return Err(Problem::value(&path, points[index].at.to_string(), expected));
    }
    Ok(points.iter().map(|point| (point.at.0, point.rate)).collect())
}

const fn phases(phases: Option<Phases>) -> workload::Phases {
    match phases {
        Some(Phases::Constant) => workload::Phases::Constant,
        Some(Phases::Exponential) | None => workload::Phases::Exponential,
    }
}

const fn expand(expand: Option<Expand>) -> workload::Expand {
    match expand {
        Some(Expand::Even) => workload::Expand::Even,
        Some(Expand::Start) => workload::Expand::Start,
        Some(Expand::Uniform) | None => workload::Expand::Uniform,
    }
}
