//! Fingerprints of everything that draws, to compare platforms: one differing bit gives another number.

use super::{Arrivals, Block, Expand, Gaps, Phases, Rate, SyntheticSource};
use crate::dist::{Dist, Interpolation, ParameterError};
use crate::rng::{Stream, key};

const SECOND: u64 = 1_000_000_000;

/// The name and the fingerprint of `draws` draws of each family of distributions and each arrival process.
pub fn fingerprints(draws: usize) -> Result<Vec<(&'static str, u64)>, ParameterError> {
    let mut found = Vec::new();
    for (name, dist) in families()? {
        found.push((name, of_dist(&dist, draws)));
    }
    for (name, arrivals) in processes()? {
        found.push((name, of_arrivals(&arrivals, draws)?));
    }
    Ok(found)
}

fn families() -> Result<Vec<(&'static str, Dist)>, ParameterError> {
    let seven = [(0.0, 1e6), (1.0, 2e6), (25.0, 9e6), (50.0, 2e7), (75.0, 9e7), (99.0, 2e9), (100.0, 9e9)];
    let parts = [(9.0, Dist::exponential(1e6)?), (1.0, Dist::gamma_with_cv(1e8, 0.7)?)];
    Ok(vec![
        ("uniform", Dist::uniform(1e6, 9e6)?),
        ("exponential", Dist::exponential(1e6)?),
        ("log-normal", Dist::log_normal(8e8, 6e9)?),
        ("log-normal-cv", Dist::log_normal_with_cv(1e6, 3.0)?),
        ("gamma-narrow", Dist::gamma_with_cv(1e6, 0.5)?),
        ("gamma-wide", Dist::gamma_with_cv(1e6, 3.0)?),
        ("weibull", Dist::weibull(0.7, 1e6)?),
        ("weibull-cv", Dist::weibull_with_cv(1e6, 0.3)?),
        ("pareto", Dist::pareto_with_mean(1e6, 1.5)?),
        ("empirical-linear", Dist::empirical(&seven, Interpolation::Linear)?),
        ("empirical-log-linear", Dist::empirical(&seven, Interpolation::LogLinear)?),
        ("mixture", Dist::mixture(parts)?),
    ])
}

fn processes() -> Result<Vec<(&'static str, Arrivals)>, ParameterError> {
    let (minute, hour) = (60 * SECOND, 3600 * SECOND);
    let renewal = |gaps| Arrivals::new(gaps, Rate::constant(30.0)?);
    let poisson = |rate| Arrivals::new(Gaps::Exponential, rate);
    let states = [(5.0, minute), (90.0, SECOND), (0.0, 7 * SECOND)];
    Ok(vec![
        ("constant", Arrivals::constant(30.0)?),
        ("poisson", Arrivals::poisson(30.0)?),
        ("gamma-renewal", renewal(Gaps::Gamma { cv: 2.0 })?),
        ("weibull-renewal", renewal(Gaps::Weibull { cv: 0.6 })?),
        ("on-off", poisson(Rate::on_off(50.0, minute, hour, Phases::Exponential)?)?),
        ("modulated", poisson(Rate::modulated(&states)?)?),
        ("sinusoid", poisson(Rate::sinusoid(30.0, 30.0, hour, 7 * minute)?)?),
        ("ramps", poisson(Rate::ramps(&[(minute, 0.0), (hour, 90.0), (2 * hour, 3.0)])?)?),
        ("profile", poisson(Rate::intervals(minute, &[1.0, 0.0, 7.5, 100.0], true)?)?),
        ("bursts", Arrivals::bursts(SECOND, minute, 777, 30 * SECOND)?),
        ("counts", Arrivals::counts(0, minute, vec![77; 20_000], Expand::Uniform)?),
        ("counts-even", Arrivals::counts(0, minute, vec![77; 20_000], Expand::Even)?),
    ])
}

/// Of the draws before they are rounded, and of what is known without drawing.
fn of_dist(dist: &Dist, draws: usize) -> u64 {
    let mut stream = Stream::named(1, "fingerprint");
    let drawn = (0..draws).map(|_| dist.draw(&mut stream));
    let known = [dist.mean(), dist.quantile(0.5), dist.quantile(0.99), dist.cdf(2e7)];
    drawn.chain(known).fold(0, |hash, x| key(hash, [x.to_bits(), 0]))
}

/// Of times and services, with a change of the rate on the way.
fn of_arrivals(arrivals: &Arrivals, draws: usize) -> Result<u64, ParameterError> {
    let service = Dist::constant(1.0)?;
    let mut source = SyntheticSource::new(1, "fingerprint", arrivals, service, u64::MAX);
    let (mut block, mut hash, mut left) = (Block::default(), 0, draws);
    while left > 0 {
        source.fill(&mut block);
        let taken = left.min(block.at.len());
        let Some(now) = block.at[..taken].last() else { break };
        hash = block.at[..taken].iter().fold(hash, |hash, at| key(hash, [*at, 0]));
        if left > draws / 2 && left - taken <= draws / 2 {
            source.set_rate_factor(*now, 0.7, taken)?;
        }
        left -= taken;
    }
    Ok(hash)
}
