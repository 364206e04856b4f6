//! `wci cluster run`: distributed tasks in simulated time.

use super::args::{ClusterCommand, ClusterRunArgs};
use super::{CommandResult, Failure, Outcome, load};
use crate::cluster::{ClusterResult, ClusterScenario, Definitions, NodeEvent, NodeEventKind, run};
use crate::report::chart::{self, Size};
use crate::scenario::Span;
use std::fs;
use std::path::Path;

/// Runs the command.
pub fn cluster(command: &ClusterCommand) -> CommandResult {
    match command {
        ClusterCommand::Run(args) => run_scenario(args),
    }
}

fn run_scenario(args: &ClusterRunArgs) -> CommandResult {
    let mut scenario = read(&args.scenario)?;
    change(&mut scenario, args)?;
    let result = run(&scenario.under(args.seed.unwrap_or(scenario.seed)));
    if let Some(folder) = &args.out {
        write_files(&result, folder)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        print!("{}", result.text());
    }
    Ok(Outcome::Fine)
}

/// A scenario in TOML, or definitions in XML with two nodes to which nothing happens.
fn read(path: &Path) -> Result<ClusterScenario, Failure> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    if text.trim_start().starts_with('<') {
        let definitions = Definitions::from_xml(&text, &name)?;
        if definitions.tasks.is_empty() {
            return Err(Failure::new(format!("{name}: found no task with <workers>, expected at least one")));
        }
        return Ok(ClusterScenario::of_definitions(&name, definitions));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let open = |file: &str| fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"));
    Ok(ClusterScenario::from_toml(&text, &name, open)?)
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(load::read_bytes(path)?)
        .map_err(|error| Failure::about(error, &path.display().to_string()))
}

fn change(scenario: &mut ClusterScenario, args: &ClusterRunArgs) -> Result<(), Failure> {
    if !args.nodes.is_empty() {
        scenario.nodes = args.nodes.iter().map(|node| node.as_str().into()).collect();
    }
    scenario.work.buckets = args.buckets.unwrap_or(scenario.work.buckets);
    if let Some(bucket) = &args.bucket {
        scenario.work.bucket = Span::parse(bucket).map_err(|found| {
            Failure::new(format!("--bucket: found {found}, expected a duration such as 50s"))
        })?;
    }
    for event in &args.event {
        scenario.events.push(node_event(event)?);
    }
    scenario.events.sort_by_key(|event| event.at);
    scenario.check_all("the command line")?;
    Ok(())
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

fn write_files(result: &ClusterResult, folder: &Path) -> Result<(), Failure> {
    load::make_folder(folder)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| Failure::about(error, &path.display().to_string()))
    };
    write("summary.json", serde_json::to_string_pretty(result)?.as_bytes())?;
    write("report.txt", result.text().as_bytes())?;
    write("log.jsonl", json_lines(&result.log)?.as_bytes())?;
    write("journal.jsonl", json_lines(&result.journal)?.as_bytes())?;
    let mut timeline = csv::Writer::from_writer(Vec::new());
    for sample in &result.timeline {
        timeline.serialize(sample)?;
    }
    write("timeline.csv", &timeline.into_inner().map_err(|error| Failure::about(error, "timeline.csv"))?)?;
    let chart = result.chart();
    write("cluster.svg", chart::svg(&chart, Size::wide(&chart))?.as_bytes())?;
    write("cluster.png", &chart::png(&chart, Size::wide(&chart))?)
}

fn json_lines<T: serde::Serialize>(items: &[T]) -> Result<String, serde_json::Error> {
    items.iter().map(|item| Ok(serde_json::to_string(item)? + "\n")).collect()
}
