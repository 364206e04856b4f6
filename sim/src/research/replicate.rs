//! The same scenario under many seeds: every figure with its interval.

use super::estimate::Estimate;
use super::lab::{Case, Finished, Lab, StudyError};
use super::square_root::SquareRoot;
use crate::digest::Digest;
use crate::pool::{Pool, Ratio, pooled};
use crate::results::Quantiles;
use crate::scenario::expect::{Figure, figure_at};
use crate::scenario::{Resolved, Scenario, ScenarioErrors, SourceSpec, split_key};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Precision is looked at after each so many replications.
pub const BLOCK: u64 = 10;

/// How many replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many; with [`Plan::until`] at most so many.
    pub count: u64,
    /// Stop earlier once the intervals are narrow enough.
    pub until: Option<Until>,
}

impl Plan {
    /// So many replications.
    #[must_use]
    pub const fn of(count: u64) -> Self {
        Self { count, until: None }
    }
}

/// When intervals are narrow enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Until {
    /// Half the interval's width, at most this share of the mean.
    pub share: f64,
    /// The figures that it is asked of.
    pub keys: Vec<String>,
}

/// Why no more replications were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// As many as were wanted.
    Count,
    /// The intervals are narrow enough, all that there can be.
    Precise,
    /// The limit was reached before the intervals were narrow enough.
    Limit,
}

/// A case under several seeds.
#[derive(Clone, Debug)]
pub struct Replications {
    /// What the case is called.
    pub name: String,
    /// The runs, in the order of their seeds.
    pub runs: Vec<Finished>,
    /// Why there are no more.
    pub stop: Stop,
    /// A trace was replayed: intervals say nothing about other arrivals.
    pub is_conditional: bool,
    /// Of the figures that [`Until`] asked for, those whose interval was still wider than wanted.
    pub too_wide: Vec<String>,
    /// Those of them that there can be no interval of, such as the waits of what is overloaded.
    pub without_interval: Vec<String>,
    summaries: Vec<Value>,
}

impl Case {
    /// A case of a scenario as it is.
    ///
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn new(name: impl Into<String>, scenario: &Scenario) -> Result<Self, ScenarioErrors> {
        let keep = super::lab::Keep { pools: true, course: false };
        let (resolved, identity) = (scenario.resolve()?, scenario.to_toml());
        Ok(Self { name: name.into(), resolved, identity, keep, oracle: None })
    }

    /// The case with an oracle in the place of its spec.
    #[must_use]
    pub fn under(mut self, oracle: SquareRoot) -> Self {
        let _ = write!(self.identity, "\n# square-root, beta {}\n", oracle.beta);
        self.oracle = Some(oracle);
        self
    }

    /// Whether a trace is replayed.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        self.resolved.sources.iter().any(|source| matches!(source, SourceSpec::Trace { .. }))
    }

    /// Seed of its first replication.
    #[must_use]
    pub const fn first_seed(&self) -> u64 {
        let Resolved { model, .. } = &self.resolved;
        model.seed
    }
}

/// Runs a case under the seeds from its own on.
///
/// # Errors
/// The first run that failed.
pub fn replicate(lab: &Lab<'_>, case: &Case, plan: &Plan) -> Result<Replications, StudyError> {
    Ok(replicate_all(lab, &[case], plan)?.remove(0))
}

/// Runs cases under the same seeds. With [`Plan::until`] all of them go on until each is precise enough, so that
/// they stay comparable seed by seed. A figure that there can be no interval of keeps nobody going.
///
/// # Errors
/// The first run that failed.
pub fn replicate_all(lab: &Lab<'_>, cases: &[&Case], plan: &Plan) -> Result<Vec<Replications>, StudyError> {
    let mut results: Vec<Replications> =
        cases.iter().map(|case| Replications::new(case, Vec::new(), Stop::Count)).collect();
    go_on(lab, cases, &mut results, plan)?;
    Ok(results)
}

/// Adds replications to results of equal length; what is done and precise enough already gets no more.
pub(super) fn go_on(
    lab: &Lab<'_>,
    cases: &[&Case],
    results: &mut [Replications],
    plan: &Plan,
) -> Result<(), StudyError> {
    let mut done = results.first().map_or(0, |result| result.runs.len() as u64);
    loop {
        if done > 0 && is_enough(results, plan, done) {
            return Ok(());
        }
        let block = if plan.until.is_some() { BLOCK } else { plan.count };
        let end = plan.count.min(done + block);
        for (result, runs) in results.iter_mut().zip(lab.replicate(cases, done..end)?) {
            result.extend(runs);
        }
        if end == done {
            return Ok(());
        }
        done = end;
    }
}

/// Whether there are as many as wanted; then the results say why.
fn is_enough(results: &mut [Replications], plan: &Plan, done: u64) -> bool {
    let Some(until) = &plan.until else { return done >= plan.count };
    for result in results.iter_mut() {
        (result.too_wide, result.without_interval) = until.unmet(result);
    }
    let is_precise = results.iter().all(|result| result.too_wide.is_empty());
    let stop = if is_precise { Stop::Precise } else { Stop::Limit };
    results.iter_mut().for_each(|result| result.stop = stop);
    is_precise || done >= plan.count
}

impl Until {
    /// The figures that more replications may make precise enough, and those that none can.
    fn unmet(&self, result: &Replications) -> (Vec<String>, Vec<String>) {
        let width = |key: &String| result.estimate(key).relative_half_width();
        let open = self.keys.iter().filter(|key| width(key).is_none_or(|width| width > self.share));
        open.cloned().partition(|key| width(key).is_some())
    }

    pub(super) fn is_met(&self, result: &Replications) -> bool {
        let width = |key: &String| result.estimate(key).relative_half_width();
        self.keys.iter().all(|key| width(key).is_some_and(|width| width <= self.share))
    }
}

/// What a figure's name says about how it is put together.
enum Nature {
    Maximum,
    Ratio(fn(&Pool) -> Ratio),
    Plain,
}

impl Nature {
    fn of(name: &str) -> Self {
        match name {
            "max" | "max_age" => Self::Maximum,
            "sync_match_ratio" => Self::Ratio(|pool| pool.sync_match),
            "cold_start_ratio" => Self::Ratio(|pool| pool.cold_start),
            "utilization" => Self::Ratio(|pool| pool.utilization),
            _ => Self::Plain,
        }
    }
}

impl Replications {
    /// Runs of a case that were made elsewhere.
    #[must_use]
    pub fn new(case: &Case, runs: Vec<Finished>, stop: Stop) -> Self {
        let (name, is_conditional) = (case.name.clone(), case.is_conditional());
        let mut result = Self {
            name,
            runs: Vec::new(),
            stop,
            is_conditional,
            too_wide: Vec::new(),
            without_interval: Vec::new(),
            summaries: Vec::new(),
        };
        result.extend(runs);
        result
    }

    /// Adds runs of the same case under further seeds.
    pub fn extend(&mut self, runs: Vec<Finished>) {
        let value = |run: &Finished| serde_json::to_value(&run.summary).unwrap_or_default();
        self.summaries.extend(runs.iter().map(value));
        self.runs.extend(runs);
    }

    /// A figure of each replication.
    #[must_use]
    pub fn figures(&self, key: &str) -> Vec<Figure> {
        let names = split_key(key).unwrap_or_default();
        self.summaries.iter().map(|summary| figure_at(summary, &names)).collect()
    }

    /// A figure of each replication as a number; lower bounds count as they are, what is infinite as infinite, and
    /// what was not measured as no number.
    #[must_use]
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        self.figures(key).iter().map(Figure::number).collect()
    }

    /// Mean and interval of a figure by its dotted key.
    #[must_use]
    pub fn estimate(&self, key: &str) -> Estimate {
        self.estimate_at(&split_key(key).unwrap_or_default())
    }

    /// What a figure is more than in other results under the same seeds, with the paired interval: the difference of
    /// the two means, for shares of the two ratios of sums.
    #[must_use]
    pub fn difference(&self, other: &Self, key: &str) -> Estimate {
        let names = split_key(key).unwrap_or_default();
        match Nature::of(names.last().map(String::as_str).unwrap_or_default()) {
            Nature::Ratio(of) if self.has_pools() && other.has_pools() => {
                Estimate::of_ratio_differences(&self.ratios(&names, of), &other.ratios(&names, of))
            }
            _ => Estimate::paired(&self.numbers(key), &other.numbers(key)),
        }
    }

    fn ratios(&self, names: &[String], of: fn(&Pool) -> Ratio) -> Vec<Ratio> {
        (0..self.runs.len()).map(|run| self.ratio(run, group(names), of)).collect()
    }

    /// Whether the figure is only known from below in some replication.
    #[must_use]
    pub fn is_censored(&self, key: &str) -> bool {
        self.figures(key).iter().any(|figure| matches!(figure, Figure::AtLeast(_) | Figure::Infinite))
    }

    /// In how many replications the load was too much.
    #[must_use]
    pub fn overloaded(&self) -> usize {
        self.runs.iter().filter(|run| run.summary.total.overloaded).count()
    }

    /// How to say that in a header.
    #[must_use]
    pub fn condition(&self) -> Option<&'static str> {
        self.is_conditional.then_some(
            "conditional on this trace: intervals are for service, start and failure luck, not for other arrivals",
        )
    }

    fn estimate_at(&self, names: &[String]) -> Estimate {
        let last = names.last().map(String::as_str).unwrap_or_default();
        let nature = Nature::of(last);
        if let (Nature::Ratio(of), true) = (&nature, self.has_pools()) {
            return Estimate::of_ratios(&self.ratios(names, *of));
        }
        let figures: Vec<Figure> = self.summaries.iter().map(|s| figure_at(s, names)).collect();
        let is_censored = figures.iter().any(|f| matches!(f, Figure::AtLeast(_) | Figure::Infinite));
        let numbers: Vec<f64> = figures.iter().map(Figure::number).filter(|x| !x.is_nan()).collect();
        let mut estimate = Estimate::of(&numbers);
        // Half a width around a lower bound would say that the figure may be smaller.
        if is_censored || matches!(nature, Nature::Maximum) {
            estimate.ci95 = None;
        }
        estimate.mean = estimate.mean.filter(|mean| mean.is_finite());
        estimate.pooled = match nature {
            Nature::Maximum => numbers.iter().copied().reduce(f64::max).filter(|x| x.is_finite()),
            _ => self.pooled(names),
        };
        estimate
    }

    fn has_pools(&self) -> bool {
        self.runs.iter().all(|run| !run.pools.is_empty())
    }

    /// The pools of a group, or of all.
    fn pools<'r>(run: &'r Finished, group: Option<&'r str>) -> impl Iterator<Item = &'r Pool> {
        run.pools
            .iter()
            .filter(move |(name, _)| group.is_none_or(|g| g == name.as_str()))
            .map(|(_, pool)| pool)
    }

    fn ratio(&self, run: usize, group: Option<&str>, of: fn(&Pool) -> Ratio) -> Ratio {
        let ratios = Self::pools(&self.runs[run], group).map(of);
        ratios.fold(Ratio::default(), |sum, r| Ratio::new(sum.part + r.part, sum.whole + r.whole))
    }

    /// A percentile of all replications' tasks together.
    fn pooled(&self, names: &[String]) -> Option<f64> {
        let (name, parents) = names.split_last()?;
        let is_wait = match parents.last()?.as_str() {
            "schedule_to_start" => true,
            "sojourn" => false,
            _ => return None,
        };
        let pools = self.runs.iter().flat_map(|run| Self::pools(run, group(names)));
        let samples = pools.map(|pool| if is_wait { &pool.waits } else { &pool.sojourns });
        let Quantiles { mean, p50, p90, p95, p99, .. } = pooled(samples);
        match name.as_str() {
            "mean" => mean,
            "p50" => p50,
            "p90" => p90,
            "p95" => p95,
            "p99" => p99,
            _ => None,
        }
    }

    /// The keys of `run --json` with `{mean, ci95}` for each figure; percentiles and maxima have `pooled` beside.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Some(first) = self.summaries.first() else { return Value::Null };
        let mut json = self.merged(&mut Vec::new(), first);
        if let Value::Object(map) = &mut json {
            let mut digest = Digest::default();
            self.runs
                .iter()
                .for_each(|run| digest.feed(u64::from_str_radix(&run.summary.digest, 16).unwrap_or(0)));
            map.insert("digest".into(), digest.text().into());
            map.insert("seed".into(), first["seed"].clone());
            map.insert("replications".into(), self.header());
        }
        json
    }

    fn header(&self) -> Value {
        let seeds: Vec<u64> = self.runs.iter().map(|run| run.summary.seed).collect();
        let mut header = json!({
            "count": self.runs.len(),
            "first_seed": seeds.first(),
            "last_seed": seeds.last(),
            "interval": "95 %, Student",
            "overloaded": self.overloaded(),
            "stopped": self.stop,
            "conditional_on_trace": self.is_conditional,
        });
        for (name, keys) in [("too_wide", &self.too_wide), ("without_interval", &self.without_interval)] {
            if !keys.is_empty() {
                header[name] = json!(keys);
            }
        }
        header
    }

    fn merged(&self, path: &mut Vec<String>, first: &Value) -> Value {
        match first {
            Value::Object(map) => {
                let mut merged = Map::new();
                for (name, value) in map {
                    path.push(name.clone());
                    merged.insert(name.clone(), self.merged(path, value));
                    path.pop();
                }
                Value::Object(merged)
            }
            Value::Array(_) => self.censored_names(path),
            // Only flags and texts of a kind that all replications share; a flag is raised if any raises it.
            Value::Bool(_) => self.summaries.iter().any(|s| at(s, path) == Some(&Value::Bool(true))).into(),
            Value::String(text) => text.clone().into(),
            Value::Number(_) | Value::Null => {
                serde_json::to_value(self.estimate_at(path)).unwrap_or_default()
            }
        }
    }

    /// Every name that is censored in some replication, in the order of the figures.
    fn censored_names(&self, path: &[String]) -> Value {
        let lists = self.summaries.iter().filter_map(|s| at(s, path)?.as_array());
        let mut names: Vec<&str> = lists.flatten().filter_map(Value::as_str).collect();
        let order = ["mean", "p50", "p90", "p95", "p99", "max"];
        names.sort_by_key(|name| order.iter().position(|known| known == name));
        names.dedup();
        names.into()
    }
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The group that a figure belongs to.
fn group(names: &[String]) -> Option<&str> {
    match names {
        [first, group, ..] if first == "groups" => Some(group),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
