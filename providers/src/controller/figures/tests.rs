//! What each kind of record does to the figures of a process that has seen nothing before.

use super::*;
use serde_json::{Value, json};
use wci_core::Timestamp;

fn version() -> wci_core::controller::WorkerDeploymentVersion {
    wci_core::controller::WorkerDeploymentVersion { deployment_name: "d".into(), build_id: "b".into() }
}

fn state(providers: &[&str], worker_count: i64) -> State {
    let groups: serde_json::Map<String, Value> = providers
        .iter()
        .enumerate()
        .map(|(n, provider)| {
            let config = match *provider {
                "k8s" => json!({"namespace": "n", "deployment": "w"}),
                "aws-ecs" => json!({"cluster": "c", "service": "s", "region": "eu-west-1"}),
                _ => json!({"arn": "arn:aws:lambda:eu-west-1:1:function:f"}),
            };
            let types = [["WORKFLOW"], ["ACTIVITY"], ["NEXUS"]][n];
            let group =
                json!({"task_types": types, "compute": {"provider_type": provider, "config": config}});
            (format!("g{n}"), group)
        })
        .collect();
    let spec = serde_json::from_value(json!({"scaling_group_specs": groups})).unwrap();
    let mut state = State::new(Some(spec), Timestamp::EPOCH);
    let counted = json!({"worker_count": worker_count});
    for n in 0..providers.len() {
        state.scaling_state.insert(format!("g{n}").into(), serde_json::from_value(counted.clone()).unwrap());
    }
    state
}

fn question(state: &State) -> Question {
    let settings = Some(wci_core::controller::Settings::default());
    Question {
        namespace: "n".into(),
        version: version(),
        settings,
        state: state.clone(),
        ..Question::default()
    }
}

fn record(state: &State, input: Value, step: Value) -> Record {
    let entry = json!({"n": 1, "t": 5, "input": input, "step": step});
    Record {
        entries: vec![serde_json::from_value(entry).unwrap()],
        state: state.clone(),
        ..Record::default()
    }
}

fn decision(rule: &str, current: Option<i64>, desired: i64, action_id: Option<u64>) -> Value {
    let inputs = current.map_or_else(|| json!({}), |current| json!({"current_workers": current}));
    json!({"group": "g0", "algorithm": "a", "rule": rule, "inputs": inputs, "desired_workers": desired,
        "action_id": action_id})
}

fn deciding(decisions: &[Value]) -> Value {
    json!({"actions": [], "decisions": decisions, "wake_at": null})
}

/// The lines of a figure, without the labels that are the same for all.
fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
    let start = format!("worker_controller_instance_{name}{{");
    let text = metrics.text();
    let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
    let own = |line: &str| {
        let (labels, value) = line.split_once("} ").unwrap();
        let said = labels.split("\",").map(|label| label.trim_end_matches('"').replace("=\"", "="));
        let said = said.filter(|label| !label.ends_with('='));
        let told: Vec<_> = said
            .filter(|l| {
                !["namespace=n", "worker_deployment_name=d", "worker_build_id=b"].contains(&l.as_str())
            })
            .collect();
        format!("{} {value}", told.join(" ")).trim().to_owned()
    };
    let mut lines: Vec<_> = lines.map(own).collect();
    lines.sort();
    lines
}

fn noted(question: &Question, record: &Record) -> Metrics {
    let metrics = Metrics::default();
    note(&metrics, question, record);
    metrics
}

fn poll() -> Value {
    json!({"metrics": {"id": 1, "result": {"ok": {"activity": {"last_backlog_count": 3, "last_backlog_age": 1500}}}}})
}

#[test]
fn a_process_that_takes_over_a_set_does_not_count_its_size_as_growth() {
    let after = state(&["k8s"], 4);
    let down = deciding(&[decision("offered_load_below", Some(5), 4, Some(7))]);
    let metrics = noted(&question(&state(&["k8s"], 5)), &record(&after, poll(), down));
    assert_eq!(lines(&metrics, "scale_up_count_total"), Vec::<String>::new());
    assert_eq!(lines(&metrics, "target_worker_count"), ["compute_provider=k8s 4"]);
    let up = deciding(&[decision("offered_load_above", Some(4), 6, Some(8))]);
    note(&metrics, &question(&after), &record(&state(&["k8s"], 6), poll(), up));
    let counted = ["compute_provider=k8s scale_up_trigger=poll 1"];
    assert_eq!(lines(&metrics, "scale_up_count_total"), counted);
    assert_eq!(lines(&metrics, "target_worker_count"), ["compute_provider=k8s 6"]);
}

#[test]
fn a_wish_that_a_limit_cut_to_nothing_is_no_scale_up() {
    let state = state(&["aws-lambda"], 0);
    let held = deciding(&[decision("no_sync_match", None, 0, None)]);
    let metrics =
        noted(&question(&state), &record(&state, json!({"task_add": {"task_queue_type": 2}}), held));
    assert_eq!(lines(&metrics, "scale_up_count_total"), Vec::<String>::new());
    assert_eq!(lines(&metrics, "signals_total"), ["1"]);
}

#[test]
fn a_signal_that_waited_for_an_action_to_end_is_still_a_task_add() {
    let state = state(&["aws-lambda"], 0);
    let finished = json!({"action_finished": {"id": 3, "result": {"ok": null}}});
    let up = deciding(&[decision("no_sync_match", None, 1, Some(4))]);
    let metrics = noted(&question(&state), &record(&state, finished, up.clone()));
    note(&metrics, &question(&state), &record(&state, poll(), up));
    let counted = ["compute_provider=aws-lambda scale_up_trigger=task_add 2"];
    assert_eq!(lines(&metrics, "scale_up_count_total"), counted);
}

#[test]
fn deferred_decisions_are_told_from_polls() {
    assert_eq!(trigger(Rule::CapacityMeasured, None), "deferred");
    let input = serde_json::from_value(poll()).unwrap();
    assert_eq!(trigger(Rule::CapacityUnknown, Some(&input)), "deferred");
    assert_eq!(trigger(Rule::BacklogAboveThreshold, Some(&input)), "poll");
    assert_eq!(trigger(Rule::FixedCount, None), "update");
    let state = state(&["k8s"], 1);
    let fetch = json!({"actions": [{"id": 2, "fetch_metrics": {"why": {"deferred": {"group": "g0"}}}}],
        "decisions": [], "wake_at": null});
    let finished = json!({"action_finished": {"id": 1, "result": {"ok": null}}});
    let metrics = noted(&question(&state), &record(&state, finished, fetch));
    let counted = ["compute_provider=k8s scale_up_trigger=task_add 1"];
    assert_eq!(lines(&metrics, "deferred_scaling_decision_count_total"), counted);
}

#[test]
fn every_deferred_decision_counts_once_whether_statistics_were_read_for_it_or_not() {
    let state = state(&["k8s", "aws-ecs"], 1);
    let measured = |group: &str| {
        let mut measured = decision("capacity_measured", Some(1), 1, None);
        measured["group"] = group.into();
        measured
    };
    let fetch = json!({"actions": [{"id": 1, "fetch_metrics": {"why": {"deferred": {"group": "g0"}}}}],
        "decisions": [], "wake_at": null});
    let signal = json!({"task_add": {"task_queue_type": 1}});
    let mut record = record(&state, signal.clone(), fetch);
    let both = deciding(&[measured("g0"), measured("g1"), measured("g0")]);
    for (n, (input, step)) in [(poll(), both), (signal, deciding(&[measured("g1")]))].into_iter().enumerate()
    {
        let entry = json!({"n": n + 2, "t": 5, "input": input, "step": step});
        record.entries.push(serde_json::from_value(entry).unwrap());
    }
    let metrics = noted(&question(&state), &record);
    let counted = [
        "compute_provider=aws-ecs scale_up_trigger=task_add 2",
        "compute_provider=k8s scale_up_trigger=task_add 2",
    ];
    assert_eq!(lines(&metrics, "deferred_scaling_decision_count_total"), counted);
}

#[test]
fn only_a_stored_spec_creates_a_controller() {
    let empty = State::new(None, Timestamp::EPOCH);
    let asked = json!({"requested": {"request_id": "1", "request": {"update": {"identity": "i"}}}});
    let begins = Question { settings: None, state: State::default(), ..question(&empty) };
    let refused = noted(&begins, &record(&empty, asked.clone(), deciding(&[])));
    assert_eq!(lines(&refused, "created_total"), Vec::<String>::new());
    assert_eq!(lines(&refused, "updates_total"), ["1"]);
    let full = state(&["k8s"], 1);
    let created = noted(&question(&empty), &record(&full, asked.clone(), deciding(&[])));
    assert_eq!(lines(&created, "created_total"), ["1"]);
    note(&created, &question(&full), &record(&full, asked, deciding(&[])));
    assert_eq!(lines(&created, "created_total"), ["1"], "a further update creates nothing");
}

#[test]
fn a_failure_names_its_provider_and_that_of_a_poll_all() {
    let mut state = state(&["k8s", "aws-ecs", "k8s"], 1);
    let failed = json!({"metrics": {"id": 1, "result": {"err": "unavailable"}}});
    let metrics = noted(&question(&state), &record(&state, failed, deciding(&[])));
    let all = "compute_provider=aws-ecs,k8s error_type=unavailable 1";
    assert_eq!(lines(&metrics, "workflow_error_count_total"), [all]);
    let resize = json!({"action": {"id": 9, "set_worker_set_size": {"group": "g1", "count": 2}}});
    state.wci.in_flight = Some(serde_json::from_value(resize).unwrap());
    let failed = json!({"action_finished": {"id": 9, "result": {"err": "denied"}}});
    note(&metrics, &question(&state), &record(&state, failed, deciding(&[])));
    let own = "compute_provider=aws-ecs error_type=denied 1";
    assert_eq!(lines(&metrics, "workflow_error_count_total"), [own, all]);
}

#[test]
fn signals_that_found_the_queue_full_are_counted_once() {
    let (before, mut after) = (state(&["k8s"], 1), state(&["k8s"], 1));
    after.wci.dropped_signals = 3;
    let add = json!({"task_add": {"task_queue_type": 2}});
    let metrics = noted(&question(&before), &record(&after, add.clone(), deciding(&[])));
    note(&metrics, &question(&after), &record(&after, add, deciding(&[])));
    assert_eq!(lines(&metrics, "task_match_error_count_total"), ["error_type=queue_full 3"]);
}
