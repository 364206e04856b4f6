//! `lcp` against its definition: the corridor of the optimal plans, found by trying every plan.

use super::waiting;
use crate::algorithm::AlgorithmKind::Lcp;
use crate::algorithm::testing::{Rig, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::Rule;
use crate::metrics::MetricsSnapshot;
use serde_json::json;

const T0: i64 = 1_700_000_000_000;
const MAX: u32 = 3;
const SWITCHING: f64 = 25.0;
const SECONDS: f64 = 10.0;
const NO_STATISTICS: &MetricsSnapshot = &MetricsSnapshot { workflow: None, activity: None, nexus: None };

fn rig() -> Rig {
    Rig::new(Lcp, json!({"max_count": MAX, "switching_cost_s": SWITCHING}), json!({}))
}

/// Workers of two slots.
fn poll(rig: &mut Rig, turn: usize, tasks: f64) -> Verdict {
    rig.see_tasks(1, 2, tasks);
    rig.poll(T0 + i64::try_from(turn).unwrap() * 10_000, NO_STATISTICS)
}

/// The last sizes of the cheapest plans from no worker on, when going up costs and when going down does.
fn last_sizes(tasks: &[f64]) -> (u32, u32) {
    let turns = u32::try_from(tasks.len()).unwrap();
    let plans = (0..4_u32.pow(turns)).map(|plan| (0..turns).map(move |turn| plan / 4_u32.pow(turn) % 4));
    let (mut low, mut high) = ((f64::INFINITY, 0), (f64::INFINITY, 0));
    for plan in plans {
        let (mut running, mut ups, mut downs, mut before) = (0.0, 0, 0, 0);
        for (size, tasks) in plan.zip(tasks) {
            let x = f64::from(size);
            running += SECONDS * (x + waiting(tasks / 2.0, x));
            ups += size.saturating_sub(before);
            downs += before.saturating_sub(size);
            before = size;
        }
        let (up, down) = (running + SWITCHING * f64::from(ups), running + SWITCHING * f64::from(downs));
        let is_less = |cost: f64, best: f64| cost < best - 1e-9;
        if is_less(up, low.0) || (!is_less(low.0, up) && before < low.1) {
            low = (up, before);
        }
        if is_less(down, high.0) || (!is_less(high.0, down) && before > high.1) {
            high = (down, before);
        }
    }
    (low.1, high.1)
}

#[test]
fn the_corridor_is_that_of_the_optimal_plans() {
    let days = [
        [0.5, 3.0, 4.0, 0.2, 0.1, 0.0, 2.2],
        [5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0, 3.5, 0.3],
        [2.0, 2.5, 1.5, 2.0, 0.5, 0.0, 6.0],
    ];
    for day in days {
        let mut set = rig();
        for turn in 0..day.len() {
            let verdict = poll(&mut set, turn, day[turn]);
            let corridor = (input(&verdict, "lower_bound_workers"), input(&verdict, "upper_bound_workers"));
            let (low, high) = last_sizes(&day[..=turn]);
            assert_eq!(corridor, (low.into(), high.into()), "turn {turn} of {day:?}");
        }
    }
}

#[test]
fn the_size_moves_no_further_than_into_the_corridor() {
    let mut set = rig();
    let mut size = 0_i64;
    for (turn, tasks) in [0.5, 3.0, 4.0, 0.2, 0.1, 0.0, 0.0, 0.0].into_iter().enumerate() {
        let verdict = poll(&mut set, turn, tasks);
        let (low, high) = (input(&verdict, "lower_bound_workers"), input(&verdict, "upper_bound_workers"));
        size = size.clamp(low as i64, high as i64);
        assert_eq!(said(&verdict).2, size, "turn {turn}");
    }
    assert_eq!(size, 0, "an idle set goes");
}

#[test]
fn an_idle_worker_goes_when_it_has_cost_as_much_as_a_start() {
    // 60 worker-seconds a start and turns of 10 s: the sixth idle turn makes it not worth while.
    let mut set = Rig::new(Lcp, json!({}), json!({"worker_count": 1}));
    let sizes: Vec<_> = (0..8).map(|turn| said(&poll(&mut set, turn, 0.0)).2).collect();
    assert_eq!(sizes, [1, 1, 1, 1, 1, 1, 0, 0]);
}

#[test]
fn every_size_has_a_cost_and_larger_ones_a_falling_one() {
    for load in [0.0, 0.3, 2.0, 100.0] {
        let costs: Vec<_> = (0..50).map(|size| waiting(load, f64::from(size) * 3.0)).collect();
        assert!(costs.windows(2).all(|pair| pair[1] <= pair[0] && pair[1] >= 0.0), "{costs:?}");
    }
    assert_eq!((waiting(2.0, 4.0), waiting(2.0, 2.5), waiting(2.0, 2.0)), (2.0, 8.0, 16.0));
}

#[test]
fn up_and_down_say_so_and_signals_say_nothing() {
    let mut set = rig();
    assert_eq!(set.add(T0, &missed()), Verdict::NOTHING);
    let up = poll(&mut set, 0, 12.0);
    assert_eq!((up.wish, said(&up).0), (Wish::Workers(3), Rule::CostAbove));
    let down = (1..20).map(|turn| poll(&mut set, turn, 0.0)).find(|verdict| verdict.wish != Wish::Nothing);
    assert_eq!(said(&down.expect("it goes down")).0, Rule::CostBelow);
    assert_eq!(set.interval(T0), 10_000);
}
