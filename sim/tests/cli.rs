//! The command line as a person meets it: what it prints, what it writes, and how it ends.
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scenario that runs in no time.
const SMALL: &str = r#"
format = 1
title = "Small"
seed = 3
horizon = "5m"

[[workload]]
name = "orders"
arrival = { kind = "poisson", rate = 3.0 }
service = { kind = "lognormal", median = "800ms", p99 = "6s" }

[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "aws-lambda" }
scaling = { scaling_algorithm = "no-sync" }
"#;

/// A folder of this test alone.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("the file can be written");
        path.to_string_lossy().into_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn wci(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wci"));
    command.args(args).env_remove("WCI_TRACES").env("NO_COLOR", "1");
    command.output().expect("wci runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs and expects status 2 and all of these words on stderr, which must hold no panic.
fn refused(args: &[&str], words: &[&str]) {
    let output = wci(args);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    assert!(!error.contains("panicked"), "{args:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{args:?}: no {word:?} in: {error}");
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[test]
fn runs_a_scenario_and_writes_everything() {
    let folder = Folder::new("writes");
    let scenario = folder.file("small.toml", SMALL);
    let out = folder.path("out");
    let output = wci(&["run", &scenario, "--out", &out, "--tasks"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Small"), "{}", text(&output.stdout));
    for name in [
        "summary.json",
        "performance.json",
        "timeseries.csv",
        "decisions.jsonl",
        "journal.jsonl",
        "tasks.csv",
    ] {
        assert!(folder.read(&format!("out/{name}")).lines().count() > 1, "{name} is empty");
    }
    let page = folder.read("out/report.html");
    assert!(page.contains("Small") && page.contains("</html>"));
    let pictures = fs::read_dir(&out).expect("the folder is there").filter_map(Result::ok);
    let names: Vec<String> = pictures.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    for kind in [".png", ".svg"] {
        assert_eq!(names.iter().filter(|name| name.ends_with(kind)).count(), 5, "{names:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_digest() {
    let folder = Folder::new("bytes");
    let scenario = folder.file("small.toml", SMALL);
    let summary = |seed: &str, out: &str| {
        let out_path = folder.path(out);
        let output = wci(&["run", &scenario, "--seed", seed, "--out", &out_path, "-q"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let names =
            ["summary.json", "timeseries.csv", "decisions.jsonl", "journal.jsonl", "rates.svg", "rates.png"];
        names.map(|name| fs::read(folder.0.join(out).join(name)).expect("it was written"))
    };
    let first = summary("3", "a");
    assert!(first == summary("3", "b"), "the same seed gave other bytes");
    assert_ne!(first[0], summary("4", "c")[0]);
}

#[test]
fn a_journal_replays_to_the_same_decisions_and_a_changed_one_does_not() {
    let folder = Folder::new("replay");
    let scenario = folder.file("small.toml", SMALL);
    let out = folder.path("out");
    assert!(wci(&["run", &scenario, "--out", &out, "-q"]).status.success());
    let journal = folder.path("out/journal.jsonl");
    let output = wci(&["replay", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("every decision came out the same"));
    let changed = folder.read("out/journal.jsonl").replacen(
        "\"invoke_worker\":{\"group\":\"activities\",\"count\":1}",
        "\"invoke_worker\":{\"group\":\"activities\",\"count\":2}",
        1,
    );
    let changed = folder.file("changed.jsonl", changed);
    assert_eq!(wci(&["replay", &changed]).status.code(), Some(1));
    let packed = folder.file("journal.jsonl.gz", gzip(folder.read("out/journal.jsonl").as_bytes()));
    assert_eq!(wci(&["replay", &packed]).status.code(), Some(0));
    let cut = folder.read("out/journal.jsonl");
    let cut = folder.file("cut.jsonl", &cut[..cut.len() / 2]);
    refused(&["replay", &cut], &["cut.jsonl", "line"]);
}

#[test]
fn a_failed_expectation_is_status_1() {
    let folder = Folder::new("expect");
    let scenario =
        folder.file("small.toml", format!("{SMALL}\n[expect]\n\"schedule_to_start.max\" = \"< 1ms\"\n"));
    let output = wci(&["run", &scenario]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_eq!(wci(&["run", &scenario, "--no-expect"]).status.code(), Some(0));
}

#[test]
fn json_has_the_keys_of_the_interface() {
    let folder = Folder::new("json");
    let scenario = folder.file("small.toml", SMALL);
    let output =
        wci(&["run", &scenario, "--json", "--set", "workload.orders.arrival.rate=5", "--set", "title=Other"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    for path in
        ["/tasks/arrived", "/schedule_to_start/p95", "/workers/utilization", "/cost_usd/groups/activities"]
    {
        assert!(json.pointer(path).is_some_and(serde_json::Value::is_number), "{path} in {json}");
    }
    assert!(json["performance"]["events"].as_u64() > Some(0));
    assert_eq!(json["seed"], 3);
    assert!(json["tasks"]["arrived"].as_u64() > Some(1200), "the rate was set");
}

#[test]
fn explains_a_moment() {
    let folder = Folder::new("explain");
    let scenario = folder.file("small.toml", SMALL);
    let output = wci(&["explain", &scenario, "--at", "1m"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("activities"), "{}", text(&output.stdout));
    refused(&["explain", &scenario, "--at", "soon"], &["--at", "soon"]);
    refused(&["explain", &scenario, "--at", "9h"], &["--at", "after its end"]);
    refused(&["explain", &scenario, "--at", "2020-01-01T00:00:00Z"], &["--at", "before its start"]);
    refused(&["explain", &scenario, "--at", "1m", "--group", "none"], &["--group none", "activities"]);
}

/// The small scenario with a provider that is out from minute 1 to 3.
fn outage() -> String {
    let fault = "[[fault]]\nkind = \"provider-outage\"\nat = \"1m\"\nfor = \"2m\"\n";
    format!("{SMALL}\n[group.activities.worker]\nlifetime = \"30s\"\n\n{fault}")
}

#[test]
fn calls_that_failed_are_marked_wherever_decisions_are_shown() {
    let folder = Folder::new("outage");
    let scenario = folder.file("outage.toml", outage());
    let output = wci(&["run", &scenario, "--out", &folder.path("out"), "-q"]);
    let table = text(&output.stdout);
    for part in ["of the calls failed", "provider-outage, from 1 min to 3 min", "until one succeeds"] {
        assert!(table.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "{part} in\n{table}");
    }
    let decisions = folder.read("out/decisions.jsonl");
    let times: Vec<i64> = decisions
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["t"].as_i64())
        .collect();
    assert!(times.is_sorted(), "lines stay in the order of time");
    assert!(decisions.contains("\"failure\":\"unavailable\""));
    let page = folder.read("out/report.html");
    for part in ["✕ failed", "But the call failed", "call failed", "provider-outage, from 1 min to 3 min"] {
        assert!(page.contains(part), "{part} in the report");
    }
    let picture = folder.read("out/backlog-workers.svg");
    assert!(picture.contains("provider-outage") && picture.contains("call failed"));
    let answer = text(&wci(&["explain", &scenario, "--at", "2m"]).stdout);
    assert!(answer.contains("Under way: provider-outage, from 1 min to 3 min"), "{answer}");
    assert!(answer.contains("the call failed"), "{answer}");
}

#[test]
fn a_replay_with_another_spec_prints_a_summary_and_only_the_differences() {
    let folder = Folder::new("replay_spec");
    let scenario = folder.file("small.toml", SMALL);
    assert!(wci(&["run", &scenario, "--out", &folder.path("out"), "-q"]).status.success());
    let spec = r#"{"scaling_group_specs": {"activities": {"task_types": ["ACTIVITY"], "compute":
        {"provider_type": "aws-lambda"}, "scaling": {"scaling_algorithm": "no-sync", "config":
        {"scale_up_cooloff_ms": 20000}}}}}"#;
    let (journal, spec) = (folder.path("out/journal.jsonl"), folder.file("spec.json", spec));
    let short = text(&wci(&["replay", &journal, "--spec", &spec]).stdout);
    for part in ["both do the same", "this spec would have done nothing", "activities: net workers started +"]
    {
        assert!(short.contains(part), "{part} in\n{short}");
    }
    let all = text(&wci(&["replay", &journal, "--spec", &spec, "--all"]).stdout);
    assert!(all.lines().count() > short.lines().count(), "{short}\n{all}");
}

#[test]
fn a_report_names_the_whole_command_that_made_it() {
    let folder = Folder::new("again");
    let scenario = folder.file("small.toml", SMALL.replace("\"5m\"", "\"2h\""));
    let output = wci(&["run", &scenario, "--mser5", "--seed", "5", "--out", &folder.path("out"), "-q"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(folder.read("out/report.html").contains("--seed 5 --mser5"));
}

#[test]
fn a_bench_of_nothing_is_refused() {
    refused(&["bench", "--runs", "0"], &["--runs", "0"]);
    refused(&["bench", "--tasks", "0"], &["--tasks", "0"]);
}

#[test]
fn decides_line_by_line_and_goes_on_after_a_bad_one() {
    let folder = Folder::new("decide");
    let good = r#"{"algorithm":"no-sync","config":{},"status":{},"now_ms":1700000000000,"task_add":{"task_queue_type":1,"is_sync_match":false}}"#;
    let bad_config = good.replace("\"config\":{}", "\"config\":{\"scale_up_coolof_ms\":5}");
    let file = folder.file("questions.jsonl", format!("{good}\nnot json\n{bad_config}\n{good}\n"));
    let output = wci(&["decide", &file]);
    let answers: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("each answer is JSON"))
        .collect();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["actions"][0]["action"], "invoke-worker");
    assert!(answers[1]["error"].as_str().is_some_and(|error| error.contains('2')), "{}", answers[1]);
    assert!(
        answers[2]["error"].as_str().is_some_and(|error| error.contains("scale_up_cooloff_ms")),
        "{}",
        answers[2]
    );
    assert_eq!(answers[3], answers[0]);
}

#[test]
fn bad_scenarios_are_refused_with_file_line_key_found_and_expected() {
    let folder = Folder::new("scenarios");
    refused(&["run", &folder.path("missing.toml")], &["missing.toml", "no such file"]);
    let cases: [(&str, &str, &str, &[&str]); 9] = [
        ("unknown.toml", "seed = 3", "sed = 3", &["unknown.toml:4", "sed", "seed"]),
        ("horizon.toml", "horizon = \"5m\"", "horizon = \"0s\"", &["horizon.toml", "horizon", "0s"]),
        ("negative.toml", "800ms", "-800ms", &["negative.toml:10", "median", "a negative duration"]),
        ("nan.toml", "rate = 3.0", "rate = nan", &["nan.toml:9", "rate"]),
        ("unit.toml", "\"5m\"", "5", &["unit.toml:5", "horizon", "5"]),
        ("type.toml", "[\"ACTIVITY\"]", "[\"ACTIVITEE\"]", &["type.toml", "ACTIVITEE", "ACTIVITY"]),
        ("algorithm.toml", "\"no-sync\"", "\"no-sink\"", &["algorithm.toml", "no-sink", "no-sync"]),
        (
            "both.toml",
            "service =",
            "trace = { path = \"x.csv\" }\nservice =",
            &["both.toml", "arrival", "trace"],
        ),
        ("syntax.toml", "format = 1", "format = ", &["syntax.toml:2"]),
    ];
    for (name, from, to, words) in cases {
        assert!(SMALL.contains(from));
        let file = folder.file(name, SMALL.replacen(from, to, 1));
        refused(&["run", &file], words);
        refused(&["validate", &file], words);
    }
    let groups = SMALL.split("[spec").next().expect("there is something before").to_owned()
        + "[spec.scaling_group_specs]\n";
    refused(&["run", &folder.file("groups.toml", groups)], &["groups.toml", "group"]);
    let good = folder.file("good.toml", SMALL);
    refused(&["run", &good, "--set", "horizon"], &["--set horizon", "PATH=VALUE"]);
    refused(
        &["run", &good, "--set", "horizn=1h"],
        &["--set horizn=1h: horizn: found an unknown key", "horizon"],
    );
    refused(&["run", &good, "--set", "horizon=0s"], &["error: --set horizon=0s: horizon: found 0s"]);
    let late = wci(&["validate", &folder.file("late.toml", outage().replace("at = \"1m\"", "at = \"9m\""))]);
    assert_eq!(late.status.code(), Some(0));
    assert!(text(&late.stderr).contains("warning:") && text(&late.stderr).contains("not before the horizon"));
}

#[test]
fn bad_traces_are_refused_with_file_and_line() {
    let folder = Folder::new("traces");
    let unknown = folder.file("unknown.csv", "when;what;how long\n1;2;3\n");
    refused(&["trace", "stats", &unknown], &["found the columns when, what, how long", "--format"]);
    let plain = "timestamp,duration\n0,1\n1,2.5\n2,0.5\n";
    let stats = |name: &str, content: &[u8]| folder.file(name, content);
    let good = stats("good.csv", plain.as_bytes());
    assert!(wci(&["trace", "stats", &good]).status.success());
    refused(&["trace", "stats", &folder.path("none.csv")], &["none.csv", "no such file"]);
    let packed = gzip(plain.repeat(1000).as_bytes());
    let cut = stats("cut.csv.gz", &packed[..packed.len() - 20]);
    refused(&["trace", "stats", &cut, "--format", "csv"], &["cut.csv.gz"]);
    let column = stats("column.csv", b"timestamp,duration\n0,1\n1\n");
    refused(&["trace", "stats", &column, "--format", "csv"], &["column.csv", "3"]);
    let nan = stats("nan.csv", b"timestamp,duration\n0,1\n1,NaN\n");
    refused(&["trace", "stats", &nan, "--format", "csv"], &["nan.csv", "3", "NaN"]);
    let negative = stats("negative.csv", b"timestamp,duration\n0,1\n1,-2\n");
    refused(&["trace", "stats", &negative, "--format", "csv"], &["negative.csv", "3", "-2"]);
    let endless = stats("endless.csv", &[b"timestamp,duration\n".to_vec(), vec![b'7'; 2 << 20]].concat());
    refused(&["trace", "stats", &endless, "--format", "csv"], &["endless.csv", "2"]);
    let empty = stats("empty.csv", b"");
    refused(&["trace", "stats", &empty, "--format", "csv"], &["empty.csv"]);
    let order: String = (0..200_000).map(|i| format!("{},1\n", 200_000 - i)).collect();
    let order = stats("order.csv", format!("timestamp,duration\n{order}").as_bytes());
    refused(&["trace", "stats", &order, "--format", "csv"], &["order.csv", "sort"]);
    assert!(wci(&["trace", "stats", &order, "--format", "csv", "--sort"]).status.success());
    assert!(wci(&["trace", "stats", &nan, "--format", "csv", "--skip-bad-records"]).status.success());
}

#[test]
fn a_missing_outside_trace_is_a_warning_to_validate_and_an_error_to_run() {
    let folder = Folder::new("outside");
    let scenario = SMALL.replace(
        "arrival = { kind = \"poisson\", rate = 3.0 }",
        "trace = { path = \"${WCI_TRACES}/a.csv\" }",
    );
    let file = folder.file("outside.toml", scenario);
    let output = wci(&["validate", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("warning"), "{}", text(&output.stderr));
    refused(&["run", &file], &["docs/traces.md", "WCI_TRACES"]);
}

#[test]
fn converts_a_trace_that_reads_back_the_same() {
    let folder = Folder::new("convert");
    let source = folder.file("in.csv", "timestamp,duration\n10.5,1.25\n11,2.5\n12.000001,0.5\n");
    let first = wci(&["trace", "convert", &source]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let again = folder.file("again.csv", &first.stdout);
    assert_eq!(text(&wci(&["trace", "convert", &again]).stdout), text(&first.stdout));
    assert_eq!(text(&first.stdout).lines().count(), 4);
}

#[test]
fn the_schema_is_json_and_names_every_section() {
    let output = wci(&["schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    for section in ["workload", "task_queue", "group", "fault", "change", "expect"] {
        assert!(schema["properties"].get(section).is_some(), "{section}");
    }
}

#[test]
fn the_flush_timer_signals_the_last_adds_of_a_burst() {
    let folder = Folder::new("flush");
    let bulk = |at: &str| format!("arrival = {{ kind = \"bulk\", count = 1, at = \"{at}\" }}");
    let second = format!(
        "[[task_queue]]\nname = \"default\"\npartitions = 1\n\n[[workload]]\nname = \"more\"\n{}\n\
         service = {{ kind = \"constant\", value = \"1s\" }}\n",
        bulk("100200ms")
    );
    let first = SMALL.replace("arrival = { kind = \"poisson\", rate = 3.0 }", &bulk("100s"));
    let two = first.replace("[spec.", &format!("{second}\n[spec."));
    let file = folder.file("two.toml", two);
    let invoked = |args: &[&str]| {
        let all = [&["run", &file, "--json", "--no-expect"], args].concat();
        let output = wci(&all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        json["actions"]["invoke_worker"].as_u64().expect("a count")
    };
    assert_eq!((invoked(&[]), invoked(&["--set", "controller.batching.flush=600ms"])), (1, 2));
}

#[test]
fn a_warm_up_is_found_only_where_there_is_a_steady_state() {
    let folder = Folder::new("mser");
    let scenario = folder.file("small.toml", SMALL.replace("\"5m\"", "\"2h\""));
    let output = wci(&["run", &scenario, "--mser5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("measured from"), "{}", text(&output.stderr));
    let day = SMALL.replace("kind = \"poisson\", rate = 3.0", "kind = \"bulk\", count = 30, at = \"1m\"");
    refused(&["run", &folder.file("bulk.toml", day), "--mser5"], &["--mser5", "steady state"]);
}

fn shipped(name: &str) -> String {
    format!("{}/../scenarios/cluster/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn cluster(args: &[&str]) -> Output {
    wci(&[&["cluster", "run"], args].concat())
}

#[test]
fn a_cluster_run_of_definitions_in_xml_tells_why_each_scan_did_what_it_did() {
    let xml = shipped("auto-scaling.xml");
    let output = cluster(&[&xml, "--event", "70s C join"]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in [
        "complete)  220 s",
        "The first scan reconciles.",
        "up: A, B, C (+C). The nodes that are up have changed.",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let result: serde_json::Value = serde_json::from_slice(&cluster(&[&xml, "--json"]).stdout).expect("JSON");
    assert_eq!((&result["makespan_s"], &result["ended"]), (&250.0.into(), &true.into()));
}

#[test]
fn the_shipped_cluster_scenarios_run_and_write_their_files() {
    for name in ["node-joins", "node-crashes", "flapping-node"] {
        let folder = Folder::new(&format!("cluster-{name}"));
        let output = cluster(&[&shipped(&format!("{name}.toml")), "--out", &folder.path("out")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(folder.read("out/report.txt"), text(&output.stdout));
        assert!(folder.read("out/cluster.svg").starts_with("<svg"));
        let lines = folder.read("out/journal.jsonl").lines().count();
        assert!(lines > 3, "{lines} scans and a header");
        let output = wci(&["replay", &folder.path("out/journal.jsonl")]);
        assert_eq!(text(&output.stdout), format!("{} scans\nevery scan decided the same\n", lines - 1));
    }
}

#[test]
fn a_journal_of_scans_that_decides_differently_ends_with_status_1() {
    let folder = Folder::new("cluster-replay");
    cluster(&[&shipped("node-joins.toml"), "--out", &folder.path("out")]);
    let changed = folder.read("out/journal.jsonl").replace("nodes_changed", "nothing_changed");
    let file = folder.file("changed.jsonl", changed);
    let output = wci(&["replay", &file]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("1 scans decided differently") && told.contains("line 3 at 120000 ms"), "{told}");
    let told = text(&wci(&["explain", "--at", "1m", &file]).stderr);
    assert!(told.contains("found a journal, expected a scenario; `wci replay "), "{told}");
}

#[test]
fn a_change_that_is_put_off_is_told_also_when_the_same_scan_resumes_a_task() {
    let folder = Folder::new("cluster-both");
    let scenario = r#"
format = 1
title = "T"
nodes = ["A", "B"]
[scan]
min_interval = "10m"
[work]
buckets = 60
[[task]]
name = "t"
workers_per_node = [{ count = 2 }]
execution_state = "suspended"
[[event]]
at = "70s"
node = "C"
kind = "join"
[[change]]
at = "100s"
suspended = false
[expect]
put_off = "== 1"
partial_reconciliations = "== 1"
"#;
    let file = folder.file("both.toml", scenario);
    let output = cluster(&[&file, "--out", &folder.path("out")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let scan = told.lines().find(|line| line.trim_start().starts_with("120 s")).expect("a scan each minute");
    assert!(scan.contains("scan: put off,"), "{scan}");
    assert!(scan.contains("was resumed") && scan.contains("put off until"), "{scan}");
    assert!(folder.read("out/report.html").contains("<span class=\"badge down\">put off</span>"));
    assert!(wci(&["replay", &folder.path("out/journal.jsonl")]).status.success());
}

#[test]
fn validate_knows_cluster_scenarios_and_schema_prints_theirs() {
    let files = [shipped("node-joins.toml"), shipped("auto-scaling.xml")];
    let output = wci(&["validate", &files[0], &files[1]]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).matches(": valid").count(), 2);
    let schema: serde_json::Value =
        serde_json::from_slice(&wci(&["schema", "cluster"]).stdout).expect("JSON");
    assert!(schema["properties"]["timers"]["$ref"].is_string(), "{schema:#}");
}

#[test]
fn definitions_are_known_by_their_name_and_behind_a_byte_order_mark() {
    let folder = Folder::new("cluster-mark");
    let xml = std::fs::read_to_string(shipped("auto-scaling.xml")).expect("it is shipped");
    let toml = "format = 1\ntitle = \"T\"\ndefinitions = \"marked.xml\"\nnodes = [\"A\"]\n";
    let files = [
        folder.file("marked.xml", format!("\u{feff}{xml}")),
        folder.file("marked", format!("\u{feff}\n{}", xml.split_once('\n').expect("it has a first line").1)),
        folder.file("marked.toml", format!("\u{feff}{toml}")),
    ];
    for file in &files {
        let output = cluster(&[file]);
        assert!(text(&output.stdout).contains("20 of 20"), "{file}: {}", text(&output.stderr));
        assert!(wci(&["validate", file]).status.success(), "{file}");
    }
    let told = cluster(&[&folder.file("no.xml", "format = 1\n")]);
    assert_eq!(told.status.code(), Some(2));
    assert!(text(&told.stderr).contains("no.xml:1:1: found text that is no XML"), "{}", text(&told.stderr));
}

#[test]
fn an_event_that_changes_nothing_is_warned_of_and_the_run_goes_on() {
    let output = cluster(&[&shipped("auto-scaling.xml"), "--event", "70s A join"]);
    let expected = "warning: --event: event.0.kind: found \"join\", which changes nothing, as A works then, expected \
                    leave, silent or crash\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), expected));
}

#[test]
fn what_is_wrong_with_a_cluster_is_told_with_its_place() {
    let folder = Folder::new("cluster-wrong");
    let file =
        folder.file("t.xml", "<task><name>T</name><activity><distribution><workers><count/></workers>");
    let names_them =
        "found task definitions, expected a scenario that names them (definitions = \"auto-scaling.xml\")";
    let cases = [
        (cluster(&[&file]), "t.xml:1:31: distribution: found <distribution> that is never closed"),
        (
            cluster(&[&shipped("auto-scaling.xml"), "--event", "soon C join"]),
            "--event: found \"soon C join\"",
        ),
        (
            cluster(&[&shipped("auto-scaling.xml"), "--bucket", "50"]),
            "--bucket: found 50 without a unit, expected a duration such as 50s",
        ),
        (cluster(&[&shipped("auto-scaling.xml"), "--nodes="]), "--nodes: nodes.0: found \"\""),
        (cluster(&[&shipped("auto-scaling.xml"), "--nodes=A,A"]), "--nodes: nodes.1: found \"A\" again"),
        (
            cluster(&[&shipped("auto-scaling.xml"), "--event", "70s Q crash"]),
            "--event: event.0.node: found \"Q\", expected one of A, B",
        ),
        (wci(&["run", &shipped("node-joins.toml")]), "expected `wci cluster run "),
        (
            cluster(&[&folder.file("queues.toml", SMALL)]),
            "found a scenario of task queues, expected `wci run ",
        ),
        (wci(&["validate", &file]), "t.xml:1:31: distribution: found <distribution> that is never closed"),
        (wci(&["sweep", &shipped("auto-scaling.xml"), "--vary", "scan.min_interval=0s,1m"]), names_them),
        (
            wci(&[
                "tune",
                &shipped("auto-scaling.xml"),
                "--vary",
                "scan.min_interval=0s..1m",
                "--minimize",
                "scans",
            ]),
            names_them,
        ),
    ];
    for (output, expected) in cases {
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.contains(expected)), (Some(2), true), "{told}");
    }
}
