//! A scaling group's workers, provider and price as they are written.

use super::law::Times;
use crate::model::{BilledFrom, Binding, OnLimit};
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one scaling group's workers behave and what they cost. What is left out is the provider type's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    /// Who starts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// What they cost in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// A group's workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Tasks that a worker runs at once: a number for every task type, or a table by type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<PerType>,
    /// Most open polls of a worker: a number for every task type, or a table by type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pollers: Option<PerType>,
    /// From the accepted start to the first poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_start: Option<Times>,
    /// From ready to the begin of the shutdown; "unlimited": until it is scaled down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Limit<Span>>,
    /// A worker ends after this long without a task. Default: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_exit: Option<Times>,
    /// Crashes per hour of a worker's life. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub crashes_per_hour: Option<f64>,
    /// How long running tasks have once the shutdown began; then they are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_timeout: Option<Span>,
    /// Round trip of a poll, half of it each way. Default "10ms"; "0s" in theory scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_round_trip: Option<Span>,
}

/// A number for each task type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerType {
    /// The same for each.
    All(u32),
    /// By type; one that is left out keeps its default.
    ByType(ByType),
}

/// Numbers by task type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByType {
    /// For workflow tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<u32>,
    /// For activity tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<u32>,
    /// For Nexus tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexus: Option<u32>,
}

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Limit<T> {
    /// "unlimited".
    None(Unlimited),
    /// The limit.
    At(T),
}

/// No limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unlimited {
    /// No limit.
    Unlimited,
}

/// Who starts a group's workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Who starts workers. Default "controller".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// With mode "per-request": how long an idle worker stays after its last task. Default "10m".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<KeepAlive>,
    /// With mode "per-request": who gets a worker that was started for a request. Default "first-free".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// With mode "per-request": service of the task that started its worker; replaces cold start and service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_service: Option<Times>,
    /// From the call to its answer, when workers begin to start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_latency: Option<Times>,
    /// Chance that a call fails. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failure_probability: Option<f64>,
    /// Most workers at once, whether starting, ready or draining; or "unlimited".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Limit<u32>>,
    /// What happens to a start above `concurrency`. Default "queue".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_limit: Option<OnLimit>,
    /// Most starts per second; or "unlimited".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_rate: Option<Limit<f64>>,
    /// A start that waits longer is dropped. Default "6h".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<Span>,
    /// Workers that are ready at time 0; for worker sets only. Default: what the algorithm starts from
    /// (`initial_count` or `min_count`, for `fixed` its `count`), 0 if the controller starts "cold".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_workers: Option<u32>,
    /// Memory of a worker in MB; 1 GB has 1024.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub memory_mb: Option<f64>,
    /// vCPUs of a worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub vcpu: Option<f64>,
    /// Workers that share a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub workers_per_node: Option<f64>,
}

/// Who starts workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The controller, as the spec says.
    #[default]
    Controller,
    /// The platform itself, for a request that finds no idle worker (FaaS).
    PerRequest,
}

/// How long an idle worker of the per-request mode stays: a duration, or a table with `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeepAlive {
    /// This long after its last task.
    Fixed(Span),
    /// By kind.
    Law(KeepAliveLaw),
}

/// A rule for how long an idle worker stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeepAliveLaw {
    /// Always the same time after the last task; a mere duration says the same.
    Fixed {
        /// How long.
        window: Span,
    },
    /// Exponential, drawn anew at each finish.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Learnt from the group's idle times: the last worker leaves at once, one is started again shortly before the
    /// next request is likely, and stays until it is unlikely (hybrid histogram policy).
    HybridHistogram {
        /// Idle times are told apart up to here, by the minute. Default 4h.
        #[serde(default = "four_hours")]
        range: Span,
    },
}

const fn four_hours() -> Span {
    Span(4 * 3600 * 1_000_000_000)
}

/// What a group's workers cost in US dollars. What is left out is the provider type's dated default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// For each start (USD).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_request: Option<f64>,
    /// For each GB of `memory_mb` and second (USD).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_gb_second: Option<f64>,
    /// For each vCPU and hour (USD).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_vcpu_hour: Option<f64>,
    /// For each GB of `memory_mb` and hour (USD).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_gb_hour: Option<f64>,
    /// For each node and hour (USD); a worker pays its share of a node, 1 / `workers_per_node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_node_hour: Option<f64>,
    /// Shortest billed time of a worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Span>,
    /// Billed time is rounded up to a multiple of this; "0s": not rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Span>,
    /// When billing starts. Default "invoke".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_from: Option<BilledFrom>,
}
