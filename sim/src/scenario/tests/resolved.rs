//! What a scenario means once the defaults are in.

use super::*;
use crate::model::{ChangeKind, MILLI, SECOND};
use toml::Value;

#[test]
fn a_scenario_is_written_back_as_it_was_read() {
    let text = format!(
        "{GOOD}[[fault]]\nat = \"1m\"\nfor = \"90s\"\nkind = \"lost-signals\"\n\
         [[change]]\nat = \"2m\"\nrate_factor = {{ workload = \"orders\", factor = 2.5 }}\n\
         [expect]\nschedule_to_start.p95 = \"< 1s\"\n\
         [controller]\nlike_go = true\nbatching = {{ flush = \"2s\" }}\n"
    );
    let scenario = read(&text).unwrap();
    let again = read(&scenario.to_toml()).unwrap();
    assert_eq!(again.file(), scenario.file());
    assert_eq!(again.to_toml(), scenario.to_toml());
    assert_eq!(format!("{:?}", again.resolve().unwrap()), format!("{:?}", scenario.resolve().unwrap()));
}

#[test]
fn what_is_left_out_is_the_provider_types_default() {
    let resolved = resolve(GOOD).unwrap();
    let model = &resolved.model;
    assert_eq!((model.name.as_str(), model.seed, model.horizon), ("test", 1, 600 * SECOND));
    assert_eq!(model.task_queues.len(), 1);
    assert_eq!((model.task_queues[0].name.as_str(), model.task_queues[0].partitions), ("default", 4));
    let group = &model.groups[0];
    assert_eq!(group.worker.slots, [2, 2, 2]);
    assert_eq!(group.worker.pollers, [2, 1, 1]);
    assert_eq!(group.worker.lifetime, Some(590 * SECOND));
    assert_eq!(group.provider.concurrency, Some(1000));
    assert_eq!((group.price.memory_mb, group.price.rounding), (256.0, MILLI));
    let timeout = model.workloads[0].start_to_close_timeout as f64;
    assert!((timeout / 60e9 - 1.0).abs() < 1e-6, "ten times the 99th percentile of 6 s, not {timeout}");
}

#[test]
fn slots_by_type_leave_the_others_at_their_default() {
    let text = GOOD.replace("slots = 2", "slots = { activity = 7 }");
    assert_eq!(resolve(&text).unwrap().model.groups[0].worker.slots, [10, 7, 5]);
}

#[test]
fn a_worker_set_begins_with_what_its_algorithm_starts_from() {
    let text = GOOD.replace("aws-lambda", "k8s").replace(
        "\"no-sync\", config = { scale_up_cooloff_ms = 500 }",
        "\"rate-based\", config = { initial_count = 3 }",
    );
    assert_eq!(resolve(&text).unwrap().model.groups[0].provider.initial_workers, 3);
    let cold = format!("{text}[controller]\nstarted = \"cold\"\n");
    assert_eq!(resolve(&cold).unwrap().model.groups[0].provider.initial_workers, 0);
    let own = format!("{text}[group.activities.provider]\ninitial_workers = 9\n");
    assert_eq!(resolve(&own).unwrap().model.groups[0].provider.initial_workers, 9);
}

#[test]
fn single_values_are_read_and_set_by_their_dotted_keys() {
    let scenario = read(GOOD).unwrap();
    let get = |s: &Scenario, key: &str| s.get(key).unwrap().map(|v| v.to_string());
    assert_eq!(get(&scenario, "workload.orders.arrival.rate").as_deref(), Some("20.0"));
    assert_eq!(get(&scenario, "workload.0.arrival.rate").as_deref(), Some("20.0"));
    assert_eq!(get(&scenario, "controller.like_go"), None);
    let key = "spec.scaling_group_specs.activities.scaling.config.scale_up_cooloff_ms";
    let changed = scenario
        .with([
            (key, parse_value("250")),
            ("workload.orders.arrival.rate", parse_value("5")),
            ("controller.metric_delay", parse_value("60s")),
            ("horizon", parse_value("20m")),
            ("title", parse_value("7")),
            ("expect.schedule_to_start.p95", parse_value("< 1s")),
        ])
        .unwrap();
    assert_eq!(get(&changed, key).as_deref(), Some("250"));
    assert_eq!(changed.file().title, "7");
    let resolved = changed.resolve().unwrap();
    assert_eq!(resolved.model.horizon, 1200 * SECOND);
    assert!(resolved.model.controller.settings.keep_next_poll);
    let like_go = scenario.with([("controller.like_go", parse_value("true"))]).unwrap().resolve().unwrap();
    assert!(!like_go.model.controller.settings.keep_next_poll);
    assert_eq!(resolved.expect.len(), 1);
}

#[test]
fn how_old_statistics_of_deferred_decisions_may_be_follows_like_go_unless_it_is_said() {
    const AGE: &str = "controller.deferred_metrics_max_age";
    let resolved = |set: &[(&str, &str)]| {
        let set = set.iter().map(|(key, value)| (*key, parse_value(value)));
        read(GOOD).unwrap().with(set).unwrap().resolve()
    };
    for (set, millis) in [
        (&[][..], 1000),
        (&[("controller.like_go", "true")], 0),
        (&[(AGE, "0s")], 0),
        (&[(AGE, "2500ms")], 2500),
        (&[("controller.like_go", "true"), (AGE, "1s")], 1000),
    ] {
        let age = resolved(set).unwrap().model.controller.settings.deferred_metrics_max_age;
        assert_eq!(age.get(), millis, "{set:?}");
    }
    let errors = resolved(&[(AGE, "500us")]).unwrap_err().to_string();
    assert!(errors.ends_with("found 500us, expected \"0s\" or more, in whole milliseconds"), "{errors}");
}

#[test]
fn another_algorithm_does_not_get_the_settings_of_the_old_one() {
    let text = "format = 1\ntitle = \"x\"\nhorizon = \"1m\"\n[[workload]]\nname = \"w\"\narrival = { kind = \
                \"poisson\", rate = 1.0 }\nservice = \"1s\"\n[spec.scaling_group_specs.g]\ncompute = { provider_type \
                = \"aws-lambda\" }\nscaling = { scaling_algorithm = \"no-sync\", config = { scale_up_cooloff_ms = 7 } }\n";
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let written = crate::scenario::Scenario::from_toml(text, "x.toml", &no_files).unwrap();
    let key = |name: &str| format!("spec.scaling_group_specs.g.scaling.{name}");
    let (algorithm, config, target) =
        (key("scaling_algorithm"), key("config"), key("config.target_utilization"));
    let hpa = written.with([(algorithm.as_str(), "hpa".into())]).unwrap();
    assert!(hpa.resolve().is_ok() && hpa.get(&config).unwrap().is_none());
    // Those that are set as well are kept, whatever comes first.
    let settings = [(target.as_str(), Value::Float(0.6)), (algorithm.as_str(), "hpa".into())];
    let hpa = written.with(settings).unwrap();
    assert_eq!(hpa.get(&target).unwrap(), Some(Value::Float(0.6)));
    assert!(hpa.resolve().is_ok());
    let same = written.with([(algorithm.as_str(), "no-sync".into())]).unwrap();
    assert_eq!(same.get(&key("config.scale_up_cooloff_ms")).unwrap(), Some(7.into()));
}

#[test]
fn wrong_keys_and_values_set_by_hand_are_told_without_a_place() {
    let scenario = read(GOOD).unwrap();
    let refused = |key: &str, text: &str| scenario.with([(key, parse_value(text))]).unwrap_err().to_string();
    let error = refused("workload.orders.arrival.rte", "5");
    assert_eq!(
        error,
        "test.toml: workload.orders.arrival.rte: found an unknown key, expected \"rate\" (the nearest of kind, rate)"
    );
    let error = refused("workload.oders.arrival.rate", "5");
    assert_eq!(error, "test.toml: workload.oders: found \"oders\", expected orders");
    let error = refused("workload.orders.arrival.rate", "-5");
    assert_eq!(error, "test.toml: workload.orders.arrival.rate: found -5, expected a number above 0");
    assert!(refused("horizon", "20").starts_with("test.toml: horizon: found 20 without a unit"));
    assert!(refused("horizon.x", "20").starts_with("test.toml: horizon: found \"10m\", expected a duration"));
    assert!(refused("fault.0.at", "1s").contains("fault"));
    assert!(refused("", "1").contains("an empty name"));
    assert!(scenario.get("worklod").unwrap_err().to_string().contains("\"workload\" (the nearest of"));
}

#[test]
fn texts_of_a_command_line_are_values() {
    assert_eq!(parse_value("5"), Value::Integer(5));
    assert_eq!(parse_value("0.5"), Value::Float(0.5));
    assert_eq!(parse_value("true"), Value::Boolean(true));
    assert_eq!(parse_value("20m"), Value::String("20m".into()));
    assert_eq!(parse_value("\"5\""), Value::String("5".into()));
    assert!(parse_value("{ kind = \"poisson\", rate = 1 }").is_table());
    assert_eq!(parse_value("{ kind"), Value::String("{ kind".into()));
}

#[test]
fn a_date_may_stand_without_quotes() {
    let text = GOOD.replace("horizon", "start = 2026-03-01T12:00:00+01:00\nhorizon");
    assert_eq!(resolve(&text).unwrap().model.start.as_millis(), 1_772_362_800_000);
}

#[test]
fn changes_of_the_spec_build_on_the_one_before() {
    let text = format!(
        "{GOOD}[[change]]\nat = \"2m\"\nscaling = {{ group = \"activities\", config = {{ scale_up_backlog_threshold = 7 }} }}\n\
         [[change]]\nat = \"1m\"\nscaling = {{ group = \"activities\", config = {{ scale_up_cooloff_ms = 0 }} }}\n\
         [[change]]\nat = \"3m\"\nscaling = {{ group = \"activities\", scaling_algorithm = \"fixed\" }}\n"
    );
    let changes = resolve(&text).unwrap().model.changes;
    let scaling = |index: usize| match &changes[index].kind {
        ChangeKind::Spec(spec) => spec.to_json()["scaling_group_specs"]["activities"]["scaling"].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(changes.iter().map(|change| change.at / SECOND).collect::<Vec<_>>(), [60, 120, 180]);
    assert_eq!(scaling(0)["config"], serde_json::json!({"scale_up_cooloff_ms": 0}));
    let both = serde_json::json!({"scale_up_cooloff_ms": 0, "scale_up_backlog_threshold": 7});
    assert_eq!(scaling(1)["config"], both);
    assert_eq!(scaling(2)["scaling_algorithm"], "fixed");
}

#[test]
fn a_new_arrival_rate_is_a_factor_on_the_own_one() {
    let text =
        format!("{GOOD}[[change]]\nat = \"2m\"\narrival_rate = {{ workload = \"orders\", rate = 5 }}\n");
    let changes = resolve(&text).unwrap().model.changes;
    assert!(matches!(changes[0].kind, ChangeKind::RateFactor { workload: 0, factor } if factor == 0.25));
}

#[test]
fn a_workflow_shape_has_both_types_and_its_own_services() {
    let text = GOOD.replace("[\"ACTIVITY\"]", "[]").replace(
        "service = { kind = \"lognormal\", median = \"800ms\", p99 = \"6s\" }",
        "workflow = { activities = 3, workflow_task_service = \"20ms\", activity_service = \"2s\", activity_task_queue = \"slow\" }",
    );
    let resolved = resolve(&text).unwrap();
    let names: Vec<&str> = resolved.model.task_queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["default", "slow"]);
    let workload = &resolved.model.workloads[0];
    assert_eq!((workload.task_queue, workload.start_to_close_timeout), (0, 20 * SECOND));
    assert_eq!(workload.workflow.as_ref().unwrap().activity_task_queue, 1);
    let unserved = GOOD.replace(
        "service = {",
        "workflow = { activities = 1, workflow_task_service = \"1s\", activity_service = \"1s\" }\n#",
    );
    assert!(errors(&unserved)[0].contains("WORKFLOW tasks that no group serves"), "{:?}", errors(&unserved));
}

#[test]
fn the_sinusoid_is_highest_when_it_says() {
    let rate = |peak: &str, at: u64| {
        let arrival =
            format!("{{ kind = \"sinusoidal\", rate = 10, amplitude = 0.5, period = \"8h\"{peak} }}");
        let resolved = resolve(&GOOD.replace("{ kind = \"poisson\", rate = 20.0 }", &arrival)).unwrap();
        match &resolved.sources[0] {
            SourceSpec::Synthetic { arrivals, .. } => arrivals.rate_at(at * 3600 * SECOND).unwrap(),
            SourceSpec::Trace { .. } => panic!(),
        }
    };
    assert!((rate("", 4) - 15.0).abs() < 1e-9);
    assert!((rate("", 0) - 5.0).abs() < 1e-9);
    assert!((rate(", peak_at = \"1h\"", 1) - 15.0).abs() < 1e-9);
    assert!((rate(", peak_at = \"7h\"", 7) - 15.0).abs() < 1e-9);
}

#[test]
fn tasks_added_by_hand_have_the_service_of_their_time() {
    let add =
        |at: u32| format!("[[change]]\nat = \"{at}m\"\nadd_tasks = {{ workload = \"orders\", count = 3 }}\n");
    let new = "[[change]]\nat = \"2m\"\nservice = { workload = \"orders\", times = \"5s\" }\n";
    let changes = resolve(&format!("{GOOD}{}{}{new}", add(3), add(1))).unwrap().model.changes;
    let service = |index: usize| match &changes[index].kind {
        ChangeKind::AddTasks { service, .. } | ChangeKind::Service { service, .. } => {
            service.quantile(0.99) / 1e9
        }
        other => panic!("{other:?}"),
    };
    assert!((service(0) - 6.0).abs() < 1e-6);
    assert_eq!((service(1), service(2)), (5.0, 5.0));
}
