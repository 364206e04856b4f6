//! `wci cluster run`: distributed tasks in simulated time.

use super::args::{ClusterCommand, ClusterRunArgs};
use super::disk::{self, print};
use super::{CommandResult, Failure, Outcome, load};
use crate::cluster::{ClusterResult, ClusterScenario, Definitions, NodeEvent, NodeEventKind, run};
use crate::dist::Dist;
use crate::report::chart::{self, Size};
use crate::report::json::to_json;
use crate::research::cluster::ClusterTemplate;
use crate::scenario::{self, ScenarioErrors, Span, expect};
use serde_json::Value;
use std::fs;
use std::path::Path;
use toml::Table;
use wci_core::cluster::journal;

/// Runs the command.
pub fn cluster(command: &ClusterCommand) -> CommandResult {
    match command {
        ClusterCommand::Run(args) => run_scenario(args),
    }
}

fn run_scenario(args: &ClusterRunArgs) -> CommandResult {
    let scenario = change(read(&args.scenario)?, args)?;
    warn(&scenario);
    let result = run(&scenario.under(args.seed.unwrap_or(scenario.seed)));
    let expectations = expectations(&scenario, &result)?;
    if let Some(folder) = &args.out {
        write_files(&result, &expectations, folder)?;
    }
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&with_digest(&result)?)?))?;
    } else {
        print(&result.text())?;
    }
    for broken in expectations.iter().filter(|outcome| !outcome.holds) {
        eprintln!("wci: {}", broken.line);
    }
    let is_fine = args.no_expect || expectations.iter().all(|outcome| outcome.holds);
    Ok(if is_fine { Outcome::Fine } else { Outcome::Failed })
}

/// How a scenario's expectations came out.
fn expectations(
    scenario: &ClusterScenario,
    result: &ClusterResult,
) -> Result<Vec<scenario::Outcome>, Failure> {
    Ok(expect::check(&scenario.expect, &serde_json::to_value(result)?))
}

/// What the golden result of a cluster scenario holds: the figures, and everything that happened as one number.
///
/// # Errors
/// When the scenario is wrong, or does not come out as it expects.
pub fn golden(path: &Path) -> Result<Value, Failure> {
    let scenario = read(path)?;
    let result = run(&scenario.under(scenario.seed));
    if let Some(broken) = expectations(&scenario, &result)?.into_iter().find(|outcome| !outcome.holds) {
        return Err(Failure::new(broken.line));
    }
    let mut value = with_digest(&result)?;
    if let Some(figures) = value.as_object_mut() {
        figures.retain(|key, _| !matches!(key.as_str(), "log" | "timeline"));
    }
    Ok(value)
}

fn with_digest(result: &ClusterResult) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(result)?;
    if let Some(figures) = value.as_object_mut() {
        figures.insert("digest".to_owned(), result.digest().into());
    }
    Ok(value)
}

/// Whether a file is a cluster scenario, or task definitions in XML.
pub fn is_one(path: &Path) -> bool {
    let text = disk::read_text(path).unwrap_or_default();
    holds_definitions(path, &text) || ClusterTemplate::is_one(without_mark(&text))
}

/// Whether a text is task definitions in XML rather than a scenario: by its file's name, or by how it begins.
pub fn holds_definitions(path: &Path, text: &str) -> bool {
    let is_named_so = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
    is_named_so || without_mark(text).trim_start().starts_with('<')
}

/// A text without the byte order mark that some editors put before it.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Refuses a cluster scenario where those of task queues belong.
///
/// # Errors
/// Says which command is meant.
pub fn refuse(path: &Path, command: &str) -> Result<(), Failure> {
    let name = path.display();
    let text = disk::read_text(path).unwrap_or_default();
    if text.starts_with("{\"journal\"") || journal::is_one(text.as_bytes()) {
        return Err(Failure::new(format!(
            "{name}: found a journal, expected a scenario; `wci replay {name}` decides it again"
        )));
    }
    if !is_one(path) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{name}: found a scenario of distributed tasks, expected `wci cluster {command} {name}`"
    )))
}

/// A scenario in TOML, or definitions in XML with two nodes to which nothing happens.
pub fn read(path: &Path) -> Result<ClusterScenario, Failure> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    let text = without_mark(&text);
    if holds_definitions(path, text) {
        let definitions = Definitions::from_xml(text, &name).map_err(ScenarioErrors::from)?;
        return Ok(ClusterScenario::of_definitions(&name, definitions)?);
    }
    if text.parse::<Table>().is_ok_and(|table| table.contains_key("workload")) {
        return Err(Failure::new(format!(
            "{name}: found a scenario of task queues, expected `wci run {name}`"
        )));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let open = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"));
    Ok(ClusterScenario::from_toml(text, &name, open)?)
}

/// Says what is hardly meant.
pub fn warn(scenario: &ClusterScenario) {
    for mut warning in scenario.warnings() {
        if warning.position.is_none() && warning.key.starts_with("event") {
            "--event".clone_into(&mut warning.file);
        }
        eprintln!("warning: {warning}");
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(load::read_bytes(path)?)
        .map_err(|error| Failure::about(error, &path.display().to_string()))
}

/// What the options change; what is wrong with that is told by option.
fn change(mut scenario: ClusterScenario, args: &ClusterRunArgs) -> Result<ClusterScenario, Failure> {
    let bucket = args.bucket.as_deref().map(bucket).transpose()?;
    for event in &args.event {
        scenario = scenario.with_event(node_event(event)?);
    }
    let options = [
        ("nodes", "--nodes", args.nodes.is_some()),
        ("work.buckets", "--buckets", args.buckets.is_some()),
        ("work.bucket", "--bucket", bucket.is_some()),
    ];
    let keys: Vec<&str> = options.iter().filter(|(.., is_set)| *is_set).map(|(key, ..)| *key).collect();
    let changed = scenario.changed(&keys, |scenario| {
        if let Some(nodes) = &args.nodes {
            scenario.nodes = nodes.split(',').map(|node| node.trim().into()).collect();
        }
        scenario.work.buckets = args.buckets.unwrap_or(scenario.work.buckets);
        scenario.work.bucket = bucket.unwrap_or_else(|| scenario.work.bucket.clone());
    });
    let option = |key: &str| {
        let found = options.iter().find(|(name, _, is_set)| *is_set && key.starts_with(name));
        let event = key.starts_with("event").then(|| "--event".to_owned());
        found.map(|(_, option, _)| (*option).to_owned()).or(event)
    };
    Ok(changed.map_err(|errors| errors.renamed(option))?)
}

fn bucket(text: &str) -> Result<Dist, Failure> {
    match Span::parse(text) {
        Ok(span) => Ok(Dist::certain(span.0)),
        Err(found) => Err(Failure::new(format!("--bucket: found {found}, expected a duration such as 50s"))),
    }
}

/// `70s C join`.
fn node_event(text: &str) -> Result<NodeEvent, Failure> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let read = |parts: &[&str]| {
        let [at, node, kind] = parts else { return None };
        let kind = NodeEventKind::ALL.into_iter().find(|known| known.name() == *kind)?;
        Some(NodeEvent { at: Span::parse(at).ok()?, node: (*node).into(), kind })
    };
    read(&parts).ok_or_else(|| {
        let kinds = NodeEventKind::ALL.map(NodeEventKind::name).join(", ");
        Failure::new(format!(
            "--event: found {text:?}, expected a time, a node and one of {kinds}, such as \"70s C join\""
        ))
    })
}

fn write_files(
    result: &ClusterResult,
    expectations: &[scenario::Outcome],
    folder: &Path,
) -> Result<(), Failure> {
    load::make_folder(folder)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| Failure::about(error, &path.display().to_string()))
    };
    write("summary.json", serde_json::to_string_pretty(&with_digest(result)?)?.as_bytes())?;
    write("report.html", result.page(expectations)?.as_bytes())?;
    write("report.txt", result.text().as_bytes())?;
    write("log.jsonl", json_lines(&result.log)?.as_bytes())?;
    let mut journal = Vec::new();
    result.write_journal(&mut journal)?;
    write("journal.jsonl", &journal)?;
    let mut timeline = csv::Writer::from_writer(Vec::new());
    for sample in &result.timeline {
        timeline.serialize(sample)?;
    }
    write("timeline.csv", &timeline.into_inner().map_err(|error| Failure::about(error, "timeline.csv"))?)?;
    let chart = result.chart();
    write("cluster.svg", chart::svg(&chart, Size::wide(&chart))?.as_bytes())?;
    write("cluster.png", &chart::png(&chart, Size::wide(&chart))?)
}

/// Decides the scans of a journal again; different decisions make the status 1.
pub fn replay(bytes: &[u8], name: &str, json: bool) -> CommandResult {
    let replayed = journal::replay(bytes).map_err(|error| Failure::about(error, name))?;
    if json {
        print(&to_json(&replayed)?)?;
    } else {
        let mut text = format!("{} scans\n", replayed.scans);
        for difference in replayed.differences.iter().take(10) {
            text += &format!(
                "line {} at {} ms:\n  recorded {}\n  replayed {}\n",
                difference.line,
                difference.t.as_millis(),
                serde_json::to_string(&difference.recorded)?,
                serde_json::to_string(&difference.replayed)?
            );
        }
        text += &match replayed.different_scans {
            0 => "every scan decided the same\n".to_owned(),
            n => format!("{n} scans decided differently\n"),
        };
        print(&text)?;
    }
    Ok(if replayed.different_scans == 0 { Outcome::Fine } else { Outcome::Failed })
}

fn json_lines<T: serde::Serialize>(items: &[T]) -> Result<String, serde_json::Error> {
    items.iter().map(|item| Ok(serde_json::to_string(item)? + "\n")).collect()
}
