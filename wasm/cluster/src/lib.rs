//! The cluster's simulation for the browser: a module of its own, so that pages that do not show it do not load it.
//! No rule and no default of its own.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

use std::collections::BTreeMap;
use toml::Table;
use wasm_bindgen::prelude::*;
use wci_core::Millis;
use wci_sim::cluster::{ClusterScenario, NodeEventKind, Playback};
use wci_sim::scenario::Span;

/// A run that a page plays.
#[wasm_bindgen]
pub struct Cluster {
    playback: Playback,
    table: Table,
    scenario: ClusterScenario,
}

#[wasm_bindgen]
impl Cluster {
    /// A run of a scenario (TOML) that is called `file` and whose task definitions are `definitions` (XML; empty: there
    /// are none at hand). `settings` is a JSON object with what differs: dotted keys of the scenario and their values in
    /// TOML.
    ///
    /// # Errors
    /// Names the key, what was found and what would be right.
    #[wasm_bindgen(constructor)]
    pub fn new(scenario: &str, file: &str, definitions: &str, settings: &str) -> Result<Cluster, JsError> {
        Self::read(scenario, file, definitions, settings).map_err(|error| JsError::new(&error))
    }

    /// Lets time pass up to a moment, in milliseconds.
    pub fn advance(&mut self, until_ms: f64) {
        self.playback.advance(Millis::new(until_ms as i64));
    }

    /// Lets time pass up to the next scan that has something to do.
    pub fn to_next_verdict(&mut self) {
        self.playback.to_next_verdict();
    }

    /// Lets something happen to a node, a millisecond after what is shown: join, leave, silent, crash or return.
    ///
    /// # Errors
    /// The kind is none of these.
    pub fn act(&mut self, node: &str, kind: &str) -> Result<(), JsError> {
        let kind = NodeEventKind::ALL.into_iter().find(|known| known.name() == kind);
        let kind = kind.ok_or_else(|| JsError::new("expected join, leave, silent, crash or return"))?;
        self.playback.act(node, kind);
        Ok(())
    }

    /// How things stand, as JSON.
    #[must_use]
    pub fn view(&self) -> String {
        json(&self.playback.view())
    }

    /// The log's lines from that one on, as JSON.
    #[must_use]
    pub fn lines(&self, from: usize) -> String {
        json(&self.playback.lines(from))
    }

    /// Nodes, workers and buckets at each moment at which any of them changed so far, as JSON.
    #[must_use]
    pub fn timeline(&self) -> String {
        json(&self.playback.timeline())
    }

    /// How many moments the timeline has.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn samples(&self) -> usize {
        self.playback.timeline().len()
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> String {
        self.playback.result().digest()
    }

    /// The scenario with what hands did, for the command line: it needs no other file.
    #[must_use]
    pub fn scenario_toml(&self) -> String {
        let whole = self.scenario.inlined(self.table.clone());
        toml::to_string_pretty(&whole).unwrap_or_default() + &self.playback.hands_toml()
    }

    /// Nothing is simulated beyond (ms).
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn horizon(&self) -> f64 {
        self.scenario.horizon.as_f64()
    }

    /// Whose luck it is.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn seed(&self) -> f64 {
        self.scenario.seed as f64
    }

    /// The scenario's title.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn title(&self) -> String {
        self.scenario.title.clone()
    }

    /// The settings that a page offers, with the values that hold, as JSON; an empty value: without.
    #[must_use]
    pub fn settings(&self) -> String {
        let scenario = &self.scenario;
        let scan = scenario.definitions.scan.clone().unwrap_or_default();
        let (config, latch) = (&scan.config, &scan.config.latch);
        let span = |millis: Millis| Span(millis.get().unsigned_abs() * 1_000_000).to_string();
        let some = |millis: Option<Millis>| millis.map(span).unwrap_or_default();
        let bucket = scenario.work.bucket.as_constant().map(|nanos| Span(nanos as u64).to_string());
        let settings: BTreeMap<&str, String> = [
            ("work.buckets", scenario.work.buckets.to_string()),
            ("work.bucket", bucket.unwrap_or_else(|| self.written("work.bucket"))),
            ("scan.interval", span(scan.interval)),
            ("scan.min_interval", some(latch.min_interval)),
            ("scan.max_interval", some(latch.max_interval)),
            ("timers.down_after", scenario.timers.down_after.to_string()),
            ("scan.skip_initial", latch.skip_initial.to_string()),
            ("scan.retry_failed", config.retry_failed.to_string()),
            ("scan.close_done", config.close_done.to_string()),
            ("scan.follow_definitions", config.follow_definitions.to_string()),
        ]
        .into();
        json(&settings)
    }
}

impl Cluster {
    fn read(scenario: &str, file: &str, definitions: &str, settings: &str) -> Result<Self, String> {
        let open = |name: &str| match definitions {
            "" => Err(format!("{name}, which is not at hand: drop it together with this file")),
            text => Ok(text.to_owned()),
        };
        // As it stands, mistakes have their places; with other settings they have none.
        ClusterScenario::from_toml(scenario, file, open).map_err(|errors| errors.to_string())?;
        let mut table: Table = scenario.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let settings: BTreeMap<String, String> =
            serde_json::from_str(settings).map_err(|error| error.to_string())?;
        for (key, text) in &settings {
            set(&mut table, key, text)?;
        }
        let read = ClusterScenario::from_table(table.clone(), file, open);
        let read = read.map_err(|errors| errors.to_string())?;
        Ok(Self { playback: Playback::new(read.under(read.seed)), table, scenario: read })
    }

    /// A value as it stands in the scenario.
    fn written(&self, key: &str) -> String {
        let mut names = key.split('.');
        let first = names.next().and_then(|name| self.table.get(name));
        names.fold(first, |value, name| value?.get(name)).map(ToString::to_string).unwrap_or_default()
    }
}

/// Sets a dotted key to a value that is written as in TOML; what is no TOML is a text.
fn set(table: &mut Table, key: &str, text: &str) -> Result<(), String> {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut read| read.remove("v"));
    let value = parsed.unwrap_or_else(|| toml::Value::String(text.to_owned()));
    match key.split_once('.') {
        None => drop(table.insert(key.to_owned(), value)),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml::Value::Table(Table::new()));
            let inner = inner.as_table_mut().ok_or_else(|| format!("{key}: {first} is no table"))?;
            return set(inner, rest, text);
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    // Strings and numbers cannot fail to be written.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = include_str!("../../../scenarios/cluster/auto-scaling.xml");
    const JOINS: &str = include_str!("../../../scenarios/cluster/node-joins.toml");

    #[test]
    fn a_run_in_slices_with_hands_is_the_run_of_its_scenario() {
        let mut played =
            Cluster::read(JOINS, "t.toml", XML, r#"{"scan.min_interval": "150s", "seed": "3"}"#).unwrap();
        played.advance(30_000.0);
        played.playback.act("B", NodeEventKind::Crash);
        for slice in 1..10_000 {
            played.advance(30_001.0 + f64::from(slice) * 777.0);
        }
        let again = Cluster::read(&played.scenario_toml(), "t.toml", "", "{}");
        let mut again = again.unwrap();
        again.advance(1e9);
        assert_eq!(again.digest(), played.digest());
        assert_eq!(again.seed(), 3.0);
        assert!(again.settings().contains(r#""scan.min_interval":"150s""#), "{}", again.settings());
        assert!(again.settings().contains(r#""timers.down_after":"15m""#), "{}", again.settings());
        assert!(played.lines(0).contains("\"verdict\":\"put off\""), "{}", played.lines(0));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |scenario: &str, xml, settings| {
            Cluster::read(scenario, "t.toml", xml, settings).err().unwrap_or_default()
        };
        let told = wrong(JOINS, XML, r#"{"work.buckets": "many"}"#);
        assert!(told.starts_with("t.toml: work.buckets: found \"many\", expected a whole number"), "{told}");
        let told = wrong(&JOINS.replace("buckets =", "bukcets ="), XML, "{}");
        assert!(told.starts_with("t.toml:8:1: work.bukcets: found an unknown key"), "{told}");
        assert!(wrong(JOINS, "", "{}").contains("found auto-scaling.xml, which is not at hand"));
    }
}
