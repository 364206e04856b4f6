//! A comparison as text, CSV and JSON.

use super::amount::{amount, with_interval};
use super::tune::quantity;
use crate::report::units::{percent, plural};
use crate::research::Replications;
use crate::research::compare::{Contest, Difference};
use crate::scenario::expect::Quantity;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The figures that a comparison shows, with their headings.
pub const COLUMNS: [(&str, &str); 7] = [
    ("cost_usd.total", "Cost"),
    ("schedule_to_start.mean", "Mean wait"),
    ("schedule_to_start.p95", "95 % wait less"),
    ("schedule_to_start.p99", "99 % wait less"),
    ("workers.mean", "Workers"),
    ("workers.started", "Started"),
    ("workers.utilization", "Slot time used"),
];

/// The two that a terminal has room for.
const COST: &str = "cost_usd.total";
const WAIT: &str = "schedule_to_start.p95";

/// How to read the marks.
pub const LEGEND: &str = "Intervals: 95 %, Student, over replications; differences are paired, seed by seed, to the \
                          scenario as written.\n* the paired interval excludes 0; ** it does with all comparisons of \
                          the table counted (Bonferroni).";

/// All contests for a terminal.
#[must_use]
pub fn table(contests: &[Contest]) -> String {
    let mut out = String::new();
    for contest in contests {
        one(contest, &mut out);
        out.push('\n');
    }
    out.push_str(LEGEND);
    out.push('\n');
    out
}

fn one(contest: &Contest, out: &mut String) {
    let names = contest.results.iter().map(|result| result.name.chars().count());
    let width = names.max().unwrap_or(0).max(26);
    let _ = writeln!(out, "{} ({})", contest.title, contest.scenario);
    if let Some(first) = contest.results.first() {
        let _ = writeln!(out, "{}", header(first));
        let _ = writeln!(
            out,
            "{:width$}{:>19}{:>11}{:>24}{:>9}",
            "", "cost", "", "95 % wait less than", "workers"
        );
    }
    for (i, result) in contest.results.iter().enumerate() {
        let cost = with_interval(Quantity::Usd, &result.estimate(COST), false);
        let wait = with_interval(Quantity::Millis, &result.estimate(WAIT), result.is_censored(WAIT));
        let change = if i == 0 { String::new() } else { change(contest, i, COST) };
        let workers =
            result.estimate("workers.mean").mean.map_or_else(String::new, |x| amount(Quantity::Count, x));
        let note = if result.overloaded() > 0 { "  overloaded" } else { "" };
        let _ = writeln!(out, "{:width$}{cost:>19}{change:>11}{wait:>24}{workers:>9}{note}", result.name);
    }
    for (names, why) in left_out(contest) {
        let _ = writeln!(out, "left out: {}: {}", names.join(", "), why.lines().next().unwrap_or_default());
    }
}

/// What did not run, by its reason: often the same one keeps all algorithms out.
#[must_use]
pub fn left_out(contest: &Contest) -> Vec<(Vec<&str>, &str)> {
    let mut reasons: Vec<(Vec<&str>, &str)> = Vec::new();
    for left_out in &contest.left_out {
        // The reason names the algorithm once more; `best fixed` is kept out as `fixed` is.
        let name = left_out.name.rsplit(' ').next().unwrap_or_default();
        let why = left_out.why.strip_prefix(name).map_or(left_out.why.as_str(), str::trim_start);
        match reasons.iter_mut().find(|(_, known)| *known == why) {
            Some((names, _)) => names.push(&left_out.name),
            None => reasons.push((vec![&left_out.name], why)),
        }
    }
    reasons
}

/// Seeds, routing, and what the intervals are conditional on.
#[must_use]
pub fn header(first: &Replications) -> String {
    let seeds = first.runs.iter().map(|run| run.summary.seed);
    let (low, high) = (seeds.clone().min().unwrap_or_default(), seeds.max().unwrap_or_default());
    let routing = first.runs.first().and_then(|run| serde_json::to_value(run.summary.routing).ok());
    let routing = routing.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let runs = plural(first.runs.len() as u64, "replication", "replications");
    let condition = first.condition().map_or_else(String::new, |condition| format!("; {condition}"));
    format!("{runs} each, seeds {low} to {high}, routing {routing}{condition}")
}

/// The paired difference relative to the scenario as written, with its mark: `-31 % **`.
#[must_use]
pub fn change(contest: &Contest, i: usize, key: &str) -> String {
    let difference = contest.difference(i, key);
    let base = contest.results[0].estimate(key).mean;
    let Some((difference_mean, base)) = difference.estimate.mean.zip(base.filter(|base| *base != 0.0)) else {
        return String::new();
    };
    let share = difference_mean / base;
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{} {}", percent(share), mark(&difference)).trim_end().to_owned()
}

/// How sure a difference is.
#[must_use]
pub const fn mark(difference: &Difference) -> &'static str {
    match (difference.is_significant_among_all, difference.is_significant) {
        (true, _) => "**",
        (false, true) => "*",
        (false, false) => "",
    }
}

/// A line for each scenario, spec and figure.
///
/// # Errors
/// Never in practice: it writes to memory.
pub fn csv(contests: &[Contest]) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "scenario",
        "spec",
        "figure",
        "mean",
        "ci95",
        "pooled",
        "difference",
        "difference_ci95",
        "significant",
        "censored",
        "replications",
        "overloaded",
    ])?;
    for contest in contests {
        for (i, result) in contest.results.iter().enumerate() {
            for (key, _) in crate::scenario::expect::known_keys(&[]) {
                if matches!(quantity(&key), Quantity::Text | Quantity::Flag) || key == "seed" {
                    continue;
                }
                let estimate = result.estimate(&key);
                let difference = contest.difference(i, &key);
                let number = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
                writer.write_record([
                    contest.scenario.clone(),
                    result.name.clone(),
                    key.clone(),
                    number(estimate.mean),
                    number(estimate.ci95),
                    number(estimate.pooled),
                    number(difference.estimate.mean.filter(|_| i > 0)),
                    number(difference.estimate.ci95.filter(|_| i > 0)),
                    mark(&difference).to_owned(),
                    result.is_censored(&key).to_string(),
                    result.runs.len().to_string(),
                    result.overloaded().to_string(),
                ])?;
            }
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The same for programs: every result with the keys of `run --json`, and the paired differences.
#[must_use]
pub fn to_json(contests: &[Contest]) -> Value {
    let one = |contest: &Contest| {
        let results: Vec<Value> = (0..contest.results.len()).map(|i| result_json(contest, i)).collect();
        json!({
            "scenario": contest.scenario,
            "title": contest.title,
            "results": results,
            "left_out": contest.left_out,
        })
    };
    contests.iter().map(one).collect()
}

fn result_json(contest: &Contest, i: usize) -> Value {
    let result = &contest.results[i];
    let differences: serde_json::Map<String, Value> = COLUMNS
        .iter()
        .filter(|_| i > 0)
        .filter_map(|(key, _)| {
            Some(((*key).to_owned(), serde_json::to_value(contest.difference(i, key)).ok()?))
        })
        .collect();
    json!({ "name": result.name, "figures": result.to_json(), "differences": differences })
}
