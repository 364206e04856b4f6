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
//!
//! All of `read` is the feature `traces`. A build without it knows the options and opens no trace: so the browser's
//! first view need not load what only a dropped file needs.

#[cfg(not(feature = "traces"))]
mod absent;
#[cfg_attr(not(feature = "traces"), expect(dead_code, reason = "most of it is what readers find"))]
mod error;
mod files;
mod options;
#[cfg(feature = "traces")]
mod read;

pub use crate::workload::Expand;
#[cfg(not(feature = "traces"))]
pub use absent::{TraceDraws, TraceSource};
pub use error::TraceError;
pub use files::{MemoryFiles, TraceFiles};
pub use options::{FileLayout, Mapping, Pairing, TraceFormat, TraceOptions, Unit, Values};
#[cfg(feature = "traces")]
pub use read::{
    ConvertError, MAX_LINE, Parser, REORDER_WINDOW, Record, StatsBuilder, TraceDraws, TraceSource,
    TraceStats, convert, stats,
};
