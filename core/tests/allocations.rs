//! What must not allocate: it runs for every task that is added anywhere.

use allocation_counter::measure;
use serde_json::json;
use wci_core::algorithm::{Algorithm, AlgorithmKind, Context, Verdict};
use wci_core::config::ConfigMap;
use wci_core::metrics::{MetricsSnapshot, Observation, QueueMetrics, TaskQueueType};
use wci_core::signals::{AddOutcome, BatchIntervals, Batcher, TaskAdd};
use wci_core::spec::WireTaskType;
use wci_core::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn sync_matched() -> TaskAdd {
    TaskAdd {
        task_queue_name: "q".into(),
        task_queue_type: WireTaskType(TaskQueueType::Activity),
        is_sync_match: true,
        sync_match_signals_batched: 1,
        no_sync_match_signals_batched: 0,
        rate_limited_signals_batched: 0,
    }
}

/// With a state of which nothing came in the form in which it goes out.
fn algorithm(kind: AlgorithmKind) -> Algorithm {
    let state =
        json!({"last_scale_up_time_ms": "5", "worker_count": 3.0, "activity_last_dispatch_rate": "x"});
    Algorithm::new(kind, &ConfigMap::new(), state.as_object().unwrap()).unwrap()
}

#[test]
fn a_sync_matched_signal_allocates_nothing() {
    let observation = Observation::default();
    let add = sync_matched();
    for kind in AlgorithmKind::ALL {
        let mut algorithm = algorithm(*kind);
        let strategy = algorithm.launch_strategies()[0];
        let context = Context { now: NOW, strategy, observation: &observation };
        let allocated = measure(|| assert_eq!(algorithm.on_task_added(context, &add), Verdict::NOTHING));
        assert_eq!(allocated.count_total, 0, "{}", kind.name());
    }
}

#[test]
fn a_decision_allocates_its_reason_and_nothing_else() {
    let observation = Observation::default();
    let queue = QueueMetrics { last_backlog_count: 80, last_processing_rate: 4.0, ..QueueMetrics::default() };
    let metrics = MetricsSnapshot { workflow: Some(queue), activity: Some(queue), nexus: Some(queue) };
    for kind in [AlgorithmKind::NoSync, AlgorithmKind::NoSyncConfirmed, AlgorithmKind::RateBased] {
        let mut algorithm = algorithm(kind);
        let strategy = algorithm.launch_strategies()[0];
        let context = Context { now: NOW, strategy, observation: &observation };
        let allocated = measure(|| drop(algorithm.on_metrics(context, &metrics)));
        assert_eq!(allocated.count_total, 1, "{}", kind.name());
    }
}

#[test]
fn batching_allocates_nothing() {
    let (mut batcher, intervals) = (Batcher::default(), BatchIntervals::default());
    let allocated = measure(|| {
        for millis in 0..2_000 {
            let outcome = if millis % 3 == 0 { AddOutcome::NoSyncMatch } else { AddOutcome::SyncMatch };
            batcher.add(Timestamp::from_millis(millis), outcome, &intervals);
        }
    });
    assert_eq!(allocated.count_total, 0);
}
