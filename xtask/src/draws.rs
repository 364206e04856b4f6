//! The same luck everywhere: a million draws of everything that draws, compared with what is recorded.

use crate::browser;
use crate::shell::{self, cargo, program};
use crate::tally::Tally;

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

/// Beside the first view of the pages, so that both stand on the same libraries and none is built twice.
fn check_wasm() -> Result<(), String> {
    let mut build = browser::build_for_browsers();
    shell::run(build.args(["--package", PACKAGE, "--package", "wci-wasm", "--no-default-features"]))?;
    let module = browser::module_path(PACKAGE);
    shell::run(program("node").arg("sim/draws-check/run.mjs").arg(module))
}
