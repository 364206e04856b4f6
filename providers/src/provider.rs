//! The trait of all compute providers.

use crate::error::ProviderError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use wci_core::spec::LaunchStrategy;

/// Deployment and build of a version, to remember something by.
pub type VersionName = (String, String);

/// For whom a provider is called: one scaling group of one worker deployment version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// Temporal namespace.
    pub namespace: String,
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
    /// Scaling group of the spec.
    pub group: String,
}

impl Target {
    /// The version whose group it is.
    #[must_use]
    pub fn version_name(&self) -> VersionName {
        (self.deployment_name.clone(), self.build_id.clone())
    }
}

/// Names the start of one worker: the same when a start that may have happened is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallId(String);

impl CallId {
    /// A name that no other start has.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As others are told it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What starts workers, or sets how many there are. The crate's documentation states the contract.
#[async_trait]
pub trait ComputeProvider: Send + Sync {
    /// Which of the two operations it has.
    fn launch_strategy(&self) -> LaunchStrategy;

    /// Checks that calls would be accepted, and changes nothing.
    async fn validate(&self) -> Result<(), ProviderError>;

    /// What would go wrong although calls are accepted, in words for the user.
    async fn advise(&self) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }

    /// Starts one worker more, which ends by itself. Who can, tells the other side the call's id.
    async fn invoke_worker(&self, _id: &CallId) -> Result<(), ProviderError> {
        Err(ProviderError::rejected("this provider keeps a set of workers and starts none by itself"))
    }

    /// Sets how many workers there shall be in all.
    async fn set_worker_set_size(&self, _count: u32) -> Result<(), ProviderError> {
        Err(ProviderError::rejected("this provider starts workers one by one and keeps no set of them"))
    }
}
