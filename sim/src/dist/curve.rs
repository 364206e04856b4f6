//! Distributions known by a few percentiles: the inverse distribution function through points.

use super::error::{Check, ParameterError};

/// How the inverse distribution function runs between two percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Straight in the value.
    Linear,
    /// Straight in the value's logarithm: right for durations, whose percentiles lie orders of magnitude apart.
    LogLinear,
}

/// An inverse distribution function through points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    interpolation: Interpolation,
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// Probability: increases from 0 to 1 along the curve.
    p: f64,
    /// The value there, or its logarithm.
    y: f64,
    /// How steep the curve runs to the next point.
    slope: f64,
}

impl Curve {
    /// Through (percentage, value) pairs; below the first and above the last lies the first and last value itself.
    pub(super) fn new(
        percentiles: &[(f64, f64)],
        interpolation: Interpolation,
    ) -> Result<Self, ParameterError> {
        let check = Check("empirical distribution");
        check.that(!percentiles.is_empty(), "number of percentiles", 0, "at least one")?;
        for &(percentage, value) in percentiles {
            check.within("percentage", percentage, [0.0, 100.0])?;
            match interpolation {
                Interpolation::Linear => check.not_negative("value", value)?,
                Interpolation::LogLinear => check.positive("value of a log-linear curve", value)?,
            };
        }
        for pair in percentiles.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            check.that(
                before.0 < after.0,
                "percentage",
                after.0,
                format!("more than the one before, {}", before.0),
            )?;
            check.that(
                before.1 <= after.1,
                "value",
                after.1,
                format!("at least the one before, {}", before.1),
            )?;
        }
        Ok(Self { interpolation, points: closed(percentiles, interpolation) })
    }

    /// The value below which a share `p` lies.
    #[inline]
    pub(super) fn at(&self, p: f64) -> f64 {
        let above = self.points.partition_point(|point| point.p <= p).clamp(1, self.points.len() - 1);
        let from = self.points[above - 1];
        self.value(from.y + (p - from.p) * from.slope)
    }

    /// The share at or below a value.
    pub(super) fn share(&self, x: f64) -> f64 {
        let y = match self.interpolation {
            Interpolation::Linear => x,
            Interpolation::LogLinear => libm::log(x),
        };
        match self.points.partition_point(|point| point.y <= y) {
            0 => 0.0,
            above if above == self.points.len() => 1.0,
            above => {
                let from = self.points[above - 1];
                from.p + (y - from.y) / from.slope
            }
        }
    }

    pub(super) fn mean(&self) -> f64 {
        let part = |pair: &[Point]| {
            let (width, rise) = (pair[1].p - pair[0].p, pair[1].y - pair[0].y);
            width
                * match self.interpolation {
                    // The mean of exp over a stretch, which is the begin's value where the stretch has no length.
                    Interpolation::LogLinear if rise > 0.0 => {
                        self.value(pair[0].y) * (libm::expm1(rise) / rise)
                    }
                    Interpolation::LogLinear => self.value(pair[0].y),
                    Interpolation::Linear => pair[0].y + rise / 2.0,
                }
        };
        self.points.windows(2).map(part).sum()
    }

    pub(super) fn maximum(&self) -> f64 {
        self.value(self.points[self.points.len() - 1].y)
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        let scale = |point: &Point| match self.interpolation {
            Interpolation::Linear => Point { y: point.y * factor, slope: point.slope * factor, ..*point },
            Interpolation::LogLinear => Point { y: point.y + libm::log(factor), ..*point },
        };
        Self { interpolation: self.interpolation, points: self.points.iter().map(scale).collect() }
    }

    #[inline]
    fn value(&self, y: f64) -> f64 {
        match self.interpolation {
            Interpolation::Linear => y,
            Interpolation::LogLinear => libm::exp(y),
        }
    }
}

/// The points from probability 0 to 1, so at least two, in the curve's own scale.
fn closed(percentiles: &[(f64, f64)], interpolation: Interpolation) -> Vec<Point> {
    let scale = |value: f64| match interpolation {
        Interpolation::Linear => value,
        Interpolation::LogLinear => libm::log(value),
    };
    let inner = percentiles.iter().map(|&(percentage, value)| Point {
        p: percentage / 100.0,
        y: scale(value),
        slope: 0.0,
    });
    let mut points: Vec<Point> = inner.collect();
    points.dedup_by(|after, before| after.p <= before.p);
    let (first, last) = (points[0], points[points.len() - 1]);
    if first.p > 0.0 {
        points.insert(0, Point { p: 0.0, ..first });
    }
    if last.p < 1.0 || points.len() == 1 {
        points.push(Point { p: 1.0, ..last });
    }
    for i in 1..points.len() {
        points[i - 1].slope = (points[i].y - points[i - 1].y) / (points[i].p - points[i - 1].p);
    }
    points
}
