//! Formats in which a line is a row: words and JSON lines.

use super::json::read_object;
use super::{Cells, MAX_LINE, RowSink, too_long};
use crate::trace::error::Fault;

/// Whole lines, cut into words or read as JSON.
pub(crate) struct LineSplitter {
    kind: LineKind,
    line: u64,
    partial: Vec<u8>,
    cells: Cells,
}

enum LineKind {
    Words { comment: Option<u8> },
    Json { keys: Vec<String> },
}

impl LineSplitter {
    /// Words between blanks.
    pub(super) fn words(comment: Option<u8>) -> Self {
        Self::new(LineKind::Words { comment })
    }

    /// JSON objects, of which the values of `keys` are wanted.
    pub(super) fn json(keys: Vec<String>) -> Self {
        Self::new(LineKind::Json { keys })
    }

    fn new(kind: LineKind) -> Self {
        Self { kind, line: 1, partial: Vec::new(), cells: Cells::default() }
    }

    pub(super) fn feed(&mut self, text: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
        for piece in text.split_inclusive(|&b| b == b'\n') {
            if self.partial.len() + piece.len() > MAX_LINE {
                return Err(too_long().at_line(self.line));
            }
            if piece.last() != Some(&b'\n') {
                self.partial.extend_from_slice(piece);
            } else if self.partial.is_empty() {
                self.cut(piece, sink)?;
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(piece);
                self.cut(&whole, sink)?;
                whole.clear();
                self.partial = whole;
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, sink: &mut dyn RowSink) -> Result<(), Fault> {
        let rest = std::mem::take(&mut self.partial);
        self.cut(&rest, sink)
    }

    fn cut(&mut self, line: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
        let number = self.line;
        self.line += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        self.cells.clear();
        match &self.kind {
            LineKind::Words { comment } if line.first().copied() == *comment => return Ok(()),
            LineKind::Words { .. } => {
                let words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
                words.for_each(|w| self.cells.push(w));
            }
            LineKind::Json { keys } => {
                if let Err(fault) = read_object(line, keys, &mut self.cells) {
                    return sink.bad_row(fault.at_line(number));
                }
            }
        }
        sink.row(&self.cells.row(number)).map_err(|f| f.at_line(number))
    }
}
