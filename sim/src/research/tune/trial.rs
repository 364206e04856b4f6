//! One setting with what it was found to give.

use super::Goal;
use crate::research::constraint::{Verdict, judge};
use crate::research::lab::{Case, Lab, StudyError};
use crate::research::range::Range;
use crate::research::replicate::{Replications, Stop};
use crate::research::variant::case_with;
use crate::scenario::{Scenario, ScenarioErrors};
use serde::Serialize;
use std::ops::Range as Seeds;
use toml::Value;

/// What one algorithm can be set to.
#[derive(Clone, Debug)]
pub struct Space {
    /// The algorithm, or "as written".
    pub name: String,
    /// The scenarios with that algorithm.
    pub scenarios: Vec<Scenario>,
    /// What is varied.
    pub ranges: Vec<Range>,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Index of its space.
    pub space: usize,
    /// The values that differ from the space's scenarios.
    pub settings: Vec<(String, Value)>,
    /// The figure that shall be small, a number each seed, summed over scenarios.
    #[serde(skip)]
    pub objective: Vec<f64>,
    /// Its mean.
    pub mean: f64,
    /// The first constraint's figure (or the p95 of waits), its mean, the worst of the scenarios.
    pub constrained: Option<f64>,
    /// Whether the constraints hold with room, by a normal approximation on the seeds of the search.
    pub is_sure: bool,
    /// How far it is from that, as a share of the bounds.
    pub shortfall: f64,
    /// Under how many seeds it was run; less than all: it was plainly no candidate.
    pub seeds: usize,
    /// Under how many of them more came than could be done, in the worst of the scenarios: meets no constraint.
    pub overloaded: usize,
    /// Whether no other trial, of any algorithm, is better in both figures.
    pub on_front: bool,
}

/// What a set of replications says of a setting.
pub(super) struct Measured {
    pub objective: Vec<f64>,
    pub constrained: Option<f64>,
    pub verdict: Verdict,
    pub overloaded: usize,
    pub results: Vec<Replications>,
}

impl Space {
    /// Whether a trace is replayed.
    pub fn is_conditional(&self) -> bool {
        let is =
            |scenario: &Scenario| scenario.file().workload.iter().any(|workload| workload.trace.is_some());
        self.scenarios.iter().any(is)
    }

    /// The scenarios with these settings; an error if the settings contradict each other or a scenario lacks one.
    pub(super) fn cases(&self, settings: &[(String, Value)]) -> Result<Vec<Case>, ScenarioErrors> {
        let case = |scenario: &Scenario| {
            let mut case = case_with(&self.name, scenario, settings)?;
            case.keep.pools = false;
            Ok(case)
        };
        self.scenarios.iter().map(case).collect()
    }
}

impl Goal {
    /// The figure of the second axis: what the first constraint is about.
    pub fn constrained_key(&self) -> &str {
        self.constraints.first().map_or("schedule_to_start.p95", |constraint| &constraint.key)
    }

    /// Runs several settings under the same seeds; each has one case a scenario.
    pub(super) fn measure(
        &self,
        lab: &Lab<'_>,
        settings: &[&[Case]],
        seeds: Seeds<u64>,
        wanted: u64,
    ) -> Result<Vec<Measured>, StudyError> {
        let cases: Vec<&Case> = settings.iter().copied().flatten().collect();
        let mut runs = lab.run(&cases, seeds)?.into_iter();
        let mut measured = Vec::new();
        for cases in settings {
            let own = cases.iter().zip(runs.by_ref());
            let results = own.map(|(case, runs)| Replications::new(case, runs, Stop::Count)).collect();
            measured.push(self.look_at(results, wanted));
        }
        Ok(measured)
    }

    /// The same setting under some seeds and under further ones.
    pub(super) fn join(&self, first: Measured, rest: Measured, wanted: u64) -> Measured {
        let mut results = first.results;
        results.iter_mut().zip(rest.results).for_each(|(first, rest)| first.extend(rest.runs));
        self.look_at(results, wanted)
    }

    pub(super) fn look_at(&self, results: Vec<Replications>, wanted: u64) -> Measured {
        let verdicts = results.iter().map(|result| judge(&self.constraints, result, wanted));
        let verdict = verdicts.fold(Verdict::MET, Verdict::and);
        let mut objective: Vec<f64> = Vec::new();
        for result in &results {
            let numbers = result.numbers(&self.minimize);
            objective.resize(numbers.len(), 0.0);
            objective.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
        let key = self.constrained_key();
        let constrained = results.iter().map(|result| result.estimate(key).mean.unwrap_or(f64::INFINITY));
        let constrained = constrained.reduce(f64::max).filter(|x| x.is_finite());
        let overloaded = results.iter().map(Replications::overloaded).max().unwrap_or(0);
        Measured { objective, constrained, verdict, overloaded, results }
    }
}

/// The mean; what was not measured or is infinite makes it infinite.
pub(super) fn mean(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    if mean.is_nan() { f64::INFINITY } else { mean }
}

/// Marks the trials that no other one beats in both figures, all algorithms together. Only trials under all seeds
/// count.
pub(super) fn mark_front(trials: &mut [Trial], all_seeds: usize) {
    let point = |trial: &Trial| {
        let whole = trial.seeds == all_seeds && trial.mean.is_finite();
        trial.constrained.filter(|_| whole).map(|constrained| (trial.mean, constrained))
    };
    let points: Vec<_> = trials.iter().map(point).collect();
    for (trial, own) in trials.iter_mut().zip(&points) {
        let Some((x, y)) = own else { continue };
        let beats = |(a, b): &(f64, f64)| a <= x && b <= y && (a < x || b < y);
        trial.on_front = !points.iter().flatten().any(beats);
    }
}
