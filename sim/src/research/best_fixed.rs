//! The best fixed number of workers in hindsight: the smallest that meets the constraints.

use super::constraint::judge;
use super::lab::{Case, Lab, StudyError};
use super::replicate::{Replications, Stop};
use super::variant::{Unfit, with_algorithm};
use crate::scenario::expect::Expectation;
use crate::scenario::{Scenario, ScenarioErrors};
use std::ops::Range;
use toml::Value;
use wci_core::algorithm::AlgorithmKind;

/// More workers than this are not tried.
const MOST: u32 = 1 << 13;
/// Counts that are tried at once.
const AT_ONCE: u32 = 4;

/// Why there is no best fixed count.
#[derive(Debug, thiserror::Error)]
pub enum FixedError {
    /// A fixed count does not fit the scenario.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] ScenarioErrors),
    /// A run failed.
    #[error(transparent)]
    Study(#[from] StudyError),
}

/// The scenarios with the same fixed count in every group.
///
/// # Errors
/// When it does not fit.
pub fn with_count(scenarios: &[Scenario], count: u32) -> Result<Vec<Case>, FixedError> {
    let config = [("count", Value::Integer(count.into()))];
    let case = |scenario: &Scenario| {
        let scenario = with_algorithm(scenario, AlgorithmKind::Fixed, &config)?;
        let mut case = Case::new(format!("fixed {count}"), &scenario)?;
        case.keep.pools = false;
        Ok(case)
    };
    scenarios.iter().map(case).collect()
}

/// The smallest count, the same in every group, that meets the constraints in every scenario with the whole interval;
/// `None` if none does. It is looked for under the first seeds, and made larger until it holds under each further set
/// of them.
///
/// # Errors
/// When a fixed count does not fit, or a run fails.
pub fn best_fixed(
    lab: &Lab<'_>,
    scenarios: &[Scenario],
    constraints: &[Expectation],
    seeds: &[&Range<u64>],
) -> Result<Option<u32>, FixedError> {
    let Some((first, further)) = seeds.split_first() else { return Ok(None) };
    let study = Study { lab, scenarios, constraints, seeds: first };
    let Some(mut found) = study.smallest()? else { return Ok(None) };
    for seeds in further {
        let Some(proven) = (Study { seeds, ..study }).at_least(found)? else { return Ok(None) };
        found = proven;
    }
    Ok(Some(found))
}

#[derive(Clone, Copy)]
struct Study<'a> {
    lab: &'a Lab<'a>,
    scenarios: &'a [Scenario],
    constraints: &'a [Expectation],
    seeds: &'a Range<u64>,
}

impl Study<'_> {
    fn smallest(&self) -> Result<Option<u32>, FixedError> {
        let Some((mut low, mut high)) = self.bracket()? else { return Ok(None) };
        while high - low > 1 {
            let gap = high - low;
            let mut inner: Vec<u32> = (1..=AT_ONCE).map(|i| low + gap * i / (AT_ONCE + 1)).collect();
            inner.retain(|count| *count > low && *count < high);
            inner.dedup();
            let shortfalls = self.shortfalls(&inner)?;
            let first = shortfalls.iter().position(|shortfall| *shortfall == 0.0);
            low = first.unwrap_or(inner.len()).checked_sub(1).map_or(low, |last| inner[last]);
            high = first.map_or(high, |first| inner[first]);
        }
        Ok(Some(high))
    }

    /// The first of a few counts from this one on that holds.
    fn at_least(&self, count: u32) -> Result<Option<u32>, FixedError> {
        let mut counts: Vec<u32> =
            [100, 103, 106, 110, 115, 125, 150].map(|percent| (count * percent).div_ceil(100)).to_vec();
        counts.dedup();
        for count in counts {
            if self.shortfalls(&[count])? == [0.0] {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    /// A count that does not meet the constraints, and a larger one that does.
    fn bracket(&self) -> Result<Option<(u32, u32)>, FixedError> {
        let (mut low, mut last) = (0, f64::INFINITY);
        while low < MOST {
            let doubled: Vec<u32> = (0..AT_ONCE).map(|i| low.max(1) << (i + u32::from(low > 0))).collect();
            for (count, shortfall) in doubled.iter().zip(self.shortfalls(&doubled)?) {
                if shortfall == 0.0 {
                    return Ok(Some((low, *count)));
                }
                // Twice the workers, and no nearer to the target: something else keeps it away.
                if last.is_finite() && shortfall > 0.99 * last {
                    return Ok(None);
                }
                (low, last) = (*count, shortfall);
            }
        }
        Ok(None)
    }

    /// How far each count is from meeting the constraints; 0: it does.
    fn shortfalls(&self, counts: &[u32]) -> Result<Vec<f64>, FixedError> {
        let cases = counts.iter().map(|count| with_count(self.scenarios, *count));
        let cases: Vec<Case> = cases.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let runs = self.lab.run(&cases.iter().collect::<Vec<_>>(), self.seeds.clone())?;
        let shortfall = |(case, runs)| {
            let wanted = self.seeds.end.saturating_sub(self.seeds.start);
            let verdict = judge(self.constraints, &Replications::new(case, runs, Stop::Count), wanted);
            // An end that exactly reaches a bound with "<" is not beyond it, but does not meet it.
            if verdict.holds { 0.0 } else { verdict.shortfall.max(f64::MIN_POSITIVE) }
        };
        let each: Vec<f64> = cases.iter().zip(runs).map(shortfall).collect();
        Ok(each.chunks(self.scenarios.len().max(1)).map(|each| each.iter().sum()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::testing::scenario;

    #[test]
    fn finds_the_smallest_count_that_meets_the_constraint() {
        let constraint = Expectation::parse("schedule_to_start.p95 < 500ms", &["activities"]).unwrap();
        let (lab, scenarios) = (Lab::without_files(), [scenario(&[])]);
        let constraints = [constraint];
        let best = best_fixed(&lab, &scenarios, &constraints, &[&(3..13)]).unwrap().expect("some count does");
        let meets = |count| {
            let cases = with_count(&scenarios, count).unwrap();
            let runs = lab.run(&[&cases[0]], 3..13).unwrap().remove(0);
            judge(&constraints, &Replications::new(&cases[0], runs, Stop::Count), 10).holds
        };
        assert!(meets(best) && !meets(best - 1), "{best}");
    }

    #[test]
    fn says_when_no_count_does() {
        let constraint = Expectation::parse("tasks.arrived < 10", &["activities"]).unwrap();
        let scenarios = [scenario(&[("horizon = \"5m\"", "horizon = \"20s\"")])];
        assert_eq!(best_fixed(&Lab::without_files(), &scenarios, &[constraint], &[&(3..5)]).unwrap(), None);
    }
}
