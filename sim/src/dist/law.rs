//! What is known of a distribution without drawing: mean, distribution function, quantiles.

use super::{Dist, Form, Part};

/// The Weibull shapes that are served: at 0.1 the coefficient of variation is 430, at 1000 it is 0.0013.
pub(super) const WEIBULL_SHAPES: [f64; 2] = [0.1, 1000.0];

impl Dist {
    /// The mean; infinite for a Pareto distribution of shape 1 or less.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Uniform { min, width } => min + width / 2.0,
            Form::Exponential { mean } => *mean,
            Form::LogNormal { mu, sigma } => libm::exp(mu + sigma * sigma / 2.0),
            Form::Gamma(gamma) => gamma.shape * gamma.scale,
            Form::Weibull { log_scale, shape } => libm::exp(log_scale + log_weibull_mean(*shape)),
            Form::Pareto { shape, .. } if *shape <= 1.0 => f64::INFINITY,
            Form::Pareto { log_minimum, shape } => libm::exp(*log_minimum) * (shape / (shape - 1.0)),
            Form::Empirical(curve) => curve.mean(),
            Form::Mixture(parts) => parts.iter().map(|part| part.weight * part.dist.mean()).sum(),
        }
    }

    /// The share of draws at or below `x`.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        if x.is_nan() || x < 0.0 {
            return 0.0;
        }
        match &self.0 {
            Form::Constant(value) => f64::from(u8::from(*value <= x)),
            Form::Uniform { min, width } if x < *min + *width => ((x - min) / width).max(0.0),
            Form::Uniform { .. } => 1.0,
            Form::Exponential { mean } => -libm::expm1(-x / mean),
            Form::LogNormal { mu, sigma } => normal_cdf((libm::log(x) - mu) / sigma),
            Form::Gamma(gamma) => gamma_cdf(gamma.shape, x / gamma.scale),
            Form::Weibull { log_scale, shape } => {
                -libm::expm1(-libm::exp(shape * (libm::log(x) - log_scale)))
            }
            Form::Pareto { log_minimum, shape } => {
                (-libm::expm1(shape * (log_minimum - libm::log(x)))).max(0.0)
            }
            Form::Empirical(curve) => curve.share(x),
            Form::Mixture(parts) => parts.iter().map(|part| part.weight * part.dist.cdf(x)).sum(),
        }
    }

    /// The smallest time that at least a share `p` of the draws does not exceed; infinite at 1 where nothing
    /// bounds the draws.
    #[must_use]
    pub fn quantile(&self, p: f64) -> f64 {
        if p >= 1.0 {
            return self.maximum();
        }
        // Also where `p` is no number.
        let p = if p > 0.0 { p } else { f64::MIN_POSITIVE };
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Uniform { min, width } => min + width * p,
            Form::Exponential { mean } => -mean * libm::log1p(-p),
            Form::Weibull { log_scale, shape } => libm::exp(log_scale + libm::log(-libm::log1p(-p)) / shape),
            Form::Pareto { log_minimum, shape } => libm::exp(log_minimum - libm::log1p(-p) / shape),
            Form::Empirical(curve) => curve.at(p),
            Form::LogNormal { .. } | Form::Gamma(_) | Form::Mixture(_) => self.searched_quantile(p),
        }
    }

    /// Halves the positive floating point numbers, which their bits order, until one is left.
    fn searched_quantile(&self, p: f64) -> f64 {
        let (mut low, mut high) = (0, f64::INFINITY.to_bits());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.cdf(f64::from_bits(middle)) >= p {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        f64::from_bits(low)
    }

    fn maximum(&self) -> f64 {
        match &self.0 {
            Form::Constant(value) => *value,
            Form::Uniform { min, width } => min + width,
            Form::Empirical(curve) => curve.maximum(),
            Form::Mixture(parts) => parts.iter().map(|part: &Part| part.dist.maximum()).fold(0.0, f64::max),
            _ => f64::INFINITY,
        }
    }
}

/// The logarithm of the mean of a Weibull distribution of scale 1.
pub(super) fn log_weibull_mean(shape: f64) -> f64 {
    libm::lgamma(1.0 + 1.0 / shape)
}

/// The coefficient of variation of a Weibull distribution: falls as the shape grows.
pub(super) fn weibull_cv(shape: f64) -> f64 {
    libm::expm1(libm::lgamma(1.0 + 2.0 / shape) - 2.0 * libm::lgamma(1.0 + 1.0 / shape)).sqrt()
}

/// The Weibull shape with this coefficient of variation, by halving the range.
pub(super) fn weibull_shape(cv: f64) -> f64 {
    let [mut low, mut high] = WEIBULL_SHAPES;
    // Halves until the two are neighbours.
    for _ in 0..64 {
        let middle = low + (high - low) / 2.0;
        if weibull_cv(middle) > cv { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The regularised lower incomplete gamma function.
fn gamma_cdf(shape: f64, x: f64) -> f64 {
    /// From here on the Wilson-Hilferty cube root is normal to seven digits, and the sums get long.
    const LARGE: f64 = 1e5;
    if x <= 0.0 {
        return 0.0;
    }
    if x.is_infinite() {
        return 1.0;
    }
    if shape > LARGE {
        let spread = 1.0 / (9.0 * shape);
        return normal_cdf((libm::cbrt(x / shape) - (1.0 - spread)) / spread.sqrt());
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        (front * lower_series(shape, x)).min(1.0)
    } else {
        1.0 - front * upper_fraction(shape, x)
    }
}

/// The power series of the lower function, without its front factor: good below `shape + 1`.
fn lower_series(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0 / shape, 1.0 / shape, shape);
    while term > sum * f64::EPSILON {
        k += 1.0;
        term *= x / k;
        sum += term;
    }
    sum
}

/// The continued fraction of the upper function (Lentz's method), without its front factor.
fn upper_fraction(shape: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - shape;
    let mut c = f64::MAX;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}
