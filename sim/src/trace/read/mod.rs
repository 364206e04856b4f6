//! Everything that reads: bytes, rows, formats, and the source made of them.

mod azure;
mod batch;
mod convert;
mod counts;
mod datetime;
mod decode;
mod feed;
mod folder;
mod formats;
mod formula;
mod header;
mod nab;
mod number;
mod opening;
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

pub use convert::{ConvertError, convert};
pub use parser::Parser;
pub use records::Record;
pub use reorder::REORDER_WINDOW;
pub use rows::MAX_LINE;
pub use source::{TraceDraws, TraceSource};
pub use stats::{StatsBuilder, TraceStats, stats};

#[cfg(test)]
use super::{
    Expand, FileLayout, Mapping, MemoryFiles, Pairing, TraceError, TraceFiles, TraceFormat, TraceOptions,
    Unit, Values,
};
use super::{error, files, options};
