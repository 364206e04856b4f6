//! What is wrong with a scenario is told with its place.

use super::{ClusterScenario, event};

/// What is added to a scenario of the nodes A and B and the task t, and what is told of that.
const WRONG: [(&str, &str); 20] = [
    ("nodse = 1", "c.toml:4:1: nodse: found an unknown key, expected \"nodes\""),
    ("definitions = \"x.xml\"", "c.toml:4:15: definitions: found no such file"),
    (
        "[expect]\nmakespan = \"< 1s\"",
        "c.toml:5:12: expect.makespan: found an unknown figure, expected makespan_s",
    ),
    (
        "[expect]\nmakespan_s = \"< 1\"",
        "c.toml:5:14: expect.makespan_s: found \"< 1\", expected behind the sign a",
    ),
    (
        "[[change]]\nat = \"1s\"\ncount = 2\ntask = \"u\"",
        "c.toml:7:8: change.0.task: found \"u\", expected t",
    ),
    ("[[change]]\nat = \"1s\"", "c.toml:4:1: change.0: found nothing that changes"),
    (
        "[[change]]\nat = \"1s\"\ncount = 1001",
        "c.toml:6:9: change.0.count: found 1001, expected a whole number",
    ),
    (
        "[work]\nbucket = { kind = \"uniform\", min = \"2s\", max = \"1s\" }",
        "c.toml:5:48: work.bucket.max: found 1s, expected at least min, 2s",
    ),
    ("[work]\nbucket = \"1ms\"", "c.toml:5:10: work.bucket: found 1ms, expected at least 100ms"),
    ("[work]\nbucket = \"-5s\"", "c.toml:5:10: work.bucket: found a negative duration, expected a duration"),
    ("[work]\nbuckets = 1000001", "c.toml:5:11: work.buckets: found 1000001, expected a whole number"),
    ("[scan]\ninterval = \"0s\"", "c.toml:5:12: scan.interval: found 0s, expected at least 100ms"),
    ("[scan]\ninterval = 60", "c.toml:5:12: scan.interval: found 60 without a unit"),
    (
        "[timers]\ndown_after = \"5s\"",
        "c.toml:5:14: timers.down_after: found 5s, expected at least timers.check_in, 10s",
    ),
    (
        "[[fault]]\nfrom = \"9s\"\nuntil = \"8s\"",
        "c.toml:6:9: fault.0.until: found 8s, expected later than from, 9s",
    ),
    (
        "[[event]]\nat = \"1s\"\nnode = \"Q\"\nkind = \"crash\"",
        "c.toml:6:8: event.0.node: found \"Q\", expected one of A, B, or a node that has joined before",
    ),
    (
        "[[event]]\nat = \"1s\"\nnode = \"A\"\nkind = \"chrash\"",
        "c.toml:7:8: event.0.kind: found \"chrash\", expected \"crash\"",
    ),
    ("[[task]]\nname = \"t\"", "c.toml:7:8: task.1.name: found the identifier \"t\" a second time"),
    (
        "[[task]]\nname = \"u\"\nworkers_per_node = [{ count = 5000 }]",
        "c.toml:6:31: task.u.workers_per_node.0.count: found 5000, expected a whole number",
    ),
    (
        "[[task]]\nname = \"u\"\nauto_scaling = { enabeld = false }",
        "c.toml:6:18: task.u.auto_scaling.enabeld: found an unknown key, expected \"enabled\"",
    ),
];

/// Whole scenarios, and what is told of them.
const WRONG_WHOLE: [(&str, &str); 6] = [
    ("format = 2\ntitle = \"T\"\nnodes = [\"A\"]\n", "c.toml:1:10: format: found 2, expected 1"),
    ("format = 1\ntitle = \"T\"\nnodes = []\n[[task]]\nname = \"t\"\n", "c.toml:3:9: nodes: found no nodes"),
    (
        "format = 1\nnodes = [\"A\"]\n[[task]]\nname = \"t\"\n",
        "c.toml: title: found nothing, expected a text",
    ),
    (
        "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"A\"]\n[[task]]\nname = \"t\"\n",
        "c.toml:3:15: nodes.1: found \"A\" again, expected each node once",
    ),
    ("format = 1\ntitle = \"T\"\nnodes = [\"A\"]\n", "c.toml: task: found no task with workers"),
    ("format = 1\ntitle = \"T\nnodes = [\"A\"]\n", "c.toml:2:"),
];

#[test]
fn a_node_that_joins_may_have_events_later_and_everything_wrong_is_told_at_once() {
    assert_eq!(wrong(&(event("70s", "C", "join") + &event("90s", "C", "crash"))), "");
    let both =
        wrong(&(event("90s", "C", "join") + &event("70s", "C", "crash") + "[scan]\ninterval = \"1ms\"\n"));
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn wrong_scenarios_are_told_with_their_place() {
    for (text, expected) in WRONG {
        let told = wrong(text);
        assert!(told.starts_with(expected), "{text}:\n{told}\n{expected}");
    }
    for (text, expected) in WRONG_WHOLE {
        let told = error(text);
        assert!(told.starts_with(expected), "{text}:\n{told}\n{expected}");
    }
}

/// What is wrong with a scenario of the nodes A and B and the task t, to which this is added.
fn wrong(rest: &str) -> String {
    let text = format!("format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n{rest}\n[[task]]\nname = \"t\"\n");
    error(&text)
}

fn error(text: &str) -> String {
    let read = ClusterScenario::from_toml(text, "c.toml", |_| Err("no such file".into()));
    read.map(|_| String::new()).unwrap_or_else(|errors| errors.to_string())
}
