//! Reads comparisons such as `< 1s` and knows which figures a summary has.

use super::{Bound, Expectation};
use crate::results::{Cost, Figures};
use crate::scenario::key::{self, KeyPath};
use crate::scenario::units::{SPAN_EXPECTED, Span};
use serde_json::Value;
use wci_core::parse_number;

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 5] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Comparison {
    /// Whether it holds between two numbers.
    #[must_use]
    pub fn holds(self, figure: f64, bound: f64) -> bool {
        match self {
            Self::Less => figure < bound,
            Self::LessOrEqual => figure <= bound,
            Self::Greater => figure > bound,
            Self::GreaterOrEqual => figure >= bound,
            #[expect(clippy::float_cmp, reason = "the user asked for equality")]
            Self::Equal => figure == bound,
        }
    }

    /// Whether it asks for more than the bound.
    #[must_use]
    pub const fn is_upwards(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }
}

/// What kind of figure something is: its unit in the summary, and how it is written in an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A duration in milliseconds.
    Millis,
    /// A duration in seconds.
    Seconds,
    /// US dollars.
    Usd,
    /// A share from 0 to 1.
    Share,
    /// A number.
    Count,
    /// True or false.
    Flag,
    /// A text.
    Text,
}

impl Quantity {
    /// What belongs behind the sign.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Millis | Self::Seconds => SPAN_EXPECTED,
            Self::Usd => "an amount such as \"0.25 USD\"",
            Self::Share => "a share such as \"95 %\" or \"0.95\"",
            Self::Count => "a number, 0 or more",
            Self::Flag => "true or false",
            Self::Text => "a text",
        }
    }

    /// A figure with its unit, for people.
    #[must_use]
    pub fn shown(self, number: f64) -> String {
        match self {
            Self::Millis => format!("{} ms", rounded(number)),
            Self::Seconds => format!("{} s", rounded(number)),
            Self::Usd => format!("{} USD", rounded(number)),
            Self::Share => format!("{} %", rounded(number * 100.0)),
            Self::Count | Self::Flag | Self::Text => rounded(number),
        }
    }

    fn parse(self, text: &str) -> Option<Bound> {
        let finite = |text: &str| parse_number(text.trim()).filter(|x| x.is_finite() && *x >= 0.0);
        let number = match self {
            Self::Millis => Span::parse(text).ok()?.0 as f64 / 1e6,
            Self::Seconds => Span::parse(text).ok()?.0 as f64 / 1e9,
            Self::Usd => finite(text.strip_suffix("USD")?)?,
            Self::Share => match text.strip_suffix('%') {
                Some(percent) => finite(percent)? / 100.0,
                None => finite(text)?,
            },
            Self::Count => finite(text)?,
            Self::Flag => return text.parse().ok().map(Bound::Flag),
            Self::Text => return (!text.is_empty()).then(|| Bound::Text(text.to_owned())),
        };
        Some(Bound::Number(number))
    }
}

/// Five digits are enough for a line that people read.
fn rounded(number: f64) -> String {
    parse_number(&format!("{number:.4e}")).unwrap_or(number).to_string()
}

/// Why an expectation cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::scenario) enum Rejected {
    /// There is no such figure.
    UnknownKey {
        /// All figures there are.
        known: Vec<String>,
    },
    /// The comparison makes no sense.
    Comparison {
        /// What is wrong with it.
        found: String,
        /// What would be right.
        expected: String,
    },
}

/// Reads one expectation; `groups` are the names of the spec's groups.
pub(in crate::scenario) fn expectation(
    key: &str,
    text: &str,
    groups: &[&str],
) -> Result<Expectation, Rejected> {
    expectation_among(key, text, known_keys(groups))
}

/// Reads one expectation on any of these figures.
pub(in crate::scenario) fn expectation_among(
    key: &str,
    text: &str,
    known: Vec<(String, Quantity)>,
) -> Result<Expectation, Rejected> {
    let same = |other: &str| key::split(key).is_ok_and(|names| key::split(other) == Ok(names));
    let Some((_, quantity)) = known.iter().find(|(name, _)| same(name)) else {
        return Err(Rejected::UnknownKey { known: known.into_iter().map(|(name, _)| name).collect() });
    };
    let (comparison, bound) = comparison(text, *quantity)?;
    Ok(Expectation {
        key: key.to_owned(),
        quantity: *quantity,
        comparison,
        bound,
        text: text.trim().to_owned(),
    })
}

fn comparison(text: &str, quantity: Quantity) -> Result<(Comparison, Bound), Rejected> {
    let wrong = |expected: String| Rejected::Comparison { found: format!("{text:?}"), expected };
    let is_number = !matches!(quantity, Quantity::Flag | Quantity::Text);
    let signs: &[_] = if is_number { &SIGNS } else { &SIGNS[2..3] };
    let found =
        signs.iter().find_map(|(sign, c)| text.trim().strip_prefix(sign).map(|rest| (*c, rest.trim())));
    let names: Vec<&str> = signs.iter().map(|(sign, _)| *sign).collect();
    let (comparison, rest) = found.ok_or_else(|| wrong(format!("{} and a value", names.join(", "))))?;
    let expected = || format!("behind the sign {}", quantity.expected());
    let bound = quantity.parse(rest).ok_or_else(|| wrong(expected()))?;
    Ok((comparison, bound))
}

/// Dotted keys of all figures of a summary with what they are; `groups` are the names of the spec's groups.
#[must_use]
pub fn known_keys(groups: &[&str]) -> Vec<(String, Quantity)> {
    let mut keys = Vec::new();
    for (name, quantity) in
        [("scenario", Quantity::Text), ("seed", Quantity::Count), ("routing", Quantity::Text)]
    {
        keys.push((name.to_owned(), quantity));
    }
    keys.push(("digest".to_owned(), Quantity::Text));
    leaves(&KeyPath::ROOT, &figures(groups), &mut keys);
    for group in groups {
        leaves(&KeyPath::ROOT.key("groups").key(group), &figures(&[]), &mut keys);
    }
    keys
}

/// The figures as the summary writes them, so that a new figure needs no second list here.
fn figures(groups: &[&str]) -> Value {
    let costs = groups.iter().map(|group| ((*group).to_owned(), 0.0)).collect();
    let figures = Figures { cost_usd: Cost { groups: costs, ..Cost::default() }, ..Figures::default() };
    serde_json::to_value(figures).unwrap_or_default()
}

fn leaves(path: &KeyPath, value: &Value, keys: &mut Vec<(String, Quantity)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| leaves(&path.key(name), value, keys)),
        // The list of names of censored figures.
        Value::Array(_) => {}
        leaf => keys.push((path.to_string(), quantity(path, leaf))),
    }
}

fn quantity(path: &KeyPath, leaf: &Value) -> Quantity {
    let names = path.numbered();
    let is_in = |parents: &[&str]| names.iter().any(|name| parents.contains(&name.as_str()));
    let last = names.last().map(String::as_str).unwrap_or_default();
    match last {
        _ if leaf.is_boolean() => Quantity::Flag,
        _ if leaf.is_string() => Quantity::Text,
        _ if is_in(&["cost_usd"]) => Quantity::Usd,
        "max_age" => Quantity::Millis,
        _ if is_in(&["schedule_to_start", "sojourn"]) => Quantity::Millis,
        name if name.ends_with("_seconds") => Quantity::Seconds,
        name if name.ends_with("_ratio") || name == "utilization" => Quantity::Share,
        _ => Quantity::Count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(key: &str, text: &str) -> String {
        match expectation(key, text, &["fast"]) {
            Err(Rejected::Comparison { found, expected }) => format!("{found} | {expected}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_figure_of_the_summary_is_known_with_its_unit() {
        let keys = known_keys(&["fast"]);
        let quantity = |key: &str| keys.iter().find(|(name, _)| name == key).map(|(_, quantity)| *quantity);
        assert_eq!(quantity("schedule_to_start.p95"), Some(Quantity::Millis));
        assert_eq!(quantity("groups.fast.sojourn.mean"), Some(Quantity::Millis));
        assert_eq!(quantity("backlog.max_age"), Some(Quantity::Millis));
        assert_eq!(quantity("backlog.max"), Some(Quantity::Count));
        assert_eq!(quantity("workers.worker_seconds"), Some(Quantity::Seconds));
        assert_eq!(quantity("workers.utilization"), Some(Quantity::Share));
        assert_eq!(quantity("sync_match_ratio"), Some(Quantity::Share));
        assert_eq!(quantity("cost_usd.groups.fast"), Some(Quantity::Usd));
        assert_eq!(quantity("overloaded"), Some(Quantity::Flag));
        assert_eq!(quantity("schedule_to_start.censored"), None);
        assert_eq!(quantity("groups.slow.sojourn.mean"), None);
    }

    #[test]
    fn a_key_that_no_summary_has_is_refused() {
        let refused = expectation("schedule_to_start.p96", "< 1s", &[]);
        assert!(
            matches!(refused, Err(Rejected::UnknownKey { known }) if known.contains(&"overloaded".into()))
        );
    }

    #[test]
    fn a_value_needs_its_unit() {
        let refused = rejected("schedule_to_start.p95", "< 1000");
        assert!(refused.starts_with("\"< 1000\" | behind the sign a duration with its unit"), "{refused}");
        assert_eq!(
            rejected("cost_usd.total", "< 1"),
            "\"< 1\" | behind the sign an amount such as \"0.25 USD\""
        );
        assert_eq!(rejected("tasks.failed", "< nan"), "\"< nan\" | behind the sign a number, 0 or more");
        assert_eq!(rejected("tasks.failed", "0"), "\"0\" | <=, >=, ==, <, > and a value");
        assert_eq!(rejected("overloaded", "> false"), "\"> false\" | == and a value");
    }
}
