//! Figures for Prometheus, and whether this process is well.

use super::series::Series;
use crate::provider::VersionName;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// Seconds from a decision to the end of its action.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0, 120.0];

/// What a figure is about; a field that does not apply is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub struct Labels {
    /// Temporal namespace.
    pub namespace: String,
    /// Name of the worker deployment.
    pub worker_deployment_name: String,
    /// Build of the deployment.
    pub worker_build_id: String,
    /// Type of the provider that is called; where it is about a whole spec, its types with commas.
    pub compute_provider: String,
    /// What made the decision: `task_add`, `poll` or `update`; `deferred` for a decision on deferred statistics, which
    /// with today's rules starts no worker.
    pub scale_up_trigger: String,
    /// Class of a failure.
    pub error_type: String,
    /// Why something was left out.
    pub skip_reason: String,
}

type Counters = Series<Counter>;

/// Every figure of a process.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Controllers that got their first spec.
    pub created: Counters,
    /// Task adds that could not be signalled, and signals that found a controller's queue full.
    pub task_match_error: Counters,
    /// Signals that a controller could not take because it is busy.
    pub workflow_busy: Counters,
    /// Decisions to have more workers.
    pub scale_up: Counters,
    /// Adds that a limit kept from starting workers.
    pub scale_up_throttled: Counters,
    /// Decisions put off until statistics are there.
    pub deferred: Counters,
    /// Actions of controllers that failed.
    pub workflow_error: Counters,
    /// Task-add signals handled.
    pub signals: Counters,
    /// Updates handled.
    pub updates: Counters,
    /// Calls of providers.
    pub operations: Counters,
    /// Activities carried out.
    pub activities: Counters,
    /// Tasks that wait.
    pub backlog_count: Series<Gauge>,
    /// Age of the oldest waiting task, in seconds.
    pub backlog_age: Series<Gauge<f64, AtomicU64>>,
    /// Size that the worker sets of a provider shall have.
    pub target_worker_count: Series<Gauge>,
    /// Controllers of a namespace whose workflow tasks fail again and again.
    pub stuck_count: Series<Gauge>,
    /// Seconds from a decision to the end of its action.
    pub latency: Series<Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("worker_controller_instance");
        let mut counter = |name: &str, help: &str| {
            let series = Counters::default();
            registry.register(name, help, series.family.clone());
            series
        };
        let created = counter("created", "Controllers that got their first spec");
        let task_match_error = counter(
            "task_match_error_count",
            "Task adds that could not be signalled, and signals that found the queue full",
        );
        let workflow_busy = counter("workflow_busy_count", "Signals refused by busy controllers");
        let scale_up = counter("scale_up_count", "Decisions to have more workers");
        let scale_up_throttled =
            counter("scale_up_throttled_count", "Adds that a limit kept from starting workers");
        let deferred =
            counter("deferred_scaling_decision_count", "Decisions put off until statistics are there");
        let workflow_error = counter("workflow_error_count", "Actions of controllers that failed");
        let signals = counter("signals", "Task-add signals handled");
        let updates = counter("updates", "Updates handled");
        let operations = counter("operations", "Calls of providers");
        let activities = counter("activities", "Activities carried out");
        let backlog_count = Series::<Gauge>::default();
        registry.register("backlog_count", "Tasks that wait", backlog_count.family.clone());
        let backlog_age = Series::<Gauge<f64, AtomicU64>>::default();
        let help = "Age of the oldest waiting task in seconds";
        registry.register("backlog_age", help, backlog_age.family.clone());
        let target_worker_count = Series::<Gauge>::default();
        let help = "Size that the worker sets of a provider shall have";
        registry.register("target_worker_count", help, target_worker_count.family.clone());
        let stuck_count = Series::<Gauge>::default();
        let help = "Controllers of the namespace whose workflow tasks fail again and again";
        registry.register("stuck_count", help, stuck_count.family.clone());
        let latency = Series::made_by(|| Histogram::new(BUCKETS));
        let help = "Seconds from a decision to the end of its action";
        registry.register("scaling_action_processing_latency", help, latency.family.clone());
        Self {
            registry: Arc::new(registry),
            created,
            task_match_error,
            workflow_busy,
            scale_up,
            scale_up_throttled,
            deferred,
            workflow_error,
            signals,
            updates,
            operations,
            activities,
            backlog_count,
            backlog_age,
            target_worker_count,
            stuck_count,
            latency,
        }
    }
}

impl Metrics {
    /// All figures in Prometheus' text form; gauges that nobody has written for long are dropped first.
    #[must_use]
    pub fn text(&self) -> String {
        let now = Instant::now();
        self.gauges().iter().for_each(|gauge| gauge.drop_old(now));
        self.backlog_age.drop_old(now);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Drops every series of a controller that is gone.
    pub(crate) fn forget(&self, controller: &VersionName) {
        self.counters().iter().for_each(|counter| counter.drop_controller(controller));
        self.gauges().iter().for_each(|gauge| gauge.drop_controller(controller));
        self.backlog_age.drop_controller(controller);
        self.latency.drop_controller(controller);
    }

    /// The controllers that there are figures of.
    pub(crate) fn controllers(&self) -> BTreeSet<VersionName> {
        let mut all: BTreeSet<_> = self.counters().iter().flat_map(|counter| counter.controllers()).collect();
        all.extend(self.gauges().iter().flat_map(|gauge| gauge.controllers()));
        all.extend(self.backlog_age.controllers());
        all.extend(self.latency.controllers());
        all
    }

    const fn counters(&self) -> [&Counters; 11] {
        [
            &self.created,
            &self.task_match_error,
            &self.workflow_busy,
            &self.scale_up,
            &self.scale_up_throttled,
            &self.deferred,
            &self.workflow_error,
            &self.signals,
            &self.updates,
            &self.operations,
            &self.activities,
        ]
    }

    const fn gauges(&self) -> [&Series<Gauge>; 3] {
        [&self.backlog_count, &self.target_worker_count, &self.stuck_count]
    }
}

/// `/metrics`, `/healthz` (the process runs) and `/readyz` (it reaches Temporal).
pub fn router(metrics: Metrics, client: temporalio_client::Client) -> Router {
    const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let figures = move || async move { ([(header::CONTENT_TYPE, FORM)], metrics.text()) };
    let ready = move || async move {
        match tokio::time::timeout(Duration::from_secs(3), reaches_temporal(&client)).await {
            Ok(true) => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "Temporal does not answer\n"),
        }
        .into_response()
    };
    Router::new()
        .route("/metrics", get(figures))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
}

async fn reaches_temporal(client: &temporalio_client::Client) -> bool {
    use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
    let namespace = client.options().namespace.clone();
    let request = DescribeNamespaceRequest { namespace, ..DescribeNamespaceRequest::default() };
    let mut request = temporalio_client::tonic::Request::new(request);
    request.set_timeout(Duration::from_secs(2));
    client.connection().workflow_service().describe_namespace(request).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_originals_names() {
        let metrics = Metrics::default();
        let labels = Labels { namespace: "n".into(), ..Labels::default() };
        metrics.scale_up.write(&labels, Counter::inc);
        metrics.latency.write(&labels, |seconds| seconds.observe(0.02));
        metrics.backlog_age.write(&labels, |age| age.set(1.5));
        let text = metrics.text();
        assert!(text.contains(r#"worker_controller_instance_scale_up_count_total{namespace="n""#), "{text}");
        assert!(
            text.contains("worker_controller_instance_scaling_action_processing_latency_bucket"),
            "{text}"
        );
        assert!(text.contains(r#"worker_controller_instance_backlog_age{namespace="n""#), "{text}");
    }

    #[test]
    fn a_controller_that_is_gone_leaves_no_series() {
        let metrics = Metrics::default();
        let of = |build: &str| Labels {
            namespace: "n".into(),
            worker_deployment_name: "d".into(),
            worker_build_id: build.into(),
            error_type: "unavailable".into(),
            ..Labels::default()
        };
        for labels in [of("1"), of("2")] {
            metrics.counters().iter().for_each(|counter| counter.write(&labels, Counter::inc));
            metrics.gauges().iter().for_each(|gauge| gauge.write(&labels, |gauge| gauge.set(1)));
            metrics.backlog_age.write(&labels, |age| age.set(1.5));
            metrics.latency.write(&labels, |seconds| seconds.observe(0.02));
        }
        let version = |build: &str| ("d".to_owned(), build.to_owned());
        assert_eq!(metrics.controllers(), BTreeSet::from([version("1"), version("2")]));
        let lines = |build: &str| metrics.text().matches(&format!("worker_build_id=\"{build}\"")).count();
        let each = lines("2");
        assert_eq!((lines("1"), each >= 11 + 3 + 1 + BUCKETS.len()), (each, true));
        metrics.forget(&version("1"));
        assert_eq!((lines("1"), lines("2")), (0, each));
        assert_eq!(metrics.controllers(), BTreeSet::from([version("2")]));
    }
}
