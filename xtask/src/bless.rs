//! `cargo xtask bless`: writes the golden results and the reference of scenario files anew and shows what that changed.

use crate::shell::{self, program};
use crate::wci;
use std::path::Path;
use std::process::Stdio;

const REFERENCE: &str = "docs/scenario-reference.md";

/// Rewrites the results on fixtures and, where `WCI_TRACES` says where they are, on the real traces. The program
/// prints each number that changed; at the end come the files that the next commit would change.
pub fn run() -> Result<(), String> {
    let program_wci = wci::build()?;
    write_reference(&program_wci)?;
    shell::run(program(&program_wci).args(["golden", "--bless"]).env("WCI_TRACES", wci::FIXTURES))?;
    if let Some(traces) = shell::real_traces() {
        let mut real = program(&program_wci);
        shell::run(real.args(["golden", "--bless", "--real-traces"]).env("WCI_TRACES", traces))?;
    }
    shell::run(program("git").args(["status", "--short", "--", "scenarios/golden", REFERENCE]))
}

/// A test holds this page to the code.
fn write_reference(program_wci: &Path) -> Result<(), String> {
    let mut schema = program(program_wci);
    let output = schema.args(["schema", "--markdown"]).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot start {}: {error}", program_wci.display()))?;
    if !output.status.success() {
        return Err(format!("`wci schema --markdown` ended with {}", output.status));
    }
    let path = shell::root().join(REFERENCE);
    std::fs::write(&path, output.stdout).map_err(|error| format!("{}: {error}", path.display()))
}
