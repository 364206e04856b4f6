//! Studies of distributed tasks: a cluster scenario with other values, under many seeds of its nodes' crashes.

use super::estimate::Estimate;
use super::lab::{Nothing, Watch};
use super::range::Range;
use super::sweep::Measured;
use crate::cluster::{ClusterResult, ClusterScenario, run};
use crate::scenario::expect::{Comparison, Quantity};
use crate::scenario::{ScenarioErrors, Span, split_key};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value as Json, json};
use toml::{Table, Value};

/// Opens a file that a scenario names.
pub type Opens<'a> = &'a (dyn Fn(&str) -> Result<String, String> + Sync);

/// What a run is measured by.
const FIGURES: [(&str, Quantity, Of); 13] = [
    ("makespan_s", Quantity::Seconds, |r| r.makespan_s.unwrap_or(f64::INFINITY)),
    ("wasted_work_s", Quantity::Seconds, |r| r.totals.wasted_work_s),
    ("reconciliations", Quantity::Count, |r| r.totals.reconciliations as f64),
    ("ended", Quantity::Share, |r| f64::from(u8::from(r.ended))),
    ("scans", Quantity::Count, |r| r.totals.scans as f64),
    ("partial_reconciliations", Quantity::Count, |r| r.totals.partial_reconciliations as f64),
    ("put_off", Quantity::Count, |r| r.totals.put_off as f64),
    ("buckets_given_back", Quantity::Count, |r| r.totals.buckets_given_back as f64),
    ("workers_created", Quantity::Count, |r| r.totals.workers_created as f64),
    ("workers_suspended", Quantity::Count, |r| r.totals.workers_suspended as f64),
    ("workers_resumed", Quantity::Count, |r| r.totals.workers_resumed as f64),
    ("nodes_marked_down", Quantity::Count, |r| r.totals.nodes_marked_down as f64),
    ("simulated_s", Quantity::Seconds, |r| r.simulated_s),
];

type Of = fn(&ClusterResult) -> f64;

/// The figures of a cluster run, with what they are.
#[must_use]
pub fn cluster_keys() -> Vec<(String, Quantity)> {
    FIGURES.iter().map(|(key, quantity, _)| ((*key).to_owned(), *quantity)).collect()
}

/// A cluster scenario as text, in which values can be changed.
#[derive(Clone)]
pub struct ClusterTemplate<'a> {
    /// The file's name.
    pub file: String,
    table: Table,
    open: Opens<'a>,
    watch: &'a dyn Watch,
}

/// The same scenario under several seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterRuns {
    /// The first seed.
    pub first_seed: u64,
    /// Each run's figures, in the order of [`cluster_keys`].
    runs: Vec<Vec<f64>>,
}

impl<'a> ClusterTemplate<'a> {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(text: &str, file: &str, open: Opens<'a>) -> Result<Self, ScenarioErrors> {
        ClusterScenario::from_toml(text, file, open)?;
        // It has just been read as TOML.
        Ok(Self { file: file.to_owned(), table: text.parse().unwrap_or_default(), open, watch: &Nothing })
    }

    /// The template whose runs somebody watches.
    #[must_use]
    pub fn watched(self, watch: &'a dyn Watch) -> Self {
        Self { watch, ..self }
    }

    /// Whether a text is meant as a cluster scenario: it has nodes or what only such a one has, and no workload.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let Ok(table) = text.parse::<Table>() else { return false };
        let has = |key: &&str| table.contains_key(*key);
        !has(&"workload") && ["nodes", "definitions", "work", "timers", "failures"].iter().any(has)
    }

    /// The scenario with other values at dotted keys; items of a list go by their name or number.
    ///
    /// # Errors
    /// Names the key, or what is wrong with the value.
    pub fn with(&self, settings: &[(String, Value)]) -> Result<ClusterScenario, String> {
        let table = self.table_with(settings)?;
        ClusterScenario::from_table(table, &self.file, self.open).map_err(|errors| errors.to_string())
    }

    /// The template with other values.
    ///
    /// # Errors
    /// As [`ClusterTemplate::with`].
    pub fn changed(&self, settings: &[(String, Value)]) -> Result<Self, String> {
        self.with(settings)?;
        Ok(Self { table: self.table_with(settings)?, ..self.clone() })
    }

    fn table_with(&self, settings: &[(String, Value)]) -> Result<Table, String> {
        let mut table = Value::Table(self.table.clone());
        for (key, value) in settings {
            *place(&mut table, key)? = value.clone();
        }
        match table {
            Value::Table(table) => Ok(table),
            other => Err(format!("found {other}, expected a table")),
        }
    }

    /// Runs the scenario with each of these settings under each seed, on all cores; in the order of both.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn run(
        &self,
        settings: &[Vec<(String, Value)>],
        seeds: std::ops::Range<u64>,
    ) -> Result<Vec<ClusterRuns>, String> {
        let scenarios = settings.iter().map(|settings| self.with(settings)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.run_all(&scenarios, &seeds))
    }

    /// Runs each of these variants under each seed, on all cores.
    #[must_use]
    pub fn run_all(&self, scenarios: &[ClusterScenario], seeds: &std::ops::Range<u64>) -> Vec<ClusterRuns> {
        let replications = usize::try_from(seeds.end.saturating_sub(seeds.start)).unwrap_or(usize::MAX);
        self.watch.planned(replications.saturating_mul(scenarios.len()));
        let figures = |result: &ClusterResult| FIGURES.iter().map(|(_, _, of)| of(result)).collect();
        let under = |scenario: &ClusterScenario, seed| {
            let figures = figures(&run(&scenario.under(seed)));
            self.watch.finished();
            figures
        };
        let one = |scenario: &ClusterScenario| {
            let runs = seeds.clone().into_par_iter().map(|seed| under(scenario, seed)).collect();
            ClusterRuns { first_seed: seeds.start, runs }
        };
        scenarios.par_iter().map(one).collect()
    }
}

/// Where a dotted key stands; tables on the way are made.
fn place<'t>(table: &'t mut Value, dotted: &str) -> Result<&'t mut Value, String> {
    let mut at = table;
    for name in split_key(dotted)? {
        at = match at {
            Value::Table(table) => table.entry(name).or_insert_with(|| Value::Table(Table::new())),
            Value::Array(items) => {
                let of_name = |item: &Value| item.get("name").and_then(Value::as_str) == Some(&name);
                let index = items.iter().position(of_name).or_else(|| name.parse().ok());
                let found = index.and_then(|index| items.get_mut(index));
                found
                    .ok_or_else(|| format!("{dotted}: found {name}, expected a name or number of an item"))?
            }
            other => return Err(format!("{dotted}: found {other} before {name}, expected a table")),
        };
    }
    Ok(at)
}

impl ClusterRuns {
    fn numbers(&self, key: &str) -> Vec<f64> {
        let index = FIGURES.iter().position(|(name, ..)| *name == key);
        index.map_or_else(Vec::new, |index| self.runs.iter().map(|run| run[index]).collect())
    }
}

impl Measured for ClusterRuns {
    fn known() -> Vec<(String, Quantity)> {
        cluster_keys()
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        self.numbers(key)
    }

    fn estimate(&self, key: &str) -> Estimate {
        let numbers = self.numbers(key);
        if numbers.iter().all(|number| number.is_finite()) {
            Estimate::of(&numbers)
        } else {
            Estimate::default()
        }
    }

    fn is_censored(&self, key: &str) -> bool {
        self.numbers(key).iter().any(|number| number.is_infinite())
    }

    fn overloaded(&self) -> usize {
        0
    }

    fn count(&self) -> usize {
        self.runs.len()
    }

    fn header(results: &[Self]) -> String {
        let Some(Self { runs, first_seed, .. }) = results.first() else { return String::new() };
        let last = first_seed + (runs.len() as u64).saturating_sub(1);
        format!("{} replications each, seeds {first_seed} to {last}", runs.len())
    }

    fn to_json(&self) -> Json {
        let figures = FIGURES.iter().map(|(key, ..)| ((*key).to_owned(), json!(self.estimate(key))));
        Json::Object(figures.collect())
    }
}

/// `makespan_s < 20m`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterConstraint {
    /// The figure.
    pub key: String,
    /// As it was written.
    pub text: String,
    #[serde(skip)]
    comparison: Comparison,
    #[serde(skip)]
    bound: f64,
}

impl ClusterConstraint {
    /// Reads it; times need a unit or are seconds.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("found {text:?}, expected a figure, < or >, and a bound, such as \"makespan_s < 20m\"")
        };
        let at = text.find(['<', '>']).ok_or_else(wrong)?;
        let (key, rest) = (text[..at].trim(), &text[at..]);
        let (comparison, bound) = match (&rest[..1], rest[1..].strip_prefix('=')) {
            ("<", Some(bound)) => (Comparison::LessOrEqual, bound),
            ("<", None) => (Comparison::Less, &rest[1..]),
            (_, Some(bound)) => (Comparison::GreaterOrEqual, bound),
            (_, None) => (Comparison::Greater, &rest[1..]),
        };
        if !FIGURES.iter().any(|(known, ..)| *known == key) {
            let known: Vec<&str> = FIGURES.iter().map(|(known, ..)| *known).collect();
            return Err(format!("found {key:?}, expected one of {}", known.join(", ")));
        }
        let bound = bound.trim();
        let seconds = || Span::parse(bound).ok().map(|span| span.0 as f64 / 1e9);
        let bound = bound.parse().ok().or_else(seconds).filter(|x: &f64| x.is_finite()).ok_or_else(wrong)?;
        Ok(Self { key: key.to_owned(), text: rest.to_owned(), comparison, bound })
    }

    /// Whether the interval's end that matters meets the bound.
    #[must_use]
    pub fn holds(&self, runs: &ClusterRuns) -> bool {
        let estimate = runs.estimate(&self.key);
        let end = if self.comparison.is_upwards() { estimate.low() } else { estimate.high() };
        end.is_some_and(|end| self.comparison.holds(end, self.bound))
    }
}

/// A search over a cluster scenario's settings.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterTuned {
    /// The figure that shall be small.
    pub minimize: String,
    /// What has to hold.
    pub subject_to: Vec<ClusterConstraint>,
    /// Settings that were tried, each on the seeds of the search.
    pub trials: Vec<ClusterTrial>,
    /// Of these, the ones that met the constraints on the seeds of the search.
    pub feasible: usize,
    /// The setting that also held on fresh seeds; none: none did.
    pub best: Option<ClusterBest>,
    /// First and last seed of the search and of the confirmation.
    pub seeds: [(u64, u64); 2],
}

/// A setting that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterTrial {
    /// The values.
    pub settings: Vec<(String, Value)>,
    /// Mean of the figure to minimize, over the scenarios; none: a run never came to it.
    pub minimized: Option<f64>,
    /// The same of the figure of the first constraint, or else of the makespan.
    pub constrained: Option<f64>,
    /// Whether it met the constraints.
    pub holds: bool,
    /// Whether no other one is better in both figures.
    pub on_front: bool,
}

/// What was found, on seeds that the search has not seen.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterBest {
    /// The values.
    pub settings: Vec<(String, Value)>,
    /// What it does to each scenario.
    pub scenarios: Vec<ClusterConfirmed>,
    /// Settings before it that failed on fresh seeds.
    pub failed: usize,
}

/// What a setting does to one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterConfirmed {
    /// The scenario's title.
    pub scenario: String,
    /// Every figure.
    pub figures: Vec<(String, Estimate)>,
    /// The figure to minimize less that of the scenario as written, paired.
    pub difference: Estimate,
    /// The scenario as written: that figure, and whether it meets the constraints.
    pub written: (Estimate, bool),
}

impl ClusterBest {
    /// Mean of a figure over the scenarios; none: a run never came to it.
    #[must_use]
    pub fn mean(&self, key: &str) -> Option<f64> {
        let of = |one: &ClusterConfirmed| one.figures.iter().find(|(name, _)| name == key)?.1.mean;
        mean(self.scenarios.iter().map(of))
    }
}

/// The mean of all; none if any is missing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values = values.collect::<Option<Vec<f64>>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

impl ClusterTuned {
    /// The figure of the first constraint, or else the makespan.
    #[must_use]
    pub fn constrained_key(&self) -> &str {
        self.subject_to.first().map_or(FIGURES[0].0, |constraint| &constraint.key)
    }

    fn mark_front(&mut self) {
        let is_upwards = self.subject_to.first().is_some_and(|constraint| constraint.comparison.is_upwards());
        let sign = if is_upwards { -1.0 } else { 1.0 };
        let point = |trial: &ClusterTrial| Some((trial.minimized?, sign * trial.constrained?));
        let points: Vec<Option<(f64, f64)>> = self.trials.iter().map(point).collect();
        for (trial, own) in self.trials.iter_mut().zip(&points) {
            let Some((x, y)) = own else { continue };
            let beats = |(a, b): &(f64, f64)| a <= x && b <= y && (a < x || b < y);
            trial.on_front = !points.iter().flatten().any(beats);
        }
    }
}

impl ClusterConstraint {
    /// With what the figure is compared.
    #[must_use]
    pub const fn bound(&self) -> f64 {
        self.bound
    }
}

/// Settings that may fail on fresh seeds before the search is given up.
const ROUNDS: usize = 4;

/// Runs a Latin hypercube of settings and proves the best one that meets the constraints, in every scenario, on fresh
/// seeds.
///
/// # Errors
/// A key or value that is wrong.
pub fn tune_cluster(
    templates: &[ClusterTemplate<'_>],
    ranges: &[Range],
    minimize: &str,
    constraints: &[ClusterConstraint],
    (trials, replications, first_seed): (usize, u64, u64),
) -> Result<ClusterTuned, String> {
    let layout = super::sweep::Layout::LatinHypercube(trials);
    let points = super::sweep::points(ranges, layout, first_seed);
    let settings =
        |point: &Vec<Value>| ranges.iter().map(|range| range.key.clone()).zip(point.clone()).collect();
    let settings: Vec<Settings> = points.iter().map(settings).collect();
    let search = first_seed..first_seed.saturating_add(replications);
    let results = run_in_all(templates, &settings, &search)?;
    let constrained = constraints.first();
    let mut tuned = ClusterTuned {
        minimize: minimize.to_owned(),
        subject_to: constraints.to_vec(),
        trials: Vec::new(),
        feasible: 0,
        best: None,
        seeds: [ends(&search), ends(&fresh(&search, 0))],
    };
    let trial = |(runs, settings): (&Vec<ClusterRuns>, &Settings)| ClusterTrial {
        settings: settings.clone(),
        minimized: mean(runs.iter().map(|runs| runs.estimate(minimize).mean)),
        constrained: mean(
            runs.iter().map(|runs| runs.estimate(constrained.map_or(FIGURES[0].0, |c| &c.key)).mean),
        ),
        holds: hold(constraints, runs),
        on_front: false,
    };
    tuned.trials = results.iter().zip(&settings).map(trial).collect();
    tuned.mark_front();
    tuned.confirm(templates, &search)?;
    Ok(tuned)
}

type Settings = Vec<(String, Value)>;

/// Each setting in each scenario: a list of scenarios for each setting.
fn run_in_all(
    templates: &[ClusterTemplate<'_>],
    settings: &[Settings],
    seeds: &std::ops::Range<u64>,
) -> Result<Vec<Vec<ClusterRuns>>, String> {
    let mut all = vec![Vec::new(); settings.len()];
    for template in templates {
        let runs =
            template.run(settings, seeds.clone()).map_err(|error| match error.contains(&template.file) {
                true => error,
                false => format!("{}: {error}", template.file),
            })?;
        all.iter_mut().zip(runs).for_each(|(list, runs)| list.push(runs));
    }
    Ok(all)
}

fn hold(constraints: &[ClusterConstraint], runs: &[ClusterRuns]) -> bool {
    runs.iter().all(|runs| constraints.iter().all(|constraint| constraint.holds(runs)))
}

/// Seeds that neither the search nor an earlier round has used.
const fn fresh(search: &std::ops::Range<u64>, round: u64) -> std::ops::Range<u64> {
    let replications = search.end - search.start;
    let start = search.end.saturating_add(round.saturating_mul(replications));
    start..start.saturating_add(replications)
}

const fn ends(seeds: &std::ops::Range<u64>) -> (u64, u64) {
    (seeds.start, seeds.end.saturating_sub(1))
}

impl ClusterTuned {
    /// The best ones in turn, until one holds on seeds that nobody has used.
    fn confirm(
        &mut self,
        templates: &[ClusterTemplate<'_>],
        search: &std::ops::Range<u64>,
    ) -> Result<(), String> {
        let mut feasible: Vec<(f64, Settings)> = self
            .trials
            .iter()
            .filter(|trial| trial.holds)
            .filter_map(|trial| Some((trial.minimized?, trial.settings.clone())))
            .collect();
        feasible.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.feasible = feasible.len();
        for (round, (_, settings)) in feasible.into_iter().take(ROUNDS).enumerate() {
            let fresh = fresh(search, round as u64);
            let both = run_in_all(templates, &[settings.clone(), Vec::new()], &fresh)?;
            if hold(&self.subject_to, &both[0]) {
                self.seeds[1] = ends(&fresh);
                self.best = Some(self.found(settings, templates, &both, round)?);
                break;
            }
        }
        Ok(())
    }

    fn found(
        &self,
        settings: Settings,
        templates: &[ClusterTemplate<'_>],
        both: &[Vec<ClusterRuns>],
        failed: usize,
    ) -> Result<ClusterBest, String> {
        let one = |(template, (own, written)): (&ClusterTemplate<'_>, (&ClusterRuns, &ClusterRuns))| {
            let difference = Estimate::paired(&own.numbers(&self.minimize), &written.numbers(&self.minimize));
            let is_finite = difference.mean.is_some_and(f64::is_finite);
            Ok(ClusterConfirmed {
                scenario: template.with(&[])?.title,
                figures: FIGURES.iter().map(|(key, ..)| ((*key).to_owned(), own.estimate(key))).collect(),
                difference: if is_finite { difference } else { Estimate::default() },
                written: (
                    written.estimate(&self.minimize),
                    hold(&self.subject_to, std::slice::from_ref(written)),
                ),
            })
        };
        let scenarios = templates.iter().zip(both[0].iter().zip(&both[1])).map(one);
        Ok(ClusterBest { settings, scenarios: scenarios.collect::<Result<_, String>>()?, failed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = r#"
format = 1
title = "Crashes"
nodes = ["A", "B", "C"]
[[task]]
name = "import"
[work]
buckets = 60
bucket = "20s"
[scan]
close_done = true
[failures]
mean_between = "15m"
mean_repair = "3m"
"#;

    fn template() -> ClusterTemplate<'static> {
        ClusterTemplate::new(SCENARIO, "crashes.toml", &|_| Err("no files".into())).unwrap()
    }

    #[test]
    fn a_longer_silence_before_a_node_is_given_up_costs_time() {
        let silence = |value: &str| vec![("timers.down_after".to_owned(), Value::from(value))];
        let runs = template().run(&[silence("1m"), silence("15m")], 1..31).unwrap();
        let difference = Estimate::paired(&runs[1].numbers("makespan_s"), &runs[0].numbers("makespan_s"));
        assert!(difference.low().is_some_and(|low| low > 0.0), "{difference:?}");
        assert_ne!(runs[0].numbers("makespan_s")[0], runs[0].numbers("makespan_s")[1], "seeds differ");
    }

    #[test]
    fn keys_that_do_not_exist_are_refused_by_name() {
        let error = template().with(&[("scan.minimum".into(), "1m".into())]).unwrap_err();
        assert!(error.contains("minimum"), "{error}");
        assert!(template().with(&[("task.export.name".into(), "x".into())]).unwrap_err().contains("export"));
    }

    #[test]
    fn the_found_setting_holds_on_fresh_seeds_and_an_impossible_one_is_said() {
        let ranges = [Range::parse("timers.down_after=1m..15m").unwrap()];
        let tuned = |bound: &str| {
            let constraint = ClusterConstraint::parse(&format!("makespan_s < {bound}")).unwrap();
            tune_cluster(&[template()], &ranges, "wasted_work_s", &[constraint], (16, 20, 1)).unwrap()
        };
        let best = tuned("20m").best.expect("some silence is short enough");
        let (key, makespan) = &best.scenarios[0].figures[0];
        assert!(key == "makespan_s" && makespan.high().is_some_and(|high| high < 1200.0), "{makespan:?}");
        assert!(tuned("10s").best.is_none());
        let tried = tuned("20m").trials;
        let is_beaten = |one: &ClusterTrial| {
            tried.iter().any(|other| other.minimized < one.minimized && other.constrained < one.constrained)
        };
        assert!(tried.iter().any(|trial| trial.on_front));
        assert!(tried.iter().all(|trial| !trial.on_front || !is_beaten(trial)));
    }

    #[test]
    fn a_setting_has_to_hold_in_every_scenario() {
        let long = SCENARIO.replace("buckets = 60", "buckets = 600");
        let long = ClusterTemplate::new(&long, "long.toml", &|_| Err("no files".into())).unwrap();
        let ranges = [Range::parse("timers.down_after=1m..15m").unwrap()];
        let tuned = |bound: &str| {
            let constraint = ClusterConstraint::parse(&format!("makespan_s < {bound}")).unwrap();
            tune_cluster(&[template(), long.clone()], &ranges, "reconciliations", &[constraint], (8, 10, 1))
                .unwrap()
        };
        assert!(tuned("20m").best.is_none(), "600 buckets take three nodes more than an hour");
        let best = tuned("20h").best.expect("both are done in a day");
        assert_eq!(best.scenarios.len(), 2);
        let makespans = best.scenarios.iter().map(|one| one.figures[0].1.mean.unwrap());
        assert!((best.mean("makespan_s").unwrap() - makespans.sum::<f64>() / 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| template().run(&[Vec::new()], 1..21).unwrap())
        };
        assert_eq!(on(1), on(3));
    }
}
