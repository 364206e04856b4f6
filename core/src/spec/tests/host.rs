//! What hosts ask, and what journals may hold.

use super::{groups, lambda, regional, spec, two};
use crate::config::{ConfigMap, KeyDoc};
use crate::controller::Settings;
use crate::spec::{HostOffers, ProviderType, Spec, redact_spec};
use crate::time::Millis;
use serde_json::{Value, json};

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
