//! Separated values (RFC 4180) in pieces of any size.

use super::{Cells, MAX_LINE, RowSink, too_long};
use crate::trace::error::Fault;

/// The csv crate's state machine, which takes pieces, with our own count of lines and bytes.
pub(crate) struct SeparatedSplitter {
    core: csv_core::Reader,
    comment: Option<u8>,
    state: RowState,
    /// The current line, from 1.
    line: u64,
    /// The line on which the current row began.
    row_line: u64,
    row_bytes: usize,
    cells: Cells,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RowState {
    Between,
    InComment,
    InRow,
}

impl SeparatedSplitter {
    pub(super) fn new(delimiter: u8, comment: Option<u8>) -> Self {
        let mut core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        // The state machine looks for a byte-order mark in its first piece only, which would make pieces matter;
        // after a blank line it no longer does.
        let _ = core.read_record(b"\n", &mut [0], &mut [0]);
        let (state, cells) = (RowState::Between, Cells::default());
        Self { core, comment, state, line: 1, row_line: 1, row_bytes: 0, cells }
    }

    pub(super) fn feed(&mut self, mut text: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
        while let Some(&first) = text.first() {
            if self.state != RowState::InRow && self.skips(first) {
                text = &text[1..];
                continue;
            }
            text = self.read(text, sink)?;
        }
        Ok(())
    }

    /// Between rows: whether this byte belongs to a blank line or a comment. If not, a row begins.
    fn skips(&mut self, byte: u8) -> bool {
        self.line += u64::from(byte == b'\n');
        match (self.state, byte) {
            (_, b'\n' | b'\r') => self.state = RowState::Between,
            (RowState::InComment, _) => {}
            (_, byte) if Some(byte) == self.comment => self.state = RowState::InComment,
            _ => {
                self.state = RowState::InRow;
                (self.row_line, self.row_bytes) = (self.line, 0);
                self.cells.clear();
                return false;
            }
        }
        true
    }

    fn read<'t>(&mut self, text: &'t [u8], sink: &mut dyn RowSink) -> Result<&'t [u8], Fault> {
        use csv_core::ReadRecordResult as Outcome;
        let before = self.core.line();
        let cells = &mut self.cells;
        let (outcome, taken, written, ended) =
            self.core.read_record(text, &mut cells.text[cells.text_len..], &mut cells.ends[cells.ends_len..]);
        (cells.text_len, cells.ends_len) = (cells.text_len + written, cells.ends_len + ended);
        self.line += self.core.line() - before;
        self.row_bytes += taken;
        if self.row_bytes > MAX_LINE {
            return Err(too_long().at_line(self.row_line));
        }
        match outcome {
            Outcome::OutputFull => cells.text.resize(cells.text.len() * 2, 0),
            Outcome::OutputEndsFull => cells.ends.resize(cells.ends.len() * 2, 0),
            Outcome::Record => {
                self.state = RowState::Between;
                sink.row(&self.cells.row(self.row_line)).map_err(|f| f.at_line(self.row_line))?;
            }
            Outcome::InputEmpty | Outcome::End => {}
        }
        Ok(&text[taken..])
    }

    pub(super) fn finish(&mut self, sink: &mut dyn RowSink) -> Result<(), Fault> {
        // Twice: the first may only make room for the last cell's end.
        for _ in 0..2 {
            if self.state == RowState::InRow {
                self.read(&[], sink)?;
            }
        }
        Ok(())
    }
}
