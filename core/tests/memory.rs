//! What the core promises about memory, counted by the allocator.

use serde_json::{Value, json};
use std::hint::black_box;
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::decision::ActionKind;
use wci_core::signals::TaskAdd;
use wci_core::{Controller, Input, Settings, Spec, State, Timestamp};

const START: i64 = 1_700_000_000_000;

fn group(provider: &str, algorithm: &str, config: Value) -> Value {
    json!({
        "compute": { "provider_type": provider, "config": {} },
        "scaling": { "scaling_algorithm": algorithm, "config": config },
    })
}

fn controller(groups: Value) -> Controller {
    let spec = Spec::from_json(&json!({ "scaling_group_specs": groups })).unwrap();
    let now = Timestamp::from_millis(START);
    let (mut controller, _) = Controller::start(
        WorkerDeploymentVersion { deployment_name: "orders-service".into(), build_id: "2026-01-05.1".into() },
        Settings::default(),
        State::new(Some(spec), now),
        now,
    );
    let _ = controller.handle(now, Input::WokeUp);
    controller
}

#[test]
fn a_sync_matched_signal_allocates_nothing() {
    let add: TaskAdd = serde_json::from_value(
        json!({ "task_queue_name": "q", "task_queue_type": 2, "is_sync_match": true }),
    )
    .unwrap();
    for (provider, algorithm) in [
        ("aws-lambda", "no-sync"),
        ("aws-lambda", "no-sync-confirmed"),
        ("k8s", "rate-based"),
        ("k8s", "backlog"),
        ("k8s", "pid"),
        ("k8s", "peak-rate"),
        ("k8s", "keda"),
        ("k8s", "hpa"),
        ("k8s", "kpa"),
        ("k8s", "target-tracking"),
        ("k8s", "delayed-off"),
        ("k8s", "seasonal"),
        ("k8s", "lcp"),
    ] {
        let mut controller = controller(json!({ "a": group(provider, algorithm, json!({})) }));
        let now = Timestamp::from_millis(START + 1000);
        let used = allocation_counter::measure(|| {
            for _ in 0..1000 {
                let step = controller.handle(now, Input::TaskAdd(add.clone()));
                assert!(black_box(step).actions.is_empty());
            }
        });
        assert_eq!(used.count_total, 0, "{algorithm}");
    }
}

#[test]
fn a_signal_that_decides_does_allocate() {
    let mut controller = controller(json!({ "a": group("aws-lambda", "no-sync", json!({})) }));
    let add: TaskAdd =
        serde_json::from_value(json!({ "task_queue_type": 2, "no_sync_match_signals_batched": 1 })).unwrap();
    let now = Timestamp::from_millis(START + 1000);
    let used = allocation_counter::measure(|| {
        let step = controller.handle(now, Input::TaskAdd(add.clone()));
        assert!(matches!(step.actions[0].kind, ActionKind::InvokeWorker { count: 1, .. }));
    });
    assert!(used.count_total > 0, "the counter counts nothing");
}

#[test]
fn ten_thousand_controllers_fit_in_64_mib() {
    const MANY: usize = 10_000;
    let groups = json!({
        "workflows": group("aws-lambda", "no-sync", json!({ "scale_up_cooloff_ms": "500" })),
    });
    let mut controllers = Vec::with_capacity(MANY);
    let used = allocation_counter::measure(|| {
        controllers.extend((0..MANY).map(|_| controller(groups.clone())));
    });
    let bytes = used.bytes_current + i64::try_from(MANY * size_of::<Controller>()).unwrap();
    assert!(bytes < 64 << 20, "{bytes} bytes, {} each", bytes / i64::try_from(MANY).unwrap());
}
