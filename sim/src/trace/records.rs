//! Formats with one record a line: which columns hold the arrival and the service, and reading them.

use super::datetime::TimePattern;
use super::error::{Fault, TraceError, shown};
use super::formats::{Header, RecordFormat};
use super::formula::{Columns, Formula};
use super::number::{float_nanoseconds, nanoseconds, number};
use super::options::Unit;
use super::rows::{Row, RowSink};

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

/// The formulas with the places of their columns in a row.
struct Bound {
    names: Vec<String>,
    /// How many cells a row must have.
    width: Option<usize>,
    arrival: BoundFormula,
    time: TimeReader,
    service: Option<(BoundFormula, Unit)>,
    filter: Option<BoundFormula>,
}

struct BoundFormula {
    formula: Formula,
    /// Index of the cell of each of the formula's columns.
    cells: Vec<usize>,
}

/// How arrival times are written: decided by the first record, so that a file cannot mix.
enum TimeReader {
    Undecided,
    Number,
    Pattern(TimePattern),
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
        if let Some(filter) = &bound.filter
            && filter.value(row, &bound.names)? == 0.0
        {
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

impl Bound {
    /// Finds the columns with the first row; also says whether that is a header.
    fn new(format: &RecordFormat, first: &Row<'_>) -> Result<(Self, bool), Fault> {
        let texts = || first.cells().map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>();
        let (names, is_header, width) = match &format.header {
            Header::Line => (texts(), true, Some(first.len())),
            Header::Keys(keys) => (keys.clone(), false, None),
            Header::Names { names, is_ragged: false } => (names.clone(), false, Some(names.len())),
            Header::Names { names, is_ragged: true } => (names.clone(), false, None),
            Header::Numbered => (Vec::new(), false, Some(first.len())),
            Header::Detected(names) if TimeReader::decided(first.cell(0)).is_some() => {
                (names.iter().take(first.len()).cloned().collect(), false, Some(first.len()))
            }
            Header::Detected(_) => (texts(), true, Some(first.len())),
        };
        let bind = |formula: &Formula| BoundFormula::new(formula, &names);
        let time = match &format.time_format {
            Some(pattern) => TimeReader::Pattern(pattern.clone()),
            None => TimeReader::Undecided,
        };
        let arrival = bind(&format.arrival).map_err(|f| f.at_line(first.line))?;
        let filter = format.filter.as_ref().map(bind).transpose()?;
        let service = bind_service(format, &names)?;
        Ok((Self { width, arrival, time, service, filter, names }, is_header))
    }

    fn check_width(&self, row: &Row<'_>) -> Result<(), Fault> {
        match self.width {
            Some(width) if width != row.len() => {
                Err(Fault::bad_record(format!("{} columns", row.len()), format!("{width} columns")))
            }
            _ => Ok(()),
        }
    }

    fn arrival(&mut self, row: &Row<'_>, unit: Unit) -> Result<i64, Fault> {
        let Some((index, name)) = self.arrival.column(&self.names) else {
            let value = self.arrival.value(row, &self.names)?;
            return float_nanoseconds(value, unit).ok_or_else(|| {
                Fault::bad_record(format!("an arrival time of {value}"), "a time within 292 years")
            });
        };
        let cell = row.cell(index);
        if matches!(self.time, TimeReader::Undecided)
            && let Some(decided) = TimeReader::decided(cell)
        {
            self.time = decided;
        }
        self.time.read(cell, unit).map_err(|f| f.at_column(name))
    }

    fn service(&self, row: &Row<'_>) -> Result<Option<u64>, Fault> {
        let Some((formula, unit)) = &self.service else { return Ok(None) };
        let nanos = match formula.column(&self.names) {
            Some((index, name)) => {
                let cell = row.cell(index);
                let nanos = nanoseconds(cell, *unit).map_err(|f| f.at_column(name))?;
                u64::try_from(nanos)
                    .map_err(|_| Fault::bad_cell(cell, "a duration of at least 0").at_column(name))?
            }
            None => {
                let value = formula.value(row, &self.names)?;
                let nanos = float_nanoseconds(value, *unit).and_then(|n| u64::try_from(n).ok());
                nanos.ok_or_else(|| {
                    Fault::bad_record(format!("a service time of {value}"), "a duration of at least 0")
                })?
            }
        };
        Ok(Some(nanos))
    }
}

/// The first of the format's service times whose columns the file has.
fn bind_service(format: &RecordFormat, names: &[String]) -> Result<Option<(BoundFormula, Unit)>, Fault> {
    let mut missing = None;
    for (formula, unit) in &format.services {
        match BoundFormula::new(formula, names) {
            Ok(bound) => return Ok(Some((bound, *unit))),
            Err(fault) => missing = Some(fault),
        }
    }
    match missing {
        Some(fault) if !format.is_service_optional => Err(fault),
        _ => Ok(None),
    }
}

impl BoundFormula {
    fn new(formula: &Formula, names: &[String]) -> Result<Self, Fault> {
        let place = |column: &String| {
            names.iter().position(|name| name == column).or_else(|| numbered(column)).ok_or_else(|| {
                let have = if names.is_empty() { "no names of columns".to_owned() } else { listed(names) };
                Fault::new(have, format!("a column {column:?}"))
            })
        };
        let cells = formula.columns().iter().map(place).collect::<Result<_, _>>()?;
        Ok(Self { formula: formula.clone(), cells })
    }

    /// Index and name of the column, if the formula is just one.
    fn column<'n>(&'n self, names: &'n [String]) -> Option<(usize, &'n str)> {
        let column = self.formula.as_column()?;
        let index = self.cells[column];
        Some((index, names.get(index).unwrap_or(&self.formula.columns()[column])))
    }

    fn value(&self, row: &Row<'_>, names: &[String]) -> Result<f64, Fault> {
        self.formula.value(&RowColumns { row, names, formula: self })
    }
}

struct RowColumns<'r> {
    row: &'r Row<'r>,
    names: &'r [String],
    formula: &'r BoundFormula,
}

impl Columns for RowColumns<'_> {
    fn number(&self, column: usize) -> Result<f64, Fault> {
        number(self.text(column)).map_err(|fault| {
            let index = self.formula.cells[column];
            fault.at_column(self.names.get(index).unwrap_or(&self.formula.formula.columns()[column]))
        })
    }

    fn text(&self, column: usize) -> &[u8] {
        self.row.cell(self.formula.cells[column])
    }
}

impl TimeReader {
    fn decided(cell: &[u8]) -> Option<Self> {
        if number(cell).is_ok() {
            return Some(Self::Number);
        }
        let iso = TimePattern::iso();
        iso.read(cell).is_some().then_some(Self::Pattern(iso))
    }

    fn read(&self, cell: &[u8], unit: Unit) -> Result<i64, Fault> {
        match self {
            Self::Number => nanoseconds(cell, unit),
            Self::Pattern(pattern) => pattern
                .read(cell)
                .ok_or_else(|| Fault::bad_cell(cell, "a date and time in the trace's format")),
            Self::Undecided => {
                Err(Fault::bad_cell(cell, "a number or a date and time such as 2024-01-31 12:00:00.5"))
            }
        }
    }
}

/// `$1` is the first column.
fn numbered(column: &str) -> Option<usize> {
    column.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
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
