//! The command line: results on stdout, everything else on stderr; status 0 fine, 1 an expectation failed, 2 an
//! error.

mod args;
mod baseline;
mod bench;
mod checkpoint;
mod cluster;
mod cluster_study;
mod compare;
mod decide;
mod decision_lines;
mod disk;
mod explain;
mod golden;
mod load;
mod outputs;
mod progress;
mod replay;
mod replay_summary;
mod replications;
mod run;
mod show;
mod study;
mod sweep;
mod trace;
mod tune;

use args::{Args, Command};
use clap::Parser;
use std::fmt::Display;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it should be.
    Fine,
    /// An expectation of a scenario failed, or a replay came out differently.
    Failed,
    /// Some of the input was wrong; the rest was done.
    Wrong,
}

/// An error for the user, one line or several.
#[derive(Debug)]
pub struct Failure(String);

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Failure {
    /// An error in plain words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Says what it is about.
    pub fn about(error: impl Display, what: &str) -> Self {
        Self(format!("{what}: {error}"))
    }
}

/// What every command returns.
pub type CommandResult = Result<Outcome, Failure>;

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    match dispatch(args.command) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::Wrong) => ExitCode::from(2),
        // Whoever reads our output may stop reading: that is no error of ours.
        Err(Failure(text)) if text.contains("Broken pipe") => ExitCode::SUCCESS,
        Err(Failure(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: Command) -> CommandResult {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Tune(args) => tune::tune(&args),
        Command::Validate(args) => show::validate(&args),
        Command::Schema(args) => show::schema(&args),
        Command::Cluster(command) => cluster::cluster(&command),
        Command::Explain(args) => explain::explain(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Decide(args) => decide::decide(&args),
        Command::Trace(command) => trace::trace(&command),
        Command::Bench(args) => bench::bench(&args),
        Command::Golden(args) => golden::golden(&args),
    }
}
