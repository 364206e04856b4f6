//! The hybrid histogram policy: how long a function stays loaded, and when it is loaded again, learnt from the
//! times between its requests.
//!
//! Source: Shahrad et al., "Serverless in the Wild", USENIX ATC 2020, section 4.2. The forecast for functions whose
//! idle times mostly lie beyond the histogram (ARIMA in the paper) is left out: they get the standard window.

use crate::model::{Nanos, SECOND};

/// Width of a bin.
const BIN: Nanos = 60 * SECOND;
/// The function is loaded again at this percentile of its idle times, ...
const HEAD: f64 = 0.05;
/// ... and unloaded at this one.
const TAIL: f64 = 0.99;
/// Loaded a tenth earlier and unloaded a tenth later than the percentiles say.
const MARGIN: f64 = 0.10;
/// A flatter histogram (coefficient of variation of its bins' counts) predicts nothing.
const LEAST_VARIATION: f64 = 2.0;
/// With more idle times than this beyond the range the histogram does not tell the pattern.
const MOST_BEYOND: f64 = 0.5;

/// When a function that got idle is unloaded, loaded again and unloaded for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// It is unloaded at once and loaded again after this time; 0: it stays.
    pub pre_warm: Nanos,
    /// It stays this long, from the end of the pre-warming window on.
    pub keep_alive: Nanos,
}

/// Idle times of one function in bins of a minute.
#[derive(Clone, Debug)]
pub struct IdleTimes {
    bins: Vec<u32>,
    beyond: u64,
}

impl IdleTimes {
    /// No idle times yet; longer ones than `range` are only counted.
    pub fn new(range: Nanos) -> Self {
        let bins = range.div_ceil(BIN).clamp(1, 7 * 24 * 60);
        Self { bins: vec![0; bins as usize], beyond: 0 }
    }

    /// The function was idle for so long.
    pub fn record(&mut self, idle: Nanos) {
        match self.bins.get_mut((idle / BIN) as usize) {
            Some(bin) => *bin = bin.saturating_add(1),
            None => self.beyond += 1,
        }
    }

    /// What the histogram says now; the whole range, without pre-warming, while it says nothing.
    pub fn windows(&self) -> Windows {
        let total: u64 = self.bins.iter().map(|&n| u64::from(n)).sum();
        let all = total + self.beyond;
        let is_beyond = self.beyond as f64 > MOST_BEYOND * all as f64;
        if total == 0 || is_beyond || self.variation(total) < LEAST_VARIATION {
            return Windows { pre_warm: 0, keep_alive: self.bins.len() as Nanos * BIN };
        }
        let head = self.percentile(total, HEAD) as Nanos * BIN;
        let tail = (self.percentile(total, TAIL) as Nanos + 1) * BIN;
        let pre_warm = (head as f64 * (1.0 - MARGIN)) as Nanos;
        let until = (tail as f64 * (1.0 + MARGIN)) as Nanos;
        Windows { pre_warm, keep_alive: until - pre_warm }
    }

    /// The bin in which this share of the idle times is reached.
    fn percentile(&self, total: u64, share: f64) -> usize {
        let rank = (share * total as f64).max(1.0);
        let mut sum = 0;
        let reached = self.bins.iter().position(|&n| {
            sum += u64::from(n);
            sum as f64 >= rank
        });
        reached.unwrap_or(self.bins.len() - 1)
    }

    /// Coefficient of variation of the bins' counts.
    fn variation(&self, total: u64) -> f64 {
        let n = self.bins.len() as f64;
        let mean = total as f64 / n;
        let squares: f64 =
            self.bins.iter().map(|&count| (f64::from(count) - mean) * (f64::from(count) - mean)).sum();
        (squares / n).sqrt() / mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Nanos = 60 * SECOND;
    const RANGE: Nanos = 4 * 60 * MINUTE;

    fn after(minutes: impl IntoIterator<Item = u64>) -> Windows {
        let mut idle_times = IdleTimes::new(RANGE);
        minutes.into_iter().for_each(|minute| idle_times.record(minute * MINUTE + SECOND));
        idle_times.windows()
    }

    #[test]
    fn stays_loaded_for_the_whole_range_while_nothing_is_known() {
        assert_eq!(after([]), Windows { pre_warm: 0, keep_alive: RANGE });
    }

    #[test]
    fn loads_again_a_tenth_before_the_head_and_unloads_a_tenth_after_the_tail() {
        // Each hour: bin 60 is both head and tail; 54 minutes away, then until 67.1 minutes.
        let windows = after([60; 20]);
        assert_eq!(windows.pre_warm, 54 * MINUTE);
        assert_eq!(windows.pre_warm + windows.keep_alive, 61 * MINUTE * 11 / 10);
    }

    #[test]
    fn cuts_one_early_idle_time_in_twenty_and_one_late_in_a_hundred() {
        let idle = |early: usize, usual: usize, late: usize| {
            let times = [vec![2; early], vec![30; usual], vec![100; late]].concat();
            after(times)
        };
        assert_eq!(idle(4, 95, 1).pre_warm, 27 * MINUTE);
        assert_eq!(idle(5, 94, 1).pre_warm, 2 * MINUTE * 9 / 10);
        let until = |windows: Windows| windows.pre_warm + windows.keep_alive;
        assert_eq!(until(idle(0, 99, 1)), 31 * MINUTE * 11 / 10);
        assert_eq!(until(idle(0, 98, 2)), 101 * MINUTE * 11 / 10);
    }

    #[test]
    fn percentiles_are_those_of_the_paper_to_one_idle_time_in_ten_thousand() {
        let idle = |early: usize, late: usize| {
            after([vec![2; early], vec![30; 10_000 - early - late], vec![100; late]].concat())
        };
        assert_eq!(idle(499, 0).pre_warm, 27 * MINUTE);
        assert_eq!(idle(500, 0).pre_warm, 2 * MINUTE * 9 / 10);
        let until = |windows: Windows| windows.pre_warm + windows.keep_alive;
        assert_eq!(until(idle(0, 100)), 31 * MINUTE * 11 / 10);
        assert_eq!(until(idle(0, 101)), 101 * MINUTE * 11 / 10);
        assert_eq!(after([10, 60]).pre_warm, 9 * MINUTE, "the least of a few counts as one");
    }

    #[test]
    fn idle_times_within_the_first_minute_need_no_second_load() {
        let windows = after([0; 10]);
        assert_eq!(windows, Windows { pre_warm: 0, keep_alive: MINUTE * 11 / 10 });
    }

    #[test]
    fn a_flat_histogram_predicts_nothing() {
        assert_eq!(after(0..240), Windows { pre_warm: 0, keep_alive: RANGE });
        // With k of n bins equal the coefficient is sqrt(n / k - 1): 48 of 240 bins make 2.
        assert_ne!(after(0..47).keep_alive, RANGE);
        assert_eq!(after(0..49).keep_alive, RANGE);
    }

    /// With more bins the coefficient comes closer to 2 from both sides; the most there are make a week.
    #[test]
    fn a_histogram_of_a_week_is_flat_below_a_coefficient_of_two() {
        let week = 7 * 24 * 60 * MINUTE;
        let kept = |bins: u64| {
            let mut idle_times = IdleTimes::new(8 * week);
            (0..bins).for_each(|minute| idle_times.record(minute * MINUTE));
            idle_times.windows().keep_alive
        };
        assert_eq!((kept(0), kept(2017)), (week, week));
        assert_ne!(kept(2015), week);
    }

    #[test]
    fn idle_times_beyond_the_range_leave_the_standard_window() {
        assert_eq!(after([60, 300, 300]).keep_alive, RANGE);
        assert_ne!(after([60, 60, 300, 300]).keep_alive, RANGE);
        let more_beyond = [vec![60; 500], vec![300; 501]].concat();
        assert_eq!(after(more_beyond).keep_alive, RANGE, "more than half");
    }
}
