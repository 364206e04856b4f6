//! The shadow of a controller that the original serves.
//!
//! Its history holds signals and decisions, but no statistics: those are read from the server at the moment at which
//! it reads them, and what it read before this began is not known.

use super::{Failed, print};
use crate::controller::client::ClientError;
use crate::controller::journal::Histories;
use crate::controller::journal::original::{Act, Happened, Original};
use crate::controller::{Client, Pace, now, read_queues, sum};
use crate::error::ProviderError;
use wci_core::controller::{FailureClass, Input, OpenLoop, Settings, WorkerDeploymentVersion};
use wci_core::decision::{Action, ActionId, ActionKind, Decision, FetchWhy};
use wci_core::metrics::MetricsSnapshot;
use wci_core::{Millis, Spec, Step, Timestamp};

/// Statistics read later than so long after the original read them are others.
const SAME: Millis = Millis::from_secs(10);
const READS_PER_SECOND: u32 = 5;

pub(super) async fn follow(
    client: &Client,
    version: &WorkerDeploymentVersion,
    spec: Spec,
    follow: bool,
) -> Result<(), Failed> {
    eprintln!(
        "the original serves this controller: it records no reasons and no statistics, so its own reads are"
    );
    eprintln!("repeated as they happen, and polls from before now are left out");
    let mut shadow = Shadow { spec, other: None, statistics: None, reads: 0 };
    let mut original = Original::default();
    let pace = Pace::a_second(READS_PER_SECOND);
    let take = async |event| {
        let Some((at, happened)) = original.take(&event) else { return Ok(()) };
        if matches!(happened, Happened::Reads { .. }) && now().since(at) < SAME {
            pace.turn().await;
            shadow.statistics = statistics(client, version).await;
        }
        let (running, beside) = shadow.take(at, happened);
        if running.is_empty() && beside.is_empty() {
            return Ok(());
        }
        print(&at.to_rfc3339(), &running, &beside).map_err(unwritable)
    };
    Ok(Histories::of(client, version).events(follow, take).await?)
}

async fn statistics(client: &Client, version: &WorkerDeploymentVersion) -> Option<MetricsSnapshot> {
    match read_queues(client.temporal(), version, true).await {
        Ok(queues) => Some(sum(&queues)),
        Err(e) if e.class == FailureClass::NotFound => None,
        Err(e) => {
            eprintln!("a poll is left out: {e}");
            None
        }
    }
}

fn unwritable(error: std::io::Error) -> ClientError {
    ClientError::Server(ProviderError::rejected(format!("stdout: {error}")))
}

/// The other spec, shown what happens to the original.
struct Shadow {
    spec: Spec,
    other: Option<OpenLoop>,
    /// Read when the original began to read them.
    statistics: Option<MetricsSnapshot>,
    reads: u64,
}

impl Shadow {
    /// What the original did, and what the other spec would have decided.
    fn take(&mut self, at: Timestamp, happened: Happened) -> (Vec<Act>, Vec<Decision>) {
        match happened {
            Happened::Begun(start) => {
                // A further run goes on with what the other spec has led to. What the original reads for each of
                // its deferred decisions, the other one takes, too.
                let version = start.version();
                let spec = &self.spec;
                self.other.get_or_insert_with(|| {
                    OpenLoop::new(version, Settings::like_go(), start.state, spec.clone())
                });
                (Vec::new(), Vec::new())
            }
            Happened::Signalled(add, acts) => {
                let add = add.map(Input::TaskAdd);
                let beside = self.other.as_mut().zip(add).map(|(o, add)| o.feed(at, &add, &Step::default()));
                (acts, beside.unwrap_or_default())
            }
            Happened::Reads { .. } => (Vec::new(), Vec::new()),
            Happened::Polled { is_poll, acts } => (acts, self.polled(at, is_poll)),
        }
    }

    fn polled(&mut self, at: Timestamp, is_poll: bool) -> Vec<Decision> {
        let (Some(other), Some(metrics)) = (&mut self.other, self.statistics.take()) else {
            return Vec::new();
        };
        self.reads += 1;
        let id = ActionId(self.reads);
        // Whose deferred decision it was makes no difference: all that wait for statistics get them.
        let why = if is_poll { FetchWhy::Poll } else { FetchWhy::Deferred { group: "".into() } };
        let asked =
            Step { actions: vec![Action { id, kind: ActionKind::FetchMetrics { why } }], ..Step::default() };
        let mut decisions = other.feed(at, &Input::WokeUp, &asked);
        decisions.extend(other.feed(at, &Input::Metrics { id, result: Ok(metrics) }, &Step::default()));
        decisions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::contract::Start;
    use serde_json::json;
    use wci_core::State;
    use wci_core::metrics::QueueMetrics;

    fn begun() -> Shadow {
        let spec = json!({"scaling_group_specs": {"g": {
            "compute": {"provider_type": "aws-ecs", "config": {"cluster": "c", "service": "s", "region": "eu-west-1"}},
            "scaling": {"scaling_algorithm": "rate-based", "config": {"scale_up_cooldown_ms": 0}}}}});
        let spec = Spec::from_json(&spec).unwrap();
        let mut shadow = Shadow { spec, other: None, statistics: None, reads: 0 };
        let start = Start {
            deployment_name: "d".into(),
            build_id: "1".into(),
            state: State::default(),
            ..Start::default()
        };
        assert_eq!(shadow.take(at(0), Happened::Begun(Box::new(start))), (vec![], vec![]));
        shadow
    }

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + secs * 1000)
    }

    fn desired(decisions: &[Decision]) -> Vec<i64> {
        decisions.iter().filter_map(|decision| decision.reason.desired_workers).collect()
    }

    #[test]
    fn the_other_spec_sees_the_originals_signals() {
        let mut shadow = begun();
        let add = json!({"task_queue_type": 2, "is_sync_match": false, "no_sync_match_signals_batched": 1});
        let act = Act { group: "g".into(), action: "invoke-worker".into(), count: None };
        let add = serde_json::from_value(add).unwrap();
        let (running, beside) = shadow.take(at(1), Happened::Signalled(Some(add), vec![act.clone()]));
        assert_eq!((running, desired(&beside)), (vec![act], vec![1]));
    }

    #[test]
    fn it_decides_at_the_originals_polls_on_statistics_read_at_their_time() {
        let mut shadow = begun();
        let poll = || Happened::Polled { is_poll: true, acts: Vec::new() };
        assert_eq!(shadow.take(at(60), poll()).1, [], "nobody knows what the original read");
        let activity = Some(QueueMetrics {
            last_backlog_count: 500,
            last_arrival_rate: 10.0,
            ..QueueMetrics::default()
        });
        shadow.statistics = Some(MetricsSnapshot { activity, ..MetricsSnapshot::default() });
        assert!(desired(&shadow.take(at(120), poll()).1)[0] > 0);
        assert_eq!(shadow.take(at(180), poll()).1, [], "statistics are used once");
    }
}
