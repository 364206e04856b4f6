//! Controllers that are stuck: said in the log and as a figure, for nothing else of them is heard, and helped on where
//! their histories are what keeps them.

use super::client::{Client, ClientError, Summary, way_out};
use super::recovery::{Recovery, recover};
use crate::error::ProviderError;
use crate::serve::metrics::{Labels, Metrics};
use std::collections::BTreeMap;
use std::time::Duration;
use wci_core::controller::{FailureClass, WorkerDeploymentVersion};

/// One question of each process in so long, however many controllers there are. Those that are stuck are looked at one
/// by one.
const LOOK_INTERVAL: Duration = Duration::from_secs(20);

/// Looks again and again, for ever.
pub(super) async fn look(client: &Client, metrics: &Metrics) {
    let namespace = client.temporal().options().namespace.clone();
    let labels = Labels { namespace, ..Labels::default() };
    let mut known = Known::default();
    loop {
        match client.stuck().await {
            Ok(stuck) => {
                let stuck = still_stuck(client, stuck).await;
                let count = i64::try_from(stuck.len()).unwrap_or(i64::MAX);
                metrics.stuck_count.write(&labels, |gauge| gauge.set(count));
                known.take(stuck).iter().for_each(Change::tell);
            }
            Err(ClientError::Server(ProviderError { class: FailureClass::Rejected, message, .. })) => {
                tracing::info!(why = message, "this server does not say which controllers are stuck");
                return std::future::pending().await;
            }
            // Whatever else asks the server says so too.
            Err(e) => tracing::debug!(error = %e, "which controllers are stuck is not known"),
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Lets those of this task queue go on whose histories cannot be replayed; what is left are the others.
async fn still_stuck(client: &Client, stuck: Vec<Summary>) -> Vec<Summary> {
    let mut left = Vec::new();
    for mut one in stuck {
        if one.task_queue == client.task_queue() {
            match goes_on(client, &one).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(e) => one.problem = one.problem.map(|problem| format!("{problem}; not recovered: {e}")),
            }
        }
        left.push(one);
    }
    left
}

/// Whether it does from now on.
async fn goes_on(client: &Client, stuck: &Summary) -> Result<bool, ClientError> {
    let Summary { deployment_name, build_id, .. } = stuck.clone();
    let version = WorkerDeploymentVersion { deployment_name, build_id };
    let recovery = recover(client, &version).await?;
    let WorkerDeploymentVersion { deployment_name, build_id } = &version;
    match &recovery {
        Recovery::NotNeeded => {}
        Recovery::Ended => tracing::warn!(
            deployment_name,
            build_id,
            "the history of a controller with nothing left to do could not be replayed: its run was ended"
        ),
        Recovery::Begun(why) => tracing::warn!(
            deployment_name,
            build_id,
            why,
            "the controller's history could not be replayed: it goes on in a new run from its last decision"
        ),
    }
    Ok(recovery != Recovery::NotNeeded)
}

/// The stuck controllers of the last look, by deployment and build.
#[derive(Default)]
struct Known(BTreeMap<(String, String), String>);

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Stuck(WorkerDeploymentVersion, String),
    Over(WorkerDeploymentVersion),
}

impl Known {
    /// What is to be told of: each once, and when it is over.
    fn take(&mut self, stuck: Vec<Summary>) -> Vec<Change> {
        let now: BTreeMap<_, _> = stuck
            .into_iter()
            .map(|one| ((one.deployment_name, one.build_id), one.problem.unwrap_or_default()))
            .collect();
        let former = std::mem::replace(&mut self.0, now);
        let version = |(deployment_name, build_id): &(String, String)| WorkerDeploymentVersion {
            deployment_name: deployment_name.clone(),
            build_id: build_id.clone(),
        };
        let begun = self.0.iter().filter(|(name, _)| !former.contains_key(name));
        let begun = begun.map(|(name, problem)| Change::Stuck(version(name), problem.clone()));
        let over = former.keys().filter(|name| !self.0.contains_key(name));
        begun.chain(over.map(|name| Change::Over(version(name)))).collect()
    }
}

impl Change {
    fn tell(&self) {
        let (Self::Stuck(version, _) | Self::Over(version)) = self;
        let WorkerDeploymentVersion { deployment_name, build_id } = version;
        match self {
            Self::Stuck(_, problem) => tracing::error!(
                deployment_name,
                build_id,
                problem,
                "the controller is stuck: its workflow tasks fail again and again; {}",
                way_out(version)
            ),
            Self::Over(_) => tracing::info!(deployment_name, build_id, "the controller is no longer stuck"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck(builds: &[&str]) -> Vec<Summary> {
        let one = |build: &&str| Summary {
            deployment_name: "d".into(),
            build_id: (*build).into(),
            problem: Some("failed".into()),
            ..Summary::default()
        };
        builds.iter().map(one).collect()
    }

    #[test]
    fn a_stuck_controller_is_told_of_once_and_when_it_is_over() {
        let version =
            |build: &str| WorkerDeploymentVersion { deployment_name: "d".into(), build_id: build.into() };
        let mut known = Known::default();
        assert_eq!(known.take(stuck(&[])), []);
        assert_eq!(known.take(stuck(&["1"])), [Change::Stuck(version("1"), "failed".into())]);
        assert_eq!(known.take(stuck(&["1"])), []);
        let changed = [Change::Stuck(version("2"), "failed".into()), Change::Over(version("1"))];
        assert_eq!(known.take(stuck(&["2"])), changed);
    }
}
