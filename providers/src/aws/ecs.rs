//! `aws-ecs`: sets how many tasks a service of a cluster shall run.

use super::arn::region_of;
use super::credentials::{Access, Aws, Freshness, Role};
use super::failure::failure;
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::ComputeProvider;
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use std::sync::Arc;
use wci_core::spec::LaunchStrategy;

pub(crate) struct Ecs {
    cluster: String,
    service: String,
    access: Access,
}

impl Ecs {
    pub(crate) fn new(aws: &Arc<Aws>, config: &ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        let cluster = config.required("cluster")?.to_owned();
        let region = match config.text("region") {
            Some(region) => region.to_owned(),
            None => region_of("cluster", &cluster)?,
        };
        let service = config.required("service")?.to_owned();
        let (role, steps) = (Role::of(config, host)?, host.intermediary_roles.clone());
        Ok(Self { cluster, service, access: Access { aws: aws.clone(), region, role, steps } })
    }
}

#[async_trait]
impl ComputeProvider for Ecs {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::WorkerSet
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        let client = Client::new(&self.access.config(Freshness::Fresh).await?);
        let doing = format!("reading service {} of cluster {}", self.service, self.cluster);
        let call = client.describe_services().cluster(&self.cluster).services(&self.service);
        let output = call.send().await.map_err(|e| failure(&doing, e))?;
        let status = output.services().first().and_then(|service| service.status());
        match status {
            Some("ACTIVE") => {}
            Some(other) => {
                return Err(ProviderError::rejected(format!("{doing}: its status is {other}, not ACTIVE")));
            }
            None => return Err(ProviderError::not_found(format!("{doing}: there is no such service"))),
        }
        self.access.check_external_id().await
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        let doing = &format!("setting service {} of cluster {} to {count}", self.service, self.cluster);
        let count =
            i32::try_from(count).map_err(|_| ProviderError::rejected(format!("{doing}: too many")))?;
        let set = |config: SdkConfig| {
            let call = Client::new(&config).update_service().cluster(&self.cluster).service(&self.service);
            let call = call.desired_count(count);
            async move { call.send().await.map(drop).map_err(|e| failure(doing, e)) }
        };
        self.access.call(set).await
    }
}
