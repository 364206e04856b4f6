//! `gcp-cloud-run-invoke`: starts workers by a POST to a Cloud Run service, with an identity token.

use super::credentials::{Google, Wanted};
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::ComputeProvider;
use crate::web::{Reach, check_url, client, send};
use async_trait::async_trait;
use std::sync::Arc;
use url::Url;
use wci_core::spec::LaunchStrategy;

pub(crate) struct CloudRunInvoke {
    google: Arc<Google>,
    host: Host,
    url: Url,
    reach: Reach,
    service_account: Option<String>,
}

impl CloudRunInvoke {
    pub(crate) fn new(
        google: &Arc<Google>,
        config: &ProviderConfig,
        host: &Host,
    ) -> Result<Self, ProviderError> {
        let reach = if host.allows_private_addresses { Reach::Anywhere } else { Reach::Public };
        Ok(Self {
            google: google.clone(),
            url: check_url("url", config.required("url")?, reach)?,
            reach,
            service_account: config.text("service_account").map(str::to_owned),
            host: host.clone(),
        })
    }

    async fn token(&self, may_be_kept: bool) -> Result<String, ProviderError> {
        let audience = self.url.origin().ascii_serialization();
        let account = self.service_account.as_deref();
        self.google.token(&self.host, account, &Wanted::Identity { audience }, may_be_kept).await
    }
}

#[async_trait]
impl ComputeProvider for CloudRunInvoke {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::Invoke
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        self.token(false).await.map(drop)
    }

    async fn invoke_worker(&self) -> Result<(), ProviderError> {
        let token = self.token(true).await?;
        let request = client(self.reach)?.post(self.url.clone()).bearer_auth(token);
        send("calling the Cloud Run service", request).await.map(drop)
    }
}
