//! Every edge of `pid`.

use crate::algorithm::AlgorithmKind::Pid;
use crate::algorithm::testing::{Rig, activity, error, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

const T0: i64 = 1_700_000_000_000;

fn rig(config: Value) -> Rig {
    Rig::new(Pid, config, json!({}))
}

#[test]
fn the_first_turn_takes_the_interval_and_an_error_of_zero_before() {
    let mut rig = rig(json!({"kp": 0.1, "ki": 0.1, "kd": 0.1, "metrics_poll_interval_ms": 2_000}));
    let verdict = rig.poll(T0, &activity(12, 0.0, 0.0));
    // error 10, integral 10 * 2 s, derivative (10 - 0) / 2 s
    assert_eq!(input(&verdict, "error_integral"), 20.0);
    assert_eq!(input(&verdict, "error_derivative"), 5.0);
    assert!((input(&verdict, "control_output") - 3.5).abs() < 1e-12);
    assert_eq!((verdict.wish, said(&verdict)), (Wish::Workers(4), (Rule::ControlAbove, 4, 4, None)));
}

#[test]
fn later_turns_take_the_time_that_passed() {
    let mut rig = rig(json!({"ki": 0.01, "kd": 1}));
    rig.poll(T0, &activity(2, 0.0, 0.0));
    let verdict = rig.poll(T0 + 4_000, &activity(6, 0.0, 0.0));
    assert_eq!(input(&verdict, "error_integral"), 16.0);
    assert_eq!(input(&verdict, "error_derivative"), 1.0);
}

#[test]
fn a_poll_within_the_interval_waits() {
    let mut rig = rig(json!({}));
    rig.poll(T0, &activity(12, 0.0, 0.0));
    let state = rig.state();
    let waits = rig.poll(T0 + 999, &activity(50, 0.0, 0.0));
    assert_eq!((waits.wish, said(&waits).3), (Wish::Nothing, Some(Limit::Cooldown)));
    assert_eq!(said(&rig.poll(T0, &activity(50, 0.0, 0.0))).3, Some(Limit::Cooldown));
    assert_eq!(rig.state(), state);
    assert_eq!(said(&rig.poll(T0 + 1_000, &activity(50, 0.0, 0.0))).0, Rule::ControlAbove);
}

#[test]
fn the_integral_stays_within_what_the_whole_set_is_worth() {
    let mut up = rig(json!({"ki": 0.1, "kd": 0}));
    let verdict = up.poll(T0, &activity(1_000_000, 0.0, 0.0));
    assert_eq!((input(&verdict, "error_integral"), said(&verdict).1), (100.0, 10));
    let mut down = rig(json!({"ki": 0.1, "kd": 0, "set_point": 1_000_000}));
    let verdict = down.poll(T0, &activity(0, 0.0, 0.0));
    assert_eq!(input(&verdict, "error_integral"), -100.0);
    assert_eq!(said(&verdict), (Rule::NoChange, -10, 0, Some(Limit::MinCount)));
    let mut off = rig(json!({"ki": 0, "kd": 0}));
    assert_eq!(input(&off.poll(T0, &activity(1_000_002, 0.0, 0.0)), "error_integral"), 1_000_000.0);
}

#[test]
fn halves_round_away_from_zero_and_limits_cut() {
    let desired = |backlog| {
        let mut rig =
            rig(json!({"set_point": 0, "kp": 0.5, "ki": 0, "kd": 0, "max_count": 4, "min_count": 1}));
        said(&rig.poll(T0, &activity(backlog, 0.0, 0.0)))
    };
    assert_eq!(desired(3), (Rule::ControlAbove, 2, 2, None));
    assert_eq!(desired(8), (Rule::ControlAbove, 4, 4, None));
    assert_eq!(desired(9), (Rule::ControlAbove, 5, 4, Some(Limit::MaxCount)));
    assert_eq!(desired(0), (Rule::ControlAbove, 0, 1, Some(Limit::MinCount)));
}

#[test]
fn the_same_size_is_not_issued_again() {
    let mut rig = rig(json!({"set_point": 0, "kp": 1, "ki": 0, "kd": 0}));
    assert_eq!(rig.poll(T0, &activity(3, 0.0, 0.0)).wish, Wish::Workers(3));
    let same = rig.poll(T0 + 1_000, &activity(3, 0.0, 0.0));
    assert_eq!((same.wish, said(&same).0), (Wish::Nothing, Rule::NoChange));
    let fewer = rig.poll(T0 + 2_000, &activity(1, 0.0, 0.0));
    assert_eq!((fewer.wish, said(&fewer).0), (Wish::Workers(1), Rule::ControlBelow));
}

#[test]
fn a_clock_that_goes_backwards_starts_the_loop_afresh() {
    let mut rig = rig(json!({"kd": 0}));
    rig.poll(T0, &activity(3, 0.0, 0.0));
    let verdict = rig.poll(T0 - 5_000, &activity(3, 0.0, 0.0));
    assert_eq!(input(&verdict, "error_integral"), 2.0);
    assert_eq!(rig.slot("last_control_time_ms"), json!(T0 - 5_000));
}

#[test]
fn signals_and_missing_data_change_nothing() {
    let mut rig = rig(json!({}));
    assert_eq!(rig.add(T0, &missed()), Verdict::NOTHING);
    assert_eq!(said(&rig.poll(T0, &MetricsSnapshot::default())), (Rule::NoChange, 0, 0, None));
    assert_eq!(rig.slot("last_control_time_ms"), Value::Null);
}

#[test]
fn the_loop_goes_on_from_its_stored_state() {
    let config = json!({"ki": 0.2, "kd": 0.3});
    let mut whole = rig(config.clone());
    whole.poll(T0, &activity(9, 0.0, 0.0));
    let mut resumed = Rig::new(Pid, config, whole.state());
    let next = activity(4, 0.0, 0.0);
    assert_eq!(whole.poll(T0 + 1_500, &next), resumed.poll(T0 + 1_500, &next));
    assert_eq!(whole.state(), resumed.state());
}

#[test]
fn on_an_invoke_provider_only_the_difference_is_started() {
    let mut rig = rig(json!({"set_point": 0, "kp": 1, "ki": 0, "kd": 0})).on_invoke(2);
    assert_eq!(rig.poll(T0, &activity(5, 0.0, 0.0)).wish, Wish::MoreWorkers(3));
    rig.observe(5);
    let waits = rig.poll(T0 + 1_000, &activity(1, 0.0, 0.0));
    assert_eq!(waits.wish, Wish::Nothing);
    assert_eq!(said(&waits), (Rule::ControlBelow, 1, 5, Some(Limit::WorkersEndThemselves)));
}

#[test]
fn wrong_configs_are_named() {
    assert!(error(Pid, json!({"kp": -1})).starts_with("kp: found -1"));
    assert!(error(Pid, json!({"set_point": "x"})).starts_with("set_point: found \"x\""));
    assert!(error(Pid, json!({"metrics_poll_interval_ms": "999"})).contains("at least 1000"));
}
