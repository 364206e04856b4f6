//! A push reader of journals: bytes in, records out, in pieces of any size.

use super::{Entry, Header, JOURNAL_FORMAT};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A line longer than this is no journal's.
const LONGEST_LINE: usize = 64 << 20;

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A run begins.
    Header(Box<Header>),
    /// An input was handled.
    Entry(Box<Entry>),
}

/// What is wrong with a journal, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal line {line}: {what}")]
pub struct JournalError {
    /// Counts from 1.
    pub line: u64,
    /// What is wrong and what would be right.
    pub what: String,
}

/// Reads a journal from pieces of bytes.
#[derive(Debug, Default)]
pub struct JournalReader {
    unfinished: Vec<u8>,
    line: u64,
    /// The number of the last entry; none before the first header.
    entries: Option<u64>,
}

impl JournalReader {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece and hands on the records that it completes.
    ///
    /// # Errors
    /// Names the line that is no record, or that does not follow the one before it.
    pub fn feed(&mut self, piece: &[u8], mut on_record: impl FnMut(Record)) -> Result<(), JournalError> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            rest = &after[1..];
            if self.unfinished.is_empty() {
                self.read_line(line, &mut on_record)?;
            } else {
                let mut whole = std::mem::take(&mut self.unfinished);
                whole.extend_from_slice(line);
                self.read_line(&whole, &mut on_record)?;
            }
        }
        self.unfinished.extend_from_slice(rest);
        if self.unfinished.len() > LONGEST_LINE {
            self.line += 1;
            return Err(self.error(format!("found more than {LONGEST_LINE} bytes, expected the line to end")));
        }
        Ok(())
    }

    /// Ends the reading; a last line without a line break counts.
    ///
    /// # Errors
    /// Names the line that is no record; a journal without a header is none.
    pub fn finish(mut self, mut on_record: impl FnMut(Record)) -> Result<(), JournalError> {
        let last = std::mem::take(&mut self.unfinished);
        self.read_line(&last, &mut on_record)?;
        if self.entries.is_none() {
            return Err(self.error("found the end, expected a header"));
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8], on_record: &mut impl FnMut(Record)) -> Result<(), JournalError> {
        self.line += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let record = match self.entries {
            Some(before) if !is_header(line) => self.entry(line, before)?,
            _ => self.header(line)?,
        };
        on_record(record);
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<Record, JournalError> {
        #[derive(Deserialize)]
        struct Format {
            journal: u32,
        }
        let found: Format = self.parse(line, "a header with the journal's format")?;
        if found.journal > JOURNAL_FORMAT {
            let found = found.journal;
            return Err(
                self.error(format!("found format {found}, this release reads up to {JOURNAL_FORMAT}"))
            );
        }
        self.entries = Some(0);
        self.parse(line, "a header").map(|header| Record::Header(Box::new(header)))
    }

    fn entry(&mut self, line: &[u8], before: u64) -> Result<Record, JournalError> {
        let entry: Entry = self.parse(line, "an entry")?;
        let expected = before.saturating_add(1);
        if entry.n != expected {
            let found = entry.n;
            return Err(
                self.error(format!("found entry {found}, expected entry {expected}: lines are missing"))
            );
        }
        self.entries = Some(expected);
        Ok(Record::Entry(Box::new(entry)))
    }

    fn parse<T: DeserializeOwned>(&self, line: &[u8], expected: &str) -> Result<T, JournalError> {
        serde_json::from_slice(line).map_err(|e| self.error(format!("expected {expected}: {e}")))
    }

    fn error(&self, what: impl Into<String>) -> JournalError {
        JournalError { line: self.line, what: what.into() }
    }
}

fn is_header(line: &[u8]) -> bool {
    let inside = line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| inside.starts_with(b"\"journal\""))
}
