//! A pace that several reads of the server share.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Lets the bearer begin so many reads a second, and never makes up for what it has missed.
#[derive(Debug)]
pub(crate) struct Pace {
    beats: Mutex<Interval>,
}

impl Pace {
    /// The first turn comes at once. Must be called within the async runtime.
    pub(crate) fn a_second(reads: u32) -> Self {
        let mut beats = interval(Duration::from_secs(1) / reads.max(1));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { beats: Mutex::new(beats) }
    }

    /// Waits for the next turn. Turns are given in the order in which they were asked for.
    pub(crate) async fn turn(&self) {
        self.beats.lock().await.tick().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::Instant;

    #[tokio::test]
    async fn turns_of_all_bearers_together_keep_the_pace() {
        let pace = Arc::new(Pace::a_second(200));
        let begun = Instant::now();
        let bearers = (0..4).map(|_| {
            let pace = pace.clone();
            async move {
                for _ in 0..5 {
                    pace.turn().await;
                }
            }
        });
        futures::future::join_all(bearers).await;
        // A slow machine only takes longer.
        assert!(begun.elapsed() >= Duration::from_millis(19 * 5), "{:?}", begun.elapsed());
    }
}
