//! `aws-ecs`: sets how many tasks a service of a cluster shall run.

use super::arn::region_of;
use super::credentials::{Aws, Freshness, Role};
use super::failure::failure;
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::{Host, IntermediaryRole};
use crate::provider::ComputeProvider;
use async_trait::async_trait;
use aws_sdk_ecs::Client;
use std::sync::Arc;
use wci_core::spec::LaunchStrategy;

pub(crate) struct Ecs {
    aws: Arc<Aws>,
    cluster: String,
    service: String,
    region: String,
    role: Role,
    steps: Vec<Vec<IntermediaryRole>>,
}

impl Ecs {
    pub(crate) fn new(aws: &Arc<Aws>, config: &ProviderConfig, host: &Host) -> Result<Self, ProviderError> {
        let cluster = config.required("cluster")?.to_owned();
        let region = match config.text("region") {
            Some(region) => region.to_owned(),
            None => region_of("cluster", &cluster)?,
        };
        Ok(Self {
            aws: aws.clone(),
            cluster,
            service: config.required("service")?.to_owned(),
            region,
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
impl ComputeProvider for Ecs {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::WorkerSet
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        let client = self.client(Freshness::Fresh).await?;
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
        self.aws.check_external_id(&self.region, &self.role, &self.steps).await
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        let client = self.client(Freshness::Cached).await?;
        let doing = format!("setting service {} of cluster {} to {count}", self.service, self.cluster);
        let count =
            i32::try_from(count).map_err(|_| ProviderError::rejected(format!("{doing}: too many")))?;
        let call = client.update_service().cluster(&self.cluster).service(&self.service).desired_count(count);
        call.send().await.map_err(|e| failure(&doing, e))?;
        Ok(())
    }
}
