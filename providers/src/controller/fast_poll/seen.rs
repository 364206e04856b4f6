//! What was last seen of task queues, and the signals that a new answer is worth.

use super::super::statistics::VersionQueue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::metrics::TaskQueueType;
use wci_core::signals::{Batch, TaskAdd};

/// A head that has waited so long raises one signal of its own, in milliseconds.
const OLD: i64 = 10_000;

/// Deployment, build, task queue, index of its type.
type Key = (String, String, String, usize);

/// Every task queue as it was last seen: backlog and age. It outlives the activity that looks, so that a backlog is
/// not told again because another process goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Key, (i64, i64))>", into = "Vec<(Key, (i64, i64))>")]
pub struct Seen {
    queues: BTreeMap<Key, (i64, i64)>,
}

impl Seen {
    /// The signals that a new answer is worth.
    pub(super) fn compare(
        &mut self,
        version: &WorkerDeploymentVersion,
        queues: &[VersionQueue],
    ) -> Vec<TaskAdd> {
        let mut signals = Vec::new();
        for queue in queues.iter().filter(|queue| queue.task_type != TaskQueueType::Nexus) {
            let WorkerDeploymentVersion { deployment_name, build_id } = version.clone();
            let key = (deployment_name, build_id, queue.name.clone(), queue.task_type.index());
            let (count, age) = (queue.metrics.last_backlog_count, queue.metrics.last_backlog_age);
            let (last_count, last_age) = self.queues.insert(key, (count, age)).unwrap_or_default();
            let growth = u32::try_from(count.saturating_sub(last_count)).unwrap_or(0);
            if growth > 0 {
                signals.push(signal(queue, growth));
            }
            if count > 0 && age >= OLD && last_age < OLD {
                signals.push(signal(queue, 1));
            }
        }
        signals
    }

    /// Forgets the queues of other versions.
    pub(super) fn keep(&mut self, versions: &[WorkerDeploymentVersion]) {
        self.queues.retain(|(name, build, ..), _| {
            versions.iter().any(|v| (&v.deployment_name, &v.build_id) == (name, build))
        });
    }
}

impl From<Vec<(Key, (i64, i64))>> for Seen {
    fn from(queues: Vec<(Key, (i64, i64))>) -> Self {
        Self { queues: queues.into_iter().collect() }
    }
}

impl From<Seen> for Vec<(Key, (i64, i64))> {
    fn from(seen: Seen) -> Self {
        seen.queues.into_iter().collect()
    }
}

/// A batch of adds that found no worker, as the hook would have sent it.
fn signal(queue: &VersionQueue, count: u32) -> TaskAdd {
    let batch = Batch { is_sync_match: false, sync: 0, no_sync: count, rate_limited: 0 };
    batch.into_signal(queue.name.as_str().into(), queue.task_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::metrics::QueueMetrics;

    fn version(name: &str) -> WorkerDeploymentVersion {
        WorkerDeploymentVersion { deployment_name: name.into(), build_id: "1".into() }
    }

    fn queue(count: i64, age: i64) -> VersionQueue {
        let metrics =
            QueueMetrics { last_backlog_count: count, last_backlog_age: age, ..QueueMetrics::default() };
        VersionQueue { name: "q".into(), task_type: TaskQueueType::Activity, metrics }
    }

    fn counts(seen: &mut Seen, count: i64) -> Vec<u32> {
        let signals = seen.compare(&version("d"), &[queue(count, 0)]);
        signals.iter().map(|s| s.no_sync_match_signals_batched).collect()
    }

    #[test]
    fn growth_is_told_once_and_by_its_size() {
        let mut seen = Seen::default();
        assert_eq!(counts(&mut seen, 3), [3]);
        assert_eq!(counts(&mut seen, 3), [0; 0]);
        assert_eq!(counts(&mut seen, 5), [2]);
        assert_eq!(counts(&mut seen, 1), [0; 0]);
        assert!(seen.compare(&version("d"), &[queue(2, 0)])[0].is_eligible());
    }

    #[test]
    fn an_old_head_is_told_when_it_becomes_old() {
        let mut seen = Seen::default();
        let mut told = |age| seen.compare(&version("d"), &[queue(1, age)]).len();
        assert_eq!(told(OLD - 1), 1);
        assert_eq!(told(OLD), 1);
        assert_eq!(told(OLD + 5000), 0);
        assert_eq!(told(0), 0);
        assert_eq!(told(OLD), 1);
    }

    #[test]
    fn whoever_goes_on_tells_nothing_anew() {
        let mut seen = Seen::default();
        assert_eq!(counts(&mut seen, 3), [3]);
        let written = serde_json::to_string(&seen).unwrap();
        let mut next: Seen = serde_json::from_str(&written).unwrap();
        assert_eq!(counts(&mut next, 3), [0; 0]);
        next.keep(&[version("other")]);
        assert_eq!(counts(&mut next, 3), [3], "a version that was gone is a new one");
    }
}
