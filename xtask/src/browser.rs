//! The package of the browser pages: built with the pinned versions, glue included, nothing to install by hand; and
//! the tests of the pages in a real Chromium.

use crate::house_rules;
use crate::pages::{PAGES, Server};
use crate::shell::{self, cargo, program};
use crate::tally::Tally;
use crate::wasm::TARGET;
use crate::wci;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the built package is kept with the pages.
pub const PACKAGE: &str = "docs/simulators/pkg";
const PROFILE: &str = "wasm";
/// The scenarios that the pages offer: the very files that the command line runs, those that need no other file.
const SCENARIOS: [&str; 17] = [
    "demo-no-sync",
    "demo-rate-based",
    "demo-backlog",
    "demo-pid",
    "demo-peak-rate",
    "quick-start",
    "bench-mm50",
    "bulk-enqueue",
    "ecs-batch",
    "heavy-tails",
    "k8s-day",
    "lambda-burst",
    "lambda-light",
    "on-off",
    "outage",
    "overload",
    "rate-limited",
];
/// Scenarios of distributed tasks, and the definitions that they name.
const CLUSTER: [&str; 10] = [
    "auto-scaling.xml",
    "auto-scaling.toml",
    "changed-definition.toml",
    "failed-scan.toml",
    "failed-scan-retried.toml",
    "flapping-node.toml",
    "node-crashes.toml",
    "node-crashes-closed.toml",
    "node-joins.toml",
    "uneven-buckets.toml",
];
/// A module of the package: its crate, its name and the features it is built with.
type Module = (&'static str, &'static str, &'static [&'static str]);
/// What a page loads at once; what it loads when a file is dropped on it, the same with readers of files; and what only
/// the page of the cluster loads.
const MODULES: [Module; 3] = [
    ("wci-wasm", "wci_wasm", &["--no-default-features"]),
    ("wci-wasm", "wci_wasm_files", &[]),
    ("wci-wasm-cluster", "wci_wasm_cluster", &[]),
];

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
    copy_texts(folder)?;
    MODULES.iter().try_for_each(|module| build_module(folder, module))
}

/// Scenarios, and the schema with its texts: pages fetch them one by one, when they need them.
pub fn copy_texts(folder: &Path) -> Result<(), String> {
    let scenarios = folder.join("scenarios/cluster");
    std::fs::create_dir_all(&scenarios).map_err(|error| format!("{}: {error}", scenarios.display()))?;
    for (from, to) in texts() {
        let copied = std::fs::copy(shell::root().join(&from), folder.join(to));
        copied.map_err(|error| format!("{}: {error}", from.display()))?;
    }
    Ok(())
}

/// Files of the project and what they are called in the package.
fn texts() -> Vec<(PathBuf, PathBuf)> {
    let scenario = |name: &&str| {
        let file = Path::new("scenarios").join(name).with_extension("toml");
        (file.clone(), file)
    };
    let of_cluster = |name: &&str| {
        let file = Path::new("scenarios/cluster").join(name);
        (file.clone(), file)
    };
    let schema = ("sim/src/scenario/schema/schema.json".into(), "schema.json".into());
    SCENARIOS.iter().map(scenario).chain(CLUSTER.iter().map(of_cluster)).chain([schema]).collect()
}

/// Whether the kept package has the scenarios and the schema as they are.
fn has_texts_as_they_are(package: &Path) -> Tally {
    const NAME: &str = "scenarios and schema of the kept package are those of the command line";
    let is_same = |(from, to): &(PathBuf, PathBuf)| {
        let (from, to) = (std::fs::read(shell::root().join(from)), std::fs::read(package.join(to)));
        from.is_ok_and(|from| to.is_ok_and(|to| from == to))
    };
    let old: Vec<String> =
        texts().iter().filter(|pair| !is_same(pair)).map(|(from, _)| from.display().to_string()).collect();
    let found = if old.is_empty() { Ok(()) } else { Err(format!("{}: `cargo xtask bless`", old.join(", "))) };
    Tally::of(NAME, found)
}

fn build_module(folder: &Path, (package, name, features): &Module) -> Result<(), String> {
    shell::run(build_for_browsers().args(["--package", package, "--lib"]).args(*features))?;
    // Chosen out of the whole workspace, so that what it stands on is what the tests stand on, and not built again.
    const GLUE: &str = "wci-wasm-bindgen";
    shell::run(&mut cargo(&["build", "--quiet", "--workspace", "--bin", GLUE, "--profile", "ci"]))?;
    let mut glue = program(shell::target_dir().join("ci").join(GLUE));
    shell::run(glue.arg(module_path(&package.replace('-', "_"))).arg(folder).arg(name))
}

/// The command that builds as the pages' modules are built; what is built is to be added.
pub fn build_for_browsers() -> Command {
    let mut build = cargo(&["build", "--quiet", "--profile", PROFILE, "--target", TARGET]);
    build.env("CARGO_ENCODED_RUSTFLAGS", short_paths());
    build
}

/// Panics name their source: a file of a crate, whoever builds, wherever.
fn short_paths() -> String {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cargo = home("CARGO_HOME").or_else(|| Some(home("HOME")?.join(".cargo"))).unwrap_or_default();
    let sources = std::fs::read_dir(cargo.join("registry/src")).into_iter().flatten().flatten();
    let folders = sources.map(|entry| (entry.path(), String::new())).chain([(shell::root(), String::new())]);
    let own = ["core/src", "sim/src", "wasm/src", "wasm/cluster/src"].into_iter().flat_map(named_sources);
    let flags =
        folders.chain(own).map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    // This is how cargo wants several flags in one variable.
    flags.collect::<Vec<_>>().join("\u{1f}")
}

/// The sources of a folder as the compiler calls them, and names like those of modules.
fn named_sources(folder: &str) -> Vec<(PathBuf, String)> {
    let sources = house_rules::files(&shell::root().join(folder), "rs").unwrap_or_default();
    let named = |file: PathBuf| {
        let name = file.strip_prefix(shell::root().join(folder)).ok()?.display().to_string();
        Some((Path::new(folder).join(&name), name.replace(['/', '\\'], ".")))
    };
    sources.into_iter().filter_map(named).collect()
}

/// The module that a library or program becomes.
pub fn module_path(target: &str) -> PathBuf {
    shell::target_dir().join(TARGET).join(PROFILE).join(target).with_extension("wasm")
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
    let mut tally = has_texts_as_they_are(&shell::root().join(PACKAGE));
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
    let wci = wci::build_checked()?;
    let mut run = program("node");
    run.arg(tests.join("pages.mjs")).args([&base, "scenarios"]);
    run.arg(wci).arg(tests.join("shots"));
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
