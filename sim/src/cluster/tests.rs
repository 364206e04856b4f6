//! The worked cases, and what the better switches gain.

mod refused;
mod silent;

use super::*;
use crate::model::SECOND;
use crate::scenario::{Span, expect};
use wci_core::Millis;
use wci_core::cluster::journal::replay;

const EXAMPLE: &str = include_str!("../../../scenarios/cluster/auto-scaling.xml");

fn result(events: &str) -> ClusterResult {
    run(&scenario(events))
}

fn scenario(rest: &str) -> ClusterScenario {
    let text = format!(
        "format = 1\ntitle = \"T\"\ndefinitions = \"auto-scaling.xml\"\nnodes = [\"A\", \"B\"]\n{rest}\n"
    );
    ClusterScenario::from_toml(&text, "t.toml", |_| Ok(EXAMPLE.to_owned()))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn event(at: &str, node: &str, kind: &str) -> String {
    format!("[[event]]\nat = \"{at}\"\nnode = \"{node}\"\nkind = \"{kind}\"\n")
}

#[test]
fn twenty_buckets_on_four_workers_take_five_rounds() {
    let result = result("");
    assert_eq!((result.makespan_s, result.ended), (Some(250.0), true));
    assert_eq!((result.totals.wasted_work_s, result.totals.workers_created), (0.0, 4));
}

#[test]
fn a_third_node_shortens_the_work() {
    let result = result(&event("70s", "C", "join"));
    assert_eq!((result.makespan_s, result.ended), (Some(220.0), true));
    assert_eq!(result.totals.workers_created, 6);
    assert_eq!(result.totals.reconciliations, 2, "the first scan and that after the node came");
}

#[test]
fn a_crash_costs_mostly_the_silence_before_anybody_dares_to_call_it_one() {
    let result = result(&event("75s", "A", "crash"));
    let makespan = result.makespan_s.unwrap();
    assert!((1_180.0..=1_200.0).contains(&makespan), "{makespan}");
    assert_eq!((result.totals.wasted_work_s, result.totals.nodes_marked_down), (50.0, 1));
    assert!(!result.ended, "two workers wait for their node for ever");
}

#[test]
fn closing_idle_workers_lets_the_task_end() {
    let rest = format!("[scan]\nclose_done = true\n{}", event("75s", "A", "crash"));
    assert!(result(&rest).ended);
}

#[test]
fn a_node_that_leaves_in_order_gives_its_buckets_back_at_once() {
    let result = result(&event("75s", "A", "leave"));
    // 2 x 25 s are lost, and the other 16 buckets take 8 more rounds of two.
    assert_eq!((result.makespan_s, result.totals.wasted_work_s), (Some(450.0), 50.0));
    assert_eq!(result.totals.buckets_given_back, 2);
}

#[test]
fn a_crashed_node_that_comes_back_goes_on_with_its_workers() {
    let rest = event("75s", "A", "crash") + &event("95s", "A", "join");
    let result = result(&rest);
    assert_eq!((result.totals.nodes_marked_down, result.ended), (0, true));
    assert!(result.makespan_s.unwrap() < 320.0, "{:?}", result.makespan_s);
}

#[test]
fn a_silent_node_goes_on_working_until_the_others_give_it_up() {
    let result = result(&event("75s", "A", "silent"));
    assert_eq!((result.makespan_s, result.totals.wasted_work_s), (Some(250.0), 0.0));
}

#[test]
fn a_minimum_interval_puts_a_reconciliation_off() {
    let rest = format!("[scan]\nmin_interval = \"150s\"\n{}", event("70s", "C", "join"));
    let result = result(&rest);
    assert_eq!(result.totals.put_off, 1);
    // The first scan was at 60 s; the first one more than 150 s later is at 240 s.
    assert_eq!(result.makespan_s, Some(250.0));
}

#[test]
fn a_change_that_is_put_off_is_told_also_when_the_same_scan_resumes_a_task() {
    let text = "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n[work]\nbuckets = 60\n\
                [[task]]\nname = \"t\"\nworkers_per_node = [{ count = 2 }]\nexecution_state = \"suspended\"\n\
                [scan]\nmin_interval = \"10m\"\n[[change]]\nat = \"100s\"\nsuspended = false\n\
                [expect]\nput_off = \"== 1\"\n";
    let text = text.to_owned() + &event("70s", "C", "join");
    let scenario = ClusterScenario::from_toml(&text, "t.toml", |_| Err(String::new())).unwrap();
    let result = run(&scenario);
    assert_eq!((result.totals.put_off, result.totals.partial_reconciliations), (1, 1));
    let mut scans = result.log.iter().filter_map(|entry| match &entry.line {
        LogLine::Scan(scan) => Some((entry.t_ms, scan)),
        _ => None,
    });
    let (_, scan) = scans.find(|(t_ms, _)| *t_ms == 120_000).unwrap();
    assert_eq!((scan.verdict(), scan.pending), ("put off", Some(true)));
    assert!(scan.why.contains("was resumed") && scan.why.contains("put off"), "{}", scan.why);
    #[cfg(feature = "cli")]
    {
        use crate::report::chart::Glyph::PutOff;
        assert!(result.chart().marks.iter().any(|mark| mark.t_s == 120.0 && mark.glyph == PutOff));
    }
    let expectations = expect::check(&scenario.expect, &serde_json::to_value(&result).unwrap());
    assert!(expectations.len() == 1 && expectations[0].holds, "{:?}", expectations[0].line);
    let mut journal = Vec::new();
    result.write_journal(&mut journal).unwrap();
    assert_eq!(replay(&journal).unwrap().different_scans, 0);
}

#[test]
fn a_run_is_the_same_each_time_and_its_scans_decide_the_same_again() {
    let scenario =
        scenario(&(event("70s", "C", "join") + &event("130s", "A", "crash") + &event("400s", "A", "join")));
    let (first, second) = (run(&scenario), run(&scenario));
    assert_eq!(first, second);
    let mut journal = Vec::new();
    first.write_journal(&mut journal).unwrap();
    let found = replay(&journal).unwrap();
    assert_eq!((found.scans, found.different_scans), (first.totals.scans, 0));
}

#[test]
fn no_bucket_is_lost_whatever_happens_to_the_nodes() {
    for seed in 0_u64..200 {
        let mut stream = crate::rng::Stream::named(seed, "nodes");
        let mut scenario = scenario("[scan]\nclose_done = true\n");
        let mut happens = |at: u64, node: &str, kind| {
            scenario.events.push(NodeEvent { at: Span(at * SECOND), node: node.into(), kind });
        };
        for _ in 0..6 {
            let (at, node) = (stream.below(500), ["A", "B", "C"][stream.below(3) as usize]);
            happens(at, node, NodeEventKind::ALL[stream.below(5) as usize]);
        }
        // In the end somebody is there to finish.
        happens(600, "D", NodeEventKind::Join);
        let result = run(&scenario);
        assert_eq!(result.tasks[0].completed, 20, "seed {seed}: {:?}", scenario.events);
    }
}

/// Sixty buckets on two nodes; a third one joins while workers cannot be changed.
fn failing(retry_failed: bool) -> ClusterResult {
    let fault = "[[fault]]\nfrom = \"100s\"\nuntil = \"150s\"\n";
    let scan = format!("[work]\nbuckets = 60\n[scan]\nretry_failed = {retry_failed}\n");
    result(&(scan + fault + &event("70s", "C", "join")))
}

#[test]
fn trying_a_failed_reconciliation_again_gains_the_new_nodes_workers() {
    let (faithful, better) = (failing(false), failing(true));
    // 60 buckets on four workers: 15 rounds. With six from the scan at 180 s on, 16 of them are with four before.
    assert_eq!((faithful.makespan_s, faithful.totals.workers_created), (Some(750.0), 4));
    assert_eq!(better.totals.workers_created, 6);
    assert!(better.makespan_s.unwrap() <= 580.0, "{:?}", better.makespan_s);
}

#[test]
fn a_failed_reconciliation_is_told_with_its_reason() {
    let text = failing(true).text();
    assert!(text.contains("the records of workers cannot be written"), "{text}");
    assert!(text.contains("Tasks whose reconciliation failed before are tried again."), "{text}");
}

#[test]
fn a_changed_definition_is_followed_at_the_next_scan_unless_that_is_switched_off() {
    let change = "[work]\nbuckets = 60\n[[change]]\nat = \"130s\"\ncount = 4\n";
    let followed = result(change);
    assert_eq!((followed.totals.workers_created, followed.ended), (8, true));
    assert!(followed.makespan_s.unwrap() < 500.0, "{:?}", followed.makespan_s);
    let ignored = result(&format!("[scan]\nfollow_definitions = false\n{change}"));
    assert_eq!((ignored.totals.workers_created, ignored.makespan_s), (4, Some(750.0)));
    let fewer =
        result("[work]\nbuckets = 60\n[scan]\nclose_done = true\n[[change]]\nat = \"130s\"\ncount = 1\n");
    assert_eq!((fewer.totals.workers_suspended, fewer.ended), (2, true));
}

#[test]
fn every_scan_says_why_with_its_clock() {
    let rest = format!("[scan]\nmin_interval = \"150s\"\n{}", event("70s", "C", "join"));
    let result = result(&rest);
    let scans: Vec<&Scanned> = result
        .log
        .iter()
        .filter_map(|entry| match &entry.line {
            LogLine::Scan(scan) => Some(scan),
            _ => None,
        })
        .collect();
    let told: Vec<String> = scans
        .iter()
        .map(|scan| format!("{}: {} {}", scan.verdict(), scan.clock(result.scan.as_ref()), scan.difference()))
        .collect();
    assert_eq!(
        told[..4],
        [
            "reconciled: no reconciliation yet +A +B",
            "put off: 60 s after the last one (min 150 s) +C",
            "still put off: 120 s after the last one (min 150 s) ",
            "reconciled: 180 s after the last one (min 150 s) ",
        ]
    );
    #[cfg(feature = "cli")]
    {
        let page = result.page(&[]).unwrap();
        for scan in &scans {
            assert!(page.contains(scan.why), "{}", scan.why);
        }
        assert_eq!(page.matches("<span class=\"badge").count(), scans.len(), "a row for each scan");
        for label in ["scan reconciled", "scan put a change off"] {
            assert!(page.contains(label), "the chart marks it: {label}");
        }
        assert!(
            page.contains("time since the start (seconds)") && !page.contains("\nfault\n"),
            "as the texts say it"
        );
    }
}

#[test]
fn a_disabled_task_has_its_first_workers_and_is_left_alone() {
    let text = "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n[scan]\n[[task]]\nname = \"t\"\n\
        auto_scaling = { enabled = false }\n[[event]]\nat = \"70s\"\nnode = \"C\"\nkind = \"join\"\n";
    let scenario = ClusterScenario::from_toml(text, "t.toml", |_| Err(String::new())).unwrap();
    let result = run(&scenario);
    assert_eq!((result.totals.workers_created, result.ended), (2, true));
    assert!(result.text().contains("left alone, because its definition disables auto-scaling"));
    let LogLine::Scan(scan) = &result.log[0].line else { panic!("{:?}", result.log[0]) };
    assert_eq!(scan.tasks[0].outcome.status, wci_core::cluster::reconcile::Status::NotApplicable);
}

#[test]
fn the_size_of_a_bucket_is_its_own() {
    let work = "seed = 7\n[work]\nbuckets = 40\nbucket = { kind = \"exponential\", mean = \"50s\" }\n";
    let (alone, with_third) = (result(work), result(&(work.to_owned() + &event("70s", "C", "join"))));
    assert_ne!(alone.makespan_s, Some(500.0));
    assert!(with_third.makespan_s < alone.makespan_s, "the same sizes on more workers");
    assert_ne!(result(&work.replace("seed = 7", "seed = 8")).makespan_s, alone.makespan_s);
    let busy = |result: &ClusterResult| {
        let spans = result.timeline.windows(2);
        let seconds: f64 = spans.map(|two| two[0].buckets_delegated as f64 * (two[1].t_s - two[0].t_s)).sum();
        seconds.round()
    };
    assert_eq!(busy(&alone), busy(&with_third), "as much work");
}

#[test]
fn a_run_in_slices_with_hands_is_the_run_of_its_scenario() {
    let rest = "[scan]\nmin_interval = \"150s\"\n".to_owned() + &event("70s", "C", "join");
    let mut played = Playback::new(scenario(&rest));
    played.advance(Millis::from_secs(30));
    played.act("B", NodeEventKind::Crash);
    let view = played.view();
    assert_eq!((view.nodes[1].is_working, view.tasks[0].buckets.matches('d').count()), (false, 4));
    played.to_next_verdict();
    assert_eq!(played.lines(0).last().and_then(|line| line.verdict), Some("reconciled"));
    for slice in 1..20_000 {
        played.advance(Millis::new(30_001 + slice * 777));
    }
    let whole = run(&scenario(&(rest + &played.hands_toml())));
    assert_eq!(played.result().digest(), whole.digest());
    assert_eq!(played.view().tasks[0].buckets, "c".repeat(20));
}

#[test]
fn a_run_goes_on_until_its_scavengers_have_asked_once_more() {
    // One worker does the last bucket at 250 s; the other polls at 220 s, 240 s and 260 s, when it sees the end.
    for (scan, workers) in [("", 2), ("[scan]\ninterval = \"2s\"\n", 2)] {
        let text = format!(
            "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n{scan}[work]\nbuckets = 9\n[[task]]\nname = \"t\"\n"
        );
        let scenario = ClusterScenario::from_toml(&text, "t.toml", |_| Err(String::new())).unwrap();
        let result = run(&scenario);
        assert_eq!((result.makespan_s, result.ended, result.simulated_s), (Some(250.0), true, 260.0));
        assert_eq!(result.tasks[0].workers, workers);
    }
}

#[test]
fn a_node_that_crashes_late_is_waited_for() {
    // B's scavenger polls when B crashes; only when B is marked DOWN, its worker can be closed.
    let task =
        "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n[work]\nbuckets = 9\n[[task]]\nname = \"t\"\n";
    let run_with = |rest: &str| {
        let text = format!("{task}{rest}{}", event("245s", "B", "crash"));
        run(&ClusterScenario::from_toml(&text, "t.toml", |_| Err(String::new())).unwrap())
    };
    let better = run_with("[scan]\nclose_done = true\n");
    assert_eq!((better.makespan_s, better.ended, better.totals.nodes_marked_down), (Some(250.0), true, 1));
    let back = run_with(&format!("[scan]\n{}", event("800s", "B", "join")));
    assert_eq!((back.makespan_s, back.ended, back.simulated_s), (Some(250.0), true, 800.0));
    let lost = run_with("[scan]\n");
    assert!(!lost.ended && lost.simulated_s < 1_800.0, "nothing can come of it: {}", lost.simulated_s);
}

/// The example with what its first or second task's executionState says.
fn with_states(scan: &str, work: &str, rest: &str) -> ClusterResult {
    let mut states = [scan, work].into_iter();
    let xml: Vec<String> = EXAMPLE
        .split("<executionState>runnable<")
        .map(|part| {
            format!(
                "{part}{}",
                states.next().map_or(String::new(), |state| format!("<executionState>{state}<"))
            )
        })
        .collect();
    let text = format!(
        "format = 1\ntitle = \"T\"\ndefinitions = \"auto-scaling.xml\"\nnodes = [\"A\", \"B\"]\nhorizon = \"1h\"\n{rest}"
    );
    let scenario = ClusterScenario::from_toml(&text, "t.toml", |_| Ok(xml.concat()));
    run(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
}

#[test]
fn a_suspended_scan_task_scans_nothing_and_says_so() {
    let result = with_states("suspended", "runnable", &event("70s", "C", "join"));
    assert_eq!((result.totals.scans, result.totals.workers_created, result.ended), (0, 4, true));
    assert!(
        result
            .text()
            .contains("Nothing keeps the workers in step with the nodes: the task that scans is suspended.")
    );
}

#[test]
fn a_closed_task_has_nothing_left_to_do() {
    let result = with_states("runnable", "closed", "");
    assert_eq!((result.totals.workers_created, result.ended, result.makespan_s), (0, true, Some(0.0)));
}

#[test]
fn under_a_suspended_coordinator_new_workers_wait_until_it_is_resumed() {
    let never = with_states("runnable", "suspended", &event("70s", "C", "join"));
    assert_eq!((never.makespan_s, never.totals.workers_created), (None, 6));
    assert_eq!(
        never.timeline.last().map(|sample| (sample.workers_running, sample.workers_idle)),
        Some((0, 6))
    );
    let resumed = "[[change]]\nat = \"100s\"\nsuspended = false\n";
    let resumed = with_states("runnable", "suspended", resumed);
    // The scan at 120 s resumes four workers: five rounds of 50 s.
    assert_eq!((resumed.makespan_s, resumed.ended, resumed.totals.workers_resumed), (Some(370.0), true, 4));
    let stopped = "[[change]]\nat = \"60s\"\nsuspended = true\n".to_owned() + &event("70s", "C", "join");
    let stopped = with_states("runnable", "runnable", &stopped);
    assert_eq!((stopped.makespan_s, stopped.ended), (Some(250.0), false), "those that run go on");
    assert_eq!((stopped.totals.workers_created, stopped.totals.workers_resumed), (6, 0));
}

#[test]
fn the_scenarios_of_the_docs_can_be_read() {
    let docs = include_str!("../../../docs/cluster.md");
    let blocks: Vec<&str> =
        docs.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    let read = |text: &str| ClusterScenario::from_toml(text, "docs", |_| Ok(EXAMPLE.to_owned()));
    let whole = read(blocks[0]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((whole.events.len(), whole.expect.len()), (1, 2));
    let task = read(&format!("format = 1\ntitle = \"T\"\nnodes = [\"A\"]\n{}", blocks[1]));
    assert!(task.is_ok(), "{task:?}");
}

#[test]
fn a_scenario_says_of_tasks_all_that_definitions_say() {
    let text = "format = 1\ntitle = \"T\"\nnodes = [\"A\"]\n[[task]]\nname = \"t\"\noid = \"7\"\narchetypes = [\"bulk\"]\n\
        activity = \"import\"\n[[task]]\nname = \"u\"\n[scan]\ntasks = [{ archetype = \"bulk\" }]\n";
    let result = |text: &str| {
        run(&ClusterScenario::from_toml(text, "t.toml", |_| Err(String::new()))
            .unwrap_or_else(|e| panic!("{e}")))
    };
    let left_alone = |text: &str| {
        let told = result(text).text();
        let line = told.lines().find(|line| line.contains("left alone"));
        line.map(|line| line.trim().to_owned())
    };
    let expected = "left alone, because it is not among the selected tasks";
    assert_eq!(left_alone(text), Some(format!("u: {expected}")));
    assert_eq!(
        left_alone(&text.replace("{ archetype = \"bulk\" }", "{ name = \"u\" }")),
        Some(format!("t: {expected}"))
    );
    assert_eq!(
        left_alone(&text.replace("{ archetype = \"bulk\" }", "{ oid = \"7\" }, { oid = \"u\" }")),
        None
    );
    let name = &result(text).journal[0].tasks[0].activities[0].current[0].name;
    assert_eq!(&**name, "Worker A:1 for import in t");
}

#[test]
fn a_scenario_with_its_definitions_inside_runs_the_same() {
    let xml = EXAMPLE.replace(
        "<activityAutoScaling/>",
        "<activityAutoScaling><tasks><objectRef oid=\"b3a0b6a8-4f0f-4e0e-9a53-6f5a52b6a002\"/></tasks>\
         <minReconciliationInterval>PT90S</minReconciliationInterval></activityAutoScaling>",
    );
    let text = "format = 1\ntitle = \"T\"\ndefinitions = \"d.xml\"\nnodes = [\"A\", \"B\"]\n\
                [work]\nbucket = { kind = \"exponential\", mean = \"50s\" }\n[scan]\nclose_done = true\n\
                [[task]]\nname = \"own\"\n"
        .to_owned()
        + &event("70s", "C", "join")
        + &event("75s", "A", "crash");
    let read = |text: &str, xml: Result<String, String>| {
        ClusterScenario::from_toml(text, "t.toml", |_| xml.clone())
            .unwrap_or_else(|errors| panic!("{errors}"))
    };
    let with = read(&text, Ok(xml));
    let inlined = toml::to_string(&with.inlined(text.parse().unwrap())).unwrap();
    let alone = read(&inlined, Err("no file is needed".into()));
    assert_eq!(alone.definitions.tasks, with.definitions.tasks);
    assert_eq!(run(&alone).digest(), run(&with).digest());
    assert!(!inlined.lines().any(|line| line.starts_with("definitions")), "{inlined}");

    let suspended = EXAMPLE.replacen("runnable", "suspended", 1);
    let text = text.replace("[scan]\nclose_done = true\n", "");
    let with = read(&text, Ok(suspended));
    let alone = read(&toml::to_string(&with.inlined(text.parse().unwrap())).unwrap(), Err(String::new()));
    assert_eq!((run(&alone).digest(), run(&alone).totals.scans), (run(&with).digest(), 0));
}

#[test]
fn a_task_that_cannot_make_its_first_workers_says_so_and_gets_them_from_the_first_scan() {
    let result = result("[[fault]]\nfrom = \"0s\"\nuntil = \"30s\"\n");
    let first = &result.log[0];
    let expected =
        "\"Recompute all users\" could not make its first workers: the records of workers cannot be written";
    assert_eq!((first.t_ms, first.line.text(None).as_str()), (0, expected));
    assert!(result.text().contains(expected));
    assert_eq!((result.totals.workers_created, result.makespan_s), (4, Some(60.0 + 250.0)));
}
