//! Rates over time, as what counts for arrivals: how many are expected by a time, and when so many are expected.

mod modulated;
mod profile;
mod sinusoid;

use crate::dist::{Check, ParameterError};
use crate::rng::Stream;
use modulated::{Modulation, Walk};
use profile::{After, Profile};
use sinusoid::{Sinusoid, Wave};
use std::sync::Arc;

pub use modulated::Phases;

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// How many arrivals are expected a second, at each time. One that exists has valid parameters.
#[derive(Clone, Debug)]
pub struct Rate(Shape);

/// Inside, a rate is in arrivals a nanosecond.
#[derive(Clone, Debug)]
enum Shape {
    Constant(f64),
    Profile(Arc<Profile>),
    Sinusoid(Sinusoid),
    Modulated(Arc<Modulation>),
}

impl Rate {
    /// Whether its law is the same at every time.
    #[must_use]
    pub const fn is_stationary(&self) -> bool {
        matches!(self.0, Shape::Constant(_) | Shape::Modulated(_))
    }

    /// Always the same.
    pub fn constant(rate: f64) -> Result<Self, ParameterError> {
        Ok(Self(Shape::Constant(per_nano(Check("constant rate"), "rate", rate)?)))
    }

    /// From each (time, rate) on, that rate; 0 before the first, the last one without end.
    pub fn steps(steps: &[(u64, f64)]) -> Result<Self, ParameterError> {
        let points = checked(Check("steps"), steps)?;
        let from = [(0, 0.0)].into_iter().chain(points.iter().copied());
        let pieces = from.zip(&points).map(|((start, rate), (end, _))| (*end - start, rate, rate));
        Ok(Self::profile(pieces, After::Hold(points[points.len() - 1].1)))
    }

    /// Straight lines through (time, rate) points, the first and last rate before and after them. Two points at
    /// one time make a jump.
    pub fn ramps(points: &[(u64, f64)]) -> Result<Self, ParameterError> {
        let points = checked(Check("ramps"), points)?;
        let from = [(0, points[0].1)].into_iter().chain(points.iter().copied());
        let pieces = from.zip(&points).map(|((start, from), (end, to))| (*end - start, from, *to));
        Ok(Self::profile(pieces, After::Hold(points[points.len() - 1].1)))
    }

    /// One rate for each interval, from time 0 on; afterwards again from the first, or none at all.
    pub fn intervals(interval: u64, rates: &[f64], repeat: bool) -> Result<Self, ParameterError> {
        let check = Check("rates per interval");
        check.that(interval > 0, "interval", interval, "more than 0 ns")?;
        check.that(!rates.is_empty(), "number of rates", 0, "at least one")?;
        let rates =
            rates.iter().map(|rate| per_nano(check, "rate", *rate)).collect::<Result<Vec<f64>, _>>()?;
        let after = if repeat { After::Repeat } else { After::Hold(0.0) };
        Ok(Self::profile(rates.into_iter().map(|rate| (interval, rate, rate)), after))
    }

    /// `mean + amplitude * sin(2 pi (t + phase) / period)`: a day whose busiest time is a quarter of a period
    /// after its begin, less `phase`.
    pub fn sinusoid(mean: f64, amplitude: f64, period: u64, phase: u64) -> Result<Self, ParameterError> {
        let check = Check("sinusoidal rate");
        let per_nano = per_nano(check, "mean", check.positive("mean", mean)?)?;
        check.within("amplitude", amplitude, [0.0, mean])?;
        check.that(period > 0, "period", period, "more than 0 ns")?;
        Ok(Self(Shape::Sinusoid(Sinusoid::new(per_nano, amplitude / mean, period, phase))))
    }

    /// `rate` while on, none while off; phases of these mean lengths. Constant phases begin with the on phase,
    /// exponential ones as if they had run forever.
    pub fn on_off(rate: f64, on: u64, off: u64, phases: Phases) -> Result<Self, ParameterError> {
        let check = Check("on-off rate");
        let on = (per_nano(check, "rate", rate)?, on);
        Ok(Self(Shape::Modulated(Arc::new(Modulation::new(check, &[on, (0.0, off)], phases)?))))
    }

    /// (rate, mean stay) states with exponential stays, each followed by any other with equal chance; begun as
    /// if they had run forever.
    pub fn modulated(states: &[(f64, u64)]) -> Result<Self, ParameterError> {
        let check = Check("modulated rate");
        let per_nano = |(rate, stay): &(f64, u64)| Ok((per_nano(check, "rate", *rate)?, *stay));
        let states = states.iter().map(per_nano).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Shape::Modulated(Arc::new(Modulation::new(check, &states, Phases::Exponential)?))))
    }

    /// The rate at a time, in arrivals a second; of an on-off or modulated rate the mean over all time.
    #[must_use]
    pub fn at(&self, now: u64) -> f64 {
        let now = now as f64;
        SECOND
            * match &self.0 {
                Shape::Constant(rate) => *rate,
                Shape::Profile(profile) => profile.rate(now),
                Shape::Sinusoid(sinusoid) => sinusoid.rate(now),
                Shape::Modulated(modulation) => modulation.mean(),
            }
    }

    fn profile(pieces: impl Iterator<Item = (u64, f64, f64)>, after: After) -> Self {
        Self(Shape::Profile(Arc::new(Profile::new(pieces, after))))
    }
}

/// A rate that runs. A clone is cheap.
#[derive(Clone, Debug)]
pub(super) enum Clock {
    Constant(f64),
    Profile { profile: Arc<Profile>, hint: usize },
    Sinusoid(Wave),
    Modulated(Walk),
}

impl Clock {
    /// `states` decides the states of a modulated rate.
    pub(super) fn new(rate: &Rate, states: Stream) -> Self {
        match &rate.0 {
            Shape::Constant(rate) => Self::Constant(*rate),
            Shape::Profile(profile) => Self::Profile { profile: Arc::clone(profile), hint: 0 },
            Shape::Sinusoid(sinusoid) => Self::Sinusoid(Wave::new(*sinusoid)),
            // No walk ever finds an arrival.
            Shape::Modulated(modulation) if modulation.mean() == 0.0 => Self::Constant(0.0),
            Shape::Modulated(modulation) => Self::Modulated(Walk::new(Arc::clone(modulation), states)),
        }
    }

    /// Turns numbers of expected arrivals, not falling, into the times at which so many are expected: infinite
    /// where that is never, or at any time from `until` on.
    #[inline]
    pub(super) fn times(&mut self, until: f64, expected: &mut [f64]) {
        match self {
            Self::Constant(0.0) => expected.fill(f64::INFINITY),
            Self::Constant(rate) => each(expected, |x| x / *rate),
            Self::Profile { profile, hint } => each(expected, |x| profile.time(x, hint)),
            Self::Sinusoid(wave) => each(expected, |x| wave.time(x)),
            Self::Modulated(walk) => each(expected, |x| walk.time(x, until)),
        }
    }

    /// How many arrivals are expected by `now`, which is no time before one asked for already.
    pub(super) fn expected(&mut self, now: f64) -> f64 {
        match self {
            Self::Constant(rate) => now * *rate,
            Self::Profile { profile, .. } => profile.expected(now),
            Self::Sinusoid(wave) => wave.expected(now),
            Self::Modulated(walk) => walk.expected(now),
        }
    }
}

#[inline]
fn each(values: &mut [f64], mut change: impl FnMut(f64) -> f64) {
    for value in values {
        *value = change(*value);
    }
}

/// A rate in arrivals a nanosecond. The limits keep every quotient finite.
fn per_nano(check: Check, parameter: &'static str, rate: f64) -> Result<f64, ParameterError> {
    if rate != 0.0 {
        check.that((1e-12..=1e12).contains(&rate), parameter, rate, "0, or from 1e-12 to 1e12 a second")?;
    }
    Ok(rate.abs() / SECOND)
}

/// (time, rate) points in time order, at least one, the rates in arrivals a nanosecond.
fn checked(check: Check, points: &[(u64, f64)]) -> Result<Vec<(u64, f64)>, ParameterError> {
    check.that(!points.is_empty(), "number of points", 0, "at least one")?;
    for pair in points.windows(2) {
        let [before, after] = [pair[0].0, pair[1].0];
        check.that(before <= after, "time", after, format!("at least the one before, {before} ns"))?;
    }
    points.iter().map(|(time, rate)| Ok((*time, per_nano(check, "rate", *rate)?))).collect()
}
