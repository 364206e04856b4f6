//! Everything the workflow cannot do itself: ask the core, and call providers.

use super::decide::{Question, Record, decide};
use super::failure::activity_error;
use super::figures;
use super::host::{LiveHost, OFFERS, now};
use super::pace::Pace;
use super::statistics::read_queues;
use crate::error::{ProviderError, class_name};
use crate::guard::Guarded;
use crate::provider::{CallId, ComputeProvider, Target};
use crate::serve::metrics::Labels;
use futures::future::join_all;
use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use temporalio_client::Client;
use temporalio_sdk::activities::{ActivityContext, ActivityError, activities};
use wci_core::Spec;
use wci_core::controller::FailureClass;
use wci_core::decision::{GroupName, Launch, Registration};
use wci_core::metrics::TaskQueueType;

const HEARTBEAT: Duration = Duration::from_secs(2);
/// Reads a second of registering. With those of the controllers they may come to more than the server's 50: what it
/// refuses is read again. Fewer would keep hundreds of updates at once waiting beyond their time.
pub(super) const READS_PER_SECOND: u32 = 20;
/// How long a read that the server refuses for its number is made again, of the 30 s that registering may take.
const READ_PATIENCE: Duration = Duration::from_secs(10);

/// What a provider is to do for one group; the spec holds that group alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub target: Target,
    pub spec: Spec,
    pub count: u32,
}

/// A spec to be checked, or whose groups' workers are to register their queues.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpecOrder {
    pub target: Target,
    pub spec: Spec,
    #[serde(default)]
    pub registrations: Vec<Registration>,
    /// The controller has no spec yet, so it counts as one more.
    #[serde(default)]
    pub is_new: bool,
}

/// The activities of the controller's own task queue.
pub struct Activities {
    pub host: Arc<LiveHost>,
    pub client: Client,
    /// Of the reads that registering makes: those of all controllers of this process.
    pub(super) pace: Pace,
}

#[activities]
impl Activities {
    #[activity(name = "decide")]
    pub async fn decide(
        self: Arc<Self>,
        _ctx: ActivityContext,
        question: Question,
    ) -> Result<Record, ActivityError> {
        let settings = self.host.settings(&question.namespace);
        if let Some(settings) = self.host.rivals.note(&question, &settings, now()) {
            tracing::warn!(
                settings,
                "another process gives the same controllers other settings, and each undoes the other's at every \
                 decision: start all processes of a task queue with the same options and dynamic config"
            );
        }
        let record = decide(question.clone(), settings, now);
        figures::note(&self.host.metrics, &question, &record);
        if record.state.wci.is_deleted {
            self.host.forget(&question.version_name());
        }
        Ok(record)
    }

    /// Does nothing: its end comes after what came before.
    #[activity(name = "settle")]
    pub async fn settle(self: Arc<Self>, _ctx: ActivityContext, _nothing: ()) -> Result<(), ActivityError> {
        Ok(())
    }

    #[activity(name = "check-spec")]
    pub async fn check_spec(
        self: Arc<Self>,
        ctx: ActivityContext,
        order: SpecOrder,
    ) -> Result<(), ActivityError> {
        let checked = alive(&ctx, self.check(&order)).await;
        self.note("check-spec", &ctx, &order.target, &order.spec, &checked);
        checked.map_err(activity_error)
    }

    #[activity(name = "register-task-queues")]
    pub async fn register_task_queues(
        self: Arc<Self>,
        ctx: ActivityContext,
        order: SpecOrder,
    ) -> Result<Vec<GroupName>, ActivityError> {
        let registered = alive(&ctx, self.register(&ctx, &order)).await;
        self.note("register-task-queues", &ctx, &order.target, &order.spec, &registered);
        registered.map_err(activity_error)
    }

    #[activity(name = "invoke-worker")]
    pub async fn invoke_worker(
        self: Arc<Self>,
        ctx: ActivityContext,
        order: Order,
    ) -> Result<(), ActivityError> {
        // What an earlier attempt has started is not started again.
        let done = ctx.heartbeat_details().deserialize::<u32>().ok().flatten().unwrap_or(0);
        let provider = self.provider(&order.target, &order.spec);
        for nth in done..order.count {
            let id = call_id(&ctx, &order.target.group, nth);
            let invoking = async { provider.as_ref().map_err(Clone::clone)?.invoke_worker(&id).await };
            let invoked = alive_at(&ctx, nth, invoking).await;
            self.note("invoke-worker", &ctx, &order.target, &order.spec, &invoked);
            invoked.map_err(activity_error)?;
            ctx.record_heartbeat(nth + 1).await?;
        }
        Ok(())
    }

    #[activity(name = "update-worker-set-size")]
    pub async fn set_worker_set_size(
        self: Arc<Self>,
        ctx: ActivityContext,
        order: Order,
    ) -> Result<(), ActivityError> {
        let setting = async {
            let provider = self.provider(&order.target, &order.spec)?;
            provider.set_worker_set_size(order.count).await
        };
        let set = alive(&ctx, setting).await;
        self.note("update-worker-set-size", &ctx, &order.target, &order.spec, &set);
        set.map_err(activity_error)
    }
}

impl Activities {
    /// The provider of the group that the target names.
    fn provider(&self, target: &Target, spec: &Spec) -> Result<Guarded, ProviderError> {
        let group = spec.group(&target.group).ok_or_else(|| {
            ProviderError::rejected(format!("scaling group {} is not in the spec", target.group))
        })?;
        let host = self.host.providers(&target.namespace);
        self.host.registry.provider(&host, target, &group.compute)
    }

    /// Logs how a call ended, and counts it.
    fn note<T>(
        &self,
        activity: &str,
        ctx: &ActivityContext,
        target: &Target,
        spec: &Spec,
        ended: &Result<T, ProviderError>,
    ) {
        let Target { deployment_name, build_id, group, .. } = target;
        let provider = figures::providers(Some(spec), Some(group));
        let mut labels = Labels {
            namespace: target.namespace.clone(),
            worker_deployment_name: deployment_name.clone(),
            worker_build_id: build_id.clone(),
            compute_provider: provider.clone(),
            ..Labels::default()
        };
        let metrics = &self.host.metrics;
        let waited =
            ctx.info().scheduled_time.and_then(|scheduled| scheduled.elapsed().ok()).unwrap_or_default();
        metrics.latency.write(&labels, |latency| latency.observe(waited.as_secs_f64()));
        match ended {
            Ok(_) => tracing::info!(activity, deployment_name, build_id, group, provider, "done"),
            Err(e) => {
                let class = class_name(e.class);
                tracing::warn!(activity, deployment_name, build_id, group, provider, class, error = %e, "failed");
                labels.error_type = class.into();
            }
        }
        metrics.operations.write(&labels, Counter::inc);
        metrics.activities.write(&labels, Counter::inc);
    }

    async fn check(&self, order: &SpecOrder) -> Result<(), ProviderError> {
        let rejected = |e: wci_core::spec::SpecError| ProviderError::rejected(e.to_string());
        order.spec.check_needs(OFFERS).map_err(rejected)?;
        order.spec.check_complete().map_err(rejected)?;
        if order.is_new {
            self.check_room(&order.target.namespace).await?;
        }
        let checks = order.spec.groups().map(|(name, _)| async move {
            let target = Target { group: name.to_string(), ..order.target.clone() };
            let checked = match self.provider(&target, &order.spec) {
                Ok(provider) => provider.validate().await,
                Err(e) => Err(e),
            };
            checked.map_err(|e| e.while_doing(&format!("scaling group {name}")))
        });
        worst(join_all(checks).await)
    }

    /// Whether the namespace may have the controllers that it has, the new one included.
    async fn check_room(&self, namespace: &str) -> Result<(), ProviderError> {
        let most = self.host.most_instances(namespace);
        let counting = super::Client::new(self.client.clone(), String::new());
        let too_many = counting.count_from(most.saturating_add(1)).await;
        let Some(count) = too_many.map_err(|e| ProviderError::unavailable(e.to_string()))? else {
            return Ok(());
        };
        let (others, class) = (count - 1, FailureClass::Throttled);
        let words =
            format!("the namespace has {others} worker controller instances, and at most {most} are allowed");
        Err(ProviderError::new(class, words))
    }

    async fn register(
        &self,
        ctx: &ActivityContext,
        order: &SpecOrder,
    ) -> Result<Vec<GroupName>, ProviderError> {
        let SpecOrder { target, spec, registrations, .. } = order;
        let registered = self.registered_types(target).await?;
        let mut launched = Vec::new();
        for Registration { group, task_types, launch } in registrations {
            if task_types.iter().all(|task_type| registered.contains(&task_type.0)) {
                continue;
            }
            let target = Target { group: group.to_string(), ..target.clone() };
            let provider = self.provider(&target, spec)?;
            let call = async {
                match launch {
                    Launch::SetWorkerSetSize(count) => provider.set_worker_set_size(*count).await,
                    Launch::InvokeWorker(count) => {
                        for nth in 0..*count {
                            provider.invoke_worker(&call_id(ctx, group, nth)).await?;
                        }
                        Ok(())
                    }
                }
            };
            call.await.map_err(|e| e.while_doing(&format!("scaling group {group}")))?;
            launched.push(group.clone());
        }
        Ok(launched)
    }

    /// A version that the server does not know has registered nothing.
    async fn registered_types(&self, target: &Target) -> Result<BTreeSet<TaskQueueType>, ProviderError> {
        let version = wci_core::controller::WorkerDeploymentVersion {
            deployment_name: target.deployment_name.clone(),
            build_id: target.build_id.clone(),
        };
        let begun = Instant::now();
        loop {
            // Many controllers may be created at once, and the server lets a namespace read only so often.
            self.pace.turn().await;
            match read_queues(&self.client, &version, false).await {
                Ok(queues) => return Ok(queues.into_iter().map(|queue| queue.task_type).collect()),
                Err(e) if e.class == FailureClass::NotFound => return Ok(BTreeSet::new()),
                Err(e) if e.class == FailureClass::Throttled && begun.elapsed() < READ_PATIENCE => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// The same for each attempt of an activity, and for no other start.
fn call_id(ctx: &ActivityContext, group: &str, nth: u32) -> CallId {
    let info = ctx.info();
    let run = info.workflow_run_id.as_deref().unwrap_or_default();
    CallId::new(format!("{run}/{}/{}/{nth}", info.activity_id, group.escape_default()))
}

/// Of several results the failure that says most: one that does not pass by itself, else any.
fn worst(results: Vec<Result<(), ProviderError>>) -> Result<(), ProviderError> {
    let mut failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(|e| e.class.is_transient());
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Does the work and says every now and then that it is still being done. A process that stops gives it up when its
/// grace is over, so that another one soon makes a second attempt.
pub(super) async fn alive<T>(
    ctx: &ActivityContext,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    alive_at(ctx, 0, work).await
}

/// As [`alive`], with how far the work has come.
async fn alive_at<T>(
    ctx: &ActivityContext,
    done: u32,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    tokio::select! {
        biased;
        done = telling(ctx, done, work) => done,
        () = ctx.cancelled() => Err(ProviderError::unavailable("the process stopped before the call had ended")),
    }
}

/// Does the work and says every now and then how far it has come.
pub(super) async fn telling<T>(
    ctx: &ActivityContext,
    progress: impl Serialize + Clone + 'static,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(HEARTBEAT, work.as_mut()).await {
            Ok(done) => return done,
            Err(_) => {
                let _ = ctx.record_heartbeat(progress.clone()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_stays_is_told_before_one_that_passes() {
        let results = vec![Ok(()), Err(ProviderError::unavailable("down")), Err(ProviderError::denied("no"))];
        assert_eq!(worst(results), Err(ProviderError::denied("no")));
        assert_eq!(worst(vec![Ok(())]), Ok(()));
    }
}
