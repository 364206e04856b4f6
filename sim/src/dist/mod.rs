//! The one place where the simulator draws.
//!
//! A [`Dist`] is a distribution of times, in nanoseconds; every number in it is an f64 and every draw is 0 or more.
//! Draws are the same to the bit natively and in WebAssembly: base draws by ziggurat, transforms with `libm` alone
//! (the standard library's `exp`, `ln` and `powf` are the platform's, and differ).
//!
//! Changing a parameter keeps the luck: all families but the mixture draw their base variates before they scale
//! them, so the same stream gives the same ranks.

mod curve;
mod error;
mod gamma;
mod law;
#[cfg(test)]
mod tests;
mod ziggurat;

use crate::rng::Stream;
use gamma::Gamma;
use ziggurat::Ziggurat;

pub(crate) use error::Check;
pub use {curve::Interpolation, error::ParameterError};

/// How many draws are made at once.
const BLOCK: usize = 1024;

/// Quantile 0.99 of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// A distribution of times in nanoseconds. One that exists has valid parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Constant(f64),
    Uniform { min: f64, width: f64 },
    Exponential { mean: f64 },
    LogNormal { mu: f64, sigma: f64 },
    Gamma(Gamma),
    Weibull { log_scale: f64, shape: f64 },
    Pareto { log_minimum: f64, shape: f64 },
    Empirical(Box<curve::Curve>),
    Mixture(Box<[Part]>),
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// This part's weight with that of all before it; 1 for the last.
    until: f64,
    weight: f64,
    dist: Dist,
}

impl Dist {
    /// Always the same time.
    pub fn constant(value: f64) -> Result<Self, ParameterError> {
        Ok(Self(Form::Constant(Check("constant").not_negative("value", value)?)))
    }

    /// Always the same whole number of nanoseconds, which cannot be wrong.
    #[must_use]
    pub const fn certain(nanos: u64) -> Self {
        Self(Form::Constant(nanos as f64))
    }

    /// The time in nanoseconds, if it is always the same.
    #[must_use]
    pub const fn as_constant(&self) -> Option<f64> {
        match self.0 {
            Form::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Any time from `min` to `max` with equal chance.
    pub fn uniform(min: f64, max: f64) -> Result<Self, ParameterError> {
        let check = Check("uniform distribution");
        let (min, max) = (check.not_negative("min", min)?, check.not_negative("max", max)?);
        check.that(min <= max, "max", max, format!("at least min, {min}"))?;
        Ok(Self(Form::Uniform { min, width: max - min }))
    }

    /// Without memory.
    pub fn exponential(mean: f64) -> Result<Self, ParameterError> {
        Ok(Self(Form::Exponential { mean: Check("exponential distribution").positive("mean", mean)? }))
    }

    /// Log-normal with this median, of which one draw in 100 exceeds `p99`.
    pub fn log_normal(median: f64, p99: f64) -> Result<Self, ParameterError> {
        let check = Check("log-normal distribution");
        let (median, p99) = (check.positive("median", median)?, check.positive("p99", p99)?);
        check.that(p99 > median, "p99", p99, format!("more than the median, {median}"))?;
        let mu = libm::log(median);
        Ok(Self(Form::LogNormal { mu, sigma: (libm::log(p99) - mu) / NORMAL_P99 }))
    }

    /// Log-normal with this mean and coefficient of variation (standard deviation / mean).
    pub fn log_normal_with_cv(mean: f64, cv: f64) -> Result<Self, ParameterError> {
        let check = Check("log-normal distribution");
        let (mean, cv) = (check.positive("mean", mean)?, check.within("cv", cv, [1e-6, 1e6])?);
        let variance = libm::log1p(cv * cv);
        Ok(Self(Form::LogNormal { mu: libm::log(mean) - variance / 2.0, sigma: variance.sqrt() }))
    }

    /// Gamma with mean `shape * scale`.
    pub fn gamma(shape: f64, scale: f64) -> Result<Self, ParameterError> {
        let check = Check("gamma distribution");
        let shape = check.within("shape", shape, [1e-12, 1e12])?;
        Ok(Self(Form::Gamma(Gamma::new(shape, check.positive("scale", scale)?))))
    }

    /// Gamma with this mean and coefficient of variation.
    pub fn gamma_with_cv(mean: f64, cv: f64) -> Result<Self, ParameterError> {
        let check = Check("gamma distribution");
        let (mean, cv) = (check.positive("mean", mean)?, check.within("cv", cv, [1e-6, 1e6])?);
        Ok(Self(Form::Gamma(Gamma::new(1.0 / (cv * cv), mean * cv * cv))))
    }

    /// Weibull: P(more than x) = exp(-(x / scale)^shape).
    pub fn weibull(shape: f64, scale: f64) -> Result<Self, ParameterError> {
        let check = Check("Weibull distribution");
        let shape = check.within("shape", shape, law::WEIBULL_SHAPES)?;
        Ok(Self(Form::Weibull { log_scale: libm::log(check.positive("scale", scale)?), shape }))
    }

    /// Weibull with this mean and coefficient of variation.
    pub fn weibull_with_cv(mean: f64, cv: f64) -> Result<Self, ParameterError> {
        let check = Check("Weibull distribution");
        let [widest, narrowest] = law::WEIBULL_SHAPES.map(law::weibull_cv);
        let (mean, cv) = (check.positive("mean", mean)?, check.within("cv", cv, [narrowest, widest])?);
        let shape = law::weibull_shape(cv);
        Ok(Self(Form::Weibull { log_scale: libm::log(mean) - law::log_weibull_mean(shape), shape }))
    }

    /// Pareto: P(more than x) = (minimum / x)^shape. The mean is infinite for a shape of 1 or less.
    pub fn pareto(minimum: f64, shape: f64) -> Result<Self, ParameterError> {
        let check = Check("Pareto distribution");
        let log_minimum = libm::log(check.positive("minimum", minimum)?);
        Ok(Self(Form::Pareto { log_minimum, shape: check.positive("shape", shape)? }))
    }

    /// Pareto with this mean; only a shape above 1 has one.
    pub fn pareto_with_mean(mean: f64, shape: f64) -> Result<Self, ParameterError> {
        let check = Check("Pareto distribution");
        let (mean, shape) = (check.positive("mean", mean)?, check.positive("shape", shape)?);
        check.that(shape > 1.0, "shape", shape, "more than 1, or there is no mean")?;
        Self::pareto(mean * (1.0 - 1.0 / shape), shape)
    }

    /// Through (percentage, value) pairs, both increasing; below the first and above the last percentage lies
    /// the first and the last value itself.
    pub fn empirical(
        percentiles: &[(f64, f64)],
        interpolation: Interpolation,
    ) -> Result<Self, ParameterError> {
        Ok(Self(Form::Empirical(Box::new(curve::Curve::new(percentiles, interpolation)?))))
    }

    /// One of several, each chosen as often as its share of the weights says.
    pub fn mixture(parts: impl IntoIterator<Item = (f64, Self)>) -> Result<Self, ParameterError> {
        let check = Check("mixture");
        let mut total = 0.0;
        let mut mixed = Vec::new();
        for (weight, dist) in parts {
            total += check.not_negative("weight", weight)?;
            mixed.push(Part { until: total, weight, dist });
        }
        check.that(total > 0.0 && total.is_finite(), "sum of the weights", total, "a positive number")?;
        mixed.retain(|part| part.weight > 0.0);
        for part in &mut mixed {
            part.until /= total;
            part.weight /= total;
        }
        Ok(Self(Form::Mixture(mixed.into_boxed_slice())))
    }

    /// The same distribution with every time `factor` as long.
    pub fn scaled(&self, factor: f64) -> Result<Self, ParameterError> {
        let f = Check("scaled distribution").positive("factor", factor)?;
        Ok(Self(match &self.0 {
            Form::Constant(value) => Form::Constant(value * f),
            Form::Uniform { min, width } => Form::Uniform { min: min * f, width: width * f },
            Form::Exponential { mean } => Form::Exponential { mean: mean * f },
            Form::LogNormal { mu, sigma } => Form::LogNormal { mu: mu + libm::log(f), sigma: *sigma },
            Form::Gamma(gamma) => Form::Gamma(Gamma::new(gamma.shape, gamma.scale * f)),
            Form::Weibull { log_scale, shape } => {
                Form::Weibull { log_scale: log_scale + libm::log(f), shape: *shape }
            }
            Form::Pareto { log_minimum, shape } => {
                Form::Pareto { log_minimum: log_minimum + libm::log(f), shape: *shape }
            }
            Form::Empirical(curve) => Form::Empirical(Box::new(curve.scaled(f))),
            Form::Mixture(parts) => {
                let scale = |part: &Part| Ok(Part { dist: part.dist.scaled(f)?, ..*part });
                Form::Mixture(parts.iter().map(scale).collect::<Result<_, ParameterError>>()?)
            }
        }))
    }

    /// One draw in nanoseconds, to the nearest; what does not fit is `u64::MAX`.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> u64 {
        nanos(self.draw(stream))
    }

    /// One draw, not rounded: a pure number where the distribution's unit is not the nanosecond.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let mut draw = [0.0];
        self.draw_into(stream, &mut draw);
        draw[0]
    }

    /// Appends `n` draws in nanoseconds; the same as `n` times [`Self::sample`], but faster.
    pub fn fill(&self, stream: &mut Stream, n: usize, out: &mut Vec<u64>) {
        let mut draws = [0.0; BLOCK];
        let mut left = n;
        while left > 0 {
            let draws = &mut draws[..left.min(BLOCK)];
            self.draw_into(stream, draws);
            out.extend(draws.iter().map(|x| nanos(*x)));
            left -= draws.len();
        }
    }

    /// Fills `out` with draws, not rounded: one match a block.
    #[inline]
    pub fn draw_into(&self, stream: &mut Stream, out: &mut [f64]) {
        let z = Ziggurat::tables();
        match &self.0 {
            Form::Constant(value) => out.fill(*value),
            Form::Uniform { min, width } => each(out, || min + width * stream.uniform()),
            Form::Exponential { mean } => each(out, || mean * z.exponential(stream)),
            Form::LogNormal { mu, sigma } => each(out, || libm::exp(mu + sigma * z.normal(stream))),
            Form::Gamma(gamma) => each(out, || gamma.draw(z, stream)),
            // An exponential is -log U, so powers of U and of -log U come from it.
            Form::Weibull { log_scale, shape } => {
                let power = 1.0 / shape;
                each(out, || libm::exp(log_scale + power * libm::log(z.exponential(stream))));
            }
            Form::Pareto { log_minimum, shape } => {
                let power = 1.0 / shape;
                each(out, || libm::exp(log_minimum + power * z.exponential(stream)));
            }
            Form::Empirical(curve) => each(out, || curve.at(stream.uniform())),
            Form::Mixture(parts) => each(out, || choose(parts, stream.uniform()).draw(stream)),
        }
    }
}

#[inline]
fn each(out: &mut [f64], mut draw: impl FnMut() -> f64) {
    for x in out {
        *x = draw();
    }
}

fn choose(parts: &[Part], uniform: f64) -> &Dist {
    let chosen = parts.partition_point(|part| part.until <= uniform);
    // The last part's `until` is 1 up to rounding.
    &parts[chosen.min(parts.len() - 1)].dist
}

/// One exponential draw with mean 1.
#[inline]
pub(crate) fn unit_exponential(stream: &mut Stream) -> f64 {
    Ziggurat::tables().exponential(stream)
}

/// To the nearest nanosecond, 0 at least and `u64::MAX` at most.
#[inline]
pub(crate) fn nanos(x: f64) -> u64 {
    /// From 2^52 to 2^53 f64 holds just the whole numbers, so adding 2^52 rounds, and the mantissa is the result.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    if x < WHOLE { (x + WHOLE).to_bits().saturating_sub(WHOLE.to_bits()) } else { x as u64 }
}
