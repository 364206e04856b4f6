//! Where a run's steady state begins: MSER-5.
//!
//! The marginal standard error rule with batches of five (White, Cobb and Spratt, "A comparison of five steady-state
//! truncation heuristics for simulation", WSC 2000): of all truncation points in the first half, take the one that
//! makes the standard error of the rest's mean smallest. The series is the number of tasks in the system, a value a
//! window of the timeline.

use crate::model::{Nanos, SECOND};
use crate::results::{Timeline, TimelineRow};

const BATCH: usize = 5;

/// When the steady state of a run begins; `None`: not in its first half, or the run is too short to tell.
#[must_use]
pub fn mser5(timeline: &Timeline, horizon: Nanos) -> Option<Nanos> {
    let horizon_s = horizon as f64 / SECOND as f64;
    let before_end = |row: &&TimelineRow| row.t_s + timeline.window_s <= horizon_s;
    let in_system = |row: &TimelineRow| row.backlog + row.busy_slots;
    let series: Vec<f64> = timeline.total.iter().take_while(before_end).map(in_system).collect();
    let batches: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let cut = truncation(&batches)?;
    let window = (timeline.window_s * SECOND as f64) as Nanos;
    Some(cut as Nanos * BATCH as Nanos * window)
}

/// How many values to leave out; `None` if the smallest error lies at the end of the first half.
fn truncation(values: &[f64]) -> Option<usize> {
    let last = values.len() / 2;
    let error = |cut: usize| {
        let rest = &values[cut..];
        let n = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / n;
        rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n * n)
    };
    let best = (0..=last).min_by(|&a, &b| error(a).total_cmp(&error(b)))?;
    (values.len() >= 2 * BATCH && best < last).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn noisy(start: f64, settles_at: usize, n: usize) -> Vec<f64> {
        let mut stream = Stream::named(5, "noise");
        let level =
            |i: usize| if i < settles_at { start * (1.0 - i as f64 / settles_at as f64) } else { 0.0 };
        (0..n).map(|i| 10.0 + level(i) + stream.uniform()).collect()
    }

    #[test]
    fn leaves_out_the_transient_and_little_more() {
        let cut = truncation(&noisy(50.0, 30, 200)).expect("there is a steady state");
        assert!((27..=40).contains(&cut), "{cut}");
    }

    #[test]
    fn leaves_out_nearly_nothing_of_a_steady_series() {
        assert!(truncation(&noisy(0.0, 1, 200)).expect("it is steady") < 40);
    }

    #[test]
    fn finds_no_steady_state_in_a_series_that_only_grows() {
        let growing: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(truncation(&growing), None);
        assert_eq!(truncation(&[1.0]), None);
    }
}
