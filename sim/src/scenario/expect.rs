//! What must come out of a run: comparisons on figures of its summary.

mod parse;

pub use parse::{Comparison, Quantity, known_keys};
pub(super) use parse::{Rejected, expectation};

use super::key;
use serde_json::Value;

/// One comparison on one figure of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Dotted key of the figure.
    pub key: String,
    /// What kind of figure it is.
    pub quantity: Quantity,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in the summary's own unit.
    pub bound: Bound,
    /// The comparison as it was written.
    pub text: String,
}

impl Expectation {
    /// Reads a constraint such as `schedule_to_start.p95 < 1s`; `groups` are the names of the spec's groups.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn parse(text: &str, groups: &[&str]) -> Result<Self, String> {
        let sign = text.find(['<', '>', '=']);
        let Some((key, comparison)) = sign.map(|at| text.split_at(at)) else {
            return Err(format!("{text:?}: found no sign, expected such as \"schedule_to_start.p95 < 1s\""));
        };
        expectation(key.trim(), comparison, groups).map_err(|rejected| match rejected {
            Rejected::UnknownKey { known } => {
                let near = |name: &&String| strsim::normalized_damerau_levenshtein(name, key.trim());
                let nearest = known.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
                let nearest = nearest.map_or("", String::as_str);
                format!("{}: no such figure, expected a key of run --json such as {nearest}", key.trim())
            }
            Rejected::Comparison { found, expected } => {
                format!("{}: found {found}, expected {expected}", key.trim())
            }
        })
    }
}

/// Reads an expectation on figures that are not those of a scenario of task queues.
///
/// # Errors
/// Says what was found and what would be right.
pub(crate) fn among(
    key: &str,
    text: &str,
    known: &[(&str, Quantity)],
) -> Result<Expectation, (String, String)> {
    let owned = known.iter().map(|(name, quantity)| ((*name).to_owned(), *quantity)).collect();
    parse::expectation_among(key, text, owned).map_err(|rejected| match rejected {
        Rejected::UnknownKey { known } => ("an unknown figure".to_owned(), known.join(", ")),
        Rejected::Comparison { found, expected } => (found, expected),
    })
}

/// What a figure is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number in the summary's own unit.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// A text.
    Text(String),
}

/// Whether one expectation holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Dotted key of the figure.
    pub key: String,
    /// Whether it holds.
    pub holds: bool,
    /// What came out, with its unit.
    pub actual: String,
    /// One line for people: what was expected and what came out.
    pub line: String,
}

/// Compares a summary, the JSON of `run --json`, with what was expected. Figures with a confidence interval are
/// compared by their mean.
#[must_use]
pub fn check(expectations: &[Expectation], summary: &Value) -> Vec<Outcome> {
    expectations.iter().map(|expectation| outcome(expectation, summary)).collect()
}

fn outcome(expectation: &Expectation, summary: &Value) -> Outcome {
    let figure = figure(summary, &expectation.key);
    let holds = holds(&figure, expectation.comparison, &expectation.bound);
    let word = if holds { "ok" } else { "failed" };
    let Expectation { key, text, .. } = expectation;
    let actual = shown(&figure, expectation.quantity);
    let line = format!("{word}: {key} is {actual}, expected {text}");
    Outcome { key: key.clone(), holds, actual, line }
}

/// A figure as a summary gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// A number in the summary's own unit.
    Number(f64),
    /// Only a lower bound is known: tasks still waited.
    AtLeast(f64),
    /// Nothing ever started.
    Infinite,
    /// True or false.
    Flag(bool),
    /// A text.
    Text(String),
    /// There was nothing to measure.
    Nothing,
}

impl Figure {
    /// As a number: a lower bound as it is, a flag as 1 or 0, and no number for what was not measured.
    #[must_use]
    pub const fn number(&self) -> f64 {
        match self {
            Self::Number(number) | Self::AtLeast(number) => *number,
            Self::Infinite => f64::INFINITY,
            Self::Flag(true) => 1.0,
            Self::Flag(false) => 0.0,
            Self::Text(_) | Self::Nothing => f64::NAN,
        }
    }
}

fn figure(summary: &Value, dotted: &str) -> Figure {
    figure_at(summary, &key::split(dotted).unwrap_or_default())
}

/// The figure of a summary at the names of its dotted key.
#[must_use]
pub fn figure_at(summary: &Value, segments: &[String]) -> Figure {
    let Some((name, parents)) = segments.split_last() else { return Figure::Nothing };
    let parent = parents.iter().try_fold(summary, |value, name| value.get(name));
    let Some(value) = parent.and_then(|parent| parent.get(name)) else { return Figure::Nothing };
    // With replications a figure is its mean and the half-width of the confidence interval.
    let value = value.get("mean").filter(|_| value.get("ci95").is_some()).unwrap_or(value);
    let censored = parent.and_then(|p| p.get("censored")).and_then(Value::as_array);
    let is_censored = censored.is_some_and(|names| names.iter().any(|n| n == name.as_str()));
    match value {
        Value::Bool(flag) => Figure::Flag(*flag),
        Value::String(text) => Figure::Text(text.clone()),
        Value::Null if is_censored => Figure::Infinite,
        Value::Number(number) => match number.as_f64() {
            Some(number) if is_censored => Figure::AtLeast(number),
            Some(number) => Figure::Number(number),
            None => Figure::Nothing,
        },
        _ => Figure::Nothing,
    }
}

/// A lower bound never proves that something is less than a limit, and what is infinite is less than none.
fn holds(figure: &Figure, comparison: Comparison, bound: &Bound) -> bool {
    match (figure, bound) {
        (Figure::Number(number), Bound::Number(bound)) => comparison.holds(*number, *bound),
        (Figure::AtLeast(least), Bound::Number(bound)) => {
            comparison.is_upwards() && comparison.holds(*least, *bound)
        }
        (Figure::Infinite, Bound::Number(_)) => comparison.is_upwards(),
        (Figure::Flag(flag), Bound::Flag(bound)) => flag == bound,
        (Figure::Text(text), Bound::Text(bound)) => text == bound,
        _ => false,
    }
}

fn shown(figure: &Figure, quantity: Quantity) -> String {
    match figure {
        Figure::Number(number) => quantity.shown(*number),
        Figure::AtLeast(number) => format!(">= {}", quantity.shown(*number)),
        Figure::Infinite => "infinite".into(),
        Figure::Flag(flag) => flag.to_string(),
        Figure::Text(text) => text.clone(),
        Figure::Nothing => "not measured".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(key: &str, text: &str, summary: &Value) -> bool {
        let expectation = expectation(key, text, &["fast", "a.b"]).unwrap();
        let outcomes = check(&[expectation], summary);
        assert_eq!(outcomes.len(), 1);
        outcomes[0].holds
    }

    #[test]
    fn figures_are_compared_in_their_own_units() {
        let summary = json!({
            "overloaded": true,
            "routing": "newest",
            "schedule_to_start": {"p95": 812.0, "censored": []},
            "cost_usd": {"total": 0.5, "groups": {"a.b": 0.25}},
            "workers": {"busy_slot_seconds": 7200.0, "utilization": 0.61},
            "tasks": {"completed": 100},
            "groups": {"fast": {"schedule_to_start": {"p95": 3.0, "censored": []}}},
        });
        assert!(holds("schedule_to_start.p95", "< 1s", &summary));
        assert!(!holds("schedule_to_start.p95", "< 812ms", &summary));
        assert!(holds("schedule_to_start.p95", "<= 812ms", &summary));
        assert!(holds("cost_usd.total", "< 0.51 USD", &summary));
        assert!(holds("cost_usd.groups.\"a.b\"", "== 0.25 USD", &summary));
        assert!(holds("workers.busy_slot_seconds", "== 2h", &summary));
        assert!(holds("workers.utilization", "> 60 %", &summary));
        assert!(holds("workers.utilization", "< 0.62", &summary));
        assert!(holds("tasks.completed", ">= 100", &summary));
        assert!(holds("groups.fast.schedule_to_start.p95", "<= 3ms", &summary));
        assert!(holds("overloaded", "== true", &summary));
        assert!(!holds("overloaded", "== false", &summary));
        assert!(holds("routing", "== newest", &summary));
    }

    #[test]
    fn a_lower_bound_fails_every_less() {
        let summary = json!({"schedule_to_start": {"p95": 900.0, "p99": null, "censored": ["p95", "p99"]}});
        for text in ["< 1s", "<= 1s", "== 900ms", "> 1s"] {
            assert!(!holds("schedule_to_start.p95", text, &summary), "{text}");
        }
        assert!(holds("schedule_to_start.p95", "> 800ms", &summary));
        assert!(!holds("schedule_to_start.p99", "< 30d", &summary));
        assert!(holds("schedule_to_start.p99", "> 30d", &summary));
    }

    #[test]
    fn what_was_not_measured_fails_every_comparison() {
        let summary = json!({"schedule_to_start": {"p95": null, "censored": []}});
        for text in ["< 1s", "> 1s", ">= 0s"] {
            assert!(!holds("schedule_to_start.p95", text, &summary), "{text}");
            assert!(!holds("sojourn.p95", text, &summary), "{text}");
        }
    }

    #[test]
    fn replications_are_compared_by_their_mean() {
        let summary = json!({"schedule_to_start": {"p95": {"mean": 500.0, "ci95": 20.0}}});
        assert!(holds("schedule_to_start.p95", "< 501ms", &summary));
        assert!(!holds("schedule_to_start.p95", "< 499ms", &summary));
    }

    #[test]
    fn the_outcome_reads_as_a_line() {
        let summary = json!({"schedule_to_start": {"p95": 1234.5678, "p99": 2000.0, "censored": ["p99"]}});
        let expectations = [
            expectation("schedule_to_start.p95", "< 1s", &[]).unwrap(),
            expectation("schedule_to_start.p99", "> 1s", &[]).unwrap(),
        ];
        let lines: Vec<String> = check(&expectations, &summary).into_iter().map(|o| o.line).collect();
        assert_eq!(
            lines,
            [
                "failed: schedule_to_start.p95 is 1234.6 ms, expected < 1s",
                "ok: schedule_to_start.p99 is >= 2000 ms, expected > 1s",
            ]
        );
    }
}
