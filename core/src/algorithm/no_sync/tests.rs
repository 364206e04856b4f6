//! Every edge of both forms of `no-sync`.

use crate::algorithm::AlgorithmKind::{NoSync, NoSyncConfirmed};
use crate::algorithm::testing::{Rig, activity, error, input, missed, queue, said, signal};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::{MetricsSnapshot, TaskQueueType};
use crate::signals::TaskAdd;
use crate::spec::WireTaskType;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;

fn plain(config: Value) -> Rig {
    Rig::new(NoSync, config, json!({"last_scale_up_time_ms": T0}))
}

#[test]
fn a_sync_matched_signal_decides_nothing_and_leaves_the_state() {
    let mut rig = plain(json!({}));
    assert_eq!(rig.add(T0 + 1_000_000, &signal(true, 0)), Verdict::NOTHING);
    assert_eq!(rig.state(), json!({"last_scale_up_time_ms": T0}));
}

#[test]
fn a_sync_matched_signal_that_carries_misses_is_eligible() {
    let mut rig = plain(json!({}));
    assert_eq!(rig.add(T0 + 100, &signal(true, 2)).wish, Wish::MoreWorkers(1));
}

#[test]
fn a_missed_signal_without_counts_is_eligible_unless_rate_limited() {
    assert_eq!(plain(json!({})).add(T0 + 100, &signal(false, 0)).wish, Wish::MoreWorkers(1));
    let limited = TaskAdd { rate_limited_signals_batched: 1, ..signal(false, 0) };
    assert_eq!(plain(json!({})).add(T0 + 100, &limited), Verdict::NOTHING);
}

#[test]
fn the_cooldown_is_over_when_exactly_that_time_has_passed() {
    let mut rig = plain(json!({"scale_up_cooloff_ms": 500}));
    let held = rig.add(T0 + 499, &signal(false, 7));
    assert_eq!(held.wish, Wish::Nothing);
    assert_eq!(held.throttled, 7);
    assert_eq!(said(&held), (Rule::NoSyncMatch, 1, 0, Some(Limit::Cooldown)));
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0));
    let up = rig.add(T0 + 500, &signal(false, 7));
    assert_eq!((up.wish, up.throttled), (Wish::MoreWorkers(1), 0));
    assert_eq!(said(&up), (Rule::NoSyncMatch, 1, 1, None));
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0 + 500));
    assert_eq!((input(&up, "elapsed_ms"), input(&up, "cooldown_ms")), (500.0, 500.0));
}

#[test]
fn without_cooldown_every_eligible_signal_starts_a_worker() {
    let mut rig = plain(json!({"scale_up_cooloff_ms": 0}));
    assert_eq!(rig.add(T0, &missed()).wish, Wish::MoreWorkers(1));
    assert_eq!(rig.add(T0, &missed()).wish, Wish::MoreWorkers(1));
}

#[test]
fn a_clock_that_goes_backwards_holds_and_never_panics() {
    let mut rig = plain(json!({}));
    assert_eq!(rig.add(T0 - 1, &missed()).wish, Wish::Nothing);
    assert_eq!(rig.add(i64::MIN, &missed()).wish, Wish::Nothing);
    assert_eq!(rig.add(i64::MAX, &missed()).wish, Wish::MoreWorkers(1));
}

#[test]
fn an_unset_time_means_the_epoch() {
    let mut rig = Rig::new(NoSync, json!({}), json!({}));
    assert_eq!(rig.add(99, &missed()).wish, Wish::Nothing);
    assert_eq!(rig.add(100, &missed()).wish, Wish::MoreWorkers(1));
}

#[test]
fn a_poll_goes_up_only_above_the_threshold() {
    let config = json!({"scale_up_backlog_threshold": 3, "max_worker_lifetime_ms": 0});
    let at = plain(config.clone()).poll(T0 + 60_000, &activity(3, 0.0, 0.0));
    assert_eq!(said(&at), (Rule::NoChange, 0, 0, None));
    let mut rig = plain(config);
    let above = rig.poll(T0 + 60_000, &activity(4, 0.0, 0.0));
    assert_eq!(above.wish, Wish::MoreWorkers(1));
    assert_eq!(said(&above), (Rule::BacklogAboveThreshold, 1, 1, None));
    assert_eq!((input(&above, "activity_backlog_count"), input(&above, "threshold")), (4.0, 3.0));
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0 + 60_000));
}

#[test]
fn a_poll_keeps_the_cooldown_to_the_millisecond() {
    let held = plain(json!({})).poll(T0 + 99, &activity(1, 0.0, 0.0));
    assert_eq!(said(&held), (Rule::BacklogAboveThreshold, 1, 0, Some(Limit::Cooldown)));
    assert_eq!(plain(json!({})).poll(T0 + 100, &activity(1, 0.0, 0.0)).wish, Wish::MoreWorkers(1));
}

#[test]
fn a_worker_is_replaced_when_exactly_its_lifetime_has_passed() {
    let config = json!({"scale_up_backlog_threshold": 100, "max_worker_lifetime_ms": 5_000});
    assert_eq!(plain(config.clone()).poll(T0 + 4_999, &activity(1, 0.0, 0.0)).wish, Wish::Nothing);
    let due = plain(config.clone()).poll(T0 + 5_000, &activity(1, 0.0, 0.0));
    assert_eq!(said(&due), (Rule::LifetimeRefresh, 1, 1, None));
    assert_eq!(plain(config).poll(T0 + 5_000, &activity(0, 0.0, 0.0)).wish, Wish::Nothing);
}

#[test]
fn a_lifetime_shorter_than_the_cooldown_replaces_within_the_cooldown() {
    let config = json!({"scale_up_cooloff_ms": 60_000, "max_worker_lifetime_ms": 1_000});
    let verdict = plain(config).poll(T0 + 1_000, &activity(1, 0.0, 0.0));
    assert_eq!(said(&verdict).0, Rule::LifetimeRefresh);
}

#[test]
fn a_lifetime_of_zero_is_off() {
    let config = json!({"scale_up_backlog_threshold": 5, "max_worker_lifetime_ms": 0});
    assert_eq!(plain(config).poll(i64::MAX, &activity(5, 0.0, 0.0)).wish, Wish::Nothing);
}

#[test]
fn a_rate_within_epsilon_cancels_growth_and_refresh_alike() {
    let config = json!({"scale_up_dispatch_rate_epsilon": 0.5});
    let state = json!({"last_scale_up_time_ms": T0, "activity_last_dispatch_rate": 2.0});
    let poll =
        |rate| Rig::new(NoSync, config.clone(), state.clone()).poll(T0 + 60_000, &activity(9, 0.0, rate));
    let held = poll(2.5);
    assert_eq!(held.wish, Wish::Nothing);
    assert_eq!(said(&held), (Rule::BacklogAboveThreshold, 1, 0, Some(Limit::DispatchRateEpsilon)));
    let numbers = ["epsilon", "activity_dispatch_rate", "activity_previous_dispatch_rate"];
    assert_eq!(numbers.map(|name| input(&held, name)), [0.5, 2.5, 2.0]);
    assert_eq!(poll(1.5).wish, Wish::Nothing);
    assert_eq!(poll(2.500_000_2).wish, Wish::MoreWorkers(1));
    assert_eq!(poll(1.499_999_9).wish, Wish::MoreWorkers(1));
    let refresh = json!({"scale_up_dispatch_rate_epsilon": 0.5, "scale_up_backlog_threshold": 9});
    let verdict = Rig::new(NoSync, refresh, state.clone()).poll(T0 + 600_000, &activity(9, 0.0, 2.0));
    assert_eq!(said(&verdict), (Rule::LifetimeRefresh, 1, 0, Some(Limit::DispatchRateEpsilon)));
}

#[test]
fn the_first_rate_of_a_type_never_cancels_and_is_stored() {
    let mut rig = plain(json!({"scale_up_dispatch_rate_epsilon": 100.0}));
    assert_eq!(rig.poll(T0 + 1_000, &activity(1, 0.0, 3.0)).wish, Wish::MoreWorkers(1));
    assert_eq!(rig.slot("activity_last_dispatch_rate"), json!(3));
    assert_eq!(rig.poll(T0 + 2_000, &activity(1, 0.0, 3.0)).wish, Wish::Nothing);
}

#[test]
fn a_stored_rate_of_zero_is_a_rate() {
    let state = json!({"activity_last_dispatch_rate": 0});
    let mut rig = Rig::new(NoSync, json!({"scale_up_dispatch_rate_epsilon": 0.1}), state);
    assert_eq!(said(&rig.poll(T0, &activity(1, 0.0, 0.0))).3, Some(Limit::DispatchRateEpsilon));
}

#[test]
fn at_equal_weight_the_first_type_gives_the_reason() {
    let mut rig = plain(json!({"scale_up_backlog_threshold": 5, "max_worker_lifetime_ms": 1_000}));
    let metrics = MetricsSnapshot { workflow: Some(queue(1, 0.0, 0.0)), ..activity(9, 0.0, 0.0) };
    assert_eq!(said(&rig.poll(T0 + 1_000, &metrics)).0, Rule::LifetimeRefresh);
}

#[test]
fn a_poll_without_epsilon_does_not_record_one() {
    for kind in [NoSync, NoSyncConfirmed] {
        let verdict = Rig::new(kind, json!({}), json!({})).poll(T0, &activity(1, 0.0, 0.0));
        assert_eq!(verdict.reason.unwrap().input("epsilon"), None);
    }
}

#[test]
fn a_negative_stored_rate_counts_as_none() {
    let state = json!({"activity_last_dispatch_rate": -1});
    let mut rig = Rig::new(NoSync, json!({"scale_up_dispatch_rate_epsilon": 100.0}), state);
    assert_eq!(rig.poll(T0, &activity(1, 0.0, 0.0)).wish, Wish::MoreWorkers(1));
}

#[test]
fn an_epsilon_of_zero_is_off_even_for_the_same_rate() {
    let mut rig = plain(json!({"scale_up_dispatch_rate_epsilon": 0}));
    rig.poll(T0, &activity(0, 0.0, 3.0));
    assert_eq!(rig.poll(T0 + 100, &activity(1, 0.0, 3.0)).wish, Wish::MoreWorkers(1));
}

#[test]
fn one_type_that_is_up_is_enough_and_only_one_worker_is_started() {
    let mut rig = plain(json!({"scale_up_dispatch_rate_epsilon": 0.1}));
    rig.poll(T0, &MetricsSnapshot { workflow: Some(queue(0, 0.0, 1.0)), ..activity(0, 0.0, 5.0) });
    let metrics = MetricsSnapshot {
        workflow: Some(queue(4, 0.0, 1.0)),
        activity: Some(queue(4, 0.0, 9.0)),
        nexus: Some(queue(4, 0.0, 1.0)),
    };
    let verdict = rig.poll(T0 + 100, &metrics);
    assert_eq!(verdict.wish, Wish::MoreWorkers(1));
    assert_eq!(said(&verdict), (Rule::BacklogAboveThreshold, 1, 1, None));
}

#[test]
fn a_poll_stores_the_rate_of_present_types_only_and_as_the_wire_had_it() {
    let state = json!({"nexus_last_dispatch_rate": "7", "workflow_last_dispatch_rate": 1.0});
    let mut rig = Rig::new(NoSync, json!({}), state);
    rig.poll(T0, &activity(0, 0.0, 0.1));
    let expected = json!({
        "nexus_last_dispatch_rate": "7",
        "workflow_last_dispatch_rate": 1.0,
        "activity_last_dispatch_rate": 0.100_000_001_490_116_12,
    });
    assert_eq!(rig.state(), expected);
}

#[test]
fn a_rate_that_is_no_number_is_not_stored() {
    let mut rig = Rig::new(NoSync, json!({}), json!({"activity_last_dispatch_rate": 4}));
    rig.poll(T0, &activity(0, 0.0, f32::NAN));
    rig.poll(T0, &activity(0, 0.0, f32::INFINITY));
    assert_eq!(rig.slot("activity_last_dispatch_rate"), json!(4));
}

#[test]
fn an_empty_snapshot_gives_a_reason_and_no_worker() {
    let verdict = plain(json!({})).poll(T0 + 1_000_000, &MetricsSnapshot::default());
    assert_eq!(said(&verdict), (Rule::NoChange, 0, 0, None));
}

#[test]
fn the_state_goes_out_as_it_came_without_unknown_keys() {
    let state = json!({
        "last_scale_up_time_ms": "1700000000000",
        "workflow_last_dispatch_rate": 2.0,
        "activity_last_dispatch_rate": true,
        "nexus_last_dispatch_rate": null,
        "worker_count": 3,
        "workflow_dispatch_ref_rate": 1,
    });
    let mut rig = Rig::new(NoSync, json!({"scale_up_cooloff_ms": 500}), state);
    assert_eq!(rig.add(T0 + 499, &missed()).wish, Wish::Nothing);
    let expected = json!({
        "last_scale_up_time_ms": "1700000000000",
        "workflow_last_dispatch_rate": 2.0,
        "activity_last_dispatch_rate": true,
        "nexus_last_dispatch_rate": null,
    });
    assert_eq!(rig.state(), expected);
    rig.add(T0 + 500, &missed());
    assert_eq!(rig.slot("last_scale_up_time_ms"), json!(T0 + 500));
}

#[test]
fn text_in_the_state_counts_as_a_number_and_other_things_as_unset() {
    let at = |value: Value| {
        Rig::new(NoSync, json!({}), json!({"last_scale_up_time_ms": value})).add(1_050, &missed()).wish
    };
    assert_eq!(at(json!("1000")), Wish::Nothing);
    assert_eq!(at(json!(1000.9)), Wish::Nothing);
    assert_eq!(at(json!("1000.0")), Wish::MoreWorkers(1));
    assert_eq!(at(json!([1000])), Wish::MoreWorkers(1));
    let config = json!({"scale_up_dispatch_rate_epsilon": 1});
    let mut rig = Rig::new(NoSync, config, json!({"activity_last_dispatch_rate": "5.5"}));
    assert_eq!(rig.poll(T0, &activity(1, 0.0, 5.0)).wish, Wish::Nothing);
}

#[test]
fn config_strings_floats_and_integers_are_the_same() {
    for value in [json!("500"), json!(500), json!(500.0)] {
        let mut rig = plain(json!({"scale_up_cooloff_ms": value}));
        assert_eq!(rig.add(T0 + 499, &missed()).wish, Wish::Nothing);
        assert_eq!(rig.add(T0 + 500, &missed()).wish, Wish::MoreWorkers(1));
    }
    assert_eq!(plain(json!({"metrics_poll_interval_ms": null})).interval(T0), 60_000);
}

#[test]
fn wrong_configs_are_named_one_by_one() {
    let cases = [
        (
            json!({"scale_up_cooloff_ms": -1}),
            "scale_up_cooloff_ms: found -1, expected an integer of at least 0",
        ),
        (
            json!({"scale_up_backlog_threshold": 1.5}),
            "scale_up_backlog_threshold: found 1.5, expected an integer",
        ),
        (
            json!({"max_worker_lifetime_ms": "5.0"}),
            "max_worker_lifetime_ms: found \"5.0\", expected an integer",
        ),
        (json!({"scale_up_dispatch_rate_epsilon": "NaN"}), "scale_up_dispatch_rate_epsilon: found \"NaN\""),
        (json!({"scale_up_dispatch_rate_epsilon": -0.1}), "scale_up_dispatch_rate_epsilon: found -0.1"),
        (
            json!({"scale_up_dispatch_rate_epsilon": true}),
            "found true, expected a finite number of at least 0",
        ),
        (json!({"metrics_poll_interval_ms": 9_999}), "metrics_poll_interval_ms: found 9999"),
        (json!({"scale_up_cooloff_ms": 60_001}), "expected at least scale_up_cooloff_ms (60001)"),
        (json!({"scale_up_coolof_ms": 5}), "expected scale_up_cooloff_ms (the nearest known key)"),
        (json!({"scale_up_coolof_ms": null}), "scale_up_coolof_ms: found an unknown key"),
    ];
    for (config, expected) in cases {
        let text = error(NoSync, config.clone());
        assert!(text.contains(expected), "{config}: {text}");
    }
    plain(json!({"scale_up_cooloff_ms": 60_000, "metrics_poll_interval_ms": 60_000}));
    plain(json!({"scale_up_cooloff_ms": 0, "metrics_poll_interval_ms": 10_000}));
}

// The confirmed form.

fn with(config: Value) -> Value {
    let mut all = json!({
        "scale_up_dispatch_rate_epsilon": 0.1,
        "scale_up_dispatch_rate_epsilon_confirm_ms": 90_000,
        "suppress_scale_up_ms": 120_000,
        "suppress_poll_interval_ms": 90_000,
        "max_worker_lifetime_ms": 0,
    });
    let (Some(all_map), Value::Object(config)) = (all.as_object_mut(), config) else { panic!("a map") };
    all_map.extend(config);
    all
}

fn confirmed(config: Value, state: Value) -> Rig {
    Rig::new(NoSync, with(config), state)
}

/// A watch of activities at a rate of 10 that has lasted since `T0`.
fn watching() -> Value {
    json!({
        "activity_dispatch_rate_within_epsilon_since_ms": T0,
        "activity_suppress_scale_up_until_ms": 0,
        "activity_dispatch_ref_rate": 10,
    })
}

fn watch(rig: &Rig) -> (Value, Value, Value) {
    (
        rig.slot("activity_dispatch_rate_within_epsilon_since_ms"),
        rig.slot("activity_suppress_scale_up_until_ms"),
        rig.slot("activity_dispatch_ref_rate"),
    )
}

#[test]
fn a_flat_rate_under_a_backlog_starts_a_watch() {
    let mut rig = confirmed(json!({}), json!({}));
    assert_eq!(rig.poll(T0, &activity(5, 0.0, 10.0)).wish, Wish::MoreWorkers(1));
    assert_eq!(watch(&rig), (json!(T0), json!(0), json!(10)));
}

#[test]
fn a_watch_is_confirmed_after_exactly_the_confirm_time() {
    let mut early = confirmed(json!({}), watching());
    assert_eq!(early.poll(T0 + 89_999, &activity(5, 0.0, 10.0)).wish, Wish::MoreWorkers(1));
    assert_eq!(watch(&early), (json!(T0), json!(0), json!(10)));
    let mut rig = confirmed(json!({}), watching());
    let held = rig.poll(T0 + 90_000, &activity(5, 0.0, 10.5));
    assert_eq!(said(&held), (Rule::BacklogAboveThreshold, 1, 0, Some(Limit::Suppressed)));
    assert_eq!(watch(&rig), (json!(T0), json!(T0 + 210_000), json!(10)));
    assert_eq!(rig.interval(T0 + 90_000), 90_000);
    assert_eq!(rig.interval(T0 + 210_000), 60_000);
}

#[test]
fn each_further_flat_poll_renews_the_suppression() {
    let mut rig = confirmed(json!({}), watching());
    rig.poll(T0 + 90_000, &activity(5, 0.0, 10.0));
    rig.poll(T0 + 180_000, &activity(5, 0.0, 10.0));
    assert_eq!(watch(&rig).1, json!(T0 + 300_000));
}

#[test]
fn the_band_belongs_to_epsilon_and_its_outside_ends_the_watch() {
    let poll = |rate| {
        let mut rig = confirmed(json!({}), watching());
        rig.poll(T0 + 90_000, &activity(5, 0.0, rate));
        watch(&rig)
    };
    assert_eq!(poll(11.0).1, json!(T0 + 210_000));
    assert_eq!(poll(9.0).1, json!(T0 + 210_000));
    for outside in [11.000_001, 8.999_999, 0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(poll(outside), (json!(0), json!(0), json!(-1)), "{outside}");
    }
}

#[test]
fn a_reference_of_zero_is_left_by_any_dispatch() {
    let state =
        json!({"activity_dispatch_rate_within_epsilon_since_ms": T0, "activity_dispatch_ref_rate": 0});
    let mut rig = confirmed(json!({}), state);
    rig.poll(T0 + 90_000, &activity(5, 0.0, 0.001));
    assert_eq!(watch(&rig), (json!(0), json!(0), json!(-1)));
}

#[test]
fn a_backlog_at_the_threshold_ends_watch_and_suppression() {
    let state = json!({
        "activity_dispatch_rate_within_epsilon_since_ms": T0,
        "activity_suppress_scale_up_until_ms": T0 + 500_000,
        "activity_dispatch_ref_rate": 10,
    });
    let mut rig = confirmed(json!({"scale_up_backlog_threshold": 5}), state);
    rig.poll(T0 + 90_000, &activity(5, 0.0, 10.0));
    assert_eq!(watch(&rig), (json!(0), json!(0), json!(-1)));
    assert_eq!(rig.interval(T0 + 90_000), 60_000);
}

#[test]
fn a_suppressed_type_holds_signals_back_until_the_very_end() {
    let state = json!({"activity_suppress_scale_up_until_ms": T0 + 1_000});
    let mut rig = confirmed(json!({}), state.clone());
    let held = rig.add(T0 + 999, &signal(false, 3));
    assert_eq!((held.wish, held.throttled), (Wish::Nothing, 3));
    assert_eq!(said(&held), (Rule::NoSyncMatch, 1, 0, Some(Limit::Suppressed)));
    assert_eq!(rig.add(T0 + 1_000, &missed()).wish, Wish::MoreWorkers(1));
    let other = TaskAdd { task_queue_type: WireTaskType(TaskQueueType::Workflow), ..missed() };
    assert_eq!(confirmed(json!({}), state).add(T0, &other).wish, Wish::MoreWorkers(1));
}

#[test]
fn suppression_never_holds_back_the_refresh() {
    let state = json!({"last_scale_up_time_ms": T0 - 1_000_000,
        "activity_dispatch_rate_within_epsilon_since_ms": T0, "activity_dispatch_ref_rate": 10});
    let mut rig = confirmed(json!({"max_worker_lifetime_ms": 600_000}), state);
    let verdict = rig.poll(T0 + 90_000, &activity(5, 0.0, 10.0));
    assert_eq!(said(&verdict), (Rule::LifetimeRefresh, 1, 1, None));
    assert_eq!(verdict.wish, Wish::MoreWorkers(1));
}

#[test]
fn each_type_has_its_own_watch_and_absent_types_keep_theirs() {
    let mut rig = confirmed(json!({}), watching());
    let metrics = MetricsSnapshot { workflow: Some(queue(5, 0.0, 4.0)), ..MetricsSnapshot::default() };
    assert_eq!(rig.poll(T0 + 200_000, &metrics).wish, Wish::MoreWorkers(1));
    assert_eq!(watch(&rig), (json!(T0), json!(0), json!(10)));
    assert_eq!(rig.slot("workflow_dispatch_ref_rate"), json!(4));
}

#[test]
fn one_of_the_three_keys_makes_no_sync_the_confirmed_form() {
    for key in
        ["scale_up_dispatch_rate_epsilon_confirm_ms", "suppress_scale_up_ms", "suppress_poll_interval_ms"]
    {
        let value = if key == "suppress_scale_up_ms" { 120_000 } else { 90_000 };
        let mut rig = Rig::new(NoSync, json!({"scale_up_dispatch_rate_epsilon": 0.1, key: value}), json!({}));
        rig.poll(T0, &activity(5, 0.0, 10.0));
        assert_eq!(rig.slot("activity_dispatch_ref_rate"), json!(10), "{key}");
        assert_eq!(rig.slot("activity_last_dispatch_rate"), Value::Null);
        assert_eq!(rig.algorithm.kind(), NoSync);
    }
    let null = json!({"scale_up_dispatch_rate_epsilon": 0.1, "suppress_scale_up_ms": null});
    let mut rig = Rig::new(NoSync, null, json!({}));
    rig.poll(T0, &activity(5, 0.0, 10.0));
    assert_eq!(rig.slot("activity_last_dispatch_rate"), json!(10));
}

#[test]
fn without_epsilon_the_confirmed_form_watches_nothing() {
    let state = json!({"activity_suppress_scale_up_until_ms": T0 + 1_000_000, "nexus_dispatch_ref_rate": 3});
    let mut rig = Rig::new(NoSyncConfirmed, json!({}), state);
    assert_eq!(rig.poll(T0, &activity(5, 0.0, 10.0)).wish, Wish::MoreWorkers(1));
    assert_eq!(rig.state(), json!({"last_scale_up_time_ms": T0}));
}

#[test]
fn wrong_confirmed_configs_are_named_one_by_one() {
    let cases = [
        (with(json!({"scale_up_dispatch_rate_epsilon": 0.11})), "scale_up_dispatch_rate_epsilon: found 0.11"),
        (json!({"suppress_scale_up_ms": 1}), "suppress_scale_up_ms: found 1, expected none without"),
        (
            with(json!({"scale_up_dispatch_rate_epsilon": 0})),
            "expected none without scale_up_dispatch_rate_epsilon",
        ),
        (
            with(json!({"scale_up_dispatch_rate_epsilon_confirm_ms": 60_000})),
            "metrics_poll_interval_ms (60000)",
        ),
        (
            with(json!({"suppress_poll_interval_ms": 0})),
            "suppress_poll_interval_ms: found 0, expected an integer above 0",
        ),
        (with(json!({"suppress_scale_up_ms": 90_000})), "more than suppress_poll_interval_ms (90000)"),
        (
            with(json!({"metrics_poll_interval_ms": 90_000})),
            "found 90000, expected more than metrics_poll_interval_ms",
        ),
    ];
    for (config, expected) in cases {
        for kind in [NoSync, NoSyncConfirmed] {
            let text = error(kind, config.clone());
            assert!(text.contains(expected), "{config}: {text}");
        }
    }
    let text = error(
        NoSyncConfirmed,
        json!({"scale_up_dispatch_rate_epsilon": 0.1, "metrics_poll_interval_ms": 95_000}),
    );
    assert!(text.contains("found 90000 (the default)"), "{text}");
}
