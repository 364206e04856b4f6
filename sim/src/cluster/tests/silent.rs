//! Nodes of which nothing is heard: what may be done to their workers, and what becomes of their work.

use super::*;
use std::collections::BTreeSet;
use wci_core::cluster::{Node, TaskId};

/// From 100 s on one worker a node is wanted instead of two; A is last heard of in time before `at`.
fn fewer_while_silent_from(at: &str) -> ClusterResult {
    let change = "[work]\nbuckets = 60\n[[change]]\nat = \"100s\"\ncount = 1\n".to_owned();
    result(&(change + &event(at, "A", "silent")))
}

#[test]
fn a_surplus_worker_is_only_stopped_on_a_node_that_was_heard_of_within_thirty_seconds() {
    // The scan at 120 s asks: A spoke last at 90 s, or at 80 s.
    let (just_alive, not_alive) = (fewer_while_silent_from("95s"), fewer_while_silent_from("85s"));
    assert_eq!(just_alive.totals.workers_suspended, 2);
    assert_eq!(not_alive.totals.workers_suspended, 1, "A is UP, but not alive");
}

#[test]
fn a_node_that_was_shut_down_is_neither_up_nor_alive_however_lately_it_spoke() {
    let result = result(&event("115s", "A", "leave"));
    let records = result.journal.iter().map(|scan| (scan.t.as_millis(), scan.nodes.0["A"]));
    let records: Vec<(i64, Node)> = records.take(2).collect();
    assert_eq!(records[0], (60_000, Node { is_up: true, is_alive: true }));
    assert_eq!(records[1], (120_000, Node::default()), "it spoke at 110 s");
}

#[test]
fn what_a_silent_node_finishes_after_it_was_given_up_counts_for_nothing_and_is_done_once() {
    // A falls silent with two buckets of 1500 s. At 1080 s B sees 1010 s of silence: DOWN. B's own are done at 1500 s,
    // as A's would be; A is back at 1600 s. Of ten buckets five are left for each node then.
    let work = "[work]\nbuckets = 10\nbucket = \"1500s\"\n".to_owned();
    let result = result(&(work + &event("75s", "A", "silent") + &event("1600s", "A", "return")));
    assert_eq!((result.totals.nodes_marked_down, result.totals.buckets_given_back), (1, 2));
    assert_eq!(result.totals.wasted_work_s, 2.0 * 1080.0);
    assert_eq!((result.tasks[0].completed, result.ended), (10, true));
    let complete = |t_s: f64| {
        let until = result.timeline.iter().take_while(|sample| sample.t_s <= t_s);
        until.last().map_or(0, |sample| sample.buckets_complete)
    };
    assert_eq!((complete(1499.9), complete(1500.0), complete(3000.0), complete(3100.0)), (0, 2, 4, 6));
    assert_eq!(result.makespan_s, Some(4600.0));
}

#[test]
fn a_bucket_is_worked_on_once_when_its_silent_node_is_given_up_while_others_wait_for_work() {
    // B and C have nothing left to do when A is given up: they take its two buckets at once, and A gets none back.
    let work = "[work]\nbuckets = 6\nbucket = \"1000s\"\n".to_owned();
    let events = event("0s", "C", "join") + &event("75s", "A", "silent") + &event("1150s", "A", "return");
    let result = result(&(work + &events));
    let sizes: f64 = 6.0 * 1000.0;
    let spans = result.timeline.windows(2);
    let held: f64 = spans.map(|two| two[0].buckets_delegated as f64 * (two[1].t_s - two[0].t_s)).sum();
    assert_eq!(held, sizes + result.totals.wasted_work_s, "no bucket has two workers");
    assert_eq!((result.tasks[0].completed, result.ended), (6, true));
    let names: BTreeSet<TaskId> = result
        .journal
        .iter()
        .flat_map(|scan| &scan.tasks[0].activities[0].current)
        .map(|w| w.id.clone())
        .collect();
    assert_eq!(names.len(), result.tasks[0].workers);
}
