//! Single decisions as `wci decide` gives them.

use super::decide_line;
use serde_json::{Value, json};

fn decide(request: &Value) -> Value {
    let (answer, is_request) = decide_line(&request.to_string(), 1);
    assert!(is_request, "{answer}");
    assert!(!answer.contains('\n'));
    serde_json::from_str(&answer).unwrap()
}

fn without_reason(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("reason");
    answer
}

#[test]
fn a_miss_invokes_a_worker() {
    let answer =
        decide(&json!({"algorithm": "no-sync", "config": {"scale_up_cooloff_ms": "500"}, "status": {},
        "now_ms": 1_700_000_000_000_i64, "task_add": {"no_sync_match_signals_batched": 2}}));
    assert_eq!(answer["reason"]["rule"], json!("no_sync_match"));
    let expected = json!({"actions": [{"action": "invoke-worker"}],
        "status": {"last_scale_up_time_ms": 1_700_000_000_000_i64}, "next_poll_ms": null, "throttled_count": 0});
    assert_eq!(without_reason(answer), expected);
}

#[test]
fn a_sync_match_gives_no_reason_and_the_cleaned_status() {
    let answer = decide(&json!({"algorithm": "no-sync", "status": {"last_scale_up_time_ms": "5", "x": 1},
        "now_ms": 6, "task_add": {"task_queue_type": 2, "is_sync_match": true}}));
    let expected = json!({"actions": [], "status": {"last_scale_up_time_ms": "5"}, "next_poll_ms": null,
        "throttled_count": 0, "reason": null});
    assert_eq!(answer, expected);
}

#[test]
fn a_poll_says_when_the_next_one_is_wanted() {
    let answer = decide(&json!({"algorithm": "no-sync", "config": null, "status": null, "now_ms": 1_000_000,
        "metrics": {"workflow": {"last_backlog_count": 3, "last_arrival_rate": 1.5, "last_processing_rate": 1.0},
            "activity": null}}));
    let expected = json!({"actions": [{"action": "invoke-worker"}],
        "status": {"last_scale_up_time_ms": 1_000_000, "workflow_last_dispatch_rate": 1},
        "next_poll_ms": 60_000, "throttled_count": 0});
    assert_eq!(without_reason(answer), expected);
}

#[test]
fn rate_based_sets_a_size_then_defers() {
    let answer =
        decide(&json!({"algorithm": "rate-based", "status": {"worker_count": 2, "ewma_arrival_rate": "3"},
        "now_ms": 5_000, "task_add": {"is_sync_match": false, "no_sync_match_signals_batched": 1}}));
    let expected = json!({
        "actions": [{"action": "update-worker-set-size", "count": 3}, {"action": "deferred-scaling-decision"}],
        "status": {"worker_count": 3, "last_scale_up_time_ms": 5_000, "last_no_sync_match_time_ms": 5_000},
        "next_poll_ms": null, "throttled_count": 0});
    assert_eq!(without_reason(answer), expected);
}

#[test]
fn rate_based_writes_the_count_on_every_branch() {
    for (event, value) in [
        ("task_add", json!({"is_sync_match": true})),
        ("deferred", json!({})),
        ("metrics", json!({"nexus": {"last_backlog_count": 0}})),
    ] {
        let answer = decide(&json!({"algorithm": "rate-based", "now_ms": 5, event: value}));
        assert_eq!(answer["status"]["worker_count"], json!(0), "{event}");
    }
}

#[test]
fn a_throttled_batch_is_counted() {
    let answer =
        decide(&json!({"algorithm": "no-sync", "status": {"last_scale_up_time_ms": 999}, "now_ms": 1_000,
        "task_add": {"no_sync_match_signals_batched": 7}}));
    assert_eq!((&answer["actions"], &answer["throttled_count"]), (&json!([]), &json!(7)));
    assert_eq!(answer["reason"]["limit"], json!("cooldown"));
}

#[test]
fn the_other_algorithms_decide_too() {
    let metrics = json!({"activity": {"last_backlog_count": 20}});
    for (algorithm, count) in [("backlog", 1), ("pid", 3), ("peak-rate", 1), ("fixed", 1)] {
        let request = json!({"algorithm": algorithm, "now_ms": 1_000_000, "metrics": metrics});
        let size = json!([{"action": "update-worker-set-size", "count": count}]);
        assert_eq!(decide(&request)["actions"], size, "{algorithm}");
        let mut request = request;
        request["launch_strategy"] = json!("invoke");
        request["observation"] = json!({"ready": 0});
        let invoked = &decide(&request)["actions"][0];
        assert_eq!(invoked["action"], json!("invoke-worker"), "{algorithm}");
        assert_eq!(invoked.get("count"), (count > 1).then(|| json!(count)).as_ref());
    }
}

#[test]
fn the_baselines_decide_too() {
    let metrics = json!({"activity": {"last_backlog_count": 40, "last_arrival_rate": 18}});
    let observation = json!({"ready": 2, "starting": 0, "slots": 4, "busy_slots": 4, "running": 4, "backlog_count": 40,
        "mean_concurrency": 16.5});
    let sizes = [
        ("keda", 6),
        ("hpa", 3),
        ("kpa", 12),
        ("target-tracking", 2),
        ("delayed-off", 9),
        ("seasonal", 11),
        ("lcp", 11),
    ];
    for (algorithm, size) in sizes {
        let request = json!({"algorithm": algorithm, "now_ms": 1_000_000, "metrics": metrics,
            "status": {"worker_count": 2}, "observation": observation});
        let answer = decide(&request);
        assert_eq!(answer["reason"]["desired_workers"], json!(size), "{answer}");
        assert_eq!(answer["status"]["worker_count"], json!(size), "{answer}");
    }
}

#[test]
fn rates_are_read_in_single_precision_as_the_wire_has_them() {
    // Halfway between two f32 and a little more: by way of an f64 it would be rounded down.
    let line = r#"{"algorithm":"no-sync","now_ms":0,"metrics":{"nexus":{"last_processing_rate":1.00000005960464477539062500000001}}}"#;
    let answer: Value = serde_json::from_str(&decide_line(line, 1).0).unwrap();
    assert_eq!(answer["status"]["nexus_last_dispatch_rate"], json!(1.000_000_119_209_289_6));
}

#[test]
fn a_payload_is_taken_for_a_config() {
    let config = json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJjb3VudCI6NH0="});
    let answer = decide(&json!({"algorithm": "fixed", "config": config, "now_ms": 0, "metrics": {}}));
    assert_eq!(answer["actions"][0]["count"], json!(4));
}

#[test]
fn what_is_wrong_with_a_request_is_its_answer() {
    let task_add = json!({"is_sync_match": true});
    for (request, expected) in [
        (
            json!({"algorithm": "no-sink", "now_ms": 0, "task_add": task_add}),
            "algorithm: found \"no-sink\", expected no-sync",
        ),
        (
            json!({"algorithm": "zz", "now_ms": 0, "task_add": task_add}),
            "expected one of no-sync, no-sync-confirmed",
        ),
        (
            json!({"algorithm": "no-sync", "config": {"a": 1}, "now_ms": 0, "task_add": task_add}),
            "a: found an unknown key",
        ),
        (
            json!({"algorithm": "no-sync", "config": [], "now_ms": 0, "task_add": task_add}),
            "config: found a list",
        ),
        (json!({"algorithm": "no-sync", "now_ms": 0}), "exactly one of task_add, metrics and deferred"),
        (json!({"algorithm": "no-sync", "now_ms": 0, "task_add": task_add, "metrics": {}}), "exactly one"),
        (
            json!({"algorithm": "no-sync", "now_ms": 0, "metrics": {}, "launch_strategy": "worker-set"}),
            "does not fit",
        ),
    ] {
        let answer = decide(&request);
        let text = answer["error"].as_str().unwrap();
        assert!(text.contains(expected), "{text}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
}

#[test]
fn a_line_that_is_no_request_is_an_error_with_its_number() {
    for line in ["", "{", "nonsense", "[]", "{\"algorithm\":\"no-sync\"}", "{\"algorithm\":1,\"now_ms\":0}"] {
        let (answer, is_request) = decide_line(line, 17);
        assert!(!is_request, "{line}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].as_str().unwrap().starts_with("line 17: "), "{answer}");
    }
}
