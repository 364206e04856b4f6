//! The scenarios that come with the project: each is well-formed, documented, and has its traces among the fixtures.

use super::*;
use crate::trace::TraceFiles;
use crate::workload::Block;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

struct Disk;

impl TraceFiles for Disk {
    fn open(&self, path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        if !Path::new(path).is_dir() {
            return Ok(None);
        }
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<Vec<_>>>().map(Some)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn shipped() -> Vec<Scenario> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let loader = |name: &str| fs::read_to_string(folder().join(name));
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        Scenario::from_toml(&text, path.to_str().unwrap(), &loader)
            .unwrap_or_else(|errors| panic!("{errors}"))
    };
    paths.iter().map(read).collect()
}

/// As seen from where the program runs, not from the scenario.
fn fixtures(name: &str) -> Option<String> {
    (name == "WCI_TRACES").then(|| "../scenarios/fixtures".to_owned())
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn all_are_well_formed_and_written_back_as_they_are() {
    for scenario in shipped() {
        let resolved = scenario.resolve().unwrap_or_else(|errors| panic!("{errors}"));
        assert!(!resolved.expect.is_empty(), "{} expects nothing", scenario.name());
        assert!(!resolved.demo.text.is_empty(), "{} has no text for the browser", scenario.name());
        assert_eq!(scenario.to_toml(), toml::to_string(scenario.file()).unwrap(), "as the library writes it");
        let again =
            read(&scenario.to_toml()).unwrap_or_else(|errors| panic!("{}: {errors}", scenario.name()));
        assert_eq!(again.file(), scenario.file());
    }
}

#[test]
fn all_have_tasks_to_run_also_from_fixtures() {
    let around = Surroundings { files: &Disk, variable: &fixtures };
    for scenario in shipped() {
        let mut resolved = scenario.resolve().unwrap();
        let seed = resolved.model.seed;
        let sources =
            resolved.open_sources(seed, around).unwrap_or_else(|e| panic!("{}: {e}", scenario.name()));
        assert_eq!(sources.len(), resolved.model.workloads.len());
        assert!((1..u64::MAX).contains(&resolved.model.horizon), "{}", scenario.name());
        for mut source in sources {
            let mut block = Block::default();
            source.fill(&mut block).unwrap();
            let first = *block.at.first().expect("at least one arrival");
            assert!(first < resolved.model.horizon, "{}", scenario.name());
        }
    }
}

#[test]
fn a_trace_that_is_not_there_is_no_fault_of_the_scenario() {
    let unset = Surroundings { files: &Disk, variable: &nothing };
    let elsewhere = Surroundings { files: &Disk, variable: &|_| Some("/nowhere".into()) };
    let here = Surroundings { files: &Disk, variable: &fixtures };
    for scenario in shipped().into_iter().filter(|scenario| scenario.name().starts_with("trace-")) {
        let mut resolved = scenario.resolve().unwrap();
        assert_eq!(resolved.missing_traces(here), []);
        for (around, found) in [(unset, "the variable WCI_TRACES not set"), (elsewhere, "no file /nowhere")] {
            let missing = resolved.missing_traces(around);
            assert_eq!(missing.len(), 1, "{}", scenario.name());
            assert_eq!(resolved.open_sources(1, around).unwrap_err(), missing[0]);
            let text = missing[0].to_string();
            assert!(text.contains(found) && text.contains("docs/traces.md"), "{text}");
        }
    }
}

#[test]
fn all_are_listed_in_the_readme() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for scenario in shipped() {
        let name = scenario.name();
        assert!(
            readme.contains(&format!("[{name}]({name}.toml)")),
            "{name} is missing in scenarios/README.md"
        );
    }
}
