//! Steps in a table: run in order, timed, counted, and summed up in one last line.

use crate::shell;
use crate::tally::Tally;
use std::time::Instant;

/// One row of a command's table.
pub struct Step {
    /// What the row is called on the command line and in the summary.
    pub name: &'static str,
    /// Does it. An error is one failed check with the step's name.
    pub run: fn() -> Result<Tally, String>,
}

/// Runs the steps whose names contain one of the words (all without words) and prints what became of them.
pub fn run_all(steps: &[Step], words: &[String]) -> Result<(), String> {
    let wanted =
        |step: &&Step| words.is_empty() || words.iter().any(|word| step.name.contains(word.as_str()));
    let chosen: Vec<&Step> = steps.iter().filter(wanted).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        return Err(format!("no step has such a name; there are: {}", names.join(", ")));
    }
    let mut total = Tally::default();
    let mut rows = Vec::new();
    for step in chosen {
        println!("\n== {}", step.name);
        let began = Instant::now();
        let tally = (step.run)().unwrap_or_else(|why| Tally::of(step.name, Err(why)));
        rows.push(format!("{:<28} {:>6.1} s   {}", step.name, began.elapsed().as_secs_f64(), tally.line()));
        total.add(tally);
    }
    summarize(&rows, &total)
}

fn summarize(rows: &[String], total: &Tally) -> Result<(), String> {
    println!("\n== summary");
    rows.iter().for_each(|row| println!("{row}"));
    total.skipped.iter().for_each(|skip| println!("skipped: {} ({})", skip.name, skip.why));
    total.failed.iter().for_each(|failure| println!("FAILED: {failure}"));
    let is_good = total.is_good(shell::is_ci());
    if !is_good && total.failed.is_empty() {
        println!("FAILED: with CI=true nothing but outside traces may be skipped");
    }
    // Alone on the last line of stdout, where people and machines look for it.
    println!("\n{}", total.line());
    if is_good { Ok(()) } else { Err("not everything passed".into()) }
}
