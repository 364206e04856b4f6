//! The resolved model: what a scenario file says, in numbers the engine runs on.
//!
//! Times are nanoseconds since the simulation's start, rates are per second, money is US dollars. A `Model` holds
//! no open files: arrivals come from [`crate::workload::Source`]s, one for each workload, in the same order.

use crate::dist::Dist;
use wci_core::metrics::TaskQueueType;
use wci_core::{Settings, Spec, Timestamp};

/// Nanoseconds.
pub type Nanos = u64;
/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub const MILLI: Nanos = 1_000_000;

/// Everything that decides the outcome of a simulation, but the arrivals.
#[derive(Clone, Debug)]
pub struct Model {
    /// The scenario's name (its file's stem).
    pub name: String,
    /// The title for people.
    pub title: String,
    /// Seed of all luck.
    pub seed: u64,
    /// The date at which simulated time 0 lies.
    pub start: Timestamp,
    /// Arrivals stop here.
    pub horizon: Nanos,
    /// Tasks that arrive before are not measured.
    pub warm_up: Nanos,
    /// What happens at the horizon.
    pub end: End,
    /// Longest drain after the horizon.
    pub drain_limit: Nanos,
    /// More waiting tasks than this end the run as overloaded.
    pub max_backlog: u64,
    /// Which waiting poll a task takes.
    pub routing: Routing,
    /// Task queues.
    pub task_queues: Vec<TaskQueue>,
    /// Workloads, in the order of their sources.
    pub workloads: Vec<Workload>,
    /// The spec the controller runs.
    pub spec: Spec,
    /// How each group of the spec behaves, in the spec's order of names.
    pub groups: Vec<Group>,
    /// What happens to lost tasks.
    pub retry: Retry,
    /// The controller and its host.
    pub controller: ControllerModel,
    /// Faults on the timeline.
    pub faults: Vec<Fault>,
    /// What a hand does.
    pub changes: Vec<Change>,
}

/// What happens at the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The run goes on until every task is done and every worker is gone.
    Drain,
    /// The run stops; what waits counts with its age as a lower bound.
    Cut,
}

/// Which waiting poll a task takes. Results depend on it, so each names it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// The poll that has waited longest.
    #[default]
    LongestIdle,
    /// A poll of the worker started last.
    Newest,
    /// A poll of the worker started first.
    Oldest,
    /// The poll that came last.
    LastUsed,
    /// Any poll with equal chance.
    Random,
}

/// One task queue.
#[derive(Clone, Debug)]
pub struct TaskQueue {
    /// Its name.
    pub name: String,
    /// Partitions of each type.
    pub partitions: u32,
    /// A task without a waiting poll can be matched this much later.
    pub spool_delay: Nanos,
    /// Tokens per second of the dispatch-rate limit; `None`: no limit.
    pub max_dispatch_rate: Option<f64>,
}

/// One stream of tasks.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name: also the name of its random streams.
    pub name: String,
    /// Index of its task queue.
    pub task_queue: usize,
    /// Type of its tasks; for a workflow shape the type of the first task is `Workflow`.
    pub task_type: TaskQueueType,
    /// Start-to-close timeout: when a lost task comes back.
    pub start_to_close_timeout: Nanos,
    /// Present: each arrival is a workflow execution.
    pub workflow: Option<WorkflowShape>,
}

/// An execution alternates workflow tasks and activities and ends with a workflow task.
#[derive(Clone, Debug)]
pub struct WorkflowShape {
    /// Activities of one execution.
    pub activities: u32,
    /// Service time of its workflow tasks.
    pub workflow_task_service: Dist,
    /// Service time of its activities.
    pub activity_service: Dist,
    /// Index of the task queue of its activities.
    pub activity_task_queue: usize,
}

/// How one scaling group's workers and provider behave.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name as in the spec.
    pub name: wci_core::decision::GroupName,
    /// Its workers.
    pub worker: WorkerModel,
    /// Its provider.
    pub provider: ProviderModel,
    /// What it costs.
    pub price: Price,
}

/// One group's workers. Slots and pollers count for each task queue and type a worker polls.
#[derive(Clone, Debug)]
pub struct WorkerModel {
    /// Slots for workflow, activity and Nexus tasks.
    pub slots: [u32; 3],
    /// Pollers for each type: at most this many open polls.
    pub pollers: [u32; 3],
    /// From accepted invocation to ready.
    pub cold_start: Dist,
    /// From ready to the end; `None`: until scaled down.
    pub lifetime: Option<Nanos>,
    /// Exits after this long without a task; drawn anew for each idle time.
    pub idle_exit: Option<Dist>,
    /// Crashes per hour of a worker's ready time.
    pub crash_rate: f64,
    /// How long running tasks have after the end began.
    pub drain_timeout: Nanos,
    /// Poll round trip; half of it each way.
    pub poll_round_trip: Nanos,
}

/// One group's provider.
#[derive(Clone, Debug)]
pub struct ProviderModel {
    /// Who starts workers.
    pub mode: ProviderMode,
    /// From the call to its answer; workers begin to start at the answer.
    pub invocation_latency: Dist,
    /// Chance that a call fails.
    pub failure_probability: f64,
    /// Most workers at once (starting, ready or draining).
    pub concurrency: Option<u32>,
    /// What happens to a start above `concurrency`.
    pub on_limit: OnLimit,
    /// Most starts per second.
    pub start_rate: Option<f64>,
    /// A queued start is dropped after this long (6 h on Lambda).
    pub queue_limit: Nanos,
    /// Workers that are there and ready at time 0 (worker sets).
    pub initial_workers: u32,
}

impl ProviderModel {
    /// Whether the platform itself starts workers, one for each request that finds none idle.
    #[must_use]
    pub const fn is_per_request(&self) -> bool {
        matches!(self.mode, ProviderMode::PerRequest { .. })
    }

    /// How long its idle workers stay, where the platform itself starts them.
    #[must_use]
    pub const fn keep_alive(&self) -> Option<&KeepAlive> {
        match &self.mode {
            ProviderMode::PerRequest { keep_alive, .. } => Some(keep_alive),
            ProviderMode::Controller => None,
        }
    }
}

/// Who starts workers.
#[derive(Clone, Debug)]
pub enum ProviderMode {
    /// The controller.
    Controller,
    /// The platform itself, for a request that finds none idle (FaaS).
    PerRequest {
        /// How long an idle worker stays after its last finish.
        keep_alive: KeepAlive,
        /// Who gets a worker that was started for a request.
        binding: Binding,
        /// Service of the request that started its worker: replaces cold start + service.
        cold_service: Option<Dist>,
    },
}

/// How long an idle worker of the per-request mode stays.
#[derive(Clone, Debug, PartialEq)]
pub enum KeepAlive {
    /// This long after the last finish.
    Fixed(Nanos),
    /// Exponential with this mean, drawn at each finish.
    Exponential(f64),
    /// Learnt from the group's idle times up to this range: unloaded and loaded again ahead of the next request.
    HybridHistogram(Nanos),
}

/// Who gets a worker that was started for a request.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// That request, also when another worker gets free before.
    NewWorker,
    /// The request waits in the queue: the first free slot takes it.
    #[default]
    FirstFree,
}

/// What happens to a start above the concurrency.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OnLimit {
    /// Accepted and started later.
    #[default]
    Queue,
    /// Refused: the call fails, in per-request mode the task is rejected.
    Reject,
}

/// What a group's workers cost, in US dollars.
#[derive(Clone, Debug, Default)]
pub struct Price {
    /// For each start.
    pub per_request: f64,
    /// For each GB of `memory_mb` and second.
    pub per_gb_second: f64,
    /// For each vCPU and hour.
    pub per_vcpu_hour: f64,
    /// For each GB of `memory_mb` and hour.
    pub per_gb_hour: f64,
    /// For each node and hour.
    pub per_node_hour: f64,
    /// Shortest billed time of a worker.
    pub minimum: Nanos,
    /// Billed time is rounded up to a multiple of this.
    pub rounding: Nanos,
    /// Memory of a worker in MB (1 GB = 1024 MB).
    pub memory_mb: f64,
    /// vCPUs of a worker.
    pub vcpu: f64,
    /// Workers that share a node.
    pub workers_per_node: f64,
    /// When billing starts.
    pub billed_from: BilledFrom,
}

/// When billing starts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BilledFrom {
    /// When the worker begins to start.
    #[default]
    Invoke,
    /// When it is ready.
    Ready,
}

/// What happens to lost tasks.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// First backoff.
    pub initial_interval: Nanos,
    /// Factor from one backoff to the next.
    pub backoff_coefficient: f64,
    /// Longest backoff.
    pub maximum_interval: Nanos,
    /// Attempts in all; `None`: unlimited.
    pub maximum_attempts: Option<u32>,
}

/// The controller and what stands between it and the server.
#[derive(Clone, Debug)]
pub struct ControllerModel {
    /// The core's settings.
    pub settings: Settings,
    /// Where the controller's life stands at time 0.
    pub started: Started,
    /// Lifetime of each of the two read-through caches of the statistics; 0: exact.
    pub statistics_cache: Nanos,
    /// Age of what a poll sees on a slow metric path.
    pub metric_delay: Nanos,
    /// From the add to the signal's arrival.
    pub signal_latency: Nanos,
}

/// Where the controller's life stands at time 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Started {
    /// Long ago: the first poll lies uniformly in its interval.
    #[default]
    Steady,
    /// Right now: the first poll comes after 5 min.
    Cold,
}

/// Something goes wrong for a while.
#[derive(Clone, Debug)]
pub struct Fault {
    /// When it begins.
    pub at: Nanos,
    /// How long it lasts.
    pub lasts: Nanos,
    /// What it is.
    pub kind: FaultKind,
}

/// What goes wrong. A group index of `None` means every group.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Calls to the provider fail.
    ProviderOutage {
        /// Which group.
        group: Option<usize>,
    },
    /// No new worker starts; calls are accepted and wait.
    OutOfCapacity {
        /// Which group.
        group: Option<usize>,
    },
    /// Cold starts take this many times as long.
    ColdStartStorm {
        /// Which group.
        group: Option<usize>,
        /// How many times.
        factor: f64,
    },
    /// Signals are lost with this chance.
    LostSignals {
        /// The chance.
        probability: f64,
    },
    /// Statistics come this much later.
    LateMetrics {
        /// How much later.
        delay: Nanos,
    },
    /// Polls fail.
    MissingMetrics,
    /// At the begin this share of the ready workers crashes.
    WorkerCrashes {
        /// Which group.
        group: Option<usize>,
        /// The share, 0 to 1.
        fraction: f64,
    },
    /// The controller is away for the duration and comes back with its stored state.
    ControllerRestart,
    /// The namespace is disabled.
    NamespaceDisabled,
}

/// What a hand does at a moment.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub at: Nanos,
    /// What.
    pub kind: ChangeKind,
}

/// What a hand does.
#[derive(Clone, Debug)]
pub enum ChangeKind {
    /// Adds tasks at once.
    AddTasks {
        /// Index of the workload whose tasks they are.
        workload: usize,
        /// How many.
        count: u64,
        /// Their service times (that of the workload).
        service: Dist,
    },
    /// Multiplies a workload's arrival rate from now on.
    RateFactor {
        /// Index of the workload.
        workload: usize,
        /// The factor on the scenario's own rate.
        factor: f64,
    },
    /// Gives a workload's tasks other service times from now on.
    Service {
        /// Index of the workload.
        workload: usize,
        /// The service times.
        service: Dist,
    },
    /// Gives the controller another spec.
    Spec(Box<Spec>),
}
