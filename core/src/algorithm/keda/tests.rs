//! Every edge of `keda`.

use crate::algorithm::AlgorithmKind::Keda;
use crate::algorithm::testing::{Rig, activity, error, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::json;

const T0: i64 = 1_700_000_000_000;

fn rig(workers: u32) -> Rig {
    Rig::new(Keda, json!({}), json!({"worker_count": workers}))
}

fn poll(rig: &mut Rig, ms: i64, backlog: i64) -> Verdict {
    rig.poll(T0 + ms, &activity(backlog, 0.0, 0.0))
}

#[test]
fn the_first_worker_comes_at_a_look_each_30_s() {
    let mut rig = rig(0);
    assert_eq!(poll(&mut rig, 0, 0).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 15_000, 99).wish, Wish::Nothing);
    let first = poll(&mut rig, 30_000, 99);
    assert_eq!((first.wish, said(&first)), (Wish::Workers(1), (Rule::Activated, 1, 1, None)));
}

#[test]
fn above_one_each_worker_may_have_five_tasks_wait() {
    let size = |workers, backlog| said(&poll(&mut rig(workers), 0, backlog)).1;
    assert_eq!((size(1, 6), size(1, 10), size(1, 11), size(30, 496)), (2, 2, 3, 100));
    assert_eq!(
        said(&poll(&mut rig(60), 0, 501)),
        (Rule::BacklogPerWorkerAbove, 101, 100, Some(Limit::MaxCount))
    );
}

#[test]
fn a_tenth_around_five_a_worker_is_left_alone() {
    // Ten workers with 50 waiting tasks are right: the edges lie at 45 and 55.
    for (backlog, size) in [(44, 9), (45, 10), (55, 10), (56, 12)] {
        assert_eq!(said(&poll(&mut rig(10), 0, backlog)).1, size, "{backlog}");
    }
}

#[test]
fn up_is_at_most_four_or_as_many_again_each_15_s() {
    let mut rig = rig(1);
    assert_eq!(poll(&mut rig, 0, 400).wish, Wish::Workers(5));
    assert_eq!(poll(&mut rig, 14_999, 400).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 15_000, 400).wish, Wish::Workers(10));
}

#[test]
fn the_last_worker_goes_when_no_work_has_waited_for_more_than_300_s() {
    let mut rig = rig(1);
    poll(&mut rig, 0, 1);
    for ms in (15..=300).step_by(15) {
        assert_eq!(poll(&mut rig, ms * 1_000, 0).wish, Wish::Nothing, "{ms} s");
    }
    // Only a look may switch off, and looks come each 30 s.
    assert_eq!(poll(&mut rig, 315_000, 0).wish, Wish::Nothing);
    let off = poll(&mut rig, 330_000, 0);
    assert_eq!((off.wish, said(&off)), (Wish::Workers(0), (Rule::Deactivated, 0, 0, None)));
}

#[test]
fn the_cooldown_ends_after_300_s_and_no_later() {
    let at = |ms| {
        let mut rig = rig(1);
        poll(&mut rig, 0, 1);
        poll(&mut rig, ms, 0).wish
    };
    assert_eq!((at(300_000), at(300_001)), (Wish::Nothing, Wish::Workers(0)));
}

#[test]
fn work_at_a_look_begins_the_cooldown_anew() {
    let mut rig = rig(1);
    poll(&mut rig, 0, 1);
    poll(&mut rig, 150_000, 1);
    assert_eq!(poll(&mut rig, 330_000, 0).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 450_000, 0).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 480_000, 0).wish, Wish::Workers(0));
}

#[test]
fn a_minimum_keeps_the_cooldown_out() {
    let mut kept = Rig::new(Keda, json!({"min_count": 1}), json!({"worker_count": 1}));
    assert_eq!(poll(&mut kept, 900_000, 0).wish, Wish::Nothing);
    let mut none = Rig::new(Keda, json!({"min_count": 2}), json!({}));
    assert_eq!(said(&poll(&mut none, 0, 0)), (Rule::BelowMinimum, 2, 2, None));
}

#[test]
fn down_waits_for_300_s_of_recommendations_and_stops_at_one() {
    let mut rig = rig(8);
    poll(&mut rig, 0, 40);
    assert_eq!(
        said(&poll(&mut rig, 15_000, 1)),
        (Rule::BacklogPerWorkerBelow, 1, 8, Some(Limit::Stabilized))
    );
    assert_eq!(poll(&mut rig, 299_999, 1).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 315_000, 1).wish, Wish::Workers(1));
}

#[test]
fn more_than_the_activation_threshold_must_wait() {
    let rig = || Rig::new(Keda, json!({"activation_target_queue_size": 3}), json!({}));
    assert_eq!(poll(&mut rig(), 0, 3).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig(), 0, 4).wish, Wish::Workers(1));
}

#[test]
fn signals_and_missing_data_change_nothing() {
    let mut rig = rig(2);
    assert_eq!(rig.add(T0, &missed()), Verdict::NOTHING);
    assert_eq!(said(&rig.poll(T0, &MetricsSnapshot::default())), (Rule::NoChange, 2, 2, None));
    assert_eq!(rig.interval(T0), 15_000);
    assert!(error(Keda, json!({"target_queue_size": 0})).contains("above 0"));
}
