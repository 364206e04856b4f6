//! Where tasks come from: arrival times and service times, drawn in blocks.
//!
//! [`Arrivals`] says when tasks come: points of unit rate, bent in time by a [`Rate`] (so that another rate keeps
//! the luck), or groups of known size. A [`SyntheticSource`] runs them and draws each task's service time.

mod arrivals;
pub mod fingerprint;
mod groups;
mod points;
mod rate;
mod source;
mod synthetic;
#[cfg(test)]
mod tests;

pub use arrivals::{ArrivalTimes, Arrivals};
pub use groups::Expand;
pub use points::Gaps;
pub use rate::{Phases, Rate};
pub use source::{Source, SourceError};
pub use synthetic::SyntheticSource;

/// Arrivals in time order, drawn in blocks because one match a block is cheaper than one a task.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Arrival times in nanoseconds since the simulation's start, not decreasing, also across blocks.
    pub at: Vec<u64>,
    /// Service times in nanoseconds, one for each arrival.
    pub service: Vec<u64>,
}

/// How many arrivals a block holds.
pub const BLOCK: usize = 1024;

impl Block {
    /// Forgets its arrivals and keeps its memory.
    pub fn clear(&mut self) {
        self.at.clear();
        self.service.clear();
    }
}
