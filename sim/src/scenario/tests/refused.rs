//! Every kind of bad input ends in an error with file, line, key, what was found and what would be right.

use super::*;
use proptest::prelude::*;

/// `GOOD` with a line replaced; fails if there is no such line.
fn with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    GOOD.replacen(old, new, 1)
}

/// The only error of a text is this one.
#[track_caller]
fn only(text: &str, error: &str) {
    assert_eq!(errors(text), [error]);
}

/// The only error of a text begins and ends so.
#[track_caller]
fn only_between(text: &str, begin: &str, end: &str) {
    let errors = errors(text);
    let [error] = &errors[..] else { panic!("{errors:#?}") };
    assert!(error.starts_with(begin) && error.ends_with(end), "{error}");
}

#[test]
fn nothing_is_wrong_with_the_good_one() {
    assert_eq!(errors(GOOD), [""; 0]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    only_between(
        &with("service =", "servcie ="),
        "test.toml:8:1: workload.orders.servcie: found an unknown key, expected \"service\" (the nearest of",
        "workflow)",
    );
    only_between(
        &with("scale_up_cooloff_ms", "scale_up_cooldown"),
        "test.toml:13:55: spec.scaling_group_specs.activities.scaling.config.scale_up_cooldown: found an unknown key, \
         expected \"scale_up_cooloff_ms\" (the nearest of",
        "suppress_scale_up_ms)",
    );
}

#[test]
fn text_that_is_no_toml_is_refused_at_its_place() {
    only_between(&with("[group.activities.worker]", "[group.activities.worker"), "test.toml:15:", "");
    only(
        "title = \"a\"\ntitle = \"b\"",
        "test.toml:2:1: found what is no TOML (duplicate key), expected valid TOML",
    );
}

#[test]
fn broken_toml_is_told_once_with_what_belongs_there() {
    only(
        "horizon = \"10m\" x\n[[a]\n",
        "test.toml:1:17: found unexpected key or value in the TOML, expected newline, `#`",
    );
}

#[test]
fn another_format_is_refused_with_the_one_that_is_known() {
    only(&with("format = 1", "format = 2"), "test.toml:1:10: format: found 2, expected 1");
}

#[test]
fn more_workloads_than_a_run_can_hold_are_refused() {
    let one = |n: usize| {
        format!(
            "[[workload]]\nname = \"w{n}\"\narrival = {{ kind = \"poisson\", rate = 1.0 }}\nservice = {{ kind = \
             \"constant\", value = \"1s\" }}\n"
        )
    };
    let many = (0..256).map(one).collect::<String>();
    only_between(
        &format!("{GOOD}\n{many}"),
        "test.toml:5:",
        "workload: found 257 workloads, expected at most 256",
    );
}

#[test]
fn a_start_before_1970_is_refused() {
    only_between(
        &with("title = \"Test\"", "title = \"Test\"\nstart = \"1969-12-31T23:59:59Z\""),
        "test.toml:3:9: start: found \"1969-12-31T23:59:59Z\"",
        "expected a date from 1970 on",
    );
}

#[test]
fn a_changed_spec_keeps_task_types_and_provider() {
    let changed = |types: &str, provider: &str| {
        format!(
            "{GOOD}\n[[change]]\nat = \"1m\"\n[change.spec.scaling_group_specs.activities]\ntask_types = \
             [\"{types}\"]\ncompute = {{ provider_type = \"{provider}\" }}\n"
        )
    };
    assert_eq!(errors(&changed("ACTIVITY", "aws-lambda")), [""; 0]);
    only_between(
        &changed("WORKFLOW", "aws-lambda"),
        "test.toml:21:14: change.0.spec.scaling_group_specs.activities.task_types: found workflow,",
        "expected activity: a simulated group keeps its task types",
    );
    only_between(
        &changed("ACTIVITY", "aws-ecs"),
        "test.toml:22:29: change.0.spec.scaling_group_specs.activities.compute.provider_type: found \"aws-ecs\",",
        "expected \"aws-lambda\": a simulated group keeps its provider",
    );
}

#[test]
fn errors_in_the_spec_s_own_file_have_their_line_there() {
    let spec = "{\"scaling_group_specs\": {\"activities\": {\n  \"task_types\": [\"ACTIVITY\"],\n  \"compute\": \
                {\"provider_type\": \"aws-lambada\"}}}}";
    let text = GOOD.split("[spec").next().unwrap().replace("horizon =", "spec = \"s.json\"\nhorizon =");
    let loader = |_: &str| Ok(spec.to_owned());
    let error = Scenario::from_toml(&text, "test.toml", &loader).and_then(|scenario| scenario.resolve());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("s.json:3:32: spec.scaling_group_specs.activities.compute.provider_type"),
        "{error}"
    );
}

#[test]
fn faults_and_changes_after_the_horizon_are_warned_of() {
    let fault = "[[fault]]\nkind = \"missing-metrics\"\nat = \"11m\"\nfor = \"1m\"\n";
    let warnings = resolve(&format!("{GOOD}\n{fault}")).unwrap().warnings();
    assert_eq!(
        warnings,
        [
            "fault: found at = \"11m\", which is not before the horizon, 10m: it happens only if the run still drains then"
        ]
    );
    let in_time = fault.replace("11m", "9m");
    assert_eq!(resolve(&format!("{GOOD}\n{in_time}")).unwrap().warnings(), [""; 0]);
}

#[test]
fn durations_are_refused_without_unit_negative_and_with_a_wrong_one() {
    let expected =
        "a duration with its unit (ns, us, ms, s, m, h or d), such as \"800ms\", \"6s\" or \"1h30m\"";
    for (written, found) in [
        ("600", "600 without a unit"),
        ("600.0", "600.0 without a unit"),
        ("\"600\"", "600 without a unit"),
        ("\"-5s\"", "a negative duration"),
        ("\"5 fortnights\"", "the unknown unit \"fortnights\""),
        ("\"300000d\"", "more than the 584 years that fit"),
        ("true", "true"),
        ("nan", "nan"),
    ] {
        let expected = if written == "nan" { "a finite number" } else { expected };
        only(
            &with("\"10m\"", written),
            &format!("test.toml:3:11: horizon: found {found}, expected {expected}"),
        );
    }
}

#[test]
fn numbers_are_refused_out_of_range() {
    let at = "test.toml:7:38: workload.orders.arrival.rate";
    let text = |rate: &str| with("20.0", rate);
    only(&text("-1.0"), &format!("{at}: found -1.0, expected a number above 0"));
    only(&text("0"), &format!("{at}: found 0, expected a number above 0"));
    only(&text("nan"), &format!("{at}: found nan, expected a finite number"));
    only(&text("inf"), &format!("{at}: found inf, expected a finite number"));
    only(&text("\"fast\""), &format!("{at}: found \"fast\", expected a number above 0"));
}

#[test]
fn a_horizon_is_needed_and_more_than_nothing() {
    only(&with("\"10m\"", "\"0s\""), "test.toml:3:11: horizon: found 0s, expected more than \"0s\"");
    only_between(
        &with("horizon = \"10m\"\n", ""),
        "test.toml: horizon: found nothing, expected a duration such as",
        "end",
    );
    only_between(
        &with("\"10m\"", "\"10m\"\nwarm_up = \"10m\""),
        "test.toml:4:11: warm_up: found 10m, expected less than the horizon, 10m",
        "measured",
    );
}

#[test]
fn a_spec_needs_valid_groups() {
    let start = GOOD.find("[spec").unwrap();
    let without_spec = &GOOD[..start];
    only_between(without_spec, "test.toml: spec: found nothing, expected", "scaling_group_specs");
    only(
        &format!("{without_spec}[spec.scaling_group_specs]\n"),
        "test.toml:10:7: spec.scaling_group_specs: found no groups, expected at least one scaling group",
    );
    only_between(
        &with("scale_up_cooloff_ms = 500", "scale_up_cooloff_ms = \"1.5\""),
        "test.toml:13:77: spec.scaling_group_specs.activities.scaling.config.scale_up_cooloff_ms: found \"1.5\"",
        "an integer of at least 0",
    );
    only_between(
        &with("\"no-sync\", config = { scale_up_cooloff_ms = 500 }", "\"rate-based\""),
        "test.toml:13:33: spec.scaling_group_specs.activities.scaling.scaling_algorithm: found",
        "",
    );
    only_between(
        &with("\"aws-lambda\"", "\"aws-lamda\""),
        "test.toml:12:29: spec.scaling_group_specs.activities.compute.provider_type: found \"aws-lamda\", expected \
         \"aws-lambda\" (the nearest of",
        "external)",
    );
}

#[test]
fn exactly_one_of_arrival_and_trace_is_needed() {
    only(
        &with("service = {", "trace = { path = \"a.csv\" }\nservice = {"),
        "test.toml:5:1: workload.orders: found both arrival and trace, expected exactly one of arrival and trace",
    );
    only(
        &with("arrival = { kind = \"poisson\", rate = 20.0 }\n", ""),
        "test.toml:5:1: workload.orders: found neither arrival nor trace, expected exactly one of arrival and trace",
    );
    only_between(
        &with("service = { kind = \"lognormal\", median = \"800ms\", p99 = \"6s\" }", ""),
        "test.toml:5:1: workload.orders.service: found nothing, expected a duration or a distribution",
        "}",
    );
}

#[test]
fn options_of_a_trace_are_checked_without_the_file() {
    let text = |options: &str| {
        let trace = format!("trace = {{ path = \"a.csv\", {options} }}");
        GOOD.replace("arrival = { kind = \"poisson\", rate = 20.0 }", &trace)
    };
    assert_eq!(errors(&text("speed = 2.0, filter = \"duration > 1\"")), [""; 0]);
    only_between(
        &text("length = \"2\""),
        "test.toml:7:36: workload.orders.trace.length: found 2 without a unit, expected a duration",
        "\"1h30m\"",
    );
    only_between(&text("filter = \"1 +\""), "test.toml:7:36: workload.orders.trace.filter: found", "");
    only_between(
        &text("format = \"nab\", filter = \"a\""),
        "test.toml:7:52: workload.orders.trace.filter: found",
        "",
    );
}

#[test]
fn a_group_that_the_spec_does_not_have_is_refused() {
    only(
        &with("[group.activities.worker]", "[group.activites.worker]"),
        "test.toml:15:8: group.activites: found an unknown key, expected activities",
    );
    only(
        &format!(
            "{GOOD}[[fault]]\nat = \"1m\"\nfor = \"1m\"\nkind = \"provider-outage\"\ngroup = \"slow\"\n"
        ),
        "test.toml:21:9: fault.0.group: found \"slow\", expected activities",
    );
}

#[test]
fn task_types_that_no_group_serves_are_refused() {
    only(
        &with("arrival =", "task_type = \"NEXUS\"\narrival ="),
        "test.toml:7:13: workload.orders.task_type: found NEXUS tasks that no group serves, expected a group that \
         serves NEXUS tasks: none of activities does; add NEXUS to its task_types or a group without task_types",
    );
    only(
        &with("slots = 2", "slots = { activity = 0 }"),
        "test.toml:16:9: group.activities.worker.slots: found 0 for activity tasks, expected at least 1, for the tasks \
         of workload \"orders\"",
    );
}

#[test]
fn distributions_are_checked() {
    let at = "test.toml:8:57: workload.orders.service.p99";
    only(
        &with("p99 = \"6s\"", "p99 = \"8ms\""),
        &format!("{at}: found 8ms, expected more than the median, 800ms"),
    );
    only(
        &with("kind = \"lognormal\", median = \"800ms\"", "kind = \"lognormal\""),
        "test.toml:8:11: workload.orders.service: found neither of the two pairs alone, expected either median and p99, \
         or mean and cv",
    );
    only_between(
        &with("\"lognormal\"", "\"log-normal\""),
        "test.toml:8:20: workload.orders.service.kind: found \"log-normal\", expected \"lognormal\" (the nearest of",
        "mixture)",
    );
}

#[test]
fn expectations_are_checked() {
    let text = |line: &str| format!("{GOOD}[expect]\n{line}\n");
    only_between(
        &text("\"schedule_to_start.p96\" = \"< 1s\""),
        "test.toml:18:1: expect.\"schedule_to_start.p96\": found an unknown key, expected \"schedule_to_start.p9",
        "",
    );
    only_between(
        &text("\"schedule_to_start.p95\" = \"< 1000\""),
        "test.toml:18:27: expect.\"schedule_to_start.p95\": found \"< 1000\", expected behind the sign a duration",
        "\"1h30m\"",
    );
    only_between(
        &text("groups.slow.overloaded = \"== true\""),
        "test.toml:18:13: expect.\"groups.slow.overloaded\": found an unknown key",
        "",
    );
    assert_eq!(errors(&text("schedule_to_start.p95 = [\"> 1s\", \"< 2s\"]")), [""; 0]);
}

#[test]
fn changes_do_exactly_one_thing_that_is_possible() {
    let text = |line: &str| format!("{GOOD}[[change]]\nat = \"5m\"\n{line}\n");
    assert_eq!(errors(&text("add_tasks = { workload = \"orders\", count = 5 }")), [""; 0]);
    assert_eq!(errors(&text("arrival_rate = { workload = \"orders\", rate = 0 }")), [""; 0]);
    only_between(&text(""), "test.toml:17:1: change.0: found none or several things to do", "spec");
    only(
        &text("add_tasks = { workload = \"order\", count = 5 }"),
        "test.toml:19:26: change.0.add_tasks.workload: found \"order\", expected orders",
    );
    only_between(
        &text("scaling = { group = \"activities\", config = { scale_up_cooloff = 1 } }"),
        "test.toml:19:65: change.0.scaling.config.scale_up_cooloff: found an unknown key, expected scale_up_cooloff_ms",
        "",
    );
    only_between(
        &text(
            "spec = { scaling_group_specs = { other = { compute = { provider_type = \"aws-lambda\" } } } }",
        ),
        "test.toml:19:8: change.0.spec: found the groups other, expected the groups of the scenario: activities",
        "",
    );
}

#[test]
fn names_are_there_and_unique() {
    let second =
        "[[workload]]\nname = \"orders\"\narrival = { kind = \"bulk\", count = 1 }\nservice = \"1s\"\n";
    only(
        &format!("{GOOD}{second}"),
        "test.toml:18:8: workload.orders.name: found \"orders\" for a second time, expected a name of its own",
    );
    only(&with("\"orders\"", "\"\""), "test.toml:6:8: workload.\"\".name: found \"\", expected a name");
}

#[test]
fn a_spec_in_its_own_file_is_named_in_errors() {
    let start = GOOD.find("[spec").unwrap();
    let text = GOOD[..start].replace("title", "spec = \"spec.json\"\ntitle");
    let load = |json: &'static str| {
        let loader = move |_: &str| Ok(json.to_owned());
        let scenario = Scenario::from_toml(&text, "test.toml", &loader);
        scenario.and_then(|s| s.resolve().map(drop)).map_err(|e| e.to_string()).err().unwrap_or_default()
    };
    assert_eq!(
        load(
            r#"{"scaling_group_specs": {"a": {"compute": {"provider_type": "aws-lambda"}, "scaling": null}}}"#
        ),
        ""
    );
    let wrong = load(r#"{"scaling_group_specs": {"a": {"compute": {"provider_type": "aws"}}}}"#);
    assert!(
        wrong.starts_with("spec.json:1:61: spec.scaling_group_specs.a.compute.provider_type: found \"aws\""),
        "{wrong}"
    );
    let wrong = load("{");
    assert!(wrong.starts_with("test.toml:2:8: spec: found \"spec.json\", which is no JSON"), "{wrong}");
    only_between(
        &text,
        "test.toml:2:8: spec: found \"spec.json\", which cannot be read (no spec.json)",
        "scenario",
    );
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_file() {
    let text = with("\"10m\"", "10").replace("rate = 20.0", "rate = -1").replace("slots = 2", "slot = 2");
    let errors = errors(&text);
    let keys: Vec<&str> = errors.iter().map(|e| e.split(": ").nth(1).unwrap()).collect();
    assert_eq!(keys, ["horizon", "workload.orders.arrival.rate", "group.activities.worker.slot"]);
}

#[test]
fn depth_is_limited() {
    for deep in ["[", "{a=", "a."] {
        assert!(read(&format!("a = {}", deep.repeat(100_000))).is_err());
        assert!(read(&format!("{}b = 1", "a.".repeat(100_000))).is_err());
        assert!(read(&format!("[{}b]", "a.".repeat(100_000))).is_err());
    }
}

/// Words of the format in any order make tables that are nearly right.
fn nearly_toml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "format = 1",
        "title = 'x'",
        "horizon = '1m'",
        "[[workload]]",
        "name = 'a'",
        "arrival",
        "trace",
        "service",
        "=",
        "{ kind = 'poisson', rate = 1 }",
        "{ kind = 'exponential', mean = '1s' }",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\n",
        "[spec.scaling_group_specs.a.compute]",
        "provider_type = 'k8s'",
        "[group.a.worker]",
        "slots = 1",
        "[[change]]",
        "[[fault]]",
        "kind = 'worker-crashes'",
        "at = '1s'",
        "spec",
        "scaling",
        "config",
        "'1s'",
        "1",
        "nan",
        "[expect]",
        "overloaded = '== true'",
        "1979-05-27",
        "group = 'a'",
        "percentiles",
        "points",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" ").replace(" \n ", "\n"))
}

/// Any value at any known key.
fn any_value() -> impl Strategy<Value = toml::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(toml::Value::Integer),
        any::<f64>().prop_map(toml::Value::Float),
        any::<bool>().prop_map(toml::Value::Boolean),
        "[0-9.a-z<>= -]{0,8}".prop_map(toml::Value::String),
        prop::sample::select(vec!["1s", "0s", "9000d", "unlimited", "orders", "activities", "drain"])
            .prop_map(|text| toml::Value::String(text.into())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop::sample::select(vec![
            "kind", "rate", "mean", "cv", "name", "at", "p50", "workload", "count", "median",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(toml::Value::Array),
            prop::collection::vec((key, inner), 0..4).prop_map(|items| toml::Value::Table(
                items.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = vec![
        "horizon",
        "warm_up",
        "workload.orders.arrival",
        "workload.0.service",
        "workload.orders.trace",
        "workload",
        "workload.orders.workflow",
        "spec",
        "spec.scaling_group_specs.activities.scaling.config.scale_up_cooloff_ms",
        "spec.scaling_group_specs.activities",
        "group.activities.provider.mode",
        "group.activities.price",
        "group.activities.worker.cold_start",
        "controller.batching.flush",
        "controller",
        "fault",
        "change",
        "expect.overloaded",
        "expect.schedule_to_start.p95",
        "demo",
        "retry.maximum_attempts",
        "task_queue",
        "start",
    ];
    prop_oneof![3 => prop::sample::select(known).prop_map(str::to_owned), 1 => "[a-z.\"0-9]{0,12}"]
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = resolve(&text);
    }

    #[test]
    fn no_nearly_right_text_panics(text in nearly_toml()) {
        let _ = resolve(&text);
    }

    #[test]
    fn no_value_at_any_key_panics(values in prop::collection::vec((any_key(), any_value()), 1..4)) {
        let scenario = read(GOOD).unwrap();
        let values = values.iter().map(|(key, value)| (key.as_str(), value.clone()));
        if let Ok(changed) = scenario.with(values) {
            // What was accepted can be written and read back.
            let again = read(&changed.to_toml()).unwrap();
            prop_assert_eq!(again.file(), changed.file());
            let _ = changed.resolve();
        }
    }
}
