//! Retries, the controller and its host as they are written.

use super::group::Limit;
use crate::model::Started;
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a task whose worker was lost: it comes back after its start-to-close timeout and a backoff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// First backoff. Default "1s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_interval: Option<Span>,
    /// Factor from one backoff to the next. Default 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0))]
    pub backoff_coefficient: Option<f64>,
    /// Longest backoff. Default "100s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_interval: Option<Span>,
    /// Attempts in all. Default "unlimited".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_attempts: Option<Limit<u32>>,
}

/// The controller and what lies between it and the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// Behave exactly as the controller inside Temporal Server does, without any of our improvements. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like_go: Option<bool>,
    /// Where the controller's life stands at time 0. Default "steady".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// How adds of tasks are batched before they are signalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batching: Option<Batching>,
    /// Shortest time between two polls that the host serves. Default "1s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortest_poll: Option<Span>,
    /// Longest time between two polls. Default "5m".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_poll: Option<Span>,
    /// The first poll of a controller that starts "cold" comes after this long. Default "5m".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_poll_after: Option<Span>,
    /// Signals that may wait; more are dropped and counted. Default 4000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_waiting_signals: Option<u32>,
    /// Signals that are handled before a due poll gets its turn. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub signals_before_timer: Option<u32>,
    /// The host's region, for specs with `region_ids`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_region: Option<String>,
    /// Improvement: the next poll's time survives a restart. Default true, with `like_go` false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_next_poll: Option<bool>,
    /// Improvement: a poll as soon as the workers of an updated spec registered. Default true, with `like_go` false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_after_update: Option<bool>,
    /// Improvement: a set size that failed for good is issued again at the next poll. Default true, with `like_go`
    /// false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reissue_failed_size: Option<bool>,
    /// Improvement: statistics younger than this answer a deferred decision at once, instead of another read; "0s":
    /// always read. Default "1s", with `like_go` "0s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred_metrics_max_age: Option<Span>,
    /// Lifetime of each of the two read-through caches of the statistics; "0s": exact. Default "5s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics_cache: Option<Span>,
    /// Age of what a poll sees on a slow metric path, 60 to 90 s on Kubernetes. Default "0s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_delay: Option<Span>,
    /// From the add of a task to the arrival of its signal. Default "10ms"; "0s" in theory scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal_latency: Option<Span>,
}

/// How adds of tasks are batched before they are signalled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batching {
    /// Shortest time between two signals while an add without a waiting poller is counted. Default "500ms".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_sync_match: Option<Span>,
    /// Shortest time between two signals otherwise. Default "60s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_match: Option<Span>,
    /// Improvement: the last adds of a burst are signalled by a timer after this long. Default: only by a later add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush: Option<Span>,
}
