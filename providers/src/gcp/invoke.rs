//! `gcp-cloud-run-invoke`: starts workers by a POST to a Cloud Run service, with an identity token.

use super::credentials::{Actor, Google, Wanted};
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::{CallId, ComputeProvider};
use crate::web::{ID_HEADER, Reach, check_url};
use async_trait::async_trait;
use std::sync::Arc;
use url::Url;
use wci_core::spec::LaunchStrategy;

pub(crate) struct CloudRunInvoke {
    actor: Actor,
    url: Url,
    reach: Reach,
}

impl CloudRunInvoke {
    pub(crate) fn new(
        google: &Arc<Google>,
        config: &ProviderConfig,
        host: &Host,
    ) -> Result<Self, ProviderError> {
        let reach = if host.allows_private_addresses { Reach::Anywhere } else { Reach::Public };
        Ok(Self {
            actor: Actor::new(google, config, host)?,
            url: check_url("url", config.required("url")?, reach)?,
            reach,
        })
    }

    fn identity(&self) -> Wanted {
        Wanted::Identity { audience: self.url.origin().ascii_serialization() }
    }
}

#[async_trait]
impl ComputeProvider for CloudRunInvoke {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::Invoke
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        self.actor.token(&self.identity(), false).await.map(drop)
    }

    async fn invoke_worker(&self, id: &CallId) -> Result<(), ProviderError> {
        let request =
            || Ok(self.actor.client(self.reach)?.post(self.url.clone()).header(ID_HEADER, id.as_str()));
        self.actor.send("calling the Cloud Run service", &self.identity(), true, request).await.map(drop)
    }
}
