//! The books balance: at every moment every task is somewhere, and at the end the two accumulators of waiting agree.

use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::Quiet;
use wci_sim::model::SECOND;
use wci_sim::results::{Figures, RunResult};

/// `finish` compares the backlog's integral with the sum of all waits, as integers, and refuses a run in which they
/// differ.
#[test]
fn every_task_is_somewhere_at_every_moment() {
    for_every_seed("every_task_is_somewhere_at_every_moment", |scenario| {
        let mut simulation = scenario.simulation();
        while !simulation.is_done() {
            let until = simulation.world().now + SECOND / 3;
            simulation.run_until(until, &mut Quiet).map_err(|e| e.to_string())?;
            let now = simulation.world().now;
            ensure(simulation.world().is_conserved(), || format!("a task is missing or double at {now} ns"))?;
        }
        let run = simulation.finish().map_err(|e| e.to_string())?;
        adds_up("all groups", &run.summary.total)?;
        run.summary.groups.iter().try_for_each(|(name, figures)| adds_up(name, figures))?;
        groups_make_the_total(&run)
    });
}

fn adds_up(name: &str, figures: &Figures) -> Result<(), String> {
    let t = &figures.tasks;
    let sum = t.completed + t.waiting + t.running + t.retrying + t.failed + t.rejected;
    ensure(t.arrived == sum, || format!("{name}: {t:?} do not add up"))?;
    ensure(t.measured <= t.arrived, || format!("{name}: more measured than arrived: {t:?}"))?;
    let workers = &figures.workers;
    let has_less = workers.lost_slot_seconds <= workers.busy_slot_seconds + 1e-6;
    ensure(has_less, || format!("{name}: more slot time lost than used: {workers:?}"))?;
    let is_share = |x: Option<f64>| x.is_none_or(|x| (0.0..=1.0).contains(&x));
    let shares = [figures.sync_match_ratio, workers.cold_start_ratio, workers.utilization];
    ensure(shares.into_iter().all(is_share), || format!("{name}: shares outside 0 to 1: {shares:?}"))?;
    let q = &figures.schedule_to_start;
    let sorted: Vec<f64> = [q.p50, q.p90, q.p95, q.p99, q.max].into_iter().flatten().collect();
    ensure(sorted.is_sorted(), || format!("{name}: percentiles out of order: {q:?}"))?;
    let is_money = figures.cost_usd.total.is_finite() && figures.cost_usd.total >= 0.0;
    ensure(is_money, || format!("{name}: costs {:?}", figures.cost_usd))
}

fn groups_make_the_total(run: &RunResult) -> Result<(), String> {
    let groups = run.summary.groups.values();
    let sums = groups.fold([0; 3], |sums: [u64; 3], group| {
        let of = [group.tasks.arrived, group.tasks.completed, group.workers.started];
        [0, 1, 2].map(|i| sums[i] + of[i])
    });
    let total = &run.summary.total;
    let expected = [total.tasks.arrived, total.tasks.completed, total.workers.started];
    ensure(sums == expected, || format!("groups have {sums:?}, the total {expected:?}"))
}
