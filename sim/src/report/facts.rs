//! What a model assumes, in words: a result means little without it.

use super::Fact;
use super::units::{dollars, duration_ms, number, percent, plural};
use crate::dist::Dist;
use crate::model::{BilledFrom, End, Group, Model, Nanos, OnLimit, Price, ProviderMode};

/// What a reader should know of the model.
#[must_use]
pub fn of_model(model: &Model) -> Vec<Fact> {
    let mut facts = vec![Fact::new("Arrivals", arrivals(model))];
    if model.warm_up > 0 {
        facts.push(Fact::new("Measured", format!("tasks that arrive after {}", span(model.warm_up))));
    }
    for (what, n) in [("Faults", model.faults.len()), ("Changes by hand", model.changes.len())] {
        if n > 0 {
            facts.push(Fact::new(what, n.to_string()));
        }
    }
    for group in &model.groups {
        facts.push(Fact::new(format!("Workers of {}", group.name), workers(model, group)));
        facts.push(Fact::new(format!("Provider of {}", group.name), provider(model, group)));
        facts.push(Fact::new(format!("Price of {}", group.name), price(&group.price)));
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
    let mut text = terms.map(|(usd, of)| format!("{} {of}", dollars(usd))).collect::<Vec<_>>().join(" + ");
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
