//! Every edge of `hpa`.

use crate::algorithm::AlgorithmKind::Hpa;
use crate::algorithm::testing::{Rig, error, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::json;

const T0: i64 = 1_700_000_000_000;
const NO_STATISTICS: &MetricsSnapshot = &MetricsSnapshot { workflow: None, activity: None, nexus: None };

/// A set of ready workers with 100 slots each, so that busy slots are hundredths of a worker.
fn rig(workers: u32, busy: u32) -> Rig {
    let mut rig = Rig::new(Hpa, json!({}), json!({"worker_count": workers}));
    rig.see(workers, 0, workers * 100, busy);
    rig
}

#[test]
fn the_set_grows_by_the_ratio_of_use_to_target() {
    let verdict = rig(4, 400).poll(T0, NO_STATISTICS);
    assert_eq!((verdict.wish, said(&verdict)), (Wish::Workers(5), (Rule::UtilizationAbove, 5, 5, None)));
    assert_eq!((input(&verdict, "utilization"), input(&verdict, "target_utilization")), (1.0, 0.8));
}

#[test]
fn a_tenth_around_the_target_is_left_alone() {
    // Of 1,000 slots the target is 800, so the edges lie at 720 and 880.
    for (busy, size) in [(719, 9), (720, 10), (880, 10), (881, 12)] {
        let said = said(&rig(10, busy).poll(T0, NO_STATISTICS));
        assert_eq!(said.1, size, "{busy}");
        assert_eq!(said.3 == Some(Limit::Tolerance), size == 10, "{busy}");
    }
}

#[test]
fn starting_workers_count_as_unused_on_the_way_up_only() {
    let size = |busy, starting| {
        let mut rig = rig(4, busy);
        rig.see(4, starting, 400, busy);
        said(&rig.poll(T0, NO_STATISTICS))
    };
    // 4 full workers and one that starts: 4 / 5 = 0.8 is the target itself.
    assert_eq!(size(400, 1), (Rule::NoChange, 4, 4, Some(Limit::Tolerance)));
    assert_eq!(size(400, 4), (Rule::NoChange, 4, 4, Some(Limit::StartingSuffice)));
    // On the way down they do not count at all.
    assert_eq!(size(160, 4).1, 2);
}

#[test]
fn down_takes_the_largest_recommendation_of_300_s() {
    let mut rig = rig(8, 800);
    rig.see(8, 0, 800, 640);
    rig.poll(T0, NO_STATISTICS);
    rig.see(8, 0, 800, 80);
    for ms in [15_000, 150_000, 299_999] {
        let held = rig.poll(T0 + ms, NO_STATISTICS);
        assert_eq!(
            (held.wish, said(&held)),
            (Wish::Nothing, (Rule::UtilizationBelow, 1, 8, Some(Limit::Stabilized)))
        );
    }
    assert_eq!(rig.poll(T0 + 315_000, NO_STATISTICS).wish, Wish::Workers(1));
}

#[test]
fn up_is_at_most_four_or_as_many_again_each_15_s() {
    let mut full = Rig::new(Hpa, json!({"target_utilization": 0.1}), json!({"worker_count": 1}));
    full.see(1, 0, 100, 100);
    assert_eq!(said(&full.poll(T0, NO_STATISTICS)), (Rule::UtilizationAbove, 10, 5, Some(Limit::MaxStep)));
    full.see(5, 0, 500, 500);
    assert_eq!(
        said(&full.poll(T0 + 15_000, NO_STATISTICS)),
        (Rule::UtilizationAbove, 50, 10, Some(Limit::MaxStep))
    );
}

#[test]
fn a_turn_comes_each_15_s() {
    let mut rig = rig(4, 400);
    assert_eq!(rig.interval(T0), 15_000);
    rig.poll(T0, NO_STATISTICS);
    assert_eq!(said(&rig.poll(T0 + 14_999, NO_STATISTICS)).3, Some(Limit::Cooldown));
    assert_ne!(said(&rig.poll(T0 + 15_000, NO_STATISTICS)).3, Some(Limit::Cooldown));
    assert_eq!(rig.add(T0, &missed()), Verdict::NOTHING);
}

#[test]
fn without_ready_workers_nothing_is_measured() {
    let mut rig = rig(3, 0);
    rig.see(0, 3, 0, 0);
    assert_eq!(said(&rig.poll(T0, NO_STATISTICS)), (Rule::NoChange, 3, 3, None));
}

#[test]
fn it_never_has_fewer_than_one_worker() {
    let mut rig = rig(0, 0);
    assert_eq!(rig.poll(T0, NO_STATISTICS).wish, Wish::Workers(1));
    rig.see(1, 0, 100, 0);
    assert_eq!(said(&rig.poll(T0 + 400_000, NO_STATISTICS)).3, Some(Limit::Stabilized));
    assert_eq!(
        said(&rig.poll(T0 + 800_000, NO_STATISTICS)),
        (Rule::UtilizationBelow, 0, 1, Some(Limit::MinCount))
    );
    assert!(error(Hpa, json!({"min_count": 0})).contains("at least 1"));
    assert!(error(Hpa, json!({"metrics_poll_interval_ms": 14_999})).contains("at least 15000"));
}
