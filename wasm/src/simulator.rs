//! The class that JavaScript sees: texts of JSON, arrays of numbers, errors as `Error`.

use crate::player::{Player, PlayerError, Slice, json};
use crate::recorder::COLUMNS;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use toml::{Table, Value};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};
use wci_core::algorithm::AlgorithmKind;
use wci_sim::model::MILLI;
use wci_sim::scenario::{json_to_toml, toml_to_json};

pub type Answer<T> = Result<T, JsError>;

/// A scenario that is played on a page.
#[wasm_bindgen]
pub struct Simulator {
    player: Player,
    incoming: Option<(String, Vec<u8>)>,
}

#[wasm_bindgen]
impl Simulator {
    /// Reads a scenario; nothing runs yet.
    #[wasm_bindgen(constructor)]
    pub fn new(toml: &str, file_name: &str) -> Answer<Self> {
        Ok(Self { player: Player::new(toml, file_name)?, incoming: None })
    }

    /// Every algorithm as a JSON list: name, launch strategies, keys with defaults, limits and help.
    #[must_use]
    pub fn algorithms() -> String {
        let all: Vec<Json> = AlgorithmKind::ALL.iter().map(|kind| described(*kind)).collect();
        Json::from(all).to_string()
    }

    /// Names of the columns of points.
    #[must_use]
    pub fn columns() -> Vec<String> {
        COLUMNS.iter().map(ToString::to_string).collect()
    }

    /// The version of this build.
    #[must_use]
    pub fn version() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// Sets values: a JSON list of `[dotted key, text]`, the text as `--set` takes it. The run begins anew.
    pub fn set(&mut self, values: &str) -> Answer<()> {
        Ok(self.player.set(&read::<Vec<(String, String)>>(values)?)?)
    }

    /// Everything again from the start, with this seed.
    pub fn reset(&mut self, seed: &str) -> Answer<()> {
        Ok(self.player.set(&[("seed".to_owned(), seed.to_owned())])?)
    }

    /// Which numbers of decisions become further columns of the points: a JSON list of names.
    pub fn watch(&mut self, names: &str) -> Answer<()> {
        self.player.watch(read(names)?);
        Ok(())
    }

    /// What a page needs to know of the parameters at these dotted keys (a JSON list), as a JSON list.
    pub fn controls(&self, paths: &str) -> Answer<String> {
        Ok(json(&self.player.controls(&read::<Vec<String>>(paths)?))?)
    }

    /// What the parameters at these dotted keys (a JSON list) are for, in the words of a schema of scenarios: a JSON
    /// list of texts.
    pub fn help(&self, paths: &str, schema: &str) -> Answer<String> {
        Ok(json(&self.player.help(&read::<Vec<String>>(paths)?, &read(schema)?))?)
    }

    /// Begins to take a trace of this name.
    pub fn open_input(&mut self, name: &str) {
        self.incoming = Some((name.to_owned(), Vec::new()));
    }

    /// The next piece of it.
    pub fn feed(&mut self, piece: &[u8]) {
        if let Some((_, bytes)) = &mut self.incoming {
            bytes.extend_from_slice(piece);
        }
    }

    /// The end of it.
    pub fn close_input(&mut self) {
        if let Some((name, bytes)) = self.incoming.take() {
            self.player.add_file(&name, bytes);
        }
    }

    /// Replaces the first workload's arrivals by a trace of this name and format. The run begins anew.
    pub fn replay_trace(&mut self, name: &str, format: &str) -> Answer<()> {
        Ok(self.player.replay_trace(name, format)?)
    }

    /// Opens the traces and begins at time 0.
    pub fn begin(&mut self) -> Answer<()> {
        Ok(self.player.begin()?)
    }

    /// Lets time pass up to a moment (ms), in at most so many events; true once it is reached or the run is over.
    pub fn step_until(&mut self, ms: f64, most_events: u32) -> Answer<bool> {
        self.advance(ms, most_events, false)
    }

    /// As `step_until`, but not beyond the next decision that acts.
    pub fn step_to_decision(&mut self, ms: f64, most_events: u32) -> Answer<bool> {
        self.advance(ms, most_events, true)
    }

    /// A hand acts: a change as JSON, without its time. Gives back the change with its time.
    pub fn apply_change(&mut self, change: &str) -> Answer<String> {
        let change = table(read(change)?)?;
        Ok(json(&as_json(self.player.act(change)?))?)
    }

    /// Adds changes, a JSON list, each with its time. The run begins anew.
    pub fn add_changes(&mut self, changes: &str) -> Answer<()> {
        let changes: Vec<Json> = read(changes)?;
        let changes = changes.into_iter().map(table).collect::<Answer<_>>()?;
        Ok(self.player.add_changes(changes)?)
    }

    /// What is true now, as JSON.
    pub fn snapshot(&mut self) -> Answer<String> {
        Ok(json(&self.player.view()?)?)
    }

    /// The decisions so far with their reasons, as JSON.
    pub fn decisions(&mut self) -> Answer<String> {
        Ok(self.player.log()?)
    }

    /// Points of a group (by its place, -1: all together) since the last call, flat.
    pub fn points(&mut self, group: i32) -> Answer<Vec<f64>> {
        Ok(self.player.points(usize::try_from(group).ok())?.to_vec())
    }

    /// Goes up when all points are to be taken anew.
    pub fn generation(&mut self) -> Answer<u32> {
        Ok(self.player.generation()?)
    }

    /// All points will be handed out again.
    pub fn rewind(&mut self) -> Answer<()> {
        Ok(self.player.rewind()?)
    }

    /// Waits by window from an index on: the windows' width, then time, p50, p95 and p99 (ms) of each, flat.
    pub fn waits(&mut self, from: u32) -> Answer<Vec<f64>> {
        let (width, mut rows) = self.player.waits(from as usize)?;
        rows.insert(0, width);
        Ok(rows)
    }

    /// The figures up to now; once the run is over those of `wci run --json`.
    pub fn summary(&mut self) -> Answer<String> {
        Ok(json(&self.player.summary()?)?)
    }

    /// The scenario with everything that hands did, for the command line.
    #[must_use]
    pub fn scenario_toml(&self) -> String {
        self.player.scenario().to_toml()
    }

    /// The scenario as JSON, as it is written.
    pub fn scenario_json(&self) -> Answer<String> {
        Ok(json(&as_json(self.player.scenario().to_table()))?)
    }

    /// The course of the run so far as CSV.
    pub fn csv(&mut self) -> Answer<String> {
        Ok(self.player.csv()?)
    }

    /// How far time is (ms).
    pub fn now(&mut self) -> Answer<f64> {
        Ok(self.player.now()? as f64 / MILLI as f64)
    }

    /// Whether the run is over.
    pub fn is_done(&mut self) -> Answer<bool> {
        Ok(self.player.is_done()?)
    }

    /// When arrivals stop (ms).
    pub fn horizon(&mut self) -> Answer<f64> {
        Ok(self.player.horizon()? as f64 / MILLI as f64)
    }

    fn advance(&mut self, ms: f64, most_events: u32, to_action: bool) -> Answer<bool> {
        // A float to an integer saturates: no moment is too late.
        let until = (ms.max(0.0) * MILLI as f64) as u64;
        Ok(self.player.advance(Slice { until, most_events: u64::from(most_events), to_action })?)
    }
}

/// By way of JSON values, which are read and written anyway: another way would be another copy of that code.
fn table(json: Json) -> Answer<Table> {
    match json_to_toml(json) {
        Some(Value::Table(table)) => Ok(table),
        _ => Err(wrong(&"a change is a table")),
    }
}

fn as_json(table: Table) -> Json {
    toml_to_json(&Value::Table(table))
}

fn described(kind: AlgorithmKind) -> Json {
    let strategies: Vec<String> = kind.launch_strategies().iter().map(ToString::to_string).collect();
    serde_json::json!({"name": kind.name(), "strategies": strategies, "keys": kind.config_schema()})
}

fn read<T: DeserializeOwned>(text: &str) -> Answer<T> {
    serde_json::from_str(text).map_err(|error| wrong(&error))
}

fn wrong(error: &impl ToString) -> JsError {
    PlayerError::Input(error.to_string()).into()
}
