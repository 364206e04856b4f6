//! What a spec may say, and what is said about one that may not.

use super::{
    HostOffers, LaunchStrategy, ProviderType, SecretRef, Spec, WireTaskType, redact_spec, secret_ref,
};
use crate::algorithm::AlgorithmKind;
use crate::config::{ConfigMap, KeyDoc};
use crate::controller::{GroupUpdate, Settings};
use crate::metrics::TaskQueueType::{self, Activity, Nexus, Workflow};
use crate::time::Millis;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn lambda(task_types: Value) -> Value {
    json!({"task_types": task_types, "compute": {"provider_type": "aws-lambda", "config": {"arn": "a"}}})
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
fn every_kind_of_invalid_spec_is_named() {
    let with_scaling = |scaling: Value| {
        let mut group = lambda(json!([]));
        group["scaling"] = scaling;
        json!({"g": group})
    };
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

// Which group serves what.

fn regional(task_types: Value, region_ids: Value) -> Value {
    json!({"task_types": task_types, "region_ids": region_ids, "compute": {"provider_type": "external"}})
}

fn types(spec: &Spec, group: &str, region: Option<&str>) -> Vec<TaskQueueType> {
    spec.effective_task_types(group, region).collect()
}

#[test]
fn the_catch_all_gets_what_nobody_claims() {
    let spec = spec(json!({"a": lambda(json!([2])), "b": lambda(json!([]))}));
    assert_eq!(types(&spec, "a", None), [Activity]);
    assert_eq!(types(&spec, "b", None), [Workflow, Nexus]);
    assert_eq!(types(&spec, "c", None), []);
    let partial = self::spec(json!({"a": lambda(json!([2]))}));
    assert_eq!(partial.group_for(Workflow, None), None);
}

#[test]
fn a_region_s_own_groups_come_before_everybody_s() {
    let spec = spec(json!({
        "regional-listed": regional(json!([1]), json!(["eu-west-1"])),
        "regional-rest": regional(json!([]), json!(["eu-west-1", "us-east-1"])),
        "global-listed": regional(json!([1, 2]), json!([])),
        "global-rest": regional(json!([]), json!([])),
    }));
    let serves = |t, region| spec.group_for(t, region).map(|name| name.to_string()).unwrap();
    assert_eq!(serves(Workflow, Some("eu-west-1")), "regional-listed");
    assert_eq!(serves(Activity, Some("eu-west-1")), "regional-rest");
    assert_eq!(serves(Workflow, Some("us-east-1")), "regional-rest");
    assert_eq!(serves(Activity, Some("ap-south-1")), "global-listed");
    assert_eq!(serves(Nexus, Some("ap-south-1")), "global-rest");
    assert_eq!(serves(Workflow, None), "global-listed");
    assert_eq!(serves(Nexus, None), "global-rest");
    assert_eq!(types(&spec, "regional-rest", Some("us-east-1")), [Workflow, Activity, Nexus]);
    assert_eq!(types(&spec, "regional-rest", None), []);
}

#[test]
fn types_and_catch_alls_are_unique_per_region() {
    let clash =
        |a: Value, b: Value| Spec::from_json(&groups(json!({"a": a, "b": b}))).err().map(|e| e.to_string());
    let (one, two, none) = (json!(["r1"]), json!(["r1", "r2"]), json!([]));
    assert_eq!(clash(regional(json!([1]), one.clone()), regional(json!([1]), json!(["r2"]))), None);
    assert_eq!(clash(regional(json!([1]), one.clone()), regional(json!([1]), none.clone())), None);
    assert_eq!(clash(regional(json!([]), one.clone()), regional(json!([]), none.clone())), None);
    assert_eq!(clash(regional(json!([1]), one.clone()), regional(json!([]), one.clone())), None);
    let text = clash(regional(json!([1]), one.clone()), regional(json!([1]), two.clone())).unwrap();
    assert!(text.contains("WORKFLOW, which scaling group \"a\" lists too in region r1"), "{text}");
    let text = clash(regional(json!([]), one), regional(json!([]), two)).unwrap();
    assert!(text.contains("no task types, as in scaling group \"a\" in region r1"), "{text}");
}

#[test]
fn a_region_is_lower_case_parts_joined_by_hyphens() {
    for region in ["eu-west-1", "a", "1", "aws-eu-central-1"] {
        spec(json!({"g": regional(json!([]), json!([region]))}));
    }
    for region in ["", "-", "EU", "eu_west", "eu--west", "-eu", "eu-", "eu west", "é"] {
        let text = error(json!({"g": regional(json!([]), json!([region]))}));
        assert!(text.starts_with("scaling group \"g\", region_ids: found "), "{text}");
    }
    assert!(error(json!({"g": regional(json!([]), json!(["a", "a"]))})).contains("\"a\" twice"));
    assert!(error(json!({"g": regional(json!([]), json!([1]))})).contains("region_ids: found 1"));
}

// Updates by group.

fn apply(current: Option<&Spec>, upserts: Value, removals: &[&str]) -> Result<Option<Spec>, String> {
    let upserts: BTreeMap<String, GroupUpdate> = serde_json::from_value(upserts).unwrap();
    let removals: Vec<_> = removals.iter().map(|name| (*name).to_owned()).collect();
    Spec::apply(current, &upserts, &removals).map_err(|e| e.to_string())
}

fn two() -> Spec {
    spec(json!({
        "a": {"task_types": [1], "compute": {"provider_type": "aws-lambda", "config": {"arn": "x"}},
              "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 5}}},
        "b": {"task_types": [2], "compute": {"provider_type": "external"}},
    }))
}

/// The group `a` of [`two`] after an update with that mask.
fn masked(mask: &[&str], new: Value) -> Result<Value, String> {
    let updated = apply(Some(&two()), json!({"a": {"spec": new, "update_mask": mask}}), &[])?;
    Ok(updated.unwrap().group("a").unwrap().to_json())
}

fn changed(path: &str, value: Value) -> Value {
    let mut group = two().group("a").unwrap().to_json();
    *group.pointer_mut(path).unwrap() = value;
    group
}

#[test]
fn a_mask_takes_what_it_names_and_nothing_else() {
    let new = json!({"task_types": ["NEXUS"], "region_ids": ["r1"],
        "compute": {"provider_type": "webhook", "config": {"arn": "y"}},
        "scaling": {"scaling_algorithm": "fixed", "config": {"scale_up_cooloff_ms": 7}}});
    assert_eq!(masked(&["task_queue_types"], new.clone()).unwrap(), changed("/task_types", json!([3])));
    assert_eq!(
        masked(&["provider.details"], new.clone()).unwrap(),
        changed("/compute/config", json!({"arn": "y"}))
    );
    assert_eq!(
        masked(&["scaler.details"], new.clone()).unwrap(),
        changed("/scaling/config", json!({"scale_up_cooloff_ms": 7}))
    );
    let mut with_region = changed("/task_types", json!([1]));
    with_region["region_ids"] = json!(["r1"]);
    assert_eq!(masked(&["region_ids"], new).unwrap(), with_region);
}

#[test]
fn a_mask_takes_types_and_whole_parts() {
    let provider = json!({"compute": {"provider_type": "webhook", "config": {"url": "u"}}});
    assert_eq!(
        masked(&["provider"], provider.clone()).unwrap(),
        changed("/compute", provider["compute"].clone())
    );
    let text = masked(&["provider.type"], provider).unwrap_err();
    assert!(text.contains("scaling group \"a\", compute.config.arn: found an unknown key"), "{text}");
    let subprocess = json!({"compute": {"provider_type": "subprocess", "config": {"command": "c"}}});
    let both = masked(&["provider.type", "provider.details"], subprocess.clone()).unwrap();
    assert_eq!(both, changed("/compute", subprocess["compute"].clone()));
    let scaler = json!({"scaling": {"scaling_algorithm": "fixed", "config": {"count": 2}}});
    assert_eq!(masked(&["scaler"], scaler.clone()).unwrap(), changed("/scaling", scaler["scaling"].clone()));
    let confirmed = json!({"scaling": {"scaling_algorithm": "no-sync-confirmed"}});
    let expected = changed("/scaling/scaling_algorithm", json!("no-sync-confirmed"));
    assert_eq!(masked(&["scaler.type"], confirmed).unwrap(), expected);
    let endpoint = json!({"compute": {"nexus_endpoint": "e", "provider_type": "junk"}});
    assert_eq!(
        masked(&["provider.nexus_endpoint"], endpoint).unwrap()["compute"]["nexus_endpoint"],
        json!("e")
    );
}

#[test]
fn a_mask_that_names_what_is_absent_removes_it() {
    let without = masked(&["scaler"], json!({})).unwrap();
    assert_eq!(without.get("scaling"), None);
    assert_eq!(masked(&["scaler.details"], json!({"scaling": {}})).unwrap()["scaling"].get("config"), None);
    assert_eq!(masked(&["provider.details"], json!({})).unwrap()["compute"].get("config"), None);
    assert_eq!(masked(&["task_queue_types"], json!({})).unwrap()["task_types"], json!([]));
    assert!(masked(&["provider"], json!({})).unwrap_err().contains("compute.provider_type: found nothing"));
}

#[test]
fn a_mask_that_needs_a_scaler_says_so() {
    for path in ["scaler.type", "scaler.details"] {
        let text = masked(&[path], json!({})).unwrap_err();
        assert!(
            text.contains(&format!("scaling: found nothing, expected scaling, as the mask names {path}")),
            "{text}"
        );
    }
    let update =
        json!({"b": {"spec": {"scaling": {"config": {"max_count": 3}}}, "update_mask": ["scaler.details"]}});
    let text = apply(Some(&two()), update, &[]).unwrap_err();
    assert!(text.contains("scaling group \"b\", scaling.scaling_algorithm: found nothing"), "{text}");
}

#[test]
fn an_unknown_mask_path_is_refused() {
    let text = masked(&["scaler.tipe"], json!({})).unwrap_err();
    assert!(
        text.contains("update_mask: found unsupported path \"scaler.tipe\", expected scaler.type"),
        "{text}"
    );
}

#[test]
fn an_empty_mask_leaves_an_existing_group_and_a_new_one_is_taken_whole() {
    let junk = json!({"a": {"spec": {"compute": 5}}});
    assert_eq!(apply(Some(&two()), junk.clone(), &[]).unwrap(), Some(two()));
    assert!(apply(None, junk, &[]).unwrap_err().contains("scaling group \"a\", compute: found a number"));
    let new = json!({"c": {"spec": lambda(json!([3])), "update_mask": ["scaler"]}});
    let updated = apply(Some(&two()), new, &[]).unwrap().unwrap();
    assert_eq!(updated.group("c").unwrap().task_types, [Nexus]);
    assert_eq!(updated.groups().count(), 3);
}

#[test]
fn removals_come_after_upserts_and_the_last_one_leaves_nothing() {
    let left =
        apply(Some(&two()), json!({"c": {"spec": lambda(json!([1]))}}), &["a", "unknown"]).unwrap().unwrap();
    assert_eq!(left.groups().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(apply(Some(&two()), json!({}), &["a", "b"]).unwrap(), None);
    assert_eq!(apply(None, json!({"c": {"spec": {}}}), &["c"]).unwrap(), None);
}

#[test]
fn an_empty_change_and_an_invalid_result_are_refused() {
    assert!(apply(Some(&two()), json!({}), &[]).unwrap_err().contains("no change found"));
    let text = apply(Some(&two()), json!({"c": {"spec": lambda(json!([1]))}}), &[]).unwrap_err();
    assert!(text.contains("scaling group \"c\", task_types: found WORKFLOW"), "{text}");
}

#[test]
fn a_masked_config_goes_out_in_its_new_form_and_the_others_in_theirs() {
    let payload = json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJhcm4iOiJ4In0="});
    let group = masked(&["provider.details"], json!({"compute": {"config": payload.clone()}})).unwrap();
    assert_eq!(group["compute"]["config"], payload);
    assert_eq!(group["scaling"]["config"], json!({"scale_up_cooloff_ms": 5}));
}

// Hosts and journals.

#[test]
fn a_host_refuses_what_it_does_not_allow() {
    let refuse =
        |value: Value, settings: &Settings| spec(value).check_host(settings).err().map(|e| e.to_string());
    let default = Settings::default();
    assert_eq!(two().check_host(&default), Ok(()));
    let subprocess = json!({"g": {"compute": {"provider_type": "subprocess"}}});
    assert!(
        refuse(subprocess.clone(), &default).unwrap().contains("compute.provider_type: found subprocess")
    );
    let only = Settings { allowed_providers: Some(vec!["subprocess".into()]), ..Settings::default() };
    assert_eq!(refuse(subprocess, &only), None);
    let text = refuse(json!({"g": lambda(json!([]))}), &only).unwrap();
    assert!(
        text.contains("scaling group \"g\"") && text.contains("allowed on this host: subprocess"),
        "{text}"
    );
    let fixed = Settings { allowed_algorithms: Some(vec!["fixed".into()]), ..Settings::default() };
    assert!(
        refuse(json!({"g": lambda(json!([]))}), &fixed)
            .unwrap()
            .contains("found no-sync, expected one of those")
    );
}

#[test]
fn a_host_without_a_valid_region_refuses_regions() {
    let spec = spec(json!({"g": regional(json!([]), json!(["eu-west-1"]))}));
    for (host_region, is_valid) in [(None, false), (Some("EU"), false), (Some("us-east-1"), true)] {
        let settings = Settings { host_region: host_region.map(str::to_owned), ..Settings::default() };
        assert_eq!(spec.check_host(&settings).is_ok(), is_valid, "{host_region:?}");
    }
    assert_eq!(two().check_host(&Settings { host_region: Some("EU".into()), ..Settings::default() }), Ok(()));
}

#[test]
fn a_host_refuses_polls_shorter_than_it_serves() {
    let check = |algorithm: &str, interval: i64, shortest: i64| {
        let group = json!({"g": {"compute": {"provider_type": "k8s"},
            "scaling": {"scaling_algorithm": algorithm, "config": {"metrics_poll_interval_ms": interval}}}});
        let settings = Settings { shortest_poll: Millis::new(shortest), ..Settings::default() };
        spec(group).check_host(&settings).map_err(|e| e.to_string())
    };
    assert_eq!(check("backlog", 1_000, 1_000), Ok(()));
    assert_eq!(check("backlog", 30_000, 30_000), Ok(()));
    let text = check("backlog", 1_000, 30_000).unwrap_err();
    assert!(text.contains("found a poll interval of 1000 ms, expected at least 30000 ms"), "{text}");
    let no_sync = spec(json!({"g": {"compute": {"provider_type": "aws-lambda"},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"metrics_poll_interval_ms": 10_000}}}}));
    let slow = Settings { shortest_poll: Millis::from_secs(30), ..Settings::default() };
    assert_eq!(no_sync.check_host(&slow), Ok(()));
}

#[test]
fn a_host_that_cannot_give_a_need_refuses_by_its_name() {
    let offers = HostOffers { signals: true, statistics: true, observation: true };
    let backlog = |provider: &str| {
        spec(
            json!({"g": {"compute": {"provider_type": provider}, "scaling": {"scaling_algorithm": "backlog"}}}),
        )
    };
    assert_eq!(backlog("aws-lambda").check_needs(offers), Ok(()));
    let blind = HostOffers { observation: false, ..offers };
    let text = backlog("aws-lambda").check_needs(blind).unwrap_err().to_string();
    assert!(text.contains("found backlog, which needs counts of the group's workers"), "{text}");
    assert_eq!(backlog("k8s").check_needs(blind), Ok(()));
    let deaf = HostOffers { signals: false, ..offers };
    assert!(two().check_needs(deaf).unwrap_err().to_string().contains("which needs task-add signals"));
}

#[test]
fn a_redacted_spec_holds_no_secret_and_decides_the_same() {
    let mut value = two().to_json();
    value["scaling_group_specs"]["a"]["compute"]["config"] = json!({"arn": "s3cret"});
    let original = Spec::from_json(&value).unwrap();
    let redacted = original.redacted();
    assert!(!redacted.to_string().contains("s3cret"));
    let back = Spec::from_json(&redacted).unwrap();
    assert_eq!(back.redacted(), redacted);
    assert_eq!(back.group("a").unwrap().scaling, original.group("a").unwrap().scaling);
    let hash = |spec: &Value| spec["scaling_group_specs"]["a"]["compute"]["config_hash"].clone();
    assert_eq!(hash(&redacted).as_str().unwrap().len(), 16);
    assert_ne!(hash(&redacted), hash(&two().redacted()));
    assert_eq!(redacted["scaling_group_specs"]["b"]["compute"], json!({"provider_type": "external"}));
}

#[test]
fn the_hash_stays_the_same_over_releases() {
    assert_eq!(
        two().redacted()["scaling_group_specs"]["a"]["compute"]["config_hash"],
        json!("042068c3b951ff58")
    );
}

#[test]
fn the_hash_does_not_depend_on_the_order_of_the_keys() {
    let hash = |text: &str| redact_spec(&serde_json::from_str(text).unwrap()).to_string();
    let one = hash(r#"{"scaling_group_specs":{"g":{"compute":{"config":{"arn":"a","role":"b"}}}}}"#);
    assert_eq!(one, hash(r#"{"scaling_group_specs":{"g":{"compute":{"config":{"role":"b","arn":"a"}}}}}"#));
}

#[test]
fn redaction_takes_specs_that_are_not_valid() {
    let odd = groups(json!({"a": {"compute": {"config": "s3cret"}}, "b": {"compute": ["s3cret"]}, "c": 5}));
    assert!(!redact_spec(&odd).to_string().contains("s3cret"));
    assert_eq!(redact_spec(&json!([1])), json!([1]));
}

#[test]
fn debug_output_holds_no_secret() {
    let spec =
        spec(json!({"g": {"compute": {"provider_type": "webhook", "config": {"auth_token": "s3cret"}}}}));
    assert!(!format!("{spec:?}").contains("s3cret"));
}

#[test]
fn every_provider_documents_its_keys() {
    for provider in ProviderType::ALL {
        let keys = provider.config_schema().unwrap_or_default();
        assert!(keys.iter().all(|doc: &KeyDoc| !doc.help.is_empty() && doc.default.is_none()), "{provider}");
    }
    assert_eq!(ProviderType::NexusInvoke.config_schema(), None);
}

#[test]
fn a_group_resumes_with_its_state() {
    let state: ConfigMap = [("worker_count".to_owned(), json!(7))].into_iter().collect();
    assert_eq!(two().group("b").unwrap().resume(&state).planned(), Some(7));
}
