//! Pods that follow a job's record: which to make, to delete and to tell that their worker has changed.

use super::job::{Job, labels};
use super::nodes::Seen;
use k8s_openapi::api::core::v1::{
    Affinity, EnvVar, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec,
};
use kube::api::ObjectMeta;
use std::collections::BTreeMap;
use wci_core::cluster::NodeId;
use wci_core::cluster::reconcile::{CurrentWorker, WorkerState};

/// One thing to be done to a Pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PodChange {
    Delete(String),
    Annotate(String, BTreeMap<String, String>),
    Create(Box<Pod>),
}

/// The Pods of a job by name.
pub(super) type Pods = BTreeMap<String, Pod>;

/// What has to be done so that Pods are as the record says: deletions first.
pub(super) fn changes(job: &Job, workers: &[CurrentWorker], pods: &Pods, nodes: &Seen) -> Vec<PodChange> {
    let mut deleted = Vec::new();
    let mut others = Vec::new();
    for worker in workers {
        let name = worker.id.to_string();
        match (worker.state, pods.get(&name)) {
            (WorkerState::Ready, None) if nodes.serves(worker.group.as_deref()) => {
                others.push(PodChange::Create(Box::new(build(job, worker))));
            }
            (WorkerState::Ready, Some(pod)) if is_leaving(pod) => {}
            // It starts again: once this one is gone, the next scan makes another.
            (WorkerState::Ready, Some(pod)) if phase(pod) == "Failed" => {
                deleted.push(PodChange::Delete(name))
            }
            (WorkerState::Ready, Some(pod)) => {
                let told = annotations(worker);
                let has = pod.metadata.annotations.as_ref();
                if told.iter().any(|(key, value)| has.and_then(|has| has.get(key)) != Some(value)) {
                    others.push(PodChange::Annotate(name, told));
                }
            }
            // A Pod that has ended by itself stays for whoever wants to read its log.
            (WorkerState::Suspended | WorkerState::Closed, Some(pod))
                if !is_leaving(pod) && phase(pod) != "Succeeded" =>
            {
                deleted.push(PodChange::Delete(name));
            }
            _ => {}
        }
    }
    deleted.append(&mut others);
    deleted
}

/// A recorded worker as its Pod shows it.
pub(super) fn observed(worker: &CurrentWorker, pod: Option<&Pod>) -> CurrentWorker {
    let mut worker = worker.clone();
    if worker.state != WorkerState::Ready {
        return worker;
    }
    let Some(pod) = pod.filter(|pod| !is_leaving(pod)) else { return worker };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).map(NodeId::from);
    (worker.state, worker.node) = match phase(pod) {
        "Succeeded" => (WorkerState::Closed, None),
        "Failed" => (WorkerState::Ready, None),
        "Pending" => (WorkerState::Ready, node),
        _ => (WorkerState::Running, node),
    };
    worker
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// What a Pod's program can read of its worker while it runs: by a volume of the downward API it even sees changes.
fn annotations(worker: &CurrentWorker) -> BTreeMap<String, String> {
    let group = worker.group.as_ref().map(|group| (labels::GROUP.to_owned(), group.to_string()));
    let fixed = [
        (labels::WORKER_NAME.to_owned(), worker.name.to_string()),
        (labels::SCAVENGER.to_owned(), worker.is_scavenger.to_string()),
    ];
    fixed.into_iter().chain(group).collect()
}

fn build(job: &Job, worker: &CurrentWorker) -> Pod {
    let given = job.template.metadata.clone().unwrap_or_default();
    let mut spec = job.template.spec.clone().unwrap_or_default();
    // A worker that ends well has found no more work; another end is a failure, which its node tries again.
    spec.restart_policy.get_or_insert_with(|| "OnFailure".to_owned());
    tell(&mut spec, job, worker);
    if let Some(group) = &worker.group {
        pin(&mut spec, group);
    }
    let mut all_labels = given.labels.unwrap_or_default();
    all_labels.insert(labels::OF_JOB.to_owned(), job.name.clone());
    all_labels.insert(labels::MANAGED_BY.to_owned(), labels::US.to_owned());
    let mut all_annotations = given.annotations.unwrap_or_default();
    all_annotations.extend(annotations(worker));
    let metadata = ObjectMeta {
        name: Some(worker.id.to_string()),
        labels: Some(all_labels),
        annotations: Some(all_annotations),
        owner_references: Some(vec![job.owner.clone()]),
        ..ObjectMeta::default()
    };
    Pod { metadata, spec: Some(spec), status: None }
}

/// The environment says what a worker is when it starts.
fn tell(spec: &mut PodSpec, job: &Job, worker: &CurrentWorker) {
    let variables = [
        ("WCI_JOB", job.name.as_str()),
        ("WCI_WORKER_ID", &worker.id.0),
        ("WCI_WORKER_NAME", &worker.name),
        ("WCI_WORKER_GROUP", worker.group.as_deref().unwrap_or_default()),
        ("WCI_SCAVENGER", if worker.is_scavenger { "true" } else { "false" }),
    ];
    for container in &mut spec.containers {
        let env = container.env.get_or_insert_default();
        env.extend(variables.map(|(name, value)| EnvVar {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            value_from: None,
        }));
    }
}

/// Binds a Pod to the node of that name, or to those that serve a group of that name.
///
/// By affinity and not by `nodeName`: that would pass the scheduler by, and with it the node's free resources and
/// taints, and a Pod for which there is no room would fail instead of waiting. DaemonSets do it like this, too.
fn pin(spec: &mut PodSpec, group: &str) {
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let affinity = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    let required = affinity.required_during_scheduling_ignored_during_execution.take();
    let given = required.map(|selector| selector.node_selector_terms).filter(|terms| !terms.is_empty());
    let given = given.unwrap_or_else(|| vec![NodeSelectorTerm::default()]);
    let is_one_of = |key: &str| NodeSelectorRequirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![group.to_owned()]),
    };
    // Terms are alternatives, so each of the template's must hold together with either of ours.
    let mut terms = Vec::new();
    for term in given {
        let mut by_name = term.clone();
        by_name.match_fields.get_or_insert_default().push(is_one_of("metadata.name"));
        terms.push(by_name);
        if is_label_value(group) {
            let mut by_label = term;
            by_label.match_expressions.get_or_insert_default().push(is_one_of(labels::SERVES));
            terms.push(by_label);
        }
    }
    affinity.required_during_scheduling_ignored_during_execution =
        Some(NodeSelector { node_selector_terms: terms });
}

fn is_label_value(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 63
        && text.chars().all(is_fit)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
