//! Pods follow the record.

use super::super::job::tests::{POD, map};
use super::*;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

fn job(pod: &str) -> Job {
    Job::read(&map(&[("task.toml", "name = \"T\"\n"), ("pod.yaml", pod)])).unwrap()
}

fn worker(state: WorkerState) -> CurrentWorker {
    CurrentWorker {
        id: "recompute-1".into(),
        group: Some("A".into()),
        name: "Worker A:1".into(),
        is_scavenger: true,
        state,
        node: None,
    }
}

fn pod(phase: &str) -> Pod {
    let mut pod = build(&job(POD), &worker(WorkerState::Ready));
    pod.status.get_or_insert_default().phase = Some(phase.into());
    pod.spec.as_mut().unwrap().node_name = Some("A".into());
    pod
}

fn leaving() -> Pod {
    let mut pod = pod("Running");
    pod.metadata.deletion_timestamp = Some(Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
    pod
}

fn changed(state: WorkerState, pod: Option<Pod>) -> Vec<&'static str> {
    let pods: Pods = pod.map(|pod| ("recompute-1".to_owned(), pod)).into_iter().collect();
    let changes = changes(&job(POD), &[worker(state)], &pods, &Seen::with_ready(&["A"]));
    let name = |change: &PodChange| match change {
        PodChange::Delete(_) => "delete",
        PodChange::Annotate(..) => "annotate",
        PodChange::Create(_) => "create",
    };
    changes.iter().map(name).collect()
}

#[test]
fn a_pod_is_made_for_a_ready_worker_and_deleted_for_a_suspended_one() {
    use WorkerState::{Closed, Ready, Suspended};
    assert_eq!(changed(Ready, None), ["create"]);
    assert_eq!(changed(Ready, Some(pod("Running"))), [""; 0]);
    assert_eq!(changed(Ready, Some(pod("Failed"))), ["delete"]);
    assert_eq!(changed(Ready, Some(leaving())), [""; 0], "its name is free only when it is gone");
    assert_eq!(changed(Suspended, Some(pod("Running"))), ["delete"]);
    assert_eq!(changed(Suspended, Some(leaving())), [""; 0]);
    assert_eq!(changed(Suspended, None), [""; 0]);
    assert_eq!(changed(Closed, Some(pod("Pending"))), ["delete"]);
    assert_eq!(changed(Closed, Some(pod("Succeeded"))), [""; 0], "its log may be read");
}

#[test]
fn a_worker_waits_for_its_node() {
    let made = |ready: &[&str]| {
        let nodes = Seen::with_ready(ready);
        changes(&job(POD), &[worker(WorkerState::Ready)], &Pods::new(), &nodes).len()
    };
    assert_eq!((made(&["B"]), made(&["A"])), (0, 1));
}

#[test]
fn a_renamed_worker_is_told() {
    let mut renamed = worker(WorkerState::Ready);
    renamed.is_scavenger = false;
    let pods: Pods = [("recompute-1".to_owned(), pod("Running"))].into();
    let changes = changes(&job(POD), &[renamed], &pods, &Seen::with_ready(&["A"]));
    let [PodChange::Annotate(name, told)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((name.as_str(), told[labels::SCAVENGER].as_str()), ("recompute-1", "false"));
}

#[test]
fn what_a_pod_does_is_what_its_worker_does() {
    use WorkerState::{Closed, Ready, Running, Suspended};
    let state = |state, pod: Option<Pod>| {
        let seen = observed(&worker(state), pod.as_ref());
        (seen.state, seen.node.is_some())
    };
    assert_eq!(state(Ready, None), (Ready, false));
    assert_eq!(state(Ready, Some(pod("Pending"))), (Ready, true));
    assert_eq!(state(Ready, Some(pod("Running"))), (Running, true));
    assert_eq!(
        state(Ready, Some(pod("Unknown"))),
        (Running, true),
        "nobody hears of it, but it may well run"
    );
    assert_eq!(state(Ready, Some(pod("Succeeded"))), (Closed, false));
    assert_eq!(state(Ready, Some(pod("Failed"))), (Ready, false));
    assert_eq!(state(Ready, Some(leaving())), (Ready, false));
    assert_eq!(state(Suspended, Some(pod("Running"))), (Suspended, false));
}

#[test]
fn a_pod_is_pinned_beside_what_its_template_asks_for() {
    let with_affinity = "spec:\n  containers:\n  - {name: w, image: w, env: [{name: OWN, value: x}]}\n  affinity:\n    nodeAffinity:\n      \
        requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        \
        - matchExpressions: [{key: disk, operator: In, values: [ssd]}]\n";
    let pod = build(&job(with_affinity), &worker(WorkerState::Ready));
    let spec = pod.spec.unwrap();
    let affinity = spec.affinity.unwrap().node_affinity.unwrap();
    let terms = affinity.required_during_scheduling_ignored_during_execution.unwrap().node_selector_terms;
    assert_eq!(terms.len(), 2);
    assert_eq!(terms[0].match_fields.as_ref().unwrap()[0].key, "metadata.name");
    assert_eq!(terms[0].match_expressions.as_ref().unwrap()[0].key, "disk");
    assert_eq!(terms[1].match_expressions.as_ref().unwrap()[1].key, labels::SERVES);
    let env = spec.containers[0].env.as_ref().unwrap();
    assert!(env.iter().any(|var| var.name == "OWN"));
    assert!(
        env.iter().any(|var| var.name == "WCI_WORKER_NAME" && var.value.as_deref() == Some("Worker A:1"))
    );
    assert_eq!(pod.metadata.owner_references.unwrap()[0].uid, "u1");
    assert_eq!(spec.restart_policy.as_deref(), Some("OnFailure"));
}

#[test]
fn a_worker_of_any_node_is_not_pinned() {
    let anywhere = CurrentWorker { group: None, ..worker(WorkerState::Ready) };
    assert_eq!(build(&job(POD), &anywhere).spec.unwrap().affinity, None);
}
