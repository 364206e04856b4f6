//! Every edge of `backlog`.

use crate::algorithm::AlgorithmKind::Backlog;
use crate::algorithm::testing::{Rig, activity, error, missed, said, signal};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;

fn rig(config: Value, workers: u32) -> Rig {
    Rig::new(Backlog, config, json!({"worker_count": workers}))
}

#[test]
fn a_poll_with_work_waiting_adds_one() {
    let verdict = rig(json!({}), 2).poll(T0, &activity(1, 0.0, 0.0));
    assert_eq!((verdict.wish, said(&verdict)), (Wish::Workers(3), (Rule::NoFreeSlot, 3, 3, None)));
}

#[test]
fn an_eligible_signal_adds_one_and_another_one_none() {
    let mut rig = rig(json!({}), 2);
    assert_eq!(rig.add(T0, &signal(true, 0)), Verdict::NOTHING);
    assert_eq!(rig.add(T0, &missed()).wish, Wish::Workers(3));
    let held = rig.add(T0 + 499, &signal(false, 4));
    assert_eq!((held.wish, held.throttled, said(&held).3), (Wish::Nothing, 4, Some(Limit::Cooldown)));
    assert_eq!(rig.add(T0 + 500, &missed()).wish, Wish::Workers(4));
}

#[test]
fn nothing_goes_above_the_maximum() {
    let mut rig = rig(json!({"max_count": 2}), 2);
    assert_eq!(said(&rig.poll(T0, &activity(9, 0.0, 0.0))), (Rule::NoFreeSlot, 3, 2, Some(Limit::MaxCount)));
    let held = rig.add(T0, &signal(false, 3));
    assert_eq!((held.throttled, said(&held).3), (3, Some(Limit::MaxCount)));
}

#[test]
fn one_goes_after_exactly_the_empty_time_and_the_time_starts_anew() {
    let mut rig = rig(json!({}), 3);
    assert_eq!(said(&rig.poll(T0, &activity(0, 0.0, 0.0))).0, Rule::NoChange);
    assert_eq!(rig.slot("backlog_empty_since_ms"), json!(T0));
    assert_eq!(rig.poll(T0 + 29_999, &activity(0, 0.0, 0.0)).wish, Wish::Nothing);
    let down = rig.poll(T0 + 30_000, &activity(0, 0.0, 0.0));
    assert_eq!((down.wish, said(&down)), (Wish::Workers(2), (Rule::BacklogEmpty, 2, 2, None)));
    assert_eq!(rig.poll(T0 + 59_999, &activity(0, 0.0, 0.0)).wish, Wish::Nothing);
    assert_eq!(rig.poll(T0 + 60_000, &activity(0, 0.0, 0.0)).wish, Wish::Workers(1));
}

#[test]
fn a_backlog_or_a_miss_breaks_the_empty_time() {
    for breaks in [true, false] {
        let mut rig = rig(json!({"max_count": 3}), 3);
        rig.poll(T0, &activity(0, 0.0, 0.0));
        if breaks {
            rig.poll(T0 + 20_000, &activity(1, 0.0, 0.0));
        } else {
            rig.add(T0 + 20_000, &missed());
        }
        assert_eq!(rig.slot("backlog_empty_since_ms"), Value::Null);
        rig.poll(T0 + 21_000, &activity(0, 0.0, 0.0));
        assert_eq!(rig.poll(T0 + 50_999, &activity(0, 0.0, 0.0)).wish, Wish::Nothing);
        assert_eq!(rig.poll(T0 + 51_000, &activity(0, 0.0, 0.0)).wish, Wish::Workers(2));
    }
}

#[test]
fn a_sync_matched_signal_does_not_break_the_empty_time() {
    let mut rig = rig(json!({}), 3);
    rig.poll(T0, &activity(0, 0.0, 0.0));
    rig.add(T0 + 1, &signal(true, 0));
    assert_eq!(rig.slot("backlog_empty_since_ms"), json!(T0));
}

#[test]
fn down_keeps_its_cooldown() {
    let config = json!({"empty_backlog_ms": 0, "scale_down_cooldown_ms": 5_000});
    let mut rig = rig(config, 3);
    assert_eq!(rig.poll(T0, &activity(0, 0.0, 0.0)).wish, Wish::Workers(2));
    assert_eq!(said(&rig.poll(T0 + 4_999, &activity(0, 0.0, 0.0))).3, Some(Limit::Cooldown));
    assert_eq!(rig.poll(T0 + 5_000, &activity(0, 0.0, 0.0)).wish, Wish::Workers(1));
}

#[test]
fn the_minimum_is_kept_and_reached_at_once() {
    let config = json!({"min_count": 3, "empty_backlog_ms": 0});
    let mut below = rig(config.clone(), 0);
    let up = below.poll(T0, &activity(0, 0.0, 0.0));
    assert_eq!((up.wish, said(&up).0), (Wish::Workers(3), Rule::BelowMinimum));
    let there = below.poll(T0 + 60_000, &activity(0, 0.0, 0.0));
    assert_eq!(
        (there.wish, said(&there)),
        (Wish::Nothing, (Rule::BacklogEmpty, 2, 3, Some(Limit::MinCount)))
    );
    assert_eq!(rig(config, 0).add(T0, &missed()).wish, Wish::Workers(3));
}

#[test]
fn without_data_nothing_changes() {
    let mut rig = rig(json!({"empty_backlog_ms": 0}), 3);
    assert_eq!(said(&rig.poll(T0, &MetricsSnapshot::default())), (Rule::NoChange, 3, 3, None));
    assert_eq!(rig.slot("backlog_empty_since_ms"), Value::Null);
}

#[test]
fn on_an_invoke_provider_only_more_is_wished() {
    let mut rig = rig(json!({"empty_backlog_ms": 0}), 7).on_invoke(2);
    assert_eq!(rig.poll(T0, &activity(1, 0.0, 0.0)).wish, Wish::MoreWorkers(1));
    assert_eq!(rig.slot("worker_count"), json!(3));
    rig.observe(3);
    let down = rig.poll(T0 + 1_000, &activity(0, 0.0, 0.0));
    assert_eq!(said(&down), (Rule::BacklogEmpty, 2, 3, Some(Limit::WorkersEndThemselves)));
    assert_eq!(down.wish, Wish::Nothing);
    assert_eq!(rig.slot("last_scale_down_time_ms"), Value::Null);
}

#[test]
fn a_worker_set_is_not_taken_for_smaller_while_a_worker_is_replaced() {
    let mut rig = rig(json!({}), 4);
    rig.observe(3);
    rig.poll(T0, &activity(0, 0.0, 0.0));
    assert_eq!(rig.algorithm.planned(), Some(4));
}

#[test]
fn wrong_configs_are_named() {
    assert!(error(Backlog, json!({"empty_backlog_ms": -1})).starts_with("empty_backlog_ms: found -1"));
    assert!(error(Backlog, json!({"metrics_poll_interval_ms": 999})).contains("at least 1000"));
    assert!(error(Backlog, json!({"min_count": 11})).contains("at most max_count (10)"));
    assert!(error(Backlog, json!({"max_count": 0})).contains("at least 1"));
}
