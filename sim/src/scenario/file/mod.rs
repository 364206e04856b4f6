//! The scenario file as it is written: every key, with what it means and what it is when it is left out.
//!
//! The comments here are the reference: they become the JSON Schema, the page of the docs and the help in the
//! browser. A key that may be left out is an `Option`, so that a scenario is written back as it was read;
//! [`super::Scenario::resolve`] puts in the defaults.

mod control;
mod group;
mod law;
mod timeline;
mod workload;

pub use control::{Batching, Controller, Retry};
pub use group::{
    ByType, Group, KeepAlive, KeepAliveLaw, Limit, Mode, PerType, Price, Provider, Unlimited, Worker,
};
pub use law::{Interpolation, Law, MixturePart, Times};
pub use timeline::{AddTasks, ArrivalRate, Change, Fault, NewService, RateFactor, Scaling};
pub use workload::{Arrival, ArrivalState, Expand, Phases, RatePoint, TaskType, Workflow, Workload};

use super::units::{DATE_FORMAT, Span};
use crate::model::Routing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scenario: what arrives, who serves it, who decides, what happens on the way, and what must come out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub format: u32,
    /// The title for people.
    pub title: String,
    /// Seed of all luck: the same seed gives the same run, to the bit. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The date at which simulated time 0 lies. Default "2026-01-05T00:00:00Z", a Monday.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = DATE_FORMAT))]
    pub start: Option<String>,
    /// Arrivals stop here. Default: the end of the longest trace; without a trace it has to be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Span>,
    /// What happens at the horizon. Default "drain".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// Tasks that arrive before are not measured. Default "0s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<Span>,
    /// Longest drain after the horizon; work that is left then makes the result `overloaded`. Default "1h".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_limit: Option<Span>,
    /// More waiting tasks than this end the run as `overloaded`. Default 20000000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_backlog: Option<u64>,
    /// Which waiting poll a task takes; every result names it. Default "longest-idle".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// The spec of the worker controller instance, as the live controller takes it; or the name of a JSON file that
    /// holds it, relative to this file.
    pub spec: Spec,
    /// Task queues that differ from the defaults; a queue that a workload names has to be here if any is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub task_queue: Vec<TaskQueue>,
    /// What arrives: at least one stream of tasks.
    pub workload: Vec<Workload>,
    /// How the workers of each scaling group behave and what they cost; names as in the spec. A group that is left
    /// out behaves as its provider type does by default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group: BTreeMap<String, Group>,
    /// What happens to tasks whose worker was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The controller and what lies between it and the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<Controller>,
    /// What goes wrong, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Fault>,
    /// What a hand does, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<Change>,
    /// What must come out: dotted keys of the summary with a comparison or a list of comparisons, such as
    /// `"schedule_to_start.p95" = "< 1s"`. A run that misses one ends with status 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, OneOrMore>,
    /// How the browser shows this scenario; `run` ignores it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<Demo>,
}

/// What happens at the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The run goes on until every task is done and every worker is gone; cost counts to the end.
    Drain,
    /// The run stops: a waiting task counts with its age as a lower bound, started workers are billed in full.
    Cut,
}

/// The spec of the worker controller instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Spec {
    /// In a JSON file of its own.
    File(String),
    /// Right here.
    Inline(toml::Table),
}

/// One comparison or several that must all hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    /// The comparisons.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// A task queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskQueue {
    /// Its name.
    pub name: String,
    /// Partitions of each task type. Default 4, as on the server; 1 in theory scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub partitions: Option<u32>,
    /// A task that met no waiting poll can be matched this much later. Default "10ms"; "0s" in theory scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool_delay: Option<Span>,
    /// Tasks that may be dispatched per second. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub max_dispatch_rate: Option<f64>,
}

/// How the browser shows a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// What to look at, in a few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Simulated seconds per second at the start. Default 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed: Option<f64>,
    /// The moment at which the page opens. Default "0s".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_at: Option<Span>,
}
