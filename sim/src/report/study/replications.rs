//! One case under many seeds, as a table and as CSV.

use super::amount::{amount, with_interval};
use crate::report::Expectation;
use crate::report::units::plural;
use crate::research::{Replications, Stop};
use crate::scenario::expect::{Figure, Quantity, known_keys};
use std::fmt::Write as _;

/// What people look for, in the order in which they ask.
pub(super) const ROWS: [&str; 27] = [
    "schedule_to_start.mean",
    "schedule_to_start.p50",
    "schedule_to_start.p90",
    "schedule_to_start.p95",
    "schedule_to_start.p99",
    "schedule_to_start.max",
    "sojourn.mean",
    "sojourn.p95",
    "tasks.arrived",
    "tasks.completed",
    "tasks.waiting",
    "tasks.failed",
    "tasks.rejected",
    "sync_match_ratio",
    "backlog.mean",
    "backlog.max",
    "backlog.max_age",
    "workers.mean",
    "workers.max",
    "workers.started",
    "workers.never_used",
    "workers.cold_start_ratio",
    "workers.utilization",
    "actions.invoke_worker",
    "actions.set_worker_set_size",
    "actions.failed",
    "cost_usd.total",
];

/// The table of a replicated run.
#[must_use]
pub fn replications_table(title: &str, result: &Replications, expectations: &[Expectation]) -> String {
    let mut out = format!("{title}\n{}\n", header(result));
    if let Some(condition) = result.condition() {
        let _ = writeln!(out, "{condition}");
    }
    if result.overloaded() > 0 {
        let _ = writeln!(out, "overloaded in {} of {}", result.overloaded(), result.runs.len());
    }
    let _ = writeln!(out, "\n{:28}{:>26}{:>14}", "", "mean ± 95 % interval", "pooled");
    let known = known_keys(&[]);
    for key in ROWS {
        let quantity = known.iter().find(|(name, _)| name == key).map_or(Quantity::Count, |(_, q)| *q);
        let estimate = result.estimate(key);
        if key.starts_with("tasks.") && estimate.mean == Some(0.0) {
            continue;
        }
        let mean = with_interval(quantity, &estimate, result.is_censored(key));
        let pooled = estimate.pooled.map_or_else(String::new, |pooled| amount(quantity, pooled));
        let _ = writeln!(out, "{}", format!("{key:28}{mean:>26}{pooled:>14}").trim_end());
    }
    out.push_str("\npooled: percentiles of all replications' tasks together, the largest maximum\n");
    for expectation in expectations {
        let word = if expectation.passed { "ok" } else { "failed" };
        let Expectation { path, condition, actual, .. } = expectation;
        let _ = writeln!(out, "{word}: {path} is {actual}, expected {condition}");
    }
    out
}

/// How many replications, of which seeds, and why no more.
pub(super) fn header(result: &Replications) -> String {
    let seeds = result.runs.iter().map(|run| run.summary.seed);
    let (first, last) = (seeds.clone().min().unwrap_or_default(), seeds.max().unwrap_or_default());
    let runs = plural(result.runs.len() as u64, "replication", "replications");
    let stopped = stopped(std::slice::from_ref(result));
    format!("{runs}, seeds {first} to {last}, 95 % intervals (Student){stopped}")
}

/// So many figures of so many results are named; the JSON has all.
const NAMED: usize = 4;

/// Why there are no more replications of what ran together, and whose figures are not as precise as wanted.
pub(super) fn stopped(results: &[Replications]) -> String {
    let named = |of: fn(&Replications) -> &Vec<String>| {
        let one = |result: &Replications| {
            let keys = of(result).join(" and ");
            if results.len() == 1 { keys } else { format!("{keys} of {}", result.name) }
        };
        let all: Vec<String> = results.iter().filter(|result| !of(result).is_empty()).map(one).collect();
        let more = all.len().saturating_sub(NAMED);
        let listed = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if more == 0 { listed } else { format!("{listed} and {more} more") }
    };
    let mut text = match results.first().map_or(Stop::Count, |first| first.stop) {
        Stop::Count => return String::new(),
        Stop::Precise => "; stopped: the intervals are narrow enough".to_owned(),
        Stop::Limit => format!(
            "; stopped at the limit, the intervals are wider than wanted: {}",
            named(|result| &result.too_wide)
        ),
    };
    let without = named(|result| &result.without_interval);
    if !without.is_empty() {
        let _ = write!(text, "; there can be no interval of {without}");
    }
    text
}

/// A line for each replication with every figure of all groups together; an empty field was not measured, `inf` is
/// infinite, and the column `censored` names the lower bounds.
///
/// # Errors
/// Never in practice: it writes to memory.
pub fn replications_csv(result: &Replications) -> csv::Result<Vec<u8>> {
    let keys: Vec<String> = known_keys(&[]).into_iter().map(|(key, _)| key).collect();
    let columns: Vec<Vec<Figure>> = keys.iter().map(|key| result.figures(key)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(keys.iter().map(String::as_str).chain(["censored"]))?;
    for run in 0..result.runs.len() {
        for column in &columns {
            writer.write_field(field(&column[run]))?;
        }
        let is_bound = |column: &&Vec<Figure>| matches!(column[run], Figure::AtLeast(_) | Figure::Infinite);
        let named = keys.iter().zip(&columns).filter(|(_, column)| is_bound(column));
        let censored: Vec<&str> = named.map(|(key, _)| key.as_str()).collect();
        writer.write_record([censored.join(" ")])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A figure as a field of a CSV file.
pub(super) fn field(figure: &Figure) -> String {
    match figure {
        Figure::Number(x) | Figure::AtLeast(x) => x.to_string(),
        Figure::Infinite => "inf".into(),
        Figure::Flag(flag) => flag.to_string(),
        Figure::Text(text) => text.clone(),
        Figure::Nothing => String::new(),
    }
}
