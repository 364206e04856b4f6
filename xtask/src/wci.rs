//! The program `wci` put to the test: golden results, and the same bytes from every run.

use crate::shell::{self, cargo, program};
use crate::tally::{OUTSIDE_TRACES, Tally};
use crate::test::build_and_test;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Our own small files in the traces' formats.
pub const FIXTURES: &str = "scenarios/fixtures";

/// Where a run says how fast it was, on which no two runs need to agree: this file, and the line of the page that
/// begins so.
const SPEED_FILE: &str = "performance.json";
const SPEED_LINE: &[u8] = b"<footer>";

/// Runs every shipped scenario and compares it with its golden result, on fixtures and, where they are, on the real
/// traces. It is the checked build that runs here, so the optimised one, which wrote the results, must agree with it.
pub fn golden() -> Result<Tally, String> {
    let wci = build_checked()?;
    let mut tally = compare("golden", &wci, Path::new(FIXTURES), &[])?;
    match shell::real_traces() {
        Some(traces) => tally.add(compare("golden, real traces", &wci, &traces, &["--real-traces"])?),
        None => tally.add(Tally::skip("golden results on real traces", OUTSIDE_TRACES)),
    }
    Ok(tally)
}

/// Runs a scenario twice, on one thread and on many: every file must be the same, byte for byte.
pub fn same_bytes() -> Result<Tally, String> {
    const SCENARIO: &str = "scenarios/quick-start.toml";
    let wci = build()?;
    let first = files_of(&wci, SCENARIO, "1")?;
    let second = files_of(&wci, SCENARIO, "7")?;
    let names: Vec<&String> = first.keys().chain(second.keys()).collect();
    let differing = names.into_iter().find(|name| first.get(*name) != second.get(*name));
    let result = match differing {
        Some(name) => Err(format!("{SCENARIO}: two runs wrote different {name}")),
        None if first.len() < 2 => Err(format!("{SCENARIO}: only {} files to compare", first.len())),
        None => Ok(()),
    };
    Ok(Tally::of("same bytes from every run", result))
}

/// Builds the program as it is shipped and says where it lies.
pub fn build() -> Result<PathBuf, String> {
    shell::run(&mut cargo(&["build", "--quiet", "--release", "--package", "wci-sim"]))?;
    Ok(shell::target_dir().join("release").join("wci"))
}

/// Builds the program with the checks of a debug build and says where it lies.
///
/// It is built beside the tests, so that after them this builds nothing.
pub fn build_checked() -> Result<PathBuf, String> {
    shell::run(build_and_test().args(["--no-run", "--quiet"]))?;
    Ok(shell::target_dir().join("ci").join("wci"))
}

fn compare(name: &str, wci: &Path, traces: &Path, args: &[&str]) -> Result<Tally, String> {
    let mut command = program(wci);
    command.arg("golden").args(args).env("WCI_TRACES", traces);
    let mut tally = Tally::default();
    let mut has_counts = false;
    let ended_well = shell::stream(&mut command, |line| {
        if let Some(passed) = passed(line) {
            tally.passed += passed;
            has_counts = true;
        } else if !line.starts_with(' ') {
            tally.failed.push(format!("{name}: {}", line.chars().take(200).collect::<String>()));
        }
    })?;
    if !has_counts || ended_well != tally.failed.is_empty() {
        tally.failed.push(format!("{name}: wci golden ended {}", if ended_well { "well" } else { "badly" }));
    }
    Ok(tally)
}

/// The number in a line such as `12 passed, 0 failed`.
fn passed(line: &str) -> Option<u64> {
    let (passed, rest) = line.split_once(" passed, ")?;
    rest.ends_with(" failed").then(|| passed.parse().ok())?
}

/// What a run writes, by file name.
fn files_of(wci: &Path, scenario: &str, threads: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let folder = shell::target_dir().join("same-bytes").join(threads);
    // Left over from an earlier run, if at all.
    let _ = fs::remove_dir_all(&folder);
    let mut run = program(wci);
    run.args(["run", scenario, "--quiet", "--tasks", "--out"]).arg(&folder);
    shell::run(run.env("RAYON_NUM_THREADS", threads).stdout(std::process::Stdio::null()))?;
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok::<_, String>((name, without_speed(&bytes)))
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        files.extend([read(entry.map_err(|e| e.to_string())?.path())?]);
    }
    files.remove(SPEED_FILE);
    Ok(files)
}

fn without_speed(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(SPEED_LINE)).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_about_speed_may_differ() {
        let page = |speed: &str| without_speed(format!("<p>\n<footer>{speed}</footer>\n</html>").as_bytes());
        assert_eq!(page("1 ms"), page("2 ms"));
        assert_eq!(page("1 ms"), b"<p>\n</html>");
        assert_eq!(without_speed(b"\x89PNG\n\x1a"), b"\x89PNG\n\x1a");
    }

    #[test]
    fn counts_are_read_from_their_line_alone() {
        assert_eq!(passed("12 passed, 0 failed"), Some(12));
        assert_eq!(passed("lambda-burst: tasks.completed: golden 1, found 2"), None);
        assert_eq!(passed("x passed, y failed"), None);
    }
}
