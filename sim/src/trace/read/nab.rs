//! Counts with a time stamp: `timestamp,value`, one line an interval (the Numenta Anomaly Benchmark's CloudWatch files).

use super::counts::{Cell, Counts, MAX_INTERVALS};
use super::datetime::TimePattern;
use super::error::Fault;
use super::header::{Header, has_rows};
use super::number::{count, nanoseconds};
use super::options::Unit;
use super::parser::Rows;
use super::rows::{Row, RowSink};

/// Missing intervals that are filled; more of them are two traces in one file.
const LONGEST_GAP: u32 = 10_000;

/// Reads such a file.
pub(crate) struct CountRows {
    unit: Unit,
    iso: TimePattern,
    header: Option<(Header, usize, usize)>,
    /// Time in nanoseconds, count and line.
    values: Vec<(i64, u32, u64)>,
}

impl CountRows {
    pub(crate) fn new(unit: Unit) -> Self {
        Self { unit, iso: TimePattern::iso(), header: None, values: Vec::new() }
    }

    /// The counts by interval. A missing interval repeats the count before it: the traffic went on, only its record
    /// is lost, and 0 would be a lull that never was.
    pub(crate) fn counts(mut self, step: Option<u64>) -> Result<(Counts, Vec<String>), Fault> {
        self.values.sort_unstable();
        let step = match step.or_else(|| self.smallest_step()) {
            Some(step) if step > 0 => step,
            Some(_) => return Err(Fault::new("two lines of the same time", "one line an interval")),
            None => return Err(Fault::new("a single line", "at least two, or the option `step`")),
        };
        let origin = self.values[0].0;
        let mut counts = Counts { step, ..Counts::default() };
        let (mut missing, mut repeated, mut before) = (0_u64, 0_u64, 0);
        for &(at, count, line) in &self.values {
            let interval = interval_of(at.abs_diff(origin), step).map_err(|f| f.at_line(line))?;
            if interval < counts.intervals {
                return Err(Fault::new("a second line of this time", "one line an interval").at_line(line));
            }
            if interval - counts.intervals > LONGEST_GAP {
                let found = format!("a gap of {} intervals", interval - counts.intervals);
                return Err(Fault::new(found, format!("at most {LONGEST_GAP}")).at_line(line));
            }
            for gap in counts.intervals..interval {
                missing += 1;
                repeated += u64::from(before);
                counts.push(gap, before);
            }
            counts.push(interval, count);
            before = count;
        }
        let note = format!("{missing} missing intervals repeat the one before ({repeated} arrivals)");
        Ok((counts, if missing > 0 { vec![note] } else { Vec::new() }))
    }

    fn smallest_step(&self) -> Option<u64> {
        self.values.windows(2).map(|pair| pair[1].0.abs_diff(pair[0].0)).min()
    }
}

impl Counts {
    fn push(&mut self, interval: u32, count: u32) {
        if count > 0 {
            self.cells.push(Cell::new(interval, 0, count));
        }
        self.intervals = interval + 1;
    }
}

/// The interval a time lies at the begin of.
pub(crate) fn interval_of(since_origin: u64, step: u64) -> Result<u32, Fault> {
    if !since_origin.is_multiple_of(step) {
        let found = format!("a time {} s after the first", since_origin as f64 / 1e9);
        return Err(Fault::new(found, format!("a multiple of {} s", step as f64 / 1e9)));
    }
    let interval = u32::try_from(since_origin / step).ok().filter(|interval| *interval < MAX_INTERVALS);
    interval.ok_or_else(|| {
        Fault::new(format!("interval {}", since_origin / step), format!("fewer than {MAX_INTERVALS}"))
    })
}

impl RowSink for CountRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let Some((header, time, value)) = &self.header else {
            let header = Header::new(row);
            let (time, value) = (header.column("timestamp")?, header.column("value")?);
            self.header = Some((header, time, value));
            return Ok(());
        };
        header.check_width(row)?;
        let cell = row.cell(*time);
        let at = match self.iso.read(cell) {
            Some(at) => at,
            None => nanoseconds(cell, self.unit).map_err(|_| {
                Fault::bad_cell(cell, "a number or a date and time such as 2024-01-31 12:00:00")
                    .at_column("timestamp")
            })?,
        };
        let count = count(row.cell(*value)).map_err(|f| f.at_column("value"))?;
        self.values.push((at, count, row.line));
        Ok(())
    }
}

impl Rows for CountRows {
    fn end(&mut self, _skipped: u64) -> Result<(), Fault> {
        has_rows(self.header.is_some(), self.values.len())
    }
}
