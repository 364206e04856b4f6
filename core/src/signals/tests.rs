//! Every edge of the batching.

use super::AddOutcome::{NoSyncMatch, RateLimited, SyncMatch};
use super::{AddOutcome, Batch, BatchIntervals, Batcher, TaskAdd};
use crate::metrics::TaskQueueType;
use crate::time::{Millis, Timestamp};
use serde_json::json;

const T0: i64 = 1_700_000_000_000;

struct Bench {
    batcher: Batcher,
    intervals: BatchIntervals,
}

impl Bench {
    /// A batcher that has sent its first batch at `T0`.
    fn sent() -> Self {
        let mut bench = Self { batcher: Batcher::default(), intervals: BatchIntervals::default() };
        assert!(bench.add(0, SyncMatch).is_some());
        bench
    }

    fn add(&mut self, after: i64, outcome: AddOutcome) -> Option<Batch> {
        self.batcher.add(Timestamp::from_millis(T0 + after), outcome, &self.intervals)
    }
}

const fn batch(is_sync_match: bool, sync: u32, no_sync: u32, rate_limited: u32) -> Option<Batch> {
    Some(Batch { is_sync_match, sync, no_sync, rate_limited })
}

#[test]
fn the_first_add_always_sends_and_counts_itself() {
    for (outcome, sent) in [
        (SyncMatch, batch(true, 1, 0, 0)),
        (NoSyncMatch, batch(false, 0, 1, 0)),
        (RateLimited, batch(true, 0, 0, 1)),
    ] {
        for now in [0, -5, T0, i64::MIN] {
            let intervals = BatchIntervals::default();
            assert_eq!(Batcher::default().add(Timestamp::from_millis(now), outcome, &intervals), sent);
        }
    }
}

#[test]
fn a_miss_waits_strictly_longer_than_half_a_second() {
    let mut bench = Bench::sent();
    assert_eq!(bench.add(500, NoSyncMatch), None);
    assert_eq!(bench.add(501, NoSyncMatch), batch(false, 0, 2, 0));
    assert_eq!(bench.add(1_001, NoSyncMatch), None);
    assert_eq!(bench.add(1_002, NoSyncMatch), batch(false, 0, 2, 0));
}

#[test]
fn sync_matches_alone_wait_strictly_longer_than_a_minute() {
    let mut bench = Bench::sent();
    assert_eq!(bench.add(60_000, SyncMatch), None);
    assert_eq!(bench.add(60_001, SyncMatch), batch(true, 2, 0, 0));
}

#[test]
fn a_sync_match_sends_the_misses_that_wait() {
    let mut bench = Bench::sent();
    assert_eq!(bench.add(100, NoSyncMatch), None);
    assert_eq!(bench.add(501, SyncMatch), batch(true, 1, 1, 0));
}

#[test]
fn a_rate_limited_add_waits_a_minute_and_says_whether_a_miss_is_counted() {
    let mut bench = Bench::sent();
    assert_eq!(bench.add(501, RateLimited), None);
    assert_eq!(bench.add(60_000, RateLimited), None);
    assert_eq!(bench.add(60_001, RateLimited), batch(true, 0, 0, 3));
    assert_eq!(bench.add(60_002, NoSyncMatch), None);
    assert_eq!(bench.add(60_502, RateLimited), batch(false, 0, 1, 1));
}

#[test]
fn counts_start_anew_after_a_batch() {
    let mut bench = Bench::sent();
    bench.add(1, NoSyncMatch);
    bench.add(501, SyncMatch);
    assert_eq!(bench.add(502, SyncMatch), None);
    assert_eq!(bench.add(60_502, SyncMatch), batch(true, 2, 0, 0));
}

#[test]
fn intervals_that_are_not_positive_mean_the_defaults() {
    for millis in [0, -1, i64::MIN] {
        let mut bench = Bench::sent();
        bench.intervals = BatchIntervals {
            min_signal_interval_no_sync_match: Millis::new(millis),
            min_signal_interval_sync_match: Millis::new(millis),
        };
        assert_eq!(bench.add(500, NoSyncMatch), None);
        assert!(bench.add(501, NoSyncMatch).is_some());
        assert_eq!(bench.add(60_501, SyncMatch), None);
        assert!(bench.add(60_502, SyncMatch).is_some());
    }
    let mut bench = Bench::sent();
    bench.intervals.min_signal_interval_no_sync_match = Millis::new(10);
    assert!(bench.add(11, NoSyncMatch).is_some());
}

#[test]
fn a_clock_that_goes_backwards_only_waits() {
    let mut bench = Bench::sent();
    assert_eq!(bench.add(-1_000_000, NoSyncMatch), None);
    assert_eq!(bench.add(501, NoSyncMatch), batch(false, 0, 2, 0));
}

#[test]
fn a_flush_sends_misses_that_no_later_add_would() {
    let mut bench = Bench::sent();
    let after = Millis::new(500);
    let flush = |bench: &mut Bench, at| bench.batcher.flush(Timestamp::from_millis(T0 + at), after);
    assert_eq!(bench.batcher.flush_at(after), None);
    bench.add(100, NoSyncMatch);
    bench.add(200, SyncMatch);
    assert_eq!(bench.batcher.flush_at(after), Some(Timestamp::from_millis(T0 + 501)));
    assert_eq!(flush(&mut bench, 500), None);
    assert_eq!(flush(&mut bench, 501), batch(false, 1, 1, 0));
    assert_eq!(flush(&mut bench, 9_999), None);
    bench.add(600, SyncMatch);
    bench.add(600, RateLimited);
    assert_eq!((bench.batcher.flush_at(after), flush(&mut bench, 50_000)), (None, None));
}

#[test]
fn many_adds_of_one_moment_are_counted_as_one_after_the_other() {
    for outcome in [SyncMatch, NoSyncMatch, RateLimited] {
        for (after, adds) in [(400, 3), (501, 0), (501, 1), (501, 7), (60_001, 7)] {
            let (mut at_once, mut each) = (Bench::sent(), Bench::sent());
            let now = Timestamp::from_millis(T0 + after);
            let sent = at_once.batcher.add_many(now, outcome, adds, &at_once.intervals);
            let expected: Vec<_> = (0..adds).filter_map(|_| each.add(after, outcome)).collect();
            assert_eq!(sent.into_iter().collect::<Vec<_>>(), expected, "{outcome:?} {after} {adds}");
            assert_eq!(at_once.batcher, each.batcher, "{outcome:?} {after} {adds}");
        }
    }
}

#[test]
fn a_batch_becomes_the_signal_of_the_wire() {
    let sent = Batch { is_sync_match: false, sync: 0, no_sync: 1, rate_limited: 0 };
    let signal = sent.into_signal("q1".into(), TaskQueueType::Workflow);
    let wire = json!({"task_queue_name": "q1", "task_queue_type": 1, "is_sync_match": false,
        "no_sync_match_signals_batched": 1});
    assert_eq!(serde_json::to_value(&signal).unwrap(), wire);
    assert_eq!(serde_json::from_value::<TaskAdd>(wire).unwrap(), signal);
}

#[test]
fn eligible_is_a_miss_that_no_rate_limit_explains() {
    for (is_sync_match, no_sync, rate_limited, expected) in [
        (true, 0, 0, false),
        (false, 0, 0, true),
        (true, 1, 0, true),
        (false, 1, 1, true),
        (false, 0, 1, false),
        (true, 0, 1, false),
    ] {
        let batch = Batch { is_sync_match, sync: 0, no_sync, rate_limited };
        let signal = batch.into_signal("q".into(), TaskQueueType::Activity);
        assert_eq!(signal.is_eligible(), expected, "{batch:?}");
    }
}
