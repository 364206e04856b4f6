//! Figures of the cluster's reconciler for Prometheus.

use super::nodes::Seen;
use super::report::Report;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfJob {
    job: String,
    kind: String,
}

/// Every figure of a process.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    scans: Family<Why, Counter>,
    failed_scans: Counter,
    changes: Family<OfJob, Counter>,
    outcomes: Family<OfJob, Counter>,
    workers: Family<OfJob, Gauge>,
    nodes: Gauge,
    watch_losses: Family<Why, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("wci_cluster");
        let (scans, watch_losses) = (Family::default(), Family::default());
        let (changes, outcomes) = (Family::default(), Family::default());
        let (workers, failed_scans, nodes) = (Family::default(), Counter::default(), Gauge::default());
        registry.register("scans", "Scans by what the latch said", scans.clone());
        registry.register("failed_scans", "Scans that could not be made", failed_scans.clone());
        registry.register("changes", "Changes to workers by kind", changes.clone());
        registry.register("reconciliations", "Reconciliations of jobs by how they ended", outcomes.clone());
        registry.register("workers", "Workers of jobs by state", workers.clone());
        registry.register("nodes_ready", "Nodes that are ready", nodes.clone());
        registry.register("watch_losses", "Watches of nodes that had to begin anew", watch_losses.clone());
        let registry = Arc::new(registry);
        Self { registry, scans, failed_scans, changes, outcomes, workers, nodes, watch_losses }
    }
}

impl Metrics {
    pub(super) fn watch_lost(&self, reason: &str) {
        self.watch_losses.get_or_create(&Why { reason: reason.to_owned() }).inc();
    }

    /// Counts a scan.
    pub fn scanned(&self, report: &Report) {
        self.scans.get_or_create(&Why { reason: name(&report.reason) }).inc();
        self.nodes.set(i64::try_from(report.up.len()).unwrap_or(i64::MAX));
        // Jobs that are gone must not be shown for ever.
        self.workers.clear();
        for (job, state, count) in &report.workers {
            let of = OfJob { job: job.clone(), kind: name(state) };
            self.workers.get_or_create(&of).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        for done in &report.jobs {
            for (kind, count) in done.counts() {
                self.changes
                    .get_or_create(&OfJob { job: done.job.clone(), kind: kind.to_owned() })
                    .inc_by(count);
            }
            let of = OfJob { job: done.job.clone(), kind: name(&done.outcome.status) };
            self.outcomes.get_or_create(&of).inc();
        }
    }

    /// Counts a scan that could not be made.
    pub fn failed(&self) {
        self.failed_scans.inc();
    }

    /// All figures in Prometheus' text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// `/metrics`, `/healthz` (the process runs) and `/readyz` (it knows the nodes).
    pub fn router(self, seen: watch::Receiver<Seen>) -> Router {
        const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let figures = move || async move { ([(header::CONTENT_TYPE, FORM)], self.text()) };
        let ready = move || async move {
            match seen.borrow().check() {
                Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
                Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("the nodes are not known: {why}\n")),
            }
            .into_response()
        };
        Router::new()
            .route("/metrics", get(figures))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
    }
}

/// The name that a value has in JSON.
fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
