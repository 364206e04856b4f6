//! Every edge of `kpa`.

use crate::algorithm::AlgorithmKind::Kpa;
use crate::algorithm::testing::{Rig, error, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;
const NO_STATISTICS: &MetricsSnapshot = &MetricsSnapshot { workflow: None, activity: None, nexus: None };

/// Workers of ten slots, of which seven shall hold a task.
struct Set(Rig);

impl Set {
    fn new(workers: u32, config: Value) -> Self {
        Self(Rig::new(Kpa, config, json!({"worker_count": workers})))
    }

    /// One tick after so many milliseconds, at which so many tasks have run or waited since the last one.
    fn tick(&mut self, ms: i64, ready: u32, tasks: f64) -> Verdict {
        self.0.see_tasks(ready, ready * 10, tasks);
        self.0.poll(T0 + ms, NO_STATISTICS)
    }

    /// Ticks each 2 s from one moment to before another; the last one's verdict.
    fn ticks(&mut self, from: i64, to: i64, ready: u32, tasks: f64) -> Verdict {
        (from..to).step_by(2_000).map(|ms| self.tick(ms, ready, tasks)).last().expect("a tick")
    }
}

#[test]
fn each_worker_shall_have_seven_tenths_of_its_slots_filled() {
    let size = |tasks| said(&Set::new(4, json!({})).tick(0, 4, tasks)).1;
    assert_eq!((size(28.0), size(28.1), size(35.0)), (4, 5, 5));
    let verdict = Set::new(4, json!({})).tick(0, 4, 28.1);
    assert_eq!(input(&verdict, "target_concurrency"), 7.0);
    assert_eq!(said(&verdict).0, Rule::ConcurrencyAbove);
}

#[test]
fn the_stable_window_is_60_s_and_the_panic_window_6_s() {
    let mut set = Set::new(4, json!({}));
    set.ticks(0, 60_000, 4, 21.0);
    let verdict = set.tick(60_000, 4, 51.0);
    // The tick at 0 has left the window of 60 s; that of 6 s holds three ticks.
    assert!((input(&verdict, "stable_concurrency") - 22.0).abs() < 1e-9);
    assert!((input(&verdict, "panic_concurrency") - 31.0).abs() < 1e-9);
}

#[test]
fn twice_what_is_ready_is_panic_and_less_is_not() {
    let rule = |tasks| said(&Set::new(4, json!({})).tick(0, 4, tasks)).0;
    // 49 tasks ask for 7 workers, 49.1 for 8, which is twice what is ready.
    assert_eq!((rule(49.0), rule(49.1)), (Rule::ConcurrencyAbove, Rule::Panic));
    let of_ten = |tasks| said(&Set::new(10, json!({})).tick(0, 10, tasks)).0;
    assert_eq!((of_ten(132.9), of_ten(133.1)), (Rule::ConcurrencyAbove, Rule::Panic), "19 and 20 workers");
}

#[test]
fn nothing_goes_in_panic_until_60_s_after_its_last_cause() {
    let mut set = Set::new(2, json!({}));
    assert_eq!(set.tick(0, 2, 28.0).wish, Wish::Workers(4));
    for ms in (2_000..=60_000).step_by(2_000) {
        let held = set.tick(ms, 4, 0.0);
        assert_eq!(
            (held.wish, said(&held).2, said(&held).3),
            (Wish::Nothing, 4, Some(Limit::Panicking)),
            "{ms}"
        );
    }
    assert_eq!(said(&set.tick(62_000, 4, 0.0)).0, Rule::ConcurrencyBelow);
}

#[test]
fn in_panic_the_larger_of_the_two_averages_counts() {
    let mut set = Set::new(10, json!({}));
    set.ticks(0, 54_000, 10, 60.0);
    let verdict = set.ticks(54_000, 60_000, 2, 28.0);
    // 28 tasks ask for 4 workers, twice what is ready; the 56.8 of the whole minute for 9.
    assert_eq!((said(&verdict).0, said(&verdict).1), (Rule::Panic, 9));
}

#[test]
fn another_crossing_prolongs_the_panic() {
    let mut set = Set::new(2, json!({}));
    set.tick(0, 2, 28.0);
    set.ticks(2_000, 40_000, 4, 20.0);
    set.ticks(40_000, 46_000, 4, 60.0);
    assert_eq!(said(&set.ticks(46_000, 104_000, 9, 0.0)).0, Rule::Panic);
    assert_eq!(said(&set.ticks(104_000, 110_000, 9, 0.0)).0, Rule::ConcurrencyBelow);
}

#[test]
fn a_tick_removes_at_most_half_of_what_is_ready() {
    let mut set = Set::new(9, json!({}));
    let verdict = set.tick(0, 9, 1.0);
    assert_eq!(said(&verdict), (Rule::ConcurrencyBelow, 1, 4, Some(Limit::MaxStepDown)));
}

#[test]
fn the_last_worker_stays_for_a_grace_of_30_s() {
    let mut set = Set::new(1, json!({}));
    for ms in (0..30_000).step_by(2_000) {
        assert_eq!(said(&set.tick(ms, 1, 0.0)), (Rule::ConcurrencyBelow, 0, 1, Some(Limit::Grace)), "{ms}");
    }
    assert_eq!(set.tick(30_000, 1, 0.0).wish, Wish::Workers(0));
}

#[test]
fn work_within_the_grace_begins_it_anew() {
    let mut set = Set::new(1, json!({"stable_window_ms": 6_000}));
    set.ticks(0, 20_000, 1, 0.0);
    set.tick(20_000, 1, 1.0);
    assert_eq!(said(&set.ticks(22_000, 56_000, 1, 0.0)).3, Some(Limit::Grace));
    assert_eq!(set.tick(56_000, 1, 0.0).wish, Wish::Workers(0));
}

#[test]
fn a_task_that_finds_no_worker_at_all_starts_one_at_once() {
    let mut set = Set::new(0, json!({}));
    assert_eq!(set.0.add(T0, &missed()).wish, Wish::Workers(1));
    assert_eq!(set.0.add(T0, &missed()), Verdict::NOTHING);
}

#[test]
fn a_turn_comes_each_2_s() {
    let mut set = Set::new(4, json!({}));
    assert_eq!(set.0.interval(T0), 2_000);
    set.tick(0, 4, 28.0);
    assert_eq!(said(&set.tick(1_999, 4, 28.0)).3, Some(Limit::Cooldown));
    assert!(error(Kpa, json!({"metrics_poll_interval_ms": 1_999})).contains("at least 2000"));
}

#[test]
fn slots_are_remembered_while_no_worker_is_ready() {
    let mut set = Set::new(1, json!({"initial_slots_per_worker": 2}));
    assert_eq!(input(&set.tick(0, 0, 1.0), "target_concurrency"), 1.4);
    set.tick(2_000, 1, 1.0);
    assert_eq!(input(&set.tick(4_000, 0, 1.0), "target_concurrency"), 7.0);
}
