//! The best fixed numbers of workers in hindsight: the fewest that meet the constraints.
//!
//! First the smallest number that does when every group has it. With several groups each one is then lowered alone,
//! the group that costs most first, again and again until no group can have one worker fewer (coordinate descent).
//! That is a minimum in each group, not proven to be the cheapest of all combinations.
//!
//! Workers that end by themselves are replaced within a second: looked after each minute only, as by default, a fixed
//! number would need more of them, and would be too easy to beat.

use super::constraint::{Verdict, judge};
use super::lab::{Case, Lab, StudyError};
use super::replicate::{Replications, Stop};
use super::variant::{Unfit, groups, scaling_key, with_algorithm};
use crate::scenario::expect::Expectation;
use crate::scenario::{Scenario, ScenarioErrors, join_key};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::Value;
use wci_core::algorithm::AlgorithmKind;
use wci_core::spec::LaunchStrategy;

/// Time between two looks at workers that end by themselves: as short as the algorithm allows.
const POLL_MS: i64 = 1_000;
/// More workers than this are not tried.
const MOST: u32 = 1 << 13;
/// Counts that are tried at once.
const AT_ONCE: u32 = 4;
/// Seeds after which a count that is hopeless is left.
const FIRST_LOOK: u64 = 3;
/// Rounds over all groups; hardly ever are there more than two.
const ROUNDS: usize = 8;

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

/// A fixed number of workers for each group, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub BTreeMap<String, u32>);

impl Counts {
    /// The same number for each group of these scenarios.
    ///
    /// # Errors
    /// When a scenario is wrong.
    pub fn same(scenarios: &[Scenario], count: u32) -> Result<Self, Unfit> {
        let mut counts = BTreeMap::new();
        for scenario in scenarios {
            counts.extend(groups(scenario)?.into_iter().map(|group| (group, count)));
        }
        Ok(Self(counts))
    }

    /// The scenarios with these numbers of workers, looked after each second where they end by themselves.
    ///
    /// # Errors
    /// When a fixed number does not fit.
    pub fn cases(&self, scenarios: &[Scenario]) -> Result<Vec<Case>, FixedError> {
        let case = |scenario: &Scenario| {
            let scenario = with_algorithm(scenario, AlgorithmKind::Fixed, &[])?;
            let keys = self.settings(&scenario)?;
            let scenario = scenario.with(keys.iter().map(|(key, value)| (key.as_str(), value.clone())))?;
            let mut case = Case::new(format!("fixed {self}"), &scenario)?;
            case.keep.pools = false;
            Ok(case)
        };
        scenarios.iter().map(case).collect()
    }

    fn settings(&self, scenario: &Scenario) -> Result<Vec<(String, Value)>, ScenarioErrors> {
        let resolved = scenario.resolve()?;
        let mut settings = Vec::new();
        for (name, group) in resolved.model.spec.groups() {
            let key = |key: &str| format!("{}.config.{key}", scaling_key(name));
            let name: &str = name;
            let counted = self.0.get(name);
            settings.extend(counted.map(|count| (key("count"), Value::Integer((*count).into()))));
            if group.compute.provider_type.launch_strategy() == LaunchStrategy::Invoke {
                settings.push((key("metrics_poll_interval_ms"), POLL_MS.into()));
            }
        }
        Ok(settings)
    }

    fn with(&self, group: &str, count: u32) -> Self {
        let mut changed = self.clone();
        changed.0.insert(group.to_owned(), count);
        changed
    }
}

/// `29`, or `activities 9, workflows 3` where there are several groups.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.0.len() > 1;
        for (i, (group, count)) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            if several { write!(f, "{comma}{group} {count}")? } else { write!(f, "{count}")? }
        }
        Ok(())
    }
}

/// The fewest fixed workers that meet the constraints in every scenario with the whole interval; `None` if none do.
/// They are looked for under the first seeds, and made more until they hold under each further set of them.
///
/// # Errors
/// When a fixed count does not fit, or a run fails.
pub fn best_fixed(
    lab: &Lab<'_>,
    scenarios: &[Scenario],
    constraints: &[Expectation],
    seeds: &[&Range<u64>],
) -> Result<Option<Counts>, FixedError> {
    let Some((first, further)) = seeds.split_first() else { return Ok(None) };
    let study = Study { lab, scenarios, constraints, seeds: first };
    let Some(same) = study.smallest()? else { return Ok(None) };
    let mut found = study.lowered(Counts::same(scenarios, same)?)?;
    for seeds in further {
        let Some(proven) = (Study { seeds, ..study }).at_least(&found)? else { return Ok(None) };
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
    /// The smallest number that holds when every group has it.
    fn smallest(&self) -> Result<Option<u32>, FixedError> {
        let counts = |count| Counts::same(self.scenarios, count);
        let Some((low, high)) = self.bracket()? else { return Ok(None) };
        self.between(low, high, counts).map(Some)
    }

    /// The smallest number between one that does not hold and one that does.
    fn between(
        &self,
        mut low: u32,
        mut high: u32,
        counts: impl Fn(u32) -> Result<Counts, Unfit>,
    ) -> Result<u32, FixedError> {
        while high - low > 1 {
            let gap = high - low;
            let mut inner: Vec<u32> = (1..=AT_ONCE).map(|i| low + gap * i / (AT_ONCE + 1)).collect();
            inner.retain(|count| *count > low && *count < high);
            inner.dedup();
            let tried = inner.iter().map(|count| counts(*count)).collect::<Result<Vec<_>, _>>()?;
            let shortfalls = self.shortfalls(&tried)?;
            let first = shortfalls.iter().position(|shortfall| *shortfall == 0.0);
            low = first.unwrap_or(inner.len()).checked_sub(1).map_or(low, |last| inner[last]);
            high = first.map_or(high, |first| inner[first]);
        }
        Ok(high)
    }

    /// Lowers one group after the other until none can have fewer.
    fn lowered(&self, mut counts: Counts) -> Result<Counts, FixedError> {
        if counts.0.len() < 2 {
            return Ok(counts);
        }
        let order = self.by_cost(&counts)?;
        for _ in 0..ROUNDS {
            let before = counts.clone();
            for group in &order {
                let now = counts.0.get(group).copied().unwrap_or(1);
                let least = self.between(0, now, |count| Ok(counts.with(group, count)))?;
                counts = counts.with(group, least);
            }
            if counts == before {
                break;
            }
        }
        Ok(counts)
    }

    /// The groups, the one that costs most first.
    fn by_cost(&self, counts: &Counts) -> Result<Vec<String>, FixedError> {
        let cases = counts.cases(self.scenarios)?;
        let first = self.seeds.start..self.seeds.start.saturating_add(1).min(self.seeds.end);
        let runs = self.lab.run(&cases.iter().collect::<Vec<_>>(), first)?;
        let mut costs: Vec<(f64, &String)> = counts.0.keys().map(|group| (0.0, group)).collect();
        for (case, runs) in cases.iter().zip(runs) {
            let result = Replications::new(case, runs, Stop::Count);
            for (cost, group) in &mut costs {
                let key = join_key(["cost_usd", "groups", group]);
                *cost += result.estimate(&key).mean.unwrap_or(0.0);
            }
        }
        costs.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(costs.into_iter().map(|(_, group)| group.clone()).collect())
    }

    /// The first of a few larger numbers that holds.
    fn at_least(&self, counts: &Counts) -> Result<Option<Counts>, FixedError> {
        let larger = |percent: u32| {
            let more = |(group, count): (&String, &u32)| (group.clone(), (count * percent).div_ceil(100));
            Counts(counts.0.iter().map(more).collect())
        };
        let mut tried = [100, 103, 106, 110, 115, 125, 150, 200, 300, 400].map(larger).to_vec();
        tried.dedup();
        for counts in tried {
            if self.shortfalls(std::slice::from_ref(&counts))? == [0.0] {
                return Ok(Some(counts));
            }
        }
        Ok(None)
    }

    /// A number that does not meet the constraints, and a larger one that does.
    fn bracket(&self) -> Result<Option<(u32, u32)>, FixedError> {
        let (mut low, mut last) = (0, f64::INFINITY);
        while low < MOST {
            let doubled: Vec<u32> = (0..AT_ONCE).map(|i| low.max(1) << (i + u32::from(low > 0))).collect();
            let tried = doubled.iter().map(|count| Counts::same(self.scenarios, *count));
            let tried = tried.collect::<Result<Vec<_>, _>>()?;
            for (count, shortfall) in doubled.iter().zip(self.shortfalls(&tried)?) {
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

    /// How far each is from meeting the constraints; 0: it does. What is hopeless after a few seeds, such as a set
    /// that is overloaded, is not run under the rest: those runs are the longest.
    fn shortfalls(&self, counts: &[Counts]) -> Result<Vec<f64>, FixedError> {
        let cases = counts.iter().map(|counts| counts.cases(self.scenarios));
        let cases: Vec<Case> = cases.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let middle = self.seeds.start.saturating_add(FIRST_LOOK).min(self.seeds.end);
        let first = self.lab.run(&cases.iter().collect::<Vec<_>>(), self.seeds.start..middle)?;
        let mut results: Vec<Replications> =
            cases.iter().zip(first).map(|(case, runs)| Replications::new(case, runs, Stop::Count)).collect();
        let is_open: Vec<bool> = results.iter().map(|result| !self.judged(result).is_hopeless).collect();
        let open: Vec<&Case> =
            cases.iter().zip(&is_open).filter(|(_, open)| **open).map(|(c, _)| c).collect();
        let rest = self.lab.run(&open, middle..self.seeds.end)?;
        let opened = results.iter_mut().zip(&is_open).filter(|(_, open)| **open).map(|(result, _)| result);
        opened.zip(rest).for_each(|(result, runs)| result.extend(runs));
        let each: Vec<f64> = results.iter().map(|result| shortfall(self.judged(result))).collect();
        Ok(each.chunks(self.scenarios.len().max(1)).map(|each| each.iter().sum()).collect())
    }

    fn judged(&self, result: &Replications) -> Verdict {
        judge(self.constraints, result, self.seeds.end.saturating_sub(self.seeds.start))
    }
}

/// An end that exactly reaches a bound with "<" is not beyond it, but does not meet it.
fn shortfall(verdict: Verdict) -> f64 {
    if verdict.holds && !verdict.is_hopeless { 0.0 } else { verdict.shortfall.max(f64::MIN_POSITIVE) }
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
        let best = best.0["activities"];
        let meets = |count| {
            let cases = Counts::same(&scenarios, count).unwrap().cases(&scenarios).unwrap();
            let runs = lab.run(&[&cases[0]], 3..13).unwrap().remove(0);
            judge(&constraints, &Replications::new(&cases[0], runs, Stop::Count), 10).holds
        };
        assert!(meets(best) && !meets(best - 1), "{best}");
    }

    #[test]
    fn workers_that_end_are_replaced_within_seconds() {
        let short = "[group.activities.worker]\nlifetime = \"20s\"\n[spec.scaling_group_specs.activities]";
        let scenarios = [scenario(&[("[spec.scaling_group_specs.activities]", short)])];
        let cases = Counts::same(&scenarios, 5).unwrap().cases(&scenarios).unwrap();
        let runs = Lab::without_files().run(&[&cases[0]], 3..6).unwrap().remove(0);
        let workers = Replications::new(&cases[0], runs, Stop::Count).estimate("workers.mean").mean.unwrap();
        assert!(workers > 4.0, "of 5 workers {workers} are there");
    }

    #[test]
    fn says_when_no_count_does() {
        let constraint = Expectation::parse("tasks.arrived < 10", &["activities"]).unwrap();
        let scenarios = [scenario(&[("horizon = \"5m\"", "horizon = \"20s\"")])];
        assert_eq!(best_fixed(&Lab::without_files(), &scenarios, &[constraint], &[&(3..5)]).unwrap(), None);
    }

    /// Workflow tasks of 20 ms and activities of 2 s: a group of each.
    const TWO_GROUPS: &str = r#"
format = 1
title = "Two groups"
seed = 3
horizon = "5m"
[[workload]]
name = "executions"
arrival = { kind = "poisson", rate = 2.0 }
workflow = { activities = 2, workflow_task_service = "20ms", activity_service = "2s" }
[spec.scaling_group_specs.workflows]
task_types = ["WORKFLOW"]
compute = { provider_type = "k8s" }
scaling = { scaling_algorithm = "fixed" }
[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "k8s" }
scaling = { scaling_algorithm = "fixed" }
[group.workflows.worker]
slots = 1
[group.activities.worker]
slots = 1
"#;

    #[test]
    fn each_group_has_the_fewest_that_the_others_allow() {
        let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let scenarios = [Scenario::from_toml(TWO_GROUPS, "two.toml", &no_files).unwrap()];
        let constraint = Expectation::parse("schedule_to_start.p95 < 500ms", &["activities", "workflows"]);
        let (lab, constraints) = (Lab::without_files(), [constraint.unwrap()]);
        let best = best_fixed(&lab, &scenarios, &constraints, &[&(3..8)]).unwrap().expect("some do");
        let study = Study { lab: &lab, scenarios: &scenarios, constraints: &constraints, seeds: &(3..8) };
        let meets = |counts: Counts| study.shortfalls(&[counts]).unwrap() == [0.0];
        assert!(meets(best.clone()), "{best}");
        assert!(best.0["activities"] > 8, "8 activities run at any time: {best}");
        assert!(best.0["workflows"] < best.0["activities"], "they have nearly nothing to do: {best}");
        for (group, count) in best.0.iter().filter(|(_, count)| **count > 1) {
            assert!(!meets(best.with(group, count - 1)), "{best}: {group}");
        }
    }
}
