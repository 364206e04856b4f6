//! `gcp-cloud-run`: sets how many instances a worker pool shall have.

use super::credentials::{Actor, Google, Wanted};
use crate::config::ProviderConfig;
use crate::error::ProviderError;
use crate::host::Host;
use crate::provider::ComputeProvider;
use crate::web::Reach;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wci_core::controller::FailureClass;
use wci_core::spec::LaunchStrategy;

pub(crate) struct CloudRun {
    actor: Actor,
    endpoint: String,
    pool: String,
}

impl CloudRun {
    pub(crate) fn new(
        google: &Arc<Google>,
        config: &ProviderConfig,
        host: &Host,
    ) -> Result<Self, ProviderError> {
        let (project, region, pool) =
            (config.required("project")?, config.required("region")?, config.required("worker_pool")?);
        for (key, value) in [("project", project), ("region", region), ("worker_pool", pool)] {
            check_name(key, value)?;
        }
        let own = || format!("https://{region}-run.googleapis.com");
        Ok(Self {
            actor: Actor::new(google, config, host)?,
            endpoint: host.google.run.clone().unwrap_or_else(own),
            pool: format!("projects/{project}/locations/{region}/workerPools/{pool}"),
        })
    }

    async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
        may_be_kept: bool,
        doing: &str,
    ) -> Result<Value, ProviderError> {
        let url = format!("{}/v2/{path}", self.endpoint);
        let request = || {
            let request = self.actor.client(Reach::Anywhere)?.request(method.clone(), &url);
            Ok(match &body {
                Some(body) => request.json(body),
                None => request,
            })
        };
        let answer = self.actor.send(doing, &Wanted::Access, may_be_kept, request).await?;
        answer.json().await.map_err(|_| ProviderError::unavailable(format!("{doing}: the answer is no JSON")))
    }

    /// Waits for a long-running operation: at first often, because a change of the scaling is quick.
    async fn wait_for(&self, mut operation: Value, doing: &str) -> Result<(), ProviderError> {
        let mut pause = Duration::from_millis(200);
        while !is_done(&operation) {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
            let Some(name) = operation.get("name").and_then(Value::as_str).map(str::to_owned) else {
                return Err(ProviderError::unavailable(format!("{doing}: the operation has no name")));
            };
            operation = self.call(reqwest::Method::GET, &name, None, true, doing).await?;
        }
        operation.get("error").map_or(Ok(()), |error| Err(failed(error, doing)))
    }
}

fn is_done(operation: &Value) -> bool {
    operation.get("done").and_then(Value::as_bool).unwrap_or(false)
}

/// The failure of an operation, by its gRPC code.
fn failed(error: &Value, doing: &str) -> ProviderError {
    let class = match error.get("code").and_then(Value::as_i64) {
        Some(7 | 16) => FailureClass::Denied,
        Some(5) => FailureClass::NotFound,
        Some(8) => FailureClass::Throttled,
        Some(3 | 6 | 9 | 11 | 12) => FailureClass::Rejected,
        _ => FailureClass::Unavailable,
    };
    let words = error.get("message").and_then(Value::as_str).unwrap_or("no message");
    ProviderError::new(class, format!("{doing}: {words}"))
}

/// A name becomes part of a path: it must not lead elsewhere.
fn check_name(key: &str, name: &str) -> Result<(), ProviderError> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
    if is_plain && !name.contains("..") {
        return Ok(());
    }
    Err(ProviderError::rejected(format!("{key}: found {name:?}, expected letters, digits and hyphens")))
}

#[async_trait]
impl ComputeProvider for CloudRun {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::WorkerSet
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        let doing = format!("reading worker pool {}", self.pool);
        self.call(reqwest::Method::GET, &self.pool, None, false, &doing).await.map(drop)
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        let doing = format!("setting worker pool {} to {count}", self.pool);
        let path = format!("{}?updateMask=scaling", self.pool);
        // The API calls the manual count of a pool its instance count.
        let body =
            json!({"name": self.pool, "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": count}});
        let operation = self.call(reqwest::Method::PATCH, &path, Some(body), true, &doing).await?;
        self.wait_for(operation, &doing).await
    }
}
