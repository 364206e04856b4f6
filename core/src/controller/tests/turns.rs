//! One thing at a time, and what waits meanwhile.

use super::*;

fn no_sync() -> Value {
    lambda("no-sync", json!({ "scale_up_cooloff_ms": 100 }))
}

fn rig() -> Rig {
    Rig::new(json!({ "a": no_sync() }))
}

#[test]
fn signals_wait_in_order_while_an_action_is_in_flight() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let first = rig.at(0).signal(2);
    assert_eq!(doings(&first), ["invoke a 1"]);
    assert_eq!(doings(&rig.at(10).signal(1)), [""; 0]);
    assert_eq!(doings(&rig.at(20).signal(2)), [""; 0]);
    assert_eq!(rig.controller.waiting_signals(), 2);
    let second = rig.at(500).finish(&first);
    assert_eq!(doings(&second), ["invoke b 1"]);
    assert_eq!(doings(&rig.at(600).finish(&second)), ["invoke a 1"]);
}

#[test]
fn a_waiting_signal_is_decided_at_the_time_at_which_it_is_taken() {
    let mut rig = rig();
    let first = rig.at(1000).signal(2);
    let _ = rig.at(1010).signal(2);
    // At 1010 the cooldown of 100 ms would have held it back.
    let step = rig.at(1200).finish(&first);
    assert_eq!(doings(&step), ["invoke a 1"]);
    let last_up = &rig.controller.dump().scaling_state["a"]["last_scale_up_time_ms"];
    assert_eq!(last_up.as_i64(), Some(START + 1200));
}

#[test]
fn a_due_poll_waits_while_an_action_is_in_flight() {
    let mut rig = rig();
    let invoke = rig.at(299_000).signal(2);
    let step = rig.at(300_000).wake();
    assert_eq!(doings(&step), [""; 0]);
    assert!(wakes(&step) > 300_000, "what is due and cannot be done is no reason to come again at once");
    assert_eq!(doings(&rig.at(301_000).finish(&invoke)), ["poll"]);
}

#[test]
fn signals_that_wait_go_before_a_due_poll() {
    let mut rig = rig();
    let invoke = rig.at(299_000).signal(2);
    let _ = rig.signal(2);
    let step = rig.at(301_000).finish(&invoke);
    assert_eq!(doings(&step), ["invoke a 1"]);
    assert_eq!(doings(&rig.finish(&step)), ["poll"]);
}

#[test]
fn a_due_poll_has_its_turn_after_a_hundred_signals() {
    let mut rig = rig();
    let invoke = rig.at(299_999).signal(2);
    for _ in 0..250 {
        let _ = rig.give(Input::TaskAdd(sync_add(2)));
    }
    let step = rig.at(300_000).finish(&invoke);
    assert_eq!((doings(&step), rig.controller.waiting_signals()), (vec!["poll".to_owned()], 150));
    // The poll that was answered is not due again, so the rest goes through.
    let _ = rig.answer(&step, MetricsSnapshot::default());
    assert_eq!(rig.controller.waiting_signals(), 0);
}

#[test]
fn the_count_of_signals_before_a_due_poll_outlives_the_actions_they_cause() {
    let settings = Settings { signals_before_timer: 3, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": lambda("no-sync", json!({ "scale_up_cooloff_ms": 0 })) }));
    let mut step = rig.at(299_999).signal(2);
    for _ in 0..5 {
        let _ = rig.signal(2);
    }
    let mut done = Vec::new();
    rig.at(300_000);
    for _ in 0..4 {
        step = rig.finish(&step);
        done.extend(doings(&step));
    }
    assert_eq!(done, ["invoke a 1", "invoke a 1", "invoke a 1", "poll"]);
}

#[test]
fn every_poll_waits_for_as_many_signals_anew() {
    let settings = Settings { signals_before_timer: 2, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync() }));
    for due in [300_000, 360_000] {
        let invoke = rig.at(due - 1000).signal(2);
        for _ in 0..3 {
            let _ = rig.give(Input::TaskAdd(sync_add(2)));
        }
        let poll = rig.at(due).finish(&invoke);
        assert_eq!((doings(&poll), rig.controller.waiting_signals()), (vec!["poll".to_owned()], 1));
        let _ = rig.answer(&poll, MetricsSnapshot::default());
    }
}

#[test]
fn the_queue_holds_so_many_signals_and_counts_the_others() {
    let settings = Settings { max_waiting_signals: 3, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync() }));
    let invoke = rig.signal(2);
    for _ in 0..5 {
        let _ = rig.signal(2);
    }
    assert_eq!((rig.controller.waiting_signals(), rig.controller.dropped_signals()), (3, 2));
    assert_eq!(rig.controller.dump().wci.dropped_signals, 2);
    let _ = rig.finish(&invoke);
    assert_eq!(rig.controller.waiting_signals(), 0, "the others had their turn: a cooldown held them back");
}

#[test]
fn a_smaller_queue_drops_the_newest() {
    let mut rig = rig();
    let _ = rig.signal(2);
    for task_type in [1, 2, 3] {
        let _ = rig.signal(task_type);
    }
    let smaller = Settings { max_waiting_signals: 2, ..Settings::default() };
    let _ = rig.give(Input::SettingsChanged(Box::new(smaller)));
    let left = rig.controller.dump().pending_task_add_signals;
    let types: Vec<_> = left.iter().map(|add| add.task_queue_type.number()).collect();
    assert_eq!((types, rig.controller.dropped_signals()), (vec![1, 2], 1));
}

#[test]
fn a_signal_that_nobody_serves_causes_nothing() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()) }));
    let step = rig.signal(3);
    assert_eq!((step.actions.len(), step.decisions.len()), (0, 0));
}

#[test]
fn a_disabled_namespace_does_not_scale_on_signals() {
    let settings = Settings { enabled: false, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync() }));
    assert_eq!(doings(&rig.signal(2)), [""; 0]);
    let _ = rig.give(Input::SettingsChanged(Box::default()));
    assert_eq!(doings(&rig.signal(2)), ["invoke a 1"]);
}

#[test]
fn a_resize_is_issued_before_the_deferred_fetch_it_came_with() {
    let mut rig = Rig::new(json!({ "b": worker_set("rate-based", json!({ "initial_count": 2 })) }));
    let size = rig.signal(2);
    assert_eq!(doings(&size), ["size b 3"]);
    assert_eq!(doings(&rig.finish(&size)), ["deferred b"]);
}

#[test]
fn every_decision_names_the_action_it_caused() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let waiting = Some(queue(1, 0.0, 0.0));
    let step = rig.at(300_000).poll(MetricsSnapshot { workflow: waiting, activity: waiting, nexus: None });
    let ids: Vec<_> = step.decisions.iter().map(|decision| decision.action_id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], Some(only(&step).id));
    let later = rig.finish(&step);
    assert_eq!(ids[1], Some(only(&later).id));
    let idle = rig.at(400_000).finish(&later);
    assert_eq!(idle.decisions, []);
    let quiet = rig.at(500_000).poll(MetricsSnapshot::default());
    assert!(quiet.decisions.iter().all(|decision| decision.action_id.is_none()), "{:?}", quiet.decisions);
}

#[test]
fn a_throttled_signal_is_counted_in_its_decision() {
    let mut rig = rig();
    let invoke = rig.signal(2);
    let _ = rig.at(10).finish(&invoke);
    let many = TaskAdd { no_sync_match_signals_batched: 7, ..add(2) };
    let step = rig.at(20).give(Input::TaskAdd(many));
    assert_eq!((doings(&step), step.decisions[0].throttled), (vec![], 7));
}

#[test]
fn answers_with_an_unknown_id_change_nothing() {
    let mut rig = rig();
    let invoke = rig.signal(2);
    let _ = rig.signal(2);
    let before = rig.controller.dump();
    let unknown = crate::decision::ActionId(99);
    let failure = Failure { class: FailureClass::Denied, message: "no".to_owned() };
    for input in [
        Input::Metrics { id: unknown, result: Ok(activity(9)) },
        Input::ActionFinished { id: unknown, result: Err(FailureClass::Denied) },
        Input::SpecChecked { id: unknown, result: Err(failure.clone()) },
        Input::Registered { id: unknown, result: Err(failure) },
        // The right number, but no answer to an invocation.
        Input::Metrics { id: only(&invoke).id, result: Ok(activity(9)) },
        Input::SpecChecked { id: only(&invoke).id, result: Ok(()) },
        Input::Observation { group: "nobody".into(), observation: Observation::default() },
    ] {
        let step = rig.give(input);
        assert_eq!((step.actions.len(), step.decisions.len()), (0, 0));
        assert_eq!(rig.controller.dump(), before);
    }
}

#[test]
fn a_poll_is_answered_by_statistics_not_by_success() {
    let mut rig = rig();
    let fetch = rig.at(300_000).wake();
    let _ = rig.finish(&fetch);
    assert!(!rig.controller.is_idle());
    let _ = rig.answer(&fetch, activity(0));
    assert!(rig.controller.is_idle());
}

#[test]
fn no_new_action_is_issued_once_continue_as_new_is_wanted() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let fetch = rig.at(300_000).wake();
    let step = rig.give(Input::ContinueWanted);
    assert_eq!((doings(&step), rig.controller.is_idle()), (vec![], false));
    let waiting = Some(queue(1, 0.0, 0.0));
    let step = rig.answer(&fetch, MetricsSnapshot { workflow: waiting, activity: waiting, nexus: None });
    assert_eq!((doings(&step), step.decisions.len()), (vec![], 2));
    assert!(rig.controller.is_idle());
    for input in [Input::WokeUp, Input::TaskAdd(add(2)), Input::WokeUp] {
        assert_eq!(doings(&rig.at(999_000).give(input)), [""; 0]);
    }

    let now = Timestamp::from_millis(rig.now);
    let state = rig.controller.dump();
    let (controller, step) = Controller::start(version(), Settings::default(), state, now);
    assert_eq!((doings(&step), step.wake_at), (vec![], Some(now)));
    let mut next = Rig { controller, now: rig.now, start: step };
    let step = next.wake();
    assert_eq!(doings(&step), ["invoke a 1"], "what was decided is issued by the next run");
    assert_eq!(doings(&next.finish(&step)), ["invoke b 1"]);
    assert_eq!(next.controller.waiting_signals(), 1);
}

#[test]
fn what_a_poll_left_to_the_next_run_of_the_original_moves_no_timer() {
    let mut rig = rig();
    let fetch = rig.at(300_000).wake();
    let _ = rig.give(Input::ContinueWanted);
    let _ = rig.answer(&fetch, activity(1));
    let mut next = Rig::from_state(Settings::like_go(), rig.controller.dump());
    let invoke = next.wake();
    assert_eq!(doings(&invoke), ["invoke a 1"]);
    assert_eq!(wakes(&next.at(1000).finish(&invoke)), 300_000);
}

#[test]
fn signals_that_waited_are_taken_by_the_next_run() {
    let mut rig = rig();
    let _ = rig.give(Input::ContinueWanted);
    assert_eq!(doings(&rig.signal(2)), [""; 0]);
    let state = rig.controller.dump();
    let (mut controller, _) =
        Controller::start(version(), Settings::default(), state, Timestamp::from_millis(START));
    let step = controller.handle(Timestamp::from_millis(START), Input::WokeUp);
    assert_eq!(doings(&step), ["invoke a 1"]);
}

#[test]
fn a_wait_names_a_later_time_while_the_controller_lives() {
    let mut rig = rig();
    let mut step = rig.start.clone();
    for _ in 0..5 {
        rig.now = step.wake_at.unwrap().as_millis().max(rig.now);
        let woken = rig.wake();
        assert!(woken.wake_at.unwrap().as_millis() > rig.now);
        step = match woken.actions.is_empty() {
            true => woken,
            false => rig.answer(&woken, activity(0)),
        };
    }
}
