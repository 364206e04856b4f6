//! `wci sweep`: many settings of one scenario.

use super::args::SweepArgs;
use super::run::{quoted, until_words};
use super::study::{check_key, key_of, plan};
use super::{CommandResult, Failure, Outcome, cluster_study, disk, load};
use crate::report::json::to_json;
use crate::report::study::sweep as text;
use crate::research::range::{Range, Values};
use crate::research::sweep::{Layout, Measured, Refusal, Sweep, points, wrong_value};
use crate::research::variant::case_with;
use crate::research::{Case, Lab};
use crate::scenario::{Scenario, split_key};

/// More points than this are most likely a slip.
const MOST: usize = 100_000;

/// Sweeps; a point that contradicts itself is left out by name, no point at all is an error.
pub fn sweep(args: &SweepArgs) -> CommandResult {
    if super::cluster::is_one(&args.scenario.scenario) {
        return cluster_study::sweep(args);
    }
    let scenario = load::scenario(&args.scenario)?;
    let case = Case::new(scenario.name(), &scenario)?;
    let figures = figures(args, &case)?;
    let ranges = ranges(args, &scenario)?;
    let layout = layout(args, &ranges)?;
    let points = points(&ranges, layout, case.first_seed());
    if points.len() > MOST {
        return Err(Failure::new(format!(
            "{} points, expected at most {MOST}: --sample N takes some",
            points.len()
        )));
    }
    let keys: Vec<String> = ranges.iter().map(|range| range.key.clone()).collect();
    check_values(args, &keys, &points, &|settings| {
        case_with("", &scenario, settings).err().map(|errors| errors.to_string())
    })?;
    let plan = plan(&args.study, &args.until, 10, &[&case])?;
    args.study.with_lab(args.out.as_deref(), args.quiet, |lab: &Lab<'_>| {
        let sweep = Sweep::run(lab, &scenario, &keys, points, &plan)?;
        show(args, &scenario.file().title, &sweep, &figures)
    })
}

fn figures(args: &SweepArgs, case: &Case) -> Result<Vec<String>, Failure> {
    let figures: Vec<String> = args.figure.iter().map(|name| key_of(name)).collect();
    figures.iter().try_for_each(|key| check_key("--figure", key, case))?;
    Ok(figures)
}

fn ranges(args: &SweepArgs, scenario: &Scenario) -> Result<Vec<Range>, Failure> {
    let ranges = parsed(&args.vary)?;
    // A key that no scenario has is wrong at every point: better said once and at once.
    ranges.iter().try_for_each(|range| scenario.get(&range.key).map(drop))?;
    Ok(ranges.into_iter().map(|range| range.fitted(scenario)).collect())
}

/// What is varied; each key once, and no seed.
pub fn parsed(vary: &[String]) -> Result<Vec<Range>, Failure> {
    let parse = |text: &String| Range::parse(text).map_err(|error| Failure::about(error, "--vary"));
    let ranges = vary.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let names = |range: &Range| split_key(&range.key).unwrap_or_else(|_| vec![range.key.clone()]);
    for (i, range) in ranges.iter().enumerate() {
        let key = &range.key;
        if names(range) == ["seed"] {
            return Err(Failure::new(format!(
                "--vary {key}: found the seed, whose replications would overlap (number i runs under the seed plus i), \
                 expected another key; --seed N begins elsewhere, --replications N takes more"
            )));
        }
        if ranges[..i].iter().any(|other| names(other) == names(range)) {
            return Err(Failure::new(format!(
                "--vary {key}: found the same key twice, expected each once, such as --vary {key}=1,2,5"
            )));
        }
    }
    Ok(ranges)
}

/// Refuses a value that is wrong wherever it stands; what only contradicts another value is left out by name.
pub fn check_values(
    args: &SweepArgs,
    keys: &[String],
    points: &[Vec<toml::Value>],
    why: &Refusal<'_>,
) -> Result<(), Failure> {
    match wrong_value(keys, points, args.sample.is_some(), why) {
        Some((key, value, why)) => Err(Failure::new(format!("--vary {key}={value}: {why}"))),
        None => Ok(()),
    }
}

pub fn layout(args: &SweepArgs, ranges: &[Range]) -> Result<Layout, Failure> {
    if let Some(n) = args.sample {
        return Ok(Layout::LatinHypercube(n as usize));
    }
    if !args.list {
        return Ok(Layout::Grid(args.steps as usize));
    }
    let length = |range: &Range| match &range.values {
        Values::List(list) => Some(list.len()),
        Values::Between { .. } => None,
    };
    let lengths: Vec<Option<usize>> = ranges.iter().map(length).collect();
    if lengths.iter().any(|length| length.is_none() || *length != lengths[0]) {
        return Err(Failure::new(
            "--list: expected lists of equal length, such as --vary a=1,2 --vary b=5,9",
        ));
    }
    Ok(Layout::List)
}

/// Writes and prints a sweep that has run.
pub fn show<R: Measured>(
    args: &SweepArgs,
    title: &str,
    sweep: &Sweep<R>,
    figures: &[String],
) -> CommandResult {
    if sweep.results.is_empty() {
        let why = sweep.left_out.first().map_or_else(String::new, |left_out| left_out.why.clone());
        return Err(Failure::new(format!("no point of the sweep can run: {why}")));
    }
    if let Some(folder) = &args.out {
        load::make_folder(folder)?;
        disk::write(&folder.join("sweep.csv"), text::csv(sweep)?)?;
        disk::write(&folder.join("sweep.json"), to_json(&text::to_json(sweep, figures))?)?;
        disk::write(&folder.join("report.html"), text::page(title, sweep, figures, &command(args)))?;
        for figure in figures {
            for (i, map) in text::heat_maps(sweep, figure).iter().enumerate() {
                disk::write(&folder.join(format!("heat-{figure}-{}.svg", i + 1)), map.svg())?;
            }
        }
        eprintln!("look at {}", folder.join("report.html").display());
    }
    let json = || to_json(&text::to_json(sweep, figures));
    disk::print(&if args.json { json()? } else { text::table(title, sweep, figures) })?;
    Ok(Outcome::Fine)
}

/// The command that gives this result again.
fn command(args: &SweepArgs) -> String {
    let mut words = vec!["wci sweep".to_owned(), quoted(&args.scenario.scenario.to_string_lossy())];
    words.extend(args.scenario.set.iter().map(|setting| format!("--set {}", quoted(setting))));
    words.extend(args.scenario.seed.map(|seed| format!("--seed {seed}")));
    words.extend(args.vary.iter().map(|range| format!("--vary {}", quoted(range))));
    words.push(format!("--figure {}", args.figure.join(",")));
    words.extend(args.sample.map(|n| format!("--sample {n}")));
    words.extend(args.list.then(|| "--list".to_owned()));
    words.extend((args.steps != 5).then(|| format!("--steps {}", args.steps)));
    words.extend(args.study.replications.map(|n| format!("--replications {n}")));
    words.extend(until_words(args.until.until.as_deref(), &args.until.of));
    words.join(" ")
}
