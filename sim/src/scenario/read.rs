//! From text to a scenario and back.

use super::check::check;
use super::error::{At, Problem, ScenarioError, ScenarioErrors};
use super::file::{File, Spec};
use super::key::KeyPath;
use super::origin::{Lines, Origin};
use super::shape::Shape;
use super::text::{self, NoToml};
use super::{path, plain, units, written};
use crate::trace::TraceOptions;
use serde_json::Value as Json;
use std::io;
use toml::de::DeTable;
use toml::{Table, Value};
use wci_core::gather;

/// Reads the text of a file that a scenario names.
pub type Loader<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// A scenario as it is written, and where each of its keys stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    file: File,
    origin: Origin,
}

impl Scenario {
    /// Reads a scenario. `loader` gets the name of the spec's file, if it has one, as it stands in the scenario.
    ///
    /// # Errors
    /// Everything that is wrong with the form, each with its place, what was found and what would be right.
    pub fn from_toml(text: &str, file_name: &str, loader: Loader<'_>) -> Result<Self, ScenarioErrors> {
        let (table, origin) = read_table(text, file_name)?;
        Self::from_table(table, origin, loader)
    }

    fn from_table(mut table: Table, mut origin: Origin, loader: Loader<'_>) -> Result<Self, ScenarioErrors> {
        dates_to_texts(&mut table);
        flatten_expectations(&mut table);
        let mut problems = Vec::new();
        if let Err(problem) = load_spec(&mut table, &mut origin, loader) {
            problems.push(problem);
        }
        problems.extend(check(Shape::scenario(), &table));
        if !problems.is_empty() {
            return Err(origin.locate(problems));
        }
        let file = plain::read(table).map_err(|wrong| {
            // The check finds all of these with their place; this is for what it may have missed.
            origin.locate(vec![Problem::value(&KeyPath::ROOT, wrong.0, "a scenario")])
        })?;
        Ok(Self { file, origin })
    }

    /// What is written in it.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Its name: the file's name without folder and extension.
    #[must_use]
    pub fn name(&self) -> &str {
        let base = self.origin.file().rsplit(['/', '\\']).next().unwrap_or_default();
        base.strip_suffix(".toml").unwrap_or(base)
    }

    /// The file's name as it was given; paths in the scenario are relative to it.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.origin.file()
    }

    /// The scenario as TOML, with the spec in it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // All keys are texts and all values finite, so there is nothing that TOML could not hold.
        written::write(&self.file).unwrap_or_default()
    }

    /// The value at a dotted key; `None` if the file leaves it out.
    ///
    /// # Errors
    /// Names the unknown key and the nearest known one.
    pub fn get(&self, dotted: &str) -> Result<Option<Value>, ScenarioErrors> {
        let found = path::get(&self.to_table(), dotted).map(Option::<&Value>::cloned);
        found.map_err(|problem| self.by_hand().locate(vec![problem]))
    }

    /// What may stand at a dotted key: a node of the [`super::schema`].
    ///
    /// # Errors
    /// Names the unknown key and the nearest known one.
    pub fn schema_at(&self, dotted: &str) -> Result<Json, ScenarioErrors> {
        path::schema_at(&self.to_table(), dotted).map_err(|problem| self.by_hand().locate(vec![problem]))
    }

    /// What a dotted key is for, in the words of a schema: [`super::schema`] with its texts, which a browser loads
    /// only when a person asks.
    ///
    /// # Errors
    /// Names the unknown key and the nearest known one.
    pub fn help_at(&self, dotted: &str, schema: &Json) -> Result<String, ScenarioErrors> {
        let help = path::help_at(&self.to_table(), dotted, Shape::of(schema));
        help.map_err(|problem| self.by_hand().locate(vec![problem]))
    }

    /// The scenario with other values at dotted keys. With another algorithm a group loses the settings of its old
    /// one, but for those that are set here as well. See [`super::parse_value`] for texts of a command line.
    ///
    /// # Errors
    /// Everything that is wrong with the keys and the new values.
    pub fn with<'s>(
        &self,
        values: impl IntoIterator<Item = (&'s str, Value)>,
    ) -> Result<Self, ScenarioErrors> {
        let mut table = self.to_table();
        let mut origin = self.origin.clone();
        let mut problems = Vec::new();
        let mut values: Vec<_> = values.into_iter().collect();
        // Which settings there are depends on the algorithm: it comes first, unless what it stands in is set, too.
        let is_within =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
        let keys: Vec<&str> = values.iter().map(|(key, _)| *key).collect();
        values.sort_by_key(|(key, _)| {
            !key.ends_with(".scaling_algorithm") || keys.iter().any(|outer| is_within(key, outer))
        });
        for (dotted, value) in &values {
            if let Some(path) = path::drop_settings_of_another(&mut table, dotted, value) {
                origin.forget(&path);
            }
        }
        for (dotted, value) in values {
            match path::set(&mut table, dotted, value) {
                Ok(path) => origin.forget(&path),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(self.by_hand().locate(problems));
        }
        Self::from_table(table, origin, &no_loader)
    }

    /// The scenario with what a hand did in the browser: tables as they stand under `change`.
    ///
    /// # Errors
    /// Everything that is wrong with the changes.
    pub fn with_changes(&self, changes: Vec<Table>) -> Result<Self, ScenarioErrors> {
        let mut table = self.to_table();
        let all = table.entry("change").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(all) = all {
            all.extend(changes.into_iter().map(Value::Table));
        }
        Self::from_table(table, self.origin.clone(), &no_loader)
    }

    /// The scenario with the arrivals of its first workload replaced by a trace: other workloads, what hands did to
    /// them and what had to come out are left behind, and the run ends with the trace.
    ///
    /// # Errors
    /// What is wrong with the trace's options.
    pub fn replaying(&self, trace: TraceOptions) -> Result<Self, ScenarioErrors> {
        let mut file = self.file.clone();
        file.title = format!("{}, replayed", trace.path);
        file.workload.truncate(1);
        for workload in &mut file.workload {
            (workload.arrival, workload.service, workload.workflow) = (None, None, None);
            workload.trace = Some(trace.clone());
        }
        file.horizon = None;
        file.change.clear();
        file.expect.clear();
        let scenario = Self { file, origin: Origin::of_file(self.origin.file()) };
        Self::from_table(scenario.to_table(), scenario.origin, &no_loader)
    }

    /// The scenario as a table.
    #[must_use]
    pub fn to_table(&self) -> Table {
        // By way of text: one way of writing a struct is one copy of the code less in the browser.
        text::read(&self.to_toml()).unwrap_or_default()
    }

    /// Where problems of the resolved meaning stand.
    pub(super) fn locate(&self, problems: Vec<Problem>) -> ScenarioErrors {
        self.origin.locate(problems)
    }

    /// Keys set by hand have no place in the file.
    fn by_hand(&self) -> Origin {
        Origin::of_file(self.origin.file())
    }
}

fn no_loader(_: &str) -> io::Result<String> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "no file can be read here"))
}

/// What the parser finds after the first error mostly follows from it.
fn syntax_errors(file: &str, text: &str, first: Option<NoToml>) -> ScenarioErrors {
    let error = |error: NoToml| {
        let (found, expected) = match error.message.split_once(", expected ") {
            Some((found, expected)) => (format!("{found} in the TOML"), expected.to_owned()),
            None => (format!("what is no TOML ({})", error.message), "valid TOML".to_owned()),
        };
        let position = error.at.map(|at| Lines::new(text).position(at));
        ScenarioError { file: file.to_owned(), position, key: String::new(), found, expected }
    };
    ScenarioErrors(first.map(error).into_iter().collect())
}

/// Reads a text as TOML, with the places of its keys.
///
/// # Errors
/// The first thing that is no TOML.
pub(crate) fn read_table(text: &str, file_name: &str) -> Result<(Table, Origin), ScenarioErrors> {
    let (parsed, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax_errors(file_name, text, errors.into_iter().next().map(NoToml::from)));
    }
    let origin = Origin::new(file_name, text, parsed.get_ref());
    let table = text::table(parsed.into_inner()).map_err(|e| syntax_errors(file_name, text, Some(e)))?;
    Ok((table, origin))
}

/// A date may be written without quotes; everywhere else it is a text.
fn dates_to_texts(table: &mut Table) {
    fn visit(value: &mut Value) {
        match value {
            Value::Datetime(date) => *value = Value::String(date.to_string()),
            Value::Array(items) => items.iter_mut().for_each(visit),
            Value::Table(table) => dates_to_texts(table),
            _ => {}
        }
    }
    table.iter_mut().for_each(|(_, value)| visit(value));
}

/// An expectation may be written as `schedule_to_start.p95 = ..`, which to TOML is a table in a table.
pub(crate) fn flatten_expectations(table: &mut Table) {
    fn flatten(path: &KeyPath, value: Value, flat: &mut Table) {
        match value {
            Value::Table(inner) => inner.into_iter().for_each(|(name, v)| flatten(&path.key(&name), v, flat)),
            leaf => drop(flat.insert(path.to_string(), leaf)),
        }
    }
    let Some(Value::Table(expectations)) = table.get_mut("expect") else { return };
    let mut flat = Table::new();
    for (key, value) in std::mem::take(expectations) {
        match value {
            Value::Table(_) => flatten(&KeyPath::ROOT.key(&key), value, &mut flat),
            leaf => drop(flat.insert(key, leaf)),
        }
    }
    *expectations = flat;
}

/// Puts the content of the spec's file in the place of its name.
fn load_spec(table: &mut Table, origin: &mut Origin, loader: Loader<'_>) -> Result<(), Problem> {
    let Some(Value::String(name)) = table.get("spec").cloned() else { return Ok(()) };
    let path = KeyPath::ROOT.key("spec");
    let expected = "the name of a JSON file, relative to the scenario";
    let wrong =
        |found: String| Problem { path: path.clone(), at: At::Value, found, expected: expected.into() };
    // Whatever goes wrong, the name itself is no longer in the way of the check.
    let text = loader(&name).map_err(|e| wrong(format!("{name:?}, which cannot be read ({e})")));
    let text = text?;
    let json = serde_json::from_str::<Json>(&text);
    let json = json.map_err(|e| wrong(format!("{name:?}, which is no JSON ({e})")))?;
    let spec = json_to_toml(json).ok_or_else(|| wrong(format!("{name:?}, which is null")))?;
    table.insert("spec".into(), spec);
    origin.set_spec_file(&name, &text);
    Ok(())
}

/// JSON as TOML; what is null is absent.
pub fn json_to_toml(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => Value::Boolean(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().filter_map(json_to_toml).collect()),
        Json::Object(map) => {
            Value::Table(gather(map.into_iter().filter_map(|(k, v)| Some((k, json_to_toml(v)?)))))
        }
    })
}

/// TOML as JSON; numbers are finite because the check lets no others pass.
pub fn toml_to_json(value: &Value) -> Json {
    match value {
        Value::Boolean(flag) => (*flag).into(),
        Value::Integer(whole) => (*whole).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.clone().into(),
        Value::Datetime(date) => date.to_string().into(),
        Value::Array(items) => items.iter().map(toml_to_json).collect(),
        Value::Table(table) => Json::Object(gather(table.iter().map(|(k, v)| (k.clone(), toml_to_json(v))))),
    }
}

impl File {
    /// The spec as JSON.
    pub(super) fn spec_json(&self) -> Json {
        match &self.spec {
            Spec::Inline(table) => toml_to_json(&Value::Table(table.clone())),
            Spec::File(name) => name.clone().into(),
        }
    }

    /// The date at which simulated time 0 lies.
    pub(super) fn start_or_default(&self) -> Result<wci_core::Timestamp, String> {
        units::parse_date(self.start.as_deref().unwrap_or("2026-01-05T00:00:00Z"))
    }
}
