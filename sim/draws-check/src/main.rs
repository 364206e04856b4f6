//! Holds the simulator's draws equal between platforms: compares a million draws of everything that draws with the
//! fingerprints recorded in `fingerprints.txt`, natively and as WebAssembly.
//!
//! ```text
//! cargo run --release --package wci-draws-check --features cli
//! cargo build --release --package wci-draws-check --target wasm32-unknown-unknown
//! node sim/draws-check/run.mjs target/wasm32-unknown-unknown/release/wci-draws-check.wasm
//! ```
//!
//! Standard output holds the fingerprints found: after a change of the draws that is meant, it is the new
//! `fingerprints.txt`.
//!
//! WebAssembly without a host has no output, but the exit status comes back as the value of its only function: 0, or
//! the number of the first line that differs. So the module needs no bindings at all.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

use std::process::ExitCode;
use wci_sim::workload::fingerprint::fingerprints;

const RECORDED: &str = include_str!("../fingerprints.txt");
const DRAWS: usize = 1_000_000;

fn main() -> ExitCode {
    let found = match found() {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(u8::MAX);
        }
    };
    println!("{}", found.join("\n"));
    match first_difference(&found) {
        0 => ExitCode::SUCCESS,
        line => {
            eprintln!("line {line} of fingerprints.txt differs");
            ExitCode::from(line)
        }
    }
}

fn found() -> Result<Vec<String>, String> {
    let found = fingerprints(DRAWS).map_err(|error| error.to_string())?;
    Ok(found.iter().map(|(name, fingerprint)| format!("{name} {fingerprint:016x}")).collect())
}

/// The number of the first line that is not as recorded; 0: all are.
fn first_difference(found: &[String]) -> u8 {
    let recorded: Vec<&str> = RECORDED.lines().collect();
    let lines = found.len().max(recorded.len());
    let differs = |line: &usize| found.get(*line).map(String::as_str) != recorded.get(*line).copied();
    (0..lines).find(differs).map_or(0, |line| u8::try_from(line + 1).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_draws_are_as_recorded() {
        let found = found().unwrap();
        assert_eq!(found.join("\n"), RECORDED.trim_end());
        assert_eq!(first_difference(&found), 0);
    }

    #[test]
    fn a_difference_is_found_in_its_line() {
        let mut lines: Vec<String> = RECORDED.lines().map(str::to_owned).collect();
        lines[2].push('0');
        assert_eq!(first_difference(&lines), 3);
        assert_eq!(first_difference(&lines[..2]), 3);
    }
}
