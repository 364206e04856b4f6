//! Checks a table against the schema: every key known, every value of the right type, unit and range.
//!
//! The check comes before the values are read into structs because it finds everything that is wrong at once, and
//! because it works on what a hand set as well as on what a file says.

use super::error::Problem;
use super::key::KeyPath;
use super::shape::{Shape, quoted};
use super::units::{DATE_EXPECTED, DATE_FORMAT, SPAN_EXPECTED, SPAN_FORMAT, Span, parse_date};
use toml::{Table, Value};

/// Everything in the table that the shape forbids.
pub(crate) fn check(shape: Shape<'_>, table: &Table) -> Vec<Problem> {
    let mut checker = Checker(Vec::new());
    checker.table(shape, table, &KeyPath::ROOT);
    checker.0
}

/// The name of an item of a list, if it has one of its own.
pub(super) fn item_name(items: &[Value], index: usize) -> Option<&str> {
    let name_of = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = items.get(index)?.get("name")?.as_str()?;
    (items.iter().filter(|item| name_of(item).as_deref() == Some(name)).count() == 1).then_some(name)
}

/// A value for an error text; never longer than a line.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Table(_) => "a table".into(),
        Value::Array(_) => "a list".into(),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("{:?}..", text.chars().take(LONGEST).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

struct Checker(Vec<Problem>);

impl Checker {
    fn value(&mut self, shape: Shape<'_>, value: &Value, path: &KeyPath) {
        if let Value::Float(number) = value
            && !number.is_finite()
        {
            return self.wrong(path, value, "a finite number");
        }
        let fitting: Vec<Shape<'_>> =
            shape.alternatives().into_iter().filter(|a| a.admits_type_of(value)).collect();
        match (&fitting[..], value) {
            ([], _) => self.wrong_type(shape, value, path),
            ([only], _) => self.plain(*only, value, path),
            (tables, Value::Table(table)) => self.choose_table(tables, table, path),
            (_, Value::String(text)) if self.is_known_text(&fitting, text, path) => {}
            _ => self.first_that_fits(shape, &fitting, value, path),
        }
    }

    fn plain(&mut self, shape: Shape<'_>, value: &Value, path: &KeyPath) {
        match value {
            Value::Table(table) => self.table(shape, table, path),
            Value::Array(items) => self.list(shape, items, path),
            Value::Integer(_) | Value::Float(_) => {
                // Beyond 2^53 a limit is a type's own, and no file means such a number.
                let number = value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap_or_default();
                if !shape.admits_number(number) {
                    self.wrong(path, value, shape.expected());
                }
            }
            Value::String(text) => self.text(shape, text, path),
            Value::Boolean(_) | Value::Datetime(_) => {}
        }
    }

    fn table(&mut self, shape: Shape<'_>, table: &Table, path: &KeyPath) {
        for (name, value) in table {
            let path = path.key(name);
            match shape.key(name) {
                Some(shape) => self.value(shape, value, &path),
                None => self.0.push(Problem::unknown_key(&path, name, shape.keys())),
            }
        }
        for name in shape.required().into_iter().filter(|name| !table.contains_key(*name)) {
            let expected = shape.key(name).map(Shape::expected).unwrap_or_default();
            self.0.push(Problem::missing(&path.key(name), expected));
        }
    }

    fn list(&mut self, shape: Shape<'_>, items: &[Value], path: &KeyPath) {
        let Some(shape) = shape.items() else { return };
        for (index, item) in items.iter().enumerate() {
            self.value(shape, item, &path.item(index, item_name(items, index)));
        }
    }

    fn text(&mut self, shape: Shape<'_>, text: &str, path: &KeyPath) {
        let problem = match (shape.choices(), shape.format()) {
            (Some(choices), _) if !choices.contains(&text) => Problem::unknown_name(path, text, choices),
            (None, Some(SPAN_FORMAT)) => match Span::parse(text) {
                Err(found) => Problem::value(path, found, SPAN_EXPECTED),
                Ok(_) => return,
            },
            (None, Some(DATE_FORMAT)) => match parse_date(text) {
                Err(found) => Problem::value(path, format!("{text:?}, {found}"), DATE_EXPECTED),
                Ok(_) => return,
            },
            _ => return,
        };
        self.0.push(problem);
    }

    /// Texts to choose from come as alternatives of one text each; the nearest of them is suggested.
    fn is_known_text(&mut self, fitting: &[Shape<'_>], text: &str, path: &KeyPath) -> bool {
        let choices: Option<Vec<Vec<&str>>> = fitting.iter().map(|shape| shape.choices()).collect();
        let Some(choices) = choices else { return false };
        let choices = choices.concat();
        if !choices.contains(&text) {
            self.0.push(Problem::unknown_name(path, text, choices));
        }
        true
    }

    /// Tables of a choice are told apart by their tag, or else by the keys they have.
    fn choose_table(&mut self, tables: &[Shape<'_>], table: &Table, path: &KeyPath) {
        let Some(tag) = Shape::tag_of(tables) else {
            let known_keys = |shape: &&Shape<'_>| {
                table.keys().filter(|name| shape.keys().contains(&name.as_str())).count()
            };
            // The last of the largest, so of those alike the first that was written.
            return tables
                .iter()
                .rev()
                .max_by_key(known_keys)
                .into_iter()
                .for_each(|s| self.table(*s, table, path));
        };
        let values: Vec<&str> = tables.iter().filter_map(|t| t.tag_value(tag)).collect();
        let path_of_tag = path.key(tag);
        match table.get(tag) {
            None => self.0.push(Problem::missing(&path_of_tag, quoted(&values))),
            Some(Value::String(text)) => match tables.iter().find(|t| t.tag_value(tag) == Some(text)) {
                Some(shape) => self.table(*shape, table, path),
                None => self.0.push(Problem::unknown_name(&path_of_tag, text, values)),
            },
            Some(other) => self.wrong(&path_of_tag, other, quoted(&values)),
        }
    }

    fn first_that_fits(&mut self, whole: Shape<'_>, fitting: &[Shape<'_>], value: &Value, path: &KeyPath) {
        let fits = |shape: &Shape<'_>| {
            let mut trial = Self(Vec::new());
            trial.plain(*shape, value, path);
            trial.0.is_empty()
        };
        if !fitting.iter().any(fits) {
            self.wrong(path, value, whole.expected());
        }
    }

    fn wrong_type(&mut self, shape: Shape<'_>, value: &Value, path: &KeyPath) {
        let is_span = |shape: Shape<'_>| shape.format() == Some(SPAN_FORMAT);
        let is_number = matches!(value, Value::Integer(_) | Value::Float(_));
        if is_number && shape.alternatives().into_iter().any(is_span) {
            let found = format!("{} without a unit", shown(value));
            return self.0.push(Problem::value(path, found, shape.expected()));
        }
        self.wrong(path, value, shape.expected());
    }

    fn wrong(&mut self, path: &KeyPath, value: &Value, expected: impl Into<String>) {
        self.0.push(Problem::value(path, shown(value), expected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(schema: &serde_json::Value, text: &str) -> Vec<String> {
        let problems = check(Shape::of(schema), &text.parse().unwrap());
        problems.into_iter().map(|p| format!("{}: {} | {}", p.path, p.found, p.expected)).collect()
    }

    fn schema() -> serde_json::Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["title"],
            "properties": {
                "title": {"type": "string"},
                "share": {"type": "number", "minimum": 0, "maximum": 1},
                "count": {"type": "integer", "format": "uint32", "minimum": 0},
                "after": {"type": "string", "format": SPAN_FORMAT},
                "color": {"oneOf": [{"type": "string", "const": "red"}, {"type": "string", "const": "blue"}]},
                "limit": {"anyOf": [{"type": "string", "const": "unlimited"}, {"type": "integer", "minimum": 1}]},
                "life": {"anyOf": [{"type": "string", "const": "unlimited"}, {"type": "string", "format": SPAN_FORMAT}]},
                "list": {"type": "array", "items": {"$ref": "#/$defs/Law"}},
            },
            "$defs": {"Law": {"oneOf": [
                {"type": "object", "additionalProperties": false, "required": ["kind", "mean"],
                 "properties": {"kind": {"const": "exponential"}, "mean": {"type": "number"}, "name": {"type": "string"}}},
                {"type": "object", "additionalProperties": false, "required": ["kind"],
                 "properties": {"kind": {"const": "none"}}}]}},
        })
    }

    #[test]
    fn what_fits_passes() {
        let text = "title = 'x'\nshare = 1\ncount = 3\nafter = '5s'\ncolor = 'red'\nlimit = 4\nlife = '5s'\n\
                    list = [{ kind = 'none' }, { kind = 'exponential', mean = 2.0 }]";
        assert_eq!(problems(&schema(), text), [""; 0]);
        assert_eq!(problems(&schema(), "title = ''\nlimit = 'unlimited'\nlife = 'unlimited'"), [""; 0]);
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        let text = "share = nan\ncount = -1\nafter = 800\ncolor = 'rde'\nlimit = 0\nlife = '7'\n\
                    list = [{ kind = 'non' }, { kind = 'exponential', maen = 1, name = 'a' }, {}]";
        let found = problems(&schema(), text);
        let expected = [
            "after: 800 without a unit | ",
            "color: \"rde\" | \"red\" (the nearest of red, blue)",
            "count: -1 | a whole number of at least 0 and at most 4294967295",
            "life: \"7\" | \"unlimited\" or a duration",
            "limit: 0 | a whole number of at least 1",
            "list.0.kind: \"non\" | \"none\" (the nearest of exponential, none)",
            "list.a.maen: an unknown key | \"mean\" (the nearest of kind, mean, name)",
            "list.a.mean: nothing | a number",
            "list.2.kind: nothing | \"exponential\" or \"none\"",
            "share: nan | a finite number",
            "title: nothing | a text in quotes",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found:?} does not start with {expected:?}");
        }
    }

    #[test]
    fn wrong_types_are_named() {
        let found = problems(&schema(), "title = 5\nlist = {}\ncount = 1.5\ncolor = true");
        assert_eq!(
            found,
            [
                "color: true | \"red\" or \"blue\"",
                "count: 1.5 | a whole number of at least 0 and at most 4294967295",
                "list: a table | a list, each item a table with kind = \"exponential\" or \"none\"",
                "title: 5 | a text in quotes",
            ]
        );
    }
}
