//! The shipped scenarios beside their golden results: digest and summary in golden/NAME.json.

use super::args::GoldenArgs;
use super::outputs::Outputs;
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome, disk, load, run};
use crate::results::Summary;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where golden results of scenarios on real traces are kept, beside the ones on fixtures.
const REAL: &str = "golden/real";
/// Scenarios of distributed tasks, and their golden results.
const CLUSTER: &str = "cluster";

/// Compares or rewrites golden results; prints a line for each scenario and the counts at the end.
pub fn golden(args: &GoldenArgs) -> CommandResult {
    let (mut passed, mut failed) = (0, 0);
    let mut count = |name: &str, checked: Result<Vec<String>, Failure>| match checked {
        Ok(differences) if differences.is_empty() => passed += 1,
        Ok(differences) => {
            println!("{name}: {}", differences.join("\n  "));
            if args.bless {
                passed += 1;
            } else {
                failed += 1;
            }
        }
        Err(Failure(text)) => {
            println!("{name}: {text}");
            failed += 1;
        }
    };
    for path in scenarios(&args.folder)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let uses_trace = disk::read_text(&path)?.contains("${WCI_TRACES}");
        if args.real_traces && !uses_trace {
            continue;
        }
        let file =
            args.folder.join(if args.real_traces { REAL } else { "golden" }).join(format!("{name}.json"));
        count(&name, check(&path, &file, args.bless));
    }
    let cluster = args.folder.join(CLUSTER);
    if !args.real_traces && cluster.is_dir() {
        for path in scenarios(&cluster)? {
            let name = format!("{CLUSTER}/{}", path.file_stem().unwrap_or_default().to_string_lossy());
            let file = args.folder.join("golden").join(format!("{name}.json"));
            count(
                &name,
                super::cluster::golden(&path).and_then(|found| differences(&found, &file, args.bless)),
            );
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { Outcome::Fine } else { Outcome::Failed })
}

fn scenarios(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| disk::named(&error, folder))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

/// The differences between a run and its golden result; expectations that fail are an error.
fn check(path: &Path, file: &Path, bless: bool) -> Result<Vec<String>, Failure> {
    let mut resolved = load::read(path)?.resolve()?;
    let result = run::simulate(&mut resolved, Outputs::none(Progress::new(true)))?;
    let expectations = run::expectations(&resolved, &result)?;
    if let Some(broken) = expectations.iter().find(|expectation| !expectation.passed) {
        let crate::report::Expectation { path, condition, actual, .. } = broken;
        return Err(Failure::new(format!("expected {path} {condition}, found {actual}")));
    }
    differences(&serde_json::to_value::<&Summary>(&result.summary)?, file, bless)
}

fn differences(found: &Value, file: &Path, bless: bool) -> Result<Vec<String>, Failure> {
    let golden = std::fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok());
    let mut differences = Vec::new();
    compare("", &golden.unwrap_or(Value::Null), found, &mut differences);
    if bless && !differences.is_empty() {
        if let Some(folder) = file.parent() {
            load::make_folder(folder)?;
        }
        disk::write(file, crate::report::json::to_json(found)?)?;
    }
    Ok(differences)
}

fn compare(path: &str, golden: &Value, found: &Value, differences: &mut Vec<String>) {
    match (golden, found) {
        (Value::Object(golden), Value::Object(found)) => {
            let keys: std::collections::BTreeSet<&String> = golden.keys().chain(found.keys()).collect();
            for key in keys {
                let at = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, &at(golden), &at(found), differences);
            }
        }
        _ if golden == found => {}
        _ => differences.push(format!("{path}: golden {golden}, found {found}")),
    }
}
