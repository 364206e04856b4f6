//! What a spec asks of the host that shall run it.

use super::{ProviderType, ScalingGroup, Spec, SpecError};
use crate::algorithm::Needs;
use crate::controller::Settings;
use crate::time::Millis;

/// What a host can give to algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostOffers {
    /// Task-add signals.
    pub signals: bool,
    /// Statistics of the task queues.
    pub statistics: bool,
    /// Counts of each group's workers.
    pub observation: bool,
}

impl Spec {
    /// Checks what depends on the host's settings: allowed providers and algorithms, the region, the shortest
    /// interval at which this host polls.
    ///
    /// # Errors
    /// Names the group, what it asks for and what the host gives.
    pub fn check_host(&self, settings: &Settings) -> Result<(), SpecError> {
        self.groups.iter().try_for_each(|(name, group)| {
            check_allowed(group, settings)
                .and_then(|()| check_region(group, settings))
                .and_then(|()| check_poll(group, settings.shortest_poll))
                .map_err(|e| e.in_group(name))
        })
    }

    /// Checks that the host gives each algorithm what it needs.
    ///
    /// # Errors
    /// Names the group and the need.
    pub fn check_needs(&self, offers: HostOffers) -> Result<(), SpecError> {
        self.groups.iter().try_for_each(|(name, group)| {
            let needs = group.needs();
            let missing = [
                (needs.signals && !offers.signals, "task-add signals"),
                (needs.statistics && !offers.statistics, "statistics of the task queues"),
                (needs.observation && !offers.observation, "counts of the group's workers"),
            ];
            match missing.iter().find(|(is_missing, _)| *is_missing) {
                Some((_, need)) => Err(refused(group, need).in_group(name)),
                None => Ok(()),
            }
        })
    }

    /// Checks that each provider's configuration holds what a live host cannot do without.
    ///
    /// # Errors
    /// Names the group and the missing key.
    pub fn check_complete(&self) -> Result<(), SpecError> {
        self.groups.iter().try_for_each(|(name, group)| {
            let provider = group.compute.provider_type;
            let checked = provider.check_complete(&group.compute.config);
            checked.map_err(|e| SpecError::config("compute.config", e).in_group(name))
        })
    }
}

impl ScalingGroup {
    /// What its algorithm needs, given how its provider launches workers.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.algorithm().needs(self.compute.provider_type.launch_strategy())
    }
}

fn refused(group: &ScalingGroup, need: &str) -> SpecError {
    let found = format!("{}, which needs {need}", group.algorithm().name());
    SpecError::new(found, "an algorithm that does without them on this host").at("scaling.scaling_algorithm")
}

fn check_allowed(group: &ScalingGroup, settings: &Settings) -> Result<(), SpecError> {
    let provider = group.compute.provider_type;
    let is_allowed = match &settings.allowed_providers {
        Some(allowed) => allowed.iter().any(|name| name == provider.name()),
        None => provider != ProviderType::Subprocess,
    };
    if !is_allowed {
        let expected = match &settings.allowed_providers {
            Some(allowed) => format!("one of those allowed on this host: {}", allowed.join(", ")),
            None => "another provider: this host was not started with local processes allowed".to_owned(),
        };
        return Err(SpecError::new(provider.name(), expected).at("compute.provider_type"));
    }
    let algorithm = group.algorithm();
    match &settings.allowed_algorithms {
        Some(allowed) if allowed.iter().all(|name| name != algorithm.name()) => {
            let expected = format!("one of those allowed on this host: {}", allowed.join(", "));
            Err(SpecError::new(algorithm.name(), expected).at("scaling.scaling_algorithm"))
        }
        _ => Ok(()),
    }
}

fn check_region(group: &ScalingGroup, settings: &Settings) -> Result<(), SpecError> {
    let has_region = settings.host_region.as_deref().is_some_and(super::routing::is_region_id);
    if group.region_ids.is_empty() || has_region {
        return Ok(());
    }
    Err(SpecError::new(group.region_ids.join(", "), "no regions: this host has no valid region")
        .at("region_ids"))
}

fn check_poll(group: &ScalingGroup, shortest: Millis) -> Result<(), SpecError> {
    let wanted = group.instantiate().poll_interval(crate::time::Timestamp::EPOCH);
    // A group polls no more often than its algorithm declares, however short its interval is.
    let wanted = wanted.max(group.needs().shortest_poll);
    if wanted >= shortest {
        return Ok(());
    }
    let expected = format!("at least {} ms, the shortest poll interval this host serves", shortest.get());
    Err(SpecError::new(format!("a poll interval of {} ms", wanted.get()), expected)
        .at("scaling.config.metrics_poll_interval_ms"))
}
