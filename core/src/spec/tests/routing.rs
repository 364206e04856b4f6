//! Which group serves which task type in which region.

use super::{error, groups, lambda, regional, spec};
use crate::metrics::TaskQueueType::{self, Activity, Nexus, Workflow};
use crate::spec::Spec;
use serde_json::{Value, json};

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
