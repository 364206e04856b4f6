//! Where tasks come from: arrival times and service times, drawn in blocks.

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
