//! Brings records into the order of their arrival, as far as a window reaches.

use super::records::Record;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Records that may be held back to wait for an earlier one.
pub const REORDER_WINDOW: usize = 100_000;

/// Holds the last records back and hands out the earliest.
///
/// Records in order go to the end of a queue, which costs next to nothing; only the late ones go through a heap.
pub(crate) struct Reorder {
    window: usize,
    in_order: VecDeque<Entry>,
    late: BinaryHeap<Reverse<Entry>>,
    /// Makes the order of equal times that of the file.
    sequence: u64,
    /// Arrival of the last record handed out.
    passed: i64,
}

/// Ordered by arrival, then by place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at_ns: i64,
    sequence: u64,
    service_ns: Option<u64>,
    line: u64,
}

impl Reorder {
    /// `is_unlimited`: waits for the file's end, so that any order is fine.
    pub(crate) fn new(is_unlimited: bool) -> Self {
        let window = if is_unlimited { usize::MAX } else { REORDER_WINDOW };
        Self { window, in_order: VecDeque::new(), late: BinaryHeap::new(), sequence: 0, passed: i64::MIN }
    }

    /// Takes a record; gives back how many nanoseconds it comes too late, if it does.
    pub(crate) fn push(&mut self, record: Record) -> Result<(), u64> {
        let Record { at_ns, service_ns, line } = record;
        if at_ns < self.passed {
            return Err(at_ns.abs_diff(self.passed));
        }
        let entry = Entry { at_ns, sequence: self.sequence, service_ns, line };
        self.sequence += 1;
        if self.in_order.back().is_none_or(|last| last.at_ns <= at_ns) {
            self.in_order.push_back(entry);
        } else {
            self.late.push(Reverse(entry));
        }
        Ok(())
    }

    /// The earliest record, if the window is full or the file has ended.
    pub(crate) fn pop(&mut self, has_ended: bool) -> Option<Record> {
        if !has_ended && self.in_order.len() + self.late.len() <= self.window {
            return None;
        }
        let next = match (self.in_order.front(), self.late.peek()) {
            (Some(first), Some(Reverse(late))) if late < first => self.late.pop().map(|Reverse(e)| e),
            (None, _) => self.late.pop().map(|Reverse(e)| e),
            _ => self.in_order.pop_front(),
        };
        let Entry { at_ns, service_ns, line, .. } = next?;
        self.passed = at_ns;
        Some(Record { at_ns, service_ns, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn record(at_ns: i64, line: u64) -> Record {
        Record { at_ns, service_ns: Some(line), line }
    }

    #[test]
    fn sorts_stably_within_the_window() {
        let mut luck = Stream::named(1, "reorder");
        let mut records: Vec<Record> = (0..5000).map(|i| record(luck.below(300) as i64, i)).collect();
        let mut reorder = Reorder::new(false);
        records.iter().for_each(|r| reorder.push(*r).unwrap());
        assert_eq!(reorder.pop(false), None);
        let sorted: Vec<Record> = std::iter::from_fn(|| reorder.pop(true)).collect();
        records.sort_by_key(|r| r.at_ns);
        assert_eq!(sorted, records);
    }

    #[test]
    fn refuses_what_comes_after_the_window_has_passed() {
        let mut reorder = Reorder::new(false);
        for i in 0..=REORDER_WINDOW as i64 {
            reorder.push(record(10 * i, 0)).unwrap();
        }
        reorder.push(record(5, 0)).unwrap();
        assert_eq!(reorder.pop(false), Some(record(0, 0)));
        assert_eq!(reorder.pop(false), Some(record(5, 0)));
        assert_eq!(reorder.pop(false), None);
        assert_eq!(reorder.push(record(2, 0)), Err(3));
        let mut all = Reorder::new(true);
        (0..=REORDER_WINDOW as i64).for_each(|i| all.push(record(-i, 0)).unwrap());
        assert_eq!(all.pop(false), None);
        assert_eq!(all.pop(true), Some(record(-(REORDER_WINDOW as i64), 0)));
    }
}
