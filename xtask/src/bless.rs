//! `cargo xtask bless`: writes the golden results anew and shows what that changed.

use crate::shell::{self, program};
use crate::wci;

/// Rewrites the results on fixtures and, where `WCI_TRACES` says where they are, on the real traces. The program
/// prints each number that changed; at the end come the files that the next commit would change.
pub fn run() -> Result<(), String> {
    let program_wci = wci::build("release")?;
    shell::run(program(&program_wci).args(["golden", "--bless"]).env("WCI_TRACES", wci::FIXTURES))?;
    if let Some(traces) = shell::real_traces() {
        let mut real = program(&program_wci);
        shell::run(real.args(["golden", "--bless", "--real-traces"]).env("WCI_TRACES", traces))?;
    }
    shell::run(program("git").args(["status", "--short", "--", "scenarios/golden"]))
}
