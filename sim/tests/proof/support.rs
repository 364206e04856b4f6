//! Models as queueing theory knows them: one partition, no delays, workers of one slot. The unit of time is the
//! second.

use serde_json::json;
use wci_core::metrics::TaskQueueType;
use wci_core::{Settings, Spec, Timestamp};
use wci_sim::dist::Dist;
use wci_sim::driver::{Quiet, Simulation};
use wci_sim::model::{
    Binding, ControllerModel, End, Group, KeepAlive, Model, OnLimit, Price, ProviderMode, ProviderModel,
    Retry, Routing, SECOND, Started, TaskQueue, WorkerModel, Workload,
};
use wci_sim::results::RunResult;
use wci_sim::workload::{Arrivals, SyntheticSource};

/// Workers that shall start or be ready, from the number of servers, running and waiting tasks.
type Wish = fn(servers: u64, running: u64, waiting: u64) -> u64;

/// A model with its arrivals.
#[derive(Clone)]
pub struct System {
    /// The model; [`System::run`] sets its seed.
    pub model: Model,
    arrival_rate: f64,
    service: Dist,
    /// Who wishes workers, and of how many servers; `None`: the model's own controller or platform.
    wish: Option<(u64, Wish)>,
}

impl System {
    /// Servers that are always there.
    pub fn servers(servers: u32, arrival_rate: f64, service: Dist, tasks: f64) -> Self {
        let mut model = model(arrival_rate, tasks);
        model.groups[0].provider.initial_workers = servers;
        Self { model, arrival_rate, service, wish: Some((servers.into(), |servers, _, _| servers)) }
    }

    /// Servers that the real controller keeps there, by the algorithm `fixed`.
    pub fn controlled_servers(servers: u32, arrival_rate: f64, service: Dist, tasks: f64) -> Self {
        let spec = spec("k8s", "fixed", &json!({ "count": servers }));
        let mut system = Self::controlled(spec, arrival_rate, service, tasks);
        system.model.groups[0].provider.initial_workers = servers;
        system
    }

    /// Workers as the real controller starts them.
    pub fn controlled(spec: Spec, arrival_rate: f64, service: Dist, tasks: f64) -> Self {
        let model = Model { spec, ..model(arrival_rate, tasks) };
        Self { model, arrival_rate, service, wish: None }
    }

    /// At most `servers` servers, switched on one for each waiting task after an exponential setup, and off after an
    /// idle time.
    pub fn with_setup(
        servers: u32,
        arrival_rate: f64,
        service: Dist,
        setup: f64,
        idle_exit: Dist,
        tasks: f64,
    ) -> Self {
        let mut model = model(arrival_rate, tasks);
        let worker = &mut model.groups[0].worker;
        worker.cold_start = exponential(setup);
        worker.idle_exit = Some(idle_exit);
        let one_each: Wish = |servers, running, waiting| servers.min(running + waiting);
        Self { model, arrival_rate, service, wish: Some((servers.into(), one_each)) }
    }

    /// A platform that starts an instance for each request that finds none idle. The cold service includes the start.
    pub fn per_request(arrival_rate: f64, warm: Dist, cold: Dist, keep_alive: KeepAlive, tasks: f64) -> Self {
        let mut model = model(arrival_rate, tasks);
        model.groups[0].provider.mode =
            ProviderMode::PerRequest { keep_alive, binding: Binding::NewWorker, cold_service: Some(cold) };
        Self { model, arrival_rate, service: warm, wish: None }
    }

    /// Runs it once.
    pub fn run(&self, seed: u64) -> RunResult {
        let mut model = self.model.clone();
        model.seed = seed;
        let arrivals = Arrivals::poisson(self.arrival_rate).expect("a rate");
        let name = &model.workloads[0].name;
        let source = SyntheticSource::new(seed, name, &arrivals, self.service.clone(), model.horizon);
        let sources = vec![source.into()];
        let simulation = match self.wish {
            Some((servers, wish)) => {
                let allocation = move |running, waiting| wish(servers, running, waiting);
                Simulation::with_theory(model, sources, Box::new(allocation))
            }
            None => Simulation::new(model, sources),
        };
        simulation.run(&mut Quiet).unwrap_or_else(|e| panic!("seed {seed}: {e}"))
    }
}

/// An exponential distribution with this mean.
pub fn exponential(mean: f64) -> Dist {
    Dist::exponential(mean * SECOND as f64).expect("a mean")
}

/// Always the same time.
pub fn constant(seconds: f64) -> Dist {
    Dist::constant(seconds * SECOND as f64).expect("a time")
}

/// Log-normal with this mean and squared coefficient of variation.
pub fn log_normal(mean: f64, squared_cv: f64) -> Dist {
    Dist::log_normal_with_cv(mean * SECOND as f64, squared_cv.sqrt()).expect("a mean")
}

/// Seconds in nanoseconds.
pub fn nanos(seconds: f64) -> u64 {
    (seconds * SECOND as f64).round() as u64
}

/// A spec with one group, called `workers`.
pub fn spec(provider: &str, algorithm: &str, config: &serde_json::Value) -> Spec {
    let workers = json!({
        "compute": { "provider_type": provider },
        "scaling": { "scaling_algorithm": algorithm, "config": config },
    });
    let spec = json!({ "scaling_group_specs": { "workers": workers } });
    Spec::from_json(&spec).unwrap_or_else(|e| panic!("{e}"))
}

/// One queue and one group, both of the plainest kind. So many tasks are expected before the horizon, a hundredth of
/// them in the warm-up.
pub fn model(arrival_rate: f64, tasks: f64) -> Model {
    let horizon = nanos(tasks / arrival_rate);
    let queue = TaskQueue { name: "default".into(), partitions: 1, spool_delay: 0, max_dispatch_rate: None };
    let workload = Workload {
        name: "tasks".into(),
        task_queue: 0,
        task_type: TaskQueueType::Activity,
        start_to_close_timeout: horizon,
        workflow: None,
    };
    Model {
        name: "theory".into(),
        title: String::new(),
        seed: 0,
        start: Timestamp::from_millis(1_767_571_200_000),
        horizon,
        warm_up: horizon / 100,
        end: End::Drain,
        drain_limit: horizon,
        max_backlog: 20_000_000,
        routing: Routing::LongestIdle,
        task_queues: vec![queue],
        workloads: vec![workload],
        spec: spec("k8s", "fixed", &json!({})),
        groups: vec![group()],
        retry: Retry {
            initial_interval: SECOND,
            backoff_coefficient: 2.0,
            maximum_interval: 100 * SECOND,
            maximum_attempts: None,
        },
        controller: ControllerModel {
            settings: Settings::default(),
            started: Started::Steady,
            statistics_cache: 0,
            metric_delay: 0,
            signal_latency: 0,
        },
        faults: Vec::new(),
        changes: Vec::new(),
    }
}

fn group() -> Group {
    Group {
        name: "workers".into(),
        worker: WorkerModel {
            slots: [1; 3],
            pollers: [1; 3],
            cold_start: constant(0.0),
            lifetime: None,
            idle_exit: None,
            crash_rate: 0.0,
            drain_timeout: 0,
            poll_round_trip: 0,
        },
        provider: ProviderModel {
            mode: ProviderMode::Controller,
            invocation_latency: constant(0.0),
            failure_probability: 0.0,
            concurrency: None,
            on_limit: OnLimit::Reject,
            start_rate: None,
            queue_limit: u64::MAX,
            initial_workers: 0,
        },
        price: Price::default(),
    }
}
