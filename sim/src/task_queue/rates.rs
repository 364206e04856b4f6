//! Rates as the server measures them, and the dispatch-rate limit.

use crate::model::{Nanos, SECOND};

const BUCKETS: usize = 7;
const BUCKET: Nanos = 5 * SECOND;
/// The complete buckets before the current one.
const COMPLETE: Nanos = (BUCKETS as u64 - 1) * BUCKET;

/// Events per second over seven buckets of 5 s: total / min(30 s + time into the bucket, age of the tracker).
#[derive(Clone, Debug)]
pub struct RateTracker {
    counts: [u64; BUCKETS],
    current: usize,
    current_ends: Nanos,
}

impl Default for RateTracker {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], current: 0, current_ends: BUCKET }
    }
}

impl RateTracker {
    /// Counts one event.
    #[inline]
    pub fn record(&mut self, now: Nanos) {
        if now >= self.current_ends {
            self.advance(now);
        }
        self.counts[self.current] += 1;
    }

    /// Events per second; the tracker's age is the simulated time.
    pub fn rate(&mut self, now: Nanos) -> f32 {
        if now >= self.current_ends {
            self.advance(now);
        }
        let into_bucket = BUCKET - (self.current_ends - now);
        let span = (COMPLETE + into_bucket).min(now);
        let total: u64 = self.counts.iter().sum();
        if span == 0 { 0.0 } else { (total as f64 / (span as f64 / SECOND as f64)) as f32 }
    }

    #[cold]
    fn advance(&mut self, now: Nanos) {
        let steps = (now - self.current_ends) / BUCKET + 1;
        for _ in 0..steps.min(BUCKETS as u64) {
            self.current = (self.current + 1) % BUCKETS;
            self.counts[self.current] = 0;
        }
        self.current_ends += steps * BUCKET;
    }
}

/// A token bucket that holds one second's tokens (at least one), in whole nanoseconds so that it never drifts.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    interval: Nanos,
    tolerance: Nanos,
    /// When the bucket would be full again.
    full_at: Nanos,
}

impl TokenBucket {
    /// A full bucket with `rate` tokens per second.
    pub fn new(rate: f64) -> Self {
        let interval = (SECOND as f64 / rate.max(1e-9)) as Nanos;
        Self { interval, tolerance: SECOND.saturating_sub(interval), full_at: 0 }
    }

    /// Whether a token is there.
    #[inline]
    pub const fn has_token(&self, now: Nanos) -> bool {
        self.next_token() <= now
    }

    /// When the next token is there.
    #[inline]
    pub const fn next_token(&self) -> Nanos {
        self.full_at.saturating_sub(self.tolerance)
    }

    /// Takes a token.
    #[inline]
    pub fn take(&mut self, now: Nanos) {
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate_from_the_start() {
        let mut tracker = RateTracker::default();
        for i in 1..=1000_u64 {
            tracker.record(i * SECOND / 10);
            if i > 20 {
                let rate = tracker.rate(i * SECOND / 10);
                assert!((rate - 10.0).abs() < 0.35, "{rate} after {i} events");
            }
        }
        // Thirty seconds and the current bucket later nothing is left.
        assert!(tracker.rate(134 * SECOND) > 0.0);
        assert_eq!(tracker.rate(135 * SECOND), 0.0);
    }

    #[test]
    fn the_divisor_is_thirty_seconds_and_the_time_into_the_bucket() {
        let mut tracker = RateTracker::default();
        tracker.record(0);
        assert_eq!(tracker.rate(4 * SECOND), 0.25);
        assert_eq!(tracker.rate(32 * SECOND), 1.0 / 32.0);
        assert_eq!(tracker.rate(34 * SECOND), 1.0 / 34.0);
        assert_eq!(tracker.rate(35 * SECOND), 0.0);
    }

    #[test]
    fn a_bucket_lets_one_second_through_at_once_and_then_its_rate() {
        let mut bucket = TokenBucket::new(10.0);
        let mut at_once = 0;
        while bucket.has_token(0) {
            bucket.take(0);
            at_once += 1;
        }
        assert_eq!(at_once, 10);
        assert!(!bucket.has_token(SECOND / 10 - 1));
        assert!(bucket.has_token(SECOND / 10));
    }
}
