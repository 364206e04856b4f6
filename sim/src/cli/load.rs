//! From the command line to a scenario that can run.

use super::args::ScenarioArgs;
use super::disk::{Disk, named, read_text};
use super::{Failure, disk};
use crate::driver::Simulation;
use crate::scenario::{Resolved, Scenario, ScenarioErrors, Surroundings, parse_value};
use std::path::Path;

/// The environment a scenario's paths refer to.
pub const SURROUNDINGS: Surroundings<'static> = Surroundings {
    files: &Disk,
    variable: &|name| std::env::var(name).ok().filter(|value| !value.is_empty()),
};

/// Reads a scenario file and changes what the command line says.
pub fn scenario(args: &ScenarioArgs) -> Result<Scenario, Failure> {
    super::cluster::refuse(&args.scenario, "run")?;
    let mut scenario = read(&args.scenario)?;
    let mut values = Vec::new();
    for setting in &args.set {
        let Some((path, value)) = setting.split_once('=') else {
            return Err(Failure::new(format!("--set {setting}: expected PATH=VALUE, such as horizon=1h")));
        };
        values.push((path.trim(), parse_value(value.trim())));
    }
    if let Some(seed) = args.seed {
        let seed = i64::try_from(seed)
            .map_err(|_| Failure::new(format!("--seed {seed}: expected at most {}", i64::MAX)))?;
        values.push(("seed", toml::Value::Integer(seed)));
    }
    if !values.is_empty() {
        say_what_is_dropped(&scenario, &values);
        scenario = scenario.with(values).map_err(|errors| by_option(errors, args))?;
    }
    Ok(scenario)
}

/// With another algorithm the settings of the old one go: no surprise, if it is said.
fn say_what_is_dropped(scenario: &Scenario, values: &[(&str, toml::Value)]) {
    for (key, value) in values {
        let Some(scaling) = key.strip_suffix(".scaling_algorithm") else { continue };
        let old = scenario.get(key).ok().flatten();
        let settings = scenario.get(&format!("{scaling}.config")).ok().flatten();
        let names: Vec<String> =
            settings.and_then(|s| Some(s.as_table()?.keys().cloned().collect())).unwrap_or_default();
        if let Some(old) = old.filter(|old| old != value && !names.is_empty()) {
            eprintln!("note: {key}: the settings of {old} do not go over to {value}: {}", names.join(", "));
        }
    }
}

/// The numbers that a scenario means; what is odd about it is a warning.
pub fn resolve(scenario: &Scenario, args: &ScenarioArgs) -> Result<Resolved, Failure> {
    let resolved = scenario.resolve().map_err(|errors| by_option(errors, args))?;
    warn(&resolved, &args.scenario);
    Ok(resolved)
}

/// Says what is hardly meant.
pub fn warn(resolved: &Resolved, path: &Path) {
    for warning in resolved.warnings() {
        eprintln!("warning: {}: {warning}", path.display());
    }
}

/// What an option set is wrong in the option and not in the file.
fn by_option(errors: ScenarioErrors, args: &ScenarioArgs) -> ScenarioErrors {
    let is_within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    errors.renamed(|key| {
        let of_key = |setting: &&String| {
            let path = setting.split_once('=').map_or("", |(path, _)| path.trim());
            is_within(key, path) || is_within(path, key)
        };
        args.set.iter().rev().find(of_key).map(|setting| format!("--set {setting}"))
    })
}

/// Reads a scenario file.
pub fn read(path: &Path) -> Result<Scenario, Failure> {
    let text = read_text(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let loader = |name: &str| std::fs::read_to_string(folder.join(name));
    Ok(Scenario::from_toml(&text, &path.to_string_lossy(), &loader)?)
}

/// A run of a resolved scenario from time 0.
pub fn simulation(resolved: &mut Resolved) -> Result<Simulation, Failure> {
    let seed = resolved.model.seed;
    let sources = resolved.open_sources(seed, SURROUNDINGS)?;
    let (warm_up, horizon) = (resolved.model.warm_up, resolved.model.horizon);
    if warm_up >= horizon {
        let span = |nanos: u64| crate::report::units::duration_s(nanos as f64 / 1e9);
        let found = format!(
            "warm_up: found {}, expected less than the trace's length, {}",
            span(warm_up),
            span(horizon)
        );
        return Err(Failure::about(found, &resolved.file));
    }
    Ok(Simulation::new(resolved.model.clone(), sources))
}

/// Makes a folder for results.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| named(&error, path))
}

/// Opens a file or standard input ("-") and reads all of it, unpacking gzip.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::about(error, "standard input"))?;
    } else {
        bytes = std::fs::read(path).map_err(|error| disk::named(&error, path))?;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(&bytes[..]);
        decoder
            .read_to_end(&mut plain)
            .map_err(|error| Failure::about(error, &path.display().to_string()))?;
        return Ok(plain);
    }
    Ok(bytes)
}
