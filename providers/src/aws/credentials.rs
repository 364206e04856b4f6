//! Roles assumed one after the other, and kept until shortly before they expire.

use super::arn::check_role;
use super::failure::failure;
use crate::chain::{exhausted, in_random_order};
use crate::error::ProviderError;
use crate::host::{Host, IntermediaryRole};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_types::retry::RetryConfig;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, OnceCell};
use wci_core::controller::FailureClass;

/// Session of the role that a spec names.
const SESSION: &str = "managed-workers-aws";
/// An assumed role is not used any more when it has less than this left.
const MARGIN: Duration = Duration::from_secs(300);

/// The role that a spec names, with its external id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: Option<String>,
    pub(super) external_id: Option<String>,
}

impl Role {
    pub(super) fn of(config: &crate::config::ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        let role = Self {
            arn: config.text("role").map(str::to_owned),
            external_id: config.text("role_external_id").map(str::to_owned),
        };
        if host.requires_role_and_external_id {
            config.required("role")?;
            config.required("role_external_id")?;
        }
        role.arn.as_deref().map_or(Ok(()), |arn| check_role("role", arn))?;
        Ok(role)
    }
}

/// The way to credentials: each role assumed, with its external id, and the region it was done in.
type Path = Vec<(String, Option<String>)>;

/// Whether assumed roles of earlier calls may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Cached,
    Fresh,
}

/// What all calls to Amazon share.
#[derive(Debug, Default)]
pub struct Aws {
    base: OnceCell<SdkConfig>,
    assumed: Mutex<BTreeMap<(String, Path), Credentials>>,
}

/// The way of one provider to its credentials.
pub(super) struct Access {
    pub(super) aws: Arc<Aws>,
    pub(super) region: String,
    pub(super) role: Role,
    pub(super) steps: Vec<Vec<IntermediaryRole>>,
}

impl Access {
    /// A configuration with the credentials of the role at the end of the chain.
    pub(super) async fn config(&self, freshness: Freshness) -> Result<SdkConfig, ProviderError> {
        self.way(freshness).await.map(|(config, _)| config)
    }

    /// Makes a call with kept roles. When Amazon does not take them any more, they are dropped, and the call is made
    /// once more with new ones.
    pub(super) async fn call<T, F>(&self, call: impl Fn(SdkConfig) -> F) -> Result<T, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        match self.way(Freshness::Cached).await {
            Ok((config, path)) => match call(config).await {
                Err(e) if e.is_stale && self.aws.forget(&self.region, &path).await => {}
                ended => return ended,
            },
            // The role on the way that was refused has been dropped already.
            Err(e) if e.is_stale => {}
            Err(e) => return Err(e),
        }
        call(self.config(Freshness::Fresh).await?).await
    }

    /// Makes sure that the role refuses to be assumed without its external id.
    pub(super) async fn check_external_id(&self) -> Result<(), ProviderError> {
        self.aws.check_external_id(&self.region, &self.role, &self.steps).await
    }

    async fn way(&self, freshness: Freshness) -> Result<(SdkConfig, Path), ProviderError> {
        let (config, mut path) = self.aws.after_chain(&self.region, &self.steps, freshness).await?;
        let Some(arn) = &self.role.arn else { return Ok((config, path)) };
        path.push((arn.clone(), self.role.external_id.clone()));
        Ok((self.aws.assume(&config, &path, SESSION, freshness).await?, path))
    }
}

impl Aws {
    async fn check_external_id(
        &self,
        region: &str,
        role: &Role,
        steps: &[Vec<IntermediaryRole>],
    ) -> Result<(), ProviderError> {
        let (Some(arn), Some(_)) = (&role.arn, &role.external_id) else { return Ok(()) };
        let (config, _) = self.after_chain(region, steps, Freshness::Fresh).await?;
        match assume_role(&config, arn, None, SESSION).await {
            Ok(_) => Err(ProviderError::rejected(format!(
                "role {arn} can be assumed without its external id: its trust policy must demand sts:ExternalId"
            ))),
            Err(e) if e.class == FailureClass::Denied => Ok(()),
            Err(e) => Err(e.while_doing("cannot find out whether the role demands its external id")),
        }
    }

    /// A configuration with the credentials at the end of the host's own chain, and the way taken.
    async fn after_chain(
        &self,
        region: &str,
        steps: &[Vec<IntermediaryRole>],
        freshness: Freshness,
    ) -> Result<(SdkConfig, Path), ProviderError> {
        let base = self.base.get_or_init(load).await;
        let mut config = base.clone().into_builder().region(Region::new(region.to_owned())).build();
        let mut path = Path::new();
        for step in steps.iter().filter(|step| !step.is_empty()) {
            (config, path) = self.take_step(&config, &path, step, freshness).await?;
        }
        Ok((config, path))
    }

    async fn take_step(
        &self,
        config: &SdkConfig,
        path: &Path,
        step: &[IntermediaryRole],
        freshness: Freshness,
    ) -> Result<(SdkConfig, Path), ProviderError> {
        let mut last = None;
        for role in in_random_order(step) {
            check_role("intermediary_roles", &role.role_arn)?;
            let mut longer = path.clone();
            longer.push((role.role_arn.clone(), role.external_id.clone()));
            match self.assume(config, &longer, &role.role_session_name, freshness).await {
                Ok(config) => return Ok((config, longer)),
                Err(e) if e.may_pass_elsewhere() => last = Some(e),
                Err(e) => return Err(e),
            }
        }
        Err(exhausted(last))
    }

    /// Assumes the last role of the way with the credentials of `config`, or takes it from the cache.
    async fn assume(
        &self,
        config: &SdkConfig,
        path: &Path,
        session: &str,
        freshness: Freshness,
    ) -> Result<SdkConfig, ProviderError> {
        let Some((arn, external_id)) = path.last() else { return Ok(config.clone()) };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let key = (region, path.clone());
        let kept = match freshness {
            Freshness::Cached => self.assumed.lock().await.get(&key).filter(|c| lasts(c)).cloned(),
            Freshness::Fresh => None,
        };
        let credentials = match kept {
            Some(credentials) => credentials,
            None => {
                let assumed = assume_role(config, arn, external_id.as_deref(), session).await;
                if assumed.as_ref().is_err_and(|e| e.is_stale) {
                    self.forget(&key.0, &path[..path.len() - 1]).await;
                }
                let credentials = assumed?;
                let mut assumed = self.assumed.lock().await;
                assumed.retain(|_, kept| lasts(kept));
                assumed.insert(key, credentials.clone());
                credentials
            }
        };
        let provider = SharedCredentialsProvider::new(credentials);
        Ok(config.clone().into_builder().credentials_provider(provider).build())
    }

    /// Drops the role at the end of this way. Says whether it is one that can be assumed anew.
    async fn forget(&self, region: &str, path: &[(String, Option<String>)]) -> bool {
        self.assumed.lock().await.remove(&(region.to_owned(), path.to_vec()));
        !path.is_empty()
    }
}

fn lasts(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry > SystemTime::now() + MARGIN)
}

/// The machine's own configuration.
async fn load() -> SdkConfig {
    defaults().load().await
}

/// Our classes decide about retries, so the SDK makes none.
pub(super) fn defaults() -> aws_config::ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(50))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
}

async fn assume_role(
    config: &SdkConfig,
    arn: &str,
    external_id: Option<&str>,
    session: &str,
) -> Result<Credentials, ProviderError> {
    let doing = format!("assuming role {arn}");
    let call = aws_sdk_sts::Client::new(config)
        .assume_role()
        .role_arn(arn)
        .role_session_name(session)
        .set_external_id(external_id.map(str::to_owned));
    let output = call.send().await.map_err(|e| failure(&doing, e))?;
    let given = output
        .credentials()
        .ok_or_else(|| ProviderError::unavailable(format!("{doing}: the answer holds no credentials")))?;
    let expiry = SystemTime::try_from(*given.expiration()).ok();
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        expiry,
        "assumed role",
    ))
}

#[cfg(test)]
mod tests;
