//! The columns of a table that is no list of records, by their names.

use super::error::Fault;
use super::number::number;
use super::records::listed;
use super::rows::Row;

/// A header line.
pub(crate) struct Header {
    pub names: Vec<String>,
}

impl Header {
    pub(crate) fn new(row: &Row<'_>) -> Self {
        Self { names: row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect() }
    }

    /// The index of a column that may be missing.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The index of a column.
    pub(crate) fn column(&self, name: &str) -> Result<usize, Fault> {
        self.find(name).ok_or_else(|| Fault::new(listed(&self.names), format!("a column {name:?}")))
    }

    /// Refuses a row of another width.
    pub(crate) fn check_width(&self, row: &Row<'_>) -> Result<(), Fault> {
        check_width(row, self.names.len())
    }

    /// A cell as text.
    pub(crate) fn text(&self, row: &Row<'_>, column: Option<usize>) -> String {
        column.map(|c| String::from_utf8_lossy(row.cell(c)).into_owned()).unwrap_or_default()
    }

    /// A cell as a number of at least 0.
    pub(crate) fn not_negative(&self, row: &Row<'_>, column: usize) -> Result<f64, Fault> {
        not_negative(row, column, &self.names[column])
    }
}

/// Refuses a row of another width.
pub(crate) fn check_width(row: &Row<'_>, width: usize) -> Result<(), Fault> {
    if row.len() == width {
        return Ok(());
    }
    Err(Fault::bad_record(format!("{} columns", row.len()), format!("{width} columns")))
}

/// A cell as a number of at least 0.
pub(crate) fn not_negative(row: &Row<'_>, column: usize, name: &str) -> Result<f64, Fault> {
    let cell = row.cell(column);
    let value = number(cell).ok().filter(|value| *value >= 0.0);
    value.ok_or_else(|| Fault::bad_cell(cell, "a number of at least 0").at_column(name))
}

/// Refuses a table without rows.
pub(crate) fn has_rows(has_header: bool, rows: usize) -> Result<(), Fault> {
    match (has_header, rows) {
        (false, _) => Err(Fault::new("an empty file", "a header line and rows")),
        (true, 0) => Err(Fault::new("a header line and no rows", "at least one row")),
        _ => Ok(()),
    }
}
