//! Reads and sets single values by their dotted key.

use super::check::{item_name, shown};
use super::error::Problem;
use super::key::{self, KeyPath};
use super::shape::Shape;
use super::text;
use toml::{Table, Value};

/// Sets the value at a dotted key and creates the tables on the way; the value itself is checked when the table is
/// read. Hands back the way that was gone; after an error the table is as before.
pub(super) fn set(table: &mut Table, dotted: &str, value: Value) -> Result<KeyPath, Problem> {
    let (names, last) = split(dotted)?;
    let mut at = Step::root(Shape::scenario());
    let mut root = Value::Table(table.clone());
    descend_and_set(&mut root, &mut at, &names, &last, value)?;
    if let Value::Table(changed) = root {
        *table = changed;
    }
    Ok(at.path)
}

/// Settings belong to one algorithm: a group that is to get another one loses those it has. Hands back where they
/// stood.
pub(super) fn drop_settings_of_another(table: &mut Table, dotted: &str, value: &Value) -> Option<KeyPath> {
    let names = key::split(dotted).ok()?;
    let [spec, groups, group, scaling, algorithm] = &names[..] else { return None };
    let is_algorithm = [spec, groups, scaling, algorithm].into_iter().eq([
        "spec",
        "scaling_group_specs",
        "scaling",
        "scaling_algorithm",
    ]);
    let scaling_table = table
        .get_mut(spec)?
        .get_mut(groups)?
        .get_mut(group)?
        .get_mut(scaling)?
        .as_table_mut()
        .filter(|scaling| is_algorithm && scaling.get(algorithm.as_str()) != Some(value))?;
    scaling_table.remove("config")?;
    let path = [spec, groups, group, scaling].into_iter().fold(KeyPath::ROOT, |path, name| path.key(name));
    Some(path.key("config"))
}

/// The value at a dotted key; `None` if the file leaves it out.
pub(super) fn get<'t>(table: &'t Table, dotted: &str) -> Result<Option<&'t Value>, Problem> {
    walk(table, dotted, Shape::scenario()).map(|(_, value)| value)
}

/// What a dotted key is for, in the words of this schema.
pub(super) fn help_at(table: &Table, dotted: &str, schema: Shape<'_>) -> Result<String, Problem> {
    walk(table, dotted, schema).map(|(at, _)| at.help.to_owned())
}

/// What may stand at a dotted key: a node of the schema, references followed.
pub(super) fn schema_at(table: &Table, dotted: &str) -> Result<serde_json::Value, Problem> {
    let (at, _) = walk(table, dotted, Shape::scenario())?;
    Ok(match &at.shape.alternatives()[..] {
        [only] => only.node().clone(),
        several => serde_json::json!({"anyOf": several.iter().map(|one| one.node()).collect::<Vec<_>>()}),
    })
}

fn walk<'t, 's>(
    table: &'t Table,
    dotted: &str,
    schema: Shape<'s>,
) -> Result<(Step<'s>, Option<&'t Value>), Problem> {
    let (names, last) = split(dotted)?;
    let mut at = Step::root(schema);
    let mut value: Option<&Value> = None;
    for (depth, name) in names.iter().chain([&last]).enumerate() {
        let children = if depth == 0 { Children::Table(Some(table)) } else { Children::of(value) };
        value = at.enter(children, name)?;
    }
    Ok((at, value))
}

/// Reads the text of `--set key=text`: a TOML value, or else a plain text.
#[must_use]
pub fn parse_value(text: &str) -> Value {
    text::read_value(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn split(dotted: &str) -> Result<(Vec<String>, String), Problem> {
    let wrong = |found| {
        Problem::value(&KeyPath::ROOT.key(dotted), found, "a dotted key such as workload.orders.name")
    };
    let mut names = key::split(dotted).map_err(wrong)?;
    if names.first().is_some_and(|first| first == "expect") && names.len() > 2 {
        // The keys of expectations are themselves dotted.
        let figure = names.drain(1..).fold(KeyPath::ROOT, |path, name| path.key(&name));
        names.push(figure.to_string());
    }
    let last = names.pop().unwrap_or_default();
    Ok((names, last))
}

/// Where a walk along a dotted key stands.
struct Step<'s> {
    shape: Shape<'s>,
    path: KeyPath,
    /// What the schema says of the key itself, which may be more than it says of the type.
    help: &'s str,
}

impl<'s> Step<'s> {
    fn root(shape: Shape<'s>) -> Self {
        Self { shape, path: KeyPath::ROOT, help: "" }
    }
}

/// What a walk can go into next.
enum Children<'t> {
    Table(Option<&'t Table>),
    List(&'t [Value]),
    Leaf(&'t Value),
}

impl<'t> Children<'t> {
    fn of(value: Option<&'t Value>) -> Self {
        match value {
            Some(Value::Table(table)) => Self::Table(Some(table)),
            Some(Value::Array(items)) => Self::List(items),
            Some(leaf) => Self::Leaf(leaf),
            None => Self::Table(None),
        }
    }
}

impl<'s> Step<'s> {
    /// Goes into the child of this name and hands back its value, if it is there.
    fn enter<'t>(&mut self, children: Children<'t>, name: &str) -> Result<Option<&'t Value>, Problem> {
        match children {
            Children::List(items) => self.enter_item(items, name).map(|index| items.get(index)),
            Children::Table(table) => {
                self.enter_key(table, name)?;
                Ok(table.and_then(|t| t.get(name)))
            }
            Children::Leaf(value) => Err(Problem::value(&self.path, shown(value), self.shape.expected())),
        }
    }

    fn enter_key(&mut self, table: Option<&Table>, name: &str) -> Result<(), Problem> {
        let tables = self.possible_tables(table);
        let path = self.path.key(name);
        let found = tables.iter().find_map(|table| Some((table.key(name)?, table.description_of(name))));
        let Some((shape, help)) = found else {
            if let (true, Some(_)) = (tables.is_empty(), self.shape.items()) {
                return Err(Problem::value(&self.path, "an empty list", "an item to go into"));
            }
            let mut known: Vec<&str> = tables.iter().flat_map(|shape| shape.keys()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(Problem::unknown_key(&path, name, known));
        };
        (self.shape, self.path, self.help) = (shape, path, help);
        Ok(())
    }

    /// The tables that can stand here: the one that the tag names, if it is there.
    fn possible_tables(&self, table: Option<&Table>) -> Vec<Shape<'s>> {
        let tables: Vec<_> = self.shape.alternatives().into_iter().filter(|shape| shape.is_table()).collect();
        let tag = Shape::tag_of(&tables).filter(|_| tables.len() > 1);
        let Some((tag, value)) = tag.and_then(|tag| Some((tag, table?.get(tag)?.as_str()?))) else {
            return tables;
        };
        match tables.iter().find(|shape| shape.tag_value(tag) == Some(value)) {
            Some(shape) => vec![*shape],
            None => tables,
        }
    }

    fn enter_item(&mut self, items: &[Value], name: &str) -> Result<usize, Problem> {
        let names = || (0..items.len()).filter_map(|index| item_name(items, index));
        let by_name = (0..items.len()).find(|index| item_name(items, *index) == Some(name));
        let by_number = name.parse::<usize>().ok().filter(|index| *index < items.len());
        let Some(index) = by_name.or(by_number) else {
            let numbers: Vec<String> = (0..items.len()).map(|index| index.to_string()).collect();
            let known =
                names().chain(numbers.iter().map(String::as_str).filter(|_| names().next().is_none()));
            return Err(Problem::unknown_name(&self.path.key(name), name, known));
        };
        self.path = self.path.item(index, item_name(items, index));
        if let Some(shape) = self.shape.alternatives().into_iter().find_map(Shape::items) {
            self.shape = shape;
        }
        Ok(index)
    }
}

fn descend_and_set(
    value: &mut Value,
    at: &mut Step<'_>,
    names: &[String],
    last: &str,
    new: Value,
) -> Result<(), Problem> {
    let Some((name, rest)) = names.split_first() else {
        at.enter(Children::of(Some(value)), last)?;
        *slot(value, last, at) = fitted(at.shape, new);
        return Ok(());
    };
    at.enter(Children::of(Some(value)), name)?;
    descend_and_set(slot(value, name, at), at, rest, last, new)
}

/// The child that was just entered; created in a table that lacks it.
fn slot<'v>(value: &'v mut Value, name: &str, at: &Step<'_>) -> &'v mut Value {
    match value {
        Value::Array(items) => {
            let index = at.path.numbered().last().and_then(|n| n.parse::<usize>().ok()).unwrap_or_default();
            &mut items[index]
        }
        Value::Table(table) => table.entry(name).or_insert_with(|| Value::Table(Table::new())),
        // `enter` has refused everything else.
        leaf => leaf,
    }
}

/// A number or a date where only a text can stand is meant as a text.
fn fitted(shape: Shape<'_>, value: Value) -> Value {
    let takes = |value: &Value| shape.alternatives().into_iter().any(|a| a.admits_type_of(value));
    let is_scalar = !matches!(value, Value::Table(_) | Value::Array(_));
    let is_text_enough = is_scalar && shape.alternatives().into_iter().all(|a| a.format().is_none());
    match value {
        Value::Datetime(date) => Value::String(date.to_string()),
        other if !takes(&other) && is_text_enough && takes(&Value::String(String::new())) => {
            Value::String(other.to_string())
        }
        other => other,
    }
}
