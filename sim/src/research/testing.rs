//! Small scenarios for the tests of studies.

use super::lab::{Case, Lab};
use super::replicate::{Plan, Replications, replicate};
use crate::scenario::Scenario;

/// Five minutes of Poisson work on Lambda.
pub const SMALL: &str = r#"
format = 1
title = "Small"
seed = 3
horizon = "5m"

[[workload]]
name = "orders"
arrival = { kind = "poisson", rate = 2.0 }
service = { kind = "lognormal", median = "800ms", p99 = "6s" }

[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "aws-lambda" }
scaling = { scaling_algorithm = "no-sync" }
"#;

/// The scenario with changes to its text.
pub fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let text = changes.iter().fold(SMALL.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old} is not in the scenario");
        text.replace(old, new)
    });
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    Scenario::from_toml(&text, "small.toml", &no_files).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The scenario as a case.
pub fn case(changes: &[(&str, &str)]) -> Case {
    Case::new("small", &scenario(changes)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Its replications.
pub fn replications(changes: &[(&str, &str)], plan: &Plan) -> Replications {
    replicate(&Lab::without_files(), &case(changes), plan).unwrap_or_else(|error| panic!("{error}"))
}
