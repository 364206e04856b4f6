//! Opens the sources of a resolved scenario: synthetic ones, and traces from files that the caller can read.

use super::resolve::Resolved;
use crate::dist::Dist;
use crate::model::{Model, Nanos};
use crate::rng::Stream;
use crate::trace::{TraceDraws, TraceError, TraceFiles, TraceOptions, TraceSource};
use crate::workload::{Arrivals, Block, Source, SyntheticSource};
use std::fmt;
use std::io::ErrorKind;

/// Where a workload's tasks come from.
#[derive(Clone, Debug)]
pub enum SourceSpec {
    /// Drawn.
    Synthetic {
        /// When tasks arrive.
        arrivals: Arrivals,
        /// How long a worker is busy with one.
        service: Dist,
    },
    /// Recorded.
    Trace {
        /// The file and how it is replayed; paths as they stand in the scenario.
        options: TraceOptions,
        /// Replaces the services of the trace.
        service: Option<Dist>,
    },
}

impl SourceSpec {
    /// Whether its arrivals have the same law at every time.
    #[must_use]
    pub fn is_stationary(&self) -> bool {
        matches!(self, Self::Synthetic { arrivals, .. } if arrivals.is_stationary())
    }

    /// The services, if the scenario itself says them.
    #[must_use]
    pub const fn service(&self) -> Option<&Dist> {
        match self {
            Self::Synthetic { service, .. } | Self::Trace { service: Some(service), .. } => Some(service),
            Self::Trace { service: None, .. } => None,
        }
    }
}

/// What a scenario's paths need from outside.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Opens traces.
    pub files: &'a (dyn TraceFiles + Sync),
    /// The value of `${NAME}` in a path.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

/// Why a source cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// A trace that is not part of the project is not there: nothing is wrong with the scenario.
    Missing {
        /// The workload.
        workload: String,
        /// The path as it stands in the scenario.
        path: String,
        /// What was found in its place.
        found: String,
    },
    /// A trace cannot be read.
    Trace {
        /// The workload.
        workload: String,
        /// What is wrong, and where.
        error: Box<TraceError>,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { workload, path, found } => write!(
                f,
                "workload {workload:?}: the trace {path} is missing: found {found}, expected the file; \
                 docs/traces.md says where to download it (set WCI_TRACES to its folder)"
            ),
            Self::Trace { workload, error } => write!(f, "workload {workload:?}: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl Resolved {
    /// Opens the sources with the luck of a seed. A horizon that the scenario leaves open becomes the end of the
    /// longest trace; for that, a trace with one record a line is read once before.
    ///
    /// # Errors
    /// The first trace that is missing or cannot be read.
    pub fn open_sources(&mut self, seed: u64, around: Surroundings<'_>) -> Result<Vec<Source>, OpenError> {
        if self.is_horizon_open {
            self.model.horizon = self.longest_trace(seed, around)?;
            self.is_horizon_open = false;
        }
        (0..self.sources.len()).map(|index| self.open(index, seed, around)).collect()
    }

    /// The traces that are not there.
    #[must_use]
    pub fn missing_traces(&self, around: Surroundings<'_>) -> Vec<OpenError> {
        let named = self.model.workloads.iter().zip(&self.sources);
        let missing = |(workload, source): (&crate::model::Workload, &SourceSpec)| match source {
            SourceSpec::Trace { options, .. } => self.located(&workload.name, options, around).err(),
            SourceSpec::Synthetic { .. } => None,
        };
        named.filter_map(missing).collect()
    }

    fn open(&self, index: usize, seed: u64, around: Surroundings<'_>) -> Result<Source, OpenError> {
        let Model { workloads, horizon, .. } = &self.model;
        let name = &workloads[index].name;
        Ok(match &self.sources[index] {
            SourceSpec::Synthetic { arrivals, service } => {
                SyntheticSource::new(seed, name, arrivals, service.clone(), *horizon).into()
            }
            SourceSpec::Trace { options, service } => {
                self.open_trace(name, options, service.as_ref(), seed, around)?.into()
            }
        })
    }

    fn open_trace(
        &self,
        workload: &str,
        options: &TraceOptions,
        service: Option<&Dist>,
        seed: u64,
        around: Surroundings<'_>,
    ) -> Result<TraceSource, OpenError> {
        let options = self.located(workload, options, around)?;
        let stream = |what: &str| Stream::named(seed, &format!("{workload}/{what}"));
        let (arrivals, services) = (stream("arrivals"), stream("services"));
        let draws = TraceDraws { arrivals, services, service: service.cloned() };
        TraceSource::open(&options, around.files, draws).map_err(|error| broken(workload, error))
    }

    fn longest_trace(&self, seed: u64, around: Surroundings<'_>) -> Result<Nanos, OpenError> {
        let mut longest = 0;
        for (workload, source) in self.model.workloads.iter().zip(&self.sources) {
            if let SourceSpec::Trace { options, service } = source {
                let trace = self.open_trace(&workload.name, options, service.as_ref(), seed, around)?;
                longest = longest.max(end(trace).map_err(|error| broken(&workload.name, error))?);
            }
        }
        Ok(longest)
    }

    /// The options with paths that can be opened.
    fn located(
        &self,
        workload: &str,
        options: &TraceOptions,
        around: Surroundings<'_>,
    ) -> Result<TraceOptions, OpenError> {
        let place = |path: &String| {
            let missing =
                |found| OpenError::Missing { workload: workload.to_owned(), path: path.clone(), found };
            let full = expanded(path, around.variable)
                .map_err(|name| missing(format!("the variable {name} not set")))?;
            // What a variable says is seen from where the program runs, as everywhere.
            let full = if path.starts_with("${") { full } else { beside(&self.file, &full) };
            if is_there(around.files, &full) { Ok(full) } else { Err(missing(format!("no file {full}"))) }
        };
        Ok(TraceOptions {
            path: place(&options.path)?,
            durations: options.durations.as_ref().map(place).transpose()?,
            memory: options.memory.as_ref().map(place).transpose()?,
            ..options.clone()
        })
    }
}

/// A trace that cannot be read.
pub(crate) fn broken(workload: &str, error: TraceError) -> OpenError {
    OpenError::Trace { workload: workload.to_owned(), error: Box::new(error) }
}

/// When a trace ends: just after its last arrival, or with its last interval.
fn end(mut trace: TraceSource) -> Result<Nanos, TraceError> {
    if let Some(span) = trace.span() {
        return Ok(span);
    }
    let mut block = Block::default();
    let mut last = 0;
    loop {
        trace.fill(&mut block)?;
        match block.at.last() {
            Some(at) => last = *at,
            None => return Ok(last.saturating_add(1)),
        }
    }
}

fn is_there(files: &dyn TraceFiles, path: &str) -> bool {
    let is_missing = |kind| kind == ErrorKind::NotFound;
    match files.list(path) {
        Ok(Some(_)) => true,
        Ok(None) => !files.open(path).is_err_and(|error| is_missing(error.kind())),
        Err(error) => !is_missing(error.kind()),
    }
}

/// Puts in the values of `${NAME}`; the error is the name of a variable that is not set.
fn expanded<'p>(path: &'p str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, &'p str> {
    let mut full = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        full.push_str(before);
        full.push_str(&variable(name).ok_or(name)?);
        rest = after;
    }
    full.push_str(rest);
    Ok(full)
}

/// A relative path as seen from the scenario's folder.
fn beside(scenario: &str, path: &str) -> String {
    let has_drive = path.chars().nth(1) == Some(':');
    let is_absolute = path.starts_with(['/', '\\']) || has_drive;
    match scenario.rfind(['/', '\\']) {
        Some(end) if !is_absolute => format!("{}{path}", &scenario[..=end]),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_relative_paths_are_resolved() {
        let variable = |name: &str| (name == "WCI_TRACES").then(|| "/data".to_owned());
        assert_eq!(expanded("${WCI_TRACES}/a/b.csv", &variable), Ok("/data/a/b.csv".into()));
        assert_eq!(expanded("${OTHER}/b.csv", &variable), Err("OTHER"));
        assert_eq!(expanded("a${", &variable), Ok("a${".into()));
        assert_eq!(beside("scenarios/x.toml", "b.csv"), "scenarios/b.csv");
        assert_eq!(beside("scenarios/x.toml", "/b.csv"), "/b.csv");
        assert_eq!(beside("x.toml", "b.csv"), "b.csv");
        assert_eq!(beside("s/x.toml", "C:\\b.csv"), "C:\\b.csv");
    }
}
