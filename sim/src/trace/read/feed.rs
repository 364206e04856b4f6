//! The arrivals of a trace in order, whatever its kind.

use super::counts::CountFeed;
use super::error::TraceError;
use super::record_feed::RecordFeed;

/// One arrival, before its service time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceArrival {
    /// Nanoseconds since the trace's time 0.
    pub at: u64,
    /// The service time that the trace has for it.
    pub service_ns: Option<u64>,
    /// The row it belongs to.
    pub row: u32,
}

/// Where arrivals come from.
pub(crate) enum Feed {
    Records(Box<RecordFeed>),
    Counts {
        feed: CountFeed,
        file: String,
        /// The model that stands in for service times.
        assumed: Option<&'static str>,
        /// Bad records left out when the table was read.
        skipped: u64,
    },
}

impl Feed {
    pub(crate) fn next(&mut self) -> Result<Option<TraceArrival>, TraceError> {
        Ok(match self {
            Self::Records(feed) => {
                feed.next()?.map(|(at, service_ns)| TraceArrival { at, service_ns, row: 0 })
            }
            Self::Counts { feed, file, .. } => {
                let next = feed.next().map_err(|fault| fault.in_file(file))?;
                next.map(|(at, row)| TraceArrival { at, service_ns: None, row })
            }
        })
    }

    /// How long it is, where that is known beforehand.
    pub(crate) fn span(&self) -> Option<u64> {
        match self {
            Self::Records(_) => None,
            Self::Counts { feed, .. } => Some(feed.span()),
        }
    }

    /// The model that stands in for service times, as far as that is known.
    pub(crate) fn assumed(&self) -> Option<&'static str> {
        match self {
            Self::Records(feed) => feed.parser().assumed(),
            Self::Counts { assumed, .. } => *assumed,
        }
    }

    /// Bad records left out so far.
    pub(crate) fn skipped(&self) -> u64 {
        match self {
            Self::Records(feed) => feed.parser().skipped(),
            Self::Counts { skipped, .. } => *skipped,
        }
    }

    /// Records that did not pass the filter so far.
    pub(crate) fn filtered(&self) -> u64 {
        match self {
            Self::Records(feed) => feed.parser().filtered(),
            Self::Counts { .. } => 0,
        }
    }
}
