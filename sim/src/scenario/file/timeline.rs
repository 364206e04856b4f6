//! Faults and changes as they are written.

use super::law::Times;
use crate::scenario::units::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something goes wrong for a while. A `group` that is left out means every group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Calls to the provider fail.
    ProviderOutage {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
        /// Which group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// No new worker starts; calls are accepted and wait.
    OutOfCapacity {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
        /// Which group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// Cold starts take many times as long.
    ColdStartStorm {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
        /// How many times as long.
        #[schemars(extend("exclusiveMinimum" = 0))]
        factor: f64,
        /// Which group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// Signals are lost.
    LostSignals {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
        /// Chance that a signal is lost. Default 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1.0))]
        probability: Option<f64>,
    },
    /// Statistics come late.
    LateMetrics {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
        /// How much later.
        delay: Span,
    },
    /// Polls fail.
    MissingMetrics {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
    },
    /// A share of the ready workers crashes at once.
    WorkerCrashes {
        /// When.
        at: Span,
        /// The share. Default 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 1.0))]
        fraction: Option<f64>,
        /// Which group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// The controller is away and comes back with its stored state.
    ControllerRestart {
        /// When it goes.
        at: Span,
        /// How long it is away.
        r#for: Span,
    },
    /// The namespace is disabled: polls are skipped.
    NamespaceDisabled {
        /// When it begins.
        at: Span,
        /// How long it lasts.
        r#for: Span,
    },
}

/// What a hand does at a moment: exactly one of the keys besides `at`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When.
    pub at: Span,
    /// Adds tasks at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_tasks: Option<AddTasks>,
    /// Multiplies a workload's own arrival rate from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_factor: Option<RateFactor>,
    /// Sets a workload's arrival rate from now on; for arrivals that have one `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival_rate: Option<ArrivalRate>,
    /// Gives a workload's tasks other service times from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<NewService>,
    /// Gives a group another algorithm or other settings of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// Gives the controller another spec with the same groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::scenario::schema::inline_spec")]
    pub spec: Option<toml::Table>,
}

/// Tasks to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTasks {
    /// The workload whose tasks they are.
    pub workload: String,
    /// How many.
    #[schemars(range(min = 1))]
    pub count: u64,
}

/// A factor on an arrival rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFactor {
    /// The workload.
    pub workload: String,
    /// The factor on the scenario's own rate; 0 stops the arrivals.
    #[schemars(range(min = 0.0))]
    pub factor: f64,
}

/// A new arrival rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalRate {
    /// The workload.
    pub workload: String,
    /// Arrivals per second; 0 stops them.
    #[schemars(range(min = 0.0))]
    pub rate: f64,
}

/// Other service times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewService {
    /// The workload; not one with a workflow shape, which has several services.
    pub workload: String,
    /// How long a worker is busy with a task that arrives from now on.
    pub times: Times,
}

/// Another algorithm or other settings for a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// The group.
    pub group: String,
    /// The algorithm. Default: the one it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling_algorithm: Option<String>,
    /// Settings of the algorithm; what is left out stays as it is, unless the algorithm changes.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    #[schemars(schema_with = "crate::scenario::schema::scaling_config")]
    pub config: toml::Table,
}
