//! Runs a claim over many seeds, on all cores, and says how to reproduce a failure.

use crate::any::Scenario;
use rayon::prelude::*;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wci_sim::driver::{Observer, Quiet, Simulation};
use wci_sim::results::RunResult;

/// Seeds of an ordinary run of the tests.
const SEEDS: Range<u64> = 0..60;

/// Holds a claim to the scenario of every seed.
pub fn for_every_seed(test: &str, claim: impl Fn(&Scenario) -> Result<(), String> + Sync) {
    let seeds = chosen_seeds();
    let failures: Vec<(u64, String)> = seeds
        .into_par_iter()
        .filter_map(|seed| {
            let held = catch_unwind(AssertUnwindSafe(|| claim(&Scenario::any(seed))));
            let held = held.unwrap_or_else(|panic| Err(format!("panicked: {}", words(&*panic))));
            held.err().map(|why| (seed, why))
        })
        .collect();
    let Some((seed, why)) = failures.first() else { return };
    let all: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    panic!(
        "seed {seed}: {why}\n(failing seeds: {all:?})\nreproduce with\n  WCI_FUZZ={seed}..{} cargo test --package \
         wci-sim --test invariants {test}",
        seed + 1
    );
}

/// `WCI_FUZZ=from..to`, or the usual ones.
fn chosen_seeds() -> Range<u64> {
    let Ok(text) = std::env::var("WCI_FUZZ") else { return SEEDS };
    let bounds = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("WCI_FUZZ is {text:?}, expected seeds such as 17..18"))
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

impl Scenario {
    /// A run of it from time 0.
    pub fn simulation(&self) -> Simulation {
        Simulation::new(self.model.clone(), self.sources())
    }

    /// Runs it to the end.
    pub fn run(&self, observer: &mut dyn Observer) -> Result<RunResult, String> {
        self.simulation().run(observer).map_err(|e| e.to_string())
    }
}

impl Scenario {
    /// Runs it to the end with two workers a group, or as many as the platform starts.
    pub fn run_with_two_workers(&self) -> Result<RunResult, String> {
        let model = self.model.clone();
        let simulation = match model.groups.iter().any(|group| group.provider.is_per_request()) {
            true => self.simulation(),
            false => Simulation::with_theory(model, self.sources(), Box::new(|_, _| 2)),
        };
        simulation.run(&mut Quiet).map_err(|e| e.to_string())
    }
}

/// An error unless it holds.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
