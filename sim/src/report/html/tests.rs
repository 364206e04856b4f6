use super::*;
use crate::report::sample::{empty_run, report, run};

/// The elements of a page in order, without their text: enough to see that each opened one is closed.
fn tags(page: &str) -> Vec<&str> {
    page.split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|tag| !tag.starts_with('!'))
        .collect()
}

fn assert_balanced(page: &str) {
    const VOID: [&str; 4] = ["meta", "br", "input", "hr"];
    let mut open = Vec::new();
    for tag in tags(page) {
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closing </{name}>");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0], "left open");
}

#[test]
fn every_element_is_closed() {
    for result in [run(), empty_run()] {
        assert_balanced(&page(&report(&result)).expect("draws"));
    }
}

#[test]
fn loads_nothing_from_anywhere() {
    let result = run();
    let page = page(&report(&result)).expect("draws");
    for forbidden in ["http://", "https://", "//cdn", "src=", "@import", "url(", "<link", "<iframe", "<img"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_text_never_becomes_markup() {
    let evil = "</title><script>alert(1)</script>\"'&";
    let mut result = run();
    result.notes = vec![evil.into()];
    result.summary.scenario = evil.into();
    result.summary.digest = evil.into();
    let figures = result.summary.total.clone();
    result.summary.groups.insert(evil.into(), figures);
    let rows = result.timeline.total.clone();
    result.timeline.groups.insert(evil.into(), rows);
    result.decisions.listed[0].decision.group = evil.into();
    result.decisions.listed[0].decision.algorithm = evil.into();
    result.decisions.counts[0].first.decision.group = evil.into();
    let mut report = report(&result);
    report.title = evil;
    report.scenario_toml = evil;
    report.command = evil;
    report.facts.push(crate::report::Fact::new(evil, evil));
    report.expectations[0].actual = evil.into();
    report.expectations[0].path = evil.into();
    let page = page(&report).expect("draws");
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_balanced(&page);
}

#[test]
fn says_what_the_design_asks_for() {
    let result = run();
    let page = page(&report(&result)).expect("draws");
    for part in [
        "Kept up with the load; 1 of 2 expectations failed.",
        "Why did it scale?",
        "Tasks found no waiting worker (cooldown 100 ms).",
        "2026-01-05 00:00:00 UTC",
        "&gt;= 1.36 s",
        "never",
        "9f3c01ab77e2d405",
        "longest-idle",
        "wci run scenarios/burst-lambda.toml --seed 42",
        "arrival = { kind = &quot;poisson&quot;, rate = 20.0 }",
        "prefers-color-scheme: dark",
        "@media print",
        "decisions.jsonl",
        "Service times of the trace are an assumption",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn every_chart_colour_has_a_dark_form() {
    let result = run();
    let page = page(&report(&result)).expect("draws");
    for attribute in
        page.split(['<', ' ', '>']).filter(|a| a.starts_with("fill=\"#") || a.starts_with("stroke=\"#"))
    {
        let attribute = attribute.trim_end_matches('/');
        assert!(page.contains(&format!("figure svg [{attribute}]")), "{attribute}");
    }
}
