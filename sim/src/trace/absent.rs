//! In the place of the readers in a build that has none: a trace that never opens.

use super::error::TraceError;
use super::files::TraceFiles;
use super::options::TraceOptions;
use crate::dist::{Dist, ParameterError};
use crate::rng::Stream;
use crate::workload::Block;

/// The luck of a trace; nobody draws from it.
#[derive(Clone, Debug)]
pub struct TraceDraws {
    /// Where arrivals lie that the trace only counts.
    pub arrivals: Stream,
    /// Service times that the trace does not hold.
    pub services: Stream,
    /// Replaces all service times of the trace.
    pub service: Option<Dist>,
}

/// The arrivals of a trace: there are none.
#[derive(Debug)]
pub enum TraceSource {}

impl TraceOptions {
    /// Without readers there is nothing that the options have to fit.
    ///
    /// # Errors
    /// None.
    pub const fn check(&self) -> Result<(), TraceError> {
        Ok(())
    }
}

impl TraceSource {
    /// Opens no trace.
    ///
    /// # Errors
    /// Always: this build has no readers.
    pub fn open(options: &TraceOptions, _: &dyn TraceFiles, _: TraceDraws) -> Result<Self, TraceError> {
        Err(TraceError::of_file(&options.path, "a trace", "no trace: this build reads none"))
    }

    /// See the source with readers.
    ///
    /// # Errors
    /// None.
    pub const fn fill(&mut self, _: &mut Block) -> Result<(), TraceError> {
        match *self {}
    }

    /// See the source with readers.
    ///
    /// # Errors
    /// None.
    pub const fn set_rate_factor(&mut self, _: u64, _: f64, _: usize) -> Result<(), ParameterError> {
        match *self {}
    }

    /// See the source with readers.
    pub fn set_service(&mut self, _: Dist, _: usize) {
        match *self {}
    }

    /// See the source with readers.
    #[must_use]
    pub const fn span(&self) -> Option<u64> {
        match *self {}
    }

    /// See the source with readers.
    #[must_use]
    pub const fn notes(&self) -> Vec<String> {
        match *self {}
    }
}
