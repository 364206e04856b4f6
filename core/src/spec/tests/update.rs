//! Updates group by group.

use super::{lambda, two};
use crate::controller::GroupUpdate;
use crate::metrics::TaskQueueType::Nexus;
use crate::spec::Spec;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn apply(current: Option<&Spec>, upserts: Value, removals: &[&str]) -> Result<Option<Spec>, String> {
    let upserts: BTreeMap<String, GroupUpdate> = serde_json::from_value(upserts).unwrap();
    let removals: Vec<_> = removals.iter().map(|name| (*name).to_owned()).collect();
    Spec::apply(current, &upserts, &removals).map_err(|e| e.to_string())
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
    assert!(apply(Some(&two()), json!({}), &[]).unwrap_err().starts_with("no change found: "));
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
