use super::*;
use crate::research::testing::{SMALL, scenario};
use crate::research::{Case, Lab, Plan, replicate};
use crate::scenario::Scenario;

const POISSON: &str = "arrival = { kind = \"poisson\", rate = 2.0 }";
const SERVICE: &str = "service = { kind = \"lognormal\", median = \"800ms\", p99 = \"6s\" }";

fn plan(beta: f64, changes: &[(&str, &str)]) -> Vec<(u64, u64)> {
    let mut resolved = scenario(changes).resolve().unwrap();
    let seed = resolved.model.seed;
    let plan = SquareRoot { beta }.plan(&mut resolved, seed, Lab::without_files().surroundings).unwrap();
    plan.groups[0].iter().map(|(at, workers)| (at / SECOND, *workers)).collect()
}

/// The offered load is 100 tasks: 100 + beta * 10 slots.
#[test]
fn a_steady_rate_gets_its_load_and_beta_square_roots_of_it() {
    let steady = |beta, slots: &str| {
        let group =
            format!("[group.activities.worker]\nslots = {slots}\n[spec.scaling_group_specs.activities]");
        let rate = ("rate = 2.0", "rate = 50.0");
        let service = (SERVICE, "service = { kind = \"exponential\", mean = \"2s\" }");
        plan(beta, &[rate, service, ("[spec.scaling_group_specs.activities]", &group)]).last().unwrap().1
    };
    assert_eq!([0.0, 0.5, 1.0, 2.0].map(|beta| steady(beta, "1")), [100, 105, 110, 120]);
    assert_eq!(steady(1.0, "4"), 28);
}

/// The load of the first phase is 50, of the second 200 tasks; within a service time 63 % of the way is gone.
#[test]
fn the_plan_is_ahead_by_a_start_and_late_by_a_service() {
    let steps = "arrival = { kind = \"steps\", points = [{ at = \"0s\", rate = 5.0 }, { at = \"100s\", rate = 20.0 }] }";
    let service = (SERVICE, "service = { kind = \"exponential\", mean = \"10s\" }");
    let start = "[group.activities.worker]\nslots = 1\ncold_start = \"7s\"\n\
                 [group.activities.provider]\ninvocation_latency = \"0s\"\n\
                 [spec.scaling_group_specs.activities]";
    let plan = plan(0.0, &[(POISSON, steps), service, ("[spec.scaling_group_specs.activities]", start)]);
    let at = |second: u64| plan.iter().rfind(|(at, _)| *at <= second).unwrap().1;
    assert_eq!((at(92), at(299)), (50, 200));
    assert!(at(93) > 50, "the first second of the second phase is 7 s ahead");
    let after_a_service = 200.0 - 150.0 / std::f64::consts::E;
    assert!((at(102) as f64 - after_a_service).abs() <= 1.0, "{} {after_a_service}", at(102));
}

#[test]
fn bursts_are_counted_and_gone_afterwards() {
    let bursts = "arrival = { kind = \"bursts\", size = 400, every = \"150s\", spread = \"20s\" }";
    let plan = plan(1.0, &[(POISSON, bursts)]);
    assert_eq!(plan.last().unwrap().1, 0, "{plan:?}");
    // 20 tasks/s of 1.16 s: 23.2 tasks, and the square root of it, in workers of two slots.
    let most = plan.iter().map(|(_, workers)| *workers).max().unwrap();
    assert!((14..=15).contains(&most), "{most}");
}

/// 100 tasks at once count as 10 a second for ten seconds.
#[test]
fn tasks_without_a_rate_are_counted_in_windows_of_ten_seconds() {
    let bulk = "arrival = { kind = \"bulk\", count = 100, at = \"60s\" }";
    let service = (SERVICE, "service = { kind = \"exponential\", mean = \"1s\" }");
    let slots = "[group.activities.worker]\nslots = 1\n[spec.scaling_group_specs.activities]";
    let plan = plan(0.0, &[(POISSON, bulk), service, ("[spec.scaling_group_specs.activities]", slots)]);
    assert_eq!(plan.iter().map(|(_, workers)| *workers).max(), Some(10), "{plan:?}");
}

#[test]
fn a_start_takes_what_99_of_100_take() {
    let start = "[group.activities.worker]\ncold_start = { kind = \"uniform\", min = \"0s\", max = \"10s\" }\n\
                 [group.activities.provider]\ninvocation_latency = \"2s\"\n[spec.scaling_group_specs.activities]";
    let model = scenario(&[("[spec.scaling_group_specs.activities]", start)]).resolve().unwrap().model;
    assert_eq!(lead(&model.groups[0]), 11_900_000_000);
}

#[test]
fn nothing_is_planned_beyond_an_hour_ahead() {
    let start = "[group.activities.worker]\ncold_start = \"2h\"\n[spec.scaling_group_specs.activities]";
    let model = scenario(&[("[spec.scaling_group_specs.activities]", start)]).resolve().unwrap().model;
    assert_eq!(lead(&model.groups[0]), 3600 * SECOND);
}

#[test]
fn a_plan_has_a_hundred_thousand_steps_at_most() {
    assert_eq!(step(100_000 * SECOND), SECOND);
    assert_eq!(step(100_001 * SECOND), 2 * SECOND);
}

#[test]
fn less_than_a_thousandth_of_a_task_is_none_and_a_millionth_of_a_worker_is_rounding() {
    let workers = |load| SquareRoot { beta: 0.0 }.workers(load, 1);
    assert_eq!((workers(0.000_999), workers(0.001)), (0, 1));
    assert_eq!((workers(2.000_000_9), workers(2.000_001_1)), (2, 3));
    assert_eq!((workers(99_999.0), workers(200_000.0)), (99_999, 100_000));
}

#[test]
fn what_hands_will_do_is_known() {
    let change = format!(
        "{SMALL}\n[[change]]\nat = \"2m\"\nrate_factor = {{ workload = \"orders\", factor = 4.0 }}\n"
    );
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let changed = Scenario::from_toml(&change, "small.toml", &no_files).unwrap();
    let mut resolved = changed.resolve().unwrap();
    let seed = resolved.model.seed;
    let plan = SquareRoot { beta: 0.0 }.plan(&mut resolved, seed, Lab::without_files().surroundings).unwrap();
    let [before, after] = [100 * SECOND, 200 * SECOND]
        .map(|at| plan.groups[0].iter().rfind(|(from, _)| *from <= at).unwrap().1);
    assert_eq!((before, after), (2, 5), "2 and 8 tasks/s of 1.16 s in workers of two slots");
}

/// Erlang C for 110 servers and 100 tasks is 0.2134: the model proves the plan, and 109 or 111 servers do not pass.
#[test]
fn as_many_tasks_wait_as_the_margin_promises() {
    let at_load_100 = [
        ("rate = 2.0", "rate = 100.0"),
        ("horizon = \"5m\"", "horizon = \"30m\"\nwarm_up = \"1m\""),
        (SERVICE, "service = { kind = \"exponential\", mean = \"1s\" }"),
        ("aws-lambda", "k8s"),
        ("no-sync", "fixed"),
        (
            "[[workload]]",
            "[[task_queue]]\nname = \"default\"\npartitions = 1\n[group.activities.worker]\nslots = 1\ncold_start = \
             \"0s\"\npoll_round_trip = \"0s\"\n[[workload]]",
        ),
    ];
    let case = Case::new("", &scenario(&at_load_100)).unwrap().under(SquareRoot::default());
    let result = replicate(&Lab::without_files(), &case, &Plan::of(20)).unwrap();
    let sync = result.estimate("sync_match_ratio");
    let (waits, half) = (1.0 - sync.mean.unwrap(), sync.ci95.unwrap());
    let exact = |servers: u32| {
        let b = (1..=servers).fold(1.0, |b, n| 100.0 * b / (f64::from(n) + 100.0 * b));
        b / (1.0 - 100.0 / f64::from(servers) * (1.0 - b))
    };
    assert!(
        half < 0.01 && (waits - exact(110)).abs() < 2.0 * half,
        "{waits} +- {half}, exact {}",
        exact(110)
    );
    assert!((waits - exact(109)).abs() > 2.0 * half && (waits - exact(111)).abs() > 2.0 * half, "{waits}");
}

#[test]
fn services_without_a_mean_are_refused() {
    let pareto = (SERVICE, "service = { kind = \"pareto\", min = \"1s\", shape = 0.9 }");
    let resolved = scenario(&[pareto]).resolve().unwrap();
    assert!(SquareRoot::default().check(&resolved).unwrap_err().0.contains("orders"));
}
