//! What the platform keeps loaded between requests, by each policy.
#![cfg(feature = "cli")]

mod common;

use common::run;
use wci_sim::results::Summary;

/// A request each hour for a day, so that a policy of a few minutes starts cold each time.
fn hourly(keep_alive: &str) -> Summary {
    run(&format!(
        r#"
format = 1
title = "Each hour"
horizon = "24h"
[[workload]]
name = "hourly"
arrival = {{ kind = "constant", rate = 0.000277778 }}
service = "1s"
[spec.scaling_group_specs.function]
compute = {{ provider_type = "aws-lambda" }}
[group.function.worker]
slots = 1
lifetime = "unlimited"
cold_start = "2s"
poll_round_trip = "0s"
[group.function.provider]
mode = "per-request"
keep_alive = {keep_alive}
"#
    ))
}

fn cold_starts(summary: &Summary) -> u64 {
    let total = &summary.total;
    (total.workers.cold_start_ratio.unwrap_or(0.0) * total.tasks.measured as f64).round() as u64
}

#[test]
fn a_fixed_window_shorter_than_the_gap_starts_cold_each_time() {
    let summary = hourly(r#""10m""#);
    assert_eq!(cold_starts(&summary), summary.total.tasks.measured);
    assert!(summary.total.tasks.measured >= 23);
}

#[test]
fn the_hybrid_histogram_learns_the_hour_and_starts_ahead_of_it() {
    let learnt = hourly(r#"{ kind = "hybrid-histogram" }"#);
    assert_eq!(cold_starts(&learnt), 1);
    // Nothing is known in the first hour: a worker stays for all of it. Then one is there from minute 53.1 after
    // each request until the next: about 7 of 60 minutes; the last one leaves at minute 66.
    let seconds = learnt.total.workers.worker_seconds;
    let (first, later) = (3600.0, 22.0 * 0.115 * 3600.0);
    assert!((0.9..1.3).contains(&(seconds / (first + later))), "{seconds} worker seconds");
    let all_day = hourly(r#""90m""#);
    assert_eq!(cold_starts(&all_day), 1);
    assert!(all_day.total.workers.worker_seconds > 6.0 * seconds);
}

#[test]
fn a_short_range_tells_hours_apart_no_more() {
    let learnt = hourly(r#"{ kind = "hybrid-histogram", range = "30m" }"#);
    assert_eq!(cold_starts(&learnt), learnt.total.tasks.measured);
}
