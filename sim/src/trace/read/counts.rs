//! Traces that hold numbers of arrivals an interval: kept as sparse counts, expanded one interval at a time.

use super::error::Fault;
use super::spread::{Interval, Luck, renew, spread};
use crate::dist::Dist;
use crate::workload::Expand;

/// More arrivals in one interval are refused: they are in memory at once.
pub(crate) const MAX_ARRIVALS: u64 = 10_000_000;
/// More intervals are refused; a year of seconds fits.
pub(crate) const MAX_INTERVALS: u32 = 100_000_000;

/// Numbers of arrivals by interval and row (a function, a client, a series).
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Length of an interval in nanoseconds.
    pub step: u64,
    /// How many intervals the trace covers, those without arrivals included.
    pub intervals: u32,
    /// Only those that are not 0.
    pub cells: Vec<Cell>,
    /// How arrivals follow each other within some cells.
    pub gaps: Vec<Dist>,
}

/// The arrivals of one row in one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub interval: u32,
    pub row: u32,
    pub count: u32,
    /// Index into [`Counts::gaps`], or [`NO_GAPS`].
    pub gap: u32,
}

/// A cell that says nothing about the gaps between its arrivals.
pub(crate) const NO_GAPS: u32 = u32::MAX;

impl Cell {
    pub(crate) fn new(interval: u32, row: u32, count: u32) -> Self {
        Self { interval, row, count, gap: NO_GAPS }
    }
}

/// Hands out a table's arrivals in order.
pub(crate) struct CountFeed {
    counts: Counts,
    expand: Option<Expand>,
    luck: Luck,
    /// The next cell.
    next: usize,
    /// Arrivals of the current interval: time and row.
    ready: Vec<(u64, u32)>,
    handed_out: usize,
    times: Vec<u64>,
}

impl CountFeed {
    /// `expand`: none for the gaps that cells have, uniform where they have none.
    pub(crate) fn new(mut counts: Counts, expand: Option<Expand>, luck: Luck) -> Self {
        counts.cells.sort_unstable();
        Self { counts, expand, luck, next: 0, ready: Vec::new(), handed_out: 0, times: Vec::new() }
    }

    /// What the trace covers, in nanoseconds.
    pub(crate) fn span(&self) -> u64 {
        u64::from(self.counts.intervals) * self.counts.step
    }

    /// The next arrival: nanoseconds since the begin of the first interval, and the row.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, u32)>, Fault> {
        while self.handed_out == self.ready.len() {
            if self.next == self.counts.cells.len() {
                return Ok(None);
            }
            self.expand_interval()?;
        }
        self.handed_out += 1;
        Ok(Some(self.ready[self.handed_out - 1]))
    }

    fn expand_interval(&mut self) -> Result<(), Fault> {
        let rest = &self.counts.cells[self.next..];
        let index = rest[0].interval;
        let cells = &rest[..rest.partition_point(|cell| cell.interval == index)];
        let total: u64 = cells.iter().map(|cell| u64::from(cell.count)).sum();
        if total > MAX_ARRIVALS {
            let found = format!("{total} arrivals in interval {index}");
            return Err(Fault::new(found, format!("at most {MAX_ARRIVALS}")));
        }
        let step = self.counts.step;
        let interval = Interval { index: u64::from(index), start: u64::from(index) * step, length: step };
        self.ready.clear();
        self.handed_out = 0;
        for cell in cells {
            self.times.clear();
            let (row, out) = (u64::from(cell.row), &mut self.times);
            match (self.expand, self.counts.gaps.get(cell.gap as usize)) {
                (None, Some(gap)) => renew(gap, self.luck, row, interval, cell.count, out),
                (expand, _) => spread(expand.unwrap_or_default(), self.luck, row, interval, cell.count, out),
            }
            self.ready.extend(self.times.iter().map(|&at| (at, cell.row)));
        }
        self.next += cells.len();
        self.ready.sort_unstable();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(cells: Vec<Cell>) -> Counts {
        Counts { step: 60_000, intervals: 10, cells, gaps: vec![Dist::constant(1.0).unwrap()] }
    }

    fn all(mut feed: CountFeed) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| feed.next().unwrap()).collect()
    }

    #[test]
    fn merges_rows_in_order_of_time() {
        let cells = vec![Cell::new(2, 1, 30), Cell::new(0, 1, 5), Cell::new(0, 0, 40), Cell::new(9, 0, 1)];
        let arrivals = all(CountFeed::new(counts(cells), None, Luck(1)));
        assert_eq!(arrivals.len(), 76);
        assert!(arrivals.is_sorted());
        assert_eq!(arrivals.iter().filter(|(at, row)| *at < 60_000 && *row == 0).count(), 40);
        assert!(arrivals[75].0 >= 540_000);
    }

    #[test]
    fn gaps_are_used_unless_expand_is_said() {
        let cells = vec![Cell { gap: 0, ..Cell::new(0, 0, 3) }];
        let times = |expand| all(CountFeed::new(counts(cells.clone()), expand, Luck(1)));
        assert_eq!(times(None), [(15_000, 0), (30_000, 0), (45_000, 0)]);
        assert_eq!(times(Some(Expand::Start)), [(0, 0); 3]);
    }

    #[test]
    fn refuses_intervals_that_fill_the_memory() {
        let mut feed = CountFeed::new(counts(vec![Cell::new(0, 0, 10_000_001)]), None, Luck(1));
        assert!(feed.next().unwrap_err().found.contains("10000001 arrivals in interval 0"));
    }
}
