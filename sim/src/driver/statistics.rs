//! What a poll sees: the server's statistics behind two read-through caches, or behind a slow metric path.

use crate::model::{Nanos, SECOND};
use crate::world::World;
use std::collections::VecDeque;
use wci_core::metrics::MetricsSnapshot;

/// How often a slow metric path samples.
const SAMPLE_EVERY: Nanos = SECOND;

/// Reads statistics as a controller's host gets them.
#[derive(Debug)]
pub struct Statistics {
    lifetime: Nanos,
    delay: Nanos,
    near: Option<(Nanos, MetricsSnapshot)>,
    far: Option<(Nanos, MetricsSnapshot)>,
    samples: VecDeque<(Nanos, MetricsSnapshot)>,
    next_sample: Nanos,
}

impl Statistics {
    /// Two caches of this lifetime, or a path of this delay.
    pub const fn new(lifetime: Nanos, delay: Nanos) -> Self {
        let next_sample = if delay > 0 { 0 } else { Nanos::MAX };
        Self { lifetime, delay, near: None, far: None, samples: VecDeque::new(), next_sample }
    }

    /// When the next sample is due; `MAX`: never.
    pub const fn next_sample(&self) -> Nanos {
        self.next_sample
    }

    /// Takes a sample for the slow path.
    pub fn sample(&mut self, world: &mut World) {
        self.samples.push_back((world.now, world.statistics()));
        self.next_sample = world.now + SAMPLE_EVERY;
        let oldest_wanted = world.now.saturating_sub(self.delay);
        while self.samples.get(1).is_some_and(|(at, _)| *at <= oldest_wanted) {
            self.samples.pop_front();
        }
    }

    /// What a poll sees now.
    pub fn read(&mut self, world: &mut World) -> MetricsSnapshot {
        if self.delay > 0 {
            let seen = world.now.saturating_sub(self.delay);
            let sample = self.samples.iter().rev().find(|(at, _)| *at <= seen);
            return sample.or_else(|| self.samples.front()).map_or_else(|| world.statistics(), |(_, s)| *s);
        }
        if self.lifetime == 0 {
            return world.statistics();
        }
        let now = world.now;
        let is_fresh = |entry: &Option<(Nanos, MetricsSnapshot)>| {
            entry.filter(|(at, _)| now - at < self.lifetime).map(|(_, snapshot)| snapshot)
        };
        if let Some(snapshot) = is_fresh(&self.near) {
            return snapshot;
        }
        let snapshot = is_fresh(&self.far).unwrap_or_else(|| {
            let exact = world.statistics();
            self.far = Some((now, exact));
            exact
        });
        self.near = Some((now, snapshot));
        snapshot
    }
}
