//! A scenario that is played: time in slices, hands that act, and everything again from the start.

use crate::controls::Control;
use crate::log::Log;
use crate::recorder::{Recorder, Said};
use crate::traces::Dropped;
use crate::view::View;
use serde::Deserialize;
use serde::de::{self, value::StrDeserializer};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io;
use toml::Table;
use wci_core::gather;
use wci_sim::driver::{Observer, Simulation, SimulationError};
use wci_sim::model::{MILLI, Nanos};
use wci_sim::report::timeseries::to_csv;
use wci_sim::report::why::{Direction, direction};
use wci_sim::results::{Summary, TimedDecision};
use wci_sim::scenario::{OpenError, Resolved, Scenario, ScenarioErrors, Surroundings, parse_value};
use wci_sim::trace::{TraceFormat, TraceOptions};

/// Why a scenario cannot be played.
#[derive(Debug)]
pub enum PlayerError {
    /// Something is wrong with the scenario, or with what a hand wants.
    Scenario(ScenarioErrors),
    /// A trace is missing or cannot be read.
    Open(OpenError),
    /// The run itself failed.
    Run(SimulationError),
    /// What a page handed in is not what it should be.
    Input(String),
}

impl std::fmt::Display for PlayerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scenario(errors) => write!(f, "{errors}"),
            Self::Open(error) => write!(f, "{error}"),
            Self::Run(error) => write!(f, "{error}"),
            Self::Input(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for PlayerError {}

impl From<ScenarioErrors> for PlayerError {
    fn from(errors: ScenarioErrors) -> Self {
        Self::Scenario(errors)
    }
}

impl From<SimulationError> for PlayerError {
    fn from(error: SimulationError) -> Self {
        Self::Run(error)
    }
}

/// How far a slice goes.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Up to and including this time.
    pub until: Nanos,
    /// At most about this many events.
    pub most_events: u64,
    /// Not beyond the next decision that acts.
    pub to_action: bool,
}

/// A run that has begun.
struct Run {
    simulation: Simulation,
    recorder: Recorder,
    ear: Ear,
    horizon: Nanos,
}

/// A scenario and its run.
pub struct Player {
    scenario: Scenario,
    watched: Vec<String>,
    files: Dropped,
    run: Option<Run>,
}

impl Player {
    /// Reads a scenario; nothing runs yet.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(toml: &str, file_name: &str) -> Result<Self, PlayerError> {
        let no_file = |name: &str| {
            let why = format!("{name}: a page knows no other files: write the spec into the scenario");
            Err(io::Error::new(io::ErrorKind::NotFound, why))
        };
        let scenario = Scenario::from_toml(toml, file_name, &no_file)?;
        scenario.resolve()?;
        Ok(Self { scenario, watched: Vec::new(), files: Dropped::default(), run: None })
    }

    /// Sets values at dotted keys, as `--set` does; the run begins anew.
    ///
    /// # Errors
    /// What is wrong with the keys or the values; then everything is as before.
    pub fn set(&mut self, values: &[(String, String)]) -> Result<(), PlayerError> {
        let values = values.iter().map(|(path, text)| (path.as_str(), parse_value(text)));
        let scenario = self.scenario.with(values)?;
        scenario.resolve()?;
        self.scenario = scenario;
        self.run = None;
        Ok(())
    }

    /// Which numbers of decisions become columns of the points; the run begins anew.
    pub fn watch(&mut self, names: Vec<String>) {
        self.watched = names;
        self.run = None;
    }

    /// A trace that the scenario may name.
    pub fn add_file(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(name, bytes);
        self.run = None;
    }

    /// Replaces the first workload's arrivals by a trace of this name and format, and leaves out other workloads
    /// and what hands did to them; the run begins anew and ends with the trace.
    ///
    /// # Errors
    /// An unknown format.
    pub fn replay_trace(&mut self, name: &str, format: &str) -> Result<(), PlayerError> {
        let format = TraceFormat::deserialize(StrDeserializer::<de::value::Error>::new(format));
        let format = format.map_err(|error| PlayerError::Input(error.to_string()))?;
        let scenario = self.scenario.replaying(TraceOptions::new(name, format))?;
        scenario.resolve()?;
        self.scenario = scenario;
        self.run = None;
        Ok(())
    }

    /// The scenario with everything that hands did.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What a page needs to know of the parameters at these dotted keys; those that the scenario cannot have are
    /// left out.
    #[must_use]
    pub fn controls(&self, paths: &[String]) -> Vec<Control> {
        paths.iter().filter_map(|path| Control::of(&self.scenario, path)).collect()
    }

    /// What the parameters at these dotted keys are for, in the words of a schema of scenarios.
    #[must_use]
    pub fn help(&self, paths: &[String], schema: &Json) -> Vec<String> {
        paths.iter().map(|path| self.scenario.help_at(path, schema).unwrap_or_default()).collect()
    }

    /// Opens the traces and begins at time 0.
    ///
    /// # Errors
    /// A trace that is missing or cannot be read.
    pub fn begin(&mut self) -> Result<(), PlayerError> {
        let mut resolved = self.scenario.resolve()?;
        let seed = resolved.model.seed;
        let around = Surroundings { files: &self.files, variable: &|_| Some(String::new()) };
        let sources = resolved.open_sources(seed, around).map_err(PlayerError::Open)?;
        let Resolved { model, .. } = resolved;
        self.run = Some(Run {
            recorder: Recorder::new(&model, self.watched.len()),
            ear: Ear::new(&model, &self.watched),
            horizon: model.horizon,
            simulation: Simulation::new(model, sources),
        });
        Ok(())
    }

    /// Lets time pass. True: the slice's end is reached, or the run's, or the decision it was to stop at.
    ///
    /// # Errors
    /// When the run fails.
    pub fn advance(&mut self, slice: Slice) -> Result<bool, PlayerError> {
        let run = self.running()?;
        let deadline = run.simulation.world().events.saturating_add(slice.most_events.max(1));
        run.ear.has_acted = false;
        while !run.simulation.is_done() {
            let target = slice.until.min(run.recorder.boundary());
            // A decision can only be stopped at when events are handled one by one.
            let left = deadline.saturating_sub(run.simulation.world().events);
            let most = if slice.to_action { left.min(1) } else { left };
            let is_reached = run.simulation.run_slice(target, most, &mut run.ear)?;
            let world = run.simulation.world();
            if is_reached && (target == run.recorder.boundary() || run.simulation.is_done()) {
                run.recorder.sample(world, world.now, &mut run.ear.said);
            }
            if (slice.to_action && run.ear.has_acted) || (is_reached && target == slice.until) {
                return Ok(true);
            }
            if world.events >= deadline {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A hand acts, a moment after now. Gives back the change with its time, as it now stands in the scenario.
    ///
    /// # Errors
    /// What is wrong with the change; then nothing happened.
    pub fn act(&mut self, mut change: Table) -> Result<Table, PlayerError> {
        let run = self.running()?;
        // Strictly in the future: what belongs to the present has happened, and must come before in any other run.
        let at = (run.simulation.world().now / MILLI + 1) * MILLI;
        change.insert("at".into(), format!("{}ms", at / MILLI).into());
        let scenario = self.scenario.with_changes(vec![change.clone()])?;
        let resolved = scenario.resolve()?;
        self.running()?.simulation.set_changes(&resolved.model.changes);
        self.scenario = scenario;
        Ok(change)
    }

    /// Adds what hands did in an earlier run; the run begins anew.
    ///
    /// # Errors
    /// What is wrong with the changes; then everything is as before.
    pub fn add_changes(&mut self, changes: Vec<Table>) -> Result<(), PlayerError> {
        let scenario = self.scenario.with_changes(changes)?;
        scenario.resolve()?;
        self.scenario = scenario;
        self.run = None;
        Ok(())
    }

    /// What is true now.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn view(&mut self) -> Result<View, PlayerError> {
        let run = self.running()?;
        Ok(View::of(&run.simulation, &run.recorder))
    }

    /// The decisions so far as JSON.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn log(&mut self) -> Result<String, PlayerError> {
        let run = self.running()?;
        let decisions = run.simulation.decisions();
        json(&Log::of(&decisions, run.simulation.model().start))
    }

    /// The figures up to now, or of the whole run once it is over: those of `wci run --json`.
    ///
    /// # Errors
    /// When the run cannot begin, or its books do not balance.
    pub fn summary(&mut self) -> Result<Summary, PlayerError> {
        Ok(self.running()?.simulation.summary()?)
    }

    /// The points of a group, or of all together, since they were last asked for.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn points(&mut self, group: Option<usize>) -> Result<&[f64], PlayerError> {
        Ok(self.running()?.recorder.drain(group))
    }

    /// All points will be handed out again.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn rewind(&mut self) -> Result<(), PlayerError> {
        self.running()?.recorder.rewind();
        Ok(())
    }

    /// Goes up when all points are to be taken anew.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn generation(&mut self) -> Result<u32, PlayerError> {
        Ok(self.running()?.recorder.generation())
    }

    /// Schedule-to-start of all groups by window from an index on: time, p50, p95, p99 in ms for each; and the
    /// windows' width in seconds, which doubles when neighbours were merged.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn waits(&mut self, from: usize) -> Result<(f64, Vec<f64>), PlayerError> {
        let (width, rows) = self.running()?.simulation.timeline_since(from);
        let or_gap = |wait: Option<f64>| wait.unwrap_or(f64::NAN);
        let flat = rows.iter().flat_map(|row| {
            let waits =
                [row.schedule_to_start_p50_ms, row.schedule_to_start_p95_ms, row.schedule_to_start_p99_ms];
            std::iter::once(row.t_s + width).chain(waits.map(or_gap))
        });
        Ok((width, flat.collect()))
    }

    /// The course of the run so far as CSV, as `wci run --out` writes it: all groups together, then each.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn csv(&mut self) -> Result<String, PlayerError> {
        Ok(to_csv(&self.running()?.simulation.timeline_so_far()))
    }

    /// How far time is.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn now(&mut self) -> Result<Nanos, PlayerError> {
        Ok(self.running()?.simulation.world().now)
    }

    /// Whether the run is over.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn is_done(&mut self) -> Result<bool, PlayerError> {
        Ok(self.running()?.simulation.is_done())
    }

    /// When arrivals stop; known once the run has begun.
    ///
    /// # Errors
    /// When the run cannot begin.
    pub fn horizon(&mut self) -> Result<Nanos, PlayerError> {
        Ok(self.running()?.horizon)
    }

    fn running(&mut self) -> Result<&mut Run, PlayerError> {
        if self.run.is_none() {
            self.begin()?;
        }
        self.run.as_mut().ok_or_else(|| PlayerError::Input("nothing runs".into()))
    }
}

/// Anything as JSON.
pub fn json(value: &impl serde::Serialize) -> Result<String, PlayerError> {
    serde_json::to_string(value).map_err(|error| PlayerError::Input(error.to_string()))
}

/// Listens to decisions for the recorder.
struct Ear {
    groups: BTreeMap<String, usize>,
    watched: Vec<String>,
    said: Vec<Said>,
    has_acted: bool,
}

impl Ear {
    fn new(model: &wci_sim::model::Model, watched: &[String]) -> Self {
        let names = model.groups.iter().enumerate().map(|(i, group)| (group.name.to_string(), i));
        let said = Said { watched: vec![None; watched.len()], ..Said::default() };
        Self {
            groups: gather(names),
            watched: watched.to_vec(),
            said: vec![said; model.groups.len()],
            has_acted: false,
        }
    }
}

impl Observer for Ear {
    fn decision(&mut self, timed: &TimedDecision) {
        let decision = &timed.decision;
        let Some(said) = self.groups.get(&*decision.group).map(|&group| &mut self.said[group]) else {
            return;
        };
        for (value, name) in said.watched.iter_mut().zip(&self.watched) {
            *value = decision.reason.input(name).or(*value);
        }
        // A rule that only asks for more does not know how many there are.
        if decision.reason.input("current_workers").is_some() {
            said.desired = decision.reason.desired_workers.map(|n| n as f64).or(said.desired);
        }
        if decision.action_id.is_some() {
            self.has_acted = true;
            match direction(decision) {
                Direction::Up => said.up += 1,
                Direction::Down => said.down += 1,
                Direction::Set => {}
            }
        }
    }
}
