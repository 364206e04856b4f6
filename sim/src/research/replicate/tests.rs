use super::*;
use crate::research::testing::{case, replications};

#[test]
fn replications_run_under_the_seeds_from_the_scenarios_on() {
    let result = replications(&[], &Plan::of(10));
    let seeds: Vec<u64> = result.runs.iter().map(|run| run.summary.seed).collect();
    assert_eq!(seeds, (3..13).collect::<Vec<u64>>());
    let alone = replications(&[("seed = 3", "seed = 7")], &Plan::of(1));
    assert_eq!(result.runs[4].summary, alone.runs[0].summary);
}

#[test]
fn every_figure_is_a_mean_with_an_interval() {
    let result = replications(&[], &Plan::of(10));
    let json = result.to_json();
    let p95: Vec<f64> =
        result.runs.iter().filter_map(|run| run.summary.total.schedule_to_start.p95).collect();
    let expected = Estimate::of(&p95);
    assert_eq!(json["schedule_to_start"]["p95"]["mean"].as_f64(), expected.mean);
    assert_eq!(json["schedule_to_start"]["p95"]["ci95"].as_f64(), expected.ci95);
    assert!(json["schedule_to_start"]["p95"]["pooled"].is_number());
    assert!(json["groups"]["activities"]["cost_usd"]["total"]["ci95"].is_number());
    assert!(json["cost_usd"]["groups"]["activities"]["mean"].is_number());
    assert_eq!(json["overloaded"], false);
    assert_eq!(json["replications"]["count"], 10);
    assert_eq!(json["replications"]["conditional_on_trace"], false);
}

#[test]
fn a_maximum_has_no_interval() {
    let result = replications(&[], &Plan::of(10));
    let longest = result.runs.iter().filter_map(|run| run.summary.total.schedule_to_start.max);
    let estimate = result.estimate("schedule_to_start.max");
    assert_eq!(estimate.ci95, None);
    assert_eq!(estimate.pooled, longest.reduce(f64::max));
    assert_eq!(result.estimate("workers.max").ci95, None);
}

#[test]
fn a_ratio_is_pooled_over_tasks_and_not_over_runs() {
    let result = replications(&[], &Plan::of(10));
    let (mut part, mut whole) = (0.0, 0.0);
    for run in &result.runs {
        let total = &run.summary.total;
        part += total.workers.cold_start_ratio.unwrap_or_default() * total.tasks.measured as f64;
        whole += total.tasks.measured as f64;
    }
    let found = result.estimate("workers.cold_start_ratio").mean.expect("there are tasks");
    assert!((found - part / whole).abs() < 1e-12, "{found} instead of {}", part / whole);
}

#[test]
fn a_figure_that_is_censored_once_has_no_upper_end() {
    let changes = [("horizon = \"5m\"", "horizon = \"5m\"\nend = \"cut\""), ("no-sync", "fixed")];
    let result = replications(&changes, &Plan::of(10));
    assert!(result.is_censored("schedule_to_start.p99"));
    assert_eq!(result.estimate("schedule_to_start.p99").high(), None);
    let json = result.to_json();
    let names = json["schedule_to_start"]["censored"].as_array().expect("a list");
    assert!(names.contains(&"p99".into()), "{names:?}");
}

#[test]
fn stops_when_precise_or_at_the_limit() {
    let until = |share| Some(Until { share, keys: vec!["tasks.arrived".into()] });
    let precise = replications(&[], &Plan { count: 60, until: until(0.05) });
    assert_eq!((precise.stop, precise.runs.len() % 10), (Stop::Precise, 0));
    assert!(precise.runs.len() < 60);
    assert!(precise.estimate("tasks.arrived").relative_half_width().is_some_and(|width| width <= 0.05));
    let limited = replications(&[], &Plan { count: 15, until: until(1e-9) });
    assert_eq!((limited.stop, limited.runs.len()), (Stop::Limit, 15));
}

/// What is overloaded has no interval of its waits, however often it is run.
#[test]
fn a_figure_without_an_interval_keeps_nobody_going() {
    let until = Until { share: 0.9, keys: vec!["schedule_to_start.mean".into(), "tasks.arrived".into()] };
    let changes = [("horizon = \"5m\"", "horizon = \"5m\"\nend = \"cut\""), ("no-sync", "fixed")];
    let result = replications(&changes, &Plan { count: 60, until: Some(until) });
    assert_eq!((result.stop, result.runs.len()), (Stop::Precise, 10));
    assert_eq!(result.without_interval, ["schedule_to_start.mean"]);
    assert!(result.too_wide.is_empty());
    assert_eq!(result.to_json()["replications"]["without_interval"][0], "schedule_to_start.mean");
}

#[test]
fn the_figure_that_kept_it_going_is_named() {
    let until = Until { share: 1e-9, keys: vec!["tasks.arrived".into(), "actions.failed".into()] };
    let result = replications(&[], &Plan { count: 15, until: Some(until) });
    assert_eq!((result.stop, &result.too_wide[..]), (Stop::Limit, &["tasks.arrived".to_owned()][..]));
    assert_eq!(result.to_json()["replications"]["too_wide"][0], "tasks.arrived");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| replications(&[], &Plan::of(12)).to_json().to_string())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_synthetic_workload_is_not_conditional() {
    assert!(!case(&[]).is_conditional());
}
