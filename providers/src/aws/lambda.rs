//! `aws-lambda`: starts workers by asynchronous invocations of a function.

use super::arn::region_of;
use super::credentials::{Aws, Freshness, Role};
use super::failure::failure;
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::{Host, IntermediaryRole};
use crate::provider::ComputeProvider;
use async_trait::async_trait;
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
    aws: Arc<Aws>,
    arn: String,
    region: String,
    role: Role,
    steps: Vec<Vec<IntermediaryRole>>,
}

impl Lambda {
    pub(crate) fn new(aws: &Arc<Aws>, config: &ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        let arn = config.required("arn")?.to_owned();
        Ok(Self {
            aws: aws.clone(),
            region: region_of("arn", &arn)?,
            arn,
            role: Role::of(config, host)?,
            steps: host.intermediary_roles.clone(),
        })
    }

    async fn client(&self, freshness: Freshness) -> Result<Client, ProviderError> {
        let config = self.aws.config(&self.region, &self.role, &self.steps, freshness).await?;
        Ok(Client::new(&config))
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
        self.aws.check_external_id(&self.region, &self.role, &self.steps).await
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

    async fn invoke_worker(&self) -> Result<(), ProviderError> {
        let client = self.client(Freshness::Cached).await?;
        let doing = format!("invoking function {}", self.arn);
        let call = client.invoke().function_name(&self.arn).invocation_type(InvocationType::Event);
        let output = call.send().await.map_err(|e| failure(&doing, e))?;
        match output.function_error() {
            None => Ok(()),
            Some(error) => Err(ProviderError::unavailable(format!("{doing}: {error}"))),
        }
    }
}
