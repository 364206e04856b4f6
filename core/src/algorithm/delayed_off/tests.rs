//! Every edge of `delayed-off`.

use crate::algorithm::AlgorithmKind::DelayedOff;
use crate::algorithm::testing::{Rig, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::json;

const T0: i64 = 1_700_000_000_000;
const NO_STATISTICS: &MetricsSnapshot = &MetricsSnapshot { workflow: None, activity: None, nexus: None };

fn rig(workers: u32) -> Rig {
    Rig::new(DelayedOff, json!({}), json!({"worker_count": workers, "slots_per_worker": 4}))
}

/// Workers of four slots; so many tasks run or wait.
fn poll(rig: &mut Rig, ms: i64, tasks: f64) -> Verdict {
    rig.see_tasks(2, 8, tasks);
    rig.poll(T0 + ms, NO_STATISTICS)
}

#[test]
fn as_many_workers_as_the_tasks_fill_come_at_once() {
    let size = |tasks| said(&poll(&mut rig(0), 0, tasks)).1;
    assert_eq!((size(0.1), size(4.0), size(4.1), size(17.0)), (1, 1, 2, 5));
    assert_eq!(said(&poll(&mut rig(0), 0, 17.0)).0, Rule::ConcurrencyAbove);
    assert_eq!(said(&poll(&mut rig(0), 0, 401.0)), (Rule::ConcurrencyAbove, 101, 100, Some(Limit::MaxCount)));
}

#[test]
fn a_worker_goes_exactly_when_it_has_idled_for_the_break_even_time() {
    let mut rig = rig(5);
    poll(&mut rig, 0, 17.0);
    let held = poll(&mut rig, 1_000, 5.0);
    assert_eq!((held.wish, said(&held)), (Wish::Nothing, (Rule::NoChange, 5, 5, Some(Limit::Stabilized))));
    assert_eq!(poll(&mut rig, 59_999, 5.0).wish, Wish::Nothing);
    let off = poll(&mut rig, 61_000, 5.0);
    assert_eq!((off.wish, said(&off)), (Wish::Workers(2), (Rule::SurplusOverBreakEven, 2, 2, None)));
}

#[test]
fn each_worker_has_a_clock_of_its_own() {
    let mut rig = rig(3);
    poll(&mut rig, 0, 12.0);
    poll(&mut rig, 20_000, 8.0);
    poll(&mut rig, 40_000, 0.0);
    assert_eq!(poll(&mut rig, 60_000, 0.0).wish, Wish::Workers(2));
    assert_eq!(poll(&mut rig, 79_000, 0.0).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 80_000, 0.0).wish, Wish::Workers(0));
}

#[test]
fn needed_again_the_clock_begins_anew() {
    let mut rig = rig(2);
    poll(&mut rig, 0, 8.0);
    poll(&mut rig, 50_000, 8.0);
    assert_eq!(poll(&mut rig, 109_999, 0.0).wish, Wish::Nothing);
    assert_eq!(poll(&mut rig, 111_000, 0.0).wish, Wish::Workers(0));
}

#[test]
fn idling_costs_at_most_as_much_again_as_the_starts() {
    // One task a worker every 61 s: each start is followed by exactly one break-even time of idling.
    let (mut set, mut size, mut starts, mut worker_seconds) = (rig(0), 0_u32, 0_u32, 0_u32);
    for second in 0..610 {
        let tasks = if second % 61 == 0 { 1.0 } else { 0.0 };
        if let Wish::Workers(wished) = poll(&mut set, second * 1_000, tasks).wish {
            starts += wished.saturating_sub(size);
            size = wished;
        }
        worker_seconds += size;
    }
    assert_eq!((starts, worker_seconds), (10, 600), "a start is worth 60 worker-seconds");
}

#[test]
fn no_observation_and_signals_change_nothing() {
    let mut rig = rig(2);
    assert_eq!(rig.add(T0, &missed()), Verdict::NOTHING);
    assert_eq!(said(&rig.poll(T0, NO_STATISTICS)), (Rule::NoChange, 2, 2, None));
    assert_eq!(rig.interval(T0), 1_000);
    assert_eq!(input(&poll(&mut rig, 1_000, 3.0), "slots_per_worker"), 4.0);
}
