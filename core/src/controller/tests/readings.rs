//! Deferred decisions: when the last statistics answer them, and when others are read.

use super::*;
use crate::decision::Rule;

const FIRST: i64 = 300_000;

/// A group that grows with its first signal and defers a decision with each.
fn growing(task_type: u8) -> Value {
    serving(&[task_type], worker_set("rate-based", json!({ "initial_count": 2 })))
}

/// A group that only defers.
fn full(task_type: u8) -> Value {
    let config = json!({ "initial_count": 2, "min_count": 2, "max_count": 2 });
    serving(&[task_type], worker_set("rate-based", config))
}

fn always_reading() -> Settings {
    Settings { deferred_metrics_max_age: Millis::ZERO, ..Settings::default() }
}

/// All queues dispatch, so there is something to measure, and two workers are what the load asks for.
fn busy() -> MetricsSnapshot {
    let busy = Some(queue(0, 2.0, 9.0));
    MetricsSnapshot { workflow: busy, activity: busy, nexus: busy }
}

/// A controller that was given statistics `FIRST` after its start.
fn polled(settings: Settings, groups: Value) -> Rig {
    let mut rig = Rig::with(settings, groups);
    let _ = rig.at(FIRST).poll(busy());
    rig
}

/// The groups that measured the capacity of their workers.
fn measured(step: &Step) -> Vec<&str> {
    let deferred = step.decisions.iter().filter(|decision| decision.reason.rule == Rule::CapacityMeasured);
    deferred.map(|decision| &*decision.group).collect()
}

/// What a step does and who decided in it what had been deferred.
fn done(step: &Step) -> (Vec<String>, Vec<&str>) {
    (doings(step), measured(step))
}

fn read_anew() -> (Vec<String>, Vec<&'static str>) {
    (vec!["deferred b".to_owned()], vec![])
}

fn at_once() -> (Vec<String>, Vec<&'static str>) {
    (vec![], vec!["b"])
}

#[test]
fn statistics_of_less_than_a_second_ago_answer_a_deferred_decision_in_the_same_step() {
    for (age, expected) in [(0, at_once()), (999, at_once()), (1000, read_anew())] {
        let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
        let step = rig.at(FIRST + age).signal(2);
        assert_eq!(done(&step), expected, "after {age} ms");
        assert_eq!((wakes(&step), rig.controller.is_idle()), (FIRST + 60_000, age < 1000));
        let has_learned = rig.controller.dump().scaling_state["b"].contains_key("ewma_per_consumer_capacity");
        assert_eq!(has_learned, age < 1000);
    }
}

#[test]
fn the_answer_is_that_of_a_read_with_the_same_statistics() {
    let mut reading = polled(always_reading(), json!({ "b": full(2) }));
    let mut reusing = polled(Settings::default(), json!({ "b": full(2) }));
    let fetch = reading.at(FIRST + 500).signal(2);
    let read = reading.answer(&fetch, busy());
    let reused = reusing.at(FIRST + 500).signal(2);
    assert_eq!(reused.decisions, [fetch.decisions, read.decisions].concat());
    assert_eq!(reused.wake_at, read.wake_at);
    assert_eq!(reusing.controller.dump().scaling_state, reading.controller.dump().scaling_state);
}

#[test]
fn how_old_statistics_are_is_asked_when_the_fetch_has_its_turn() {
    for (age, expected) in [(999, at_once()), (1000, read_anew())] {
        let mut rig = polled(Settings::default(), json!({ "b": growing(2) }));
        let size = rig.at(FIRST + 10).signal(2);
        assert_eq!(done(&size), (vec!["size b 3".to_owned()], vec![]));
        assert_eq!(done(&rig.at(FIRST + age).finish(&size)), expected, "after {age} ms");
    }
}

#[test]
fn statistics_read_for_a_deferred_decision_answer_the_next_ones() {
    for (age, expected) in [(999, at_once()), (1000, read_anew())] {
        let mut rig = Rig::new(json!({ "b": full(2) }));
        let fetch = rig.at(100).signal(2);
        let _ = rig.at(200).answer(&fetch, busy());
        assert_eq!(done(&rig.at(200 + age).signal(2)), expected, "after {age} ms");
    }
}

#[test]
fn statistics_that_were_taken_over_again_are_no_younger() {
    let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
    for age in [400, 800] {
        assert_eq!(done(&rig.at(FIRST + age).signal(2)), at_once());
    }
    assert_eq!(done(&rig.at(FIRST + 1200).signal(2)), read_anew());
}

#[test]
fn a_poll_always_reads() {
    let mut rig = Rig::new(json!({ "b": full(2) }));
    let fetch = rig.at(FIRST - 1).signal(2);
    let step = rig.answer(&fetch, busy());
    assert_eq!(done(&step), at_once());
    assert_eq!(doings(&rig.at(FIRST).wake()), ["poll"]);
}

#[test]
fn a_read_that_failed_answers_nothing() {
    let mut rig = Rig::new(json!({ "b": full(2) }));
    let poll = rig.at(FIRST).wake();
    let _ = rig.give(Input::Metrics { id: only(&poll).id, result: Err(FailureClass::Throttled) });
    assert_eq!(done(&rig.at(FIRST + 1).signal(2)), read_anew());
}

#[test]
fn an_answer_that_nobody_waits_for_is_not_remembered() {
    let mut rig = Rig::new(json!({ "b": full(2) }));
    let _ = rig.give(Input::Metrics { id: crate::decision::ActionId(99), result: Ok(busy()) });
    assert_eq!(done(&rig.signal(2)), read_anew());
}

#[test]
fn the_original_reads_for_every_deferred_decision_and_remembers_nothing() {
    let mut rig = polled(Settings::like_go(), json!({ "b": full(2) }));
    let fetch = rig.at(FIRST + 1).signal(2);
    assert_eq!(done(&fetch), read_anew());
    let _ = rig.answer(&fetch, busy());
    let state = serde_json::to_string(&rig.controller.dump()).unwrap();
    assert!(!state.contains("last_reading"), "{state}");
}

#[test]
fn the_host_says_how_old_they_may_be() {
    let settings = Settings { deferred_metrics_max_age: Millis::from_secs(5), ..Settings::default() };
    let mut rig = polled(settings, json!({ "b": full(2) }));
    assert_eq!(done(&rig.at(FIRST + 4999).signal(2)), at_once());
    assert_eq!(done(&rig.at(FIRST + 5000).signal(2)), read_anew());
}

#[test]
fn settings_that_never_reuse_forget_what_was_read() {
    let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
    let _ = rig.give(Input::SettingsChanged(Box::new(always_reading())));
    assert_eq!(rig.controller.dump().wci.last_reading, None);
    let _ = rig.give(Input::SettingsChanged(Box::default()));
    assert_eq!(done(&rig.signal(2)), read_anew());
    let state = polled(Settings::default(), json!({ "b": full(2) })).controller.dump();
    assert!(state.wci.last_reading.is_some());
    let resumed = Controller::resume(version(), Settings::like_go(), state);
    assert_eq!(resumed.dump().wci.last_reading, None);
}

#[test]
fn statistics_from_later_than_now_are_not_fresh() {
    let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
    assert_eq!(done(&rig.at(FIRST - 1).signal(2)), read_anew());
}

#[test]
fn rates_that_are_no_numbers_are_read_anew() {
    for rate in [f32::NAN, f32::INFINITY] {
        let mut rig = Rig::new(json!({ "b": full(2) }));
        let odd = MetricsSnapshot { activity: Some(queue(0, 2.0, rate)), ..busy() };
        let _ = rig.at(FIRST).poll(odd);
        assert_eq!(rig.controller.dump().wci.last_reading, None);
        assert_eq!(done(&rig.signal(2)), read_anew());
    }
}

#[test]
fn a_controller_resumed_from_its_state_takes_them_too() {
    for (age, expected) in [(999, at_once()), (1000, read_anew())] {
        let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
        let state = serde_json::to_string(&rig.controller.dump()).unwrap();
        let state = serde_json::from_str(&state).unwrap();
        let controller = Controller::resume(version(), Settings::default(), state);
        let mut resumed = Rig { controller, now: 0, start: Step::default() };
        let step = resumed.at(FIRST + age).signal(2);
        assert_eq!(done(&step), expected, "after {age} ms");
        assert_eq!(step, rig.at(FIRST + age).signal(2));
        assert_eq!(resumed.controller.dump(), rig.controller.dump());
    }
}

#[test]
fn several_groups_are_answered_in_their_turns_and_the_next_action_begins() {
    let mut rig = polled(Settings::default(), json!({ "a": growing(1), "b": full(2), "c": growing(3) }));
    let size = rig.at(FIRST + 10).signal(1);
    for task_type in [2, 3, 2] {
        assert_eq!(doings(&rig.signal(task_type)), [""; 0]);
    }
    let step = rig.at(FIRST + 500).finish(&size);
    assert_eq!(done(&step), (vec!["size c 3".to_owned()], vec!["a", "b"]));
    assert_eq!(rig.controller.waiting_signals(), 1);
    let step = rig.at(FIRST + 600).finish(&step);
    assert_eq!(done(&step), (vec![], vec!["c", "b"]));
    assert!(rig.controller.is_idle());
}

#[test]
fn a_group_that_an_update_removes_decides_nothing_more() {
    let mut rig = polled(Settings::default(), json!({ "a": full(1), "b": growing(2) }));
    let size = rig.at(FIRST + 10).signal(2);
    let change = Update { remove_scaling_groups: vec!["b".to_owned()], ..Update::default() };
    let check = rig.request("u", Request::Update(change));
    let register = rig.give(Input::SpecChecked { id: only(&check).id, result: Ok(()) });
    let _ = rig.give(Input::Registered { id: only(&register).id, result: Ok(vec![]) });
    let step = rig.at(FIRST + 20).finish(&size);
    assert_eq!((doings(&step), step.decisions), (vec!["poll".to_owned()], vec![]));
}

#[test]
fn an_update_under_way_holds_nothing_back() {
    let mut rig = polled(Settings::default(), json!({ "b": full(2) }));
    let change = Update { remove_scaling_groups: vec!["b".to_owned()], ..Update::default() };
    let change = Update { spec: Some(json!({ "scaling_group_specs": { "a": full(1) } })), ..change };
    let _ = rig.at(FIRST + 1).request("u", Request::Update(change));
    assert!(rig.controller.is_updating());
    assert_eq!(done(&rig.at(FIRST + 2).signal(2)), at_once());
}

#[test]
fn a_namespace_disabled_meanwhile_measures_as_with_a_read_under_way() {
    let disabled =
        |settings: Settings| Input::SettingsChanged(Box::new(Settings { enabled: false, ..settings }));
    let mut reading = polled(always_reading(), json!({ "b": full(2) }));
    let fetch = reading.at(FIRST + 10).signal(2);
    let _ = reading.give(disabled(always_reading()));
    assert_eq!(done(&reading.answer(&fetch, busy())), at_once());

    let mut reusing = polled(Settings::default(), json!({ "b": growing(2) }));
    let size = reusing.at(FIRST + 10).signal(2);
    let _ = reusing.give(disabled(Settings::default()));
    assert_eq!(done(&reusing.finish(&size)), at_once());
}

#[test]
fn nothing_is_answered_once_continue_as_new_is_wanted_but_by_the_next_run() {
    for (age, expected) in [(999, at_once()), (1000, read_anew())] {
        let mut rig = polled(Settings::default(), json!({ "b": growing(2) }));
        let size = rig.at(FIRST + 10).signal(2);
        let _ = rig.give(Input::ContinueWanted);
        let step = rig.at(FIRST + 20).finish(&size);
        assert_eq!((doings(&step), step.decisions.len()), (vec![], 0));

        let state = rig.controller.dump();
        let now = Timestamp::from_millis(START + FIRST + age);
        let (controller, start) = Controller::start(version(), Settings::default(), state, now);
        assert_eq!(start.wake_at, Some(now), "what was planned is work at once");
        let mut next = Rig { controller, now: 0, start };
        assert_eq!(done(&next.at(FIRST + age).wake()), expected, "after {age} ms");
    }
}

#[test]
fn settings_recorded_before_there_was_this_one_read_for_every_deferred_decision() {
    let read = |value: Value| serde_json::from_value::<Settings>(value).unwrap();
    assert_eq!(read(json!({})), always_reading());
    for settings in [Settings::default(), Settings::like_go()] {
        let mut written = serde_json::to_value(&settings).unwrap();
        assert_eq!(read(written.clone()), settings);
        let _ = written.as_object_mut().unwrap().remove("deferred_metrics_max_age").unwrap();
        assert_eq!(read(written), Settings { deferred_metrics_max_age: Millis::ZERO, ..settings });
    }
    assert_eq!(Settings::default().deferred_metrics_max_age, Millis::from_secs(1));
    assert_eq!(Settings::like_go().deferred_metrics_max_age, Millis::ZERO);
}
