//! `aws-lambda`: starts workers by asynchronous invocations of a function.

use super::arn::region_of;
use super::credentials::{Access, Aws, Freshness, Role};
use super::failure::failure;
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::{CallId, ComputeProvider};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::InvocationType;
use std::sync::Arc;
use wci_core::spec::LaunchStrategy;

/// Amazon's default, three seconds, ends a worker before it has polled well.
const SHORTEST_USEFUL_SECS: i32 = 30;

fn too_short(secs: i32) -> String {
    format!(
        "the function's timeout is {secs} s, so a worker ends before it has done much: set it to some minutes, and \
         scaling's max_worker_lifetime_ms to the same"
    )
}

pub(crate) struct Lambda {
    arn: String,
    access: Access,
}

impl Lambda {
    pub(crate) fn new(aws: &Arc<Aws>, config: &ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        let arn = config.required("arn")?.to_owned();
        let access = Access {
            aws: aws.clone(),
            region: region_of("arn", &arn)?,
            role: Role::of(config, host)?,
            steps: host.intermediary_roles.clone(),
        };
        Ok(Self { arn, access })
    }

    async fn client(&self, freshness: Freshness) -> Result<Client, ProviderError> {
        self.access.config(freshness).await.map(|config| Client::new(&config))
    }
}

#[async_trait]
impl ComputeProvider for Lambda {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::Invoke
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        let client = self.client(Freshness::Fresh).await?;
        let doing = format!("reading function {}", self.arn);
        client.get_function().function_name(&self.arn).send().await.map_err(|e| failure(&doing, e))?;
        self.access.check_external_id().await
    }

    async fn advise(&self) -> Result<Vec<String>, ProviderError> {
        let client = self.client(Freshness::Cached).await?;
        let doing = format!("reading function {}", self.arn);
        let read =
            client.get_function().function_name(&self.arn).send().await.map_err(|e| failure(&doing, e))?;
        let timeout = read.configuration().and_then(|configuration| configuration.timeout());
        let short = timeout.filter(|timeout| *timeout < SHORTEST_USEFUL_SECS);
        Ok(short.into_iter().map(too_short).collect())
    }

    async fn invoke_worker(&self, _id: &CallId) -> Result<(), ProviderError> {
        let doing = &format!("invoking function {}", self.arn);
        let invoke = |config: SdkConfig| {
            let call = Client::new(&config).invoke().function_name(&self.arn);
            let call = call.invocation_type(InvocationType::Event);
            async move { call.send().await.map_err(|e| failure(doing, e)) }
        };
        match self.access.call(invoke).await?.function_error() {
            None => Ok(()),
            Some(error) => Err(ProviderError::unavailable(format!("{doing}: {error}"))),
        }
    }
}
