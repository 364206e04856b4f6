//! `cargo xtask bless`: writes the golden results and the reference of scenario files anew and shows what that changed.

use crate::browser;
use crate::shell::{self, program};
use crate::wci;
use std::path::Path;
use std::process::Stdio;

const REFERENCE: &str = "docs/scenario-reference.md";
/// The schema that a browser gets ready-made.
const SCHEMA: &str = "sim/src/scenario/schema/schema.json";
/// The one of cluster scenarios, which a browser gets ready-made, too.
const CLUSTER_SCHEMA: &str = "sim/src/cluster/schema.json";
/// The same without its texts, which is what a browser downloads at once.
const BARE_SCHEMA: &str = "sim/src/scenario/schema/bare.json";

/// Rewrites the results on fixtures and, where `WCI_TRACES` says where they are, on the real traces. The program
/// prints each number that changed; at the end come the files that the next commit would change.
pub fn run() -> Result<(), String> {
    let program_wci = wci::build()?;
    write_schema(&program_wci, &["--markdown"], REFERENCE)?;
    write_schema(&program_wci, &[], SCHEMA)?;
    write_schema(&program_wci, &["cluster"], CLUSTER_SCHEMA)?;
    write_bare_schema()?;
    browser::copy_texts(&shell::root().join(browser::PACKAGE))?;
    shell::run(program(&program_wci).args(["golden", "--bless"]).env("WCI_TRACES", wci::FIXTURES))?;
    if let Some(traces) = shell::real_traces() {
        let mut real = program(&program_wci);
        shell::run(real.args(["golden", "--bless", "--real-traces"]).env("WCI_TRACES", traces))?;
    }
    shell::run(program("git").args([
        "status",
        "--short",
        "--",
        "scenarios/golden",
        REFERENCE,
        SCHEMA,
        CLUSTER_SCHEMA,
        BARE_SCHEMA,
        browser::PACKAGE,
    ]))
}

/// A test holds each of these files to the code.
fn write_schema(program_wci: &Path, args: &[&str], file: &str) -> Result<(), String> {
    let mut schema = program(program_wci);
    let output = schema.arg("schema").args(args).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot start {}: {error}", program_wci.display()))?;
    if !output.status.success() {
        return Err(format!("`wci schema` ended with {}", output.status));
    }
    let mut text = output.stdout;
    if file != REFERENCE {
        // A browser has no use for the indentation, which is most of it.
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
        text = lines.collect::<Vec<_>>().join(&b'\n');
    }
    write(file, &text)
}

/// Every entry of the schema has a line of its own.
fn write_bare_schema() -> Result<(), String> {
    let path = shell::root().join(SCHEMA);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut bare = String::new();
    for line in text.lines() {
        let is_text = line.starts_with("\"description\": \"");
        if !is_text {
            bare.push_str(&line.replace("\": ", "\":"));
        } else if !line.ends_with(',') && bare.ends_with(',') {
            // The last entry is gone: the one before has no successor.
            bare.pop();
        }
    }
    write(BARE_SCHEMA, bare.as_bytes())
}

fn write(file: &str, text: &[u8]) -> Result<(), String> {
    let path = shell::root().join(file);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
