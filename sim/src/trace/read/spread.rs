//! Where arrivals lie in an interval of which a trace knows only the number.

use crate::dist::Dist;
use crate::rng::{Stream, keyed};
use crate::workload::Expand;

/// Keys beside the intervals' own: they are far above any interval's index.
const PHASE: u64 = u64::MAX;
const CARRY: u64 = u64::MAX - 1;

/// An interval of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    /// Its number, which its luck belongs to.
    pub index: u64,
    /// Its begin in nanoseconds.
    pub start: u64,
    /// Its length in nanoseconds.
    pub length: u64,
}

/// The luck of a trace's arrivals: every row and interval has its own, whatever is drawn for the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Luck(pub u64);

impl Luck {
    fn of(self, row: u64, index: u64) -> Stream {
        keyed(self.0, [row, index])
    }

    /// What a row's rounding begins with ([`whole`]).
    pub(crate) fn carry(self, row: u64) -> f64 {
        self.of(row, CARRY).uniform()
    }
}

/// Appends the times of `count` arrivals of a row, in order.
pub(crate) fn spread(
    expand: Expand,
    luck: Luck,
    row: u64,
    interval: Interval,
    count: u32,
    out: &mut Vec<u64>,
) {
    let Interval { index, start, length } = interval;
    let begin = out.len();
    match expand {
        Expand::Start => out.extend((0..count).map(|_| start)),
        Expand::Even => {
            let phase = luck.of(row, PHASE).uniform();
            let gap = length as f64 / f64::from(count);
            out.extend((0..count).map(|i| start + within((f64::from(i) + phase) * gap, length)));
        }
        Expand::Uniform => {
            let mut stream = luck.of(row, index);
            out.extend((0..count).map(|_| start + stream.below(length)));
            out[begin..].sort_unstable();
        }
    }
}

/// Appends the times of `count` arrivals whose gaps follow `gap`, stretched so that they fill the interval.
///
/// One gap more than arrivals is drawn: the last one reaches the interval's end.
pub(crate) fn renew(gap: &Dist, luck: Luck, row: u64, interval: Interval, count: u32, out: &mut Vec<u64>) {
    let Interval { index, start, length } = interval;
    let mut stream = luck.of(row, index);
    let mut gaps = vec![0.0; count as usize + 1];
    gap.draw_into(&mut stream, &mut gaps);
    let total: f64 = gaps.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return spread(Expand::Uniform, luck, row, interval, count, out);
    }
    let (stretch, mut elapsed) = (length as f64 / total, 0.0);
    for gap in &gaps[..count as usize] {
        elapsed += gap;
        out.push(start + within(elapsed * stretch, length));
    }
}

/// A whole number of arrivals for an expected one. What is left over is carried to the row's next interval, so that
/// sums stay right; that the first carry is uniform in [0, 1) makes the expectation right too.
pub(crate) fn whole(expected: f64, carry: &mut f64) -> f64 {
    const NOISE: f64 = 1e-6;
    let rounded = expected.round();
    if (expected - rounded).abs() < NOISE {
        return rounded;
    }
    let total = expected + *carry;
    *carry = total - total.floor();
    total.floor()
}

fn within(offset: f64, length: u64) -> u64 {
    (offset as u64).min(length.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Interval = Interval { index: 3, start: 180_000, length: 60_000 };

    fn times(expand: Expand, row: u64, interval: Interval, count: u32) -> Vec<u64> {
        let mut out = Vec::new();
        spread(expand, Luck(7), row, interval, count, &mut out);
        out
    }

    #[test]
    fn all_ways_stay_inside_and_in_order() {
        for expand in [Expand::Uniform, Expand::Even, Expand::Start] {
            for count in [0, 1, 2, 1000] {
                let times = times(expand, 5, MINUTE, count);
                assert_eq!(times.len(), count as usize);
                assert!(
                    times.is_sorted() && times.iter().all(|t| (180_000..240_000).contains(t)),
                    "{expand:?}"
                );
            }
        }
    }

    #[test]
    fn even_keeps_a_rows_period_across_intervals_and_differs_between_rows() {
        let next = Interval { index: 4, start: 240_000, ..MINUTE };
        let (first, second) = (times(Expand::Even, 5, MINUTE, 1), times(Expand::Even, 5, next, 1));
        assert_eq!(second[0] - first[0], 60_000);
        assert_ne!(first, times(Expand::Even, 6, MINUTE, 1));
        let many = times(Expand::Even, 5, MINUTE, 60);
        assert!(many.windows(2).all(|w| (999..=1001).contains(&(w[1] - w[0]))));
    }

    #[test]
    fn uniform_differs_between_rows_and_intervals() {
        let next = Interval { index: 4, ..MINUTE };
        let base = times(Expand::Uniform, 5, MINUTE, 20);
        assert_eq!(base, times(Expand::Uniform, 5, MINUTE, 20));
        assert_ne!(base, times(Expand::Uniform, 6, MINUTE, 20));
        assert_ne!(base, times(Expand::Uniform, 5, next, 20));
    }

    #[test]
    fn renewals_fill_the_interval_with_the_wanted_variation() {
        let long = Interval { index: 0, start: 0, length: 600_000_000_000 };
        for (gap, cv) in [(Dist::gamma(0.25, 1.0).unwrap(), 2.0), (Dist::weibull(1.0, 1.0).unwrap(), 1.0)] {
            let mut out = Vec::new();
            renew(&gap, Luck(7), 0, long, 20_000, &mut out);
            assert!(out.len() == 20_000 && out.is_sorted() && out[19_999] > 590_000_000_000);
            let gaps: Vec<f64> = out.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let variance = gaps.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / gaps.len() as f64;
            assert!((variance.sqrt() / mean - cv).abs() < 0.05 * cv);
        }
        let mut out = Vec::new();
        renew(&Dist::constant(0.0).unwrap(), Luck(7), 0, long, 5, &mut out);
        assert_eq!(out.len(), 5);
    }

    #[test]
    fn rounding_keeps_sums() {
        for row in 0..50 {
            let mut carry = Luck(1).carry(row);
            let sum: f64 = (0..1000).map(|_| whole(0.37, &mut carry)).sum();
            assert!((sum - 370.0).abs() <= 1.0);
        }
        let mut carry = 0.9;
        assert_eq!(whole(233.999_999_999_999_97, &mut carry), 234.0);
    }
}
