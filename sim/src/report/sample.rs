//! A made-up day with a burst, for the tests of the reports: plausible, not simulated.

use super::log::DecisionCollector;
use crate::model::Routing;
use crate::results::*;
use std::collections::BTreeMap;
use wci_core::controller::FailureClass;
use wci_core::decision::{ActionId, Limit, Reason, Rule};
use wci_core::{Decision, Timestamp};

/// 2026-01-05 00:00:00 UTC.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_571_200_000);
const WINDOWS: usize = 1440;
const WINDOW_S: f64 = 60.0;

/// A decision with the least that a test needs.
pub(crate) fn decision(group: &str, rule: Rule, limit: Option<Limit>, acted: bool) -> Decision {
    let mut reason = Reason::new(rule);
    reason.limit = limit;
    Decision {
        group: group.into(),
        algorithm: if group == "activities" { "no-sync".into() } else { "rate-based".into() },
        reason,
        action_id: acted.then_some(ActionId(7)),
        throttled: 0,
    }
}

/// The same decision at a moment, whose call failed.
pub(crate) fn failed(t: i64, decision: Decision) -> TimedDecision {
    TimedDecision { failure: Some(FailureClass::Unavailable), ..TimedDecision::new(t, decision) }
}

/// A day with two groups: a daily wave, and at 09:00 a burst of a quarter of an hour.
pub(crate) fn run() -> RunResult {
    let activities: Vec<TimelineRow> = (0..WINDOWS).map(|i| row(i, 1.0, 0)).collect();
    let workflows: Vec<TimelineRow> = (0..WINDOWS).map(|i| row(i, 0.4, 9)).collect();
    let total = activities.iter().zip(&workflows).map(|(a, w)| sum(a, w)).collect();
    let groups = BTreeMap::from([("activities".to_owned(), activities), ("workflows".to_owned(), workflows)]);
    RunResult {
        summary: summary(),
        worker_means: WorkerMeans::default(),
        performance: Performance {
            events: 8_412_330,
            wall_seconds: 1.284,
            tasks_per_second: 1_120_000.0,
            peak_rss_bytes: 61_865_984,
        },
        timeline: Timeline { window_s: WINDOW_S, total, groups },
        decisions: decisions(),
        notes: vec![
            "Service times of the trace are an assumption: log-normal, median 800 ms, p99 6 s.".into(),
        ],
        pools: BTreeMap::new(),
    }
}

/// A run in which nothing happened.
pub(crate) fn empty_run() -> RunResult {
    let summary = Summary {
        scenario: "empty".into(),
        seed: 0,
        digest: "0000000000000000".into(),
        routing: Routing::default(),
        total: Figures::default(),
        groups: BTreeMap::new(),
    };
    RunResult {
        summary,
        worker_means: WorkerMeans::default(),
        performance: Performance::default(),
        timeline: Timeline::default(),
        decisions: DecisionLog::default(),
        notes: Vec::new(),
        pools: BTreeMap::new(),
    }
}

/// The report on a run.
pub(crate) fn report(result: &RunResult) -> super::Report<'_> {
    use super::faults::FaultWindow;
    use super::{Expectation, Fact, Report};
    const TOML: &str = "format = 1\ntitle = \"Burst on <Lambda> & co\"\nseed = 42\nhorizon = \"23h\"\n\n[[workload]]\nname = \
                    \"orders\"\narrival = { kind = \"poisson\", rate = 20.0 }\n";
    Report {
        result,
        title: "Burst on <Lambda> & co",
        start: START,
        horizon_s: 23.0 * 3600.0,
        faults: vec![FaultWindow {
            from_s: 9.0 * 3600.0,
            to_s: 10.0 * 3600.0,
            name: "provider-outage of activities".into(),
        }],
        facts: vec![
            Fact::new("Price of activities", "$0.0000166667 a GB-second + $0.20 a million starts, 256 MB"),
            Fact::new("Cold start of activities", "log-normal, median 800 ms, p99 3 s"),
        ],
        scenario_toml: TOML,
        command: "wci run scenarios/burst-lambda.toml --seed 42",
        expectations: vec![
            Expectation {
                path: "schedule_to_start.p95".into(),
                condition: "< 1s".into(),
                actual: "1.36 s".into(),
                passed: false,
            },
            Expectation {
                path: "tasks.failed".into(),
                condition: "= 0".into(),
                actual: "0".into(),
                passed: true,
            },
        ],
    }
}

/// A repeatable number in [0, 1).
fn noise(i: usize, salt: u64) -> f64 {
    crate::rng::unit(crate::rng::key(salt, [i as u64, 3]))
}

fn burst(i: usize) -> f64 {
    let since = i as f64 - 540.0;
    if (0.0..15.0).contains(&since) { 60.0 } else { 0.0 }
}

/// What the burst leaves behind: a backlog that workers eat up within half an hour.
fn aftermath(i: usize) -> f64 {
    let since = i as f64 - 540.0;
    let up = (since / 15.0).clamp(0.0, 1.0);
    let down = 1.0 - ((since - 15.0) / 30.0).clamp(0.0, 1.0);
    up * down
}

fn row(i: usize, share: f64, salt: u64) -> TimelineRow {
    let day = i as f64 / WINDOWS as f64;
    let arrivals_stopped = i >= 1380;
    let wave = 20.0 * (0.55 - 0.45 * libm::cos(day * 2.0 * std::f64::consts::PI)) * share;
    let arrival =
        if arrivals_stopped { 0.0 } else { (wave + burst(i) * share) * (0.8 + 0.4 * noise(i, salt)) };
    let backlog =
        if arrivals_stopped { 0.0 } else { aftermath(i) * 5200.0 * share + 3.0 * noise(i, salt + 1) };
    let dispatch = if arrivals_stopped { 0.0 } else { arrival.min(wave * 1.4 + 20.0) + aftermath(i) * 12.0 };
    let ready = (dispatch * 0.9 / 2.0).ceil().min(40.0);
    let wait = 14.0 + 30.0 * noise(i, salt + 2) + aftermath(i) * 64_000.0;
    let quiet = arrivals_stopped || (salt > 0 && i < 200 && noise(i, salt + 3) > 0.5);
    TimelineRow {
        t_s: i as f64 * WINDOW_S,
        backlog,
        backlog_max: (backlog * 1.3).ceil() as u64,
        arrival_rate: arrival,
        dispatch_rate: dispatch,
        completion_rate: dispatch * (0.95 + 0.1 * noise(i, salt + 4)),
        sync_match_ratio: (!quiet).then_some(0.9),
        workers_starting: if burst(i) > 0.0 { 9.0 } else { (noise(i, salt + 5) * 1.5).floor() },
        workers_ready: ready,
        workers_draining: if aftermath(i) > 0.0 && burst(i) == 0.0 { 4.0 } else { 0.0 },
        busy_slots: (dispatch * 0.8).min(ready * 2.0),
        slots: ready * 2.0,
        cost_usd: ready * WINDOW_S * 0.25 * 0.000_016_666_7,
        schedule_to_start_p50_ms: (!quiet).then_some(wait),
        schedule_to_start_p95_ms: (!quiet).then_some(wait * 4.0 + 500.0 * noise(i, salt + 6)),
        schedule_to_start_p99_ms: (!quiet).then_some(wait * 6.0 + 2500.0 * noise(i, salt + 7)),
    }
}

fn sum(a: &TimelineRow, b: &TimelineRow) -> TimelineRow {
    TimelineRow {
        t_s: a.t_s,
        backlog: a.backlog + b.backlog,
        backlog_max: a.backlog_max + b.backlog_max,
        arrival_rate: a.arrival_rate + b.arrival_rate,
        dispatch_rate: a.dispatch_rate + b.dispatch_rate,
        completion_rate: a.completion_rate + b.completion_rate,
        workers_starting: a.workers_starting + b.workers_starting,
        workers_ready: a.workers_ready + b.workers_ready,
        workers_draining: a.workers_draining + b.workers_draining,
        busy_slots: a.busy_slots + b.busy_slots,
        slots: a.slots + b.slots,
        cost_usd: a.cost_usd + b.cost_usd,
        ..a.clone()
    }
}

fn summary() -> Summary {
    let activities = figures(1.0);
    let mut workflows = figures(0.4);
    workflows.schedule_to_start.p99 = None;
    workflows.schedule_to_start.max = None;
    workflows.schedule_to_start.censored = vec!["p95".into(), "p99".into(), "max".into()];
    let mut total = figures(1.4);
    total.cost_usd.groups = BTreeMap::from([
        ("activities".to_owned(), activities.cost_usd.total),
        ("workflows".to_owned(), workflows.cost_usd.total),
    ]);
    Summary {
        scenario: "burst-lambda".into(),
        seed: 42,
        digest: "9f3c01ab77e2d405".into(),
        routing: Routing::LongestIdle,
        total,
        groups: BTreeMap::from([("activities".to_owned(), activities), ("workflows".to_owned(), workflows)]),
    }
}

fn figures(share: f64) -> Figures {
    let n = |x: f64| (x * share) as u64;
    Figures {
        overloaded: false,
        tasks: Tasks {
            arrived: n(1_027_000.0),
            measured: n(1_027_000.0),
            completed: n(1_027_000.0),
            ..Tasks::default()
        },
        sync_match_ratio: Some(0.914),
        schedule_to_start: Quantiles {
            mean: Some(402.1),
            p50: Some(12.0),
            p90: Some(212.4),
            p95: Some(1361.0),
            p99: Some(64_212.0),
            max: Some(81_930.0),
            censored: Vec::new(),
        },
        sojourn: Quantiles {
            mean: Some(1402.0),
            p50: Some(820.0),
            p90: Some(2900.0),
            p95: Some(4800.0),
            p99: Some(66_000.0),
            max: Some(98_000.0),
            censored: Vec::new(),
        },
        backlog: Backlog { mean: 61.3 * share, max: n(6760.0), max_age: 81_930.0 },
        workers: Workers {
            mean: 9.4 * share,
            max: n(49.0),
            started: n(1812.0),
            never_used: n(211.0),
            cold_start_ratio: Some(0.031),
            worker_seconds: 812_160.0 * share,
            busy_slot_seconds: 1_102_300.0 * share,
            lost_slot_seconds: 0.0,
            utilization: Some(0.68),
        },
        actions: ActionCounts {
            invoke_worker: n(1812.0),
            set_worker_set_size: 0,
            failed: n(3.0),
            throttled: n(2214.0),
        },
        cost_usd: Cost { total: 3.746 * share, groups: BTreeMap::new() },
    }
}

/// Quiet polls, a burst of starts with cuts by the cooldown, and slow steps down afterwards.
fn decisions() -> DecisionLog {
    let mut collector = DecisionCollector::new();
    for i in 0..WINDOWS {
        let t = START.as_millis() + i as i64 * 60_000;
        for (offset, decision) in minute(i) {
            collector.push(t + offset, &decision);
        }
    }
    collector.finish()
}

fn minute(i: usize) -> Vec<(i64, Decision)> {
    let mut out = Vec::new();
    let starts = if burst(i) > 0.0 { 12 } else { usize::from(noise(i, 77) > 0.7) };
    for k in 0..starts {
        let cut = k % 4 == 3;
        let mut up = decision("activities", Rule::NoSyncMatch, cut.then_some(Limit::Cooldown), !cut);
        up.reason =
            up.reason.with("no_sync_match_count", (1 + k) as f64).with("elapsed_ms", 100.0 + 37.0 * k as f64);
        up.reason =
            up.reason.with("cooldown_ms", 100.0).wishing(1, i64::from(!cut), cut.then_some(Limit::Cooldown));
        up.throttled = if cut { 1 + k as u32 } else { 0 };
        out.push((1000 + 4000 * k as i64, up));
    }
    let (rule, acted) = match i {
        540..=560 => (Rule::OfferedLoadAbove, true),
        580..=640 => (Rule::OfferedLoadBelow, i.is_multiple_of(3)),
        _ => (Rule::NoChange, false),
    };
    let limit = (rule == Rule::OfferedLoadBelow && !acted).then_some(Limit::NoSyncQuiet);
    let mut poll = decision("workflows", rule, limit, acted);
    let backlog = (aftermath(i) * 2000.0).floor();
    poll.reason = poll.reason.with_all(&[
        ("backlog_count", backlog),
        ("arrival_rate", 8.0 + noise(i, 5)),
        ("ewma_arrival_rate", 8.25),
        ("capacity", 2.0),
        ("offered_load", 4.125),
        ("current_workers", 8.0),
    ]);
    let desired = if acted { if rule == Rule::OfferedLoadAbove { 12 } else { 7 } } else { 8 };
    poll.reason = poll.reason.wishing(if limit.is_some() { 6 } else { desired }, desired, limit);
    out.push((30_000, poll));
    out.sort_by_key(|(offset, _)| *offset);
    out
}
