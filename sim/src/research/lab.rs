//! Runs scenarios under many seeds on all cores, and puts the results in order.

use super::observe::Course;
use super::square_root::SquareRoot;
use crate::driver::{Quiet, Simulation, SimulationError};
use crate::pool::Pool;
use crate::results::{RunResult, Summary};
use crate::scenario::{OpenError, Resolved, Surroundings};
use crate::trace::MemoryFiles;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// One thing that is run under several seeds: a scenario with a spec and settings.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// The scenario.
    pub resolved: Resolved,
    /// Everything that decides the outcome, as text: two cases with the same text and seed have the same result.
    pub identity: String,
    /// How much of a result is kept.
    pub keep: Keep,
    /// An oracle decides in the place of the spec.
    pub oracle: Option<SquareRoot>,
}

/// How much of a result is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The waits themselves, for pooled percentiles.
    pub pools: bool,
    /// How often each rule acted, and of the first replication its course.
    pub course: bool,
}

/// What is kept of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The figures.
    pub summary: Summary,
    /// What replications are pooled from, by group; empty unless wanted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, Pool>,
    /// How it went, if wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why a study ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A trace is missing or cannot be read.
    #[error("{case}: {error}")]
    Open {
        /// The case.
        case: String,
        /// Why.
        error: Box<OpenError>,
    },
    /// A run failed.
    #[error("{case}, seed {seed}: {error}")]
    Run {
        /// The case.
        case: String,
        /// The seed.
        seed: u64,
        /// Why.
        error: Box<SimulationError>,
    },
    /// Nothing is left to measure.
    #[error("{case}: warm_up is longer than the trace")]
    WarmUp {
        /// The case.
        case: String,
    },
}

/// Remembers finished runs, so that a study that was interrupted goes on where it was.
pub trait Store: Sync {
    /// The result of this case under this seed, if it is known.
    fn find(&self, case: &Case, seed: u64) -> Option<Finished>;
    /// A run has finished.
    fn keep(&self, case: &Case, seed: u64, finished: &Finished);
}

/// Watches a study.
pub trait Watch: Sync {
    /// A search ends after so many runs at the latest, as far as can be told.
    fn at_most(&self, _runs: usize) {}
    /// So many runs more are known to be needed.
    fn planned(&self, _runs: usize) {}
    /// A run has finished.
    fn finished(&self) {}
}

/// Neither remembers nor watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Store for Nothing {
    fn find(&self, _case: &Case, _seed: u64) -> Option<Finished> {
        None
    }
    fn keep(&self, _case: &Case, _seed: u64, _finished: &Finished) {}
}

impl Watch for Nothing {}

/// Where runs are made: what their paths need from outside, what is known already, who watches.
#[derive(Clone, Copy)]
pub struct Lab<'a> {
    /// Opens traces.
    pub surroundings: Surroundings<'a>,
    /// Remembers.
    pub store: &'a dyn Store,
    /// Watches.
    pub watch: &'a dyn Watch,
}

impl Lab<'static> {
    /// For scenarios that need no files.
    #[must_use]
    pub fn without_files() -> Self {
        static NO_FILES: MemoryFiles = MemoryFiles(BTreeMap::new());
        let surroundings = Surroundings { files: &NO_FILES, variable: &|_| None };
        Self { surroundings, store: &Nothing, watch: &Nothing }
    }
}

impl Lab<'_> {
    /// Runs each case under each seed, in any order on all cores; the results are in the order of cases and, within
    /// a case, of seeds.
    ///
    /// # Errors
    /// The first error in that order.
    pub fn run(&self, cases: &[&Case], seeds: Range<u64>) -> Result<Vec<Vec<Finished>>, StudyError> {
        let jobs = cases.iter().flat_map(|case| seeds.clone().map(move |seed| (*case, seed))).collect();
        self.each(jobs, cases.len(), seeds.end.saturating_sub(seeds.start))
    }

    /// Runs replications of each case: number `i` runs under the case's own seed plus `i`.
    ///
    /// # Errors
    /// The first error in the order of cases and replications.
    pub fn replicate(&self, cases: &[&Case], numbers: Range<u64>) -> Result<Vec<Vec<Finished>>, StudyError> {
        let seeds = |case: &Case| {
            let first = case.first_seed();
            numbers.clone().map(move |number| first.saturating_add(number))
        };
        let jobs = cases.iter().flat_map(|case| seeds(case).map(move |seed| (*case, seed))).collect();
        self.each(jobs, cases.len(), numbers.end.saturating_sub(numbers.start))
    }

    fn each(
        &self,
        jobs: Vec<(&Case, u64)>,
        cases: usize,
        per_case: u64,
    ) -> Result<Vec<Vec<Finished>>, StudyError> {
        self.watch.planned(jobs.len());
        let results: Vec<Result<Finished, StudyError>> =
            jobs.into_par_iter().with_max_len(1).map(|(case, seed)| self.one(case, seed)).collect();
        let mut results = results.into_iter();
        (0..cases).map(|_| results.by_ref().take(per_case as usize).collect()).collect()
    }

    fn one(&self, case: &Case, seed: u64) -> Result<Finished, StudyError> {
        let known = self.store.find(case, seed);
        let finished = match known {
            Some(known) => known,
            None => {
                let finished = self.simulate(case, seed)?;
                self.store.keep(case, seed, &finished);
                finished
            }
        };
        self.watch.finished();
        Ok(finished)
    }

    fn simulate(&self, case: &Case, seed: u64) -> Result<Finished, StudyError> {
        let mut resolved = case.resolved.clone();
        resolved.model.seed = seed;
        let name = || case.name.clone();
        let sources = resolved.open_sources(seed, self.surroundings);
        let sources = sources.map_err(|error| StudyError::Open { case: name(), error: error.into() })?;
        if resolved.model.warm_up >= resolved.model.horizon {
            return Err(StudyError::WarmUp { case: name() });
        }
        let simulation = match &case.oracle {
            Some(oracle) => {
                let plan = oracle.plan(&mut resolved, seed, self.surroundings);
                let plan = plan.map_err(|error| StudyError::Open { case: name(), error: error.into() })?;
                Simulation::with_oracle(resolved.model, sources, plan)
            }
            None => Simulation::new(resolved.model, sources),
        };
        let result = simulation.run(&mut Quiet);
        let result = result.map_err(|error| StudyError::Run { case: name(), seed, error: error.into() })?;
        Ok(finished(result, case))
    }
}

fn finished(result: RunResult, case: &Case) -> Finished {
    let is_first = result.summary.seed == case.first_seed();
    let course = case.keep.course.then(|| Course::of(&result, is_first));
    Finished {
        summary: result.summary,
        pools: if case.keep.pools { result.pools } else { BTreeMap::new() },
        course,
        notes: result.notes,
    }
}
