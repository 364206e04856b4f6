//! What the activities of a running controller share: what the host decides, its providers, its figures.

use super::dynamic_config::DynamicConfig;
use crate::external::Published;
use crate::host::Host;
use crate::registry::Registry;
use crate::serve::metrics::Metrics;
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
    /// The figures of this process.
    pub metrics: Metrics,
}

impl LiveHost {
    /// A host whose fixed parts are these; what the dynamic config says comes on top, anew for every call.
    #[must_use]
    pub fn new(providers: Host, settings: Settings, dynamic: DynamicConfig) -> Self {
        Self { providers, settings, dynamic, registry: Registry::default(), metrics: Metrics::default() }
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
