//! From wishes to invocations and sizes, and what a failure of them leads to.

use super::super::group::Group;
use super::*;
use crate::algorithm::Wish;
use crate::decision::{Limit, Rule};
use crate::spec::LaunchStrategy;

fn observed(ready: Option<u32>, starting: Option<u32>) -> Observation {
    Observation { ready, starting, ..Observation::default() }
}

/// What a group of this kind does for a wish.
fn done_for(strategy: LaunchStrategy, observation: Observation, wish: Wish) -> Option<String> {
    let spec = spec(json!({ "g": lambda("no-sync", json!({})) }));
    let algorithm = spec.group("g").unwrap().instantiate();
    let mut group = Group::new("g".into(), strategy, algorithm);
    group.observe(observation, 0);
    group.action_for(wish).map(|kind| match kind {
        ActionKind::InvokeWorker { count, .. } => format!("invoke {count}"),
        ActionKind::SetWorkerSetSize { count, .. } => format!("size {count}"),
        other => format!("{other:?}"),
    })
}

#[test]
fn a_wished_size_becomes_the_difference_on_an_invoke_provider() {
    let known = observed(Some(2), Some(1));
    let done = |wish| done_for(LaunchStrategy::Invoke, known, wish);
    assert_eq!(done(Wish::Workers(5)).as_deref(), Some("invoke 2"));
    assert_eq!(done(Wish::Workers(3)), None);
    assert_eq!(done(Wish::Workers(0)), None, "its workers end by themselves");
    assert_eq!(done(Wish::MoreWorkers(4)).as_deref(), Some("invoke 4"));
    assert_eq!(done(Wish::MoreWorkers(0)), None);
    assert_eq!(done(Wish::Nothing), None);
}

#[test]
fn a_wished_size_becomes_the_size_of_a_worker_set() {
    let done = |wish| done_for(LaunchStrategy::WorkerSet, observed(Some(2), None), wish);
    assert_eq!(done(Wish::Workers(5)).as_deref(), Some("size 5"));
    assert_eq!(done(Wish::Workers(0)).as_deref(), Some("size 0"));
    assert_eq!(done(Wish::MoreWorkers(4)).as_deref(), Some("size 6"));
    assert_eq!(done(Wish::MoreWorkers(u32::MAX)).as_deref(), Some("size 4294967295"));
}

#[test]
fn nothing_is_done_for_a_wish_that_needs_counts_nobody_knows() {
    let unknown = observed(None, None);
    assert_eq!(done_for(LaunchStrategy::Invoke, unknown, Wish::Workers(5)), None);
    assert_eq!(done_for(LaunchStrategy::WorkerSet, unknown, Wish::MoreWorkers(5)), None);
    assert_eq!(done_for(LaunchStrategy::Invoke, unknown, Wish::MoreWorkers(5)).as_deref(), Some("invoke 5"));
    assert_eq!(done_for(LaunchStrategy::WorkerSet, unknown, Wish::Workers(5)).as_deref(), Some("size 5"));
}

fn starting(rig: &Rig) -> Option<u32> {
    rig.controller.groups[0].observation.starting
}

#[test]
fn decided_workers_count_as_starting_until_the_host_looks_again() {
    let mut rig = Rig::new(json!({ "a": lambda("backlog", json!({ "scale_up_cooldown_ms": 0 })) }));
    let look = |ready| Input::Observation { group: "a".into(), observation: observed(Some(ready), Some(0)) };
    let _ = rig.give(look(1));
    let step = rig.at(1000).signal(2);
    assert_eq!((doings(&step), starting(&rig)), (vec!["invoke a 1".to_owned()], Some(1)));
    let _ = rig.at(2000).finish(&step);
    assert_eq!(doings(&rig.at(3000).signal(2)), ["invoke a 1"]);
    assert_eq!(starting(&rig), Some(2));
    let _ = rig.give(look(3));
    assert_eq!(starting(&rig), Some(0));
}

#[test]
fn workers_whose_invocation_failed_no_longer_count() {
    let mut rig = Rig::new(json!({ "a": lambda("no-sync", json!({})) }));
    let look = Input::Observation { group: "a".into(), observation: observed(Some(1), Some(0)) };
    let _ = rig.give(look);
    let step = rig.signal(2);
    assert_eq!(starting(&rig), Some(1));
    let _ = rig.fail(&step, FailureClass::Throttled);
    assert_eq!(starting(&rig), Some(0));
}

#[test]
fn an_observation_that_is_no_number_is_not_kept() {
    let mut rig = Rig::new(json!({ "a": lambda("no-sync", json!({})) }));
    let odd = Observation { ready: Some(1), mean_concurrency: Some(f64::NAN), ..Observation::default() };
    let _ = rig.give(Input::Observation { group: "a".into(), observation: odd });
    assert_eq!(rig.controller.groups[0].observation, observed(Some(1), None));
}

#[test]
fn a_new_group_is_told_that_it_starts() {
    let mut rig = Rig::new(json!({ "a": worker_set("fixed", json!({ "count": 3 })) }));
    assert_eq!((doings(&rig.start), wakes(&rig.start)), (vec![], 0));
    let step = rig.wake();
    assert_eq!(doings(&step), ["size a 3"]);
    assert_eq!(step.decisions[0].reason.rule, Rule::FixedCount);
    let state = rig.controller.dump();
    let (mut again, _) =
        Controller::start(version(), Settings::default(), state, Timestamp::from_millis(START));
    assert_eq!(doings(&again.handle(Timestamp::from_millis(START), Input::WokeUp)), [""; 0]);
}

fn rig_of_two(settings: Settings) -> Rig {
    Rig::with(settings, json!({ "a": worker_set("rate-based", json!({ "initial_count": 2 })) }))
}

/// Lets a resize fail and polls.
fn poll_after_failed_size(settings: Settings, metrics: MetricsSnapshot) -> (Rig, Step) {
    let mut rig = rig_of_two(settings);
    let size = rig.at(290_000).signal(2);
    assert_eq!(doings(&size), ["size a 3"]);
    let deferred = rig.fail(&size, FailureClass::Unavailable);
    let _ = rig.answer(&deferred, MetricsSnapshot::default());
    let step = rig.at(300_000).poll(metrics);
    (rig, step)
}

#[test]
fn a_size_that_could_not_be_set_is_issued_again_at_the_next_poll() {
    let (mut rig, step) = poll_after_failed_size(Settings::default(), MetricsSnapshot::default());
    assert_eq!(doings(&step), ["size a 3"]);
    let last = step.decisions.last().unwrap();
    assert_eq!((last.reason.rule, last.reason.desired_workers), (Rule::SizeIssuedAgain, Some(3)));
    assert_eq!(last.action_id, Some(only(&step).id));
    let step = rig.at(310_000).finish(&step);
    assert_eq!(wakes(&step), 370_000, "it is an action of the poll");
    assert_eq!(
        doings(&rig.at(370_000).poll(MetricsSnapshot::default())),
        [""; 0],
        "once it is set, it is set"
    );
}

#[test]
fn the_original_forgets_a_size_that_could_not_be_set() {
    let (_, step) = poll_after_failed_size(Settings::like_go(), MetricsSnapshot::default());
    assert_eq!(doings(&step), [""; 0]);
}

#[test]
fn a_new_size_takes_the_place_of_the_one_that_could_not_be_set() {
    let flood = MetricsSnapshot { activity: Some(queue(500, 90.0, 3.0)), ..MetricsSnapshot::default() };
    let (mut rig, step) = poll_after_failed_size(Settings::default(), flood);
    assert_eq!(doings(&step), ["size a 7"]);
    assert_eq!(step.decisions.len(), 1);
    assert_eq!(step.decisions[0].reason.limit, Some(Limit::MaxStep));
    let _ = rig.finish(&step);
    assert_eq!(rig.controller.dump().wci.failed_sizes.len(), 0);
}

#[test]
fn a_size_in_flight_when_the_state_was_taken_is_issued_again() {
    let mut rig = rig_of_two(Settings::default());
    let _ = rig.signal(2);
    let mut next = Rig::from_state(Settings::default(), rig.controller.dump());
    assert_eq!(doings(&next.wake()), ["deferred a"], "what waited behind it goes on");
    assert_eq!(next.controller.dump().wci.failed_sizes["a"], 3);
}

#[test]
fn a_size_that_was_set_is_not_issued_again() {
    let mut rig = rig_of_two(Settings::default());
    let size = rig.at(299_000).signal(2);
    let deferred = rig.finish(&size);
    let _ = rig.answer(&deferred, MetricsSnapshot::default());
    assert_eq!(doings(&rig.at(300_000).poll(MetricsSnapshot::default())), [""; 0]);
}

#[test]
fn only_a_failure_that_does_not_pass_makes_the_validation_fail() {
    for (class, is_failed) in [
        (FailureClass::Throttled, false),
        (FailureClass::Unavailable, false),
        (FailureClass::Denied, true),
        (FailureClass::NotFound, true),
        (FailureClass::Rejected, true),
    ] {
        let mut rig = Rig::new(json!({ "a": lambda("no-sync", json!({})) }));
        let step = rig.signal(2);
        let _ = rig.fail(&step, class);
        let validation = rig.controller.describe().validation_state;
        assert_eq!(validation.is_some_and(|v| v.status == "failed"), is_failed, "{class:?}");
    }
}
