//! Batches: equal arrival times that only tell when a recorder wrote, spread over the time it collected.

use super::error::Fault;
use super::records::Record;
use super::reorder::REORDER_WINDOW;
use super::spread::{Interval, Luck, spread};
use crate::workload::Expand;
use std::collections::VecDeque;

/// Spreads batches; records keep their order.
pub(crate) struct Batches {
    width: u64,
    expand: Expand,
    luck: Luck,
    /// The batch being collected and its number.
    batch: Vec<Record>,
    index: u64,
    times: Vec<u64>,
}

impl Batches {
    /// Spreads each batch over `width` nanoseconds, or less where the next one comes sooner.
    pub(crate) fn new(width: u64, expand: Expand, luck: Luck) -> Self {
        Self { width, expand, luck, batch: Vec::new(), index: 0, times: Vec::new() }
    }

    /// Takes the next record in order of time; `out` gets the batch before it once that is complete.
    pub(crate) fn push(&mut self, record: Record, out: &mut VecDeque<Record>) -> Result<(), Fault> {
        if let Some(first) = self.batch.first().filter(|first| first.at_ns != record.at_ns) {
            self.flush(self.width.min(record.at_ns.abs_diff(first.at_ns)), out);
        }
        if self.batch.len() == REORDER_WINDOW {
            let found = format!("more than {REORDER_WINDOW} records at one time");
            return Err(Fault::new(found, "smaller batches").at_line(record.line));
        }
        self.batch.push(record);
        Ok(())
    }

    /// The trace's end.
    pub(crate) fn finish(&mut self, out: &mut VecDeque<Record>) {
        self.flush(self.width, out);
    }

    fn flush(&mut self, length: u64, out: &mut VecDeque<Record>) {
        let interval = Interval { index: self.index, start: 0, length };
        self.index += 1;
        self.times.clear();
        spread(self.expand, self.luck, 0, interval, self.batch.len() as u32, &mut self.times);
        let spread = self.batch.drain(..).zip(&self.times);
        out.extend(spread.map(|(record, &after)| Record { at_ns: record.at_ns + after as i64, ..record }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_equal_times_up_to_the_next_batch() {
        let mut out = VecDeque::new();
        let mut batches = Batches::new(3000, Expand::Uniform, Luck(3));
        for (at_ns, line) in [(0, 0), (0, 1), (0, 2), (3000, 3), (5999, 4), (5999, 5), (20_000, 6)] {
            batches.push(Record { at_ns, service_ns: None, line }, &mut out).unwrap();
        }
        batches.finish(&mut out);
        let lines: Vec<u64> = out.iter().map(|r| r.line).collect();
        assert_eq!(lines, [0, 1, 2, 3, 4, 5, 6]);
        let times: Vec<i64> = out.iter().map(|r| r.at_ns).collect();
        assert!(times.is_sorted());
        assert!(times[1] > 0 && times[2] < 3000 && (3000..5999).contains(&times[3]));
        assert!((5999..8999).contains(&times[5]) && (20_000..23_000).contains(&times[6]));
    }

    #[test]
    fn a_batch_ends_where_the_next_begins() {
        let mut out = VecDeque::new();
        let mut batches = Batches::new(3000, Expand::Uniform, Luck(3));
        for line in 0..100 {
            batches.push(Record { at_ns: line / 50 * 10, service_ns: None, line: 0 }, &mut out).unwrap();
        }
        assert!(out.len() == 50 && out.iter().all(|r| r.at_ns < 10));
    }

    #[test]
    fn refuses_batches_that_fill_the_memory() {
        let mut batches = Batches::new(3000, Expand::Even, Luck(3));
        let record = Record { at_ns: 0, service_ns: None, line: 7 };
        let mut out = VecDeque::new();
        (0..REORDER_WINDOW).for_each(|_| batches.push(record, &mut out).unwrap());
        assert_eq!(batches.push(record, &mut out).unwrap_err().line, Some(7));
    }
}
