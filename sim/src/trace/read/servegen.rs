//! ServeGen: one file a client, one line a window: start, rate, cv, fitted law of the gaps, its shape and scale.

use super::counts::{Cell, Counts, NO_GAPS};
use super::error::Fault;
use super::header::{check_width, has_rows, not_negative};
use super::nab::interval_of;
use super::number::{nanoseconds, number};
use super::options::Unit;
use super::parser::Rows;
use super::rows::{Row, RowSink};
use super::spread::{Luck, whole};
use crate::dist::Dist;

/// Every window is 600 s long.
const WINDOW: u64 = 600_000_000_000;
const COLUMNS: usize = 6;

/// One client's windows.
#[derive(Default)]
pub(crate) struct WindowRows {
    windows: Vec<Window>,
    /// All windows, idle ones included.
    intervals: u32,
}

struct Window {
    interval: u32,
    /// Expected arrivals.
    expected: f64,
    gap: Option<Dist>,
    line: u64,
}

impl RowSink for WindowRows {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        check_width(row, COLUMNS)?;
        let start = nanoseconds(row.cell(0), Unit::Seconds).and_then(|start| {
            u64::try_from(start).map_err(|_| Fault::bad_cell(row.cell(0), "a time of at least 0"))
        });
        let start = start.map_err(|f| f.at_column("window start"))?;
        let interval = interval_of(start, WINDOW)
            .map_err(|f| Fault { is_bad_record: true, ..f }.at_column("window start"))?;
        let rate = not_negative(row, 1, "rate")?;
        self.intervals = self.intervals.max(interval + 1);
        if rate > 0.0 {
            let gap = gap(row)?;
            self.windows.push(Window {
                interval,
                expected: rate * (WINDOW as f64 / 1e9),
                gap,
                line: row.line,
            });
        }
        Ok(())
    }
}

impl Rows for WindowRows {
    fn end(&mut self, _skipped: u64) -> Result<(), Fault> {
        self.windows.sort_by_key(|window| window.interval);
        if let Some(twice) = self.windows.windows(2).find(|pair| pair[0].interval == pair[1].interval) {
            return Err(
                Fault::new("a second line of this window", "one line a window").at_line(twice[1].line)
            );
        }
        has_rows(self.intervals > 0, self.intervals as usize)
    }
}

/// The law of the gaps, of scale 1: they are stretched to the rate anyway.
fn gap(row: &Row<'_>) -> Result<Option<Dist>, Fault> {
    let shape = number(row.cell(4)).map_err(|f| f.at_column("shape"))?;
    let law = match row.cell(3) {
        b"" => return Ok(None),
        b"Gamma" => Dist::gamma(shape, 1.0),
        b"Weibull" => Dist::weibull(shape, 1.0),
        other => return Err(Fault::bad_cell(other, "Gamma, Weibull or nothing").at_column("law")),
    };
    law.map(Some).map_err(|e| Fault::bad_record(e.found, e.expected).at_column("shape"))
}

/// Joins the clients: each is a row.
pub(crate) fn join(clients: Vec<WindowRows>, luck: Luck) -> Result<Counts, Fault> {
    let mut counts = Counts { step: WINDOW, ..Counts::default() };
    for (row, client) in clients.into_iter().enumerate() {
        counts.intervals = counts.intervals.max(client.intervals);
        let mut carry = luck.carry(row as u64);
        for window in client.windows {
            let count = whole(window.expected, &mut carry);
            if count > f64::from(u32::MAX) {
                return Err(Fault::new(format!("{count} arrivals in a window"), "at most 4294967295"));
            }
            if count > 0.0 {
                let gap = window.gap.map_or(NO_GAPS, |gap| {
                    counts.gaps.push(gap);
                    counts.gaps.len() as u32 - 1
                });
                counts.cells.push(Cell { gap, ..Cell::new(window.interval, row as u32, count as u32) });
            }
        }
    }
    Ok(counts)
}
