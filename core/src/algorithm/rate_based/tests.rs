//! Every edge of `rate-based`.

use crate::algorithm::AlgorithmKind::RateBased;
use crate::algorithm::testing::{Rig, activity, error, input, missed, queue, said, signal};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Launch, Limit, Rule};
use crate::metrics::MetricsSnapshot;
use crate::spec::LaunchStrategy;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;

/// With `workers` planned and nothing done yet.
fn rig(config: Value, workers: u32) -> Rig {
    Rig::new(RateBased, config, json!({"worker_count": workers}))
}

/// With an average arrival rate and a capacity of one task per second a worker.
fn loaded(config: Value, workers: u32, arrival_rate: f64) -> Rig {
    let state = json!({"worker_count": workers, "ewma_arrival_rate": arrival_rate,
        "ewma_per_consumer_capacity": 1.0});
    Rig::new(RateBased, config, state)
}

/// No valid statistics: the decision is made on the averages alone.
fn blind(rig: &mut Rig, now: i64) -> Verdict {
    rig.poll(now, &MetricsSnapshot::default())
}

#[test]
fn a_sync_matched_signal_decides_nothing_but_writes_the_count_down() {
    let mut rig = Rig::new(RateBased, json!({"initial_count": 3}), json!({}));
    assert_eq!(rig.add(T0, &signal(true, 0)), Verdict::NOTHING);
    assert_eq!(rig.state(), json!({"worker_count": 3}));
}

#[test]
fn a_miss_adds_one_worker_and_asks_for_statistics() {
    let mut rig = rig(json!({}), 2);
    let up = rig.add(T0, &signal(true, 4));
    assert_eq!((up.wish, up.wants_deferred, up.throttled), (Wish::Workers(3), true, 0));
    assert_eq!(said(&up), (Rule::NoSyncMatch, 3, 3, None));
    let expected = json!({"worker_count": 3, "last_scale_up_time_ms": T0, "last_no_sync_match_time_ms": T0});
    assert_eq!(rig.state(), expected);
}

#[test]
fn a_miss_within_the_cooldown_only_defers_and_counts_as_throttled() {
    let mut rig = rig(json!({}), 2);
    rig.add(T0, &missed());
    let held = rig.add(T0 + 1_999, &signal(false, 6));
    assert_eq!((held.wish, held.wants_deferred, held.throttled), (Wish::Nothing, true, 6));
    assert_eq!(said(&held), (Rule::NoSyncMatch, 4, 3, Some(Limit::Cooldown)));
    assert_eq!(rig.slot("last_no_sync_match_time_ms"), json!(T0 + 1_999));
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0));
    assert_eq!(rig.add(T0 + 2_000, &missed()).wish, Wish::Workers(4));
}

#[test]
fn a_miss_at_the_maximum_only_defers() {
    for workers in [5, 9] {
        let held = rig(json!({"max_count": 5}), workers).add(T0, &signal(false, 2));
        assert_eq!((held.wish, held.wants_deferred, held.throttled), (Wish::Nothing, true, 2));
        assert_eq!(said(&held).3, Some(Limit::MaxCount));
    }
}

#[test]
fn a_deferred_decision_learns_the_capacity_from_the_dispatch_rate() {
    let mut rig = rig(json!({"ewma_alpha": 0.5}), 4);
    let learned = rig.deferred(T0, &activity(0, 0.0, 12.0));
    assert_eq!(said(&learned), (Rule::CapacityMeasured, 4, 4, None));
    assert_eq!(learned.wish, Wish::Nothing);
    // half of 12/4, half of the initial 2
    assert_eq!(rig.slot("ewma_per_consumer_capacity"), json!(2.5));
    assert_eq!((input(&learned, "previous_capacity"), input(&learned, "capacity")), (2.0, 2.5));
}

#[test]
fn a_deferred_decision_without_workers_dispatches_or_data_learns_nothing() {
    for (workers, metrics) in [
        (0, activity(9, 0.0, 12.0)),
        (4, activity(9, 0.0, 0.0)),
        (4, MetricsSnapshot::default()),
        (4, activity(9, 0.0, f32::NAN)),
    ] {
        let mut rig = rig(json!({}), workers);
        assert_eq!(said(&rig.deferred(T0, &metrics)).0, Rule::CapacityUnknown);
        assert_eq!(rig.state(), json!({"worker_count": workers}));
    }
}

#[test]
fn a_deferred_decision_needs_statistics_only_with_workers() {
    assert!(!rig(json!({}), 0).algorithm.is_deferred_useful());
    assert!(rig(json!({}), 1).algorithm.is_deferred_useful());
}

#[test]
fn the_first_sample_is_taken_as_it_is_and_later_ones_are_averaged() {
    let mut rig = rig(json!({"ewma_alpha": 0.25}), 0);
    rig.poll(T0, &activity(1, 8.0, 4.0));
    assert_eq!((rig.slot("ewma_arrival_rate"), rig.slot("ewma_dispatch_rate")), (json!(8), json!(4)));
    rig.poll(T0, &activity(1, 4.0, 0.0));
    assert_eq!((rig.slot("ewma_arrival_rate"), rig.slot("ewma_dispatch_rate")), (json!(7), json!(3)));
}

#[test]
fn an_idle_version_counts_as_idle_at_once() {
    let mut rig = loaded(json!({}), 1, 20.0);
    rig.poll(T0, &activity(0, 0.0, 0.0));
    assert_eq!((rig.slot("ewma_arrival_rate"), rig.slot("ewma_dispatch_rate")), (json!(0), json!(0)));
    for metrics in [activity(1, 0.0, 0.0), activity(0, 0.5, 0.0), activity(0, 0.0, 0.5)] {
        let mut rig = loaded(json!({}), 1, 20.0);
        rig.poll(T0, &metrics);
        assert_ne!(rig.slot("ewma_arrival_rate"), json!(0), "{metrics:?}");
    }
}

#[test]
fn types_are_summed_in_double_precision_and_invalid_ones_left_out() {
    let metrics = MetricsSnapshot {
        workflow: Some(queue(3, 0.1, 1.0)),
        activity: Some(queue(4, 0.2, 2.0)),
        nexus: Some(queue(-1, 100.0, 100.0)),
    };
    let mut rig = rig(json!({}), 1);
    let verdict = rig.poll(T0, &metrics);
    assert_eq!(input(&verdict, "backlog_count"), 7.0);
    assert_eq!(input(&verdict, "arrival_rate"), f64::from(0.1_f32) + f64::from(0.2_f32));
    assert_eq!(input(&verdict, "dispatch_rate"), 3.0);
    for bad in [queue(1, f32::INFINITY, 0.0), queue(1, 0.0, -0.5), queue(1, f32::NAN, 1.0)] {
        let verdict = rig.poll(T0, &MetricsSnapshot { activity: Some(bad), ..metrics });
        assert_eq!(input(&verdict, "backlog_count"), 3.0, "{bad:?}");
    }
}

#[test]
fn without_valid_data_the_averages_stay_and_still_decide() {
    let mut rig = loaded(json!({"utilization_target": 1.0, "halfin_whitt_beta": 0.0}), 1, 3.0);
    let before = rig.slot("ewma_arrival_rate");
    let verdict = rig.poll(T0, &activity(-5, 1.0, 1.0));
    assert_eq!(rig.slot("ewma_arrival_rate"), before);
    assert_eq!(verdict.wish, Wish::Workers(3));
}

#[test]
fn the_capacity_is_measured_at_exactly_the_material_backlog() {
    for (backlog, learned) in [(49, Value::Null), (50, json!(2.5))] {
        let mut rig = rig(json!({"ewma_alpha": 0.5}), 2);
        rig.poll(T0, &activity(backlog, 0.0, 6.0));
        assert_eq!(rig.slot("ewma_per_consumer_capacity"), learned, "{backlog}");
    }
}

#[test]
fn the_capacity_is_not_measured_without_workers_or_dispatches() {
    for (workers, rate) in [(0, 6.0), (2, 0.0)] {
        let mut rig = rig(json!({}), workers);
        rig.poll(T0, &activity(1_000, 0.0, rate));
        assert_eq!(rig.slot("ewma_per_consumer_capacity"), Value::Null);
    }
}

#[test]
fn the_new_capacity_sizes_the_same_poll() {
    let config = json!({"ewma_alpha": 1.0, "utilization_target": 1.0, "halfin_whitt_beta": 0.0,
        "target_backlog_drain_rate": 0.0});
    let mut rig = loaded(config, 2, 0.0);
    let verdict = rig.poll(T0, &activity(50, 8.0, 8.0));
    assert_eq!(input(&verdict, "capacity"), 4.0);
    assert_eq!(said(&verdict).1, 2);
}

#[test]
fn both_models_round_up_and_the_larger_one_wins() {
    // load 1: 1/0.8 -> 2, 1 + 0.5 -> 2; load 100: 125 against 105
    let recommended = |config: Value, load| said(&blind(&mut loaded(config, 0, load), T0)).1;
    assert_eq!(recommended(json!({}), 1.0), 2);
    assert_eq!(recommended(json!({}), 100.0), 125);
    assert_eq!(recommended(json!({"utilization_target": 1.0}), 100.0), 105);
    assert_eq!(recommended(json!({"utilization_target": 1.0, "halfin_whitt_beta": 0}), 4.0), 4);
    assert_eq!(recommended(json!({"utilization_target": 1.0, "halfin_whitt_beta": 1}), 4.0), 6);
    assert_eq!(recommended(json!({}), 0.0), 0);
    assert_eq!(recommended(json!({}), -3.0), 0);
}

#[test]
fn a_backlog_adds_the_drain_rate() {
    let config = json!({"utilization_target": 1.0, "halfin_whitt_beta": 0.0, "ewma_alpha": 1.0});
    let mut rig = loaded(config, 0, 0.0);
    let verdict = rig.poll(T0, &activity(1, 3.0, 0.0));
    assert_eq!((input(&verdict, "required_rate"), said(&verdict).1), (5.0, 5));
    let verdict = rig.poll(T0, &activity(0, 3.0, 0.0));
    assert_eq!((input(&verdict, "required_rate"), said(&verdict).1), (3.0, 3));
}

#[test]
fn up_is_cut_by_the_step_then_by_the_maximum() {
    let step = blind(&mut loaded(json!({"max_scale_up_step": 3}), 2, 8.0), T0);
    assert_eq!(
        (step.wish, said(&step)),
        (Wish::Workers(5), (Rule::OfferedLoadAbove, 10, 5, Some(Limit::MaxStep)))
    );
    let exact = blind(&mut loaded(json!({"max_scale_up_step": 8}), 2, 8.0), T0);
    assert_eq!((exact.wish, said(&exact).3), (Wish::Workers(10), None));
    let max = blind(&mut loaded(json!({"max_count": 4}), 2, 8.0), T0);
    assert_eq!(
        (max.wish, said(&max)),
        (Wish::Workers(4), (Rule::OfferedLoadAbove, 10, 4, Some(Limit::MaxCount)))
    );
    let there = blind(&mut loaded(json!({"max_count": 4}), 4, 8.0), T0);
    assert_eq!((there.wish, said(&there).3), (Wish::Nothing, Some(Limit::MaxCount)));
}

#[test]
fn up_keeps_the_cooldown_to_the_millisecond() {
    let state = |at: i64| json!({"worker_count": 1, "ewma_arrival_rate": 8, "last_scale_up_time_ms": at});
    let held = blind(&mut Rig::new(RateBased, json!({}), state(T0)), T0 + 1_999);
    assert_eq!((held.wish, said(&held).3), (Wish::Nothing, Some(Limit::Cooldown)));
    let mut rig = Rig::new(RateBased, json!({}), state(T0));
    assert_eq!(blind(&mut rig, T0 + 2_000).wish, Wish::Workers(5));
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0 + 2_000));
    assert_eq!(rig.slot("last_scale_down_time_ms"), Value::Null);
}

#[test]
fn down_goes_by_one_a_poll() {
    let mut rig = rig(json!({}), 6);
    let verdict = blind(&mut rig, T0);
    assert_eq!(verdict.wish, Wish::Workers(5));
    assert_eq!(said(&verdict), (Rule::OfferedLoadBelow, 0, 5, Some(Limit::OneStepDown)));
    assert_eq!(rig.slot("last_scale_down_time_ms"), json!(T0));
    assert_eq!(rig.slot("last_scale_up_time_ms"), Value::Null);
}

#[test]
fn down_waits_for_quiet_and_for_its_cooldown() {
    let state = |quiet: i64, down: i64| json!({"worker_count": 3, "last_no_sync_match_time_ms": T0 - quiet, "last_scale_down_time_ms": T0 - down});
    let limit = |quiet, down| said(&blind(&mut Rig::new(RateBased, json!({}), state(quiet, down)), T0)).3;
    assert_eq!(limit(89_999, 60_000), Some(Limit::NoSyncQuiet));
    assert_eq!(limit(89_999, 59_999), Some(Limit::NoSyncQuiet));
    assert_eq!(limit(90_000, 59_999), Some(Limit::Cooldown));
    assert_eq!(limit(90_000, 60_000), Some(Limit::OneStepDown));
}

#[test]
fn a_miss_blocks_scaling_down_even_at_the_maximum() {
    let mut rig = rig(json!({"max_count": 3}), 3);
    rig.add(T0, &missed());
    assert_eq!(said(&blind(&mut rig, T0 + 89_999)).3, Some(Limit::NoSyncQuiet));
    assert_eq!(blind(&mut rig, T0 + 90_000).wish, Wish::Workers(2));
}

#[test]
fn down_stops_at_the_minimum() {
    let verdict = blind(&mut rig(json!({"min_count": 2, "initial_count": 2}), 3), T0);
    assert_eq!((verdict.wish, said(&verdict).3), (Wish::Workers(2), Some(Limit::MinCount)));
    let there = blind(&mut rig(json!({"min_count": 2, "initial_count": 2}), 2), T0);
    assert_eq!(
        (there.wish, said(&there)),
        (Wish::Nothing, (Rule::OfferedLoadBelow, 0, 2, Some(Limit::MinCount)))
    );
}

#[test]
fn below_the_minimum_it_goes_up_by_steps() {
    let config = json!({"min_count": 6, "initial_count": 6});
    assert_eq!(blind(&mut rig(config, 0), T0).wish, Wish::Workers(4));
}

#[test]
fn a_plan_above_the_maximum_falls_by_the_down_rule() {
    let mut rig = loaded(json!({"max_count": 3}), 6, 100.0);
    let verdict = blind(&mut rig, T0);
    assert_eq!((verdict.wish, said(&verdict).2), (Wish::Workers(5), 5));
    assert_eq!(said(&blind(&mut rig, T0 + 59_999)).3, Some(Limit::Cooldown));
    assert_eq!(blind(&mut rig, T0 + 60_000).wish, Wish::Workers(4));
    assert_eq!(blind(&mut rig, T0 + 120_000).wish, Wish::Workers(3));
    assert_eq!(blind(&mut rig, T0 + 180_000).wish, Wish::Nothing);
}

#[test]
fn the_right_size_is_no_change() {
    let state = json!({"worker_count": 2, "ewma_arrival_rate": 1, "ewma_per_consumer_capacity": 1,
        "last_scale_up_time_ms": T0, "last_scale_down_time_ms": T0, "last_no_sync_match_time_ms": T0});
    for config in [json!({}), json!({"min_count": 2, "initial_count": 2, "max_count": 2})] {
        let verdict = blind(&mut Rig::new(RateBased, config, state.clone()), T0);
        assert_eq!((verdict.wish, said(&verdict)), (Wish::Nothing, (Rule::NoChange, 2, 2, None)));
    }
}

#[test]
fn the_initial_count_holds_until_a_count_is_stored() {
    let mut rig = Rig::new(RateBased, json!({"initial_count": 4}), json!({"worker_count": -1}));
    assert_eq!(rig.algorithm.planned(), Some(4));
    assert_eq!(rig.state(), json!({}));
    blind(&mut rig, T0);
    assert_eq!(rig.algorithm.planned(), Some(3));
}

#[test]
fn registration_stores_at_least_one_within_the_limits() {
    let register = |config: Value, workers: u32| {
        let mut rig = rig(config, workers);
        let launch = rig.algorithm.registration(LaunchStrategy::WorkerSet);
        assert_eq!(launch, Launch::SetWorkerSetSize(rig.algorithm.planned().unwrap()));
        rig.slot("worker_count")
    };
    assert_eq!(register(json!({}), 0), json!(1));
    assert_eq!(register(json!({}), 7), json!(7));
    assert_eq!(register(json!({"max_count": 5}), 7), json!(5));
    assert_eq!(register(json!({"min_count": 2, "initial_count": 2}), 0), json!(2));
}

#[test]
fn broken_entries_of_the_state_are_dropped_one_by_one() {
    let broken = [
        ("worker_count", json!("3")),
        ("worker_count", json!(-1)),
        ("worker_count", json!(2_147_483_648_i64)),
        ("worker_count", json!(1.5)),
        ("worker_count", json!(null)),
        ("ewma_arrival_rate", json!("1.0")),
        ("ewma_dispatch_rate", json!(true)),
        ("ewma_per_consumer_capacity", json!(0)),
        ("ewma_per_consumer_capacity", json!(-2.0)),
        ("last_scale_up_time_ms", json!(-1)),
        ("last_scale_up_time_ms", json!("5")),
        ("last_scale_down_time_ms", json!(1.5)),
        ("last_no_sync_match_time_ms", json!(1e19)),
        ("something_else", json!(1)),
    ];
    for (key, value) in broken {
        let rig = Rig::new(RateBased, json!({}), json!({key: value.clone()}));
        assert_eq!(rig.state(), json!({}), "{key}: {value}");
    }
}

#[test]
fn sound_entries_of_the_state_go_out_as_they_came() {
    let state = json!({
        "worker_count": 2_147_483_647,
        "ewma_arrival_rate": -1.5,
        "ewma_dispatch_rate": 3.0,
        "ewma_per_consumer_capacity": 1e-300,
        "last_scale_up_time_ms": 1_700_000_000_000.0,
        "last_scale_down_time_ms": 0,
        "last_no_sync_match_time_ms": 5,
    });
    assert_eq!(Rig::new(RateBased, json!({}), state.clone()).state(), state);
    let mut rig = Rig::new(RateBased, json!({}), json!({"worker_count": 5.0}));
    rig.add(T0, &signal(true, 0));
    assert_eq!(rig.slot("worker_count"), json!(5));
}

#[test]
fn extreme_averages_neither_panic_nor_enter_the_state() {
    let state =
        json!({"worker_count": 1, "ewma_arrival_rate": 1.7e308, "ewma_per_consumer_capacity": 5e-324});
    let mut rig =
        Rig::new(RateBased, json!({"target_backlog_drain_rate": 1.7e308, "halfin_whitt_beta": 0}), state);
    let verdict = rig.poll(T0, &activity(60, f32::MAX, f32::MIN_POSITIVE));
    assert_eq!(verdict.wish, Wish::Workers(5));
    for (key, value) in rig.algorithm.state() {
        assert!(value.as_f64().is_some_and(f64::is_finite), "{key}: {value}");
    }
}

#[test]
fn wrong_configs_are_named_one_by_one() {
    let cases = [
        (
            json!({"min_count": -1}),
            "min_count: found -1, expected an integer of at least 0 and at most 2147483647",
        ),
        (json!({"max_count": 0}), "max_count: found 0"),
        (json!({"max_count": 2_147_483_648_i64}), "max_count: found 2147483648"),
        (json!({"min_count": 4, "max_count": 3}), "min_count: found 4, expected at most max_count (3)"),
        (
            json!({"min_count": 1}),
            "initial_count: found 0, expected between min_count (1) and max_count (30)",
        ),
        (json!({"initial_count": 31}), "initial_count: found 31"),
        (json!({"metrics_poll_interval_ms": 29_999}), "metrics_poll_interval_ms: found 29999"),
        (json!({"ewma_alpha": 0}), "ewma_alpha: found 0, expected a finite number above 0 and at most 1"),
        (json!({"ewma_alpha": "1.01"}), "ewma_alpha: found \"1.01\""),
        (json!({"initial_per_consumer_capacity": 0}), "initial_per_consumer_capacity: found 0"),
        (json!({"initial_per_consumer_capacity": "inf"}), "initial_per_consumer_capacity: found \"inf\""),
        (json!({"target_backlog_drain_rate": -1}), "target_backlog_drain_rate: found -1"),
        (json!({"material_backlog_threshold": 0}), "material_backlog_threshold: found 0"),
        (json!({"utilization_target": 0}), "utilization_target: found 0"),
        (json!({"utilization_target": 1.5}), "utilization_target: found 1.5"),
        (json!({"halfin_whitt_beta": "-0.5"}), "halfin_whitt_beta: found \"-0.5\""),
        (json!({"max_scale_up_step": 0}), "max_scale_up_step: found 0"),
        (json!({"scale_up_cooldown_ms": 60_001}), "expected at least scale_up_cooldown_ms (60001)"),
        (json!({"metrics_poll_interval_ms": 59_999}), "expected at least scale_down_cooldown_ms (60000)"),
        (json!({"no_sync_quiet_ms": [1]}), "no_sync_quiet_ms: found [1]"),
        (json!({"max_cout": 1}), "max_cout: found an unknown key, expected max_count"),
    ];
    for (config, expected) in cases {
        let text = error(RateBased, config.clone());
        assert!(text.contains(expected), "{config}: {text}");
    }
    rig(json!({"metrics_poll_interval_ms": 30_000, "scale_down_cooldown_ms": 0}), 0);
    rig(json!({"ewma_alpha": 1, "utilization_target": 1.0, "target_backlog_drain_rate": 0}), 0);
}
