//! From one value a replication to a mean with its interval.

use super::student::two_sided;
use crate::pool::Ratio;
use serde::{Deserialize, Serialize};

/// The level of every interval.
pub const LEVEL: f64 = 0.95;

/// A figure over replications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean; `None`: infinite in some replication, or measured in none.
    pub mean: Option<f64>,
    /// Half the width of the 95 % interval (Student); `None`: a maximum, a lower bound, or less than two values.
    pub ci95: Option<f64>,
    /// The figure of all replications thrown together: percentiles of all tasks, the largest maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<f64>,
}

impl Estimate {
    /// Mean and interval of independent values.
    ///
    /// ```
    /// let estimate = wci_sim::research::Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    /// assert_eq!(estimate.mean, Some(3.0));
    /// // 2.776445 (Student, 4 degrees of freedom) times sqrt(2.5 / 5)
    /// assert!((estimate.ci95.unwrap() - 1.963243).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            return Self::default();
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean: Some(mean), ci95: half_width(squares, values.len(), 1.0), pooled: None }
    }

    /// The ratio of the sums. Its interval is the usual one of a ratio estimator (Cochran 1977, 6.4): what the
    /// parts deviate from the ratio times their wholes, over the mean whole. Where rates are near 0 this is the one
    /// to take: a mean of ratios gives a replication with few tasks the weight of one with many.
    ///
    /// ```
    /// use wci_sim::pool::Ratio;
    /// let parts = [Ratio::new(1.0, 10.0), Ratio::new(3.0, 30.0)];
    /// let estimate = wci_sim::research::Estimate::of_ratios(&parts);
    /// assert!((estimate.mean.unwrap() - 0.1).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn of_ratios(ratios: &[Ratio]) -> Self {
        let part: f64 = ratios.iter().map(|ratio| ratio.part).sum();
        let whole: f64 = ratios.iter().map(|ratio| ratio.whole).sum();
        if whole <= 0.0 {
            return Self::default();
        }
        let mean = part / whole;
        let deviation = |ratio: &Ratio| ratio.part - mean * ratio.whole;
        let squares: f64 = ratios.iter().map(|ratio| deviation(ratio) * deviation(ratio)).sum();
        let ci95 = half_width(squares, ratios.len(), whole / ratios.len() as f64);
        Self { mean: Some(mean), ci95, pooled: None }
    }

    /// What `values` have more than `others`, seed by seed: compared runs share their luck, so differences vary less
    /// than the values do.
    ///
    /// ```
    /// let difference = wci_sim::research::Estimate::paired(&[11.0, 22.0, 33.0], &[10.0, 20.0, 30.0]);
    /// assert_eq!(difference.mean, Some(2.0));
    /// ```
    #[must_use]
    pub fn paired(values: &[f64], others: &[f64]) -> Self {
        let differences: Vec<f64> = values.iter().zip(others).map(|(a, b)| a - b).collect();
        Self::of(&differences)
    }

    /// The ratio of sums less that of others, seed by seed: the difference of the two values of
    /// [`Estimate::of_ratios`]. Its interval is by the delta method (linearisation; Cochran 1977, chapter 6, the
    /// comparison of two ratios): with `d = (part - R * whole) / mean whole` of each run, it is the one of a mean of
    /// the paired `d - d'`, which keeps what the two have in common out.
    ///
    /// ```
    /// use wci_sim::pool::Ratio;
    /// let own = [Ratio::new(2.0, 10.0), Ratio::new(6.0, 30.0)];
    /// let other = [Ratio::new(1.0, 10.0), Ratio::new(3.0, 30.0)];
    /// let difference = wci_sim::research::Estimate::of_ratio_differences(&own, &other);
    /// assert!((difference.mean.unwrap() - 0.1).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn of_ratio_differences(own: &[Ratio], other: &[Ratio]) -> Self {
        let linear = |ratios: &[Ratio]| {
            let mean = Self::of_ratios(ratios).mean?;
            let whole = ratios.iter().map(|ratio| ratio.whole).sum::<f64>() / ratios.len() as f64;
            let deviations = ratios.iter().map(|ratio| (ratio.part - mean * ratio.whole) / whole);
            Some((mean, deviations.collect::<Vec<f64>>()))
        };
        let Some(((mean, own), (base, other))) = linear(own).zip(linear(other)) else {
            return Self::default();
        };
        let squares = own.iter().zip(&other).map(|(a, b)| (a - b) * (a - b)).sum();
        Self {
            mean: Some(mean - base),
            ci95: half_width(squares, own.len().min(other.len()), 1.0),
            pooled: None,
        }
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn low(&self) -> Option<f64> {
        Some(self.mean? - self.ci95?)
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn high(&self) -> Option<f64> {
        Some(self.mean? + self.ci95?)
    }

    /// Half the interval's width as a share of the mean; `None` without an interval.
    #[must_use]
    pub fn relative_half_width(&self) -> Option<f64> {
        let (mean, half) = (self.mean?, self.ci95?);
        Some(if half == 0.0 { 0.0 } else { half / mean.abs() })
    }

    /// Whether the interval lies wholly on one side of 0.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        self.low().is_some_and(|low| low > 0.0) || self.high().is_some_and(|high| high < 0.0)
    }
}

/// Half the width of the interval of a mean, from the sum of squared deviations.
fn half_width(squares: f64, n: usize, unit: f64) -> Option<f64> {
    let degrees = n.checked_sub(1).filter(|degrees| *degrees > 0)?;
    let standard_error = (squares / degrees as f64 / n as f64).sqrt() / unit;
    Some(two_sided(LEVEL, degrees as u64) * standard_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("a number");
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }

    /// By hand: differences 1, 2, 3, 2; mean 2, sample variance 2/3, standard error sqrt(1/6), t(3) 3.182446305.
    #[test]
    fn a_paired_interval_is_that_of_the_differences() {
        let estimate = Estimate::paired(&[101.0, 202.0, 303.0, 402.0], &[100.0, 200.0, 300.0, 400.0]);
        close(estimate.mean, 2.0);
        close(estimate.ci95, 3.182_446_305 * (1.0_f64 / 6.0).sqrt());
        assert!(estimate.is_significant());
        // Unpaired the same values say nothing at all.
        close(Estimate::of(&[101.0, 202.0, 303.0, 402.0]).ci95, 3.182_446_305 * (50_402.0_f64 / 12.0).sqrt());
    }

    /// By hand: ratio 6/60 = 0.1; deviations -1, 0, 1; standard error sqrt(2/2/3) over the mean whole of 20.
    #[test]
    fn a_ratio_is_that_of_the_sums() {
        let ratios = [Ratio::new(0.0, 10.0), Ratio::new(2.0, 20.0), Ratio::new(4.0, 30.0)];
        let estimate = Estimate::of_ratios(&ratios);
        close(estimate.mean, 0.1);
        close(estimate.ci95, 4.302_652_730 * (1.0_f64 / 3.0).sqrt() / 20.0);
    }

    /// By hand: ratios 0.2 and 0.1 of 60 and 30; d of the one -0.1, 0, 0.1 (deviations -2, 0, 2 over 20), of the other
    /// 0, -0.1, 0.1 (0, -1, 1 over 10); differences -0.1, 0.1, 0; standard error sqrt(0.02 / 2 / 3); t(2) 4.302652730.
    #[test]
    fn a_difference_of_ratios_is_that_of_the_ratios_of_sums() {
        let own = [Ratio::new(0.0, 10.0), Ratio::new(4.0, 20.0), Ratio::new(8.0, 30.0)];
        let other = [Ratio::new(0.5, 5.0), Ratio::new(0.0, 10.0), Ratio::new(2.5, 15.0)];
        let estimate = Estimate::of_ratio_differences(&own, &other);
        close(estimate.mean, 0.1);
        close(estimate.ci95, 4.302_652_730 * (0.02_f64 / 2.0 / 3.0).sqrt());
        let same = Estimate::of_ratio_differences(&own, &own);
        assert_eq!((same.mean, same.ci95), (Some(0.0), Some(0.0)));
        assert_eq!(Estimate::of_ratio_differences(&own, &[Ratio::new(0.0, 0.0)]), Estimate::default());
    }

    #[test]
    fn nothing_and_one_value_have_no_interval() {
        assert_eq!(Estimate::of(&[]), Estimate::default());
        let one = Estimate::of(&[7.0]);
        assert_eq!((one.mean, one.ci95), (Some(7.0), None));
        assert!(!one.is_significant());
        assert_eq!(Estimate::of_ratios(&[Ratio::new(0.0, 0.0)]), Estimate::default());
    }

    #[test]
    fn equal_values_have_an_interval_without_width() {
        let estimate = Estimate::of(&[4.0, 4.0, 4.0]);
        assert_eq!((estimate.ci95, estimate.relative_half_width()), (Some(0.0), Some(0.0)));
        assert!(estimate.is_significant());
        assert!(!Estimate::of(&[0.0, 0.0]).is_significant());
    }
}
