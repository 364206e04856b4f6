//! `wci sweep` and `wci tune` on cluster scenarios: the same options, other figures.

use super::args::{SweepArgs, TuneArgs};
use super::study::StudyProgress;
use super::{CommandResult, Failure, Outcome, disk, sweep};
use crate::report::json::to_json;
use crate::report::study::{cluster_page, cluster_pareto, cluster_trials_csv, cluster_tuned};
use crate::research::cluster::{
    ClusterConstraint, ClusterRuns, ClusterTemplate, ClusterTuned, Opens, cluster_keys, tune_cluster,
};
use crate::research::compare::LeftOut;
use crate::research::range::Range;
use crate::research::sweep::{Sweep, points};
use crate::scenario::parse_value;
use std::path::Path;
use toml::Value;

/// Replications unless asked for more: a run takes milliseconds.
const REPLICATIONS: u64 = 30;
/// What is shown unless asked for other figures.
const FIGURES: [&str; 3] = ["makespan_s", "wasted_work_s", "reconciliations"];

/// `wci sweep`.
pub fn sweep(args: &SweepArgs) -> CommandResult {
    refuse(&[("--until", args.until.until.is_some()), ("--checkpoint", args.study.checkpoint.is_some())])?;
    let bar = StudyProgress::new(args.quiet);
    with_template(&args.scenario.scenario, &args.scenario.set, &bar, |template, set| {
        let ranges = sweep::parsed(&args.vary)?;
        let layout = sweep::layout(args, &ranges)?;
        let first = args.scenario.seed.unwrap_or(template.with(&[])?.seed);
        let replications = args.study.replications.unwrap_or(REPLICATIONS);
        let seeds = first..first.saturating_add(replications);
        let keys: Vec<String> = ranges.iter().map(|range| range.key.clone()).collect();
        let points = points(&ranges, layout, first);
        let figures = figures(&args.figure)?;
        sweep::check_values(args, &keys, &points, &|own| template.with(&[set, own].concat()).err())?;
        let swept = args.study.on_threads(|| run(template, set, &keys, points, &seeds))?;
        bar.finish();
        let title = template.with(set)?.title;
        sweep::show(args, &title, &swept, &figures)
    })
}

/// `wci tune`.
pub fn tune(args: &TuneArgs) -> CommandResult {
    refuse(&[
        ("--until", args.until.is_some()),
        ("--checkpoint", args.study.checkpoint.is_some()),
        ("--algorithms", !args.algorithms.is_empty()),
    ])?;
    if args.vary.is_empty() {
        return Err(Failure::new(
            "--vary: found none, expected keys to search, such as --vary scan.min_interval=0s..10m",
        ));
    }
    if let Some(other) = args.scenarios.iter().find(|path| !super::cluster::is_one(path)) {
        let name = other.display();
        return Err(Failure::new(format!(
            "{name}: found no cluster scenario, expected one as the others are"
        )));
    }
    let opens: Vec<_> = args.scenarios.iter().map(|path| opener(path)).collect();
    let set = settings(&args.set)?;
    let bar = StudyProgress::new(args.quiet);
    let mut templates = Vec::new();
    for (path, open) in args.scenarios.iter().zip(&opens) {
        templates.push(template(path, open)?.changed(&set)?.watched(&bar));
    }
    let tuned = search(args, &templates)?;
    bar.finish();
    let titles = templates.iter().map(|template| Ok(template.with(&[])?.title));
    let title = titles.collect::<Result<Vec<_>, String>>()?.join(", ");
    let table = cluster_tuned(&title, &tuned);
    if let Some(folder) = &args.out {
        super::load::make_folder(folder)?;
        disk::write(&folder.join("tune.json"), to_json(&tuned)?)?;
        disk::write(&folder.join("report.txt"), &table)?;
        disk::write(&folder.join("trials.csv"), cluster_trials_csv(&tuned)?)?;
        disk::write(&folder.join("pareto.svg"), cluster_pareto(&tuned).svg())?;
        let page = cluster_page(&title, &tuned, &super::tune::command(args));
        disk::write(&folder.join("report.html"), page)?;
        eprintln!("look at {}", folder.join("report.html").display());
    }
    disk::print(&if args.json { to_json(&tuned)? } else { table })?;
    Ok(if tuned.best.is_some() { Outcome::Fine } else { Outcome::Failed })
}

fn search(args: &TuneArgs, templates: &[ClusterTemplate<'_>]) -> Result<ClusterTuned, Failure> {
    let ranges = ranges(&args.vary)?;
    let minimize = figures(std::slice::from_ref(&args.minimize))?.remove(0);
    let constraints = args.subject_to.iter().map(|text| ClusterConstraint::parse(text));
    let constraints =
        constraints.collect::<Result<Vec<_>, _>>().map_err(|error| Failure::about(error, "--subject-to"))?;
    let first =
        templates.first().map_or(Ok(1), |template| template.with(&[]).map(|scenario| scenario.seed))?;
    let (replications, seed) = (args.study.replications.unwrap_or(REPLICATIONS), args.seed.unwrap_or(first));
    let effort = (args.trials as usize, replications, seed);
    let run = || tune_cluster(templates, &ranges, &minimize, &constraints, effort);
    Ok(args.study.on_threads(run)??)
}

/// Opens the files that a scenario names, beside it.
fn opener(path: &Path) -> impl Fn(&str) -> Result<String, String> + Sync {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    move |file| std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))
}

fn template<'a>(path: &Path, open: Opens<'a>) -> Result<ClusterTemplate<'a>, Failure> {
    let (text, name) = (disk::read_text(path)?, path.display().to_string());
    if super::cluster::holds_definitions(path, &text) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(Failure::new(format!(
            "{name}: found task definitions, expected a scenario that names them (definitions = {file:?})"
        )));
    }
    Ok(ClusterTemplate::new(&text, &name, open)?)
}

fn settings(set: &[String]) -> Result<Vec<(String, Value)>, Failure> {
    let setting = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(format!("--set {text}: expected PATH=VALUE, such as timers.down_after=5m"))
        })?;
        Ok((key.trim().to_owned(), parse_value(value.trim())))
    };
    set.iter().map(setting).collect()
}

fn with_template(
    path: &Path,
    set: &[String],
    bar: &StudyProgress,
    study: impl FnOnce(&ClusterTemplate<'_>, &[(String, Value)]) -> CommandResult,
) -> CommandResult {
    let open = opener(path);
    let template = template(path, &open)?.watched(bar);
    let set = settings(set)?;
    template.with(&set)?;
    study(&template, &set)
}

fn run(
    template: &ClusterTemplate<'_>,
    set: &[(String, Value)],
    keys: &[String],
    points: Vec<Vec<Value>>,
    seeds: &std::ops::Range<u64>,
) -> Sweep<ClusterRuns> {
    let mut sweep =
        Sweep { keys: keys.to_vec(), points: Vec::new(), results: Vec::new(), left_out: Vec::new() };
    let mut scenarios = Vec::new();
    for point in points {
        let own = keys.iter().cloned().zip(point.iter().cloned());
        let settings: Vec<(String, Value)> = set.iter().cloned().chain(own).collect();
        match template.with(&settings) {
            Ok(scenario) => {
                scenarios.push(scenario);
                sweep.points.push(point);
            }
            Err(why) => {
                let name = point.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                sweep.left_out.push(LeftOut { name, why });
            }
        }
    }
    sweep.results = template.run_all(&scenarios, seeds);
    sweep
}

fn ranges(vary: &[String]) -> Result<Vec<Range>, Failure> {
    let parse = |text: &String| Range::parse(text).map_err(|error| Failure::about(error, "--vary"));
    vary.iter().map(parse).collect()
}

/// The figures asked for; those of a workload's scenario, which are the option's default, become a cluster's.
fn figures(asked: &[String]) -> Result<Vec<String>, Failure> {
    if asked == ["cost", "schedule_to_start.p95"] || asked == ["cost"] {
        return Ok(FIGURES[..asked.len().max(1) * 2 - 1].iter().map(|key| (*key).to_owned()).collect());
    }
    let known = cluster_keys();
    for key in asked {
        if !known.iter().any(|(name, _)| name == key) {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Failure::new(format!("{key}: no such figure, expected one of {}", names.join(", "))));
        }
    }
    Ok(asked.to_vec())
}

/// Options that make no sense here are refused, not passed over.
fn refuse(options: &[(&str, bool)]) -> Result<(), Failure> {
    match options.iter().find(|(_, is_there)| *is_there) {
        Some((option, _)) => Err(Failure::new(format!("{option}: not for cluster scenarios"))),
        None => Ok(()),
    }
}
