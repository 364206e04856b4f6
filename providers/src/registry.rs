//! From a spec's `compute` to the provider that serves it.

use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::external::External;
use crate::guard::Guarded;
use crate::host::Host;
use crate::provider::{ComputeProvider, Target};
use crate::subprocess::Subprocess;
use wci_core::spec::{Compute, ProviderType};

/// Builds providers and keeps what outlives a call: connections and credentials.
#[derive(Debug, Default)]
pub struct Registry {
    web: std::sync::Arc<crate::web::Web>,
    #[cfg(feature = "aws")]
    aws: std::sync::Arc<crate::aws::Aws>,
    #[cfg(feature = "kubernetes")]
    clusters: std::sync::Arc<crate::kubernetes::Clusters>,
    #[cfg(feature = "gcp")]
    google: std::sync::Arc<crate::gcp::Google>,
}

impl Registry {
    /// The provider that a scaling group names, guarded.
    ///
    /// # Errors
    /// Says what is wrong with the configuration, or that this build does not have the provider.
    pub fn provider(
        &self,
        host: &Host,
        target: &Target,
        compute: &Compute,
    ) -> Result<Guarded, ProviderError> {
        let config = ProviderConfig::resolve(compute.config.values(), &host.secrets)?;
        let provider = self.unguarded(host, target, compute.provider_type, &config).map_err(|e| {
            let message = crate::secrets::scrub(&e.message, config.secrets());
            ProviderError { message, ..e }
        })?;
        Ok(Guarded::new(provider, config.secrets().to_vec(), host.limits))
    }

    fn unguarded(
        &self,
        host: &Host,
        target: &Target,
        provider_type: ProviderType,
        config: &ProviderConfig,
    ) -> Result<Box<dyn ComputeProvider>, ProviderError> {
        Ok(match provider_type {
            #[cfg(feature = "aws")]
            ProviderType::AwsLambda => Box::new(crate::aws::Lambda::new(&self.aws, config, host)?),
            #[cfg(feature = "aws")]
            ProviderType::AwsEcs => Box::new(crate::aws::Ecs::new(&self.aws, config, host)?),
            #[cfg(feature = "gcp")]
            ProviderType::GcpCloudRun => Box::new(crate::gcp::CloudRun::new(&self.google, config, host)?),
            #[cfg(feature = "kubernetes")]
            ProviderType::K8s => Box::new(crate::kubernetes::Kubernetes::new(&self.clusters, config)?),
            #[cfg(feature = "gcp")]
            ProviderType::GcpCloudRunInvoke => {
                Box::new(crate::gcp::CloudRunInvoke::new(&self.google, config, host)?)
            }
            ProviderType::Webhook => Box::new(crate::webhook::Webhook::new(&self.web, target, config, host)?),
            ProviderType::Subprocess => Box::new(Subprocess::new(config, host)?),
            ProviderType::External => {
                Box::new(External { target: target.clone(), published: host.published.clone() })
            }
            other => {
                return Err(ProviderError::rejected(format!(
                    "{other}: this build does not have this provider"
                )));
            }
        })
    }

    /// Whether this build has the provider.
    #[must_use]
    pub const fn has(provider_type: ProviderType) -> bool {
        match provider_type {
            ProviderType::AwsLambda | ProviderType::AwsEcs => cfg!(feature = "aws"),
            ProviderType::GcpCloudRun | ProviderType::GcpCloudRunInvoke => cfg!(feature = "gcp"),
            ProviderType::K8s => cfg!(feature = "kubernetes"),
            ProviderType::Subprocess | ProviderType::Webhook | ProviderType::External => true,
            ProviderType::AwsAgentcore | ProviderType::NexusInvoke | ProviderType::NexusWorkerSet => false,
        }
    }
}
