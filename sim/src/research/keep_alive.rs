//! Keep-alive policies: what is compared where the platform itself starts the workers, and no algorithm decides.

use super::range::{Range, Values};
use super::variant::Unfit;
use crate::model::{KeepAlive, SECOND};
use crate::scenario::{Scenario, Span, join_key};
use std::fmt;
use toml::{Table, Value};

/// Windows from a quarter of a minute to days are within this factor of the ten minutes of most platforms.
const FACTOR: f64 = 30.0;

/// How long idle workers of the per-request mode stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Always this long after the last task.
    Fixed(Span),
    /// Exponential with this mean.
    Exponential(Span),
    /// Learnt from the pauses up to this range.
    HybridHistogram(Span),
}

impl Policy {
    /// Reads `10m`, `exponential:10m`, `hybrid-histogram` or `hybrid-histogram:4h`.
    ///
    /// # Errors
    /// Says what was found and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, length) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let policy = match (kind, Span::parse(length)) {
            ("exponential", Ok(mean)) => Some(Self::Exponential(mean)),
            ("hybrid-histogram", Ok(range)) => Some(Self::HybridHistogram(range)),
            ("hybrid-histogram", _) if length.is_empty() => Some(Self::HybridHistogram(Span(4 * HOUR))),
            (window, _) if length.is_empty() => Span::parse(window).ok().map(Self::Fixed),
            _ => None,
        };
        policy.ok_or_else(|| {
            format!(
                "found {text:?}, expected a window such as 10m, exponential:10m, hybrid-histogram or hybrid-histogram:4h"
            )
        })
    }

    /// What a comparison takes unless others are named: windows of a minute, of ten and of an hour, and the histogram.
    #[must_use]
    pub const fn usual() -> [Self; 4] {
        let [minute, ten_minutes, hour] = [Span(HOUR / 60), Span(HOUR / 6), Span(HOUR)];
        [
            Self::Fixed(minute),
            Self::Fixed(ten_minutes),
            Self::Fixed(hour),
            Self::HybridHistogram(Span(4 * HOUR)),
        ]
    }

    /// The scenario with this policy in every group.
    ///
    /// # Errors
    /// When a controller starts the workers of a group, or the policy's length is wrong.
    pub fn applied(&self, scenario: &Scenario) -> Result<Scenario, Unfit> {
        let resolved = scenario.resolve().map_err(|errors| Unfit(errors.to_string()))?;
        let controlled = resolved.model.groups.iter().find(|group| !group.provider.is_per_request());
        if let Some(group) = controlled {
            let name = &group.name;
            return Err(Unfit(format!("needs mode = \"per-request\", which group {name} does not have")));
        }
        let keys: Vec<String> = resolved.model.groups.iter().map(|group| key(&group.name)).collect();
        let changed = scenario.with(keys.iter().map(|key| (key.as_str(), self.written())));
        let changed = changed.map_err(|errors| Unfit(errors.to_string()))?;
        changed.resolve().map_err(|errors| Unfit(errors.to_string()))?;
        Ok(changed)
    }

    fn written(&self) -> Value {
        let (kind, name, length) = match self {
            Self::Fixed(window) => return Value::String(window.to_string()),
            Self::Exponential(mean) => ("exponential", "mean", mean),
            Self::HybridHistogram(range) => ("hybrid-histogram", "range", range),
        };
        let law = [("kind", kind.to_owned()), (name, length.to_string())];
        Value::Table(law.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect::<Table>())
    }
}

const HOUR: u64 = 3600 * SECOND;

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(window) => write!(f, "keep-alive {window}"),
            Self::Exponential(mean) => write!(f, "keep-alive exponential:{mean}"),
            Self::HybridHistogram(range) => write!(f, "keep-alive hybrid-histogram:{range}"),
        }
    }
}

/// Whether the platform itself starts the workers of a scenario.
///
/// # Errors
/// When the scenario is wrong.
pub fn is_per_request(scenario: &Scenario) -> Result<bool, Unfit> {
    let resolved = scenario.resolve().map_err(|errors| Unfit(errors.to_string()))?;
    Ok(resolved.model.groups.iter().any(|group| group.provider.is_per_request()))
}

/// The ranges of what the groups' own policies are set to, around the values that the scenario has.
///
/// # Errors
/// When the scenario is wrong.
pub fn ranges(scenario: &Scenario) -> Result<Vec<Range>, Unfit> {
    let resolved = scenario.resolve().map_err(|errors| Unfit(errors.to_string()))?;
    let mut ranges = Vec::new();
    for group in &resolved.model.groups {
        let Some(keep_alive) = group.provider.keep_alive() else { continue };
        let (around, most, name) = match keep_alive {
            KeepAlive::Fixed(window) => (*window as f64, f64::INFINITY, "window"),
            KeepAlive::Exponential(mean) => (*mean, f64::INFINITY, "mean"),
            KeepAlive::HybridHistogram(range) => (*range as f64, (7 * 24 * HOUR) as f64, "range"),
        };
        let law = key(&group.name);
        let is_table = matches!(scenario.get(&law), Ok(Some(Value::Table(_))));
        let around = if around > 0.0 { around } else { (HOUR / 6) as f64 };
        let seconds = |nanos: f64| (nanos / SECOND as f64).max(1.0);
        let (low, high) = (seconds(around / FACTOR), seconds((around * FACTOR).min(most)));
        let values = Values::Between { low, high, is_log: true, is_whole: false, unit: "s".into() };
        ranges.push(Range { key: if is_table { format!("{law}.{name}") } else { law }, values });
    }
    Ok(ranges)
}

fn key(group: &str) -> String {
    join_key(["group", group, "provider", "keep_alive"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::testing::scenario;

    const PER_REQUEST: &str = "[group.activities.provider]\nmode = \"per-request\"\n\
                               [spec.scaling_group_specs.activities]";

    fn per_request() -> Scenario {
        let spec = "scaling = { scaling_algorithm = \"no-sync\" }";
        scenario(&[("[spec.scaling_group_specs.activities]", PER_REQUEST), (spec, "")])
    }

    #[test]
    fn reads_windows_and_laws() {
        let minutes = |n| Span(n * HOUR / 60);
        for (text, policy) in [
            ("90s", Policy::Fixed(Span(90 * SECOND))),
            ("exponential:5m", Policy::Exponential(minutes(5))),
            ("hybrid-histogram", Policy::HybridHistogram(minutes(240))),
            ("hybrid-histogram:2h", Policy::HybridHistogram(minutes(120))),
        ] {
            assert_eq!(Policy::parse(text), Ok(policy));
        }
        for text in ["", "10", "fixed:", "exponential", "exponential:", "histogram:1h", "hybrid-histogram:x"]
        {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_takes_the_place_of_the_platforms_own() {
        for policy in Policy::usual().into_iter().chain([Policy::Exponential(Span(SECOND))]) {
            let changed = policy.applied(&per_request()).unwrap();
            let expected = match policy {
                Policy::Fixed(window) => KeepAlive::Fixed(window.0),
                Policy::Exponential(mean) => KeepAlive::Exponential(mean.0 as f64),
                Policy::HybridHistogram(range) => KeepAlive::HybridHistogram(range.0),
            };
            let resolved = changed.resolve().unwrap();
            assert_eq!(resolved.model.groups[0].provider.keep_alive(), Some(&expected), "{policy}");
        }
    }

    #[test]
    fn a_controllers_scenario_has_no_policy() {
        let Err(Unfit(why)) = Policy::usual()[0].applied(&scenario(&[])) else {
            panic!("it has a controller")
        };
        assert!(why.contains("per-request") && why.contains("activities"), "{why}");
        assert_eq!(ranges(&scenario(&[])).unwrap(), []);
    }

    #[test]
    fn each_policys_own_length_is_varied() {
        let law = "group.activities.provider.keep_alive";
        for (policy, name) in [
            (Policy::Fixed(Span(HOUR)), ""),
            (Policy::Exponential(Span(HOUR)), ".mean"),
            (Policy::HybridHistogram(Span(HOUR)), ".range"),
        ] {
            let scenario = policy.applied(&per_request()).unwrap();
            let [range] = &ranges(&scenario).unwrap()[..] else { panic!("one group") };
            assert_eq!(range.key, format!("{law}{name}"));
            for place in [0.0, 0.5, 1.0] {
                let changed = scenario.with([(range.key.as_str(), range.at(place))]).unwrap();
                changed.resolve().unwrap();
            }
        }
    }
}
