//! What is wrong with a scenario: where it stands, what was found there, and what would be right.

use super::key::KeyPath;
use std::fmt;
use wci_core::cluster::definition::{DefinitionError, DefinitionErrors};

/// A place in a text; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One thing that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// Where in the file; absent for what was set by hand (`--set`) or stands in a spec's own file.
    pub position: Option<Position>,
    /// The dotted key; empty when the text is no TOML at all.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " found {}, expected {}", self.found, self.expected)
    }
}

/// Everything that is wrong with a scenario: never empty, in the order of the file where the places are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioErrors(pub Vec<ScenarioError>);

impl ScenarioErrors {
    /// Names other origins than the file: `origin` gets the key of each error without a place in the file.
    #[must_use]
    pub fn renamed(mut self, origin: impl Fn(&str) -> Option<String>) -> Self {
        for error in self.0.iter_mut().filter(|error| error.position.is_none()) {
            if let Some(name) = origin(&error.key) {
                error.file = name;
            }
        }
        self
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let line_break = if i == 0 { "" } else { "\n" };
            write!(f, "{line_break}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioErrors {}

impl From<DefinitionError> for ScenarioError {
    fn from(error: DefinitionError) -> Self {
        let DefinitionError { file, position, key, found, expected } = error;
        let position =
            position.map(|(line, column)| Position { line: line as usize, column: column as usize });
        Self { file, position, key, found, expected }
    }
}

impl From<DefinitionErrors> for ScenarioErrors {
    fn from(errors: DefinitionErrors) -> Self {
        Self(errors.0.into_iter().map(ScenarioError::from).collect())
    }
}

/// Whether a problem lies with a key's name or with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Key,
    Value,
}

/// Something wrong at a key, before the key's place in the file is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub path: KeyPath,
    pub at: At,
    pub found: String,
    pub expected: String,
}

impl Problem {
    /// A wrong value.
    pub fn value(path: &KeyPath, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: path.clone(), at: At::Value, found: found.into(), expected: expected.into() }
    }

    /// A name that is none of the known ones.
    pub fn unknown_key<'k>(path: &KeyPath, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let expected = one_of(name, known);
        Self { path: path.clone(), at: At::Key, found: "an unknown key".into(), expected }
    }

    /// A value that names nothing known.
    pub fn unknown_name<'k>(path: &KeyPath, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        Self::value(path, format!("{name:?}"), one_of(name, known))
    }

    /// A key that has to be there; `path` is that of the missing key.
    pub fn missing(path: &KeyPath, expected: impl Into<String>) -> Self {
        Self { path: path.clone(), at: At::Key, found: "nothing".into(), expected: expected.into() }
    }
}

/// The known names, the nearest one first if any is near.
fn one_of<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (nearest(name, &known), &known[..]) {
        (_, []) => "no key here".into(),
        (_, [only]) => (*only).into(),
        (Some(near), _) => format!("{near:?} (the nearest of {})", list(&known)),
        (None, _) => format!("one of {}", list(&known)),
    }
}

/// All of a few names, the first of many.
fn list(names: &[&str]) -> String {
    const MOST: usize = 16;
    let more = names.len().saturating_sub(MOST);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The known name that `name` is most likely a slip of.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    // Below this similarity a suggestion would be noise.
    const NEAR: f64 = 0.5;
    let lower = |text: &str| text.to_ascii_lowercase();
    let score = |known: &str| strsim::normalized_damerau_levenshtein(&lower(name), &lower(known));
    let near = known.iter().map(|known| (score(known), *known)).filter(|(score, _)| *score >= NEAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_known_name() {
        let known = ["arrival", "service", "start_to_close_timeout"];
        assert_eq!(nearest("servcie", &known), Some("service"));
        assert_eq!(nearest("Start_to_close", &known), Some("start_to_close_timeout"));
        assert_eq!(nearest("xyz", &known), None);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..30).map(|n| format!("name_{n}")).collect();
        let expected = one_of("zzz", names.iter().map(String::as_str));
        assert!(expected.ends_with("name_15 and 14 more"), "{expected}");
    }

    #[test]
    fn an_error_reads_as_one_line() {
        let error = ScenarioError {
            file: "a.toml".into(),
            position: Some(Position { line: 3, column: 7 }),
            key: "workload.orders.service.median".into(),
            found: "800".into(),
            expected: "a duration with its unit".into(),
        };
        let line = "a.toml:3:7: workload.orders.service.median: found 800, expected a duration with its unit";
        assert_eq!(error.to_string(), line);
    }
}
