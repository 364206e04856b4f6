//! The formulas of a format, bound to the columns of a file.

use super::listed;
use crate::trace::error::Fault;
use crate::trace::options::Unit;
use crate::trace::read::datetime::TimePattern;
use crate::trace::read::formats::{Header, RecordFormat, ServiceFormula};
use crate::trace::read::formula::{Columns, Formula};
use crate::trace::read::number::{float_nanoseconds, nanoseconds, number};
use crate::trace::read::rows::Row;

/// The formulas with the places of their columns in a row.
pub(super) struct Bound {
    names: Vec<String>,
    /// How many cells a row must have.
    width: Option<usize>,
    arrival: BoundFormula,
    time: TimeReader,
    service: Option<BoundService>,
    filter: Option<BoundFormula>,
}

struct BoundService {
    formula: BoundFormula,
    unit: Unit,
    assumed: Option<&'static str>,
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

impl Bound {
    /// Finds the columns with the first row; also says whether that is a header.
    pub(super) fn new(format: &RecordFormat, first: &Row<'_>) -> Result<(Self, bool), Fault> {
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

    /// The model that stands in for service times.
    pub(super) fn assumed(&self) -> Option<&'static str> {
        self.service.as_ref()?.assumed
    }

    /// Whether the filter lets the row through.
    pub(super) fn passes(&self, row: &Row<'_>) -> Result<bool, Fault> {
        match &self.filter {
            Some(filter) => Ok(filter.value(row, &self.names)? != 0.0),
            None => Ok(true),
        }
    }

    pub(super) fn check_width(&self, row: &Row<'_>) -> Result<(), Fault> {
        match self.width {
            Some(width) if width != row.len() => {
                Err(Fault::bad_record(format!("{} columns", row.len()), format!("{width} columns")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn arrival(&mut self, row: &Row<'_>, unit: Unit) -> Result<i64, Fault> {
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

    pub(super) fn service(&self, row: &Row<'_>) -> Result<Option<u64>, Fault> {
        let Some(BoundService { formula, unit, .. }) = &self.service else { return Ok(None) };
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
fn bind_service(format: &RecordFormat, names: &[String]) -> Result<Option<BoundService>, Fault> {
    let mut missing = None;
    for ServiceFormula { formula, unit, assumed } in &format.services {
        match BoundFormula::new(formula, names) {
            Ok(formula) => return Ok(Some(BoundService { formula, unit: *unit, assumed: *assumed })),
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
