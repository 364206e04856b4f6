//! What the activities of a running controller share: what the host decides, its providers, its figures.

use super::dynamic_config::DynamicConfig;
use super::rivals::Rivals;
use crate::external::Published;
use crate::host::Host;
use crate::provider::VersionName;
use crate::registry::Registry;
use crate::serve::metrics::Metrics;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};
use wci_core::Timestamp;
use wci_core::controller::Settings;
use wci_core::spec::HostOffers;

/// What a live host can give to algorithms. It cannot count the workers of a group: they tell nobody.
pub const OFFERS: HostOffers = HostOffers { signals: true, statistics: true, observation: false };

/// What the activities of one process share.
#[derive(Debug)]
pub struct LiveHost {
    providers: Host,
    settings: Settings,
    dynamic: DynamicConfig,
    pub(super) registry: Registry,
    pub(super) rivals: Rivals,
    /// The figures of this process.
    pub metrics: Metrics,
}

impl LiveHost {
    /// A host whose fixed parts are these; what the dynamic config says comes on top, anew for every call.
    #[must_use]
    pub fn new(providers: Host, settings: Settings, dynamic: DynamicConfig) -> Self {
        let (registry, rivals, metrics) = (Registry::default(), Rivals::default(), Metrics::default());
        Self { providers, settings, dynamic, registry, rivals, metrics }
    }

    /// What the core needs to know of the host, as of now.
    #[must_use]
    pub fn settings(&self, namespace: &str) -> Settings {
        let may_run_programs = !self.providers.allowed_programs.is_empty();
        self.dynamic.current().settings(&self.settings, namespace, may_run_programs)
    }

    /// What the providers need to know of the host, as of now.
    #[must_use]
    pub fn providers(&self, namespace: &str) -> Host {
        self.dynamic.current().providers(&self.providers, namespace)
    }

    /// Where `external` publishes sizes.
    #[must_use]
    pub const fn published(&self) -> &Published {
        &self.providers.published
    }

    /// Forgets everything about a controller that is gone.
    pub(super) fn forget(&self, gone: &VersionName) {
        self.metrics.forget(gone);
        self.published().forget(gone);
        self.rivals.forget(gone);
    }

    /// The controllers of which anything is known here.
    pub(super) fn known(&self) -> BTreeSet<VersionName> {
        let mut known = self.metrics.controllers();
        known.extend(self.published().controllers());
        known.extend(self.rivals.controllers());
        known
    }

    /// How many controllers the namespace may have.
    #[must_use]
    pub fn most_instances(&self, namespace: &str) -> usize {
        self.dynamic.current().most_instances(namespace)
    }
}

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Target;
    use crate::serve::metrics::Labels;

    #[test]
    fn nothing_is_left_of_a_controller_that_is_gone() {
        let host = LiveHost::new(Host::default(), Settings::default(), DynamicConfig::none());
        let labels =
            Labels { worker_deployment_name: "d".into(), worker_build_id: "b".into(), ..Labels::default() };
        host.metrics.backlog_count.write(&labels, |gauge| gauge.set(3));
        let target = Target { deployment_name: "d".into(), build_id: "c".into(), ..Target::default() };
        host.published().set(&target, 3);
        let names = ["b", "c"].map(|build| ("d".to_owned(), build.to_owned()));
        assert_eq!(host.known(), BTreeSet::from(names.clone()));
        names.iter().for_each(|name| host.forget(name));
        assert_eq!(host.known(), BTreeSet::new());
    }
}
