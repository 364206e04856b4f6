//! Groups, their workers and providers, and a spec that names them.

use crate::any::Luck;
use serde_json::{Map, Value, json};
use wci_core::Spec;
use wci_sim::model::{
    BilledFrom, Binding, Group, KeepAlive, MILLI, OnLimit, Price, ProviderMode, ProviderModel, SECOND,
    WorkerModel,
};

const INVOKED: [&str; 13] = [
    "no-sync",
    "no-sync-confirmed",
    "backlog",
    "pid",
    "peak-rate",
    "fixed",
    "keda",
    "hpa",
    "kpa",
    "target-tracking",
    "delayed-off",
    "seasonal",
    "lcp",
];
const SETS: [&str; 12] = [
    "rate-based",
    "backlog",
    "pid",
    "peak-rate",
    "fixed",
    "keda",
    "hpa",
    "kpa",
    "target-tracking",
    "delayed-off",
    "seasonal",
    "lcp",
];

/// A spec and its groups. Either the controller starts all workers, or the platform does.
pub fn any(luck: &mut Luck) -> (Spec, Vec<Group>) {
    let layouts: [&[(&str, &[&str])]; 4] = [
        &[("all", &[])],
        &[("rest", &[]), ("workflows", &["WORKFLOW"])],
        &[("both", &["WORKFLOW", "ACTIVITY"]), ("nexus", &["NEXUS"])],
        &[("activities", &["ACTIVITY"]), ("nexus", &["NEXUS"]), ("workflows", &["WORKFLOW"])],
    ];
    let layout = luck.one_of(&layouts);
    let is_per_request = luck.chance(0.2);
    let mut specs = Map::new();
    for (name, task_types) in layout {
        let provider = luck.one_of(&["aws-lambda", "k8s"]);
        specs.insert(
            (*name).into(),
            json!({
                "task_types": task_types,
                "compute": { "provider_type": provider },
                "scaling": any_scaling(luck, provider),
            }),
        );
    }
    let spec = read(specs);
    let groups = spec.groups().map(|(name, group)| {
        let invokes = group.compute.provider_type.name() == "aws-lambda";
        let worker = any_worker(luck, invokes);
        let mut provider = any_provider(luck);
        if is_per_request {
            provider.mode = per_request(luck);
            provider.initial_workers = 0;
        }
        Group { name: name.clone(), worker, provider, price: any_price(luck) }
    });
    let groups = groups.collect();
    (spec, groups)
}

/// The same groups and providers under other algorithms.
pub fn another_spec(luck: &mut Luck, spec: &Spec) -> Spec {
    let groups = spec.groups().map(|(name, group)| {
        let mut changed = group.to_json();
        changed["scaling"] = any_scaling(luck, group.compute.provider_type.name());
        (name.to_string(), changed)
    });
    read(groups.collect())
}

fn read(groups: Map<String, Value>) -> Spec {
    Spec::from_json(&json!({ "scaling_group_specs": groups })).unwrap_or_else(|e| panic!("{e}"))
}

fn any_scaling(luck: &mut Luck, provider: &str) -> Value {
    let algorithm = if provider == "aws-lambda" { luck.one_of(&INVOKED) } else { luck.one_of(&SETS) };
    let config = match algorithm {
        "fixed" => json!({ "count": luck.between(0, 5) }),
        _ if luck.chance(0.3) => json!({}),
        // Quicker than by default, so that a short run decides often.
        "no-sync" | "no-sync-confirmed" => json!({ "metrics_poll_interval_ms": 10_000 }),
        "rate-based" => json!({
            "metrics_poll_interval_ms": 30_000, "scale_down_cooldown_ms": 30_000, "no_sync_quiet_ms": 30_000,
        }),
        _ => json!({}),
    };
    json!({ "scaling_algorithm": algorithm, "config": config })
}

fn any_worker(luck: &mut Luck, invokes: bool) -> WorkerModel {
    let counts = |luck: &mut Luck| [(); 3].map(|()| luck.between(1, 5) as u32);
    let lifetimes = [None, Some(5 * SECOND), Some(60 * SECOND)];
    WorkerModel {
        slots: counts(luck),
        pollers: counts(luck),
        cold_start: luck.dist(1000),
        // What is invoked ends by itself.
        lifetime: if invokes { luck.one_of(&lifetimes[1..]) } else { luck.one_of(&lifetimes) },
        idle_exit: luck.chance(0.3).then(|| luck.dist(5000)),
        crash_rate: luck.one_of(&[0.0, 0.0, 60.0, 600.0]),
        drain_timeout: luck.one_of(&[0, SECOND, 30 * SECOND]),
        poll_round_trip: luck.one_of(&[0, 10 * MILLI, SECOND]),
    }
}

fn any_provider(luck: &mut Luck) -> ProviderModel {
    let concurrency = luck.chance(0.5).then(|| luck.between(1, 8) as u32);
    ProviderModel {
        mode: ProviderMode::Controller,
        invocation_latency: luck.dist(200),
        failure_probability: luck.one_of(&[0.0, 0.0, 0.3]),
        concurrency,
        on_limit: luck.one_of(&[OnLimit::Queue, OnLimit::Reject]),
        start_rate: luck.one_of(&[None, None, Some(0.5), Some(10.0)]),
        queue_limit: luck.one_of(&[SECOND, 6 * 3600 * SECOND]),
        initial_workers: luck.between(0, u64::from(concurrency.unwrap_or(4))) as u32,
    }
}

fn per_request(luck: &mut Luck) -> ProviderMode {
    ProviderMode::PerRequest {
        keep_alive: luck.one_of(&[
            KeepAlive::Fixed(0),
            KeepAlive::Fixed(10 * SECOND),
            KeepAlive::Exponential(10.0 * SECOND as f64),
        ]),
        binding: luck.one_of(&[Binding::NewWorker, Binding::FirstFree]),
        cold_service: luck.chance(0.5).then(|| luck.dist(800)),
    }
}

fn any_price(luck: &mut Luck) -> Price {
    Price {
        per_request: luck.one_of(&[0.0, 2e-7]),
        per_gb_second: 0.000_016_666_7,
        per_vcpu_hour: luck.one_of(&[0.0, 0.040_48]),
        minimum: luck.one_of(&[0, 60 * SECOND]),
        rounding: luck.one_of(&[0, MILLI, SECOND]),
        memory_mb: 512.0,
        vcpu: 0.25,
        billed_from: luck.one_of(&[BilledFrom::Invoke, BilledFrom::Ready]),
        ..Price::default()
    }
}
