//! Every edge of `fixed`.

use crate::algorithm::AlgorithmKind::Fixed;
use crate::algorithm::testing::{Rig, activity, error, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Launch, Limit, Rule};
use crate::spec::LaunchStrategy;
use serde_json::json;

#[test]
fn the_count_is_issued_at_the_start_and_never_again() {
    let mut rig = Rig::new(Fixed, json!({"count": 5}), json!({}));
    let start = rig.start(0);
    assert_eq!((start.wish, said(&start)), (Wish::Workers(5), (Rule::FixedCount, 5, 5, None)));
    assert_eq!(rig.start(1).wish, Wish::Nothing);
    assert_eq!(rig.poll(2, &activity(99, 0.0, 0.0)).wish, Wish::Nothing);
    assert_eq!(rig.add(3, &missed()), Verdict::NOTHING);
}

#[test]
fn a_restart_issues_nothing_and_a_changed_count_does() {
    assert_eq!(Rig::new(Fixed, json!({"count": 5}), json!({"worker_count": 5})).start(0).wish, Wish::Nothing);
    assert_eq!(
        Rig::new(Fixed, json!({"count": 3}), json!({"worker_count": 5})).start(0).wish,
        Wish::Workers(3)
    );
}

#[test]
fn a_count_of_zero_is_set_once() {
    let mut rig = Rig::new(Fixed, json!({"count": 0}), json!({}));
    assert_eq!(rig.start(0).wish, Wish::Workers(0));
    assert_eq!(rig.poll(1, &activity(0, 0.0, 0.0)).wish, Wish::Nothing);
    let mut invoke = Rig::new(Fixed, json!({"count": 0}), json!({})).on_invoke(0);
    assert_eq!(invoke.start(0).wish, Wish::Nothing);
}

#[test]
fn registration_takes_at_least_one_and_the_next_poll_puts_it_right() {
    let mut rig = Rig::new(Fixed, json!({"count": 0}), json!({}));
    assert_eq!(rig.algorithm.registration(LaunchStrategy::WorkerSet), Launch::SetWorkerSetSize(1));
    assert_eq!(rig.poll(1, &activity(0, 0.0, 0.0)).wish, Wish::Workers(0));
    let mut three = Rig::new(Fixed, json!({"count": 3}), json!({"worker_count": 9}));
    assert_eq!(three.algorithm.registration(LaunchStrategy::WorkerSet), Launch::SetWorkerSetSize(3));
    assert_eq!(three.start(1).wish, Wish::Nothing);
}

#[test]
fn on_an_invoke_provider_ended_workers_are_replaced_and_surplus_ones_end_themselves() {
    let mut rig = Rig::new(Fixed, json!({"count": 5}), json!({})).on_invoke(0);
    assert_eq!(rig.start(0).wish, Wish::MoreWorkers(5));
    rig.observe(3);
    assert_eq!(rig.poll(1, &activity(0, 0.0, 0.0)).wish, Wish::MoreWorkers(2));
    rig.observe(6);
    let surplus = rig.poll(2, &activity(0, 0.0, 0.0));
    assert_eq!((surplus.wish, said(&surplus).3), (Wish::Nothing, Some(Limit::WorkersEndThemselves)));
}

#[test]
fn it_looks_each_minute_or_as_often_as_it_is_told() {
    assert_eq!(Rig::new(Fixed, json!({}), json!({})).interval(0), 60_000);
    assert_eq!(Rig::new(Fixed, json!({"metrics_poll_interval_ms": 1_000}), json!({})).interval(0), 1_000);
    assert!(error(Fixed, json!({"metrics_poll_interval_ms": 999})).contains("found 999"));
}

#[test]
fn wrong_configs_are_named() {
    assert!(error(Fixed, json!({"count": -1})).starts_with("count: found -1"));
    assert!(error(Fixed, json!({"cont": 1})).contains("expected count (the nearest known key)"));
}
