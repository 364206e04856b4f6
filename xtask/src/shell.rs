//! Running programs: where they run, what they print, how they end.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's folder.
pub fn root() -> PathBuf {
    // Cargo sets the variable for `cargo run`; a binary started by hand works from the current folder.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    own.as_deref().and_then(Path::parent).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The build folder, whatever the environment or the configuration made of it: this program lies in it.
pub fn target_dir() -> PathBuf {
    let exe = std::env::current_exe().ok();
    let profile = exe.as_deref().and_then(Path::parent);
    profile.and_then(Path::parent).map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// Whether this is a run in which a skip counts as a failure.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Where the real traces are, if the environment says so. Programs run in other folders than ours, so the path is
/// made absolute lest it change its meaning.
pub fn real_traces() -> Option<PathBuf> {
    let traces = std::env::var_os("WCI_TRACES").filter(|traces| !traces.is_empty())?;
    std::path::absolute(traces).ok()
}

/// `cargo ARGS`, the cargo that runs us, in the workspace's folder.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}

/// A program in the workspace's folder.
pub fn program(path: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(path);
    command.current_dir(root());
    command
}

/// Runs to the end, output straight to the terminal.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).status().map_err(|e| not_started(command, &e))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", words(command))) }
}

/// Runs to the end, passes each line of stdout on as it comes, and shows it to `look`. True: it ended well.
pub fn stream(command: &mut Command, mut look: impl FnMut(&str)) -> Result<bool, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|e| not_started(command, &e))?;
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(|lines| lines.split(b'\n')) {
        let line = line.map_err(|e| format!("{}: {e}", words(command)))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        look(&line);
    }
    let status = child.wait().map_err(|e| format!("{}: {e}", words(command)))?;
    if !status.success() {
        println!("{} ended with {status}", words(command));
    }
    Ok(status.success())
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", words(command))
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    let words: Vec<_> = std::iter::once(program.to_string_lossy()).chain(args).collect();
    format!("`{}`", words.join(" "))
}
