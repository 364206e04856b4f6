//! Tries settings, each batch where the ones before promise most.

use super::trial::{Measured, Space, Trial, mean};
use super::{Effort, Goal, TuneError};
use crate::research::design::latin_hypercube;
use crate::research::estimate::Estimate;
use crate::research::lab::{Case, Lab};
use crate::rng;
use rand::SeedableRng as _;
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;
use std::ops::Range as Seeds;
use toml::Value;
use tpe::{TpeOptimizer, TpeOptimizerBuilder};

/// Settings that are asked for before the answers to any of them are known; not the number of threads, on which
/// nothing may depend.
const BATCH: usize = 8;
/// Settings spread evenly before the search begins to learn.
const SPREAD: usize = 24;
/// Seeds after which a setting that is plainly no candidate is left.
const FIRST_LOOK: u64 = 4;
/// Batches without a gain of a hundredth after which the search ends.
const PATIENCE: usize = 8;
/// Share of trials that count as good.
const GOOD: f64 = 0.15;

/// What the search of one space came to.
pub(super) struct Searched {
    /// In the order in which they were made.
    pub trials: Vec<Trial>,
    /// Why not one of the settings that were asked for could be run.
    pub refused: Option<String>,
}

/// Searches one space.
pub(super) fn search(
    lab: &Lab<'_>,
    space: &Space,
    index: usize,
    goal: &Goal,
    effort: &Effort,
    seeds: &Seeds<u64>,
) -> Result<Searched, TuneError> {
    let mut search = Search {
        lab,
        space,
        index,
        goal,
        wanted: effort.replications,
        seeds: seeds.clone(),
        guide: Guide::new(space.ranges.len(), rng::key(seeds.start, [0x7475_6e65, index as u64])),
        known: BTreeMap::new(),
        trials: Vec::new(),
        has_run: false,
        refused: None,
    };
    search.run(effort.trials)?;
    Ok(Searched { trials: search.trials, refused: search.refused.filter(|_| !search.has_run) })
}

struct Search<'a> {
    lab: &'a Lab<'a>,
    space: &'a Space,
    index: usize,
    goal: &'a Goal,
    wanted: u64,
    seeds: Seeds<u64>,
    guide: Guide,
    /// Scores by what a setting comes to, so that none is run twice.
    known: BTreeMap<String, f64>,
    trials: Vec<Trial>,
    /// Whether any setting that was asked for could be run.
    has_run: bool,
    /// Why the first one that could not be run was refused.
    refused: Option<String>,
}

/// A setting before it is run.
struct Candidate {
    places: Vec<f64>,
    settings: Vec<(String, Value)>,
    cases: Vec<Case>,
}

impl Search<'_> {
    fn run(&mut self, most: usize) -> Result<(), TuneError> {
        let as_it_is = self.space.cases(&[]).ok();
        let as_it_is = as_it_is.map(|cases| Candidate { places: vec![], settings: vec![], cases });
        self.measure(as_it_is.into_iter().collect())?;
        let spread = latin_hypercube(SPREAD.min(most), self.space.ranges.len(), self.seeds.start);
        for batch in spread.chunks(BATCH) {
            self.try_places(batch.to_vec())?;
        }
        let (mut asked, mut quiet) = (spread.len(), 0);
        while asked < most && quiet < PATIENCE && !self.space.ranges.is_empty() {
            let before = self.best_score();
            let batch = (0..BATCH.min(most - asked)).map(|_| self.guide.ask()).collect::<Vec<_>>();
            asked += batch.len();
            self.try_places(batch)?;
            quiet = if self.best_score() < before * 0.99 { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    fn best_score(&self) -> f64 {
        self.known.values().copied().fold(f64::INFINITY, f64::min)
    }

    fn try_places(&mut self, batch: Vec<Vec<f64>>) -> Result<(), TuneError> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for places in batch {
            let values = self.space.ranges.iter().zip(&places);
            let settings: Vec<_> =
                values.map(|(range, place)| (range.key.clone(), range.at(*place))).collect();
            match self.space.cases(&settings) {
                // Settings that contradict each other are as bad as can be.
                Err(errors) => {
                    self.refused.get_or_insert_with(|| errors.to_string());
                    self.guide.tell(&places, f64::MAX);
                }
                Ok(cases) => {
                    self.has_run = true;
                    let identity = identity(&cases);
                    if let Some(score) = self.known.get(&identity) {
                        self.guide.tell(&places, *score);
                    } else if !candidates.iter().any(|other| self::identity(&other.cases) == identity) {
                        candidates.push(Candidate { places, settings, cases });
                    }
                }
            }
        }
        self.measure(candidates)
    }

    /// Runs candidates under the first few seeds, and those that are worth it under the rest.
    fn measure(&mut self, candidates: Vec<Candidate>) -> Result<(), TuneError> {
        let middle = self.seeds.start.saturating_add(FIRST_LOOK).min(self.seeds.end);
        let all: Vec<&[Case]> = candidates.iter().map(|candidate| &candidate.cases[..]).collect();
        let first = self.goal.measure(self.lab, &all, self.seeds.start..middle, self.wanted)?;
        let is_worth: Vec<bool> = first.iter().map(|measured| self.is_worth_more(measured)).collect();
        let worth: Vec<&[Case]> =
            all.iter().zip(&is_worth).filter(|(_, is_worth)| **is_worth).map(|(cases, _)| *cases).collect();
        let mut rest = self.goal.measure(self.lab, &worth, middle..self.seeds.end, self.wanted)?.into_iter();
        for ((candidate, measured), is_worth) in candidates.into_iter().zip(first).zip(is_worth) {
            let more = is_worth.then(|| rest.next()).flatten();
            let whole = match more {
                Some(more) => self.goal.join(measured, more, self.wanted),
                None => measured,
            };
            self.keep(candidate, whole);
        }
        Ok(())
    }

    /// Not when a constraint is missed by the whole interval, nor when a setting that meets all of them is cheaper
    /// by the whole paired interval.
    fn is_worth_more(&self, measured: &Measured) -> bool {
        let cheapest =
            self.trials.iter().filter(|trial| trial.is_sure).min_by(|a, b| a.mean.total_cmp(&b.mean));
        let is_beaten = cheapest.is_some_and(|cheapest| {
            Estimate::paired(&measured.objective, &cheapest.objective).low().is_some_and(|low| low > 0.0)
        });
        !measured.verdict.is_hopeless && !is_beaten
    }

    fn keep(&mut self, candidate: Candidate, measured: Measured) {
        let mean = mean(&measured.objective);
        let shortfall = measured.verdict.shortfall;
        // Whatever meets the constraints is better than whatever does not.
        let score = if shortfall == 0.0 { mean } else { f64::MAX.sqrt() * (1.0 + shortfall.min(1e9)) };
        self.known.insert(identity(&candidate.cases), score);
        if !candidate.places.is_empty() {
            self.guide.tell(&candidate.places, score);
        }
        self.trials.push(Trial {
            space: self.index,
            settings: candidate.settings,
            mean,
            constrained: measured.constrained,
            is_sure: measured.verdict.is_sure,
            shortfall,
            seeds: measured.objective.len(),
            overloaded: measured.overloaded,
            objective: measured.objective,
            on_front: false,
        });
    }
}

fn identity(cases: &[Case]) -> String {
    cases.iter().map(|case| case.identity.as_str()).collect()
}

/// Where to look next: tree-structured Parzen estimators, one for each key.
struct Guide {
    keys: Vec<TpeOptimizer>,
    random: Pcg64Mcg,
}

impl Guide {
    fn new(keys: usize, seed: u64) -> Self {
        let one = || {
            let unit = tpe::range(0.0, 1.0).ok()?;
            TpeOptimizerBuilder::new().gamma(GOOD).build(tpe::parzen_estimator(), unit).ok()
        };
        Self { keys: (0..keys).filter_map(|_| one()).collect(), random: Pcg64Mcg::seed_from_u64(seed) }
    }

    fn ask(&mut self) -> Vec<f64> {
        let random = &mut self.random;
        self.keys.iter_mut().map(|key| key.ask(random).unwrap_or(0.5)).collect()
    }

    fn tell(&mut self, places: &[f64], score: f64) {
        for (key, place) in self.keys.iter_mut().zip(places) {
            // Places are inside the range and scores are numbers, so there is nothing to refuse.
            let _ = key.tell(place.clamp(0.0, 1.0 - f64::EPSILON), score);
        }
    }
}
