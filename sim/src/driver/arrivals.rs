//! Arrivals of all workloads in the order of time.

use crate::model::Nanos;
use crate::workload::{Block, Source, SourceError};

/// A workload's source failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ArrivalsError(#[from] SourceError);

#[derive(Debug)]
struct Stream {
    source: Source,
    block: Block,
    at: usize,
}

/// The next arrival of each workload, and which is the next of all.
#[derive(Debug)]
pub struct Arrivals {
    streams: Vec<Stream>,
    horizon: Nanos,
    next: (Nanos, usize),
}

impl Arrivals {
    pub fn new(sources: Vec<Source>, horizon: Nanos) -> Self {
        let stream = |source| Stream { source, block: Block::default(), at: 0 };
        Self { streams: sources.into_iter().map(stream).collect(), horizon, next: (Nanos::MAX, 0) }
    }

    /// Draws the first blocks.
    pub fn begin(&mut self) -> Result<(), ArrivalsError> {
        for stream in &mut self.streams {
            stream.refill()?;
        }
        self.find_next();
        Ok(())
    }

    /// When the next task arrives; `MAX`: never.
    #[inline]
    pub const fn next_time(&self) -> Nanos {
        self.next.0
    }

    /// Takes the next arrival: its workload and service time.
    #[inline]
    pub fn take(&mut self) -> Result<(usize, Nanos), ArrivalsError> {
        let workload = self.next.1;
        let stream = &mut self.streams[workload];
        let service = stream.block.service[stream.at];
        stream.at += 1;
        if stream.at == stream.block.at.len() {
            stream.refill()?;
        }
        if self.streams.len() == 1 {
            self.next.0 = self.streams[0].next_time(self.horizon);
        } else {
            self.find_next();
        }
        Ok((workload, service))
    }

    /// What a reader of results should know about the sources.
    pub fn notes(&self) -> Vec<String> {
        self.streams.iter().flat_map(|stream| stream.source.notes()).collect()
    }

    /// Multiplies a workload's rate from now on.
    pub fn set_rate_factor(&mut self, workload: usize, now: Nanos, factor: f64) -> Result<(), ArrivalsError> {
        let stream = &mut self.streams[workload];
        stream.source.set_rate_factor(now, factor, stream.at)?;
        stream.refill()?;
        self.find_next();
        Ok(())
    }

    /// A workload's tasks take so long from now on.
    pub fn set_service(&mut self, workload: usize, service: crate::dist::Dist) -> Result<(), ArrivalsError> {
        let stream = &mut self.streams[workload];
        stream.source.set_service(service, stream.at);
        stream.refill()?;
        self.find_next();
        Ok(())
    }

    fn find_next(&mut self) {
        let horizon = self.horizon;
        let times = self.streams.iter().enumerate().map(|(i, stream)| (stream.next_time(horizon), i));
        self.next = times.min().unwrap_or((Nanos::MAX, 0));
    }
}

impl Stream {
    #[inline]
    fn next_time(&self, horizon: Nanos) -> Nanos {
        // Arrivals stop at the horizon; a trace may go on beyond it.
        self.block.at.get(self.at).copied().filter(|&at| at < horizon).unwrap_or(Nanos::MAX)
    }

    fn refill(&mut self) -> Result<(), ArrivalsError> {
        self.block.clear();
        self.at = 0;
        Ok(self.source.fill(&mut self.block)?)
    }
}
