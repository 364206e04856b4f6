//! What is wrong with a trace, and exactly where.

use std::fmt;

/// A trace cannot be read: where, what was found and what was expected, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TraceError {
    /// The file as the caller named it.
    pub file: String,
    /// The line, counted from 1, if the trouble has one.
    pub line: Option<u64>,
    /// The column's name, or the option's, if the trouble has one.
    pub column: Option<String>,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, Some(column)) => write!(f, "{column}: ")?,
            (None, None) => {}
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl TraceError {
    /// An error about a whole file.
    pub(crate) fn of_file(file: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Fault::new(found, expected).in_file(file)
    }

    /// An error about an option.
    pub(crate) fn of_option(file: &str, option: &str, found: impl Into<String>, expected: &str) -> Self {
        Fault::new(found, expected).at_column(option).in_file(file)
    }
}

/// An error that does not yet know its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub line: Option<u64>,
    pub column: Option<String>,
    pub found: String,
    pub expected: String,
    /// Concerns one record, so that it can be skipped and counted.
    pub is_bad_record: bool,
}

impl Fault {
    /// Something that ends the reading.
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            line: None,
            column: None,
            found: found.into(),
            expected: expected.into(),
            is_bad_record: false,
        }
    }

    /// A record that cannot be used.
    pub(crate) fn bad_record(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { is_bad_record: true, ..Self::new(found, expected) }
    }

    /// A cell that cannot be used.
    pub(crate) fn bad_cell(cell: &[u8], expected: impl Into<String>) -> Self {
        Self::bad_record(shown(cell), expected)
    }

    pub(crate) fn at_line(mut self, line: u64) -> Self {
        self.line.get_or_insert(line);
        self
    }

    pub(crate) fn at_column(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.to_owned());
        self
    }

    pub(crate) fn in_file(self, file: &str) -> TraceError {
        let Self { line, column, found, expected, .. } = self;
        TraceError { file: file.to_owned(), line, column, found, expected }
    }
}

/// A cell as an error shows it: quoted, on one line, cut after 60 characters.
pub(crate) fn shown(cell: &[u8]) -> String {
    const LONGEST: usize = 60;
    if cell.is_empty() {
        return "nothing".to_owned();
    }
    let text = String::from_utf8_lossy(cell);
    let cut: String = text.chars().take(LONGEST).collect();
    let dots = if cut.len() < text.len() { ".." } else { "" };
    format!("{cut:?}{dots}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_line_with_file_line_and_column() {
        let error =
            Fault::bad_cell(b"abc\n", "a number").at_line(17).at_column("duration").in_file("week.csv.gz");
        assert_eq!(
            error.to_string(),
            r#"week.csv.gz: line 17, column duration: found "abc\n", expected a number"#
        );
        assert_eq!(
            TraceError::of_file("a.csv", "an empty file", "records").to_string(),
            "a.csv: found an empty file, expected records"
        );
    }

    #[test]
    fn keeps_the_innermost_place() {
        let fault = Fault::new("x", "y").at_line(3).at_line(9).at_column("a").at_column("b");
        assert_eq!((fault.line, fault.column.as_deref()), (Some(3), Some("a")));
    }

    #[test]
    fn cuts_long_cells() {
        assert_eq!(shown(&[b'x'; 100]).len(), 60 + 4);
        assert_eq!(shown(b""), "nothing");
    }
}
