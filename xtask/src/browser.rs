//! The package of the browser pages: built with the pinned versions, glue included, nothing to install by hand.

use crate::shell::{self, cargo, program};
use crate::wasm::TARGET;
use std::path::{Path, PathBuf};

/// Where the built package is kept with the pages.
const PACKAGE: &str = "docs/simulators/pkg";
const PROFILE: &str = "wasm";

/// `cargo xtask wasm`: builds the package anew and puts it beside the pages.
pub fn rebuild() -> Result<(), String> {
    let folder = shell::root().join(PACKAGE);
    build(&folder)?;
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).map_err(|error| format!("{PACKAGE}/{name}: {error}"))
    };
    write("built.json", built()?)?;
    shell::run(program("git").args(["status", "--short", "--", PACKAGE]))
}

/// Builds the package into a folder.
pub fn build(folder: &Path) -> Result<(), String> {
    let mut module = cargo(&["build", "--quiet", "--package", "wci-wasm", "--lib", "--profile", PROFILE]);
    shell::run(module.args(["--target", TARGET]))?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut glue = cargo(&["run", "--quiet", "--package", "wci-wasm-bindgen", "--profile", "ci", "--"]);
    shell::run(glue.arg(module_path()).arg(folder))
}

fn module_path() -> PathBuf {
    shell::target_dir().join(TARGET).join(PROFILE).join("wci_wasm.wasm")
}

/// What the package was built from and with.
fn built() -> Result<String, String> {
    let output = program("rustc").arg("--version").output().map_err(|error| format!("rustc: {error}"))?;
    let rustc = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!("{{\n  \"version\": \"{version}\",\n  \"rustc\": \"{rustc}\"\n}}\n"))
}
