//! `wci bench`: the simulator's speed beside hand-written loops doing the same work in the same process.

use super::args::BenchArgs;
use super::outputs::Outputs;
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome, baseline, disk, run};
use crate::scenario::Scenario;
use serde::Serialize;
use std::time::Instant;

/// The scenarios that ship with the project, compiled in so that the figures need no files.
const MM50: &str = include_str!("../../../scenarios/bench-mm50.toml");
const FAAS: &str = include_str!("../../../scenarios/bench-faas.toml");

/// One measured work.
#[derive(Debug, Serialize)]
struct Figure {
    work: &'static str,
    by: &'static str,
    million_tasks_per_second: f64,
    peak_rss_mib: f64,
}

/// Measures and prints the figures.
pub fn bench(args: &BenchArgs) -> CommandResult {
    let works = [("M/M/50, load 0.9", MM50, 45.0), ("scale per request", FAAS, 0.9)];
    let mut figures = Vec::new();
    for (index, (work, text, rate)) in works.into_iter().enumerate() {
        let seconds = format!("{}ms", (args.tasks as f64 / rate * 1000.0).round());
        let (speed, memory) = best(args.runs, || simulate(text, &seconds))?;
        figures.push(Figure {
            work,
            by: "wci, everything on",
            million_tasks_per_second: speed,
            peak_rss_mib: memory,
        });
        let (speed, _) = best(args.runs, || Ok((by_hand(index, args.tasks), 0.0)))?;
        figures.push(Figure {
            work,
            by: "hand-written loop",
            million_tasks_per_second: speed,
            peak_rss_mib: 0.0,
        });
    }
    let text = if args.json { crate::report::json::to_json(&figures)? } else { table(&figures, args) };
    disk::print(&text)?;
    Ok(Outcome::Fine)
}

/// The best speed of several runs: the others were disturbed.
fn best(runs: u32, mut measure: impl FnMut() -> Result<(f64, f64), Failure>) -> Result<(f64, f64), Failure> {
    let mut best = (0.0, 0.0);
    for _ in 0..runs {
        let (speed, memory) = measure()?;
        if speed > best.0 {
            best = (speed, memory);
        }
    }
    Ok(best)
}

fn simulate(text: &str, horizon: &str) -> Result<(f64, f64), Failure> {
    let no_files = |name: &str| Err(std::io::Error::new(std::io::ErrorKind::NotFound, name.to_owned()));
    let scenario = Scenario::from_toml(text, "bench.toml", &no_files)?;
    let scenario = scenario.with([("horizon", toml::Value::from(horizon))])?;
    let result = run::simulate(&mut scenario.resolve()?, Outputs::none(Progress::new(true)))?;
    let performance = result.performance;
    Ok((performance.tasks_per_second / 1e6, performance.peak_rss_bytes as f64 / f64::from(1 << 20)))
}

/// Million tasks a second of the hand-written loop.
fn by_hand(work: usize, tasks: u64) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "measures speed; no result depends on it")]
    let began = Instant::now();
    let answer = if work == 0 {
        baseline::mmc_all_events_in_heap(1, tasks, 50, 0.9)
    } else {
        baseline::scale_per_request(1, tasks, 0.9, 1.991, 2.244, 600.0)
    };
    let seconds = began.elapsed().as_secs_f64();
    // The answer must be used, or the loop would be optimised away.
    if answer.is_nan() { 0.0 } else { tasks as f64 / seconds / 1e6 }
}

fn table(figures: &[Figure], args: &BenchArgs) -> String {
    let mut text = format!("{} tasks, best of {}\n\n", args.tasks, args.runs);
    text += &format!("{:20} {:20} {:>14} {:>10}\n", "work", "by", "M tasks/s", "peak RSS");
    for figure in figures {
        let memory =
            if figure.peak_rss_mib > 0.0 { format!("{:.1} MiB", figure.peak_rss_mib) } else { String::new() };
        text += &format!(
            "{:20} {:20} {:>14.2} {:>10}\n",
            figure.work, figure.by, figure.million_tasks_per_second, memory
        );
    }
    text
}
