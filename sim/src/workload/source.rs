//! Any source of arrivals.

use super::{Block, SyntheticSource};
use crate::dist::{Dist, ParameterError};
use crate::trace::{TraceError, TraceSource};

/// Where one workload's tasks come from.
#[derive(Debug)]
pub enum Source {
    /// Drawn from distributions.
    Synthetic(Box<SyntheticSource>),
    /// Read from a trace.
    Trace(Box<TraceSource>),
}

/// A source failed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A changed parameter is out of its range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

impl From<SyntheticSource> for Source {
    fn from(source: SyntheticSource) -> Self {
        Self::Synthetic(Box::new(source))
    }
}

impl From<TraceSource> for Source {
    fn from(source: TraceSource) -> Self {
        Self::Trace(Box::new(source))
    }
}

impl Source {
    /// Replaces the block's content by the next arrivals; none: there are no more.
    pub fn fill(&mut self, block: &mut Block) -> Result<(), SourceError> {
        match self {
            Self::Synthetic(source) => source.fill(block),
            Self::Trace(source) => source.fill(block)?,
        }
        Ok(())
    }

    /// From `now` on the rate is `factor` times the workload's own (not its last).
    ///
    /// `taken` is how many arrivals of the last block have happened, all by `now`. The rest of it is void: the next
    /// [`Self::fill`] brings it again, at the new rate.
    pub fn set_rate_factor(&mut self, now: u64, factor: f64, taken: usize) -> Result<(), SourceError> {
        match self {
            Self::Synthetic(source) => source.set_rate_factor(now, factor, taken)?,
            Self::Trace(source) => source.set_rate_factor(now, factor, taken)?,
        }
        Ok(())
    }

    /// Arrivals after the `taken` first ones of the last block have services of this distribution. The rest of the
    /// block is void: the next [`Self::fill`] brings it again.
    pub fn set_service(&mut self, service: Dist, taken: usize) {
        match self {
            Self::Synthetic(source) => source.set_service(service, taken),
            Self::Trace(source) => source.set_service(service, taken),
        }
    }

    /// What a reader of results should know about this source.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Synthetic(_) => Vec::new(),
            Self::Trace(source) => source.notes(),
        }
    }
}
