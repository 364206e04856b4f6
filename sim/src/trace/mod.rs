//! Real workload traces: push parsers over bytes, arrivals for the simulator, statistics, and conversion.
//!
//! A [`TraceSource`] turns files into arrivals, block by block and in flat memory. What it reads through:
//!
//! - bytes: plain or gzip, told apart by their first two bytes (`decode`);
//! - rows: separated values, words or JSON lines, in pieces of any size (`rows`), or one JSON document (`prometheus`);
//! - formats with one record a line are data (`formats`): columns, formulas over them (`formula`), units. Their
//!   records stream through a reorder window (`reorder`);
//! - formats with counts (`azure`, `nab`, `servegen`, `prometheus`) become a sparse table (`counts`) that is expanded
//!   one interval at a time (`spread`).
//!
//! Time 0 is the first arrival, or the begin of the first interval. Service times are the trace's own, or come from
//! the assumptions in `service_models`; what was assumed or left out is in [`TraceSource::notes`].
//!
//! Files are opened by the caller ([`TraceFiles`]), so that a browser can hand over what was dropped on it.

mod azure;
mod batch;
mod convert;
mod counts;
mod datetime;
mod decode;
mod error;
mod feed;
mod files;
mod formats;
mod formula;
mod header;
mod nab;
mod number;
mod opening;
mod options;
mod pace;
mod parser;
mod prometheus;
mod record_feed;
mod records;
mod reorder;
mod rows;
mod servegen;
mod service;
mod service_models;
mod settings;
mod source;
mod spread;
mod stats;
#[cfg(test)]
mod tests;

pub use crate::workload::Expand;
pub use convert::{ConvertError, convert};
pub use error::TraceError;
pub use files::{MemoryFiles, TraceFiles};
pub use options::{FileLayout, Mapping, Pairing, TraceFormat, TraceOptions, Unit, Values};
pub use parser::Parser;
pub use records::Record;
pub use reorder::REORDER_WINDOW;
pub use rows::MAX_LINE;
pub use source::{TraceDraws, TraceSource};
pub use stats::{StatsBuilder, TraceStats, stats};
