//! The same luck everywhere: a million draws of everything that draws, compared with what is recorded.

use crate::shell::{self, cargo, program};
use crate::tally::Tally;
use crate::wasm;

const PACKAGE: &str = "wci-draws-check";

/// Native as shipped, with everything optional (dependencies of the command line turn on features of shared crates),
/// and as WebAssembly.
pub fn check() -> Result<Tally, String> {
    let mut tally = Tally::of("native draws", check_native());
    if program("node").arg("--version").output().is_ok() {
        tally.add(Tally::of("WebAssembly draws", check_wasm()));
    } else {
        tally.add(Tally::skip("WebAssembly draws", "there is no node to run them"));
    }
    Ok(tally)
}

fn check_native() -> Result<(), String> {
    let mut run = cargo(&["run", "--quiet", "--release", "--package", PACKAGE, "--features", "cli"]);
    // The fingerprints that it prints are for whoever wants to record new ones.
    shell::run(run.stdout(std::process::Stdio::null()))
}

fn check_wasm() -> Result<(), String> {
    shell::run(&mut cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        PACKAGE,
        "--target",
        wasm::TARGET,
    ]))?;
    let module = shell::target_dir().join(wasm::TARGET).join("release").join(format!("{PACKAGE}.wasm"));
    shell::run(program("node").arg("sim/draws-check/run.mjs").arg(module))
}
