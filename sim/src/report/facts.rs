//! What a model assumes, in words: a result means little without it.

use super::Fact;
use super::faults::FaultWindow;
use super::units::{duration_ms, number, percent, plural};
use crate::dist::Dist;
use crate::model::{BilledFrom, End, Group, Model, Nanos, OnLimit, Price, ProviderMode};

/// What a reader should know of the model.
#[must_use]
pub fn of_model(model: &Model) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Arrivals", arrivals(model))];
    if model.warm_up > 0 {
        facts.push(Fact::new("Measured", format!("tasks that arrive after {}", span(model.warm_up))));
    }
    facts.extend(faults(model));
    if !model.changes.is_empty() {
        facts.push(Fact::new("Changes by hand", model.changes.len().to_string()));
    }
    for group in &model.groups {
        facts.push(Fact::new(format!("Workers of {}", group.name), workers(model, group)));
        facts.push(Fact::new(format!("Provider of {}", group.name), provider(model, group)));
        facts.push(Fact::new(format!("Price of {}", group.name), price(&group.price)));
    }
    facts
}

/// A line for each fault, the first ones of very many.
fn faults(model: &Model) -> Vec<Fact> {
    const MOST: usize = 20;
    let windows = FaultWindow::of_model(model);
    let line = |fault: &FaultWindow| Fact::new("Fault", format!("{}, {}", fault.name, fault.span()));
    let mut facts: Vec<Fact> = windows.iter().take(MOST).map(line).collect();
    if windows.len() > MOST {
        facts.push(Fact::new("Fault", format!("and {} more", windows.len() - MOST)));
    }
    facts
}

fn arrivals(model: &Model) -> String {
    let then = match model.end {
        End::Drain => format!("then on until everything is done, for {} at most", span(model.drain_limit)),
        End::Cut => "then the run stops".into(),
    };
    format!("for {}, {then}", span(model.horizon))
}

fn workers(model: &Model, group: &Group) -> String {
    let worker = &group.worker;
    let mut parts = vec![slots(worker.slots), format!("ready after {}", times(&worker.cold_start))];
    parts.extend(worker.lifetime.map(|lifetime| format!("live {}", span(lifetime))));
    parts.extend(worker.idle_exit.as_ref().map(|idle| format!("exit when idle for {}", times(idle))));
    if worker.crash_rate > 0.0 {
        parts.push(format!("crash {} times an hour", number(worker.crash_rate)));
    }
    parts.push(format!("{} to drain", span(worker.drain_timeout)));
    let spec = model.spec.group(&group.name);
    parts.extend(
        spec.and_then(|spec| spec.scaling.as_ref())
            .map(|scaling| format!("scaled by {}", wire(&scaling.algorithm))),
    );
    parts.join(", ")
}

fn slots([workflow, activity, nexus]: [u32; 3]) -> String {
    if workflow == activity && activity == nexus {
        return plural(activity.into(), "slot", "slots");
    }
    format!("{workflow} workflow, {activity} activity and {nexus} Nexus slots")
}

fn provider(model: &Model, group: &Group) -> String {
    let provider = &group.provider;
    let name = model.spec.group(&group.name).map(|spec| wire(&spec.compute.provider_type));
    let mut parts: Vec<String> = name.into_iter().collect();
    parts.push(format!("answers after {}", times(&provider.invocation_latency)));
    if matches!(provider.mode, ProviderMode::PerRequest { .. }) {
        parts.push("starts an instance for each request that finds none idle".into());
    }
    if provider.failure_probability > 0.0 {
        parts.push(format!("{} of the calls fail", percent(provider.failure_probability)));
    }
    parts.extend(provider.concurrency.map(|most| {
        let then = match provider.on_limit {
            OnLimit::Queue => "later starts wait",
            OnLimit::Reject => "more are refused",
        };
        format!("at most {}, {then}", plural(most.into(), "worker", "workers"))
    }));
    parts.extend(provider.start_rate.map(|rate| format!("at most {} starts a second", number(rate))));
    parts.join(", ")
}

fn price(price: &Price) -> String {
    let terms = [
        (price.per_request, "a start"),
        (price.per_gb_second, "a GB-second"),
        (price.per_vcpu_hour, "a vCPU-hour"),
        (price.per_gb_hour, "a GB-hour"),
        (price.per_node_hour, "a node-hour"),
    ];
    let terms = terms.into_iter().filter(|(usd, _)| *usd > 0.0);
    let mut text = terms.map(|(usd, of)| format!("${usd} {of}")).collect::<Vec<_>>().join(" + ");
    if text.is_empty() {
        return "nothing".into();
    }
    if price.per_gb_second + price.per_gb_hour > 0.0 {
        text = format!("{text}, {} MB", number(price.memory_mb));
    }
    if price.per_vcpu_hour > 0.0 {
        text = format!("{text}, {} vCPU", number(price.vcpu));
    }
    let from = match price.billed_from {
        BilledFrom::Invoke => "its start",
        BilledFrom::Ready => "when it is ready",
    };
    let least = if price.minimum > 0 { format!(", at least {}", span(price.minimum)) } else { String::new() };
    format!("{text}, a worker's time from {from}{least}")
}

/// A distribution as people quote it: its median, and what one in a hundred exceeds.
fn times(dist: &Dist) -> String {
    let [median, p99] = [0.5, 0.99].map(|p| duration_ms(dist.quantile(p) / 1e6));
    if median == p99 { median } else { format!("{median} (median; 1 % longer than {p99})") }
}

fn span(nanos: Nanos) -> String {
    duration_ms(nanos as f64 / 1e6)
}

/// A closed word as it is written in files.
fn wire<T: serde::Serialize>(word: &T) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::*;
    use wci_core::{Settings, Timestamp};

    fn constant(seconds: f64) -> Dist {
        Dist::constant(seconds * 1e9).expect("a valid distribution")
    }

    fn lambda() -> Price {
        Price {
            per_request: 0.000_000_2,
            per_gb_second: 0.000_016_666_7,
            memory_mb: 256.0,
            minimum: MILLI,
            ..Price::default()
        }
    }

    fn group() -> Group {
        let worker = WorkerModel {
            slots: [2; 3],
            pollers: [5; 3],
            cold_start: Dist::log_normal(0.8e9, 3e9).expect("a valid distribution"),
            lifetime: Some(590 * SECOND),
            idle_exit: None,
            crash_rate: 0.0,
            drain_timeout: 10 * SECOND,
            poll_round_trip: 0,
        };
        let provider = ProviderModel {
            mode: ProviderMode::Controller,
            invocation_latency: constant(0.05),
            failure_probability: 0.01,
            concurrency: Some(1000),
            on_limit: OnLimit::Queue,
            start_rate: None,
            queue_limit: 0,
            initial_workers: 0,
        };
        Group { name: "activities".into(), worker, provider, price: lambda() }
    }

    fn model() -> Model {
        let spec = r#"{"scaling_group_specs": {"activities": {"task_types": ["ACTIVITY"], "compute": {"provider_type":
            "aws-lambda", "config": {"arn": "arn:aws:lambda:eu-west-1:123456789012:function:f", "role": "r",
            "role_external_id": "e"}}, "scaling": {"scaling_algorithm": "no-sync"}}}}"#;
        Model {
            name: "m".into(),
            title: "M".into(),
            seed: 1,
            start: Timestamp::EPOCH,
            horizon: 7200 * SECOND,
            warm_up: 60 * SECOND,
            end: End::Drain,
            drain_limit: 3600 * SECOND,
            max_backlog: 1,
            routing: Routing::default(),
            task_queues: Vec::new(),
            workloads: Vec::new(),
            spec: serde_json::from_str(spec).expect("a valid spec"),
            groups: vec![group()],
            retry: Retry {
                initial_interval: SECOND,
                backoff_coefficient: 2.0,
                maximum_interval: SECOND,
                maximum_attempts: None,
            },
            controller: ControllerModel {
                settings: Settings::default(),
                started: Started::Steady,
                statistics_cache: 0,
                metric_delay: 0,
                signal_latency: 0,
            },
            faults: vec![Fault {
                at: 1200 * SECOND,
                lasts: 600 * SECOND,
                kind: FaultKind::ProviderOutage { group: None },
            }],
            changes: Vec::new(),
        }
    }

    #[test]
    fn says_what_the_result_rests_on() {
        let lines: Vec<String> =
            of_model(&model()).iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect();
        assert_eq!(
            lines,
            [
                "Arrivals: for 2 h, then on until everything is done, for 1 h at most",
                "Measured: tasks that arrive after 1 min",
                "Fault: provider-outage, from 20 min to 30 min",
                "Workers of activities: 2 slots, ready after 800 ms (median; 1 % longer than 3 s), live 9.83 min, 10 s \
                 to drain, scaled by no-sync",
                "Provider of activities: aws-lambda, answers after 50 ms, 1 % of the calls fail, at most 1,000 workers, \
                 later starts wait",
                "Price of activities: $0.0000002 a start + $0.0000166667 a GB-second, 256 MB, a worker's time from its \
                 start, at least 1 ms",
            ]
        );
    }

    #[test]
    fn a_free_worker_costs_nothing() {
        assert_eq!(price(&Price::default()), "nothing");
    }
}
