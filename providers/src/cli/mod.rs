//! The command line of `wci-controller`.
//!
//! Results go to stdout, everything else to stderr. Exit status: 0 fine, 1 refused or failed, 2 wrong usage or a
//! wrong file.

mod admin;
mod check;
#[cfg(feature = "kubernetes")]
mod cluster;
mod demo;
mod fast_poll;
mod journal;
mod shadow;
mod spec_file;
mod start;
mod watch;

use crate::controller::connect::ConnectionArgs;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::{self, Write};
use std::process::ExitCode;
use wci_core::controller::WorkerDeploymentVersion;

/// Starts Temporal workers when there is work for them.
#[derive(Parser)]
#[command(name = "wci-controller", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the namespace's controllers until stopped
    Run(start::RunArgs),
    /// Create a controller for a worker deployment version
    Create(admin::CreateArgs),
    /// Change the spec of a controller
    Update(admin::UpdateArgs),
    /// Show a controller's spec and standing
    Describe(admin::DescribeArgs),
    /// List the namespace's controllers
    List(admin::ListArgs),
    /// Delete a controller
    Delete(admin::DeleteArgs),
    /// Say what would go wrong with a controller
    Check(check::CheckArgs),
    /// Show what the controllers see and do, again and again
    Watch(watch::WatchArgs),
    /// Show what another spec would decide beside a running controller
    Shadow(shadow::ShadowArgs),
    /// Write the journal of a controller's decisions, made from its history
    Journal(journal::JournalArgs),
    /// Signals for servers without the hook, by reading every version in turn
    #[command(subcommand)]
    FastPoll(fast_poll::FastPoll),
    /// A worker and work to try a controller with
    #[command(subcommand)]
    Demo(demo::Demo),
    /// Workers of distributed tasks on a Kubernetes cluster, without Temporal
    #[cfg(feature = "kubernetes")]
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Check a spec, and with a running controller also its providers
    Validate(admin::ValidateArgs),
}

/// The version that a command is about.
#[derive(Args, Clone, Debug)]
struct VersionArgs {
    /// Name of the worker deployment
    #[arg(long, short, value_parser = part_of_version)]
    deployment_name: String,
    /// Build of the deployment
    #[arg(long, short, value_parser = part_of_version)]
    build_id: String,
}

/// A colon stands between the two in the ids of workflows, so that two versions could have the same.
fn part_of_version(text: &str) -> Result<String, String> {
    match text {
        "" => Err("found nothing, expected a name".to_owned()),
        _ if text.contains(':') => Err("found a colon, expected a name without".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

impl VersionArgs {
    fn version(&self) -> WorkerDeploymentVersion {
        WorkerDeploymentVersion {
            deployment_name: self.deployment_name.clone(),
            build_id: self.build_id.clone(),
        }
    }
}

/// Why a command ended badly.
pub(crate) enum Failed {
    /// What was given is wrong.
    Usage(String),
    /// It was refused, or could not be done.
    Action(String),
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self::Action(why)
    }
}

impl From<crate::controller::client::ClientError> for Failed {
    fn from(error: crate::controller::client::ClientError) -> Self {
        Self::Action(error.to_string())
    }
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::from_arg_matches(&command().get_matches()) {
        Ok(cli) => cli,
        Err(e) => e.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return ended(Err(Failed::Action(format!("no async runtime: {e}")))),
    };
    let code = ended(runtime.block_on(dispatch(cli)));
    // A call that hangs must not keep the process.
    runtime.shutdown_background();
    code
}

/// The command line. Options that every command knows are shown by all but `cluster`, which needs no Temporal.
fn command() -> clap::Command {
    let command = Cli::command();
    #[cfg(feature = "kubernetes")]
    let command = command.mut_subcommand("cluster", |cluster| {
        quiet_of_temporal(cluster).mut_subcommand("run", quiet_of_temporal)
    });
    command
}

/// The command with hidden twins of the options of a connection: it shows its own in their place.
#[cfg(feature = "kubernetes")]
fn quiet_of_temporal(mut command: clap::Command) -> clap::Command {
    let connection = ConnectionArgs::augment_args(clap::Command::new(""));
    for option in connection.get_arguments() {
        let id = option.get_id();
        let is_its_own = command.get_arguments().any(|own| own.get_id() == id);
        // A short option of its own may have the letter.
        let twin = option.clone().hide(true).global(false).short(None);
        command = if is_its_own { command } else { command.arg(twin) };
    }
    command
}

async fn dispatch(cli: Cli) -> Result<(), Failed> {
    let connection = cli.connection;
    match cli.command {
        Command::Run(args) => start::run(&connection, args).await,
        Command::Create(args) => admin::create(&connection, args).await,
        Command::Update(args) => admin::update(&connection, args).await,
        Command::Describe(args) => admin::describe(&connection, args).await,
        Command::List(args) => admin::list(&connection, args).await,
        Command::Delete(args) => admin::delete(&connection, args).await,
        Command::Check(args) => check::check(&connection, args).await,
        Command::Watch(args) => watch::watch(&connection, args).await,
        Command::Shadow(args) => shadow::shadow(&connection, args).await,
        Command::Journal(args) => journal::write(&connection, args).await,
        Command::FastPoll(command) => fast_poll::run(&connection, command).await,
        Command::Demo(demo) => demo::run(&connection, demo).await,
        #[cfg(feature = "kubernetes")]
        Command::Cluster(command) => cluster::run(command).await,
        Command::Validate(args) => admin::validate(&connection, args).await,
    }
}

/// Connects to Temporal. Options that cannot be right are wrong usage, before anybody is asked.
async fn reach(connection: &ConnectionArgs) -> Result<temporalio_client::Client, Failed> {
    connection.check().map_err(Failed::Usage)?;
    Ok(connection.connect().await?)
}

/// A result, for people and programs.
fn print(value: &impl serde::Serialize) -> Result<(), Failed> {
    let value = serde_json::to_value(value).map_err(|e| e.to_string())?;
    say(&format!("{value:#}"))
}

/// A line, for people and programs.
fn say(line: &str) -> Result<(), Failed> {
    written(writeln!(io::stdout(), "{line}"))
}

/// A reader that has gone away, such as `head`, has seen what it wanted.
fn written(result: io::Result<()>) -> Result<(), Failed> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failed::Action(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}

fn ended(result: Result<(), Failed>) -> ExitCode {
    let (code, why) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failed::Usage(why)) => (2, why),
        Err(Failed::Action(why)) => (1, why),
    };
    eprintln!("wci-controller: {why}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn versions_that_would_share_a_workflow_id_are_refused() {
        let refused = |line: &[&str]| {
            let line = ["wci-controller"].iter().chain(line);
            command().try_get_matches_from(line).err().map(|e| (e.exit_code(), e.to_string()))
        };
        let file = ["--spec", "f"];
        for version in [["-d", "a:b", "-b", "c"], ["-d", "a", "-b", "b:c"]] {
            for command in ["create", "update", "validate"] {
                let line = [&[command], &version[..], &file[..]].concat();
                let (status, said) = refused(&line).unwrap_or_default();
                assert!(status == 2 && said.contains("expected a name without"), "{line:?}: {said}");
            }
        }
        assert_eq!(refused(&["create", "-d", "a", "-b", "b", "--spec", "f"]), None);
    }

    fn help(words: &[&str]) -> String {
        let line = ["wci-controller"].iter().chain(words).chain(&["--help"]);
        command().try_get_matches_from(line).unwrap_err().to_string()
    }

    #[cfg(feature = "kubernetes")]
    #[test]
    fn a_cluster_shows_no_options_of_a_connection_to_temporal() {
        for words in [&["cluster"][..], &["cluster", "run"]] {
            let shown = help(words);
            assert!(!shown.contains("--api-key") && !shown.contains("--address"), "{shown}");
        }
        assert!(help(&["cluster", "run"]).contains("--namespace"), "it has one of its own");
        assert!(help(&["list"]).contains("--api-key"));
    }

    #[test]
    fn options_of_a_connection_stand_before_or_behind_the_command() {
        for line in
            [["wci-controller", "--address", "h:1", "list"], ["wci-controller", "list", "--address", "h:1"]]
        {
            let cli = Cli::from_arg_matches(&command().try_get_matches_from(line).unwrap()).unwrap();
            assert_eq!(cli.connection.address.as_deref(), Some("h:1"));
        }
    }
}
