//! `webhook`: starts workers by a POST to an address.

use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::{CallId, ComputeProvider, Target};
use crate::web::{ID_HEADER, Reach, Web, check_url, send};
use async_trait::async_trait;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;
use std::sync::Arc;
use url::Url;
use wci_core::spec::LaunchStrategy;

pub(crate) struct Webhook {
    target: Target,
    url: Url,
    reach: Reach,
    web: Arc<Web>,
    auth: Option<(HeaderName, HeaderValue)>,
}

impl Webhook {
    pub(crate) fn new(
        web: &Arc<Web>,
        target: &Target,
        config: &ProviderConfig,
        host: &Host,
    ) -> Result<Self, ProviderError> {
        let reach = if host.allows_private_addresses { Reach::Anywhere } else { Reach::Public };
        let url = check_url("url", config.required("url")?, reach)?;
        Ok(Self { target: target.clone(), url, reach, web: web.clone(), auth: auth(config)? })
    }
}

/// The header that authorises the call; `Authorization` unless the spec names another.
fn auth(config: &ProviderConfig) -> Result<Option<(HeaderName, HeaderValue)>, ProviderError> {
    let Some(token) = config.text("auth_token") else {
        return match config.text("auth_header") {
            Some(_) => Err(ProviderError::rejected("auth_token: found nothing, expected the header's value")),
            None => Ok(None),
        };
    };
    let name = config.text("auth_header").unwrap_or("authorization");
    let name = HeaderName::try_from(name).map_err(|_| {
        ProviderError::rejected(format!("auth_header: found {name:?}, expected the name of a header"))
    })?;
    let mut value = HeaderValue::try_from(token)
        .map_err(|_| ProviderError::rejected("auth_token: expected text that a header can hold"))?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

#[async_trait]
impl ComputeProvider for Webhook {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::Invoke
    }

    /// The address and the header are right; whether anybody answers shows only in a call that starts a worker.
    async fn validate(&self) -> Result<(), ProviderError> {
        self.web.client(self.reach).map(drop)
    }

    async fn invoke_worker(&self, id: &CallId) -> Result<(), ProviderError> {
        let body = json!({
            "action": "invoke-worker",
            "namespace": self.target.namespace,
            "deployment_name": self.target.deployment_name,
            "build_id": self.target.build_id,
            "scaling_group": self.target.group,
        });
        let request = self.web.client(self.reach)?.post(self.url.clone()).json(&body);
        let mut request = request.header(ID_HEADER, id.as_str());
        if let Some((name, value)) = &self.auth {
            request = request.header(name, value);
        }
        send("calling the webhook", request).await.map(drop)
    }
}
