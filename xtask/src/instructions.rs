//! Instructions of the hot paths: a figure that does not depend on how busy the machine is, held as a gate.

use crate::shell::program;
use crate::tally::Tally;
use crate::wci;
use std::path::Path;

/// One piece of work at two lengths: the difference holds no start-up.
struct Work {
    name: &'static str,
    args: &'static [&'static str],
    /// What the work is repeated by: a `--set` of the scenario.
    lengths: [&'static str; 2],
    /// Instructions a task that were counted when this was last looked at.
    recorded: u64,
}

const WORKS: &[Work] = &[
    Work {
        name: "M/M/50, load 0.9",
        args: &["run", "scenarios/bench-mm50.toml"],
        lengths: ["horizon=500s", "horizon=1500s"],
        recorded: 1232,
    },
    Work {
        name: "scale per request",
        args: &["run", "scenarios/bench-faas.toml"],
        lengths: ["horizon=20000s", "horizon=60000s"],
        recorded: 1514,
    },
    Work {
        name: "no-sync on a burst",
        args: &["run", "scenarios/lambda-burst.toml"],
        lengths: ["horizon=1h", "horizon=2h"],
        recorded: 2044,
    },
];

/// Another compiler counts differently; a change that costs more than this is looked at.
const TOLERANCE_PERCENT: u64 = 10;

/// Counts the instructions of each work with valgrind and compares them with those recorded here.
pub fn check() -> Result<Tally, String> {
    if program("valgrind").arg("--version").output().is_err() {
        return Ok(Tally::skip("instruction counts", "there is no valgrind to count them"));
    }
    let wci = wci::build()?;
    let mut tally = Tally::default();
    for work in WORKS {
        let counted = per_task(&wci, work)?;
        let (name, recorded) = (work.name, work.recorded);
        println!("{name}: {counted} instructions a task, {recorded} recorded");
        let most = recorded + recorded * TOLERANCE_PERCENT / 100;
        let result = match counted <= most {
            true => Ok(()),
            false => {
                Err(format!("{counted} instructions a task, at most {most} expected ({recorded} recorded)"))
            }
        };
        tally.add(Tally::of(&format!("instructions, {name}"), result));
    }
    Ok(tally)
}

fn per_task(wci: &Path, work: &Work) -> Result<u64, String> {
    let [(short, few), (long, many)] = [count(wci, work, 0)?, count(wci, work, 1)?];
    let tasks = many.checked_sub(few).filter(|tasks| *tasks > 1000);
    let tasks =
        tasks.ok_or_else(|| format!("{}: {few} and {many} tasks are too few to compare", work.name))?;
    Ok(long.saturating_sub(short) / tasks)
}

/// Instructions and tasks of one run.
fn count(wci: &Path, work: &Work, length: usize) -> Result<(u64, u64), String> {
    let mut command = program("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]).arg(wci);
    command.args(work.args).args(["--quiet", "--json", "--set", work.lengths[length]]);
    // The fixtures, or a real trace would be counted where there is one.
    command.env("WCI_TRACES", wci::FIXTURES);
    let output = command.output().map_err(|e| format!("cannot start valgrind: {e}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let instructions = number_after(&stderr, "refs:");
    let tasks = number_after(&stdout, "\"arrived\":");
    instructions.zip(tasks).ok_or_else(|| format!("{}: valgrind said {stderr}", work.name))
}

/// The number behind the first such mark, its thousands perhaps parted by commas.
fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit() && c != ',').next()?;
    // JSON goes on with a comma.
    digits.trim_end_matches(',').replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_with_and_without_commas() {
        assert_eq!(number_after("==7== I   refs:      33,101,833\n", "refs:"), Some(33_101_833));
        assert_eq!(number_after("{\"arrived\": 255, \"measured\": 1}", "\"arrived\":"), Some(255));
        assert_eq!(number_after("{\"arrived\":255,\"measured\":1}", "\"arrived\":"), Some(255));
        assert_eq!(number_after("no figure", "refs:"), None);
    }
}
