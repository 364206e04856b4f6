//! `wci run`: a scenario from start to end.

use super::args::RunArgs;
use super::outputs::{Outputs, Wanted};
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome, disk, load};
use crate::report::faults::FaultWindow;
use crate::report::json::{RunJson, to_json};
use crate::report::table::{self, Style};
use crate::report::{Expectation, Report, facts, files};
use crate::results::RunResult;
use crate::scenario::{Resolved, SourceSpec, expect};
use crate::warm_up;
use std::io::IsTerminal;
use std::time::Instant;

/// Runs a scenario, prints its summary and writes what was asked for.
pub fn run(args: &RunArgs) -> CommandResult {
    if args.study.replications.is_some() || args.until.until.is_some() {
        return super::replications::run(args);
    }
    let scenario = load::scenario(&args.scenario)?;
    let mut resolved = load::resolve(&scenario, &args.scenario)?;
    if args.mser5 {
        leave_out_warm_up(&mut resolved)?;
    }
    let outputs = outputs(args, &resolved)?;
    let result = simulate(&mut resolved, outputs)?;
    let expectations = if args.no_expect { Vec::new() } else { expectations(&resolved, &result)? };
    let toml = scenario.to_toml();
    let command = command(args);
    let report = Report {
        result: &result,
        title: &resolved.model.title,
        start: resolved.model.start,
        horizon_s: resolved.model.horizon as f64 / 1e9,
        faults: FaultWindow::of_model(&resolved.model),
        facts: facts::of_model(&resolved.model),
        scenario_toml: &toml,
        command: &command,
        expectations,
    };
    if let Some(folder) = &args.out {
        eprintln!("writing {}", folder.display());
        files::write_all(folder, &report)
            .map_err(|error| Failure::about(error, &folder.display().to_string()))?;
    }
    if args.json {
        disk::print(&to_json(&RunJson::from(&result))?)?;
    } else {
        disk::print(&table::render(&report, &style()))?;
    }
    if let Some(folder) = &args.out {
        eprintln!("look at {}", folder.join("report.html").display());
    }
    let has_failed = report.expectations.iter().any(|expectation| !expectation.passed);
    Ok(if has_failed { Outcome::Failed } else { Outcome::Fine })
}

/// Runs once to find where the steady state begins, which the real run then measures from.
pub fn leave_out_warm_up(resolved: &mut Resolved) -> Result<(), Failure> {
    let changes = !resolved.model.faults.is_empty() || !resolved.model.changes.is_empty();
    if changes || !resolved.sources.iter().all(SourceSpec::is_stationary) {
        let expected =
            "arrivals whose law never changes (constant, Poisson, renewal, on-off, modulated), no faults";
        return Err(Failure::new(format!(
            "--mser5: expected {expected}; this scenario has no steady state to find"
        )));
    }
    resolved.model.warm_up = 0;
    let first = simulate(resolved, Outputs::none(Progress::new(true)))?;
    resolved.model.warm_up = warm_up::mser5(&first.timeline, resolved.model.horizon).ok_or_else(|| {
        Failure::new("--mser5: no steady state found in the first half: a longer horizon may show one")
    })?;
    eprintln!(
        "measured from {} on (MSER-5)",
        crate::report::units::duration_s(resolved.model.warm_up as f64 / 1e9)
    );
    Ok(())
}

/// Simulates a resolved scenario and measures how fast that was.
pub fn simulate(resolved: &mut Resolved, mut outputs: Outputs) -> Result<RunResult, Failure> {
    let simulation = load::simulation(resolved)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the speed of the simulator itself; no result depends on it"
    )]
    let began = Instant::now();
    let mut result = simulation.run(&mut outputs)?;
    let wall_seconds = began.elapsed().as_secs_f64();
    outputs.finish()?;
    result.performance.wall_seconds = wall_seconds;
    let completed = result.summary.total.tasks.completed as f64;
    result.performance.tasks_per_second = if wall_seconds > 0.0 { completed / wall_seconds } else { 0.0 };
    result.performance.peak_rss_bytes = peak_rss_bytes();
    Ok(result)
}

/// Checks a scenario's expectations against a run's summary.
pub fn expectations(resolved: &Resolved, result: &RunResult) -> Result<Vec<Expectation>, Failure> {
    Ok(checked(resolved, &serde_json::to_value(&result.summary)?))
}

/// Checks a scenario's expectations against a summary as JSON.
pub fn checked(resolved: &Resolved, summary: &serde_json::Value) -> Vec<Expectation> {
    let outcomes = expect::check(&resolved.expect, summary);
    let checked = resolved.expect.iter().zip(outcomes).map(|(expected, outcome)| Expectation {
        path: outcome.key,
        condition: expected.text.clone(),
        actual: outcome.actual,
        passed: outcome.holds,
    });
    checked.collect()
}

fn outputs(args: &RunArgs, resolved: &Resolved) -> Result<Outputs, Failure> {
    let progress = Progress::new(args.quiet);
    let Some(folder) = &args.out else { return Ok(Outputs::none(progress)) };
    load::make_folder(folder)?;
    let workloads = resolved.model.workloads.iter().map(|workload| workload.name.clone()).collect();
    Outputs::in_folder(folder, Wanted { journal: !args.no_journal, tasks: args.tasks }, workloads, progress)
}

/// The command that gives this result again.
pub fn command(args: &RunArgs) -> String {
    let mut words = vec!["wci run".to_owned(), quoted(&args.scenario.scenario.to_string_lossy())];
    words.extend(args.scenario.set.iter().map(|setting| format!("--set {}", quoted(setting))));
    words.extend(args.scenario.seed.map(|seed| format!("--seed {seed}")));
    words.extend(args.mser5.then(|| "--mser5".to_owned()));
    words.extend(args.study.replications.map(|n| format!("--replications {n}")));
    words.extend(until_words(args.until.until.as_deref(), &args.until.of));
    words.join(" ")
}

/// The options that say when to stop replicating.
pub fn until_words(until: Option<&str>, of: &[String]) -> Vec<String> {
    let until = until.iter().map(|until| format!("--until {until}"));
    until.chain(of.iter().map(|key| format!("--of {}", quoted(key)))).collect()
}

pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

pub fn style() -> Style {
    let no_color = std::env::var("NO_COLOR").ok();
    Style {
        color: table::wants_color(std::io::stdout().is_terminal(), no_color.as_deref()),
        ..Style::default()
    }
}

/// Largest resident memory of this process, where the system tells (Linux); else 0.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
