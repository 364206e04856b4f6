//! `wci-controller check`: what would go wrong with a controller, before it does.

use super::{Failed, VersionArgs, reach, say};
use crate::controller::Client;
use crate::controller::client::way_out;
use crate::controller::connect::{ConnectionArgs, identity};
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::{Pace, VersionQueue, builds_of, deployments, pollers_of, read_queues};
use crate::host::Host;
use crate::provider::{ComputeProvider, Target};
use crate::registry::Registry;
use clap::Args;
use wci_core::Spec;
use wci_core::controller::{Description, FailureClass, Update, WorkerDeploymentVersion};
use wci_core::metrics::TaskQueueType;
use wci_core::spec::ProviderType;

/// Few enough to leave the running controllers theirs.
const READS_PER_SECOND: u32 = 5;

#[derive(Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    version: VersionArgs,
}

/// One thing that was looked at.
struct Finding {
    is_good: bool,
    what: String,
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { is_good: true, what: what.into() }
    }

    fn bad(what: impl Into<String>) -> Self {
        Self { is_good: false, what: what.into() }
    }
}

pub(super) async fn check(connection: &ConnectionArgs, args: CheckArgs) -> Result<(), Failed> {
    let client = Client::new(reach(connection).await?, DEFAULT_TASK_QUEUE);
    let version = args.version.version();
    let mut findings = Vec::new();
    let described = match client.problem(&version).await {
        Ok(Some(problem)) => {
            findings.push(Finding::bad(format!(
                "the controller is stuck, its workflow tasks fail again and again ({problem}): {}",
                way_out(&version)
            )));
            None
        }
        // Whatever keeps it from being looked at keeps it from answering.
        _ => describe(&client, &version, &mut findings).await,
    };
    if let Some(described) = &described {
        ask_providers(&client, &version, described, &mut findings).await;
    }
    if let Some(spec) = described.as_ref().and_then(|described| described.spec.as_ref()) {
        look_at_roles(spec, &mut findings);
        take_advice(spec, &version, &mut findings).await;
    }
    let pace = Pace::a_second(READS_PER_SECOND);
    pace.turn().await;
    match read_queues(client.temporal(), &version, true).await {
        Ok(queues) => {
            let waiting = queues.iter().map(|queue| queue.metrics.last_backlog_count).sum();
            look_at_queues(&queues, described.and_then(|described| described.spec).as_ref(), &mut findings);
            look_at_pollers(&client, &version, waiting, &pace, &mut findings).await;
        }
        Err(e) if e.class == FailureClass::NotFound => {
            findings.push(Finding::bad(unknown(&client, &version, &pace).await));
        }
        Err(e) => findings.push(Finding::bad(format!("the version cannot be read: {e}"))),
    }
    let bad = findings.iter().filter(|finding| !finding.is_good).count();
    for Finding { is_good, what } in findings {
        say(&format!("{} {what}", if is_good { "ok   " } else { "WRONG" }))?;
    }
    if bad == 0 { Ok(()) } else { Err(Failed::Action(format!("{bad} of the findings would go wrong"))) }
}

async fn describe(
    client: &Client,
    version: &WorkerDeploymentVersion,
    findings: &mut Vec<Finding>,
) -> Option<Description> {
    match client.describe(version).await {
        Ok(described) => {
            findings.push(Finding::good("the controller runs and answers"));
            let validation = described.validation_state.clone().unwrap_or_default();
            if validation.status == "failed" {
                let (at, why) = (validation.last_validation_time, validation.err_message);
                findings.push(Finding::bad(format!("the last validation, at {at}, failed: {why}")));
            }
            Some(described)
        }
        Err(e) => {
            findings.push(Finding::bad(format!("the controller does not answer: {e}")));
            None
        }
    }
}

/// The running controller checks its own spec, with its own credentials.
async fn ask_providers(
    client: &Client,
    version: &WorkerDeploymentVersion,
    described: &Description,
    findings: &mut Vec<Finding>,
) {
    let Some(spec) = &described.spec else {
        findings.push(Finding::bad("the controller has no spec, so it starts nobody"));
        return;
    };
    let same = Update { identity: identity(), spec: Some(spec.to_json()), ..Update::default() };
    findings.push(match client.validate(version, &same).await {
        Ok(()) => {
            Finding::good("the providers take the spec: targets exist, roles can be assumed as they should")
        }
        Err(e) => Finding::bad(format!("the providers refuse the spec: {e}")),
    });
}

/// What the providers say from here, with the credentials of whoever checks.
async fn take_advice(spec: &Spec, version: &WorkerDeploymentVersion, findings: &mut Vec<Finding>) {
    let registry = Registry::default();
    // Whether a role must be named is the host's matter, and this is none.
    let host = Host { requires_role_and_external_id: false, ..Host::default() };
    for (name, group) in spec.groups() {
        let target = Target {
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
            group: name.to_string(),
            ..Target::default()
        };
        let advice = match registry.provider(&host, &target, &group.compute) {
            Ok(provider) => provider.advise().await,
            Err(e) => Err(e),
        };
        match advice {
            Ok(advice) => findings
                .extend(advice.into_iter().map(|a| Finding::bad(format!("scaling group {name}: {a}")))),
            // The controller may be allowed what this user is not.
            Err(e) => eprintln!("scaling group {name}: not asked from here: {e}"),
        }
    }
}

/// A role that can be assumed without an external id can be assumed in the name of any customer of the host.
fn look_at_roles(spec: &Spec, findings: &mut Vec<Finding>) {
    for (name, group) in spec.groups() {
        let is_amazons =
            matches!(group.compute.provider_type, ProviderType::AwsLambda | ProviderType::AwsEcs);
        let config = group.compute.config.values();
        let has = |key: &str| config.get(key).is_some_and(|value| !value.is_null());
        if is_amazons && has("role") && !has("role_external_id") {
            findings.push(Finding::bad(format!(
                "scaling group {name}: role: it is assumed without an external id, so whoever may use this host can \
                 have it assumed: set role_external_id, and have the role's trust policy demand it"
            )));
        }
    }
}

/// What to say of a version that Temporal does not know: which ones there are instead.
async fn unknown(client: &Client, version: &WorkerDeploymentVersion, pace: &Pace) -> String {
    let name = &version.deployment_name;
    pace.turn().await;
    let instead = match builds_of(client.temporal(), name).await {
        Ok(builds) if builds.is_empty() => {
            pace.turn().await;
            match deployments(client.temporal()).await {
                Ok(names) if names.is_empty() => "there are no deployments".to_owned(),
                Ok(names) => format!("there is no deployment {name}, but {}", names.join(", ")),
                Err(e) => format!("which deployments there are is not known: {e}"),
            }
        }
        Ok(builds) => format!("deployment {name} has the builds {}", builds.join(", ")),
        Err(e) => format!("which builds there are is not known: {e}"),
    };
    format!(
        "Temporal does not know the version: no worker with this deployment name and build id has ever polled; \
         compare them with what the workers set: {instead}"
    )
}

/// Workers that never polled have no queues, and then there is nothing to scale on.
fn look_at_queues(queues: &[VersionQueue], spec: Option<&Spec>, findings: &mut Vec<Finding>) {
    let served =
        |task_type: &TaskQueueType| spec.is_none_or(|spec| spec.group_for(*task_type, None).is_some());
    for task_type in TaskQueueType::ALL.into_iter().filter(served) {
        let of_type: Vec<_> = queues.iter().filter(|queue| queue.task_type == task_type).collect();
        let name = task_type.name();
        let waiting: i64 = of_type.iter().map(|queue| queue.metrics.last_backlog_count).sum();
        findings.push(match of_type.len() {
            // Few versions have Nexus tasks, so their absence says nothing.
            0 if task_type == TaskQueueType::Nexus => continue,
            0 => Finding::bad(format!(
                "no {name} task queue: workers of this version never polled for {name} tasks"
            )),
            n => Finding::good(format!("{n} {name} task queues, {waiting} tasks wait")),
        });
    }
}

async fn look_at_pollers(
    client: &Client,
    version: &WorkerDeploymentVersion,
    waiting: i64,
    pace: &Pace,
    findings: &mut Vec<Finding>,
) {
    match pollers_of(client.temporal(), version, pace).await {
        Ok(0) if waiting > 0 => findings.push(Finding::bad(format!(
            "{waiting} tasks wait and no worker of this version has polled for over a minute: what is started never \
             polls, or polls with another deployment name, build id or task queue"
        ))),
        Ok(pollers) => findings.push(Finding::good(polled(pollers))),
        Err(e) => eprintln!("the pollers cannot be read: {e}"),
    }
}

/// The server remembers pollers for a while, so some of them may have ended since.
fn polled(pollers: usize) -> String {
    match pollers {
        0 => "no worker has polled for over a minute, which is fine as nothing waits".to_owned(),
        1 => "1 worker has polled within the last minute".to_owned(),
        n => format!("{n} workers have polled within the last minute"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn said(provider_type: &str, config: &Value) -> usize {
        let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": provider_type, "config": config}}}});
        let mut findings = Vec::new();
        look_at_roles(&Spec::from_json(&spec).unwrap(), &mut findings);
        assert!(findings.iter().all(|finding| !finding.is_good && finding.what.contains("role_external_id")));
        findings.len()
    }

    #[test]
    fn a_role_without_an_external_id_would_go_wrong() {
        let arn = "arn:aws:lambda:eu-west-1:1:function:f";
        assert_eq!(said("aws-lambda", &json!({"arn": arn, "role": "r"})), 1);
        assert_eq!(said("aws-lambda", &json!({"arn": arn, "role": "r", "role_external_id": null})), 1);
        assert_eq!(said("aws-ecs", &json!({"cluster": "c", "service": "s", "region": "r", "role": "r"})), 1);
        assert_eq!(said("aws-lambda", &json!({"arn": arn, "role": "r", "role_external_id": "x"})), 0);
        assert_eq!(said("aws-lambda", &json!({"arn": arn})), 0, "the host's own credentials");
    }
}
