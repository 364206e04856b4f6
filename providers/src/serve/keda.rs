//! KEDA's external scaler: the size that a controller with the provider `external` wants.
//!
//! A trigger's metadata names `deploymentName`, `buildId` and `scalingGroup`. The size is read from the controller, so
//! every process answers the same; what this process has just published for the group only makes it look at once.

use super::proto::keda::external_scaler_server::{ExternalScaler, ExternalScalerServer};
use super::proto::keda::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec, MetricValue,
    ScaledObjectRef,
};
use crate::controller::client::{Client, ClientError};
use crate::external::Published;
use crate::provider::Target;
use axum::Router;
use futures::stream::{self, BoxStream, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};
use wci_core::State;
use wci_core::controller::WorkerDeploymentVersion;

/// A size that was read is good for so long.
const FRESH: Duration = Duration::from_secs(1);
/// A stream looks again after so long, also when nothing was published here.
const LOOK: Duration = Duration::from_secs(5);
const METRIC: &str = "wci-desired-workers";

/// Answers KEDA.
#[derive(Clone)]
pub struct Scaler {
    client: Client,
    published: Published,
    read: Arc<Mutex<HashMap<Wanted, (Instant, i64)>>>,
}

/// The group that a trigger is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    deployment_name: String,
    build_id: String,
    group: String,
}

impl Scaler {
    /// A scaler for the controllers of the client's namespace.
    #[must_use]
    pub fn new(client: Client, published: Published) -> Self {
        Self { client, published, read: Arc::default() }
    }

    /// The gRPC service.
    pub fn router(&self) -> Router {
        tonic::service::Routes::new(ExternalScalerServer::new(self.clone())).into_axum_router()
    }

    /// Under which the group's sizes are published here.
    fn target(&self, wanted: &Wanted) -> Target {
        Target {
            namespace: self.client.temporal().options().namespace.clone(),
            deployment_name: wanted.deployment_name.clone(),
            build_id: wanted.build_id.clone(),
            group: wanted.group.clone(),
        }
    }

    async fn size(&self, wanted: &Wanted, at_once: bool) -> Result<i64, Status> {
        // Never held while a controller is asked: a slow one must not keep the others' triggers waiting.
        if let Some((at, size)) = self.read.lock().await.get(wanted)
            && at.elapsed() < FRESH
            && !at_once
        {
            return Ok(*size);
        }
        let version = WorkerDeploymentVersion {
            deployment_name: wanted.deployment_name.clone(),
            build_id: wanted.build_id.clone(),
        };
        let size = match self.client.dump(&version).await {
            Ok(state) => size_in(&state, &wanted.group).ok_or_else(|| {
                Status::not_found(format!("no scaling group {} of a worker set", wanted.group))
            })?,
            Err(e @ ClientError::NotFound(_)) => return Err(Status::not_found(e.to_string())),
            Err(e) => return Err(Status::unavailable(e.to_string())),
        };
        let mut read = self.read.lock().await;
        read.retain(|_, (at, _)| at.elapsed() < 60 * FRESH);
        read.insert(wanted.clone(), (Instant::now(), size));
        Ok(size)
    }

    /// Whether it is active, at first and whenever that changes.
    fn activity(&self, wanted: Wanted) -> BoxStream<'static, Result<IsActiveResponse, Status>> {
        let this = self.clone();
        let news = self.published.news(self.target(&wanted));
        let begin = (this, news, wanted, None);
        let changes = stream::unfold(begin, |(this, mut news, wanted, last)| async move {
            loop {
                let at_once = last.is_none() || news.come(LOOK).await;
                match this.size(&wanted, at_once).await {
                    Ok(size) if last != Some(size > 0) => {
                        let is_active = size > 0;
                        let answer = Ok(IsActiveResponse { result: is_active });
                        return Some((answer, (this, news, wanted, Some(is_active))));
                    }
                    Ok(_) => {}
                    // What passes by itself does not end the stream.
                    Err(status) if status.code() == tonic::Code::Unavailable && last.is_some() => {
                        tokio::time::sleep(FRESH).await;
                    }
                    Err(status) => return Some((Err(status), (this, news, wanted, Some(false)))),
                }
            }
        });
        changes.boxed()
    }
}

/// The size a group wants: every algorithm that counts workers remembers it under the same key.
fn size_in(state: &State, group: &str) -> Option<i64> {
    state.spec.as_ref()?.group(group)?;
    let known = state.scaling_state.get(group).and_then(|state| state.get("worker_count"));
    Some(known.and_then(wci_core::config::integer).unwrap_or(0))
}

fn wanted(object: &ScaledObjectRef) -> Result<Wanted, Status> {
    let field = |key: &str| {
        let value = object.scaler_metadata.get(key).filter(|value| !value.is_empty());
        value.cloned().ok_or_else(|| Status::invalid_argument(format!("the trigger's metadata has no {key}")))
    };
    Ok(Wanted {
        deployment_name: field("deploymentName")?,
        build_id: field("buildId")?,
        group: field("scalingGroup")?,
    })
}

fn spec() -> GetMetricSpecResponse {
    let one = MetricSpec { metric_name: METRIC.into(), target_size: 1, target_size_float: 1.0 };
    GetMetricSpecResponse { metric_specs: vec![one] }
}

#[tonic::async_trait]
impl ExternalScaler for Scaler {
    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        let size = self.size(&wanted(request.get_ref())?, false).await?;
        Ok(Response::new(IsActiveResponse { result: size > 0 }))
    }

    type StreamIsActiveStream = BoxStream<'static, Result<IsActiveResponse, Status>>;

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        Ok(Response::new(self.activity(wanted(request.get_ref())?)))
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        wanted(request.get_ref())?;
        Ok(Response::new(spec()))
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let object = request.into_inner().scaled_object_ref.unwrap_or_default();
        let size = self.size(&wanted(&object)?, false).await?;
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below the numbers that lose precision")]
        let metric_value_float = size as f64;
        let value = MetricValue { metric_name: METRIC.into(), metric_value: size, metric_value_float };
        Ok(Response::new(GetMetricsResponse { metric_values: vec![value] }))
    }

    type StreamMetricSpecStream = BoxStream<'static, Result<GetMetricSpecResponse, Status>>;

    /// The target never changes: it is told once, and the stream stays open.
    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        wanted(request.get_ref())?;
        let once = stream::once(async { Ok(spec()) }).chain(stream::pending());
        Ok(Response::new(once.boxed()))
    }
}
