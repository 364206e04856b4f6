//! What is varied: keys of a scenario with their ranges, written by a person or taken from an algorithm's own
//! documentation of its keys.

use super::variant::{Unfit, scaling_key};
use crate::model::SECOND;
use crate::scenario::{Scenario, Span, parse_value};
use serde::Serialize;
use toml::Value;
use wci_core::algorithm::{Algorithm, AlgorithmKind};
use wci_core::config::{ConfigMap, KeyDoc, KeyKind};

/// A key with the values it can take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Range {
    /// The dotted key.
    pub key: String,
    /// Its values.
    pub values: Values,
}

/// The values of a key.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// One of these.
    List(Vec<Value>),
    /// Between two numbers.
    Between {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether equal ratios count as equal steps.
        is_log: bool,
        /// Whether only whole numbers.
        is_whole: bool,
        /// What stands behind the number, such as `ms` for a duration.
        unit: String,
    },
}

impl Range {
    /// Reads `KEY=1,2,5`, `KEY=1..10`, `KEY=1..1000:log` or `KEY="100ms..10s:log"`.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |found: &str| {
            Err(format!(
                "{text}: found {found}, expected KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=VALUE,VALUE,.."
            ))
        };
        let Some((key, values)) = text.split_once('=') else { return wrong("no =") };
        let (key, values) = (key.trim().to_owned(), values.trim());
        if let Some((low, rest)) = values.split_once("..") {
            let (high, is_log) = match rest.split_once(':') {
                Some((high, "log")) => (high, true),
                Some(_) => return wrong("something other than log behind the colon"),
                None => (rest, false),
            };
            let (low_number, low_unit) = with_unit(low);
            let (high_number, unit) = with_unit(high);
            let (Some(mut low_number), Some(mut high_number)) = (low_number, high_number) else {
                return wrong("an end that is no number");
            };
            let mut unit = unit;
            if low_unit != unit && low_number != 0.0 {
                let (Some(low), Some(high)) = (seconds(low), seconds(high)) else {
                    return wrong("ends with different units");
                };
                (low_number, high_number, unit) = (low, high, "s");
            }
            if low_number >= high_number || (is_log && low_number <= 0.0) {
                return wrong("an empty range, or one on a logarithmic scale from 0");
            }
            let is_whole = [low, high].iter().all(|end| !end.contains('.') && !end.contains('e'));
            let (low, high, unit) = (low_number, high_number, unit.to_owned());
            return Ok(Self { key, values: Values::Between { low, high, is_log, is_whole, unit } });
        }
        let list: Vec<Value> = values.split(',').map(|value| parse_value(value.trim())).collect();
        if values.is_empty() { wrong("no value") } else { Ok(Self { key, values: Values::List(list) }) }
    }

    /// The range with fractions where the scenario takes them: only a key that refuses them is whole, however its ends
    /// are written. Durations have fractions always.
    #[must_use]
    pub fn fitted(mut self, scenario: &Scenario) -> Self {
        if let Values::Between { low, high, is_whole, unit, .. } = &mut self.values
            && *is_whole
        {
            let fraction = *low + 0.25 * (*high - *low).min(1.0);
            let is_taken = || {
                let changed = scenario.with([(self.key.as_str(), Value::Float(fraction))]);
                changed.is_ok_and(|changed| changed.resolve().is_ok())
            };
            *is_whole = unit.is_empty() && !is_taken();
        }
        self
    }

    /// The value at a place between 0 and 1.
    #[must_use]
    pub fn at(&self, place: f64) -> Value {
        let place = place.clamp(0.0, 1.0);
        match &self.values {
            Values::List(list) => {
                let last = list.len().saturating_sub(1);
                list.get(((place * list.len() as f64) as usize).min(last))
                    .cloned()
                    .unwrap_or(Value::Boolean(false))
            }
            Values::Between { low, high, is_log, is_whole, unit } => {
                let number = if *is_log {
                    low * libm::exp(libm::log(high / low) * place)
                } else {
                    low + (high - low) * place
                };
                written(if *is_whole { number.round() } else { rounded(number) }, *is_whole, unit)
            }
        }
    }

    /// So many values spread evenly over the range, ends included; a list as it is.
    #[must_use]
    pub fn steps(&self, n: usize) -> Vec<Value> {
        match &self.values {
            Values::List(list) => list.clone(),
            Values::Between { .. } => {
                let mut steps: Vec<Value> =
                    (0..n).map(|i| self.at(i as f64 / n.saturating_sub(1).max(1) as f64)).collect();
                steps.dedup();
                steps
            }
        }
    }
}

/// The length of a duration.
fn seconds(text: &str) -> Option<f64> {
    Some(Span::parse(text.trim().trim_matches('"')).ok()?.0 as f64 / SECOND as f64)
}

/// A number and what stands behind it.
fn with_unit(text: &str) -> (Option<f64>, &str) {
    let text = text.trim().trim_matches('"');
    let end = text.find(|c: char| c.is_ascii_alphabetic() && c != 'e').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.trim().parse::<f64>().ok().filter(|x| x.is_finite()), unit.trim())
}

fn written(number: f64, is_whole: bool, unit: &str) -> Value {
    match (unit, is_whole) {
        ("", true) => Value::Integer(number as i64),
        ("", false) => Value::Float(number),
        (unit, _) => Value::String(format!("{number}{unit}")),
    }
}

/// Four digits are as much as a setting can matter.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// The ranges of all numbers that an algorithm is configured with, for every group of a scenario: around the values
/// that the scenario has, within the limits of the algorithm.
///
/// # Errors
/// When the scenario is wrong.
pub fn of_algorithm(
    scenario: &Scenario,
    groups: &[String],
    kind: AlgorithmKind,
) -> Result<Vec<Range>, Unfit> {
    let mut ranges = Vec::new();
    for group in groups {
        let keys = kind.config_schema().iter().filter(|doc| belongs_to(doc, kind));
        for doc in keys {
            let key = format!("{}.config.{}", scaling_key(group), doc.key);
            let own = scenario.get(&key).map_err(|errors| Unfit(errors.to_string()))?;
            let number = |value: Value| value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
            let around = own.and_then(number).or(doc.default);
            if let Some(values) = around.and_then(|around| around_value(doc, around)) {
                ranges.push(Range { key, values: values.cut_to(|number| is_taken(doc, kind, number)) });
            }
        }
    }
    Ok(ranges)
}

impl Values {
    /// The range without the end that is not taken, if any of it is: a form of an algorithm may allow less than its key.
    fn cut_to(self, is_taken: impl Fn(f64) -> bool) -> Self {
        /// Halvings after which an end is known to more digits than a setting has.
        const HALVINGS: usize = 40;
        let Self::Between { low, high, is_log, is_whole, unit } = self else { return self };
        let (mut taken, mut refused) = (low, high);
        if !is_taken(high) && is_taken(low) {
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(taken, refused);
                if is_taken(middle) { taken = middle } else { refused = middle }
            }
        } else {
            taken = high;
        }
        Self::Between { low, high: taken, is_log, is_whole, unit }
    }
}

/// Some keys make another rule of the one that is asked for, even at their defaults: they are left alone.
fn belongs_to(doc: &KeyDoc, kind: AlgorithmKind) -> bool {
    let Some(default) = doc.default else { return false };
    let state = ConfigMap::new();
    with_one(doc, kind, default).is_some_and(|same| same == Algorithm::with_defaults(kind, &state))
}

/// Whether an algorithm with its defaults takes this number at a key.
fn is_taken(doc: &KeyDoc, kind: AlgorithmKind, number: f64) -> bool {
    with_one(doc, kind, number).is_some()
}

fn with_one(doc: &KeyDoc, kind: AlgorithmKind, number: f64) -> Option<Algorithm> {
    let number = if doc.kind == KeyKind::Integer { (number as i64).into() } else { number.into() };
    let config: ConfigMap = [(doc.key.to_owned(), number)].into_iter().collect();
    Algorithm::new(kind, &config, &ConfigMap::new()).ok()
}

/// A range that reaches well beyond what anybody would try by hand.
fn around_value(doc: &KeyDoc, around: f64) -> Option<Values> {
    /// So many times more or less.
    const FACTOR: f64 = 30.0;
    let is_whole = match doc.kind {
        KeyKind::Integer => true,
        KeyKind::Number => false,
        KeyKind::Text | KeyKind::TextOrList => return None,
    };
    let least = doc.minimum.unwrap_or(f64::NEG_INFINITY);
    let most = doc.maximum.unwrap_or(f64::INFINITY);
    let between = |low: f64, high: f64, is_log| {
        (low < high).then(|| Values::Between { low, high, is_log, is_whole, unit: String::new() })
    };
    if around <= 0.0 {
        let high = match doc.unit {
            "ms" => 60_000.0,
            "tasks" | "workers" => 50.0,
            _ => 2.0,
        };
        return between(least.max(0.0), most.min(high), false);
    }
    if !is_whole && most.is_finite() {
        // A share: the whole of it, but for the end that is not allowed.
        return between(least.max(most * 0.01), most, false);
    }
    let low = (around / FACTOR).max(least);
    let low = if is_whole { low.max(1.0) } else { low };
    between(low.max(f64::MIN_POSITIVE), (around * FACTOR).min(most), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::testing::scenario;
    use wci_core::spec::LaunchStrategy;

    #[test]
    fn reads_lists_ranges_and_units() {
        let list = Range::parse("spec.x=1,2,5").unwrap();
        assert_eq!(list.steps(9), [1.into(), 2.into(), 5.into()]);
        let whole = Range::parse("a.b = 10..1000:log").unwrap();
        assert_eq!(whole.steps(3), [10.into(), 100.into(), 1000.into()]);
        let number = Range::parse("a=0..0.5").unwrap();
        assert_eq!(number.at(0.5), Value::Float(0.25));
        let span = Range::parse("horizon=10s..30s").unwrap();
        assert_eq!(span.at(1.0), Value::String("30s".into()));
        let words = Range::parse("routing=newest,oldest").unwrap();
        assert_eq!(words.at(0.99), Value::String("oldest".into()));
    }

    #[test]
    fn refuses_what_is_no_range() {
        for text in ["a", "a=", "a=5..1", "a=0..9:log", "a=1..9:lin", "a=x..9", "a=1s..9x", "a=1..9m"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ends_in_different_units_are_of_one_length() {
        let range = Range::parse("horizon=90s..10m").unwrap().fitted(&scenario(&[]));
        assert_eq!(range.at(0.0), Value::String("90s".into()));
        assert_eq!(range.at(1.0), Value::String("600s".into()));
    }

    #[test]
    fn only_keys_that_refuse_fractions_are_whole() {
        let fitted = |text: &str| Range::parse(text).unwrap().fitted(&scenario(&[]));
        assert_eq!(fitted("workload.orders.arrival.rate=1..4").at(0.5), Value::Float(2.5));
        assert_eq!(fitted("horizon=1m..2m").steps(5)[1], Value::String("1.25m".into()));
        assert_eq!(fitted("seed=1..4").at(0.5), Value::Integer(3));
        let cooloff = "spec.scaling_group_specs.activities.scaling.config.scale_up_cooloff_ms=1..4";
        assert_eq!(fitted(cooloff).at(0.5), Value::Integer(3));
    }

    #[test]
    fn an_algorithms_own_keys_have_ranges_within_their_limits() {
        let groups = vec!["activities".to_owned()];
        for kind in AlgorithmKind::ALL {
            let is_invoke = kind.launch_strategies().contains(&LaunchStrategy::Invoke);
            let provider = if is_invoke { "aws-lambda" } else { "k8s" };
            let scenario = scenario(&[("aws-lambda", provider), ("no-sync", kind.name())]);
            for range in of_algorithm(&scenario, &groups, *kind).unwrap() {
                let name = range.key.rsplit('.').next().unwrap();
                let doc = kind.config_schema().iter().find(|doc| doc.key == name).unwrap();
                for place in [0.0, 0.3, 1.0] {
                    let value = range.at(place);
                    let number = value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap();
                    let is_large_enough = doc.minimum.is_none_or(|minimum| number >= minimum);
                    assert!(is_large_enough && doc.maximum.is_none_or(|m| number <= m), "{name} {number}");
                }
            }
        }
    }

    /// The epsilon of `no-sync` is a rate, that of `no-sync-confirmed` a share of at most a tenth.
    #[test]
    fn no_range_goes_beyond_what_the_algorithm_takes() {
        let groups = vec!["activities".to_owned()];
        let kind = AlgorithmKind::NoSyncConfirmed;
        let confirmed = scenario(&[("no-sync", kind.name())]);
        let ranges = of_algorithm(&confirmed, &groups, kind).unwrap();
        let epsilon = ranges.iter().find(|range| range.key.ends_with("rate_epsilon")).unwrap();
        assert_eq!(epsilon.at(1.0), Value::Float(0.1));
        let changed = confirmed.with([(epsilon.key.as_str(), epsilon.at(1.0))]).unwrap();
        changed.resolve().unwrap();
        let plain = of_algorithm(&scenario(&[]), &groups, AlgorithmKind::NoSync).unwrap();
        let epsilon = plain.iter().find(|range| range.key.ends_with("rate_epsilon")).unwrap();
        assert_eq!(epsilon.at(1.0), Value::Float(2.0), "the rate has no such limit");
    }

    #[test]
    fn keys_that_make_another_rule_are_left_alone() {
        let groups = vec!["activities".to_owned()];
        let ranges = of_algorithm(&scenario(&[]), &groups, AlgorithmKind::NoSync).unwrap();
        assert!(ranges.iter().any(|range| range.key.ends_with("scale_up_cooloff_ms")));
        assert!(!ranges.iter().any(|range| range.key.contains("confirm")), "{ranges:?}");
    }
}
