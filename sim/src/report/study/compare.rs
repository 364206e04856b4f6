//! A comparison as text, CSV and JSON.

use super::amount::{amount, unit, with_interval};
use super::replications::stopped;
use super::tune::quantity;
use crate::report::units::{number, percent, plural};
use crate::research::Replications;
use crate::research::compare::{Contest, Difference, FIGURES};
use crate::scenario::expect::Quantity;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The figures that a comparison shows, with their headings.
pub const COLUMNS: [(&str, &str); 7] = [
    (FIGURES[0], "Cost"),
    (FIGURES[1], "Mean wait"),
    (FIGURES[2], "95 % wait less"),
    (FIGURES[3], "99 % wait less"),
    (FIGURES[4], "Workers"),
    (FIGURES[5], "Started"),
    (FIGURES[6], "Slot time used"),
];

/// The two that a terminal has room for.
const COST: &str = "cost_usd.total";
const WAIT: &str = "schedule_to_start.p95";
/// Shown as well where the platform starts the workers; it is not counted, and has one mark at most.
pub const COLD: &str = "workers.cold_start_ratio";

/// How to read the intervals and, where something is compared, the marks: what is counted is said.
#[must_use]
pub fn legend(contests: &[Contest]) -> String {
    let intervals = "Intervals: 95 %, Student, over replications";
    if contests.iter().all(|contest| contest.results.len() < 2) {
        return format!("{intervals}.");
    }
    let rows: usize = contests.iter().map(Contest::rows).sum();
    let figures = FIGURES.len();
    let counted = contests.iter().map(|contest| contest.comparisons).max().unwrap_or_default();
    let place = if contests.len() > 1 { " of all scenarios" } else { "" };
    format!(
        "{intervals}; differences are paired, seed by seed, to the scenario as written.\n* the paired interval excludes \
         0; ** it does with all {counted} comparisons counted (Bonferroni): {} that can differ{place}, times the \
         {figures} figures of the report\n({}).",
        plural(rows as u64, "row", "rows"),
        FIGURES.join(", ")
    )
}

/// All contests for a terminal.
#[must_use]
pub fn table(contests: &[Contest]) -> String {
    let mut out = String::new();
    for contest in contests {
        one(contest, &mut out);
        out.push('\n');
    }
    out.push_str(&legend(contests));
    out.push('\n');
    out
}

fn one(contest: &Contest, out: &mut String) {
    let _ = writeln!(out, "{} ({})", contest.title, contest.scenario);
    if !contest.results.is_empty() {
        let _ = writeln!(out, "{}", header(&contest.results));
        if !contest.target.is_empty() {
            let _ = writeln!(out, "{}", target(contest));
        }
        let rows = (0..contest.results.len()).map(|i| row(contest, i));
        aligned(&[headings(contest)].into_iter().chain(rows).collect::<Vec<_>>(), out);
    }
    for (names, why) in left_out(contest) {
        let _ = writeln!(out, "left out: {}: {}", names.join(", "), why.lines().next().unwrap_or_default());
    }
}

/// Where the platform starts the workers, what is saved on idle ones is paid for in cold starts.
fn headings(contest: &Contest) -> Vec<String> {
    let cold = contest.is_per_request.then_some("cold starts");
    let first = ["", "cost", "vs. written", "95 % wait less than"];
    first.into_iter().chain(cold).chain(["workers", ""]).map(str::to_owned).collect()
}

fn row(contest: &Contest, i: usize) -> Vec<String> {
    let result = &contest.results[i];
    let wait = with_interval(Quantity::Millis, &result.estimate(WAIT), result.is_censored(WAIT));
    let (change, wait) = match i {
        0 => (String::new(), wait),
        _ => (change(contest, i, COST), format!("{wait} {}", mark(&contest.difference(i, WAIT)))),
    };
    let workers = result.estimate("workers.mean").mean;
    let cold = contest.is_per_request.then(|| {
        let share = with_interval(quantity(COLD), &result.estimate(COLD), false);
        let mark = if i == 0 { "" } else { mark(&contest.difference(i, COLD)) };
        marked(&format!("{share} {mark}"))
    });
    let cost = with_interval(Quantity::Usd, &result.estimate(COST), false);
    let first = [result.name.clone(), cost, marked(&change), marked(&wait)];
    let workers = workers.map_or_else(String::new, |x| amount(Quantity::Count, x));
    first.into_iter().chain(cold).chain([workers, verdict(contest, i)]).collect()
}

/// `meets`, `misses` or nothing, and whether it is overloaded.
fn verdict(contest: &Contest, i: usize) -> String {
    let words = [meets(contest, i).map(str::to_owned), overload(&contest.results[i])];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether a result meets the target.
#[must_use]
pub fn meets(contest: &Contest, i: usize) -> Option<&'static str> {
    contest.meets_target(i).map(|does| if does { "meets" } else { "misses" })
}

/// What the target is, and when it is met.
#[must_use]
pub fn target(contest: &Contest) -> String {
    let asked = contest.target.iter().map(|constraint| format!("{} {}", constraint.key, constraint.text));
    let asked = asked.collect::<Vec<_>>().join(", ");
    format!(
        "target: {asked}; met if the whole 95 % interval does (its upper limit under a bound), under no overload"
    )
}

/// With as much room behind it as two marks take, so that figures stand under figures.
fn marked(text: &str) -> String {
    let text = text.trim_end();
    let marks = text.len() - text.trim_end_matches('*').len();
    let room = if marks == 0 { 3 } else { 2 - marks.min(2) };
    if text.is_empty() { String::new() } else { format!("{text}{}", " ".repeat(room)) }
}

/// The first and the last column to the left, the others to the right.
fn aligned(rows: &[Vec<String>], out: &mut String) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    for row in rows {
        let mut line = String::new();
        for (column, text) in row.iter().enumerate() {
            let _ = match column {
                0 => write!(line, "{text:width$}", width = width(column)),
                _ if column + 1 == row.len() => write!(line, "  {text}"),
                _ => write!(line, "  {text:>width$}", width = width(column)),
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Under how many seeds more came than could be done.
#[must_use]
pub fn overload(result: &Replications) -> Option<String> {
    match (result.overloaded(), result.runs.len()) {
        (0, _) => None,
        (n, all) if n == all => Some("overloaded".into()),
        (n, all) => Some(format!("overloaded in {n} of {all}")),
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

/// Seeds, routing, what the intervals are conditional on, and why there are no more replications; of what ran together.
#[must_use]
pub fn header(results: &[Replications]) -> String {
    let Some(first) = results.first() else { return String::new() };
    let seeds = first.runs.iter().map(|run| run.summary.seed);
    let (low, high) = (seeds.clone().min().unwrap_or_default(), seeds.max().unwrap_or_default());
    let routing = first.runs.first().and_then(|run| serde_json::to_value(run.summary.routing).ok());
    let routing = routing.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let runs = plural(first.runs.len() as u64, "replication", "replications");
    let condition = first.condition().map_or_else(String::new, |condition| format!("; {condition}"));
    format!("{runs} each, seeds {low} to {high}, routing {routing}{condition}{}", stopped(results))
}

/// The paired difference relative to the scenario as written, with its mark: `-31 % **`, or `x 21.7 **`.
#[must_use]
pub fn change(contest: &Contest, i: usize, key: &str) -> String {
    let Some(share) = relative(contest, i, key) else { return String::new() };
    let size = match share {
        MANY.. => format!("x {}", number(share + 1.0)),
        0.0.. if share > 0.0 => format!("+{}", percent(share)),
        _ => percent(share),
    };
    format!("{size} {}", mark(&contest.difference(i, key))).trim_end().to_owned()
}

/// From here on it is so many times as much: nobody reads +2071 %.
pub const MANY: f64 = 9.0;

/// The paired difference as a share of the scenario as written.
#[must_use]
pub fn relative(contest: &Contest, i: usize, key: &str) -> Option<f64> {
    let base = contest.results[0].estimate(key).mean.filter(|base| *base != 0.0)?;
    Some(contest.difference(i, key).estimate.mean? / base)
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
        "unit",
        "meets_target",
    ])?;
    for contest in contests {
        for (i, result) in contest.results.iter().enumerate() {
            for (key, _) in crate::scenario::expect::known_keys(&[]) {
                if matches!(quantity(&key), Quantity::Text | Quantity::Flag) || key == "seed" {
                    continue;
                }
                let estimate = result.estimate(&key);
                let difference = contest.difference(i, &key);
                let written = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
                writer.write_record([
                    contest.scenario.clone(),
                    result.name.clone(),
                    key.clone(),
                    written(estimate.mean),
                    written(estimate.ci95),
                    written(estimate.pooled),
                    written(difference.estimate.mean.filter(|_| i > 0)),
                    written(difference.estimate.ci95.filter(|_| i > 0)),
                    mark(&difference).to_owned(),
                    result.is_censored(&key).to_string(),
                    result.runs.len().to_string(),
                    result.overloaded().to_string(),
                    unit(quantity(&key)).to_owned(),
                    contest.meets_target(i).map(|does| does.to_string()).unwrap_or_default(),
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
            "target": contest.target.iter().map(|asked| format!("{} {}", asked.key, asked.text)).collect::<Vec<_>>(),
            "results": results,
            "comparisons_counted": contest.comparisons,
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
    json!({
        "name": result.name,
        "meets_target": contest.meets_target(i),
        "figures": result.to_json(),
        "differences": differences,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_figures_whatever_their_length_and_marks() {
        let row = |name: &str, cost: &str, change: &str| {
            let wait = marked("1 s ± 1 ms **");
            vec![name.into(), cost.into(), marked(change), wait, "3".into(), String::new()]
        };
        let mut out = String::new();
        let rows = [
            row("best fixed (activities 3, workflows 1)", "$0.1 ± $0.02", "-0.889 % **"),
            row("lcp", "$0.00307 ± $0.00000126", "+5 %"),
            row("hpa", "$1 ± $1", "x 21.7 *"),
        ];
        aligned(&rows, &mut out);
        let ends = |word: &str| -> Vec<usize> {
            let end = |line: &str| Some(line[..line.find(word)?].chars().count() + word.len());
            out.lines().filter_map(end).collect()
        };
        assert_eq!((ends("$0.02"), ends("0.00000126")), (vec![52 + 10], vec![52 + 10]), "{out}");
        let percents = out.lines().map(|line| line.replace("21.7", "   %")).collect::<Vec<_>>();
        let at: Vec<Option<usize>> =
            percents.iter().map(|line| line.find('%').map(|at| line[..at].chars().count())).collect();
        assert!(at.iter().all(|place| *place == at[0]), "{out}");
    }
}
