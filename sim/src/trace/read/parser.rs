//! Push parsers: a file's bytes in pieces of any size go in, what it holds comes out.

use super::decode::Decoder;
use super::error::{Fault, TraceError};
use super::formats::RecordFormat;
use super::options::TraceOptions;
use super::records::{Record, RecordRows};
use super::rows::{Layout, Row, RowSink, Splitter};
use std::io::Read;

/// Bytes read from a file at a time.
const READ_STEP: usize = 1 << 16;

/// Reads one file with one record a line, pushed in pieces of any size.
///
/// ```
/// use wci_sim::trace::{Parser, TraceFormat, TraceOptions};
///
/// let mut parser = Parser::new(&TraceOptions::new("week.csv", TraceFormat::Csv))?;
/// parser.feed(b"timestamp,duration\n1.5,0.2")?;
/// parser.feed(b"5\n")?;
/// parser.finish()?;
/// let records: Vec<_> = parser.records().collect();
/// assert_eq!((records[0].at_ns, records[0].service_ns), (1_500_000_000, Some(250_000_000)));
/// # Ok::<(), wci_sim::trace::TraceError>(())
/// ```
pub struct Parser {
    file: FileParser<Table<RecordRows>>,
    batch: Option<u64>,
}

impl Parser {
    /// A parser for a format with one record a line.
    ///
    /// # Errors
    /// If the options do not fit together, or the format is another kind.
    pub fn new(options: &TraceOptions) -> Result<Self, TraceError> {
        let Some(format) = RecordFormat::new(options)? else {
            let found = format!("{:?}", options.format);
            return Err(TraceError::of_option(&options.path, "format", found, "one with a record a line"));
        };
        let (layout, batch) = (format.layout.clone(), format.batch);
        let table = Table::new(layout, RecordRows::new(format));
        Ok(Self { file: FileParser::new(&options.path, options.skip_bad_records, table), batch })
    }

    /// Reads more bytes, plain or gzip.
    ///
    /// # Errors
    /// What is wrong, and where. The same error comes back from then on.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), TraceError> {
        self.file.feed(bytes)
    }

    /// The file's end.
    ///
    /// # Errors
    /// If the file is cut or holds no record.
    pub fn finish(&mut self) -> Result<(), TraceError> {
        self.file.finish()
    }

    /// The records read since the last call, in the order of the file.
    pub fn records(&mut self) -> std::vec::Drain<'_, Record> {
        self.take().drain(..)
    }

    /// Bad records left out (`skip_bad_records`).
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.file.tolerance.skipped
    }

    /// Records that did not pass the filter.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.file.content.rows.filtered()
    }

    /// The model that stands in for service times, if there is one.
    pub(crate) fn assumed(&self) -> Option<&'static str> {
        self.file.content.rows.assumed()
    }

    pub(crate) fn take(&mut self) -> &mut Vec<Record> {
        self.file.content.rows.take()
    }

    /// Equal times are a batch that came within this many nanoseconds.
    pub(crate) fn batch(&self) -> Option<u64> {
        self.batch
    }

    pub(crate) fn tolerance(&mut self) -> &mut Tolerance {
        &mut self.file.tolerance
    }

    pub(crate) fn file_name(&self) -> &str {
        &self.file.name
    }
}

/// What a file holds, read from its decoded text.
pub(crate) trait Content {
    fn text(&mut self, text: &[u8], tolerance: &mut Tolerance) -> Result<(), Fault>;
    fn end(&mut self, tolerance: &mut Tolerance) -> Result<(), Fault>;
}

/// Rows of cells.
pub(crate) struct Table<R> {
    splitter: Splitter,
    pub rows: R,
}

/// What becomes of a table's rows at its end.
pub(crate) trait Rows: RowSink {
    fn end(&mut self, skipped: u64) -> Result<(), Fault>;
}

impl Rows for RecordRows {
    fn end(&mut self, skipped: u64) -> Result<(), Fault> {
        self.finish(skipped)
    }
}

impl<R: Rows> Table<R> {
    pub(crate) fn new(layout: Layout, rows: R) -> Self {
        Self { splitter: Splitter::new(layout), rows }
    }
}

impl<R: Rows> Content for Table<R> {
    fn text(&mut self, text: &[u8], tolerance: &mut Tolerance) -> Result<(), Fault> {
        self.splitter.feed(text, &mut Tolerant { rows: &mut self.rows, tolerance })
    }

    fn end(&mut self, tolerance: &mut Tolerance) -> Result<(), Fault> {
        self.splitter.finish(&mut Tolerant { rows: &mut self.rows, tolerance })?;
        self.rows.end(tolerance.skipped)
    }
}

/// Whether bad records are skipped, and how many were.
pub(crate) struct Tolerance {
    is_on: bool,
    pub skipped: u64,
    pub first: Option<Fault>,
}

impl Tolerance {
    /// Lets a bad record pass if the user wants that.
    pub(crate) fn forgive(&mut self, fault: Fault) -> Result<(), Fault> {
        if !(self.is_on && fault.is_bad_record) {
            return Err(fault);
        }
        self.skipped += 1;
        self.first.get_or_insert(fault);
        Ok(())
    }
}

struct Tolerant<'a, R> {
    rows: &'a mut R,
    tolerance: &'a mut Tolerance,
}

impl<R: Rows> RowSink for Tolerant<'_, R> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let tolerance = &mut *self.tolerance;
        self.rows.row(row).or_else(|fault| tolerance.forgive(fault.at_line(row.line)))
    }

    fn bad_row(&mut self, fault: Fault) -> Result<(), Fault> {
        let tolerance = &mut *self.tolerance;
        self.rows.bad_row(fault).or_else(|fault| tolerance.forgive(fault))
    }
}

/// Reads one file of any content.
pub(crate) struct FileParser<C> {
    pub name: String,
    decoder: Decoder,
    pub content: C,
    pub tolerance: Tolerance,
    failed: Option<TraceError>,
}

impl<C: Content> FileParser<C> {
    pub(crate) fn new(name: &str, skip_bad_records: bool, content: C) -> Self {
        let tolerance = Tolerance { is_on: skip_bad_records, skipped: 0, first: None };
        Self { name: name.to_owned(), decoder: Decoder::new(), content, tolerance, failed: None }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), TraceError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let (content, tolerance) = (&mut self.content, &mut self.tolerance);
        let result = self.decoder.feed(bytes, &mut |text| content.text(text, tolerance));
        self.remember(result)
    }

    pub(crate) fn finish(&mut self) -> Result<(), TraceError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let (content, tolerance) = (&mut self.content, &mut self.tolerance);
        let decoded = self.decoder.finish(&mut |text| content.text(text, tolerance));
        let result = decoded.and_then(|()| self.content.end(&mut self.tolerance));
        self.remember(result)
    }

    fn remember(&mut self, result: Result<(), Fault>) -> Result<(), TraceError> {
        result.map_err(|fault| self.failed.insert(fault.in_file(&self.name)).clone())
    }

    /// Reads a whole file.
    pub(crate) fn read_all(mut self, reader: &mut dyn Read) -> Result<Self, TraceError> {
        let mut buffer = vec![0; READ_STEP];
        loop {
            let bytes = read_some(reader, &mut buffer, &self.name)?;
            if bytes.is_empty() {
                self.finish()?;
                return Ok(self);
            }
            self.feed(bytes)?;
        }
    }
}

/// The next bytes of a file; empty at its end.
pub(crate) fn read_some<'b>(
    reader: &mut dyn Read,
    buffer: &'b mut Vec<u8>,
    file: &str,
) -> Result<&'b [u8], TraceError> {
    buffer.resize(READ_STEP, 0);
    loop {
        match reader.read(buffer) {
            Ok(length) => return Ok(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(file, &error)),
        }
    }
}

/// A file that cannot be opened or read.
pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> TraceError {
    TraceError::of_file(file, format!("an error ({error})"), "a file that can be read")
}
