//! Every edge of `peak-rate`.

use super::SeenRates;
use crate::algorithm::AlgorithmKind::PeakRate;
use crate::algorithm::testing::{Rig, activity, error, input, map, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;

/// Three workers, of which two have carried 10 tasks per second.
fn rig(config: Value) -> Rig {
    Rig::new(PeakRate, config, json!({"worker_count": 3, "dispatch_rates_by_worker_count": {"2": [10.0]}}))
}

#[test]
fn up_goes_as_backlog_does() {
    let mut rig = rig(json!({}));
    let up = rig.poll(T0, &activity(1, 0.0, 0.0));
    assert_eq!((up.wish, said(&up)), (Wish::Workers(4), (Rule::NoFreeSlot, 4, 4, None)));
    assert_eq!(said(&rig.add(T0 + 499, &missed())).3, Some(Limit::Cooldown));
    assert_eq!(rig.add(T0 + 500, &missed()).wish, Wish::Workers(5));
}

#[test]
fn down_goes_only_below_the_share_of_the_peak() {
    assert_eq!(said(&rig(json!({})).poll(T0, &activity(0, 0.0, 9.0))), (Rule::NoChange, 3, 3, None));
    let down = rig(json!({})).poll(T0, &activity(0, 0.0, 8.999_999));
    assert_eq!((down.wish, said(&down)), (Wish::Workers(2), (Rule::BelowPeakRate, 2, 2, None)));
    assert_eq!((input(&down, "peak_rate"), input(&down, "threshold_rate")), (10.0, 9.0));
}

#[test]
fn a_size_never_seen_gives_no_step() {
    let mut rig = Rig::new(PeakRate, json!({}), json!({"worker_count": 3}));
    let verdict = rig.poll(T0, &activity(0, 0.0, 0.0));
    assert_eq!(said(&verdict), (Rule::NoChange, 3, 3, Some(Limit::NoPeakKnown)));
}

#[test]
fn the_last_worker_goes_when_nothing_is_dispatched() {
    let one = || Rig::new(PeakRate, json!({}), json!({"worker_count": 1}));
    assert_eq!(one().poll(T0, &activity(0, 0.0, 0.01)).wish, Wish::Nothing);
    assert_eq!(one().poll(T0, &activity(0, 0.0, 0.0)).wish, Wish::Workers(0));
    let mut none = Rig::new(PeakRate, json!({}), json!({"worker_count": 0}));
    assert_eq!(said(&none.poll(T0, &activity(0, 0.0, 0.0))), (Rule::NoChange, 0, 0, None));
}

#[test]
fn down_keeps_its_cooldown_and_the_minimum() {
    let mut slow = rig(json!({"scale_down_cooldown_ms": 5_000}));
    slow.poll(T0, &activity(0, 0.0, 1.0));
    slow.poll(T0 + 1, &activity(1, 0.0, 1.0));
    assert_eq!(said(&slow.poll(T0 + 4_999, &activity(0, 0.0, 1.0))).3, Some(Limit::Cooldown));
    assert_eq!(slow.poll(T0 + 5_000, &activity(0, 0.0, 1.0)).wish, Wish::Workers(2));
    assert_eq!(said(&rig(json!({"min_count": 3})).poll(T0, &activity(0, 0.0, 1.0))).3, Some(Limit::MinCount));
    let below = rig(json!({"min_count": 4})).poll(T0, &activity(0, 0.0, 1.0));
    assert_eq!((below.wish, said(&below).0), (Wish::Workers(4), Rule::BelowMinimum));
}

#[test]
fn while_work_waits_no_worker_goes() {
    let verdict = rig(json!({"max_count": 3})).poll(T0, &activity(1, 0.0, 0.0));
    assert_eq!(said(&verdict), (Rule::NoFreeSlot, 4, 3, Some(Limit::MaxCount)));
}

#[test]
fn the_peak_is_the_nearest_rank_of_the_last_hundred() {
    let peak_of = |rates: Vec<f64>| {
        let mut seen = SeenRates::default();
        rates.into_iter().for_each(|rate| seen.add(1, rate));
        seen.peak(1)
    };
    assert_eq!(peak_of(vec![]), None);
    assert_eq!(peak_of(vec![3.0, 7.0, 5.0]), Some(7.0));
    assert_eq!(peak_of((1..=99).map(f64::from).collect()), Some(99.0));
    assert_eq!(peak_of((1..=100).map(f64::from).collect()), Some(99.0));
    assert_eq!(peak_of((1..=100).rev().map(f64::from).collect()), Some(99.0));
    assert_eq!(peak_of(vec![5.0; 100]), Some(5.0));
    // the oldest falls out
    let falling = (0..200).map(|i| if i < 100 { 50.0 } else { 1.0 }).collect();
    assert_eq!(peak_of(falling), Some(1.0));
}

#[test]
fn the_rates_seen_survive_and_stay_bounded() {
    let mut rig = rig(json!({}));
    rig.poll(T0, &activity(0, 0.0, 9.5));
    assert_eq!(rig.slot("dispatch_rates_by_worker_count"), json!({"2": [10.0], "3": [9.5]}));
    let mut seen = SeenRates::default();
    (1..=1_000).for_each(|size| (0..200).for_each(|_| seen.add(size, 1.0)));
    assert_eq!((seen.0.len(), seen.0[&1_000].len()), (SeenRates::SIZES, SeenRates::PER_SIZE));
    assert!(seen.peak(999).is_some() && seen.peak(1).is_none());
}

#[test]
fn broken_rates_are_dropped() {
    let state = json!({"dispatch_rates_by_worker_count":
        {"2": [1.0, "x", -1.0, null], "x": [1.0], "0": [1.0], "3": 5, "-1": [1], "4294967295": [1], "2147483647": [0]}});
    assert_eq!(
        SeenRates::read(&map(state)).0.into_iter().collect::<Vec<_>>(),
        [(2, [1.0].into()), (2_147_483_647, [0.0].into())]
    );
    assert_eq!(SeenRates::read(&map(json!({"dispatch_rates_by_worker_count": [1]}))), SeenRates::default());
}

#[test]
fn without_data_nothing_changes() {
    let mut rig = rig(json!({}));
    assert_eq!(said(&rig.poll(T0, &MetricsSnapshot::default())), (Rule::NoChange, 3, 3, None));
    assert_eq!(rig.add(T0, &crate::algorithm::testing::signal(true, 0)), Verdict::NOTHING);
}

#[test]
fn wrong_configs_are_named() {
    assert!(
        error(PeakRate, json!({"scale_down_threshold_pct": 101}))
            .starts_with("scale_down_threshold_pct: found 101")
    );
    assert!(error(PeakRate, json!({"empty_backlog_ms": 1})).contains("unknown key"));
}
