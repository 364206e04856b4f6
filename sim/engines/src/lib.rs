//! What the engines share: the system, its luck and the line that is printed.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Instant;

/// Servers of M/M/50.
pub const SERVERS: u32 = 50;
/// Arrivals per second; services take a second on average.
pub const ARRIVAL_RATE: f64 = 45.0;

/// SplitMix64: small, and its state can be written down, which some engines ask of a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Luck(u64);

impl Luck {
    /// Luck from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An exponential time with this mean (s).
    pub fn exponential(&mut self, mean: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - unit).ln() * mean
    }
}

/// The queue and its servers; the engine brings the events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Station {
    luck: Luck,
    to_come: u64,
    free: u32,
    waiting: VecDeque<f64>,
    waited: f64,
    started: u64,
}

impl Station {
    /// An empty station that so many tasks will come to.
    #[must_use]
    pub const fn new(tasks: u64) -> Self {
        Self {
            luck: Luck::new(1),
            to_come: tasks,
            free: SERVERS,
            waiting: VecDeque::new(),
            waited: 0.0,
            started: 0,
        }
    }

    /// Time until the next arrival (s), if there is one.
    pub fn next_arrival(&mut self) -> Option<f64> {
        self.to_come = self.to_come.checked_sub(1)?;
        Some(self.luck.exponential(1.0 / ARRIVAL_RATE))
    }

    /// A task arrives: its service (s) if it starts at once.
    pub fn arrive(&mut self, now: f64) -> Option<f64> {
        if self.free == 0 {
            self.waiting.push_back(now);
            return None;
        }
        self.free -= 1;
        Some(self.start(now, now))
    }

    /// A task is done: the service (s) of the next one, if one waits.
    pub fn depart(&mut self, now: f64) -> Option<f64> {
        let Some(added) = self.waiting.pop_front() else {
            self.free += 1;
            return None;
        };
        Some(self.start(added, now))
    }

    fn start(&mut self, added: f64, now: f64) -> f64 {
        self.waited += now - added;
        self.started += 1;
        self.luck.exponential(1.0)
    }

    /// Tasks that started, and their mean wait (s).
    #[must_use]
    pub fn result(&self) -> (u64, f64) {
        (self.started, self.waited / self.started as f64)
    }
}

/// Runs the work as often as the first argument's number of tasks says, and prints tasks per second and mean wait (s).
#[expect(clippy::disallowed_methods, reason = "measures speed; nothing simulated sees it")]
pub fn measure(run: impl FnOnce(u64) -> (u64, f64)) {
    let tasks = std::env::args().nth(1).and_then(|tasks| tasks.parse().ok()).unwrap_or(1_000_000);
    let began = Instant::now();
    let (started, wait) = run(tasks);
    println!("{} {wait}", started as f64 / began.elapsed().as_secs_f64());
}
