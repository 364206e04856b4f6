//! `cargo xtask bless`: writes the golden results anew and shows what that changed.

use crate::shell::{self, cargo, program};

const GOLDEN: &str = "scenarios/golden";

/// The differences are those against the last commit, so that a person sees all that the next one would change.
pub fn run() -> Result<(), String> {
    shell::run(&mut cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "wci-sim",
        "--",
        "golden",
        "--bless",
    ]))?;
    shell::run(program("git").args([
        "--no-pager",
        "diff",
        "--stat",
        "--patch",
        "--unified=0",
        "--",
        GOLDEN,
    ]))?;
    shell::run(program("git").args(["ls-files", "--others", "--exclude-standard", "--", GOLDEN]))
}
