//! Whole scenarios: what is refused and with which words, what is read back, and that no input panics.

mod refused;
mod resolved;
mod shipped;

use super::*;

/// A scenario in which nothing is wrong, in the order of keys of the reference.
const GOOD: &str = r#"format = 1
title = "Test"
horizon = "10m"

[[workload]]
name = "orders"
arrival = { kind = "poisson", rate = 20.0 }
service = { kind = "lognormal", median = "800ms", p99 = "6s" }

[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "aws-lambda" }
scaling = { scaling_algorithm = "no-sync", config = { scale_up_cooloff_ms = 500 } }

[group.activities.worker]
slots = 2
"#;

fn no_files(name: &str) -> std::io::Result<String> {
    Err(std::io::Error::new(std::io::ErrorKind::NotFound, format!("no {name}")))
}

fn read(text: &str) -> Result<Scenario, ScenarioErrors> {
    Scenario::from_toml(text, "test.toml", &no_files)
}

fn resolve(text: &str) -> Result<Resolved, ScenarioErrors> {
    read(text)?.resolve()
}

/// What is wrong with a text, a line each.
fn errors(text: &str) -> Vec<String> {
    match resolve(text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}
