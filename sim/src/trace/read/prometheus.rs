//! The answer to a Prometheus range query: every series is a row, every value the step before it.

use super::counts::{Cell, Counts};
use super::error::Fault;
use super::nab::interval_of;
use super::number::float_nanoseconds;
use super::options::{Unit, Values};
use super::parser::{Content, Tolerance};
use super::spread::{Luck, whole};
use serde::Deserialize;

/// The whole answer is one JSON document and is kept until its end; a larger one is refused.
const MAX_DOCUMENT: usize = 64 << 20;

/// Reads a document.
#[derive(Default)]
pub(crate) struct RangeQuery {
    text: Vec<u8>,
    series: Vec<Series>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    /// What the HTTP API answers.
    Answer { data: Data },
    /// What `promtool query range -o json` prints.
    Series(Vec<Series>),
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    values: Vec<(f64, String)>,
}

impl Content for RangeQuery {
    fn text(&mut self, text: &[u8], _tolerance: &mut Tolerance) -> Result<(), Fault> {
        if self.text.len() + text.len() > MAX_DOCUMENT {
            return Err(Fault::new(format!("more than {MAX_DOCUMENT} bytes"), "a smaller answer"));
        }
        self.text.extend_from_slice(text);
        Ok(())
    }

    fn end(&mut self, _tolerance: &mut Tolerance) -> Result<(), Fault> {
        let text = std::mem::take(&mut self.text);
        if text.trim_ascii().is_empty() {
            return Err(Fault::new("an empty file", "the JSON answer to a range query"));
        }
        // Once as plain JSON, because an error within an untagged enum has no place.
        serde_json::from_slice::<serde::de::IgnoredAny>(&text).map_err(|e| {
            Fault::new(format!("no JSON ({e})"), "the JSON answer to a range query").at_line(e.line() as u64)
        })?;
        self.series = match serde_json::from_slice(&text) {
            Ok(Document::Answer { data }) if data.result_type == "matrix" => data.result,
            Ok(Document::Answer { data }) => {
                return Err(Fault::new(format!("a result of type {:?}", data.result_type), "\"matrix\""));
            }
            Ok(Document::Series(series)) => series,
            Err(_) => {
                return Err(Fault::new("other JSON", "the answer to a range query (data.result[].values)"));
            }
        };
        if self.series.iter().all(|series| series.values.is_empty()) {
            return Err(Fault::new("no values", "at least one series with values"));
        }
        Ok(())
    }
}

impl RangeQuery {
    /// The arrivals of each step. A value at time t tells of the step before t; steps without a value, and values
    /// that are no number, count as none.
    pub(crate) fn counts(
        &self,
        values: Values,
        step: Option<u64>,
        luck: Luck,
    ) -> Result<(Counts, Vec<String>), Fault> {
        let times = self.times()?;
        let Some(&origin) = times.iter().flatten().min() else {
            return Err(Fault::new("no values", "at least one series with values"));
        };
        let step = step.or_else(|| smallest_step(&times));
        let step = step.ok_or_else(|| Fault::new("no two times", "at least two, or the option `step`"))?;
        let per_value = if values == Values::Rate { step as f64 / 1e9 } else { 1.0 };
        let counts = Counts { step, ..Counts::default() };
        let mut steps = Steps { origin, per_value, counts, unknown: 0 };
        for (row, (series, times)) in self.series.iter().zip(&times).enumerate() {
            steps.add_series(row as u32, series, times, luck)?;
        }
        let note = format!("{} values that are no number count as no arrivals", steps.unknown);
        Ok((steps.counts, if steps.unknown > 0 { vec![note] } else { Vec::new() }))
    }

    /// The times of each series in nanoseconds.
    fn times(&self) -> Result<Vec<Vec<i64>>, Fault> {
        let time = |(seconds, _): &(f64, String)| {
            // Prometheus counts in milliseconds: a float of seconds is not exact, its milliseconds are.
            let nanos = float_nanoseconds((seconds * 1e3).round(), Unit::Milliseconds);
            nanos.ok_or_else(|| Fault::new(format!("a time of {seconds}"), "seconds since the Unix epoch"))
        };
        self.series.iter().map(|series| series.values.iter().map(time).collect()).collect()
    }
}

fn smallest_step(times: &[Vec<i64>]) -> Option<u64> {
    let pairs = times.iter().flat_map(|times| times.windows(2));
    pairs.map(|pair| pair[0].abs_diff(pair[1])).filter(|step| *step > 0).min()
}

/// The table being built.
struct Steps {
    origin: i64,
    /// Arrivals that a value of 1 stands for.
    per_value: f64,
    counts: Counts,
    /// Values that are no number.
    unknown: u64,
}

impl Steps {
    fn add_series(&mut self, row: u32, series: &Series, times: &[i64], luck: Luck) -> Result<(), Fault> {
        let mut carry = luck.carry(u64::from(row));
        let mut next = 0;
        for ((_, text), at) in series.values.iter().zip(times) {
            let interval = interval_of(at.abs_diff(self.origin), self.counts.step)?;
            if interval < next {
                return Err(Fault::new("times that do not increase", "values in order of time"));
            }
            next = interval + 1;
            self.counts.intervals = self.counts.intervals.max(next);
            let Some(value) = value(text)? else {
                self.unknown += 1;
                continue;
            };
            let count = whole(value * self.per_value, &mut carry);
            if count > f64::from(u32::MAX) {
                return Err(Fault::new(format!("{count} arrivals in a step"), "at most 4294967295"));
            }
            if count > 0.0 {
                self.counts.cells.push(Cell::new(interval, row, count as u32));
            }
        }
        Ok(())
    }
}

/// A value; `None` for NaN.
fn value(text: &str) -> Result<Option<f64>, Fault> {
    let value: f64 = text.parse().map_err(|_| Fault::bad_cell(text.as_bytes(), "a number"))?;
    if value.is_nan() {
        return Ok(None);
    }
    if value.is_finite() && value >= 0.0 {
        return Ok(Some(value));
    }
    Err(Fault::bad_cell(text.as_bytes(), "a finite number of at least 0"))
}
