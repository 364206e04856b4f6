//! What midPoint writes is read, and what it does not is told.

use super::*;

const EXAMPLE: &str = include_str!("../../../../../scenarios/cluster/auto-scaling.xml");

fn task(inside: &str) -> String {
    format!(
        "<task xmlns=\"http://midpoint.evolveum.com/xml/ns/public/common/common-3\" oid=\"1\">\n<name>T</name>\n{inside}\n</task>"
    )
}

fn scan(inside: &str) -> Result<ScanTask, String> {
    let text = task(&format!(
        "<activity><work><activityAutoScaling>\n{inside}</activityAutoScaling></work></activity>"
    ));
    Definitions::from_xml(&text, "t.xml").map(|read| read.scan.unwrap()).map_err(|error| error.to_string())
}

fn distributed(inside: &str) -> Result<DistributedTask, String> {
    let text = task(&format!("<activity><work/><distribution>\n{inside}</distribution></activity>"));
    Definitions::from_xml(&text, "t.xml")
        .map(|mut read| read.tasks.remove(0))
        .map_err(|error| error.to_string())
}

#[test]
fn the_shipped_example_is_read() {
    let read = Definitions::from_xml(EXAMPLE, "auto-scaling.xml").unwrap();
    let scan = read.scan.unwrap();
    assert_eq!((scan.name.as_str(), scan.interval), ("Auto-scaling", Millis::from_secs(60)));
    assert_eq!(scan.config, ScanConfig::default());
    assert_eq!(read.tasks.len(), 1);
    assert_eq!(read.tasks[0].workers, [WorkersPerNode { count: 2, ..WorkersPerNode::default() }]);
}

#[test]
fn every_setting_of_a_scan_is_read() {
    let read = scan(
        "<tasks><objectRef oid=\"7\" type=\"TaskType\"/><objectRef><targetName>N</targetName></objectRef>\
         <query><filter><equal><path>c:name</path><value>Q</value></equal></filter></query>\
         <query><q:filter xmlns:q=\"u\"><q:equal><q:path>archetypeRef</q:path><q:value>a</q:value></q:equal></q:filter></query>\
         </tasks><minReconciliationInterval>PT1H</minReconciliationInterval>\
         <maxReconciliationInterval>P1D</maxReconciliationInterval>\
         <skipInitialReconciliation>true</skipInitialReconciliation>",
    )
    .unwrap();
    let selectors = vec![
        Selector::Oid("7".into()),
        Selector::Name("N".into()),
        Selector::Name("Q".into()),
        Selector::Archetype("a".into()),
    ];
    assert_eq!(read.config.tasks, Selection::AnyOf(selectors));
    let latch = LatchConfig {
        min_interval: Some(Millis::from_secs(3_600)),
        max_interval: Some(Millis::from_secs(86_400)),
        skip_initial: true,
    };
    assert_eq!(read.config.latch, latch);
}

#[test]
fn every_setting_of_workers_is_read() {
    let read = distributed(
        "<workers><workersPerNode><nodeIdentifier>A</nodeIdentifier><nodeIdentifier>B</nodeIdentifier><count>3</count>\
         <scavengers>2</scavengers><executionGroup>g-{node}</executionGroup><taskName>w{index}</taskName>\
         </workersPerNode><workersPerNode><executionGroup/></workersPerNode></workers>",
    )
    .unwrap();
    let first = WorkersPerNode {
        node_identifiers: vec!["A".into(), "B".into()],
        count: 3,
        scavengers: 2,
        execution_group: "g-{node}".into(),
        task_name: "w{index}".into(),
    };
    let second = WorkersPerNode { execution_group: String::new(), ..WorkersPerNode::default() };
    assert_eq!(read.workers, [first, second]);
    assert_eq!((read.oid, read.activity.as_str()), ("1".into(), "root activity"));
}

#[test]
fn both_ways_to_disable_are_read() {
    let says =
        |inside: &str| distributed(&format!("<workers/>{inside}")).map(|read| read.auto_scaling.is_enabled());
    assert_eq!(says(""), Ok(true));
    assert_eq!(says("<autoScaling><enabled>false</enabled></autoScaling>"), Ok(false));
    assert_eq!(says("<autoScaling><mode>disabled</mode></autoScaling>"), Ok(false));
    assert_eq!(says("<autoScaling><mode>enabled</mode></autoScaling>"), Ok(true));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let text =
        distributed("<workers>\n<workersPerNode><count>two</count></workersPerNode></workers>").unwrap_err();
    assert_eq!(text, "t.xml:5:17: count: found \"two\", expected a whole number from 0 to 1000");
    let text = distributed("<workers><workerPerNode/></workers>").unwrap_err();
    assert!(text.contains("workerPerNode: found an unknown element, expected workersPerNode"), "{text}");
    let text = scan("<minReconciliationInterval>P1M</minReconciliationInterval>").unwrap_err();
    assert!(text.contains("t.xml:4:1: minReconciliationInterval: found \"P1M\""), "{text}");
    let text = scan("<tasks><query><filter><substring/></filter></query></tasks>").unwrap_err();
    assert!(text.contains("found <substring>, expected a single <equal>"), "{text}");
    let text = scan(
        "<tasks><query><filter><equal><path>owner</path><value>x</value></equal></filter></query></tasks>",
    );
    assert!(text.unwrap_err().contains("the path \"owner\", expected name, oid or archetypeRef"));
    let text = Definitions::from_xml("<task>\n<name>T</nam>\n</task>", "t.xml").unwrap_err().to_string();
    assert!(text.starts_with("t.xml:2:8: found text that is no XML"), "{text}");
    let text = distributed("<worker/>").unwrap_err();
    assert!(text.starts_with("t.xml:4:1: worker: found an unknown element, expected buckets"), "{text}");
    let text = Definitions::from_xml("<role/>", "t.xml").unwrap_err().to_string();
    assert!(text.contains("found <role>, expected <task>"), "{text}");
}

#[test]
fn only_a_plain_filter_counts() {
    let filter = |inside: &str| {
        scan(&format!("<tasks><query><filter><equal>\n{inside}\n</equal></filter></query></tasks>"))
            .map(|read| read.config.tasks)
    };
    let name = Selection::AnyOf(vec![Selector::Name("v".into())]);
    for path in ["name", "c:name", " t.1-a:name "] {
        assert_eq!(filter(&format!("<path>{path}</path><value>v</value>")), Ok(name.clone()));
    }
    for path in ["extension/name", "extension/c:name", "c:extension/c:name", ":name", "a:b:name", "/name"] {
        let told = filter(&format!("<path>{path}</path><value>v</value>")).unwrap_err();
        let expected =
            format!("t.xml:5:1: path: found the path {path:?}, expected name, oid or archetypeRef");
        assert_eq!(told, expected);
    }
    let told = |inside: &str| filter(inside).unwrap_err();
    let two = told("<path>name</path><value>v</value>\n<value>w</value>");
    assert_eq!(two, "t.xml:6:1: value: found a second <value>, expected at most one");
    let matching = told("<matching>polyStringOrig</matching><path>name</path><value>v</value>");
    assert_eq!(matching, "t.xml:5:1: matching: found an unknown element, expected path, value");
    assert!(told("<value>v</value>").contains("equal: found no path, expected <path>"));
    assert!(told("<path>name</path>").contains("equal: found no value, expected <value>"));
}

#[test]
fn a_comment_does_not_cut_a_text() {
    let count = |text: &str| {
        distributed(&format!("<workers><workersPerNode><count>{text}</count></workersPerNode></workers>"))
            .map(|read| read.workers[0].count)
    };
    assert_eq!(count("2<!-- was 1 -->0"), Ok(20));
    assert_eq!(count("<!-- nodes -->\n3"), Ok(3));
    assert_eq!(count("<![CDATA[4]]>"), Ok(4));
    let told = count("2<!-- and -->x").unwrap_err();
    assert!(told.contains("count: found \"2x\", expected a whole number"), "{told}");
}

#[test]
fn what_may_stand_once_is_refused_a_second_time_with_its_line() {
    let again = |read: Result<String, String>, line: u32, name: &str| {
        let told = read.expect_err(name);
        assert!(told.starts_with(&format!("t.xml:{line}:")), "{told}");
        assert!(told.ends_with(&format!("{name}: found a second <{name}>, expected at most one")), "{told}");
    };
    let twice = |name: &str, text: &str| format!("<{name}>{text}</{name}>\n<{name}>{text}</{name}>");
    for (name, text) in [("count", "2"), ("scavengers", "1"), ("executionGroup", "g"), ("taskName", "w")] {
        let inside = format!("<workers><workersPerNode>{}</workersPerNode></workers>", twice(name, text));
        again(distributed(&inside).map(|read| format!("{read:?}")), 5, name);
    }
    for (name, text) in [
        ("tasks", ""),
        ("minReconciliationInterval", "PT1H"),
        ("maxReconciliationInterval", "P1D"),
        ("skipInitialReconciliation", "true"),
    ] {
        again(scan(&twice(name, text)).map(|read| format!("{read:?}")), 5, name);
    }
    for inside in [twice("workers", ""), format!("<workers/>{}", twice("autoScaling", ""))] {
        let name = if inside.contains("autoScaling") { "autoScaling" } else { "workers" };
        again(distributed(&inside).map(|read| format!("{read:?}")), 5, name);
    }
    let activity = "<activity><work><activityAutoScaling/></work></activity>";
    for (inside, name) in [
        (format!("<schedule>{}</schedule>", twice("interval", "60")), "interval"),
        (twice("schedule", "<interval>60</interval>"), "schedule"),
        (twice("executionState", "suspended"), "executionState"),
    ] {
        let read = Definitions::from_xml(&task(&(inside + activity)), "t.xml");
        again(read.map(|read| format!("{read:?}")).map_err(|error| error.to_string()), 4, name);
    }
}

#[test]
fn a_file_cannot_make_the_reader_expand_entities() {
    let bomb = "<!DOCTYPE task [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><task><name>&b;</name></task>";
    assert!(Definitions::from_xml(bomb, "t.xml").is_err());
}

#[test]
fn an_element_that_is_never_closed_is_told_where_it_stands() {
    let text = "<task oid=\"1\">\n  <name>T</name>\n  <activity>\n    <work/>\n  <!-- </activity> -->\n";
    let error = Definitions::from_xml(text, "t.xml").unwrap_err().to_string();
    let expected = "t.xml:3:3: activity: found <activity> that is never closed, expected </activity> before the file ends";
    assert_eq!(error, expected);
}

#[test]
fn what_stands_beside_and_inside_of_the_distribution_counts_together() {
    let says = |beside: &str, inside: &str| {
        let text = task(&format!(
            "<activity>{beside}<work/><distribution><workers/>{inside}</distribution></activity>"
        ));
        Definitions::from_xml(&text, "t.xml").map(|read| read.tasks[0].auto_scaling)
    };
    let (no, off) = (
        "<autoScaling><enabled>false</enabled></autoScaling>",
        "<autoScaling><mode>disabled</mode></autoScaling>",
    );
    let both = AutoScaling { enabled: Some(false), mode: Some(Mode::Disabled) };
    assert_eq!(says(no, off), Ok(both));
    assert_eq!(says(off, no), Ok(both));
    let yes = "<autoScaling><enabled>true</enabled></autoScaling>";
    assert!(!says(off, yes).unwrap().is_enabled(), "the word beside it is not lost");
    assert_eq!(says(no, yes).unwrap().enabled, Some(true), "of one word the inner place's counts");
}

#[test]
fn the_execution_state_is_read() {
    let state = |state: &str| {
        let text = task(&format!(
            "<executionState>{state}</executionState><activity><work><activityAutoScaling/></work>\
             <distribution><workers/></distribution></activity>"
        ));
        let read = Definitions::from_xml(&text, "t.xml").map_err(|error| error.to_string())?;
        let scan = read.scan.map(|scan| scan.execution);
        assert_eq!(scan, Some(read.tasks[0].execution));
        Ok::<_, String>(read.tasks[0].execution)
    };
    for running in ["runnable", "running", "waiting"] {
        assert_eq!(state(running), Ok(ExecutionState::Running));
    }
    assert_eq!(state("suspended"), Ok(ExecutionState::Suspended));
    assert_eq!(state("closed"), Ok(ExecutionState::Closed));
    assert!(state("sleeping").unwrap_err().contains("executionState: found \"sleeping\", expected runnable"));
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_file() {
    let text = "<objects>\n<task oid=\"1\"><name>a</name><schedule><interval>0</interval></schedule>\n\
                <activity><work><activityAutoScaling>\n<minReconciliationInterval>1h</minReconciliationInterval>\n\
                <tasks><objectRef/>\n<objectRef oid=\"\"/></tasks></activityAutoScaling></work></activity></task>\n\
                <task><activity/></task>\n<task oid=\"1\"><name>b</name><executionState>odd</executionState><activity>\n\
                <distribution><workers><workersPerNode>\n<nodeIdentifier> </nodeIdentifier>\n<count>x</count>\n\
                <scavengers>y</scavengers>\n<wrong/>\n<taskName/></workersPerNode></workers></distribution>\n\
                <identifier/></activity></task>\n</objects>";
    let told = Definitions::from_xml(text, "t.xml").unwrap_err().to_string();
    let places: Vec<&str> = told.lines().filter_map(|line| line.split(": found").next()).collect();
    let expected = [
        "t.xml:2:39: interval",
        "t.xml:4:1: minReconciliationInterval",
        "t.xml:5:8: objectRef",
        "t.xml:6:1: objectRef",
        "t.xml:7:1: task",
        "t.xml:8:1: task",
        "t.xml:8:29: executionState",
        "t.xml:10:1: nodeIdentifier",
        "t.xml:11:1: count",
        "t.xml:12:1: scavengers",
        "t.xml:13:1: wrong",
        "t.xml:14:1: taskName",
        "t.xml:15:1: identifier",
    ];
    assert_eq!(places, expected, "{told}");
}

#[test]
fn two_tasks_with_one_identifier_are_told_with_the_line_of_the_second() {
    let task = |attribute: &str, name: &str| {
        format!(
            "<task{attribute}><name>{name}</name><activity><distribution><workers/></distribution></activity></task>\n"
        )
    };
    let read = |tasks: &[String]| {
        let text = format!("<objects>\n{}</objects>", tasks.concat());
        Definitions::from_xml(&text, "t.xml")
            .map(|read| read.tasks.len())
            .map_err(|errors| errors.to_string())
    };
    let again = |id: &str| {
        Err(format!(
            "t.xml:3:1: task: found the identifier \"{id}\" a second time, expected each oid once, or each name where \
             there is no oid"
        ))
    };
    assert_eq!(read(&[task(" oid=\"7\"", "a"), task(" oid=\"7\"", "b")]), again("7"));
    assert_eq!(read(&[task("", "a"), task("", "a")]), again("a"));
    assert_eq!(read(&[task(" oid=\"7\"", "a"), task(" oid=\"8\"", "a")]), Ok(2), "names may be alike");
}
