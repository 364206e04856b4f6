//! SimFaaS's published example: 0.9 requests a second, services of 1.991 s warm and 2.244 s cold, instances that
//! expire 600 s after their last finish.
//!
//! N. Mahmoudi, H. Khazaei, "SimFaaS: a performance simulator for serverless computing platforms", CLOSER 2021.

use crate::standard::{Estimate, Figure, Proof, SEEDS};
use crate::support::{System, exponential, nanos};
use rayon::prelude::*;
use wci_sim::model::{KeepAlive, Routing};
use wci_sim::results::{RunResult, Workers};

const ARRIVAL_RATE: f64 = 0.9;
/// Requests of one published run of 1e6 s.
const PUBLISHED_TASKS: f64 = ARRIVAL_RATE * 1e6;

fn system(slow: f64, routing: Routing, tasks: f64) -> System {
    let (warm, cold) = (exponential(1.991 * slow), exponential(2.244 * slow));
    let mut system = System::per_request(ARRIVAL_RATE, warm, cold, KeepAlive::Fixed(nanos(600.0)), tasks);
    system.model.routing = routing;
    system
}

/// The model's long runs, with the newest idle instance taken first, give .001333 +- .000005 and 7.697 +- .002. Running
/// requests are arrivals a second times the mean service.
#[test]
fn thirty_runs_agree_with_long_ones() {
    const COLD: f64 = 0.001_333;
    let running = ARRIVAL_RATE * (1.991 + COLD * (2.244 - 1.991));
    let figures =
        vec![Figure::chance_of_cold_start(COLD), Figure::instances(7.697), Figure::running(running)];
    let newest = |slow, tasks| system(slow, Routing::Newest, tasks);
    let proof = Proof::new("SimFaaS's example, newest first", PUBLISHED_TASKS, figures, newest);
    Proof { counterproof_tasks: PUBLISHED_TASKS / 5.0, ..proof }.run();
}

/// One published run of 1e6 s. A run's luck moves its figures, ours as well as theirs: the published ones have to lie
/// among those of our runs of that length.
#[test]
fn the_published_run_could_be_one_of_ours() {
    let newest = system(1.0, Routing::Newest, PUBLISHED_TASKS);
    let runs: Vec<RunResult> = SEEDS.into_par_iter().map(|seed| newest.run(seed)).collect();
    let workers = |run: &RunResult| -> Workers { run.summary.total.workers.clone() };
    let lifespan = |run: &RunResult| workers(run).worker_seconds / workers(run).started as f64;
    let idle = |run: &RunResult| workers(run).mean - run.worker_means.busy_slots;
    among("chance of a cold start", 0.0014, &runs, |run| workers(run).cold_start_ratio.unwrap_or(f64::NAN));
    among("instances", 7.66, &runs, |run| workers(run).mean);
    among("running", 1.788, &runs, |run| run.worker_means.busy_slots);
    among("idle", 5.87, &runs, idle);
    among("lifespan (s)", 6335.0, &runs, lifespan);
}

/// Taking the longest idle instance first, or any, keeps all of them alive: each is used again long before it would
/// expire, so their number is the most that ever ran at once. That grows slower and slower; after 1e7 s it is near 13,
/// and a cold start is a matter of one request in a million.
#[test]
fn the_order_of_idle_instances_decides() {
    for (routing, order) in [(Routing::LongestIdle, "longest idle"), (Routing::Random, "random")] {
        let other = system(1.0, routing, 10.0 * PUBLISHED_TASKS);
        let runs: Vec<RunResult> = (1..=3).into_par_iter().map(|seed| other.run(seed)).collect();
        for run in runs {
            let Workers { started, max, mean, .. } = run.summary.total.workers;
            let cold = started as f64 / run.summary.total.tasks.arrived as f64;
            println!("{order} first: chance of a cold start {cold:.2e}, {mean:.2} instances");
            assert_eq!(started, max, "{order}: an instance expired");
            assert!((12.0..14.5).contains(&mean), "{order}: {mean}");
            assert!((1e-6..2e-6).contains(&cold), "{order}: {cold}");
        }
    }
}

/// Asserts that a published value lies within 4 standard deviations of single runs.
fn among(name: &'static str, published: f64, runs: &[RunResult], of: impl Fn(&RunResult) -> f64) {
    let estimate = Estimate::of(&runs.iter().map(of).collect::<Vec<_>>());
    let deviation = estimate.standard_error * (runs.len() as f64).sqrt();
    println!("{name}: {} +- {deviation:.2e} a run, published {published}", estimate.mean);
    assert!((estimate.mean - published).abs() <= 4.0 * deviation, "{name}: {estimate:?}, not {published}");
}
