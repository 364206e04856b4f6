//! What a scaling group is when the scenario leaves it open, by provider type, with prices and their dates.
//!
//! Written as one would write it in a scenario, so that the page of the docs can show it as it is and a reader can
//! copy what to change. Numbers without a source are our assumptions, meant to be in the right order of magnitude;
//! measure your own platform where it matters.

use super::file::Group;
use super::{plain, text, written};
use toml::{Table, Value};
use wci_core::spec::ProviderType;

/// Date of all prices.
pub const PRICES_AS_OF: &str = "2026-11";

/// Defaults of every group.
pub const COMMON: &str = r#"
[worker]
slots = 100                     # what most SDKs run at once
pollers = 5                     # for each task type, as in most SDKs
lifetime = "unlimited"
crashes_per_hour = 0.0
drain_timeout = "30s"
poll_round_trip = "10ms"

[provider]
mode = "controller"
keep_alive = "10m"
binding = "first-free"
invocation_latency = { kind = "lognormal", median = "200ms", p99 = "1s" }
failure_probability = 0.0
concurrency = "unlimited"
on_limit = "queue"
start_rate = "unlimited"
queue_limit = "6h"
memory_mb = 1024
vcpu = 1.0
workers_per_node = 1.0

[price]                         # US dollars
per_request = 0.0
per_gb_second = 0.0
per_vcpu_hour = 0.0
per_gb_hour = 0.0
per_node_hour = 0.0
minimum = "0s"
rounding = "0s"
billed_from = "invoke"
"#;

/// Functions: many small workers that start fast and end by themselves.
pub const FUNCTION: &str = r#"
[worker]
slots = { workflow = 10, activity = 2, nexus = 5 }      # the SDKs' defaults for workers on Lambda
pollers = { workflow = 2, activity = 1, nexus = 1 }     # the same
cold_start = { kind = "lognormal", median = "800ms", p99 = "3s" }
lifetime = "590s"               # invocations of 10 min less the shutdown buffer
drain_timeout = "10s"

[provider]
invocation_latency = { kind = "lognormal", median = "50ms", p99 = "250ms" }
concurrency = 1000              # a new account's quota
start_rate = 100.0              # a function grows by 1000 environments each 10 s
memory_mb = 256
vcpu = 0.0                      # comes with the memory

[price]                         # AWS Lambda, x86, US East
per_request = 0.0000002         # 0.20 USD a million
per_gb_second = 0.0000166667
rounding = "1ms"
"#;

/// ECS services on Fargate.
pub const FARGATE: &str = r#"
[worker]
cold_start = { kind = "lognormal", median = "35s", p99 = "90s" }
drain_timeout = "30s"           # stopTimeout

[provider]
start_rate = 20.0               # refill of the launch quota
memory_mb = 2048
vcpu = 1.0

[price]                         # AWS Fargate, Linux, x86, US East
per_vcpu_hour = 0.04048
per_gb_hour = 0.004445
rounding = "1s"
minimum = "60s"
"#;

/// Cloud Run worker pools.
pub const CLOUD_RUN: &str = r#"
[worker]
cold_start = { kind = "lognormal", median = "5s", p99 = "20s" }
drain_timeout = "10s"           # from SIGTERM to SIGKILL

[provider]
invocation_latency = { kind = "lognormal", median = "2s", p99 = "10s" }
memory_mb = 512
vcpu = 1.0

[price]                         # Google Cloud Run, instance-based, tier 1
per_vcpu_hour = 0.0648
per_gb_hour = 0.0072
rounding = "100ms"
minimum = "60s"
"#;

/// Deployments on nodes that are there: what a worker costs is its share of a node.
pub const KUBERNETES: &str = r#"
[worker]
cold_start = { kind = "lognormal", median = "10s", p99 = "60s" }    # 60 s: a node has to be added first
drain_timeout = "30s"           # terminationGracePeriodSeconds

[provider]
memory_mb = 2048
vcpu = 0.5
workers_per_node = 4.0

[price]                         # one m5.large, 2 vCPU and 8 GB, on demand, US East
per_node_hour = 0.096
"#;

/// Local processes: killed after a minute, free.
pub const SUBPROCESS: &str = r#"
[worker]
cold_start = { kind = "lognormal", median = "300ms", p99 = "1s" }
lifetime = "50s"                # a hard limit of one minute less the drain timeout
drain_timeout = "10s"

[provider]
invocation_latency = "5ms"
memory_mb = 128
"#;

/// The defaults of a provider type besides [`COMMON`], with the name of their kind.
#[must_use]
pub const fn of(provider: ProviderType) -> (&'static str, &'static str) {
    match provider {
        ProviderType::AwsLambda
        | ProviderType::AwsAgentcore
        | ProviderType::GcpCloudRunInvoke
        | ProviderType::NexusInvoke
        | ProviderType::Webhook => ("functions", FUNCTION),
        ProviderType::AwsEcs => ("ECS on Fargate", FARGATE),
        ProviderType::GcpCloudRun => ("Cloud Run worker pools", CLOUD_RUN),
        ProviderType::K8s | ProviderType::External | ProviderType::NexusWorkerSet => {
            ("Kubernetes", KUBERNETES)
        }
        ProviderType::Subprocess => ("local processes", SUBPROCESS),
    }
}

/// The group with every key that has a default: the scenario's own keys over the provider type's, over those of
/// every group.
///
/// # Errors
/// Names the key that cannot be read; does not happen with groups that were read from a file.
pub(super) fn complete(provider: ProviderType, own: &Group) -> Result<Group, String> {
    let mut all = table(COMMON)?;
    overlay(&mut all, table(of(provider).1)?);
    // By way of text, as everywhere: one way of writing a struct is one copy of the code less in the browser.
    overlay(&mut all, table(&written::write(own)?)?);
    plain::read(all).map_err(|wrong| wrong.0)
}

fn table(text: &str) -> Result<Table, String> {
    text::read(text).map_err(|e| e.message)
}

/// Puts the keys of each section over those that are there, whole: a distribution is never mixed of two.
fn overlay(below: &mut Table, above: Table) {
    for (section, keys) in above {
        match (below.get_mut(&section), keys) {
            (Some(Value::Table(below)), Value::Table(keys)) => below.extend(keys),
            (_, keys) => drop(below.insert(section, keys)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::check::check;
    use crate::scenario::shape::Shape;

    #[test]
    fn defaults_are_written_as_a_scenario_would() {
        let shape = Shape::scenario().key("group").unwrap().key("any").unwrap();
        for text in [COMMON].into_iter().chain(ProviderType::ALL.iter().map(|provider| of(*provider).1)) {
            assert_eq!(check(shape, &table(text).unwrap()), [], "{text}");
        }
    }

    #[test]
    fn own_keys_win_over_the_provider_types() {
        let own: Group = toml::from_str("[worker]\nslots = 3\n[price]\nper_request = 1.0\n").unwrap();
        let group = complete(ProviderType::AwsLambda, &own).unwrap();
        assert_eq!(group.worker.as_ref().unwrap().slots, own.worker.unwrap().slots);
        assert_eq!(group.price.as_ref().unwrap().per_request, Some(1.0));
        assert_eq!(group.price.as_ref().unwrap().per_gb_second, Some(0.000_016_666_7));
        assert_eq!(group.provider.as_ref().unwrap().memory_mb, Some(256.0));
    }
}
