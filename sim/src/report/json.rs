//! The results as JSON, with the keys that are part of the interface.

use crate::results::{Performance, RunResult, Summary};
use serde::{Deserialize, Serialize};

/// What `run --json` prints: the summary's keys, and `performance`, which no comparison of results looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunJson {
    /// The figures.
    #[serde(flatten)]
    pub summary: Summary,
    /// How fast the run was.
    pub performance: Performance,
}

impl From<&RunResult> for RunJson {
    fn from(result: &RunResult) -> Self {
        Self { summary: result.summary.clone(), performance: result.performance.clone() }
    }
}

/// Any result as indented JSON with a newline at its end; the same value gives the same bytes.
///
/// # Errors
/// Only for a value whose maps have keys that are no text.
pub fn to_json<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{empty_run, run};
    use serde_json::Value;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().expect("an object").keys().map(String::as_str).collect()
    }

    #[test]
    fn has_exactly_the_keys_of_the_interface() {
        let json = serde_json::to_value(RunJson::from(&run())).expect("serialises");
        let figures = [
            "actions",
            "backlog",
            "cost_usd",
            "overloaded",
            "schedule_to_start",
            "sojourn",
            "sync_match_ratio",
            "tasks",
            "workers",
        ];
        let mut all = figures.to_vec();
        all.extend(["digest", "groups", "performance", "routing", "scenario", "seed"]);
        all.sort_unstable();
        let mut found = keys(&json);
        found.sort_unstable();
        assert_eq!(found, all);
        let mut group = keys(&json["groups"]["activities"]);
        group.sort_unstable();
        assert_eq!(group, figures);
        assert_eq!(json["routing"], "longest-idle");
    }

    #[test]
    fn survives_the_round_trip() {
        for result in [run(), empty_run()] {
            let json = RunJson::from(&result);
            let text = to_json(&json).expect("serialises");
            assert_eq!(serde_json::from_str::<RunJson>(&text).expect("parses"), json);
        }
    }

    #[test]
    fn writes_an_infinite_quantile_as_null_and_names_it() {
        let mut result = run();
        result.summary.total.schedule_to_start.p99 = None;
        result.summary.total.schedule_to_start.censored = vec!["p99".into()];
        let json = serde_json::to_value(RunJson::from(&result)).expect("serialises");
        assert!(json["schedule_to_start"]["p99"].is_null());
        assert_eq!(json["schedule_to_start"]["censored"][0], "p99");
    }
}
