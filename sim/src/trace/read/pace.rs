//! How fast a trace is replayed, when a hand changes that.

/// Maps the trace's time to simulated time: the same until a change, then stretched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    factor: f64,
    /// The last change, in the trace's and in simulated time.
    trace: u64,
    simulated: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { factor: 1.0, trace: 0, simulated: 0 }
    }
}

impl Pace {
    /// From the simulated time `now` on, the trace's time passes `factor` times as fast.
    pub(crate) fn change(&mut self, now: u64, factor: f64) {
        let since = now.saturating_sub(self.simulated);
        let passed = if self.factor == 1.0 { since } else { (since as f64 * self.factor) as u64 };
        *self = Self { factor, trace: self.trace.saturating_add(passed), simulated: now };
    }

    /// When an arrival comes; never at a factor of 0. What should have come before a change comes with it.
    pub(crate) fn simulated(&self, at: u64) -> Option<u64> {
        let since = at.saturating_sub(self.trace);
        if self.factor == 1.0 {
            return Some(self.simulated.saturating_add(since));
        }
        (self.factor > 0.0).then(|| self.simulated.saturating_add((since as f64 / self.factor) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_bend_time_where_they_happen() {
        let mut pace = Pace::default();
        assert_eq!(pace.simulated(123), Some(123));
        pace.change(100, 2.0);
        assert_eq!([100, 200, 300].map(|at| pace.simulated(at)), [100, 150, 200].map(Some));
        pace.change(150, 0.0);
        assert_eq!(pace.simulated(300), None);
        pace.change(1000, 1.0);
        assert_eq!([200, 300].map(|at| pace.simulated(at)), [1000, 1100].map(Some));
    }
}
