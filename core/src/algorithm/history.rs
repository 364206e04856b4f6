//! Numbers with the times at which they were seen, as far back as a window reaches.

use super::state::{Entry, finite, time};
use crate::config::ConfigMap;
use crate::time::{Millis, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;

/// Numbers with their times, the newest last; goes into the state as a list of pairs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct History {
    key: &'static str,
    entries: VecDeque<(i64, f64)>,
}

impl History {
    /// More are never kept: an hour at one each two seconds.
    const MOST: usize = 1_800;

    /// Reads the entries; pairs that are none are dropped.
    pub(super) fn read(state: &ConfigMap, key: &'static str) -> Self {
        let mut history = Self { key, entries: VecDeque::new() };
        for entry in state.get(key).and_then(Value::as_array).into_iter().flatten() {
            if let Some([at, value]) = entry.as_array().map(Vec::as_slice)
                && let (Some(at), Some(value)) = (time(at), finite(value))
            {
                history.push(at, value);
            }
        }
        history
    }

    /// Writes the entries, if there are any.
    pub(super) fn write(&self, state: &mut ConfigMap) {
        if !self.entries.is_empty() {
            let pair = |(at, value): &(i64, f64)| Value::Array(vec![at.to_json(), value.to_json()]);
            state.insert(self.key.to_owned(), self.entries.iter().map(pair).collect());
        }
    }

    /// Adds what was seen now; what is no number was not seen.
    pub(super) fn add(&mut self, now: Timestamp, value: f64) {
        if value.is_finite() {
            self.push(now.as_millis().max(0), value);
        }
    }

    /// Adds what was seen now where only the largest matters: smaller earlier ones are forgotten.
    pub(super) fn add_to_maximum(&mut self, now: Timestamp, value: f64) {
        while self.entries.back().is_some_and(|(_, earlier)| *earlier <= value) {
            self.entries.pop_back();
        }
        self.add(now, value);
    }

    /// Forgets what is as old as the window or older, and what a clock that went backwards left in the future.
    pub(super) fn forget(&mut self, now: Timestamp, window: Millis) {
        let now = now.as_millis().max(0);
        let after = now.saturating_sub(window.get());
        self.entries.retain(|(at, _)| *at > after && *at <= now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = f64> {
        self.entries.iter().map(|(_, value)| *value)
    }

    /// The newest entries first, with their times.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (i64, f64)> {
        self.entries.iter().rev().copied()
    }

    pub(super) fn largest(&self) -> Option<f64> {
        self.values().reduce(f64::max)
    }

    /// The mean of what was seen within the window, up to now.
    pub(super) fn mean(&self, now: Timestamp, window: Millis) -> Option<f64> {
        let after = now.as_millis().max(0).saturating_sub(window.get());
        let recent = self.newest_first().take_while(|(at, _)| *at > after);
        // The running mean cannot overflow where a sum could.
        let (_, mean) = recent.fold((0.0, None), |(n, mean): (f64, Option<f64>), (_, value)| {
            (n + 1.0, Some(mean.map_or(value, |mean| mean + (value - mean) / (n + 1.0))))
        });
        mean.filter(|mean| mean.is_finite())
    }

    fn push(&mut self, at: i64, value: f64) {
        if self.entries.len() == Self::MOST {
            self.entries.pop_front();
        }
        self.entries.push_back((at, value));
    }
}

#[cfg(test)]
mod tests {
    //! What a window holds.

    use super::*;
    use serde_json::json;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn history(entries: &[(i64, f64)]) -> History {
        let mut history = History { key: "seen", entries: VecDeque::new() };
        entries.iter().for_each(|(ms, value)| history.add(at(*ms), *value));
        history
    }

    #[test]
    fn an_entry_as_old_as_the_window_is_forgotten_and_so_is_the_future() {
        let mut seen = history(&[(0, 1.0), (1, 2.0), (300, 3.0), (301, 4.0)]);
        seen.forget(at(300), Millis::new(300));
        assert_eq!(seen.values().collect::<Vec<_>>(), [2.0, 3.0]);
    }

    #[test]
    fn means_take_only_what_the_window_holds() {
        let seen = history(&[(0, 10.0), (2_000, 1.0), (4_000, 2.0), (6_000, 6.0)]);
        assert_eq!(seen.mean(at(6_000), Millis::new(6_000)), Some(3.0));
        assert_eq!(seen.mean(at(20_000), Millis::new(6_000)), None);
        assert_eq!(history(&[(0, f64::MAX), (1, f64::MAX)]).mean(at(1), Millis::new(9)), Some(f64::MAX));
    }

    #[test]
    fn a_maximum_needs_only_a_falling_sequence() {
        let mut seen = history(&[]);
        [(1, 3.0), (2, 5.0), (3, 2.0), (4, 2.0)].iter().for_each(|(ms, v)| seen.add_to_maximum(at(*ms), *v));
        assert_eq!(seen.entries, [(2, 5.0), (4, 2.0)]);
        assert_eq!(seen.largest(), Some(5.0));
    }

    #[test]
    fn goes_out_as_pairs_and_comes_back_the_same() {
        let seen = history(&[(5, 1.0), (7, 0.25), (9, f64::NAN)]);
        let mut state = ConfigMap::new();
        seen.write(&mut state);
        assert_eq!(state["seen"], json!([[5, 1], [7, 0.25]]));
        assert_eq!(History::read(&state, "seen"), seen);
        let broken = json!({"seen": [[1], [1, "2"], [-1, 2], [1, 2, 3], 4, [3, 4]]});
        assert_eq!(History::read(broken.as_object().unwrap(), "seen").entries, [(3, 4.0)]);
    }

    #[test]
    fn keeps_no_more_than_its_most() {
        let mut seen = history(&[]);
        (0..5_000).for_each(|ms| seen.add(at(ms), 1.0));
        assert_eq!((seen.entries.len(), seen.entries.front()), (1_800, Some(&(3_200, 1.0))));
    }
}
