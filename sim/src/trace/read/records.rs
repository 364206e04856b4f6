//! Formats with one record a line: which columns hold the arrival and the service, and reading them.

mod bound;

use super::error::{Fault, TraceError, shown};
use super::formats::RecordFormat;
use super::formula::Formula;
use super::rows::{Row, RowSink};
use bound::Bound;

/// One arrival as the trace has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Nanoseconds since the format's own zero: the Unix epoch for dates, whatever the numbers count from otherwise.
    /// [`super::TraceSource`] moves the first arrival to 0.
    pub at_ns: i64,
    /// Service time in nanoseconds, if the trace has one or a model for it.
    pub service_ns: Option<u64>,
    /// The line it begins on, from 1.
    pub line: u64,
}

/// Rows become records.
pub(crate) struct RecordRows {
    format: RecordFormat,
    /// Present once the names of the columns are known.
    bound: Option<Bound>,
    records: Vec<Record>,
    /// Rows after the header.
    rows: u64,
    filtered: u64,
}

impl RecordRows {
    pub(crate) fn new(format: RecordFormat) -> Self {
        Self { format, bound: None, records: Vec::new(), rows: 0, filtered: 0 }
    }

    /// Records read since the last call.
    pub(crate) fn take(&mut self) -> &mut Vec<Record> {
        &mut self.records
    }

    /// Rows left out by the filter.
    pub(crate) fn filtered(&self) -> u64 {
        self.filtered
    }

    /// The model that stands in for service times. Before the first row it is known only where there is no choice.
    pub(crate) fn assumed(&self) -> Option<&'static str> {
        match (&self.bound, &self.format.services[..]) {
            (Some(bound), _) => bound.assumed(),
            (None, [only]) => only.assumed,
            (None, _) => None,
        }
    }

    /// What the file's end has to say.
    pub(crate) fn finish(&self, skipped: u64) -> Result<(), Fault> {
        let expected = "at least one record";
        if self.bound.is_none() {
            return Err(Fault::new(if skipped > 0 { "no valid record" } else { "an empty file" }, expected));
        }
        if self.rows == 0 {
            return Err(Fault::new("a header line and no records", expected));
        }
        if self.filtered == self.rows {
            return Err(Fault::new("no record that passes the filter", expected));
        }
        if skipped > 0 && skipped + self.filtered >= self.rows {
            return Err(Fault::new(format!("{skipped} bad records and no good one"), expected));
        }
        Ok(())
    }

    fn record(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let Some(bound) = &mut self.bound else { return Ok(()) };
        self.rows += 1;
        bound.check_width(row)?;
        if !bound.passes(row)? {
            self.filtered += 1;
            return Ok(());
        }
        let at_ns = bound.arrival(row, self.format.unit)?;
        let service_ns = bound.service(row)?;
        self.records.push(Record { at_ns, service_ns, line: row.line });
        Ok(())
    }
}

impl RowSink for RecordRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        if self.bound.is_none() {
            let (bound, is_header) = Bound::new(&self.format, row)?;
            self.bound = Some(bound);
            if is_header {
                return Ok(());
            }
        }
        self.record(row)
    }

    fn bad_row(&mut self, fault: Fault) -> Result<(), Fault> {
        self.rows += 1;
        Err(fault)
    }
}

/// The names of columns as an error shows them.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name.as_bytes())).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the columns {}{rest}", shown.join(", "))
}

/// A formula from an option.
pub(crate) fn formula(file: &str, option: &str, text: &str) -> Result<Formula, TraceError> {
    Formula::parse(text).map_err(|e| {
        let found = format!("{} at character {} of {text:?}", e.found, e.position);
        TraceError::of_option(file, option, found, e.expected)
    })
}
