//! The search for the setting that is cheapest among those that meet the constraints.
//!
//! Three sets of seeds, so that luck cannot pass for skill: a few on which many settings are searched, more on which
//! the best of them are chosen, and as many again, never looked at before, on which the chosen one has to hold. All
//! settings meet the same arrivals and services. A setting that is plainly too slow or too expensive after a few
//! seeds is not run under the rest.

mod confirm;
mod search;
mod trial;

pub use confirm::{Confirmed, Constrained, Rival};
pub use trial::{Space, Trial};

use super::best_fixed::{Counts, FixedError, best_fixed};
use super::lab::Lab;
use super::range::Range;
use super::replicate::Until;
use crate::scenario::expect::Expectation;
use crate::scenario::{Scenario, ScenarioErrors};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range as Seeds;
use wci_core::algorithm::AlgorithmKind;

/// Seeds on which settings are searched.
pub const SEARCH_SEEDS: u64 = 10;

/// Fresh seeds at most for a setting that has to prove itself until its intervals are narrow enough.
pub const MOST_FRESH_SEEDS: u64 = 1000;

/// What shall be found.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Dotted key of the figure that shall be small.
    pub minimize: String,
    /// What has to hold in every scenario.
    pub constraints: Vec<Expectation>,
}

/// How hard to look.
#[derive(Clone, Debug, PartialEq)]
pub struct Effort {
    /// Settings that are tried at most, for each algorithm.
    pub trials: usize,
    /// Replications of the choice and of the confirmation.
    pub replications: u64,
    /// The confirmation goes on beyond them until its intervals are so narrow.
    pub until: Option<Until>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { trials: 200, replications: 30, until: None }
    }
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Tuned {
    /// The figure that shall be small.
    pub minimize: String,
    /// What has to hold, as it was written.
    pub subject_to: Vec<String>,
    /// What was varied, by algorithm.
    pub spaces: Vec<(String, Vec<Range>)>,
    /// The algorithms as written, if no others were searched.
    pub only_own: Option<String>,
    /// Every setting that was tried.
    pub trials: Vec<Trial>,
    /// The algorithms of which no setting but the one as it is could be run, and why the first one could not.
    pub not_searched: Vec<(String, String)>,
    /// The setting to deploy; `None`: none meets the constraints.
    pub best: Option<Confirmed>,
    /// The fewest fixed workers that meet the constraints; `None`: none do, or a fixed number does not fit.
    pub best_fixed: Option<Counts>,
    /// First and last seed of search, choice and confirmation.
    pub seeds: [(u64, u64); 3],
    /// A trace was replayed.
    pub is_conditional: bool,
    /// The platform itself starts the workers: what was found is a setting of the platform, and in no spec.
    pub is_per_request: bool,
}

/// Why a search ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] ScenarioErrors),
    /// A run failed.
    #[error(transparent)]
    Study(#[from] super::lab::StudyError),
    /// A fixed count failed.
    #[error(transparent)]
    Fixed(#[from] FixedError),
    /// There is nothing to vary.
    #[error("{0}")]
    Nothing(String),
}

/// Searches. `written` are the scenarios as they are: what is found is compared with them.
///
/// # Errors
/// When there is nothing to vary, or a run fails.
pub fn tune(
    lab: &Lab<'_>,
    written: &[Scenario],
    spaces: &[Space],
    goal: &Goal,
    effort: Effort,
) -> Result<Tuned, TuneError> {
    let Some(first) = written.first() else { return Err(TuneError::Nothing("no scenario".into())) };
    if spaces.iter().all(|space| space.ranges.is_empty()) {
        return Err(TuneError::Nothing(
            "nothing to vary: expected an algorithm with settings, or --vary".into(),
        ));
    }
    let model = first.resolve()?.model;
    let is_per_request = model.groups.iter().any(|group| group.provider.is_per_request());
    let seeds = SeedSets::new(model.seed, &effort);
    lab.watch.at_most(most_runs(spaces, written.len(), &effort));
    let (mut trials, not_searched) = search_all(lab, spaces, goal, &effort, &seeds.search)?;
    let fixed = match best_fixed(lab, written, &goal.constraints, &[&seeds.search, &seeds.choice]) {
        Err(FixedError::Unfit(_)) => None,
        other => other?,
    };
    let until = effort.until.as_ref();
    let study = confirm::Study { lab, written, spaces, goal, seeds: &seeds, fixed: fixed.clone(), until };
    let best = study.confirm(&mut trials)?;
    let confirmed = best.as_ref().map_or_else(|| seeds.confirm(0), |best| best.seeds.0..best.seeds.1 + 1);
    let ends = |seeds: &Seeds<u64>| (seeds.start, seeds.end.saturating_sub(1));
    Ok(Tuned {
        minimize: goal.minimize.clone(),
        subject_to: goal.constraints.iter().map(|c| format!("{} {}", c.key, c.text)).collect(),
        spaces: spaces.iter().map(|space| (space.name.clone(), space.ranges.clone())).collect(),
        only_own: only_own(written, spaces)?.filter(|_| !is_per_request),
        trials,
        not_searched,
        best,
        best_fixed: fixed,
        seeds: [ends(&seeds.search), ends(&seeds.choice), ends(&confirmed)],
        is_conditional: spaces.iter().any(Space::is_conditional),
        is_per_request,
    })
}

/// The names of the algorithms as written, unless others are searched as well or instead.
fn only_own(written: &[Scenario], spaces: &[Space]) -> Result<Option<String>, TuneError> {
    let own = algorithms(written)?;
    for space in spaces {
        let is_varied = space.ranges.iter().any(|range| range.key.ends_with(".scaling_algorithm"));
        if is_varied || algorithms(&space.scenarios)? != own {
            return Ok(None);
        }
    }
    let names: BTreeSet<&str> = own.iter().map(|(_, kind)| kind.name()).collect();
    Ok(Some(names.into_iter().collect::<Vec<_>>().join(" and ")))
}

/// The groups of all scenarios with their algorithms.
///
/// # Errors
/// When a scenario is wrong.
pub fn algorithms(scenarios: &[Scenario]) -> Result<Vec<(String, AlgorithmKind)>, ScenarioErrors> {
    let mut all = Vec::new();
    for scenario in scenarios {
        let resolved = scenario.resolve()?;
        let groups = resolved.model.spec.groups();
        all.extend(groups.map(|(name, group)| (name.to_string(), group.algorithm())));
    }
    Ok(all)
}

/// The name of a space, and why nothing of it could be run.
type NotSearched = (String, String);

/// The trials of all spaces with their one front, and the spaces of which nothing could be run.
fn search_all(
    lab: &Lab<'_>,
    spaces: &[Space],
    goal: &Goal,
    effort: &Effort,
    seeds: &Seeds<u64>,
) -> Result<(Vec<Trial>, Vec<NotSearched>), TuneError> {
    let (mut trials, mut not_searched) = (Vec::new(), Vec::new());
    for (index, space) in spaces.iter().enumerate() {
        let searched = search::search(lab, space, index, goal, effort, seeds)?;
        trials.extend(searched.trials);
        not_searched.extend(searched.refused.map(|why| (space.name.clone(), why)));
    }
    if let Some((name, why)) = not_searched.first().filter(|_| not_searched.len() == spaces.len()) {
        return Err(TuneError::Nothing(format!("{name}: no setting that was tried can be run: {why}")));
    }
    trial::mark_front(&mut trials, SEARCH_SEEDS as usize);
    Ok((trials, not_searched))
}

/// Runs of the whole search if it does not end early: every setting under all seeds, then choice and proof.
fn most_runs(spaces: &[Space], scenarios: usize, effort: &Effort) -> usize {
    let searched = spaces.len() * (1 + effort.trials) * SEARCH_SEEDS as usize;
    let keys = spaces.iter().map(|space| space.ranges.len()).max().unwrap_or(0);
    let looked_at_again = confirm::FINALISTS + 1 + keys + confirm::SIDE_BY_SIDE;
    scenarios * (searched + looked_at_again * effort.replications as usize)
}

/// The three sets of seeds.
#[derive(Clone, Debug)]
struct SeedSets {
    search: Seeds<u64>,
    choice: Seeds<u64>,
    replications: u64,
    /// Fresh seeds at most for each setting that has to prove itself.
    most: u64,
}

impl SeedSets {
    fn new(first: u64, effort: &Effort) -> Self {
        let replications = effort.replications;
        let most = if effort.until.is_some() { MOST_FRESH_SEEDS.max(replications) } else { replications };
        let searched = first.saturating_add(SEARCH_SEEDS);
        Self {
            search: first..searched,
            choice: searched..searched.saturating_add(replications),
            replications,
            most,
        }
    }

    /// Fresh seeds for each setting that has to prove itself.
    fn confirm(&self, round: u64) -> Seeds<u64> {
        let begin = self.choice.end.saturating_add(round.saturating_mul(self.most));
        begin..begin.saturating_add(self.most)
    }
}

impl Tuned {
    /// The trial that came nearest to the constraints.
    #[must_use]
    pub fn nearest(&self) -> Option<&Trial> {
        self.trials.iter().min_by(|a, b| a.shortfall.total_cmp(&b.shortfall))
    }
}

#[cfg(test)]
mod tests;
