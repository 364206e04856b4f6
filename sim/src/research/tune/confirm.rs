//! Chooses among the best settings, and has the chosen one prove itself on seeds that nobody has looked at.

use super::trial::{Measured, Space, Trial, mean};
use super::{Goal, SEARCH_SEEDS, SeedSets, TuneError};
use crate::research::best_fixed::Counts;
use crate::research::estimate::Estimate;
use crate::research::lab::{Case, Lab};
use crate::research::replicate::{BLOCK, Replications, Stop, Until};
use crate::scenario::Scenario;
use crate::scenario::expect::Expectation;
use serde::Serialize;
use serde_json::Value as Json;
use std::ops::Range as Seeds;
use toml::Value;

/// Settings that are looked at more closely at once.
pub(super) const FINALISTS: usize = 8;
/// What runs under the fresh seeds: the setting that was found, what is written, and the fewest fixed workers.
pub(super) const SIDE_BY_SIDE: usize = 3;
/// Rounds of that, and of confirmations, before the search is given up.
const ROUNDS: usize = 4;
/// A value that costs no more than this factor is put back to what is written.
const NO_DIFFERENCE: f64 = 1.002;

/// A setting that met the constraints on fresh seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Confirmed {
    /// The algorithm.
    pub algorithm: String,
    /// The values that were found.
    pub settings: Vec<(String, Value)>,
    /// The scenarios.
    pub scenarios: Vec<String>,
    /// The spec to deploy, one for each scenario.
    pub specs: Vec<Json>,
    /// The figure that shall be small, on the fresh seeds.
    pub objective: Estimate,
    /// What the constraints are about, on the fresh seeds.
    pub constrained: Vec<Constrained>,
    /// Every figure on the fresh seeds, one result for each scenario.
    #[serde(skip)]
    pub results: Vec<Replications>,
    /// What it is compared with.
    pub rivals: Vec<Rival>,
    /// Which set of fresh seeds it was, from 0: so many settings before it failed theirs.
    pub round: u64,
    /// The first and the last of the fresh seeds.
    pub seeds: (u64, u64),
    /// Why there were no more of them.
    pub stop: Stop,
}

/// A constrained figure of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Constrained {
    /// The scenario.
    pub scenario: String,
    /// The figure.
    pub key: String,
    /// The constraint as it was written.
    pub constraint: String,
    /// Its mean and interval.
    pub estimate: Estimate,
    /// The end of the interval that has to be on the right side; `None`: no interval.
    pub limit: Option<f64>,
}

/// Something the found setting is compared with on the same fresh seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Rival {
    /// What it is.
    pub name: String,
    /// Its figure that shall be small.
    pub objective: Estimate,
    /// Whether it meets the constraints.
    pub holds: bool,
    /// The found setting less this one, seed by seed.
    pub difference: Estimate,
    /// The mean of its constrained figure.
    pub constrained: Option<f64>,
}

pub(super) struct Study<'a> {
    pub lab: &'a Lab<'a>,
    pub written: &'a [Scenario],
    pub spaces: &'a [Space],
    pub goal: &'a Goal,
    pub seeds: &'a SeedSets,
    pub fixed: Option<Counts>,
    pub until: Option<&'a Until>,
}

impl Study<'_> {
    /// The cheapest setting that holds on fresh seeds.
    pub(super) fn confirm(&self, trials: &mut [Trial]) -> Result<Option<Confirmed>, TuneError> {
        let mut candidates: Vec<&Trial> = trials.iter().filter(|trial| is_candidate(trial)).collect();
        candidates.sort_by(|a, b| a.mean.total_cmp(&b.mean));
        let mut round = 0;
        for finalists in candidates.chunks(FINALISTS).take(ROUNDS) {
            for finalist in self.chosen(finalists)? {
                if let Some(confirmed) = self.prove(&self.simplified(finalist)?, round)? {
                    return Ok(Some(confirmed));
                }
                round += 1;
                if round as usize >= ROUNDS {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// The finalists that also hold on the seeds of the choice, the cheapest first.
    fn chosen<'t>(&self, finalists: &[&'t Trial]) -> Result<Vec<&'t Trial>, TuneError> {
        let cases: Vec<Vec<Case>> = finalists.iter().filter_map(|trial| self.cases(trial)).collect();
        let cases: Vec<&[Case]> = cases.iter().map(Vec::as_slice).collect();
        let wanted = self.seeds.replications;
        let measured = self.goal.measure(self.lab, &cases, self.seeds.choice.clone(), wanted)?;
        let mut chosen: Vec<(f64, &Trial)> = finalists
            .iter()
            .zip(&measured)
            .filter(|(_, measured)| measured.verdict.is_sure)
            .map(|(trial, measured)| (mean(&measured.objective), *trial))
            .collect();
        chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(chosen.into_iter().map(|(_, trial)| trial).collect())
    }

    /// The setting with every value put back to what is written that makes no difference: nobody should deploy, and
    /// later wonder about, a number that chance has picked.
    fn simplified(&self, trial: &Trial) -> Result<Trial, TuneError> {
        let mut kept = trial.clone();
        let Some(mut least) = self.cost_if_sure(&kept)? else { return Ok(kept) };
        for key in trial.settings.iter().map(|(key, _)| key) {
            let mut without = kept.clone();
            without.settings.retain(|(other, _)| other != key);
            if let Some(cost) = self.cost_if_sure(&without)?.filter(|cost| *cost <= least * NO_DIFFERENCE) {
                (kept, least) = (without, least.min(cost));
            }
        }
        Ok(kept)
    }

    /// The mean on the seeds of the choice, if the constraints surely hold there.
    fn cost_if_sure(&self, trial: &Trial) -> Result<Option<f64>, TuneError> {
        let Some(cases) = self.cases(trial) else { return Ok(None) };
        let measured =
            self.goal.measure(self.lab, &[&cases], self.seeds.choice.clone(), self.seeds.replications)?;
        let sure = measured.first().filter(|measured| measured.verdict.is_sure);
        Ok(sure.map(|measured| mean(&measured.objective)))
    }

    fn cases(&self, trial: &Trial) -> Option<Vec<Case>> {
        self.spaces[trial.space].cases(&trial.settings).ok()
    }

    fn prove(&self, trial: &Trial, round: u64) -> Result<Option<Confirmed>, TuneError> {
        let Some(own) = self.cases(trial) else { return Ok(None) };
        let mut named = vec![("as written".to_owned(), self.written_cases()?)];
        if let Some(counts) = &self.fixed {
            let name = format!("fixed, {counts} workers, the fewest that held on the seeds before");
            named.push((name, counts.cases(self.written)?));
        }
        let cases: Vec<&[Case]> =
            [own.as_slice()].into_iter().chain(named.iter().map(|(_, cases)| cases.as_slice())).collect();
        let (mut measured, seeds) = self.on_fresh_seeds(&cases, round)?;
        let found = measured.remove(0);
        if !found.verdict.holds {
            return Ok(None);
        }
        let rivals = named.into_iter().zip(&measured).map(|((name, _), other)| rival(name, &found, other));
        Ok(Some(Confirmed {
            algorithm: self.spaces[trial.space].name.clone(),
            settings: trial.settings.clone(),
            scenarios: self.written.iter().map(|scenario| scenario.name().to_owned()).collect(),
            specs: own.iter().map(|case| case.resolved.model.spec.to_json()).collect(),
            objective: Estimate::of(&found.objective),
            rivals: rivals.collect(),
            stop: self.stop(&found),
            constrained: self.constrained(&found.results),
            results: found.results,
            round,
            seeds: (seeds.start, seeds.end.saturating_sub(1)),
        }))
    }

    /// The end of each constrained figure's interval that has to be on the right side.
    fn constrained(&self, results: &[Replications]) -> Vec<Constrained> {
        let each = |(scenario, result): (&Scenario, &Replications)| -> Vec<Constrained> {
            let one = |constraint: &Expectation| {
                let estimate = result.estimate(&constraint.key);
                let is_upwards = constraint.comparison.is_upwards();
                Constrained {
                    scenario: scenario.name().to_owned(),
                    key: constraint.key.clone(),
                    constraint: format!("{} {}", constraint.key, constraint.text),
                    limit: if is_upwards { estimate.low() } else { estimate.high() },
                    estimate,
                }
            };
            self.goal.constraints.iter().map(one).collect()
        };
        self.written.iter().zip(results).flat_map(each).collect()
    }

    /// Runs under fresh seeds, and under more of them until the first setting's intervals are narrow enough. The
    /// others only keep it company: they may never get there.
    fn on_fresh_seeds(
        &self,
        cases: &[&[Case]],
        round: u64,
    ) -> Result<(Vec<Measured>, Seeds<u64>), TuneError> {
        let (all, wanted) = (self.seeds.confirm(round), self.seeds.replications);
        let mut end = all.start.saturating_add(wanted).min(all.end);
        let mut measured = self.goal.measure(self.lab, cases, all.start..end, wanted)?;
        while end < all.end && self.stop(&measured[0]) == Stop::Limit && !measured[0].verdict.is_hopeless {
            let next = end.saturating_add(BLOCK).min(all.end);
            let more = self.goal.measure(self.lab, cases, end..next, wanted)?;
            let pairs = measured.into_iter().zip(more);
            measured = pairs.map(|(first, rest)| self.goal.join(first, rest, wanted)).collect();
            end = next;
        }
        Ok((measured, all.start..end))
    }

    fn stop(&self, measured: &Measured) -> Stop {
        match self.until {
            None => Stop::Count,
            Some(until) if measured.results.iter().all(|result| until.is_met(result)) => Stop::Precise,
            Some(_) => Stop::Limit,
        }
    }

    fn written_cases(&self) -> Result<Vec<Case>, TuneError> {
        let case = |scenario: &Scenario| {
            let mut case = Case::new("as written", scenario)?;
            case.keep.pools = false;
            Ok(case)
        };
        self.written.iter().map(case).collect()
    }
}

fn is_candidate(trial: &Trial) -> bool {
    trial.is_sure && trial.seeds as u64 == SEARCH_SEEDS && trial.mean.is_finite()
}

fn rival(name: String, found: &Measured, other: &Measured) -> Rival {
    Rival {
        name,
        objective: Estimate::of(&other.objective),
        holds: other.verdict.holds,
        difference: Estimate::paired(&found.objective, &other.objective),
        constrained: other.constrained,
    }
}
