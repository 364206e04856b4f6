//! States on the wire: recorded ones, damaged ones, those of other releases.

use super::*;
use crate::decision::ActionId;

/// A state as release 0.1.0 wrote it, with everything in it that a state can hold.
const RECORDED: &str = include_str!("../../../tests/states/0.1.0.json");

fn read(value: Value) -> State {
    serde_json::from_value(value).unwrap()
}

fn written(state: &State) -> Value {
    serde_json::to_value(state).unwrap()
}

fn full() -> Value {
    serde_json::from_str(RECORDED).unwrap()
}

fn resumed(state: State) -> Controller {
    Controller::resume(version(), Settings::default(), state)
}

#[test]
fn the_state_that_0_1_0_wrote_is_read_without_loss() {
    let state = read(full());
    assert_eq!(written(&state), full());
    assert_eq!(written(&resumed(state).dump()), full());
}

#[test]
fn the_state_of_0_1_0_has_every_field() {
    let state = read(full());
    let wci = &state.wci;
    assert!(state.spec.is_some() && state.validation_state.is_some() && state.create_time.is_some());
    assert!(!state.pending_task_add_signals.is_empty() && !state.unknown.is_empty());
    assert!(wci.in_flight.is_some() && wci.update.is_some() && wci.periodic_check.is_some());
    assert!(!wci.waiting_actions.is_empty() && !wci.validations.is_empty() && !wci.unknown.is_empty());
    assert!(!wci.failed_sizes.is_empty() && !wci.observations.is_empty() && !wci.groups_to_start.is_empty());
    assert!(wci.last_reading.is_some());
    assert!(wci.poll_interval.is_some() && wci.signals_since_due > 0 && wci.is_continue_wanted);
}

#[test]
fn a_new_state_has_the_originals_form() {
    let state =
        State::new(Some(spec(json!({ "a": lambda("no-sync", json!({})) }))), Timestamp::from_millis(1500));
    let value = written(&state);
    let names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["create_time", "scaling_state", "spec", "wci"]);
    assert_eq!(value["create_time"], json!({ "seconds": 1, "nanos": 500_000_000 }));
}

#[test]
fn a_state_of_the_original_gets_along_without_ours() {
    let state = read(json!({
        "spec": { "scaling_group_specs": { "a": lambda("no-sync", json!({ "scale_up_cooloff_ms": "100" })) } },
        "scaling_state": { "a": { "last_scale_up_time_ms": START - 5 } },
        "conflict_token": "AQ==",
        "create_time": { "seconds": 1_700_000_000 },
    }));
    let mut rig = Rig::from_state(Settings::default(), state);
    assert_eq!(wakes(&rig.start), 300_000);
    assert_eq!(doings(&rig.signal(2)), [""; 0], "its cooldown goes on");
    assert_eq!(doings(&rig.at(95).signal(2)), ["invoke a 1"]);
    assert_eq!(rig.controller.describe().conflict_token, "AQ==");
}

#[test]
fn every_damaged_field_costs_only_itself() {
    let damage =
        [json!(null), json!(7), json!("x"), json!([1, null, {}]), json!({ "a": [], "id": -1 }), json!(1e300)];
    let whole = written(&read(full()));
    for place in ["", "wci"] {
        let fields = if place.is_empty() { &whole } else { &whole[place] };
        for name in fields.as_object().unwrap().keys() {
            for value in &damage {
                let mut damaged = full();
                let target = if place.is_empty() { &mut damaged } else { &mut damaged[place] };
                target[name] = value.clone();
                let read_back = written(&resumed(read(damaged)).dump());
                assert_others_kept(&whole, &read_back, place, name);
            }
        }
    }
}

/// Asserts that nothing changed but the damaged field and what depends on it.
fn assert_others_kept(whole: &Value, read_back: &Value, place: &str, name: &str) {
    let depends = match (place, name) {
        // Without a spec there are no groups, and no use for what belongs to them.
        ("", "spec") => &["waiting_actions", "failed_sizes", "observations", "groups_to_start"][..],
        // The counter stays above every number given.
        ("wci", "next_action_id") => &["next_action_id"],
        _ => &[],
    };
    let skipped = |key: &str| key == name || depends.contains(&key) || key == "wci";
    let maps = [(whole, read_back), (&whole["wci"], &read_back["wci"])];
    for (before, after) in maps.into_iter().take(if name == "wci" { 1 } else { 2 }) {
        for (key, value) in before.as_object().unwrap().iter().filter(|(key, _)| !skipped(key)) {
            assert_eq!(after.get(key), Some(value), "{place}.{name} damaged, {key} lost");
        }
    }
}

#[test]
fn damaged_entries_of_lists_and_maps_cost_only_themselves() {
    let state = read(json!({
        "scaling_state": { "a": { "x": 1 }, "b": 5 },
        "pending_task_add_signals": [null, { "task_queue_type": 2 }, { "task_queue_type": 99 }, 3],
        "wci": { "failed_sizes": { "a": -1, "b": 2 }, "validations": [{}, { "request_id": "v", "action_id": 1 }] },
    }));
    assert_eq!(state.scaling_state.len(), 1);
    assert_eq!(state.pending_task_add_signals.len(), 1);
    assert_eq!((state.wci.failed_sizes.len(), state.wci.validations.len()), (1, 1));
}

#[test]
fn what_is_no_object_is_an_empty_state() {
    for value in [json!(null), json!(5), json!([]), json!("state")] {
        assert_eq!(read(value), State::default());
    }
}

#[test]
fn a_spec_that_cannot_be_read_is_carried_along_until_an_update_replaces_it() {
    let later = json!({ "scaling_group_specs": { "a": lambda("telepathy", json!({})) } });
    let value = json!({ "spec": later, "scaling_state": { "a": { "thought": 1 } } });
    let mut rig = Rig::from_state(Settings::default(), read(value));
    let dumped = written(&rig.controller.dump());
    assert_eq!((&dumped["spec"], &dumped["scaling_state"]["a"]), (&later, &json!({ "thought": 1 })));
    assert_eq!(rig.controller.spec(), None);
    let change = Update {
        spec: Some(json!({ "scaling_group_specs": { "b": lambda("no-sync", json!({})) } })),
        ..Update::default()
    };
    let check = rig.request("u", Request::Update(change));
    let register = rig.give(Input::SpecChecked { id: only(&check).id, result: Ok(()) });
    let _ = rig.give(Input::Registered { id: only(&register).id, result: Ok(vec![]) });
    let dumped = rig.controller.dump();
    assert_eq!((dumped.unreadable_spec, dumped.scaling_state.len()), (None, 1));
}

#[test]
fn action_numbers_never_repeat_after_a_restart() {
    let mut state = read(full());
    state.wci.next_action_id = 0;
    let largest = state.wci.waiting_actions.iter().map(|planned| planned.action.id).max().unwrap();
    assert!(resumed(state).dump().wci.next_action_id > largest.0);
}

#[test]
fn absurd_action_numbers_count_as_damage() {
    let mut state = read(full());
    state.wci.next_action_id = u64::MAX;
    state.wci.in_flight.as_mut().unwrap().action.id = ActionId(u64::MAX);
    let wci = resumed(state).dump().wci;
    assert_eq!(wci.in_flight, None);
    assert!(wci.next_action_id < 1 << 53);
}

#[test]
fn statistics_whose_rates_are_no_numbers_count_as_damage() {
    for damage in [json!(null), json!(1e300)] {
        let mut value = full();
        value["wci"]["last_reading"]["metrics"]["activity"]["last_arrival_rate"] = damage;
        assert_eq!(resumed(read(value)).dump().wci.last_reading, None);
    }
}

#[test]
fn a_poll_that_was_lost_track_of_comes_within_five_minutes() {
    let mut state = Rig::new(json!({ "a": lambda("no-sync", json!({})) })).controller.dump();
    state.wci.next_poll_at = None;
    let step = resumed(state).handle(Timestamp::from_millis(START), Input::WokeUp);
    assert_eq!(wakes(&step), 300_000);
}

#[test]
fn a_poll_in_flight_when_the_state_was_taken_counts_as_failed() {
    let mut rig = Rig::new(json!({ "a": lambda("no-sync", json!({})) }));
    let _ = rig.at(300_000).wake();
    let next = Rig::from_state(Settings::default(), rig.controller.dump());
    assert_eq!((doings(&next.start), wakes(&next.start)), (vec![], 300_000));
    assert!(next.controller.is_idle());
}

#[test]
fn a_resumed_controller_goes_on_where_the_dumped_one_was() {
    let mut rig = Rig::new(json!({ "b": worker_set("rate-based", json!({ "initial_count": 2 })) }));
    let size = rig.signal(2);
    let _ = rig.at(300_000).signal(2);
    let mut resumed =
        Rig { controller: resumed(rig.controller.dump()), now: rig.now, start: Step::default() };
    let deferred = rig.at(300_500).finish(&size);
    assert_eq!(resumed.at(300_500).finish(&size), deferred);
    assert_eq!(doings(&deferred), ["deferred b"]);
    assert_eq!(resumed.answer(&deferred, activity(3)), rig.answer(&deferred, activity(3)));
    assert_eq!(resumed.controller.dump(), rig.controller.dump());
}
