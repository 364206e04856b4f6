//! What a spec may say, and what is said about one that may not.

mod host;
mod routing;
mod update;

use super::{LaunchStrategy, ProviderType, SecretRef, Spec, WireTaskType, secret_ref};
use crate::algorithm::AlgorithmKind;
use crate::metrics::TaskQueueType::{Activity, Nexus, Workflow};
use serde_json::{Value, json};

fn lambda(task_types: Value) -> Value {
    json!({"task_types": task_types, "compute": {"provider_type": "aws-lambda", "config": {"arn": "a"}}})
}

fn regional(task_types: Value, region_ids: Value) -> Value {
    json!({"task_types": task_types, "region_ids": region_ids, "compute": {"provider_type": "external"}})
}

fn two() -> Spec {
    spec(json!({
        "a": {"task_types": [1], "compute": {"provider_type": "aws-lambda", "config": {"arn": "x"}},
              "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 5}}},
        "b": {"task_types": [2], "compute": {"provider_type": "external"}},
    }))
}

fn groups(groups: Value) -> Value {
    json!({"scaling_group_specs": groups})
}

fn spec(value: Value) -> Spec {
    Spec::from_json(&groups(value)).expect("a valid spec")
}

fn error(value: Value) -> String {
    Spec::from_json(&groups(value)).expect_err("an invalid spec").to_string()
}

#[test]
fn the_design_s_example_is_read_and_goes_out_with_integers() {
    let text = r#"{"scaling_group_specs": {"NAME": {"task_types": ["WORKFLOW"], "region_ids": [],
        "compute": {"provider_type": "aws-lambda", "config": {"arn": "..."}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": "500"}}}}}"#;
    let spec: Spec = text.parse().unwrap();
    let expected = groups(json!({"NAME": {"task_types": [1],
        "compute": {"provider_type": "aws-lambda", "config": {"arn": "..."}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": "500"}}}}));
    assert_eq!(serde_json::to_value(&spec).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Spec>(expected).unwrap(), spec);
}

#[test]
fn task_types_are_names_or_numbers() {
    let same = ["WORKFLOW", "workflow", "Workflow", "TASK_QUEUE_TYPE_WORKFLOW", "task_queue_type_workflow"];
    for name in same {
        assert_eq!(WireTaskType::from_json(&json!(name)), Ok(WireTaskType(Workflow)));
    }
    for (number, task_type) in [(1, Workflow), (2, Activity), (3, Nexus)] {
        assert_eq!(WireTaskType::from_json(&json!(number)), Ok(WireTaskType(task_type)));
        assert_eq!(WireTaskType::from_json(&json!(f64::from(number))), Ok(WireTaskType(task_type)));
        assert_eq!(serde_json::to_value(WireTaskType(task_type)).unwrap(), json!(number));
    }
    for wrong in
        [json!(0), json!(4), json!(-1), json!(1.5), json!("UNSPECIFIED"), json!(""), json!(null), json!([1])]
    {
        let text = error(json!({"g": lambda(json!([wrong.clone()]))}));
        assert!(text.contains("expected WORKFLOW, ACTIVITY or NEXUS (or 1, 2, 3)"), "{wrong}: {text}");
        assert!(text.starts_with("scaling group \"g\", task_types: "), "{text}");
    }
}

#[test]
fn every_kind_of_invalid_group_is_named() {
    let cases = [
        (json!({}), "scaling_group_specs: found no groups, expected at least one scaling group"),
        (json!({"": lambda(json!([]))}), "scaling_group_specs: found a scaling group without a name"),
        (
            json!({"a": lambda(json!([])), "b": lambda(json!([]))}),
            "scaling group \"b\", task_types: found no task types, as in scaling group \"a\"",
        ),
        (
            json!({"a": lambda(json!([1, 2])), "b": lambda(json!(["ACTIVITY"]))}),
            "scaling group \"b\", task_types: found ACTIVITY, which scaling group \"a\" lists too, expected each task type in one group",
        ),
        (
            json!({"a": lambda(json!([2, "ACTIVITY"]))}),
            "scaling group \"a\", task_types: found \"ACTIVITY\" twice",
        ),
        (
            json!({"g": {"compute": {"provider_type": "aws-lamda"}}}),
            "scaling group \"g\", compute.provider_type: found \"aws-lamda\", expected aws-lambda (the nearest known type)",
        ),
        (
            json!({"g": {"compute": {}}}),
            "compute.provider_type: found nothing, expected one of aws-lambda, aws-ecs",
        ),
        (json!({"g": {}}), "compute.provider_type: found nothing"),
        (
            json!({"g": {"compute": {"provider_type": "aws-lambda", "config": {"ARM": "x"}}}}),
            "scaling group \"g\", compute.config.ARM: found an unknown key, expected arn (the nearest known key)",
        ),
        (
            json!({"g": {"compute": {"provider_type": "external", "config": {"arn": "x"}}}}),
            "expected no keys at all",
        ),
        (
            json!({"g": {"compute": {"provider_type": "nexus-invoke"}}}),
            "compute.nexus_endpoint: found nothing, expected the Nexus endpoint",
        ),
        (
            json!({"g": {"compute": {"provider_type": "nexus-invoke", "nexus_endpoint": " "}}}),
            "compute.nexus_endpoint",
        ),
        (
            json!({"g": {"task_typs": [1], "compute": {"provider_type": "external"}}}),
            "scaling group \"g\", task_typs: found an unknown key, expected task_types",
        ),
        (
            json!({"g": {"task_types": 1, "compute": {"provider_type": "external"}}}),
            "task_types: found a number, expected a list",
        ),
        (json!({"g": 5}), "scaling group \"g\": found a number, expected a scaling group"),
    ];
    for (value, expected) in cases {
        let text = error(value.clone());
        assert!(text.contains(expected), "{value}\n{text}");
    }
}

#[test]
fn every_kind_of_invalid_scaling_is_named() {
    let with_scaling = |scaling: Value| {
        let mut group = lambda(json!([]));
        group["scaling"] = scaling;
        json!({"g": group})
    };
    let cases = [
        (
            with_scaling(json!({"scaling_algorithm": "no-synk"})),
            "scaling group \"g\", scaling.scaling_algorithm: found \"no-synk\", expected no-sync (the nearest known type)",
        ),
        (with_scaling(json!({})), "scaling.scaling_algorithm: found nothing, expected one of no-sync"),
        (
            with_scaling(json!({"scaling_algorithm": "rate-based"})),
            "scaling.scaling_algorithm: found rate-based, expected one that fits the invoke provider aws-lambda: no-sync, ",
        ),
        (
            with_scaling(json!({"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff": 5}})),
            "scaling.config.scale_up_cooloff: found an unknown key, expected scale_up_cooloff_ms",
        ),
        (
            with_scaling(json!({"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 0.5}})),
            "scaling.config.scale_up_cooloff_ms: found 0.5, expected an integer of at least 0",
        ),
        (
            with_scaling(json!({"scaling_algorithm": "no-sync", "config": [1]})),
            "scaling.config: found a list",
        ),
        (
            with_scaling(json!({"scaling_algorithm": "no-sync", "confg": {}})),
            "scaling.confg: found an unknown key, expected config",
        ),
    ];
    for (value, expected) in cases {
        let text = error(value.clone());
        assert!(text.contains(expected), "{value}\n{text}");
    }
}

#[test]
fn what_is_no_spec_at_all_is_named() {
    for (text, expected) in [
        ("null", "found no spec, expected a spec"),
        ("[]", "found a list"),
        ("{}", "found no groups"),
        ("{\"scaling_group_specs\": 5}", "scaling_group_specs: found a number"),
        ("{\"scaling_groups\": {}}", "scaling_groups: found an unknown key, expected"),
        ("{", "found text that is no JSON"),
    ] {
        let text = text.parse::<Spec>().unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn an_error_carries_group_and_key_as_fields() {
    let error = Spec::from_json(&groups(
        json!({"g": {"compute": {"provider_type": "k8s", "config": {"namespce": 1}}}}),
    ));
    let error = error.unwrap_err();
    assert_eq!((error.group.as_deref(), error.key.as_deref()), (Some("g"), Some("compute.config.namespce")));
    assert_eq!(
        (error.found.as_str(), error.expected.as_str()),
        ("an unknown key", "namespace (the nearest known key)")
    );
}

#[test]
fn the_default_algorithm_follows_the_launch_strategy() {
    for provider in ProviderType::ALL {
        let group = json!({"g": {"compute": {"provider_type": provider.name(), "nexus_endpoint": "e"}}});
        let spec = spec(group);
        let expected = match provider.launch_strategy() {
            LaunchStrategy::Invoke => AlgorithmKind::NoSync,
            LaunchStrategy::WorkerSet => AlgorithmKind::RateBased,
        };
        let group = spec.group("g").unwrap();
        assert_eq!((group.algorithm(), group.instantiate().kind()), (expected, expected));
        assert_eq!(serde_json::to_value(provider).unwrap(), json!(provider.name()));
    }
}

#[test]
fn a_provider_refuses_a_value_of_the_wrong_kind_without_showing_it() {
    let config = |provider: &str, config: Value| json!({"g": {"compute": {"provider_type": provider, "config": config, "nexus_endpoint": "e"}}});
    let text = error(config("webhook", json!({"auth_token": 1234567})));
    assert!(
        text.contains("compute.config.auth_token: found a number, expected a string or {\"secret_ref\""),
        "{text}"
    );
    assert!(!text.contains("1234567"));
    let text = error(config("webhook", json!({"auth_token": {"secret_ref": "vault:x"}})));
    assert!(text.contains("found an object"), "{text}");
    assert!(error(config("subprocess", json!({"args": ["a", 1]}))).contains("args: found a list"));
    spec(config("subprocess", json!({"command": "c", "args": ["a", "b"]})));
    spec(config("subprocess", json!({"command": "c", "args": "a,b"})));
    spec(config("webhook", json!({"url": "https://x", "auth_token": {"secret_ref": "env:TOKEN"}})));
    spec(config("nexus-worker-set", json!({"anything": [1, {"goes": true}]})));
    spec(config("aws-ecs", json!({"role": null})));
}

#[test]
fn a_reference_to_a_secret_names_its_place() {
    assert_eq!(secret_ref(&json!({"secret_ref": "env:TOKEN"})), Some(SecretRef::Env("TOKEN")));
    assert_eq!(secret_ref(&json!({"secret_ref": "file:a:b"})), Some(SecretRef::File("a:b")));
    for none in [
        json!({"secret_ref": "env:"}),
        json!({"secret_ref": "TOKEN"}),
        json!({"secret_ref": "env:A", "b": 1}),
        json!("env:A"),
    ] {
        assert_eq!(secret_ref(&none), None, "{none}");
    }
}

#[test]
fn a_payload_config_goes_out_as_a_payload() {
    // {"arn":"x"} and {"scale_up_cooloff_ms":"500"}
    let payload = |data: &str| json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": data});
    let group = json!({"g": {"task_types": [],
        "compute": {"provider_type": "aws-lambda", "config": payload("eyJhcm4iOiJ4In0=")},
        "scaling": {"scaling_algorithm": "no-sync", "config": payload("eyJzY2FsZV91cF9jb29sb2ZmX21zIjoiNTAwIn0=")}}});
    let spec = spec(group.clone());
    assert_eq!(spec.group("g").unwrap().compute.config.get("arn"), Some(&json!("x")));
    assert_eq!(spec.to_json(), groups(group));
}

#[test]
fn a_live_host_misses_what_a_simulation_does_not() {
    let missing = |provider: &str, config: Value| {
        let spec = spec(json!({"g": {"compute": {"provider_type": provider, "config": config}}}));
        spec.check_complete().err().and_then(|e| e.key)
    };
    let key = |key: &str| Some(format!("compute.config.{key}"));
    assert_eq!(missing("aws-lambda", json!({})), key("arn"));
    assert_eq!(missing("aws-lambda", json!({"arn": " "})), key("arn"));
    assert_eq!(missing("aws-lambda", json!({"arn": {"secret_ref": "env:A"}})), None);
    assert_eq!(missing("aws-ecs", json!({"cluster": "c", "service": "s"})), key("region"));
    assert_eq!(missing("aws-ecs", json!({"cluster": "arn:aws:ecs", "service": "s"})), None);
    assert_eq!(missing("aws-ecs", json!({"cluster": "c", "service": "s", "region": "r"})), None);
    assert_eq!(missing("k8s", json!({"namespace": "n"})), key("deployment"));
    assert_eq!(missing("external", json!({})), None);
}
