//! Distributions of times as they are written.

use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long something takes: a duration (always the same) or a distribution with its `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Times {
    /// Always the same.
    Constant(Span),
    /// Drawn.
    Law(Law),
}

/// A distribution of times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Law {
    /// Always the same; a mere duration says the same.
    Constant {
        /// The time.
        value: Span,
    },
    /// Any time between two with equal chance.
    Uniform {
        /// Shortest.
        min: Span,
        /// Longest.
        max: Span,
    },
    /// Without memory.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Log-normal, by `median` and `p99` or by `mean` and `cv`.
    Lognormal {
        /// Half of the draws are longer.
        #[serde(skip_serializing_if = "Option::is_none")]
        median: Option<Span>,
        /// One draw in 100 is longer.
        #[serde(skip_serializing_if = "Option::is_none")]
        p99: Option<Span>,
        /// The mean.
        #[serde(skip_serializing_if = "Option::is_none")]
        mean: Option<Span>,
        /// Coefficient of variation: standard deviation / mean.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// Gamma.
    Gamma {
        /// The mean.
        mean: Span,
        /// Coefficient of variation: standard deviation / mean; 1 is exponential.
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: f64,
    },
    /// Weibull.
    Weibull {
        /// The mean.
        mean: Span,
        /// Coefficient of variation: standard deviation / mean; 1 is exponential.
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: f64,
    },
    /// Pareto: the chance of more than x is (min / x)^shape.
    Pareto {
        /// Shortest.
        min: Span,
        /// The larger, the shorter the tail; with 1 or less the mean is infinite.
        #[schemars(extend("exclusiveMinimum" = 0))]
        shape: f64,
    },
    /// Measured percentiles, with a curve through them.
    Percentiles {
        /// Percentages with their times, such as `{ p0 = "1ms", p50 = "80ms", p99 = "2s", p100 = "5s" }`.
        points: BTreeMap<String, Span>,
        /// How the curve runs between two points. Default "log-linear".
        #[serde(skip_serializing_if = "Option::is_none")]
        interpolation: Option<Interpolation>,
    },
    /// One of several distributions, each with its share.
    Mixture {
        /// The distributions.
        parts: Vec<MixturePart>,
    },
}

/// How a curve runs between two percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Straight in the time's logarithm: right for durations that lie orders of magnitude apart.
    LogLinear,
    /// Straight in the time.
    Linear,
}

/// One distribution of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixturePart {
    /// Its share of the sum of all weights.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub weight: f64,
    /// The distribution.
    pub times: Times,
}
