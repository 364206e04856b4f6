//! When polls come, and who sees their answers.

use super::*;

const FIRST: i64 = 300_000;

fn no_sync(interval: i64) -> Value {
    lambda("no-sync", json!({ "metrics_poll_interval_ms": interval }))
}

/// The wait after the first poll of a spec with these groups.
fn wait_after_poll(settings: Settings, groups: Value) -> i64 {
    let mut rig = Rig::with(settings, groups);
    let step = rig.at(FIRST).poll(MetricsSnapshot::default());
    wakes(&step) - FIRST
}

fn wait(groups: Value) -> i64 {
    wait_after_poll(Settings::default(), groups)
}

#[test]
fn first_poll_comes_five_minutes_after_the_start() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    assert_eq!(doings(&rig.at(FIRST - 1).wake()), [""; 0]);
    assert_eq!(doings(&rig.at(FIRST).wake()), ["poll"]);
}

#[test]
fn an_early_wake_up_leaves_the_timer_alone() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    let step = rig.at(1000).wake();
    assert_eq!((wakes(&step), doings(&step)), (FIRST, vec![]));
}

#[test]
fn next_poll_is_the_smallest_wish_of_the_groups() {
    let groups = json!({
        "a": no_sync(60_000),
        "b": serving(&[1], worker_set("rate-based", json!({ "metrics_poll_interval_ms": 90_000 }))),
        "c": serving(&[3], no_sync(45_000)),
    });
    assert_eq!(wait(groups), 45_000);
}

#[test]
fn the_originals_algorithms_are_polled_no_more_often_than_every_30_seconds() {
    assert_eq!(wait(json!({ "a": no_sync(10_000) })), 30_000);
    assert_eq!(wait(json!({ "a": no_sync(31_000) })), 31_000);
}

#[test]
fn another_algorithm_lowers_the_floor_to_what_it_declares() {
    let backlog = serving(&[1], lambda("backlog", json!({ "metrics_poll_interval_ms": 2000 })));
    assert_eq!(wait(json!({ "a": no_sync(10_000), "b": backlog })), 2000);
    let slow = serving(&[1], lambda("backlog", json!({ "metrics_poll_interval_ms": 20_000 })));
    assert_eq!(wait(json!({ "a": no_sync(10_000), "b": slow })), 10_000);
}

#[test]
fn the_host_may_raise_the_floor() {
    let settings = Settings { shortest_poll: Millis::from_secs(5), ..Settings::default() };
    let backlog = json!({ "a": worker_set("backlog", json!({})) });
    assert_eq!(wait_after_poll(settings, backlog), 5000);
}

#[test]
fn no_wait_is_longer_than_five_minutes() {
    assert_eq!(wait(json!({ "a": no_sync(600_000) })), 300_000);
}

#[test]
fn waits_are_whole_seconds() {
    assert_eq!(wait(json!({ "a": no_sync(45_999) })), 45_000);
}

#[test]
fn the_wait_counts_from_the_answer_when_nothing_is_to_be_done() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    let step = rig.at(FIRST + 7).wake();
    let step = rig.at(FIRST + 5000).answer(&step, MetricsSnapshot::default());
    assert_eq!(wakes(&step), FIRST + 65_000);
}

#[test]
fn the_wait_counts_from_the_end_of_the_polls_last_action() {
    let mut rig =
        Rig::new(json!({ "a": serving(&[2], no_sync(60_000)), "b": serving(&[1], no_sync(60_000)) }));
    let waiting = Some(queue(1, 0.0, 0.0));
    let both = MetricsSnapshot { workflow: waiting, activity: waiting, nexus: None };
    let step = rig.at(FIRST).poll(both);
    assert_eq!((doings(&step), wakes(&step)), (vec!["invoke a 1".to_owned()], FIRST + 60_000));
    let step = rig.at(FIRST + 1000).finish(&step);
    assert_eq!(doings(&step), ["invoke b 1"]);
    let step = rig.at(FIRST + 4000).finish(&step);
    assert_eq!((doings(&step), wakes(&step)), (vec![], FIRST + 64_000));
}

#[test]
fn a_failed_poll_is_followed_by_five_minutes() {
    for (is_finished, class) in [(false, FailureClass::Throttled), (true, FailureClass::Unavailable)] {
        let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
        let step = rig.at(FIRST).wake();
        let id = only(&step).id;
        let failure = match is_finished {
            true => Input::ActionFinished { id, result: Err(class) },
            false => Input::Metrics { id, result: Err(class) },
        };
        let step = rig.at(FIRST + 10).give(failure);
        assert_eq!(wakes(&step), FIRST + 10 + 300_000);
        assert_eq!(step.decisions, []);
    }
}

#[test]
fn without_a_spec_nothing_is_polled() {
    let mut rig = Rig::from_state(Settings::default(), State::new(None, Timestamp::EPOCH));
    let step = rig.at(FIRST).wake();
    assert_eq!((doings(&step), wakes(&step)), (vec![], FIRST + 300_000));
}

#[test]
fn a_disabled_namespace_is_not_polled() {
    let settings = Settings { enabled: false, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync(60_000) }));
    let step = rig.at(FIRST).wake();
    assert_eq!((doings(&step), wakes(&step)), (vec![], FIRST + 300_000));
    let step = rig.at(FIRST + 1).give(Input::SettingsChanged(Box::default()));
    assert_eq!(wakes(&step), FIRST + 300_000, "enabling it again moves no timer");
    assert_eq!(doings(&rig.at(2 * FIRST).wake()), ["poll"]);
}

#[test]
fn statistics_that_arrive_after_the_namespace_was_disabled_decide_nothing() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    let fetch = rig.at(FIRST).wake();
    let disabled = Settings { enabled: false, ..Settings::default() };
    let _ = rig.give(Input::SettingsChanged(Box::new(disabled)));
    let step = rig.answer(&fetch, activity(9));
    assert_eq!((doings(&step), step.decisions.len(), wakes(&step)), (vec![], 0, FIRST + 300_000));
}

#[test]
fn a_group_sees_only_the_types_it_serves() {
    let groups = json!({ "a": serving(&[2], no_sync(60_000)), "rest": no_sync(60_000) });
    let seen = |metrics: MetricsSnapshot| {
        let mut rig = Rig::new(groups.clone());
        doings(&rig.at(FIRST).poll(metrics))
    };
    let waiting = Some(queue(1, 0.0, 0.0));
    assert_eq!(seen(MetricsSnapshot { activity: waiting, ..Default::default() }), ["invoke a 1"]);
    assert_eq!(seen(MetricsSnapshot { workflow: waiting, ..Default::default() }), ["invoke rest 1"]);
    assert_eq!(seen(MetricsSnapshot { nexus: waiting, ..Default::default() }), ["invoke rest 1"]);
}

#[test]
fn a_group_of_another_region_decides_nothing_here() {
    let mut eu = serving(&[2], no_sync(60_000));
    eu["region_ids"] = json!(["eu-west-1"]);
    let groups = json!({ "eu": eu, "world": no_sync(60_000) });
    let decided_in = |region: &str| {
        let settings = Settings { host_region: Some(region.to_owned()), ..Settings::default() };
        let mut rig = Rig::with(settings, groups.clone());
        let polled: Vec<_> =
            rig.at(FIRST).poll(activity(1)).decisions.iter().map(|d| d.group.to_string()).collect();
        (polled, rig.controller.serving[1].map(|index| rig.controller.groups[index].name.to_string()))
    };
    assert_eq!(decided_in("eu-west-1"), (vec!["eu".into(), "world".into()], Some("eu".into())));
    assert_eq!(decided_in("us-east-1"), (vec!["world".into()], Some("world".into())));
}

#[test]
fn a_host_that_moves_to_another_region_serves_other_groups() {
    let mut eu = serving(&[2], no_sync(60_000));
    eu["region_ids"] = json!(["eu-west-1"]);
    let mut rig = Rig::new(json!({ "eu": eu, "world": no_sync(60_000) }));
    assert_eq!(doings(&rig.signal(2)), ["invoke world 1"]);
    let moved = Settings { host_region: Some("eu-west-1".to_owned()), ..Settings::default() };
    let step = rig.give(Input::SettingsChanged(Box::new(moved)));
    assert_eq!(doings(&step), [""; 0]);
    let id = rig.controller.dump().wci.in_flight.unwrap().action.id;
    let _ = rig.give(Input::ActionFinished { id, result: Ok(()) });
    assert_eq!(doings(&rig.signal(2)), ["invoke eu 1"]);
}

#[test]
fn the_next_polls_time_survives_a_restart() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    let _ = rig.at(FIRST).poll(MetricsSnapshot::default());
    let state = rig.controller.dump();
    let restarted = |settings: Settings| {
        let now = Timestamp::from_millis(START + FIRST + 10_000);
        let (_, step) = Controller::start(version(), settings, state.clone(), now);
        wakes(&step) - FIRST
    };
    assert_eq!(restarted(Settings::default()), 60_000);
    assert_eq!(restarted(Settings::like_go()), 10_000 + 300_000);
}

#[test]
fn a_poll_that_was_missed_during_a_restart_is_due_at_once() {
    let state = Rig::new(json!({ "a": no_sync(60_000) })).controller.dump();
    let late = Timestamp::from_millis(START + FIRST + 50_000);
    let (mut controller, step) = Controller::start(version(), Settings::default(), state, late);
    assert_eq!((step.wake_at, step.actions.len()), (Some(late), 0));
    assert_eq!(doings(&controller.handle(late, Input::WokeUp)), ["poll"]);
}

#[test]
fn a_clock_set_back_does_not_put_the_poll_off() {
    let mut rig = Rig::new(json!({ "a": no_sync(60_000) }));
    let _ = rig.at(FIRST).poll(MetricsSnapshot::default());
    let step = rig.at(-86_400_000).wake();
    assert_eq!(wakes(&step), -86_400_000 + 300_000);
}

#[test]
fn a_deferred_fetch_moves_no_timer_and_reaches_only_its_group() {
    let rate_based =
        |task_type| serving(&[task_type], worker_set("rate-based", json!({ "initial_count": 2 })));
    let mut rig = Rig::new(json!({ "a": rate_based(1), "b": rate_based(2) }));
    let step = rig.at(1000).signal(2);
    assert_eq!(doings(&step), ["size b 3"]);
    let step = rig.finish(&step);
    assert_eq!(doings(&step), ["deferred b"]);
    let busy = Some(queue(0, 9.0, 9.0));
    let step = rig.at(2000).answer(&step, MetricsSnapshot { workflow: busy, activity: busy, nexus: None });
    assert_eq!(wakes(&step), FIRST);
    let decided: Vec<_> = step.decisions.iter().map(|decision| &*decision.group).collect();
    assert_eq!(decided, ["b"]);
    let states = rig.controller.dump().scaling_state;
    assert!(states["b"].contains_key("ewma_per_consumer_capacity"));
    assert!(!states["a"].contains_key("ewma_per_consumer_capacity"), "{:?}", states["a"]);
}

#[test]
fn a_failed_deferred_fetch_only_frees_the_way() {
    let mut rig = Rig::new(json!({ "b": worker_set("rate-based", json!({ "initial_count": 2 })) }));
    let step = rig.signal(2);
    let step = rig.finish(&step);
    let before = rig.controller.dump().scaling_state;
    let id = only(&step).id;
    let step = rig.give(Input::Metrics { id, result: Err(FailureClass::Throttled) });
    assert_eq!((wakes(&step), step.decisions.len()), (FIRST, 0));
    assert_eq!(rig.controller.dump().scaling_state, before);
    assert!(rig.controller.is_idle());
}
