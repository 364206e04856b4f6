//! The worked cases, and what the better switches gain.

use super::*;
use wci_core::cluster::scan::{ScanState, replay};

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
fn a_run_is_the_same_each_time_and_its_scans_decide_the_same_again() {
    let scenario =
        scenario(&(event("70s", "C", "join") + &event("130s", "A", "crash") + &event("400s", "A", "join")));
    let (first, second) = (run(&scenario), run(&scenario));
    assert_eq!(first, second);
    let config = &scenario.definitions.scan.as_ref().unwrap().config;
    assert_eq!(replay(config, ScanState::default(), &first.journal), None);
}

#[test]
fn no_bucket_is_lost_whatever_happens_to_the_nodes() {
    let kinds = ["join", "leave", "silent", "crash", "return"];
    for seed in 0_u64..200 {
        let mut stream = crate::rng::Stream::named(seed, "nodes");
        let mut rest = String::from("[scan]\nclose_done = true\n");
        for _ in 0..6 {
            let (at, node) = (stream.below(500), ["A", "B", "C"][stream.below(3) as usize]);
            rest += &event(&format!("{at}s"), node, kinds[stream.below(5) as usize]);
        }
        // In the end somebody is there to finish.
        rest += &event("600s", "D", "join");
        let result = result(&rest);
        assert_eq!(result.tasks[0].completed, 20, "seed {seed}: {rest}");
    }
}

#[test]
fn wrong_scenarios_are_told_with_their_place() {
    let error = |text: &str| {
        ClusterScenario::from_toml(text, "c.toml", |_| Err("no such file".into())).unwrap_err().to_string()
    };
    let text = error("format = 1\ntitle = \"T\"\nnodes = [\"A\"]\nnodse = 1\n");
    assert!(text.starts_with("c.toml:4:1: found unknown field `nodse`"), "{text}");
    assert!(error("format = 2\ntitle = \"T\"\nnodes = [\"A\"]\n").contains("format: found 2, expected 1"));
    assert!(
        error("format = 1\ntitle = \"T\"\nnodes = []\n[[task]]\nname = \"t\"\n")
            .contains("nodes: found no nodes")
    );
    assert!(error("format = 1\ntitle = \"T\"\nnodes = [\"A\"]\n").contains("found no task with workers"));
    let text = error("format = 1\ntitle = \"T\"\nnodes = [\"A\"]\ndefinitions = \"x.xml\"\n");
    assert!(text.contains("definitions: found no such file"), "{text}");
}
