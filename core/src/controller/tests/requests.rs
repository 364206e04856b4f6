//! Updates, validations, deletions and the periodic check of the spec.

use super::*;
use crate::decision::Launch;

fn no_sync() -> Value {
    lambda("no-sync", json!({}))
}

fn rig() -> Rig {
    Rig::new(json!({ "a": no_sync() }))
}

/// An update to a whole new spec with these groups.
fn whole(groups: Value) -> Update {
    Update {
        identity: "ann".to_owned(),
        spec: Some(json!({ "scaling_group_specs": groups })),
        ..Update::default()
    }
}

fn removal(group: &str) -> Update {
    Update { remove_scaling_groups: vec![group.to_owned()], ..Update::default() }
}

fn with_token(update: Update, token: &str) -> Update {
    Update { conflict_token: Some(token.to_owned()), ..update }
}

fn delete() -> Request {
    Request::Delete { identity: String::new(), conflict_token: None }
}

fn checked(step: &Step, result: Result<(), Failure>) -> Input {
    Input::SpecChecked { id: only(step).id, result }
}

fn registered(step: &Step, groups: &[&str]) -> Input {
    Input::Registered { id: only(step).id, result: Ok(groups.iter().map(|name| (*name).into()).collect()) }
}

fn failure(class: FailureClass) -> Failure {
    Failure { class, message: "the role cannot be assumed".to_owned() }
}

/// Carries an update through; the registration launches these groups.
fn update(rig: &mut Rig, update: Update, launched: &[&str]) -> Step {
    let check = rig.request("u", Request::Update(update));
    assert_eq!(doings(&check), ["check"]);
    let register = rig.give(checked(&check, Ok(())));
    let done = registered(&register, launched);
    rig.give(done)
}

fn refusal(step: &Step) -> Refusal {
    match &only(step).kind {
        ActionKind::Answer { response, .. } => match &**response {
            Response::Refused(refusal) => refusal.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn token(rig: &Rig) -> String {
    rig.controller.describe().conflict_token
}

#[test]
fn an_update_is_checked_registered_stored_and_answered() {
    let mut rig = rig();
    let check = rig.at(1000).request("u", Request::Update(whole(json!({ "b": no_sync() }))));
    assert_eq!(doings(&check), ["check"]);
    let register = rig.at(2000).give(checked(&check, Ok(())));
    assert_eq!(doings(&register), ["register b InvokeWorker(1)"]);
    assert!(
        rig.controller.spec().unwrap().group("a").is_some(),
        "nothing is stored before the workers registered"
    );
    let step = rig.at(3000).give(registered(&register, &["b"]));
    assert_eq!(doings(&step), ["u updated", "poll"]);
    let description = rig.controller.describe();
    assert_eq!(description.last_modifier_identity, "ann");
    assert!(description.spec.unwrap().group("b").is_some());
    let validation = description.validation_state.unwrap();
    assert_eq!(validation.status, "success");
    assert_eq!(
        validation.last_validation_time, "2023-11-14T22:13:21Z",
        "the check began one second after the start"
    );
}

#[test]
fn a_registration_names_the_effective_types_and_the_planned_size() {
    let mut rig = rig();
    let groups = json!({
        "rest": worker_set("rate-based", json!({ "initial_count": 5, "max_count": 9 })),
        "small": serving(&[2], worker_set("rate-based", json!({}))),
    });
    let check = rig.request("u", Request::Update(whole(groups)));
    let register = rig.give(checked(&check, Ok(())));
    let ActionKind::RegisterTaskQueues { groups } = &only(&register).kind else { panic!("{register:?}") };
    let types = |index: usize| groups[index].task_types.iter().map(|t| t.number()).collect::<Vec<_>>();
    assert_eq!((types(0), groups[0].launch), (vec![1, 3], Launch::SetWorkerSetSize(5)));
    assert_eq!(
        (types(1), groups[1].launch),
        (vec![2], Launch::SetWorkerSetSize(1)),
        "at least one worker registers"
    );
}

#[test]
fn only_a_size_that_was_launched_is_remembered() {
    let groups = json!({
        "a": serving(&[1], worker_set("rate-based", json!({}))),
        "b": serving(&[2], worker_set("rate-based", json!({}))),
    });
    let mut rig = rig();
    let _ = update(&mut rig, whole(groups), &["b"]);
    let states = rig.controller.dump().scaling_state;
    assert_eq!(states["b"]["worker_count"], json!(1));
    assert_ne!(states["a"].get("worker_count"), Some(&json!(1)));
}

#[test]
fn state_survives_an_update_that_keeps_the_kind_of_algorithm() {
    let mut rig = Rig::new(json!({ "a": no_sync(), "b": serving(&[1], no_sync()) }));
    let step = rig.signal(2);
    let _ = rig.finish(&step);
    let before = rig.controller.dump().scaling_state["a"].clone();
    assert!(before.contains_key("last_scale_up_time_ms"));
    let changed = json!({ "a": lambda("no-sync", json!({ "scale_up_cooloff_ms": 7 })) });
    let _ = update(&mut rig, whole(changed), &[]);
    let states = rig.controller.dump().scaling_state;
    assert_eq!(states["a"], before);
    assert!(!states.contains_key("b"), "a removed group leaves nothing behind");
}

#[test]
fn state_does_not_survive_another_kind_of_algorithm() {
    let mut rig = rig();
    let step = rig.signal(2);
    let _ = rig.finish(&step);
    let _ = update(&mut rig, whole(json!({ "a": lambda("backlog", json!({})) })), &[]);
    let state = &rig.controller.dump().scaling_state["a"];
    assert!(!state.contains_key("last_scale_up_time_ms"), "{state:?}");
}

#[test]
fn a_changed_group_is_told_that_it_starts_again() {
    let fixed = |count: u32| worker_set("fixed", json!({ "count": count }));
    let mut rig = Rig::new(json!({ "a": fixed(3) }));
    let step = rig.wake();
    let _ = rig.finish(&step);
    let step = update(&mut rig, whole(json!({ "a": fixed(5) })), &[]);
    assert_eq!(doings(&step), ["u updated", "size a 5"]);
    let step = rig.finish(&Step { actions: step.actions[1..].to_vec(), ..Step::default() });
    assert_eq!(doings(&step), ["poll"]);
}

#[test]
fn a_group_that_has_not_started_yet_starts_after_an_update_too() {
    let fixed = |task_type: u8| serving(&[task_type], worker_set("fixed", json!({})));
    let groups = json!({ "a": fixed(1), "b": fixed(2) });
    let mut rig = Rig::new(groups.clone());
    let size = rig.wake();
    assert_eq!(doings(&size), ["size a 1"]);
    let _ = update(&mut rig, whole(groups), &[]);
    assert_eq!(doings(&rig.finish(&size)), ["size b 1"]);
}

#[test]
fn a_size_that_could_not_be_set_is_forgotten_when_its_target_changes() {
    let mut rig = Rig::new(json!({ "a": worker_set("rate-based", json!({ "initial_count": 2 })) }));
    let size = rig.signal(2);
    let deferred = rig.fail(&size, FailureClass::Unavailable);
    let _ = rig.answer(&deferred, MetricsSnapshot::default());
    let failed = |rig: &Rig| rig.controller.dump().wci.failed_sizes.len();
    let _ =
        update(&mut rig, whole(json!({ "a": worker_set("rate-based", json!({ "initial_count": 1 })) })), &[]);
    assert_eq!(failed(&rig), 1, "the target is the same");
    let mut moved = worker_set("rate-based", json!({ "initial_count": 1 }));
    moved["compute"]["config"] = json!({ "namespace": "elsewhere" });
    let mut launched = Rig::from_state(Settings::default(), rig.controller.dump());
    let _ = update(&mut rig, whole(json!({ "a": moved })), &[]);
    assert_eq!(failed(&rig), 0);
    let _ = update(&mut launched, whole(json!({ "a": worker_set("rate-based", json!({})) })), &["a"]);
    assert_eq!(failed(&launched), 0, "the registration has just set a size");
}

#[test]
fn an_update_counts_as_a_validation() {
    let mut rig = rig();
    let _ = update(rig.at(5000), whole(json!({ "b": no_sync() })), &[]);
    let due = rig.controller.dump().wci.next_validation_at;
    assert_eq!(due, Some(Timestamp::from_millis(START + 5000 + INTERVAL)));
}

#[test]
fn the_poll_after_an_update_is_an_improvement_that_can_be_off() {
    let mut rig = Rig::with(Settings::like_go(), json!({ "a": no_sync() }));
    let step = update(rig.at(5000), whole(json!({ "b": no_sync() })), &["b"]);
    assert_eq!((doings(&step), wakes(&step)), (vec!["u updated".to_owned()], 300_000));
}

#[test]
fn a_poll_under_way_during_an_update_is_followed_by_another_one() {
    let mut rig = rig();
    let fetch = rig.at(300_000).wake();
    let step = update(&mut rig, whole(json!({ "b": no_sync() })), &[]);
    assert_eq!(doings(&step), ["u updated"]);
    assert_eq!(doings(&rig.answer(&fetch, activity(0))), ["poll"]);
}

#[test]
fn an_accepted_update_changes_the_token() {
    let mut rig = rig();
    let first = token(&rig);
    let step = update(&mut rig, with_token(whole(json!({ "b": no_sync() })), &first), &[]);
    let ActionKind::Answer { response, .. } = &step.actions[0].kind else { panic!("{step:?}") };
    let Response::Updated { conflict_token, .. } = &**response else { panic!("{response:?}") };
    assert_eq!(*conflict_token, token(&rig));
    assert_ne!(token(&rig), first);
    let stale = Request::Update(with_token(whole(json!({ "c": no_sync() })), &first));
    assert_eq!(rig.controller.admit(&stale).unwrap_err().kind, RefusalKind::FailedPrecondition);
}

#[test]
fn the_original_keeps_the_callers_token() {
    let mut rig = Rig::with(Settings::like_go(), json!({ "a": no_sync() }));
    let first = token(&rig);
    let _ = update(&mut rig, with_token(whole(json!({ "b": no_sync() })), &first), &[]);
    assert_eq!(token(&rig), first);
    let _ = update(&mut rig, whole(json!({ "c": no_sync() })), &[]);
    assert_eq!(token(&rig), first);
}

#[test]
fn tokens_are_compared_as_bytes_and_an_empty_one_is_none() {
    let state = State { conflict_token: "AAA=".to_owned(), ..State::new(None, Timestamp::EPOCH) };
    let rig = Rig::from_state(Settings::default(), state);
    let admitted = |token: &str| {
        rig.controller.admit(&Request::Update(with_token(whole(json!({ "b": no_sync() })), token))).is_ok()
    };
    assert!(admitted("AAA=") && admitted(""));
    assert!(!admitted("AAE=") && !admitted("nonsense"));
}

#[test]
fn deletion_honours_the_token_too() {
    let rig = rig();
    let with = |token: String| Request::Delete { identity: String::new(), conflict_token: Some(token) };
    assert!(rig.controller.admit(&with(token(&rig))).is_ok());
    let refused = rig.controller.admit(&with("AAE=".to_owned())).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::FailedPrecondition);
    let original = Rig::with(Settings::like_go(), json!({ "a": no_sync() }));
    assert!(original.controller.admit(&with("AAE=".to_owned())).is_ok());
}

#[test]
fn one_update_at_a_time() {
    let mut rig = rig();
    let _ = rig.request("first", Request::Update(whole(json!({ "b": no_sync() }))));
    let second = Request::Update(whole(json!({ "c": no_sync() })));
    assert_eq!(rig.controller.admit(&second).unwrap_err().kind, RefusalKind::FailedPrecondition);
    assert_eq!(doings(&rig.request("second", second)), ["second refused FailedPrecondition"]);
    assert!(rig.controller.dump().wci.update.is_some_and(|change| change.request_id == "first"));
}

#[test]
fn invalid_changes_are_refused_by_kind() {
    let rig = rig();
    let refused = |update: Update| rig.controller.admit(&Request::Update(update)).unwrap_err();
    assert_eq!(refused(Update::default()).kind, RefusalKind::FailedPrecondition);
    assert!(refused(Update::default()).message.contains("no change found"));
    let unknown = refused(whole(json!({ "b": lambda("no-sync", json!({ "nonsense": 1 })) })));
    assert_eq!(unknown.kind, RefusalKind::InvalidArgument);
    assert!(unknown.message.contains("nonsense"), "{}", unknown.message);
    assert_eq!(refused(whole(json!({}))).kind, RefusalKind::InvalidArgument);
    let local = refused(whole(json!({ "b": group("subprocess", "no-sync", json!({})) })));
    assert_eq!(local.kind, RefusalKind::InvalidArgument);
}

#[test]
fn a_disabled_namespace_takes_no_updates_but_deletions() {
    let settings = Settings { enabled: false, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync() }));
    let change = whole(json!({ "b": no_sync() }));
    for request in [Request::Update(change.clone()), Request::Validate(change)] {
        assert_eq!(doings(&rig.request("r", request)), ["r refused FailedPrecondition"]);
    }
    assert_eq!(doings(&rig.request("d", delete())), ["d deleted", "finish"]);
}

#[test]
fn a_refused_check_or_registration_stores_nothing() {
    for class in [FailureClass::Denied, FailureClass::Throttled, FailureClass::Unavailable] {
        let mut rig = rig();
        let before = (rig.controller.describe(), rig.controller.dump().scaling_state);
        let check = rig.request("u", Request::Update(whole(json!({ "b": no_sync() }))));
        let step = rig.give(checked(&check, Err(failure(class))));
        assert_eq!(refusal(&step).message, "the role cannot be assumed");
        assert_eq!(refusal(&step).kind == RefusalKind::InvalidArgument, class == FailureClass::Denied);
        let check = rig.request("v", Request::Update(whole(json!({ "b": no_sync() }))));
        let register = rig.give(checked(&check, Ok(())));
        let id = only(&register).id;
        let step = rig.give(Input::Registered { id, result: Err(failure(class)) });
        assert_ne!(refusal(&step).kind, RefusalKind::InvalidArgument);
        assert_eq!((rig.controller.describe(), rig.controller.dump().scaling_state), before);
        assert!(rig.controller.is_idle());
    }
}

#[test]
fn updates_do_not_wait_for_actions_and_drop_those_of_removed_groups() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let waiting = Some(queue(1, 0.0, 0.0));
    let step = rig.at(300_000).poll(MetricsSnapshot { workflow: waiting, activity: waiting, nexus: None });
    assert_eq!(doings(&step), ["invoke a 1"]);
    let stored = update(&mut rig, removal("b"), &[]);
    assert_eq!(doings(&stored), ["u updated"]);
    let step = rig.finish(&step);
    assert_eq!(doings(&step), ["poll"], "the invocation of b is gone, the poll after the update is due");
}

#[test]
fn an_action_of_a_group_that_launches_in_another_way_now_is_dropped() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let waiting = Some(queue(1, 0.0, 0.0));
    let step = rig.at(300_000).poll(MetricsSnapshot { workflow: waiting, activity: waiting, nexus: None });
    let changed =
        json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], worker_set("rate-based", json!({}))) });
    let _ = update(&mut rig, whole(changed), &[]);
    assert_eq!(doings(&rig.finish(&step)), ["poll"]);
}

#[test]
fn the_answer_to_an_action_of_a_removed_group_frees_the_way() {
    let mut rig = Rig::new(json!({ "a": serving(&[2], no_sync()), "b": serving(&[1], no_sync()) }));
    let invoke = rig.signal(1);
    let _ = update(&mut rig, removal("b"), &[]);
    assert_eq!(doings(&rig.fail(&invoke, FailureClass::Denied)), ["poll"]);
    let validation = rig.controller.describe().validation_state.unwrap();
    assert_eq!(validation.status, "success", "and says nothing about the new spec");
}

#[test]
fn an_update_that_leaves_no_group_deletes() {
    let mut rig = rig();
    let step = rig.request("u", Request::Update(removal("a")));
    assert_eq!(doings(&step), ["u updated to nothing", "finish"]);
    assert_eq!(step.wake_at, None);
    assert!(rig.controller.is_deleted());
}

#[test]
fn a_deleted_controller_does_nothing_and_says_so() {
    let mut rig = rig();
    let invoke = rig.signal(2);
    let _ = rig.request("u", Request::Update(whole(json!({ "b": no_sync() }))));
    let _ = rig.request("v", Request::Validate(whole(json!({ "b": no_sync() }))));
    let step = rig.request("d", delete());
    assert_eq!(doings(&step), ["u refused Deleted", "v refused Deleted", "d deleted", "finish"]);
    for input in [
        Input::WokeUp,
        Input::TaskAdd(add(2)),
        Input::ActionFinished { id: only(&invoke).id, result: Ok(()) },
    ] {
        assert_eq!(rig.at(900_000).give(input), Step::default());
    }
    assert_eq!(doings(&rig.request("again", delete())), ["again deleted"], "missing is fine");
    let late = rig.request("late", Request::Update(whole(json!({ "b": no_sync() }))));
    assert_eq!(refusal(&late).kind, RefusalKind::Deleted);
}

#[test]
fn a_deleted_controller_that_is_started_again_finishes() {
    let mut rig = rig();
    let _ = rig.request("d", delete());
    let again = Rig::from_state(Settings::default(), rig.controller.dump());
    assert_eq!((doings(&again.start), again.start.wake_at), (vec!["finish".to_owned()], None));
}

#[test]
fn a_validation_checks_and_stores_nothing() {
    let mut rig = rig();
    let before = rig.controller.describe();
    let first = rig.request("v", Request::Validate(whole(json!({ "b": no_sync() }))));
    let second = rig.request("w", Request::Validate(whole(json!({ "c": no_sync() }))));
    assert_eq!((doings(&first), doings(&second)), (vec!["check".to_owned()], vec!["check".to_owned()]));
    assert_eq!(doings(&rig.give(checked(&second, Ok(())))), ["w valid"]);
    let step = rig.give(checked(&first, Err(failure(FailureClass::NotFound))));
    assert_eq!(refusal(&step).kind, RefusalKind::InvalidArgument);
    assert_eq!(rig.controller.describe(), before);
    assert_eq!(doings(&rig.request("x", Request::Validate(removal("a")))), ["x valid"]);
    assert!(!rig.controller.is_deleted());
}

#[test]
fn requests_are_refused_once_continue_as_new_is_wanted() {
    let mut rig = rig();
    let check = rig.request("u", Request::Update(whole(json!({ "b": no_sync() }))));
    let _ = rig.give(Input::ContinueWanted);
    let change = whole(json!({ "c": no_sync() }));
    for request in [Request::Update(change.clone()), Request::Validate(change), delete()] {
        assert_eq!(rig.controller.admit(&request).unwrap_err().kind, RefusalKind::LongHistory);
    }
    let step = rig.give(checked(&check, Ok(())));
    assert_eq!(refusal(&step).kind, RefusalKind::LongHistory, "no registration begins any more");
    assert!(rig.controller.is_idle());
}

#[test]
fn a_registration_under_way_is_carried_to_its_end_before_continue_as_new() {
    let mut rig = rig();
    let check = rig.request("u", Request::Update(whole(json!({ "b": no_sync() }))));
    let register = rig.give(checked(&check, Ok(())));
    let _ = rig.give(Input::ContinueWanted);
    let step = rig.give(registered(&register, &["b"]));
    assert_eq!(doings(&step), ["u updated"], "and the poll is left to the next run");
    assert!(rig.controller.is_idle());
    let mut next = Rig::from_state(Settings::default(), rig.controller.dump());
    assert_eq!(doings(&next.wake()), ["poll"]);
}

#[test]
fn requests_under_way_during_a_restart_are_answered() {
    let mut rig = rig();
    let _ = rig.request("u", Request::Update(whole(json!({ "b": no_sync() }))));
    let _ = rig.request("v", Request::Validate(whole(json!({ "b": no_sync() }))));
    let next = Rig::from_state(Settings::default(), rig.controller.dump());
    assert_eq!(doings(&next.start), ["u refused FailedPrecondition", "v refused FailedPrecondition"]);
    assert!(next.controller.is_idle());
}

const INTERVAL: i64 = 21_600_000;

#[test]
fn the_spec_is_validated_every_six_hours_beside_everything_else() {
    let mut rig = rig();
    let fetch = rig.at(300_000).wake();
    let step = rig.at(INTERVAL).wake();
    assert_eq!(doings(&step), ["check"], "it does not wait for the fetch under way");
    assert_eq!(wakes(&step), 2 * INTERVAL);
    let _ = rig.at(INTERVAL + 500).give(checked(&step, Err(failure(FailureClass::Denied))));
    let validation = rig.controller.describe().validation_state.unwrap();
    assert_eq!((&*validation.status, &*validation.err_message), ("failed", "the role cannot be assumed"));
    assert_eq!(validation.last_validation_time, "2023-11-15T04:13:20Z");
    let _ = rig.answer(&fetch, activity(0));
    let step = rig.at(2 * INTERVAL).wake();
    let _ = rig.give(Input::SpecChecked { id: step.actions[0].id, result: Ok(()) });
    assert_eq!(rig.controller.describe().validation_state.unwrap().status, "success");
}

#[test]
fn what_may_pass_does_not_flap_the_validation_state() {
    for class in [FailureClass::Throttled, FailureClass::Unavailable] {
        let mut rig = rig();
        let _ = update(&mut rig, whole(json!({ "b": no_sync() })), &[]);
        let before = rig.controller.describe().validation_state;
        let step = rig.at(INTERVAL + 60_000).wake();
        let id = step.actions.iter().find(|a| matches!(a.kind, ActionKind::CheckSpec { .. })).unwrap().id;
        let _ = rig.give(Input::SpecChecked { id, result: Err(failure(class)) });
        assert_eq!(rig.controller.describe().validation_state, before);
    }
}

#[test]
fn the_next_validations_time_survives_a_restart() {
    let rig = rig();
    let state = rig.controller.dump();
    let now = Timestamp::from_millis(START + INTERVAL / 2);
    let (controller, _) = Controller::start(version(), Settings::like_go(), state, now);
    let due = controller.dump().wci.next_validation_at;
    assert_eq!(due, Some(Timestamp::from_millis(START + INTERVAL)));
}

#[test]
fn validation_can_be_off() {
    let settings = Settings { validation_interval: Millis::ZERO, ..Settings::default() };
    let mut rig = Rig::with(settings, json!({ "a": no_sync() }));
    assert_eq!(doings(&rig.at(2 * INTERVAL).wake()), ["poll"]);
    assert_eq!(rig.controller.dump().wci.next_validation_at, None);
}

#[test]
fn the_check_of_a_replaced_spec_says_nothing_about_the_new_one() {
    let mut rig = rig();
    let periodic = rig.at(INTERVAL).wake();
    let id = periodic.actions.iter().find(|a| matches!(a.kind, ActionKind::CheckSpec { .. })).unwrap().id;
    let _ = update(&mut rig, whole(json!({ "b": no_sync() })), &[]);
    let _ = rig.give(Input::SpecChecked { id, result: Err(failure(FailureClass::Denied)) });
    assert_eq!(rig.controller.describe().validation_state.unwrap().status, "success");
}

#[test]
fn a_description_has_the_wires_form() {
    let state = State {
        conflict_token: "AAA=".to_owned(),
        last_modifier_identity: "ann".to_owned(),
        ..State::new(
            Some(spec(
                json!({ "a": serving(&[2], lambda("no-sync", json!({ "scale_up_cooloff_ms": "5" }))) }),
            )),
            Timestamp::from_millis(1500),
        )
    };
    let rig = Rig::from_state(Settings::default(), state);
    let expected = json!({
        "deployment_name": "shop",
        "deployment_build_id": "7",
        "create_time": { "seconds": 1, "nanos": 500_000_000 },
        "spec": { "scaling_group_specs": { "a": {
            "task_types": [2],
            "compute": { "provider_type": "aws-lambda" },
            "scaling": { "scaling_algorithm": "no-sync", "config": { "scale_up_cooloff_ms": "5" } },
        } } },
        "conflict_token": "AAA=",
        "last_modifier_identity": "ann",
    });
    assert_eq!(serde_json::to_value(rig.controller.describe()).unwrap(), expected);
}
