//! What is wrong with a scenario is told with its place.

use super::{ClusterScenario, event};

/// What is added to a scenario of the nodes A and B and the task t, and what is told of that.
const WRONG: [(&str, &str); 34] = [
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
        "[[task]]\nname = \"u\"\noid = \"7\"\n[[task]]\nname = \"v\"\noid = \"7\"",
        "c.toml:9:7: task.1.oid: found the identifier \"7\" a second time",
    ),
    ("[[task]]\nname = \"\"", "c.toml:5:8: task.0.name: found \"\", expected a name"),
    ("[[task]]\nname = \"u\"\noid = \" \"", "c.toml:6:7: task.0.oid: found \"\", expected a name"),
    ("[[task]]\nname = \"u\"\nactivity = \"\"", "c.toml:6:12: task.0.activity: found \"\", expected a name"),
    (
        "[[task]]\nname = \"u\"\narchetypes = [\"a\", \"\"]",
        "c.toml:6:20: task.0.archetypes.1: found \"\", expected a name",
    ),
    (
        "[[task]]\nname = \"u\"\nworkers_per_node = [{ node_identifiers = [\"\"] }]",
        "c.toml:6:43: task.0.workers_per_node.0.node_identifiers.0: found \"\", expected a name",
    ),
    (
        "[[task]]\nname = \"u\"\nworkers_per_node = [{ task_name = \"\" }]",
        "c.toml:6:35: task.0.workers_per_node.0.task_name: found \"\", expected a name",
    ),
    (
        "[scan]\ntasks = [{ name = \"t\" }, { name = \"tt\" }]",
        "c.toml:5:35: scan.tasks.1.name: found \"tt\", expected t",
    ),
    (
        "[scan]\ntasks = [{ archetype = \"a\" }]",
        "c.toml:5:24: scan.tasks.0.archetype: found \"a\", expected a task that has one",
    ),
    (
        "[scan]\ntasks = [{ nmae = \"t\" }]",
        "c.toml:5:12: scan.tasks.0.nmae: found an unknown key, expected \"name\"",
    ),
    (
        "[scan]\ntasks = [{ oid = \"t\", archetype = \"t\" }]",
        "c.toml:5:10: scan.tasks.0: found another number of keys, expected one of oid, name, archetype",
    ),
    (
        "[[event]]\nat = \"25h\"\nnode = \"A\"\nkind = \"crash\"",
        "c.toml:5:6: event.0.at: found 25h, expected at most the horizon, 1d",
    ),
    (
        "[[change]]\nat = \"25h\"\ncount = 1",
        "c.toml:5:6: change.0.at: found 25h, expected at most the horizon, 1d",
    ),
    (
        "[[fault]]\nfrom = \"25h\"\nuntil = \"26h\"",
        "c.toml:5:8: fault.0.from: found 25h, expected at most the horizon, 1d",
    ),
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

#[test]
fn what_is_wrong_with_the_definitions_is_told_with_all_else() {
    let xml = "<objects>\n<task oid=\"1\"><name>a</name><activity><distribution><workers>\n\
               <workersPerNode><count>two</count></workersPerNode></workers></distribution></activity></task>\n\
               <task oid=\"1\"><name>b</name><activity><distribution><workers/></distribution></activity></task>\n\
               </objects>";
    let text = "format = 1\ntitle = \"T\"\ndefinitions = \"d.xml\"\nnodes = [\"A\", \"A\"]\n\
                [[change]]\nat = \"1s\"\ntask = \"b\"\ncount = 1\n[expect]\nnothing = \"< 1\"\n";
    let told = |text: &str| {
        let read = ClusterScenario::from_toml(text, "c.toml", |_| Ok(xml.to_owned()));
        read.unwrap_err().to_string()
    };
    let places = |told: &str| -> Vec<String> {
        told.lines().filter_map(|line| line.split(" found").next().map(str::to_owned)).collect()
    };
    let of_definitions = ["d.xml:3:17: count:", "d.xml:4:1: task:"];
    let all = [&of_definitions[..], &["c.toml:4:15: nodes.1:", "c.toml:10:11: expect.nothing:"]].concat();
    assert_eq!(places(&told(text)), all, "{}", told(text));
    let misformed = text.replace("at = \"1s\"", "att = \"1s\"");
    let told = told(&misformed);
    assert!(
        told.starts_with(of_definitions[0]) && told.contains("change.0.att: found an unknown key"),
        "{told}"
    );
}

#[test]
fn a_task_of_the_scenario_that_is_in_the_definitions_too_is_the_one_too_many() {
    let text = "format = 1\ntitle = \"T\"\ndefinitions = \"d.xml\"\nnodes = [\"A\"]\n[[task]]\nname = \"u\"\n\
                [[task]]\nname = \"w\"\noid = \"b3a0b6a8-4f0f-4e0e-9a53-6f5a52b6a002\"\n";
    let read = ClusterScenario::from_toml(text, "c.toml", |_| Ok(super::EXAMPLE.to_owned()));
    let told = read.unwrap_err().to_string();
    assert!(told.starts_with("c.toml:9:7: task.1.oid: found the identifier \"b3a0"), "{told}");
}

#[test]
fn events_that_change_nothing_are_warned_of() {
    let warnings = |events: &[(&str, &str, &str)], rest: &str| -> Vec<String> {
        let events: String = events.iter().map(|(at, node, kind)| event(at, node, kind)).collect();
        let text = format!(
            "format = 1\ntitle = \"T\"\nnodes = [\"A\", \"B\"]\n[[task]]\nname = \"t\"\n{events}{rest}"
        );
        let read = ClusterScenario::from_toml(&text, "c.toml", |_| Err(String::new()));
        read.unwrap().warnings().iter().map(ToString::to_string).collect()
    };
    let fine = [("9s", "A", "join"), ("3s", "A", "crash"), ("4s", "B", "silent"), ("5s", "B", "return")];
    assert_eq!(warnings(&fine, ""), [""; 0]);
    let found = |kind: &str, is: &str| format!("found \"{kind}\", which changes nothing, as A {is} then");
    let works =
        format!("c.toml:9:8: event.0.kind: {}, expected leave, silent or crash", found("join", "works"));
    assert_eq!(warnings(&[("1s", "A", "join")], ""), [works]);
    for kind in ["crash", "leave", "silent", "return"] {
        let gone = format!("c.toml:13:8: event.1.kind: {}, expected join", found(kind, "is not there"));
        assert_eq!(warnings(&[("1s", "A", "crash"), ("2s", "A", kind)], ""), [gone]);
    }
    for kind in ["silent", "join"] {
        let silent = format!(
            "c.toml:13:8: event.1.kind: {}, expected return, leave or crash",
            found(kind, "is silent")
        );
        assert_eq!(warnings(&[("1s", "A", "silent"), ("2s", "A", kind)], ""), [silent]);
    }
    let by_chance = "[failures]\nmean_between = \"1h\"\n";
    assert_eq!(warnings(&[("1s", "A", "join")], by_chance), [""; 0], "A may have crashed before");
}

#[test]
fn definitions_that_select_a_task_that_stands_elsewhere_are_warned_of() {
    let selects = |what: &str| {
        let xml = super::EXAMPLE.replace(
            "<activityAutoScaling/>",
            &format!("<activityAutoScaling><tasks>\n{what}\n</tasks></activityAutoScaling>"),
        );
        let text = "format = 1\ntitle = \"T\"\ndefinitions = \"d.xml\"\nnodes = [\"A\"]\n";
        let read = ClusterScenario::from_toml(text, "c.toml", |_| Ok(xml.clone()));
        read.unwrap().warnings().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(selects("<objectRef oid=\"b3a0b6a8-4f0f-4e0e-9a53-6f5a52b6a002\"/>"), [""; 0]);
    let expected = "d.xml:13:1: tasks: found the oid \"7\", which no task here has, expected one of \
                    b3a0b6a8-4f0f-4e0e-9a53-6f5a52b6a002, unless it stands elsewhere";
    assert_eq!(selects("<objectRef oid=\"7\"/>"), [expected]);
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
