//! Several specs on the same scenarios and the same luck.

use super::best_fixed::{FixedError, best_fixed};
use super::constraint::judge;
use super::estimate::{Estimate, LEVEL};
use super::keep_alive::{Policy, is_per_request};
use super::lab::{Case, Lab};
use super::replicate::{BLOCK, Plan, Replications, Stop, go_on, replicate_all};
use super::square_root::SquareRoot;
use super::student::two_sided;
use super::variant::with_algorithm;
use crate::model::KeepAlive;
use crate::scenario::Scenario;
use crate::scenario::expect::Expectation;
use serde::Serialize;
use toml::Value;
use wci_core::algorithm::AlgorithmKind;
use wci_core::spec::ScalingGroup;

/// The figures that a comparison shows and stars; all of them are counted together.
pub const FIGURES: [&str; 7] = [
    "cost_usd.total",
    "schedule_to_start.mean",
    "schedule_to_start.p95",
    "schedule_to_start.p99",
    "workers.mean",
    "workers.started",
    "workers.utilization",
];

/// What the best fixed count goes by.
const HINDSIGHT: &str = "best fixed";

/// What is put in the place of a scenario's own spec.
#[derive(Clone, Debug)]
pub enum Entrant {
    /// An algorithm with its defaults, in every group.
    Algorithm(AlgorithmKind),
    /// The fewest fixed workers that meet these constraints, known only in hindsight.
    BestFixed(Vec<Expectation>),
    /// Square-root staffing on the true rate, which no controller can know.
    SquareRoot(SquareRoot),
    /// Another keep-alive policy of the platform, where it starts the workers itself.
    KeepAlive(Policy),
    /// Another spec, by the name it goes by.
    Spec(String, Value),
}

/// One scenario with all that ran on it; the first result is the scenario as written.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The results, the scenario as written first.
    pub results: Vec<Replications>,
    /// What did not run, and why.
    pub left_out: Vec<LeftOut>,
    /// Whether the platform itself starts the workers: what it costs is cold starts more than waits.
    pub is_per_request: bool,
    /// The scenario as it was run.
    pub toml: String,
    /// What every result is asked for; those of [`Entrant::BestFixed`] unless others are put here.
    pub target: Vec<Expectation>,
    /// Whether a result has the rule of the scenario as written, key by key or by its defaults: it cannot differ.
    pub is_same: Vec<bool>,
    /// How many comparisons share the chance of an error: those of this contest, or of all contests after
    /// [`Contest::together`].
    pub comparisons: usize,
}

/// Something that did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What.
    pub name: String,
    /// Why.
    pub why: String,
}

/// One result beside another, seed by seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// How much more it is, with the paired interval.
    pub estimate: Estimate,
    /// The paired interval excludes 0, and the result did all of its work: what is overloaded under some seed is not
    /// called cheaper or quicker.
    pub is_significant: bool,
    /// It does even when all [`Contest::comparisons`] share the chance of an error, and the figure is one of
    /// [`FIGURES`], which are counted there (Bonferroni).
    pub is_significant_among_all: bool,
}

impl Entrant {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Algorithm(kind) => kind.name().to_owned(),
            Self::BestFixed(_) => HINDSIGHT.to_owned(),
            Self::SquareRoot(_) => "square-root".to_owned(),
            Self::KeepAlive(policy) => policy.to_string(),
            Self::Spec(name, _) => name.clone(),
        }
    }
}

impl Contest {
    /// Runs a scenario as written and with each entrant. What does not fit is left out by name; so is everything
    /// when a trace is missing.
    ///
    /// # Errors
    /// The first run that failed.
    pub fn run(
        lab: &Lab<'_>,
        scenario: &Scenario,
        entrants: &[Entrant],
        plan: &Plan,
    ) -> Result<Self, FixedError> {
        let mut contest = Self::new(scenario, entrants)?;
        let written = Case::new(as_written(scenario)?, scenario)?;
        if let Some(missing) = written.resolved.missing_traces(lab.surroundings).first() {
            contest.leave_out("everything", &missing.to_string());
            return Ok(contest);
        }
        let mut cases = vec![written];
        for entrant in entrants.iter().filter(|entrant| !matches!(entrant, Entrant::BestFixed(_))) {
            if let Some(case) = contest.enter(scenario, entrant)? {
                contest.admit(&mut cases, case, &entrant.name());
            }
        }
        cases.iter_mut().for_each(|case| case.keep.course = true);
        if entrants.iter().any(|entrant| matches!(entrant, Entrant::BestFixed(_))) {
            contest.with_hindsight(lab, scenario, &cases, plan)?;
        } else {
            let cases: Vec<&Case> = cases.iter().collect();
            contest.results = replicate_all(lab, &cases, plan)?;
            contest.count(&cases);
        }
        Ok(contest)
    }

    fn new(scenario: &Scenario, entrants: &[Entrant]) -> Result<Self, FixedError> {
        let target = entrants.iter().find_map(|entrant| match entrant {
            Entrant::BestFixed(constraints) => Some(constraints.clone()),
            _ => None,
        });
        Ok(Self {
            scenario: scenario.name().to_owned(),
            title: scenario.file().title.clone(),
            results: Vec::new(),
            left_out: Vec::new(),
            is_per_request: is_per_request(scenario)?,
            toml: scenario.to_toml(),
            target: target.unwrap_or_default(),
            is_same: Vec::new(),
            comparisons: 0,
        })
    }

    fn count(&mut self, cases: &[&Case]) {
        self.is_same = cases.iter().map(|case| is_same_rule(cases[0], case)).collect();
        self.comparisons = self.rows() * FIGURES.len();
    }

    /// How many results can differ from the scenario as written.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.is_same.iter().filter(|is_same| !**is_same).count()
    }

    /// Contests that are shown together share the chance of an error over all of them.
    pub fn together(contests: &mut [Self]) {
        let comparisons = contests.iter().map(Self::rows).sum::<usize>() * FIGURES.len();
        contests.iter_mut().for_each(|contest| contest.comparisons = comparisons);
    }

    fn admit(&mut self, cases: &mut Vec<Case>, case: Case, name: &str) {
        if is_there(cases, &case) {
            self.leave_out(name, "it is the scenario as written, key by key");
        } else {
            cases.push(case);
        }
    }

    /// Runs the cases and, last, the best fixed count on all the seeds that they are run under. How many these are is
    /// only known at the end when a precision is asked for: the count is looked for again on what has been added.
    fn with_hindsight(
        &mut self,
        lab: &Lab<'_>,
        scenario: &Scenario,
        cases: &[Case],
        plan: &Plan,
    ) -> Result<(), FixedError> {
        let mut results = Vec::new();
        let mut seeds = if plan.until.is_some() { plan.count.min(BLOCK) } else { plan.count };
        loop {
            self.left_out.retain(|left_out| left_out.name != HINDSIGHT);
            let mut all = cases.to_vec();
            if let Some(mut case) = self.best_fixed(lab, scenario, seeds)? {
                case.keep.course = true;
                self.admit(&mut all, case, HINDSIGHT);
            }
            results.truncate(cases.len());
            let all: Vec<&Case> = all.iter().collect();
            let fresh = &all[results.len()..];
            for (case, runs) in fresh.iter().zip(lab.replicate(fresh, 0..seeds)?) {
                results.push(Replications::new(case, runs, Stop::Count));
            }
            go_on(lab, &all, &mut results, plan)?;
            let ran = results.first().map_or(0, |result| result.runs.len() as u64);
            if ran == seeds {
                self.results = results;
                self.count(&all);
                return Ok(());
            }
            seeds = ran;
        }
    }

    /// Whether a result meets the target with the end of its interval that matters (the upper 95 % limit of what has
    /// to stay below); what is overloaded never does. `None` without a target.
    #[must_use]
    pub fn meets_target(&self, i: usize) -> Option<bool> {
        let result = &self.results[i];
        let is_asked = !self.target.is_empty();
        is_asked.then(|| judge(&self.target, result, result.runs.len() as u64).holds)
    }

    fn leave_out(&mut self, name: &str, why: &str) {
        self.left_out.push(LeftOut { name: name.to_owned(), why: why.to_owned() });
    }

    fn enter(&mut self, scenario: &Scenario, entrant: &Entrant) -> Result<Option<Case>, FixedError> {
        let changed = match entrant {
            Entrant::Algorithm(kind) => with_algorithm(scenario, *kind, &[]).map_err(|unfit| unfit.0),
            Entrant::KeepAlive(policy) => policy.applied(scenario).map_err(|unfit| unfit.0),
            Entrant::Spec(_, spec) => with_spec(scenario, spec),
            Entrant::SquareRoot(oracle) => return self.enter_oracle(scenario, *oracle),
            // It has to wait for the seeds of all others.
            Entrant::BestFixed(_) => return Ok(None),
        };
        match changed {
            Ok(changed) => Ok(Some(Case::new(entrant.name(), &changed)?)),
            Err(why) => {
                self.leave_out(&entrant.name(), &why);
                Ok(None)
            }
        }
    }

    fn enter_oracle(&mut self, scenario: &Scenario, oracle: SquareRoot) -> Result<Option<Case>, FixedError> {
        let case = Case::new(format!("square-root (beta {})", oracle.beta), scenario)?.under(oracle);
        match oracle.check(&case.resolved) {
            Ok(()) => Ok(Some(case)),
            Err(unfit) => {
                self.leave_out("square-root", &unfit.0);
                Ok(None)
            }
        }
    }

    /// In hindsight: the count is looked for under the very seeds that it is compared on, all of them.
    fn best_fixed(
        &mut self,
        lab: &Lab<'_>,
        scenario: &Scenario,
        seeds: u64,
    ) -> Result<Option<Case>, FixedError> {
        let scenarios = [scenario.clone()];
        let first = scenario.resolve()?.model.seed;
        let seeds = first..first.saturating_add(seeds);
        match best_fixed(lab, &scenarios, &self.target, &[&seeds]) {
            Ok(Some(counts)) => {
                let mut case = counts.cases(&scenarios)?.remove(0);
                case.name = format!("best fixed ({counts})");
                case.keep.pools = true;
                return Ok(Some(case));
            }
            Ok(None) => self.leave_out(HINDSIGHT, "no fixed number of workers meets the target"),
            Err(FixedError::Unfit(unfit)) => self.leave_out(HINDSIGHT, &unfit.0),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// A figure of result `i` less that of the scenario as written.
    #[must_use]
    pub fn difference(&self, i: usize, key: &str) -> Difference {
        let estimate = self.results[i].difference(&self.results[0], key);
        let degrees = (self.results[i].runs.len() as u64).saturating_sub(1);
        let comparisons = self.comparisons.max(1) as f64;
        // The interval that all comparisons share the chance of an error in.
        let wider = two_sided(1.0 - (1.0 - LEVEL) / comparisons, degrees) / two_sided(LEVEL, degrees);
        let among_all = Estimate { ci95: estimate.ci95.map(|half| half * wider), ..estimate };
        let is_bound = self.results[i].is_censored(key) || self.results[0].is_censored(key);
        let is_finite = estimate.mean.is_some_and(f64::is_finite) && !is_bound;
        let is_comparable = is_finite && self.results[i].overloaded() == 0;
        let is_counted = is_comparable && FIGURES.contains(&key);
        let estimate = if is_finite { estimate } else { Estimate::default() };
        Difference {
            estimate,
            is_significant: is_comparable && estimate.is_significant(),
            is_significant_among_all: is_counted && among_all.is_significant(),
        }
    }
}

fn is_there(cases: &[Case], case: &Case) -> bool {
    let is_same = |other: &Case| {
        other.resolved.model.spec == case.resolved.model.spec
            && other.oracle == case.oracle
            && policies(other) == policies(case)
    };
    cases.iter().any(is_same)
}

/// The keep-alive policy of each group, where the platform starts the workers.
fn policies(case: &Case) -> Vec<Option<&KeepAlive>> {
    case.resolved.model.groups.iter().map(|group| group.provider.keep_alive()).collect()
}

/// Whether two cases of one scenario decide by the same rules, whichever of their settings are written down.
fn is_same_rule(one: &Case, other: &Case) -> bool {
    let groups = |case: &Case| -> Vec<_> {
        let groups = case.resolved.model.spec.groups();
        let rule =
            |group: &ScalingGroup| (ScalingGroup { scaling: None, ..group.clone() }, group.instantiate());
        groups.map(|(name, group)| (name.clone(), rule(group))).collect()
    };
    one.oracle == other.oracle && groups(one) == groups(other) && policies(one) == policies(other)
}

/// What the scenario's own algorithms are.
fn as_written(scenario: &Scenario) -> Result<String, FixedError> {
    if is_per_request(scenario)? {
        return Ok("as written (per request)".into());
    }
    let resolved = scenario.resolve()?;
    let mut names: Vec<&str> =
        resolved.model.spec.groups().map(|(_, group)| group.algorithm().name()).collect();
    names.dedup();
    Ok(format!("as written ({})", names.join(", ")))
}

/// The scenario with another spec.
///
/// # Errors
/// Everything that is wrong with it, or does not fit, in words.
pub fn with_spec(scenario: &Scenario, spec: &Value) -> Result<Scenario, String> {
    let changed = scenario.with([("spec", spec.clone())]).map_err(|errors| errors.to_string())?;
    changed.resolve().map_err(|errors| errors.to_string())?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::replicate::Until;
    use crate::research::testing::scenario;

    fn contest(entrants: &[Entrant]) -> Contest {
        Contest::run(&Lab::without_files(), &scenario(&[]), entrants, &Plan::of(10)).unwrap()
    }

    #[test]
    fn compared_algorithms_share_their_luck() {
        let contest = contest(&[Entrant::Algorithm(AlgorithmKind::Backlog)]);
        let arrived = contest.difference(1, "tasks.arrived");
        assert_eq!((arrived.estimate.mean, arrived.estimate.ci95), (Some(0.0), Some(0.0)));
        assert!(!arrived.is_significant);
        assert_ne!(contest.difference(1, "cost_usd.total").estimate.mean, Some(0.0));
    }

    #[test]
    fn the_difference_of_a_share_is_that_of_the_printed_shares() {
        let contest = contest(&[Entrant::Algorithm(AlgorithmKind::Backlog)]);
        for key in
            ["workers.utilization", "workers.cold_start_ratio", "groups.activities.workers.utilization"]
        {
            let mean = |i: usize| contest.results[i].estimate(key).mean.expect("a share");
            let difference = contest.difference(1, key).estimate;
            assert!((difference.mean.unwrap() - (mean(1) - mean(0))).abs() < 1e-12, "{key}: {difference:?}");
            assert!(difference.ci95.is_some_and(|half| half > 0.0), "{key}: {difference:?}");
        }
    }

    #[test]
    fn nothing_of_what_is_overloaded_is_significant() {
        let mut contest = contest(&[Entrant::Algorithm(AlgorithmKind::Backlog)]);
        assert!(contest.difference(1, "cost_usd.total").is_significant);
        contest.results[1].runs[0].summary.total.overloaded = true;
        let difference = contest.difference(1, "cost_usd.total");
        assert!(!difference.is_significant && !difference.is_significant_among_all);
        assert!(difference.estimate.mean.is_some_and(|mean| mean != 0.0), "it is still shown");
    }

    /// Two rows of which one cannot differ, seven figures; two such scenarios shown together, twice as many.
    #[test]
    fn every_starred_figure_of_every_row_that_can_differ_is_counted() {
        let entrants = [AlgorithmKind::NoSync, AlgorithmKind::Backlog].map(Entrant::Algorithm);
        let explicit = "no-sync\", config = { scale_up_cooloff_ms = 100 ";
        let written = scenario(&[("no-sync\"", &format!("{explicit}}}"))]);
        let lab = Lab::without_files();
        let contest = Contest::run(&lab, &written, &entrants, &Plan::of(10)).unwrap();
        assert_eq!(contest.is_same, [true, true, false], "{:?}", contest.left_out);
        assert_eq!((contest.rows(), contest.comparisons), (1, 7));
        let mut both = [contest.clone(), contest];
        Contest::together(&mut both);
        assert_eq!([both[0].comparisons, both[1].comparisons], [14, 14]);
    }

    #[test]
    fn what_is_counted_widens_the_interval() {
        let mut contest = contest(&[Entrant::Algorithm(AlgorithmKind::Backlog)]);
        let key = "cost_usd.total";
        let Estimate { mean: Some(mean), ci95: Some(half), .. } = contest.difference(1, key).estimate else {
            panic!("the cost has an interval");
        };
        for comparisons in [1, 7, 1 << 10, 1 << 30] {
            contest.comparisons = comparisons;
            let wider = two_sided(1.0 - 0.05 / comparisons as f64, 9) / two_sided(0.95, 9);
            let difference = contest.difference(1, key);
            assert_eq!(difference.is_significant_among_all, mean.abs() > half * wider, "{comparisons}");
        }
        contest.comparisons = 1;
        let other = contest.difference(1, "cost_usd.groups.activities");
        assert!(other.is_significant);
        assert!(!other.is_significant_among_all, "it is not counted");
    }

    #[test]
    fn what_does_not_fit_is_left_out_by_name() {
        let contest = contest(&[
            Entrant::Algorithm(AlgorithmKind::RateBased),
            Entrant::Algorithm(AlgorithmKind::NoSync),
        ]);
        assert_eq!(contest.results.len(), 1);
        let names: Vec<&str> = contest.left_out.iter().map(|left_out| left_out.name.as_str()).collect();
        assert_eq!(names, ["rate-based", "no-sync"]);
    }

    #[test]
    fn keep_alive_policies_are_compared_where_the_platform_starts_workers() {
        let policies: Vec<Entrant> = Policy::usual().into_iter().map(Entrant::KeepAlive).collect();
        let mode =
            "[group.activities.provider]\nmode = \"per-request\"\n[spec.scaling_group_specs.activities]";
        let scenario = scenario(&[
            ("[spec.scaling_group_specs.activities]", mode),
            ("scaling = { scaling_algorithm = \"no-sync\" }", ""),
        ]);
        let contest = Contest::run(&Lab::without_files(), &scenario, &policies, &Plan::of(10)).unwrap();
        assert!(contest.is_per_request);
        let names: Vec<&str> = contest.results.iter().map(|result| result.name.as_str()).collect();
        let policies = ["keep-alive 1m", "keep-alive 1h", "keep-alive hybrid-histogram:4h"];
        assert_eq!(names[1..], policies, "ten minutes are as written: {:?}", contest.left_out);
        assert_eq!((contest.is_same.as_slice(), contest.rows()), (&[true, false, false, false][..], 3));
        let cost = |i: usize| contest.results[i].estimate("cost_usd.total").mean.unwrap();
        assert!(cost(1) < cost(0), "idle workers that leave earlier cost less");
        let left_out = self::contest(&[Entrant::KeepAlive(Policy::usual()[0])]).left_out;
        assert_eq!(left_out.iter().map(|out| out.name.as_str()).collect::<Vec<_>>(), ["keep-alive 1m"]);
    }

    #[test]
    fn the_best_fixed_count_is_named() {
        let constraint = Expectation::parse("schedule_to_start.p95 < 1s", &["activities"]).unwrap();
        let contest = contest(&[Entrant::BestFixed(vec![constraint])]);
        assert!(contest.results[1].name.starts_with("best fixed ("), "{}", contest.results[1].name);
    }

    /// Where the first ten seeds would give another count than all of them.
    #[test]
    fn the_best_fixed_count_is_found_on_all_seeds_of_the_comparison() {
        let lab = Lab::without_files();
        let scenario = scenario(&[("horizon = \"5m\"", "horizon = \"40s\"")]);
        let best = |constraint: &Expectation, n: u64| {
            let scenarios = [scenario.clone()];
            best_fixed(&lab, &scenarios, std::slice::from_ref(constraint), &[&(3..3 + n)]).unwrap()
        };
        let limits = (1..40).map(|i| format!("schedule_to_start.p95 < {}ms", 50 * i));
        let mut constraints = limits.map(|text| Expectation::parse(&text, &["activities"]).unwrap());
        let constraint = constraints.find(|constraint| best(constraint, 10) != best(constraint, 23));
        let constraint = constraint.expect("a limit at which ten seeds are not enough to tell");
        let run = |plan: &Plan| {
            Contest::run(&lab, &scenario, &[Entrant::BestFixed(vec![constraint.clone()])], plan).unwrap()
        };
        let name = |n| best(&constraint, n).map(|counts| format!("best fixed ({counts})"));
        let contest = run(&Plan::of(23));
        assert_eq!(contest.results.get(1).map(|result| result.name.clone()), name(23));
        let until = Until { share: 0.06, keys: vec!["tasks.arrived".into()] };
        let contest = run(&Plan { count: 60, until: Some(until) });
        let n = contest.results[0].runs.len();
        assert!(n > 10 && contest.results.iter().all(|result| result.runs.len() == n), "{n}");
        assert_eq!(contest.results.get(1).map(|result| result.name.clone()), name(n as u64));
    }

    #[test]
    fn each_row_meets_or_misses_the_target_by_its_upper_limit() {
        let mut contest = contest(&[Entrant::Algorithm(AlgorithmKind::Fixed)]);
        assert_eq!(contest.meets_target(0), None);
        let high = contest.results[0].estimate("workers.mean").high().unwrap();
        let at = |bound: f64| {
            vec![Expectation::parse(&format!("workers.mean < {bound}"), &["activities"]).unwrap()]
        };
        contest.target = at(high + 1e-6);
        assert_eq!(contest.meets_target(0), Some(true));
        contest.target = at(high - 1e-6);
        assert_eq!(contest.meets_target(0), Some(false), "the mean alone is not enough");
    }
}
