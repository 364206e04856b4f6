//! Faults as scenarios say them: overlapping ones, a controller that is away, and what slots are for.
#![cfg(feature = "cli")]

mod common;

use common::run;
use wci_sim::scenario::Scenario;

const BASE: &str = r#"
format = 1
title = "Faults"
seed = 11
horizon = "20m"

[[workload]]
name = "orders"
arrival = { kind = "poisson", rate = 8.0 }
service = { kind = "exponential", mean = "1s" }

[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "aws-lambda" }
"#;

fn fault(kind: &str, at: &str, lasts: &str) -> String {
    format!("\n[[fault]]\nkind = \"{kind}\"\nat = \"{at}\"\nfor = \"{lasts}\"\n")
}

#[test]
fn a_controller_that_is_away_loses_no_time_and_no_signal() {
    let with = run(&format!("{BASE}{}", fault("controller-restart", "5m", "2m")));
    let without = run(BASE);
    assert_eq!(with.total.tasks.completed, with.total.tasks.arrived);
    assert!(with.total.workers.mean < 3.0 * without.total.workers.mean, "{}", with.total.workers.mean);
    assert!(with.total.workers.utilization.is_some_and(|u| u > 0.01 && u < 1.0));
}

#[test]
fn overlapping_outages_last_until_the_last_one_ends() {
    let both =
        format!("{BASE}{}{}", fault("provider-outage", "1s", "5m"), fault("provider-outage", "1m", "14m"));
    let long = format!("{BASE}{}", fault("provider-outage", "1s", "899s"));
    assert_eq!(run(&both).total.tasks, run(&long).total.tasks);
    assert_eq!(run(&both).total.schedule_to_start, run(&long).total.schedule_to_start);
}

#[test]
fn a_worker_runs_as_many_tasks_as_it_has_slots_however_few_pollers() {
    let one_worker = |pollers: u32| {
        let text = BASE.replace("rate = 8.0", "rate = 40.0").replace(
            "aws-lambda\" }",
            "k8s\" }\nscaling = { scaling_algorithm = \"fixed\", config = { count = 1 } }",
        );
        run(&format!(
            "{text}\n[group.activities.worker]\nslots = 60\npollers = {pollers}\npoll_round_trip = \"2ms\"\n"
        ))
    };
    let few = one_worker(2);
    assert!(!few.total.overloaded, "{:?}", few.total.tasks);
    assert!(few.total.workers.utilization.is_some_and(|u| u > 0.5), "{:?}", few.total.workers);
    assert!(
        few.total.schedule_to_start.p95.is_some_and(|wait| wait < 100.0),
        "{:?}",
        few.total.schedule_to_start
    );
}

#[test]
fn a_rate_limited_queue_is_served_in_the_order_of_its_adds() {
    let limited = |partitions: u32| {
        let queue = format!(
            "[[task_queue]]\nname = \"default\"\npartitions = {partitions}\nmax_dispatch_rate = 5.0\n"
        );
        run(&BASE.replace("[spec.", &format!("{queue}\n[spec.")).replace("\"20m\"", "\"5m\""))
    };
    let (one, four) = (limited(1), limited(4));
    let (one, four) = (one.total.schedule_to_start.max, four.total.schedule_to_start.max);
    let ratio = four.zip(one).map(|(four, one)| four / one);
    assert!(ratio.is_some_and(|ratio| (0.95..1.1).contains(&ratio)), "{one:?} and {four:?}");
}

#[test]
fn one_spec_has_one_mode() {
    let text = format!(
        "{BASE}\n[spec.scaling_group_specs.other]\ntask_types = [\"NEXUS\"]\ncompute = {{ provider_type = \"k8s\" }}\n\
         [group.other.provider]\nmode = \"per-request\"\nkeep_alive = {{ kind = \"fixed\", window = \"1m\" }}\n"
    );
    let no_files = |name: &str| Err(std::io::Error::new(std::io::ErrorKind::NotFound, name.to_owned()));
    let result = Scenario::from_toml(&text, "mixed.toml", &no_files)
        .and_then(|scenario| scenario.resolve().map(|_| ()));
    let error = result.expect_err("two modes are refused").to_string();
    assert!(error.contains("mode") || error.contains("keep_alive"), "{error}");
}
