//! The arrivals of a trace with one record a line, read as they are needed.

use super::batch::Batches;
use super::error::{Fault, TraceError};
use super::options::TraceOptions;
use super::parser::{Parser, read_some};
use super::records::Record;
use super::reorder::{REORDER_WINDOW, Reorder};
use super::spread::Luck;
use crate::workload::Expand;
use std::collections::VecDeque;
use std::io::Read;

/// Reads, orders and spreads records.
pub(crate) struct RecordFeed {
    parser: Parser,
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    reorder: Reorder,
    batches: Option<Batches>,
    ready: VecDeque<Record>,
    has_ended: bool,
    /// The first arrival.
    origin: Option<i64>,
}

impl RecordFeed {
    pub(crate) fn new(
        parser: Parser,
        reader: Box<dyn Read + Send>,
        options: &TraceOptions,
        luck: Luck,
    ) -> Self {
        let expand = options.expand.unwrap_or_default();
        let width = parser.batch().filter(|_| expand != Expand::Start);
        Self {
            batches: width.map(|width| Batches::new(width, expand, luck)),
            parser,
            reader,
            buffer: Vec::new(),
            reorder: Reorder::new(options.sort),
            ready: VecDeque::new(),
            has_ended: false,
            origin: None,
        }
    }

    /// The next arrival: nanoseconds since the first, and its service time if the trace has one.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Option<u64>)>, TraceError> {
        while self.ready.is_empty() && !self.has_ended {
            self.read()?;
        }
        let Some(record) = self.ready.pop_front() else { return Ok(None) };
        let origin = *self.origin.get_or_insert(record.at_ns);
        Ok(Some((record.at_ns.abs_diff(origin), record.service_ns)))
    }

    pub(crate) fn parser(&self) -> &Parser {
        &self.parser
    }

    fn read(&mut self) -> Result<(), TraceError> {
        let bytes = read_some(&mut *self.reader, &mut self.buffer, self.parser.file_name())?;
        if bytes.is_empty() {
            self.parser.finish()?;
            self.has_ended = true;
        } else {
            self.parser.feed(bytes)?;
        }
        self.order().map_err(|fault| fault.in_file(self.parser.file_name()))
    }

    /// Records go through the window one by one, so that what counts as late does not depend on how much was read.
    fn order(&mut self) -> Result<(), Fault> {
        let mut records = std::mem::take(self.parser.take());
        for record in records.drain(..) {
            if let Err(late) = self.reorder.push(record) {
                self.parser.tolerance().forgive(too_late(late, record.line))?;
            }
            if let Some(next) = self.reorder.pop(false) {
                pass_on(&mut self.batches, next, &mut self.ready)?;
            }
        }
        *self.parser.take() = records;
        if self.has_ended {
            while let Some(next) = self.reorder.pop(true) {
                pass_on(&mut self.batches, next, &mut self.ready)?;
            }
            self.batches.iter_mut().for_each(|batches| batches.finish(&mut self.ready));
        }
        Ok(())
    }
}

fn pass_on(batches: &mut Option<Batches>, record: Record, ready: &mut VecDeque<Record>) -> Result<(), Fault> {
    match batches {
        Some(batches) => batches.push(record, ready),
        None => {
            ready.push_back(record);
            Ok(())
        }
    }
}

fn too_late(nanos: u64, line: u64) -> Fault {
    let found = format!("an arrival {} s before one that was already handed on", nanos as f64 / 1e9);
    let expected = format!(
        "arrivals at most {REORDER_WINDOW} records out of order, or --sort (`sort = true`) for any order"
    );
    Fault::bad_record(found, expected).at_line(line)
}
