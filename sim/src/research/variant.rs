//! Scenarios under other algorithms, with their defaults.

use super::lab::Case;
use crate::scenario::{Scenario, join_key};
use toml::{Table, Value};
use wci_core::algorithm::AlgorithmKind;
use wci_core::spec::LaunchStrategy;

/// Why a scenario cannot be run that way; in words, naming group and algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

/// The names of the groups of a scenario.
///
/// # Errors
/// When the scenario itself is wrong.
pub fn groups(scenario: &Scenario) -> Result<Vec<String>, Unfit> {
    let resolved = scenario.resolve().map_err(|errors| Unfit(errors.to_string()))?;
    Ok(resolved.model.groups.iter().map(|group| group.name.to_string()).collect())
}

/// The key under which the scaling of a group stands.
#[must_use]
pub fn scaling_key(group: &str) -> String {
    join_key(["spec", "scaling_group_specs", group, "scaling"])
}

/// The scenario with every group scaled by `kind` under its defaults; `config` over them.
///
/// # Errors
/// When a group's provider launches workers in another way, the algorithm needs what this scenario does not give,
/// or the platform itself starts the workers.
pub fn with_algorithm(
    scenario: &Scenario,
    kind: AlgorithmKind,
    config: &[(&str, Value)],
) -> Result<Scenario, Unfit> {
    let resolved = scenario.resolve().map_err(|errors| Unfit(errors.to_string()))?;
    let mut settings = Vec::new();
    for (name, group) in resolved.model.spec.groups() {
        let strategy = group.compute.provider_type.launch_strategy();
        if !kind.launch_strategies().contains(&strategy) {
            let provider = group.compute.provider_type.name();
            let how = match strategy {
                LaunchStrategy::Invoke => "whose workers are invoked and end by themselves",
                LaunchStrategy::WorkerSet => "which keeps a worker set at a size",
            };
            return Err(Unfit(format!("{} does not fit group {name} on {provider}, {how}", kind.name())));
        }
        let config: Table = config.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let mut scaling = Table::new();
        scaling.insert("scaling_algorithm".into(), kind.name().into());
        scaling.insert("config".into(), Value::Table(config));
        settings.push((scaling_key(name), Value::Table(scaling)));
    }
    if resolved.model.groups.iter().any(|group| group.provider.is_per_request()) {
        return Err(Unfit(format!("{} has nothing to decide: the platform starts the workers", kind.name())));
    }
    let settings = settings.iter().map(|(key, value)| (key.as_str(), value.clone()));
    let changed = scenario.with(settings).map_err(|errors| Unfit(errors.to_string()))?;
    changed.resolve().map_err(|errors| Unfit(errors.to_string()))?;
    Ok(changed)
}

/// A case of a scenario with other values at dotted keys.
///
/// # Errors
/// Everything that is wrong with them.
pub fn case_with(
    name: &str,
    scenario: &Scenario,
    values: &[(String, Value)],
) -> Result<Case, crate::scenario::ScenarioErrors> {
    let changed = scenario.with(values.iter().map(|(key, value)| (key.as_str(), value.clone())))?;
    Case::new(name, &changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::testing::scenario;

    #[test]
    fn an_algorithm_takes_the_place_of_the_scenarios_own() {
        let changed = with_algorithm(&scenario(&[]), AlgorithmKind::Fixed, &[("count", 7.into())]).unwrap();
        let spec = changed.resolve().unwrap().model.spec;
        assert_eq!(spec.group("activities").unwrap().algorithm(), AlgorithmKind::Fixed);
        let count = changed.get(&format!("{}.config.count", scaling_key("activities"))).unwrap();
        assert_eq!(count, Some(7.into()));
    }

    #[test]
    fn an_algorithm_that_does_not_fit_is_refused_by_name() {
        let Err(Unfit(why)) = with_algorithm(&scenario(&[]), AlgorithmKind::RateBased, &[]) else {
            panic!("rate-based keeps worker sets");
        };
        assert!(
            why.contains("rate-based") && why.contains("activities") && why.contains("aws-lambda"),
            "{why}"
        );
    }
}
