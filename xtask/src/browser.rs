//! The package of the browser pages: built with the pinned versions, glue included, nothing to install by hand; and
//! the tests of the pages in a real Chromium.

use crate::pages::{PAGES, Server};
use crate::shell::{self, cargo, program};
use crate::tally::Tally;
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

/// Builds the package afresh and tests the pages with it; the package that is kept must give the same digests.
pub fn test() -> Result<Tally, String> {
    const WHAT: &str = "pages in the browser";
    let node =
        |args: &[&str]| program("node").args(args).output().is_ok_and(|output| output.status.success());
    if !node(&["--version"]) {
        return Ok(Tally::skip(WHAT, "there is no node to run them"));
    }
    let pages = fresh_pages()?;
    let tests = shell::target_dir().join("browser-tests");
    let mut tally = Tally::default();
    for (name, package) in
        [("kept package", shell::root().join(PACKAGE)), ("fresh package", pages.join("pkg"))]
    {
        let mut run = program("node");
        run.arg("wasm/tests/browser/digests.mjs").arg(package).arg("scenarios");
        tally.add(checks(name, &mut run)?);
    }
    if let Some(missing) = install(&tests) {
        tally.add(Tally::skip(WHAT, missing));
        return Ok(tally);
    }
    let server = Server::open(pages, 0)?;
    let base = format!("http://127.0.0.1:{}/", server.port());
    // Ends with this program: nothing waits for it.
    std::thread::spawn(move || server.serve());
    shell::run(&mut cargo(&["build", "--quiet", "--package", "wci-sim", "--bin", "wci", "--profile", "ci"]))?;
    let mut run = program("node");
    run.arg(tests.join("pages.mjs")).args([&base, "scenarios"]);
    run.arg(shell::target_dir().join("ci").join("wci")).arg(tests.join("shots"));
    tally.add(checks(WHAT, &mut run)?);
    Ok(tally)
}

/// A copy of the pages under the build folder, with a package built a moment ago.
fn fresh_pages() -> Result<PathBuf, String> {
    let copy = shell::target_dir().join("pages");
    copy_folder(&shell::root().join(PAGES), &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    build(&copy.join("pkg"))?;
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Puts the tests and the two packages they need under the build folder; says what cannot be had.
fn install(folder: &Path) -> Option<String> {
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !Path::new(&chromium).exists() {
        return Some(format!(
            "there is no {}: install chromium, or name one in CHROMIUM",
            Path::new(&chromium).display()
        ));
    }
    if let Err(error) = copy_folder(&shell::root().join("wasm/tests/browser"), folder) {
        return Some(format!("{}: {error}", folder.display()));
    }
    if folder.join("node_modules/.package-lock.json").exists() {
        return None;
    }
    let mut npm = program("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    shell::run(&mut npm).err().map(|error| format!("playwright-core and axe-core are not to be had: {error}"))
}

/// Runs a program that prints `ok NAME` or `FAIL NAME: why` for each check.
fn checks(name: &str, command: &mut std::process::Command) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let ended_well = shell::stream(command, |line| {
        if line.starts_with("ok ") {
            tally.passed += 1;
        } else if let Some(failed) = line.strip_prefix("FAIL ") {
            tally.failed.push(format!("{name}: {failed}"));
        }
    })?;
    if !ended_well || tally.passed == 0 {
        tally.failed.push(format!("{name}: the tests did not run to their end"));
    }
    Ok(tally)
}
