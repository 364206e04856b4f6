//! Time of a cluster's run by the number of its buckets: it has to stay the same for each bucket.
//!
//! `cargo bench --package wci-sim --bench cluster`

use std::hint::black_box;
use std::time::{Duration, Instant};
use wci_sim::cluster::{ClusterScenario, run};
use wci_sim::scenario::ScenarioErrors;

const RUNS: usize = 5;

fn main() -> Result<(), ScenarioErrors> {
    println!("{:<34} {:>10} {:>10} {:>14}", "what happens", "buckets", "ms", "us a bucket");
    for (name, events) in [("nothing", ""), ("nodes crash and come back", FAILURES)] {
        for buckets in [1_000, 10_000, 100_000] {
            let scenario = scenario(buckets, events)?;
            let best = (0..RUNS).map(|_| time(&scenario)).min().unwrap_or_default().as_secs_f64();
            println!(
                "{name:<34} {buckets:>10} {:>10.1} {:>14.2}",
                best * 1e3,
                best * 1e6 / f64::from(buckets)
            );
        }
    }
    Ok(())
}

const FAILURES: &str = "[failures]\nmean_between = \"30m\"\nmean_repair = \"5m\"\n";

/// Six nodes with four workers each.
fn scenario(buckets: u32, events: &str) -> Result<ClusterScenario, ScenarioErrors> {
    let text = format!(
        "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\", \"C\", \"D\", \"E\", \"F\"]\nhorizon = \"100d\"\n\
         [work]\nbuckets = {buckets}\nbucket = \"10s\"\n[scan]\nclose_done = true\n\
         [[task]]\nname = \"t\"\nworkers_per_node = [{{ count = 4 }}]\n{events}"
    );
    ClusterScenario::from_toml(&text, "bench.toml", |name| Err(format!("no {name}")))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn time(scenario: &ClusterScenario) -> Duration {
    let start = Instant::now();
    black_box(run(black_box(&scenario.under(1))));
    start.elapsed()
}
