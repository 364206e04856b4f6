//! Where each key of a scenario stands in its file.

use super::error::{At, Position, Problem, ScenarioError, ScenarioErrors};
use super::json_places::json_places;
use super::key::{self, KeyPath};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wci_core::sorted_by;

/// The file of a scenario and the places of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    file: String,
    /// The file of the spec, if it has its own, and the places in it.
    spec_file: Option<(String, Places)>,
    /// Places of key and value by the numbered path.
    places: Places,
    /// What was set by hand since, and has no place.
    by_hand: Vec<Vec<String>>,
}

impl Origin {
    /// No places known.
    pub fn of_file(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Takes down the places in a parsed text.
    pub fn new(file: &str, text: &str, root: &DeTable<'_>) -> Self {
        let lines = Lines::new(text);
        let mut places = BTreeMap::new();
        table_places(&lines, &mut Vec::new(), root, &mut places);
        Self { places, ..Self::of_file(file) }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// From now on, what is wrong with the spec is wrong in this file.
    pub fn set_spec_file(&mut self, file: &str, text: &str) {
        self.spec_file = Some((file.to_owned(), json_places(text, "spec")));
    }

    /// Forgets the place of a key that was set by hand.
    pub fn forget(&mut self, path: &KeyPath) {
        self.by_hand.push(path.numbered());
        if path.starts_with("spec") {
            self.spec_file = None;
        }
    }

    /// Looks up where each problem stands; the errors come in the order of the file.
    pub fn locate(&self, problems: Vec<Problem>) -> ScenarioErrors {
        let errors = problems.into_iter().map(|p| self.locate_one(p)).collect();
        let mut errors = sorted_by(errors, |error: &ScenarioError| place(error.position));
        errors.dedup();
        ScenarioErrors(errors)
    }

    fn locate_one(&self, problem: Problem) -> ScenarioError {
        let Problem { path, at, found, expected } = problem;
        let spec_file = self.spec_file.as_ref().filter(|_| path.starts_with("spec"));
        let is_by_hand = self.by_hand.iter().any(|own| path.numbered().starts_with(own));
        let (file, places) = spec_file.map_or((&self.file, &self.places), |(file, places)| (file, places));
        let position = if is_by_hand { None } else { self.position(places, &path, at) };
        let file = file.clone();
        ScenarioError { file, position, key: path.to_string(), found, expected }
    }

    /// The place of a key, or of the innermost table around it that is there.
    fn position(&self, places: &Places, path: &KeyPath, at: At) -> Option<Position> {
        let numbered = path.numbered();
        if let Some([key, value]) = places.get(&numbered).or_else(|| self.expectation(&numbered)) {
            return Some(if at == At::Key { *key } else { *value });
        }
        let parent = path.parent()?;
        self.position(places, &parent, At::Key)
    }
}

impl Origin {
    /// The place of an expectation whose dotted key stands in the file as tables in tables.
    fn expectation(&self, numbered: &[String]) -> Option<&[Position; 2]> {
        let [section, dotted] = numbered else { return None };
        let names = key::split(dotted).ok().filter(|_| section == "expect")?;
        self.places.get(&[vec![section.clone()], names].concat())
    }
}

/// Turns offsets into lines and columns.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    pub fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }
}

pub(super) type Places = BTreeMap<Vec<String>, [Position; 2]>;

fn table_places(lines: &Lines<'_>, path: &mut Vec<String>, table: &DeTable<'_>, places: &mut Places) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        let value_at = match value.get_ref() {
            // The span of a table with a header is that of the header; where its key stands says more.
            DeValue::Table(_) if value.span().start < key.span().end => key.span(),
            _ => value.span(),
        };
        value_places(lines, path, [key.span(), value_at], value, places);
        path.pop();
    }
}

fn value_places(
    lines: &Lines<'_>,
    path: &mut Vec<String>,
    spans: [Range<usize>; 2],
    value: &Spanned<DeValue<'_>>,
    places: &mut Places,
) {
    places.insert(path.clone(), spans.map(|span| lines.position(span.start)));
    match value.get_ref() {
        DeValue::Table(table) => table_places(lines, path, table, places),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                value_places(lines, path, [item.span(), item.span()], item, places);
                path.pop();
            }
        }
        _ => {}
    }
}

/// A number in the order of positions; what has none comes first.
fn place(position: Option<Position>) -> u64 {
    position.map_or(0, |at| ((at.line as u64) << 32) + at.column as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::new("a.toml", text, DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn keys_values_and_items_have_their_place() {
        let origin = origin("title = \"ä\"\n[[workload]]\n  name = \"w\"\n  arrival = { rate = 1 }\n");
        let at = |path: &KeyPath, at| origin.position(&origin.places, path, at).map(|p| (p.line, p.column));
        let workload = KeyPath::ROOT.key("workload").item(0, Some("w"));
        assert_eq!(at(&KeyPath::ROOT.key("title"), At::Value), Some((1, 9)));
        assert_eq!(at(&workload, At::Value), Some((2, 1)));
        assert_eq!(at(&workload.key("arrival").key("rate"), At::Key), Some((4, 15)));
        assert_eq!(at(&workload.key("arrival").key("rate"), At::Value), Some((4, 22)));
    }

    #[test]
    fn a_missing_key_stands_where_its_table_is() {
        let origin = origin("[[workload]]\nname = \"w\"\n");
        let path = KeyPath::ROOT.key("workload").item(0, None).key("service").key("kind");
        let places = &origin.places;
        assert_eq!(origin.position(places, &path, At::Key), Some(Position { line: 1, column: 1 }));
        assert_eq!(origin.position(places, &KeyPath::ROOT.key("title"), At::Key), None);
    }

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("ä = 1\nöß = 2");
        assert_eq!(lines.position(3), Position { line: 1, column: 3 });
        assert_eq!(lines.position(11), Position { line: 2, column: 3 });
        assert_eq!(lines.position(99), Position { line: 2, column: 7 });
    }
}
