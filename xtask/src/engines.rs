//! `cargo xtask engines`: the same work on other simulation engines and on ours, one after another.

use crate::shell::{self, program};
use crate::wci;
use std::path::Path;
use std::process::Command;

/// Engines in Python are given fewer tasks: they would take minutes.
const TASKS: u64 = 1_000_000;
const TASKS_IN_PYTHON: u64 = 100_000;

/// Each engine runs this often; the best counts, the others were disturbed.
const RUNS: usize = 3;

/// Measures all and prints a table; `wci` and the hand-written loops come last.
pub fn run() -> Result<(), String> {
    let folder = shell::target_dir().join("engines");
    let rust = build(&folder)?;
    let python = install(&folder)?;
    println!("{:10} {:20} {:>12}   check", "engine", "work", "tasks/s");
    for (name, file) in [("SimCore", "simcore"), ("NeXosim", "nexosim")] {
        let program = || program(rust.join(file));
        measure(name, "M/M/50, load 0.9", "s mean wait", program, TASKS)?;
    }
    let script = |file: &'static str| {
        let python = python.clone();
        move || {
            let mut command = program(&python);
            command.arg(format!("sim/engines/python/{file}.py"));
            command
        }
    };
    measure("SimPy", "M/M/50, load 0.9", "s mean wait", script("simpy_mm50"), TASKS_IN_PYTHON)?;
    measure("Ciw", "M/M/50, load 0.9", "s mean wait", script("ciw_mm50"), TASKS_IN_PYTHON)?;
    measure("SimFaaS", "scale per request", "cold starts", script("simfaas_example"), TASKS_IN_PYTHON)?;
    println!();
    shell::run(program(wci::build()?).arg("bench").args(["--tasks", &TASKS.to_string()]))
}

fn measure(
    name: &str,
    work: &str,
    what: &str,
    command: impl Fn() -> Command,
    tasks: u64,
) -> Result<(), String> {
    let mut best = (0.0, 0.0);
    for _ in 0..RUNS {
        let output = command().arg(tasks.to_string()).output().map_err(|e| format!("{name}: {e}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures = text
            .trim()
            .split_once(' ')
            .and_then(|(speed, check)| Some((speed.parse::<f64>().ok()?, check.parse::<f64>().ok()?)));
        let said = || format!("{name} said {text}{}", String::from_utf8_lossy(&output.stderr));
        let (speed, check) = figures.filter(|_| output.status.success()).ok_or_else(said)?;
        if speed > best.0 {
            best = (speed, check);
        }
    }
    println!("{name:10} {work:20} {:>12.0}   {:.5} {what}", best.0, best.1);
    Ok(())
}

/// The engines in Rust are a workspace of their own.
fn build(folder: &Path) -> Result<std::path::PathBuf, String> {
    let mut command = shell::cargo(&["build", "--quiet", "--release", "--locked"]);
    command.args(["--manifest-path", "sim/engines/Cargo.toml", "--target-dir"]).arg(folder);
    shell::run(&mut command)?;
    Ok(folder.join("release"))
}

fn install(folder: &Path) -> Result<std::path::PathBuf, String> {
    let home = folder.join("python");
    let python = home.join("bin/python");
    if !home.join("installed").exists() {
        shell::run(program("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        let mut pip = program(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        shell::run(pip.arg("sim/engines/python/requirements.txt"))?;
        std::fs::write(home.join("installed"), "").map_err(|e| format!("{}: {e}", home.display()))?;
    }
    Ok(python)
}
