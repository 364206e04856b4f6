//! The source of a synthetic workload: arrivals with their service times, each from its own named stream.

use super::arrivals::RateFactor;
use super::{ArrivalTimes, Arrivals, BLOCK, Block};
use crate::dist::{Dist, ParameterError};
use crate::rng::Stream;

/// A synthetic workload that runs.
#[derive(Clone, Debug)]
pub struct SyntheticSource {
    service: Dist,
    horizon: u64,
    luck: Luck,
    /// The luck before the last block: a change goes back to it, so that what has not happened is drawn again.
    before: Luck,
}

/// All that drawing moves on.
#[derive(Clone, Debug)]
struct Luck {
    arrivals: ArrivalTimes,
    services: Stream,
}

impl SyntheticSource {
    /// The workload's arrivals before `horizon`, with the luck of its name under this seed.
    #[must_use]
    pub fn new(seed: u64, workload: &str, arrivals: &Arrivals, service: Dist, horizon: u64) -> Self {
        let stream = |what: &str| Stream::named(seed, &format!("{workload}/{what}"));
        let arrivals = arrivals.start(stream("arrivals"), stream("states"));
        let luck = Luck { arrivals, services: stream("services") };
        Self { service, horizon, before: luck.clone(), luck }
    }

    /// Replaces the block's content by the next arrivals; none: there are no more.
    pub fn fill(&mut self, block: &mut Block) {
        self.before.clone_from(&self.luck);
        block.clear();
        self.luck.arrivals.fill(BLOCK, self.horizon, &mut block.at);
        self.service.fill(&mut self.luck.services, block.at.len(), &mut block.service);
        if block.at.len() < BLOCK {
            // The horizon cut the block: what was drawn beyond it is given back, so that a higher rate can still
            // bring it before the horizon.
            self.return_untaken(block.at.len());
        }
    }

    /// From `now` on the rate is `factor` times the workload's own (not its last).
    ///
    /// `taken` is how many arrivals of the last block have happened, all by `now`. The rest of it is void: the next
    /// [`Self::fill`] brings the same luck at the new rate.
    pub fn set_rate_factor(&mut self, now: u64, factor: f64, taken: usize) -> Result<(), ParameterError> {
        let factor = RateFactor::new(factor)?;
        self.return_untaken(taken);
        self.luck.arrivals.set_rate_factor(now, factor);
        self.before.clone_from(&self.luck);
        Ok(())
    }

    /// Arrivals after the `taken` first ones of the last block have services of this distribution. The rest of the
    /// block is void: the next [`Self::fill`] brings the same luck.
    pub fn set_service(&mut self, service: Dist, taken: usize) {
        self.return_untaken(taken);
        self.before.clone_from(&self.luck);
        self.service = service;
    }

    /// The distribution of its services.
    #[must_use]
    pub fn service(&self) -> &Dist {
        &self.service
    }

    /// Draws the taken arrivals once more, and no others.
    fn return_untaken(&mut self, taken: usize) {
        self.luck.clone_from(&self.before);
        let mut block = Block::default();
        self.luck.arrivals.fill(taken, self.horizon, &mut block.at);
        self.service.fill(&mut self.luck.services, block.at.len(), &mut block.service);
    }
}
