//! Quantiles of Student's distribution for whole degrees of freedom.
//!
//! For these the distribution function is a finite sum (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), exact to the
//! last digits and the same on every platform, which is all that intervals over replications need: a library of
//! distributions would bring its own logarithms.

/// The `t` that Student's distribution with `degrees` degrees of freedom exceeds to neither side with a chance of
/// `level`: half the width of a two-sided interval in standard errors. Infinite without a degree of freedom.
///
/// ```
/// let t = wci_sim::research::two_sided(0.95, 9);
/// assert!((t - 2.262157).abs() < 1e-6);
/// ```
#[must_use]
pub fn two_sided(level: f64, degrees: u64) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    // In the angle whose tangent is t / sqrt(degrees) the whole line is one bounded interval.
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    while low < high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if chance_within(middle, degrees) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    libm::tan(f64::midpoint(low, high)) * (degrees as f64).sqrt()
}

/// The chance of lying within `+-tan(angle) * sqrt(degrees)`.
fn chance_within(angle: f64, degrees: u64) -> f64 {
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let is_odd = degrees % 2 == 1;
    // Each term is the one before times cos^2 and the next ratio of the double factorials.
    let (mut term, mut numerator) = if is_odd { (cosine, 2.0) } else { (1.0, 1.0) };
    let mut sum = if is_odd && degrees == 1 { 0.0 } else { term };
    for _ in 1..(degrees / 2).max(1) {
        term *= cosine * cosine * numerator / (numerator + 1.0);
        numerator += 2.0;
        sum += term;
    }
    if is_odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles 0.975 and 0.995 as printed in tables.
    #[test]
    fn has_the_quantiles_of_the_tables() {
        let known = [
            (1, 12.706_204_736, 63.656_741_163),
            (2, 4.302_652_730, 9.924_843_201),
            (3, 3.182_446_305, 5.840_909_310),
            (4, 2.776_445_105, 4.604_094_871),
            (9, 2.262_157_163, 3.249_835_542),
            (10, 2.228_138_852, 3.169_272_673),
            (29, 2.045_229_642, 2.756_385_904),
            (99, 1.984_216_952, 2.626_405_457),
        ];
        for (degrees, at_95, at_99) in known {
            assert!((two_sided(0.95, degrees) - at_95).abs() < 2e-9 * at_95, "{degrees}: 95 %");
            assert!((two_sided(0.99, degrees) - at_99).abs() < 2e-9 * at_99, "{degrees}: 99 %");
        }
    }

    #[test]
    fn approaches_the_normal_distribution() {
        assert!((two_sided(0.95, 100_000) - 1.959_963_985).abs() < 1e-4);
    }

    #[test]
    fn one_value_has_no_interval() {
        assert_eq!(two_sided(0.95, 0), f64::INFINITY);
    }
}
