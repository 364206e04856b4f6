//! Studies on the command line: replications, comparisons, sweeps, tuning, and how they end.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SMALL: &str = r#"
format = 1
title = "Small"
seed = 3
horizon = "2m"

[[workload]]
name = "orders"
arrival = { kind = "poisson", rate = 3.0 }
service = { kind = "lognormal", median = "800ms", p99 = "6s" }

[spec.scaling_group_specs.activities]
task_types = ["ACTIVITY"]
compute = { provider_type = "aws-lambda" }
scaling = { scaling_algorithm = "no-sync" }
"#;

/// A folder with the scenario, of one test alone.
struct Bench(PathBuf);

impl Bench {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("studies-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let bench = Self(folder);
        bench.put("small.toml", SMALL);
        bench
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("the file can be written");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs inside the folder; the words of the command are apart by spaces, `_` stands for a space in a word.
    fn wci(&self, line: &str) -> Output {
        let words = line.split_whitespace().map(|word| word.replace('_', " ").replace('~', "_"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wci"));
        command.args(words).current_dir(&self.0).env_remove("WCI_TRACES").env("NO_COLOR", "1");
        command.output().expect("wci runs")
    }

    fn ends_with(&self, status: i32, line: &str) -> String {
        let output = self.wci(line);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{line}: {out}{error}");
        assert!(!error.contains("panicked"), "{line}: {error}");
        if status == 2 { error } else { out }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn replications_give_every_figure_an_interval() {
    let bench = Bench::new("replications");
    let summary = json(&bench.ends_with(0, "run small.toml --replications 10 --json --out out -q"));
    assert!(summary["cost_usd"]["total"]["ci95"].as_f64().is_some_and(|half| half > 0.0));
    assert_eq!(summary["replications"]["count"], 10);
    assert_eq!(bench.text("out/replications.csv").lines().count(), 11);
    assert_eq!(json(&bench.text("out/summary.json")), summary);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let bench = Bench::new("threads");
    for study in [
        "run small.toml --replications 10 --json",
        "compare small.toml --algorithms backlog,fixed --json",
        "sweep small.toml --vary workload.orders.arrival.rate=1,2 --json",
        "tune small.toml --subject-to schedule~to~start.p95_<_9s --trials 8 --replications 10 --json",
    ] {
        let on = |threads: u32| {
            let output = bench.wci(&format!("{study} --threads {threads}"));
            (output.status.code(), text(&output.stdout))
        };
        assert_eq!(on(1), on(2), "{study}");
    }
}

#[test]
fn an_interrupted_study_goes_on_where_it_was() {
    let bench = Bench::new("resume");
    let study = "run small.toml --replications 10 --json -q --checkpoint kept.jsonl";
    let whole = bench.ends_with(0, study);
    let lines: Vec<String> = bench.text("kept.jsonl").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 10);
    // As an interruption leaves it: some whole lines and a broken one.
    bench.put("kept.jsonl", &format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..lines[2].len() / 2]));
    assert_eq!(bench.ends_with(0, study), whole);
    // The broken line, ended, and the eight that were missing.
    assert_eq!(bench.text("kept.jsonl").lines().count(), 11);
    assert_eq!(bench.ends_with(0, study), whole);
    assert_eq!(bench.text("kept.jsonl").lines().count(), 11, "nothing was run again");
}

#[test]
fn replications_have_a_page() {
    let bench = Bench::new("replications-page");
    bench.ends_with(0, "run small.toml --replications 10 --out out -q");
    let page = bench.text("out/report.html");
    assert!(page.contains("wci run small.toml --replications 10") && page.contains("seed 12"), "{page}");
}

#[test]
fn staffing_on_the_true_rate_stands_beside_the_algorithms() {
    let bench = Bench::new("square-root");
    let out = bench.ends_with(0, "compare small.toml --algorithms fixed,square-root --beta 2 -q");
    assert!(out.contains("\nfixed ") && out.contains("\nsquare-root (beta 2) "), "{out}");
}

#[test]
fn cluster_scenarios_are_swept_and_tuned_too() {
    let bench = Bench::new("cluster");
    let failing = include_str!("../../scenarios/cluster/failing-nodes.toml");
    bench.put("failing.toml", &failing.replace("buckets = 864", "buckets = 60"));
    let sweep = "sweep failing.toml --vary timers.down~after=1m,15m --json -q";
    let on = |threads: u32| bench.ends_with(0, &format!("{sweep} --threads {threads}"));
    assert_eq!(on(1), on(2));
    assert_eq!(json(&on(2))["points"].as_array().map(Vec::len), Some(2));
    let tune = "tune failing.toml --minimize reconciliations --vary scan.min~interval=0s..15m --trials 8 -q";
    let found = bench.ends_with(0, &format!("{tune} --subject-to makespan~s_<_1h --out found"));
    assert!(found.contains("scan.min_interval ="), "{found}");
    let page = bench.text("found/report.html");
    assert!(
        page.contains("front: none is better in both") && page.contains("wci tune failing.toml"),
        "{page}"
    );
    assert_eq!(bench.text("found/trials.csv").lines().count(), 9);
    let both = tune.replace("failing.toml", "failing.toml longer.toml");
    bench.put(
        "longer.toml",
        &failing.replace("buckets = 864", "buckets = 90").replace("by chance\"", "for longer\""),
    );
    let found = bench.ends_with(0, &format!("{both} --subject-to makespan~s_<_2h"));
    assert!(found.contains("Nodes that crash for longer, on the fresh seeds"), "{found}");
    let error = bench.ends_with(2, &both.replace("longer.toml", "small.toml"));
    assert!(error.contains("small.toml: found no cluster scenario"), "{error}");
    let out = bench.ends_with(1, &format!("{tune} --subject-to makespan~s_<_1s"));
    assert!(out.contains("No setting was found"), "{out}");
    let error = bench.ends_with(2, &format!("{tune} --subject-to cost_<_1s"));
    assert!(error.contains("makespan_s"), "{error}");
}

#[test]
fn another_scenario_takes_nothing_from_a_checkpoint() {
    let bench = Bench::new("other");
    let study = "run small.toml --replications 10 --json -q --checkpoint kept.jsonl";
    let first = bench.ends_with(0, study);
    let other = bench.ends_with(0, &format!("{study} --set workload.orders.arrival.rate=9"));
    assert_ne!(json(&first)["tasks"]["arrived"], json(&other)["tasks"]["arrived"]);
}

#[test]
fn expectations_are_asked_of_the_mean() {
    let bench = Bench::new("expectations");
    bench.put("strict.toml", &format!("{SMALL}\n[expect]\n\"tasks.arrived\" = \"> 100000\"\n"));
    let out = bench.ends_with(1, "run strict.toml --replications 10 -q");
    assert!(out.contains("failed: tasks.arrived"), "{out}");
    bench.ends_with(0, "run strict.toml --replications 10 -q --no-expect");
}

#[test]
fn stopping_at_the_limit_is_said() {
    let bench = Bench::new("until");
    let out = bench.ends_with(0, "run small.toml --until ci=0.0001% --replications 20 -q");
    assert!(out.contains("20 replications") && out.contains("stopped at the limit"), "{out}");
    let out = bench.ends_with(0, "run small.toml --until ci=20% --of tasks.arrived -q");
    assert!(out.contains("10 replications") && out.contains("narrow enough"), "{out}");
}

#[test]
fn comparisons_and_sweeps_say_who_kept_them_going_to_the_limit() {
    let bench = Bench::new("until-together");
    let until = "--until ci=0.0001% --of cost~usd.total --replications 20 -q --out out";
    for (study, who) in [
        ("compare small.toml --algorithms hpa", "cost_usd.total of hpa"),
        ("sweep small.toml --vary workload.orders.arrival.rate=1,4", "cost_usd.total of workload.orders"),
    ] {
        let out = bench.ends_with(0, &format!("{study} {until}"));
        for text in [out, bench.text("out/report.html")] {
            let is_said = text.contains("20 replications each") && text.contains("stopped at the limit");
            assert!(is_said && text.contains(who), "{study}: {text}");
        }
    }
}

/// What cannot keep up has no interval of its waits: more replications would not give it one.
#[test]
fn what_is_overloaded_keeps_no_comparison_going() {
    let bench = Bench::new("until-overloaded");
    let line = "compare small.toml --algorithms fixed --set end=cut --until ci=90% -q";
    let out = bench.ends_with(0, &format!("{line} --replications 40"));
    assert!(out.contains("10 replications each") && out.contains("narrow enough"), "{out}");
    assert!(out.contains("there can be no interval of schedule_to_start.mean of fixed"), "{out}");
}

#[test]
fn another_first_seed_is_another_study() {
    let bench = Bench::new("seed");
    for command in ["compare --algorithms hpa", "tune --trials 1"] {
        let of =
            |seed| bench.ends_with(0, &format!("{command} small.toml --replications 10 --seed {seed} -q"));
        let (own, other) = (of(3), of(1000));
        assert!(own != other && other.contains("1000"), "{other}");
    }
}

#[test]
fn a_comparison_leaves_out_by_name_what_does_not_fit() {
    let bench = Bench::new("compare");
    let out =
        bench.ends_with(0, "compare small.toml --algorithms backlog,rate-based,best-fixed --out out -q");
    assert!(out.contains("left out: rate-based") && out.contains("best fixed ("), "{out}");
    let page = bench.text("out/report.html");
    assert!(page.contains("What is significant") && page.ends_with("</html>\n"));
    assert!(!page.contains("http://") || !page.contains("src=\"http"), "the page fetches something");
    let figures = bench.text("out/compare.csv");
    assert!(figures.lines().any(|line| line.contains("backlog,cost_usd.total,")), "{figures}");
}

#[test]
fn the_footnote_says_what_is_counted_where_something_is_compared() {
    let bench = Bench::new("compare-footnote");
    bench.put("other.toml", SMALL);
    let line = "compare small.toml other.toml --algorithms no-sync,backlog,hpa --out out -q";
    let out = bench.ends_with(0, line);
    for text in [out, bench.text("out/report.html")] {
        assert!(text.contains("all 28 comparisons") && text.contains("4 rows that can differ"), "{text}");
    }
    let alone = bench.ends_with(0, "compare small.toml --algorithms rate-based -q");
    assert!(!alone.contains("paired") && !alone.contains("Bonferroni"), "{alone}");
}

#[test]
fn each_row_of_a_comparison_says_whether_it_meets_the_target() {
    let bench = Bench::new("compare-target");
    let line = "compare small.toml --algorithms fixed,best-fixed --subject-to schedule~to~start.p95_<_20s --out out -q";
    let out = bench.ends_with(0, line);
    let ends = |name: &str| out.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(out.contains("target: schedule_to_start.p95 < 20s"), "{out}");
    assert!(ends("as written").ends_with("meets") && ends("best fixed").ends_with("meets"), "{out}");
    assert!(ends("fixed").contains("misses"), "{out}");
    assert!(bench.text("out/report.html").contains("misses the target"));
    let rows = json(&bench.text("out/compare.json"))[0]["results"].clone();
    assert_eq!((&rows[0]["meets_target"], &rows[1]["meets_target"]), (&true.into(), &false.into()));
}

/// Starts workers for requests: an hour of keep-alive costs more than a minute and has fewer cold starts.
const PER_REQUEST: &str = "[group.activities.provider]\nmode = \"per-request\"\nkeep_alive = \"5m\"\n";

#[test]
fn keep_alive_policies_are_compared_and_tuned_where_the_platform_starts_workers() {
    let bench = Bench::new("keep-alive");
    let written = SMALL.replace("scaling = { scaling_algorithm = \"no-sync\" }", "");
    bench.put("faas.toml", &(written + PER_REQUEST));
    let out = bench.ends_with(0, "compare faas.toml --out out -q");
    for words in ["cold starts", "keep-alive 1m ", "keep-alive hybrid-histogram:4h ", "left out: no-sync"] {
        assert!(out.contains(words), "no {words:?} in {out}");
    }
    let page = bench.text("out/report.html");
    for words in ["Cold starts", "cold starts no different that", "cost against cold starts"] {
        assert!(page.contains(words), "no {words:?} in the page");
    }
    let out = bench.ends_with(0, "compare faas.toml --keep-alive 2m,exponential:2m -q");
    assert!(out.contains("keep-alive 2m ") && out.contains("keep-alive exponential:2m "), "{out}");
    assert!(!out.contains("keep-alive 1h"), "{out}");
    let target = "--subject-to workers.cold~start~ratio_<_90_%";
    let out = bench.ends_with(0, &format!("tune faas.toml {target} --trials 24 --replications 10 -q"));
    assert!(out.contains("Deploy keep-alive:\n  group.activities.provider.keep_alive = "), "{out}");
    assert!(!out.contains("The spec") && !out.contains("no-sync"), "{out}");
}

#[test]
fn a_missing_trace_leaves_its_scenario_out() {
    let bench = Bench::new("trace");
    let arrival = "arrival = { kind = \"poisson\", rate = 3.0 }";
    let trace = "trace = { path = \"${WCI_TRACES}/none.csv\", format = \"csv\" }";
    bench.put("trace.toml", &SMALL.replace(arrival, trace));
    let out = bench.ends_with(0, "compare small.toml trace.toml --algorithms backlog -q");
    assert!(out.contains("none.csv"), "{out}");
    let error = bench.ends_with(2, "compare trace.toml --algorithms backlog -q");
    assert!(error.contains("nothing ran"), "{error}");
}

#[test]
fn a_replayed_trace_is_named_as_the_condition() {
    let bench = Bench::new("condition");
    bench.put("tasks.csv", "timestamp,duration\n0,1\n1,2\n5,1\n9,3\n");
    let arrival = "arrival = { kind = \"poisson\", rate = 3.0 }";
    let trace = "trace = { path = \"tasks.csv\", format = \"csv\" }";
    let service = "service = { kind = \"lognormal\", median = \"800ms\", p99 = \"6s\" }\n";
    bench.put("trace.toml", &SMALL.replace(arrival, trace).replace(service, ""));
    let out = bench.ends_with(0, "run trace.toml --replications 10 -q");
    assert!(out.contains("conditional on this trace"), "{out}");
}

#[test]
fn a_sweep_ranks_what_matters() {
    let bench = Bench::new("sweep");
    let line =
        "sweep small.toml --vary workload.orders.arrival.rate=1,4 --vary drain~limit=50m,60m -q --out out";
    let out = bench.ends_with(0, line);
    assert!(out.contains("What matters to cost_usd.total"), "{out}");
    assert!(out.contains("drain_limit  (within the replications' noise)"), "{out}");
    assert!(bench.text("out/report.html").contains("within the replications' noise"));
    let of_cost = out.split("What matters to schedule_to_start.p95").next();
    assert!(of_cost.is_some_and(|of_cost| !of_cost.contains("arrival.rate  (within")), "{out}");
    assert_eq!(bench.text("out/sweep.csv").lines().count(), 5);
    assert!(bench.text("out/heat-cost_usd.total-1.svg").starts_with("<svg"));
}

#[test]
fn tuning_prints_what_to_deploy_and_how_sure_that_is() {
    let bench = Bench::new("tune");
    let line =
        "tune small.toml --subject-to schedule~to~start.p95_<_20s --trials 16 --replications 10 --out out -q";
    let out = bench.ends_with(0, line);
    let own =
        "\nonly the algorithm as written (no-sync) was searched; --algorithms all also tries the others";
    for words in ["Deploy no-sync", "Against as written", "paired difference", "never used before", own] {
        assert!(out.contains(words), "no {words:?} in {out}");
    }
    assert!(out.contains("by a normal approximation on the seeds of the choice"), "{out}");
    assert!(!out.contains("of 100 studies"), "nobody has run so many: {out}");
    assert!(json(&bench.text("out/spec.json"))["scaling_group_specs"]["activities"].is_object());
    assert!(bench.text("out/trials.csv").starts_with("algorithm,cost_usd.total,schedule_to_start.p95"));
    let page = bench.text("out/report.html");
    let front =
        page.split("<h2>The front</h2>").nth(1).and_then(|rest| rest.split("</table>").next()).unwrap();
    let places: Vec<&str> =
        front.split("<tr>").skip(2).filter_map(|row| row.split("<td class=\"number\">").nth(1)).collect();
    assert!(
        !places.is_empty() && places.windows(2).all(|pair| pair[0] != pair[1]),
        "twice the same: {places:?}"
    );
    // What was found is a spec like any other.
    bench.ends_with(0, "compare small.toml --specs out/spec.json -q");
}

/// Of several algorithms there is one front, not one for each.
#[test]
fn no_setting_on_the_front_is_beaten_by_one_of_another_algorithm() {
    let bench = Bench::new("tune-front");
    let line =
        "tune small.toml --subject-to schedule~to~start.p95_<_20s --trials 8 --replications 10 --out out -q";
    bench.wci(&format!("{line} --algorithms no-sync,fixed"));
    let trials = bench.text("out/trials.csv");
    let rows: Vec<Vec<&str>> = trials.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let figures = |row: &[&str]| Some((row[1].parse::<f64>().ok()?, row[2].parse::<f64>().ok()?));
    let whole: Vec<_> = rows.iter().filter(|row| row[5] == "10").filter_map(|row| figures(row)).collect();
    let front: Vec<_> = rows.iter().filter(|row| row[6] == "true").filter_map(|row| figures(row)).collect();
    assert!(!front.is_empty(), "{trials}");
    for (cost, wait) in front {
        let beaten = whole.iter().any(|(a, b)| *a <= cost && *b <= wait && (*a < cost || *b < wait));
        assert!(!beaten, "{cost} {wait} in {trials}");
    }
    assert!(bench.text("out/report.html").contains("<th>Algorithm</th>"), "the front names no algorithms");
}

#[test]
fn a_search_of_which_nothing_can_be_run_says_why() {
    let bench = Bench::new("tune-refused");
    let key = "spec.scaling~group~specs.activities.scaling.config.scale~up~cooloff~ms";
    let line = format!("tune small.toml --vary {key}=70000,80000 --trials 2 --replications 10 -q");
    let error = bench.ends_with(2, &line);
    for words in ["no setting that was tried can be run", "metrics_poll_interval_ms"] {
        assert!(error.contains(words), "no {words:?} in {error}");
    }
}

/// One setting of `no-sync-confirmed` in two contradicts itself: a poll interval above the default confirm time.
#[test]
fn an_algorithm_that_was_not_searched_is_named_with_the_reason() {
    let bench = Bench::new("tune-not-searched");
    let tune = "tune small.toml --algorithms fixed,no-sync-confirmed --trials 1 --replications 10 -q --seed";
    let mut outs = (1..=8).map(|seed| bench.ends_with(0, &format!("{tune} {seed}")));
    let words = "of no-sync-confirmed only the setting as it is was run";
    let out = outs.find(|out| out.contains(words)).expect("a setting that contradicts itself");
    assert!(out.contains("expected more than metrics_poll_interval_ms"), "{out}");
}

#[test]
fn a_short_name_is_known_to_a_constraint_as_well() {
    let bench = Bench::new("tune-short");
    let tune =
        "tune small.toml --minimize schedule~to~start.mean --trials 1 --replications 10 -q --subject-to";
    for bound in ["cost_<_9", "cost_<_9_USD", "cost~usd.total_<_9_USD"] {
        let out = bench.ends_with(0, &format!("{tune} {bound}"));
        assert!(out.contains("subject to cost_usd.total < 9 USD"), "{bound}: {out}");
        let out =
            bench.ends_with(0, &format!("compare small.toml --algorithms fixed -q --subject-to {bound}"));
        assert!(out.contains("target: cost_usd.total < 9 USD"), "{bound}: {out}");
    }
}

#[test]
fn an_infeasible_target_ends_with_status_1() {
    let bench = Bench::new("infeasible");
    let line = "tune small.toml --subject-to schedule~to~start.max_<_1ms --trials 8 --replications 10 -q";
    let out = bench.ends_with(1, line);
    assert!(out.contains("No setting was found that meets the target"), "{out}");
    assert!(out.contains("only the algorithm as written (no-sync) was searched"), "{out}");
}

/// The median of the waits is under the limit, and yet no setting can do the work.
#[test]
fn an_overloaded_setting_says_why_it_meets_no_target() {
    let bench = Bench::new("overloaded");
    bench.put(
        "much.toml",
        &SMALL.replace("rate = 3.0", "rate = 60.0").replace("horizon = \"2m\"", "horizon = \"6m\""),
    );
    bench.put(
        "much.toml",
        &(bench.text("much.toml") + "[group.activities.provider]\nconcurrency = 10\non_limit = \"reject\"\n"),
    );
    let line = "tune much.toml --subject-to schedule~to~start.p50_<_1d --trials 1 --replications 10 -q --set end=cut";
    let out = bench.ends_with(1, line);
    assert!(out.contains("Under 4 of 4 seeds it is overloaded"), "{out}");
}

#[test]
fn what_is_tuned_says_its_constrained_figures_to_programs_too() {
    let bench = Bench::new("tune-json");
    let line =
        "tune small.toml --subject-to schedule~to~start.p95_<_20s --trials 1 --replications 10 --json -q";
    let found = json(&bench.ends_with(0, line));
    let figure = &found["best"]["constrained"][0];
    assert_eq!(figure["constraint"], "schedule_to_start.p95 < 20s");
    let (mean, half) = (&figure["estimate"]["mean"], &figure["estimate"]["ci95"]);
    assert_eq!(figure["limit"].as_f64(), Some(mean.as_f64().unwrap() + half.as_f64().unwrap()));
}

#[test]
fn scenarios_that_are_tuned_together_are_told_apart_and_have_one_spec() {
    let bench = Bench::new("tune-two");
    bench.put("more.toml", &SMALL.replace("rate = 3.0", "rate = 4.0"));
    let line =
        "tune small.toml more.toml --subject-to schedule~to~start.p95_<_20s --trials 1 --replications 10 -q";
    let out = bench.ends_with(0, line);
    assert!(out.contains("20s) on small\n") && out.contains("20s) on more\n"), "{out}");
    assert_eq!(out.matches("scaling_group_specs").count(), 1, "{out}");
}

#[test]
fn scenarios_without_the_same_groups_are_not_tuned_together() {
    let bench = Bench::new("tune-apart");
    bench.put("named.toml", &SMALL.replace("scaling_group_specs.activities", "scaling_group_specs.workers"));
    bench.put("other.toml", &SMALL.replace("no-sync", "backlog"));
    let tune = |files: &str, how: &str| {
        bench.ends_with(2, &format!("tune {files} --trials 2 --replications 10 -q {how}"))
    };
    let error = tune("small.toml named.toml", "");
    for words in ["scenario named has no group activities on no-sync", "activities.scaling.config", "--vary"]
    {
        assert!(error.contains(words), "no {words:?} in {error}");
    }
    let error = tune("small.toml other.toml", "");
    assert!(
        error.contains("scenario other has no group activities on no-sync (its own runs backlog)"),
        "{error}"
    );
    let error = tune("small.toml named.toml", "--algorithms backlog,fixed");
    assert!(error.contains("scenario named has no group activities on backlog"), "{error}");
    // A key that only one of them has: no setting can be run, and nothing is said to make no difference.
    let key = "spec.scaling~group~specs.activities.scaling.config.scale~up~cooloff~ms";
    tune("small.toml named.toml", &format!("--vary {key}=50..500"));
}

#[test]
fn a_cheaper_fixed_number_points_to_the_other_algorithms() {
    let bench = Bench::new("beaten");
    let line = "tune small.toml --subject-to schedule~to~start.p95_<_2s --trials 1 --replications 10 -q";
    let out = bench.ends_with(0, line);
    assert!(out.contains("more expensive, by the whole paired interval"), "{out}");
    assert!(out.contains("--algorithms all"), "{out}");
    let all = "tune small.toml --subject-to schedule~to~start.p95_<_2s --trials 24 --replications 10 -q";
    let own = bench.ends_with(0, &format!("{all} --algorithms fixed"));
    assert!(!own.contains("--algorithms all"), "{own}");
}

#[test]
fn what_misses_the_target_is_no_measure_of_costs() {
    let bench = Bench::new("tune-misses");
    let slow = "--set spec.scaling~group~specs.activities.scaling.config.scale~up~cooloff~ms=30000";
    let line = "tune small.toml --subject-to schedule~to~start.p95_<_20s --trials 24 --replications 10 -q";
    let out = bench.ends_with(0, &format!("{line} {slow}"));
    let written = out.split("Against as written").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    assert!(written.contains("misses the target") && written.contains("no measure"), "{out}");
    assert!(!written.contains("cheaper") && !written.contains("expensive"), "{out}");
}

#[test]
fn a_search_without_a_target_speaks_of_none() {
    let bench = Bench::new("no-target");
    let out = bench.ends_with(0, "tune small.toml --vary title=a --trials 2 --replications 10 -q");
    assert!(out.contains("every setting as it is"), "{out}");
    for word in ["target", "with room", "No fixed number"] {
        assert!(!out.contains(word), "{word:?} in {out}");
    }
}

/// What cannot run anywhere is an error with its key, and not a line below a result that looks whole.
#[test]
fn wrong_values_end_a_study_before_it_begins() {
    let bench = Bench::new("wrong-values");
    bench.put("bad.json", "{}");
    bench.put("algorithm.json", &SPEC.replace("no-sync", "nope"));
    let scaling = "spec.scaling~group~specs.activities.scaling";
    let cooloff = format!("{scaling}.config.scale~up~cooloff~ms");
    for (line, words) in [
        ("compare small.toml --specs bad.json".to_owned(), ["bad.json", "scaling_group_specs"]),
        ("compare small.toml --specs algorithm.json".into(), ["scaling_algorithm", "nope"]),
        (format!("sweep small.toml --vary {cooloff}=1,abc"), ["scale_up_cooloff_ms", "abc"]),
        (format!("sweep small.toml --vary {cooloff}=-5,100"), ["scale_up_cooloff_ms", "-5"]),
        (
            format!("sweep small.toml --vary {scaling}.scaling~algorithm=backlog,nope"),
            ["scaling_algorithm", "nope"],
        ),
        ("sweep small.toml --vary warm~up=0s,1s --vary warm~up=2s,3s".into(), ["warm_up", "twice"]),
        ("sweep small.toml --vary seed=1,2".into(), ["--vary seed", "overlap"]),
    ] {
        let error = bench.ends_with(2, &format!("{line} -q"));
        assert!(words.iter().all(|word| error.contains(word)), "{line}: no {words:?} in {error}");
    }
}

const SPEC: &str = r#"{"scaling_group_specs": {"activities": {"task_types": ["ACTIVITY"],
  "compute": {"provider_type": "aws-lambda"}, "scaling": {"scaling_algorithm": "no-sync"}}}}"#;

/// A spec that fits one of the scenarios is no error for the others.
#[test]
fn a_spec_that_fits_elsewhere_is_left_out_by_name() {
    let bench = Bench::new("spec-elsewhere");
    bench.put("spec.json", &SPEC.replace("activities", "others"));
    let other = SMALL.replace("scaling_group_specs.activities", "scaling_group_specs.others");
    bench.put("other.toml", &(other + "[group.others.worker]\nslots = 2\n"));
    bench.put("own.toml", &format!("{SMALL}[group.activities.worker]\nslots = 2\n"));
    let out = bench.ends_with(0, "compare own.toml other.toml --specs spec.json -q");
    assert!(out.contains("left out: spec.json"), "{out}");
}

#[test]
fn wrong_words_are_refused_with_the_right_ones() {
    let bench = Bench::new("refused");
    for (line, words) in [
        ("run small.toml --replications 5", "10.."),
        ("run small.toml --until ci=200%", "ci=1%"),
        ("run small.toml --until ci=1% --of schedule~to~start.p96", "schedule_to_start.p9"),
        ("compare small.toml --algorithms nosync", "no-sync"),
        ("sweep small.toml --vary workload.orders.arrival.rat=1,2", "rate"),
        ("sweep small.toml --vary workload.orders.arrival.rate=5..1", "LOW..HIGH"),
        ("sweep small.toml --vary drain~limit=1h,2h --vary warm~up=0s,1s,2s --list", "equal length"),
        ("tune small.toml --subject-to schedule~to~start.p95_<_1", "duration"),
        ("tune small.toml --subject-to p95_<_1s", "no such figure"),
        ("tune small.toml --minimize cosst", "no such figure"),
        ("tune small.toml --minimize routing", "no such figure"),
        ("tune small.toml --minimize overloaded", "true or false"),
        ("sweep small.toml --vary warm~up=0s,1s --figure routing", "no such figure"),
        ("compare small.toml --algorithms best~fixed", "best-fixed, square-root"),
        ("compare small.toml --keep-alive 10m", "per-request"),
        ("compare small.toml --keep-alive histogram", "hybrid-histogram"),
        ("compare small.toml small.toml", "twice"),
        ("compare small.toml --out small.toml", "expected a folder"),
        ("compare small.toml --threads 100000000", "1..=1024"),
        ("compare small.toml --seed -1", "invalid value '-1' for '--seed"),
        ("compare small.toml --beta -1", "from 0 to 1000"),
        ("tune small.toml --vary seed=1,2", "overlap"),
        ("tune small.toml --vary drain~limit=1h,2h --vary drain~limit=3h", "twice"),
    ] {
        let error = bench.ends_with(2, line);
        assert!(error.contains(words), "{line}: no {words:?} in {error}");
    }
}
