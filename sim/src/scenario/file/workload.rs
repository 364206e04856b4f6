//! Workloads and arrivals as they are written.

use super::law::Times;
use crate::scenario::units::Span;
use crate::trace::TraceOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One stream of tasks; exactly one of `arrival` and `trace`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its name: in dotted keys, and of its random streams.
    pub name: String,
    /// Type of its tasks. Default "ACTIVITY"; of a workflow shape always "WORKFLOW".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<TaskType>,
    /// Its task queue. Default: the only one there is, or "default".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_queue: Option<String>,
    /// When tasks arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    /// A recorded workload to replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceOptions>,
    /// How long a worker is busy with a task. Needed with `arrival`; a workflow shape has services of its own and a
    /// trace has that of its records or of its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Times>,
    /// Makes each arrival a workflow execution, which alternates workflow tasks and activities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
    /// A task whose worker was lost comes back after this long. Default: ten times the 99th percentile of the
    /// service; "60s" for a trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_to_close_timeout: Option<Span>,
}

/// Type of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskType {
    /// Workflow task.
    Workflow,
    /// Activity task.
    Activity,
    /// Nexus task; raises no signal.
    Nexus,
}

/// An execution: workflow task, activity, workflow task, .., activity, workflow task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Activities of one execution, one after the other.
    pub activities: u32,
    /// How long a worker is busy with a workflow task.
    pub workflow_task_service: Times,
    /// How long a worker is busy with an activity.
    pub activity_service: Times,
    /// The task queue of the activities. Default: that of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_task_queue: Option<String>,
}

/// When tasks arrive. Rates are arrivals per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Arrival {
    /// At equal distances.
    Constant {
        /// Arrivals per second.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
    },
    /// Independent of each other.
    Poisson {
        /// Arrivals per second.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
    },
    /// With gamma distributed distances.
    Gamma {
        /// Arrivals per second.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
        /// Coefficient of variation of the distances; 1 is Poisson, more is burstier.
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: f64,
    },
    /// With Weibull distributed distances.
    Weibull {
        /// Arrivals per second.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
        /// Coefficient of variation of the distances; 1 is Poisson, more is burstier.
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: f64,
    },
    /// With a rate while on and none while off, in turn.
    OnOff {
        /// Arrivals per second while on.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
        /// Mean time on.
        on: Span,
        /// Mean time off.
        off: Span,
        /// How long the phases last. Default "exponential".
        #[serde(skip_serializing_if = "Option::is_none")]
        phases: Option<Phases>,
        /// Coefficient of variation of the distances at an even rate. Default 1, which is Poisson.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// Independent of each other, with the rate of a state that changes at random.
    MarkovModulated {
        /// The states, two or more; each is left for one of the others with equal chance.
        states: Vec<ArrivalState>,
    },
    /// With a rate that rises and falls like a day.
    Sinusoidal {
        /// Mean arrivals per second.
        #[schemars(extend("exclusiveMinimum" = 0))]
        rate: f64,
        /// How far the rate swings, as a share of the mean.
        #[schemars(range(min = 0.0, max = 1.0))]
        amplitude: f64,
        /// Length of a swing. Default "1d".
        #[serde(skip_serializing_if = "Option::is_none")]
        period: Option<Span>,
        /// When the rate is highest. Default: half a period after the start, noon of a day.
        #[serde(skip_serializing_if = "Option::is_none")]
        peak_at: Option<Span>,
        /// Coefficient of variation of the distances at an even rate. Default 1, which is Poisson.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// With a rate that jumps.
    Steps {
        /// From when on which rate holds; the rate is 0 before the first.
        points: Vec<RatePoint>,
        /// Coefficient of variation of the distances at an even rate. Default 1, which is Poisson.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// With a rate that runs straight from point to point.
    Ramps {
        /// The points; before the first and after the last the rate stays as it is there, two at one time are a jump.
        points: Vec<RatePoint>,
        /// Coefficient of variation of the distances at an even rate. Default 1, which is Poisson.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// With a rate for each interval.
    Profile {
        /// Length of an interval.
        interval: Span,
        /// Arrivals per second in each interval.
        rates: Vec<f64>,
        /// Whether after the last interval comes the first again, or nothing more. Default true.
        #[serde(skip_serializing_if = "Option::is_none")]
        repeat: Option<bool>,
        /// Coefficient of variation of the distances at an even rate. Default 1, which is Poisson.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        cv: Option<f64>,
    },
    /// Bursts at equal distances; for arrivals in between add another workload.
    Bursts {
        /// Arrivals of a burst.
        #[schemars(range(min = 1))]
        size: u64,
        /// Time from one burst's begin to the next one's.
        every: Span,
        /// When the first burst begins. Default: after one `every`.
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<Span>,
        /// The arrivals of a burst lie anywhere in this time with equal chance. Default "0s": all at once.
        #[serde(skip_serializing_if = "Option::is_none")]
        spread: Option<Span>,
    },
    /// Many at once, a single time.
    Bulk {
        /// How many.
        #[schemars(range(min = 1))]
        count: u64,
        /// When. Default "0s".
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Span>,
    },
    /// At exactly these times.
    Timestamps {
        /// The times.
        at: Vec<Span>,
    },
    /// So many in each interval.
    Counts {
        /// Length of an interval.
        interval: Span,
        /// How many.
        counts: Vec<u64>,
        /// When the first interval begins. Default "0s".
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<Span>,
        /// Where in the interval they lie. Default "uniform".
        #[serde(skip_serializing_if = "Option::is_none")]
        expand: Option<Expand>,
    },
}

/// How long the phases of on-off arrivals last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phases {
    /// Exponentially distributed, begun as if they had run forever.
    Exponential,
    /// Always their mean, begun with an on phase.
    Constant,
}

/// Where the arrivals of an interval lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expand {
    /// Anywhere with equal chance, as independent callers do.
    Uniform,
    /// At equal distances with a random phase, as timers do.
    Even,
    /// All at the interval's begin.
    Start,
}

/// A state of a Markov-modulated arrival process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalState {
    /// Arrivals per second.
    #[schemars(range(min = 0.0))]
    pub rate: f64,
    /// Mean time in this state.
    pub mean: Span,
}

/// A rate at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatePoint {
    /// When.
    pub at: Span,
    /// Arrivals per second.
    #[schemars(range(min = 0.0))]
    pub rate: f64,
}
