//! A reader's view of the scenario's schema: what may stand at a key.

use super::units::{DATE_EXPECTED, DATE_FORMAT, SPAN_EXPECTED, SPAN_FORMAT};
use serde_json::Value as Json;
use toml::Value as Toml;

/// What may stand at a key. References are followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'s> {
    root: &'s Json,
    node: &'s Json,
}

impl Shape<'static> {
    /// The whole scenario file.
    pub fn scenario() -> Self {
        Self::of(super::schema::shared())
    }
}

impl<'s> Shape<'s> {
    /// The shape a schema describes.
    pub fn of(root: &'s Json) -> Self {
        Self { root, node: root }
    }

    /// The schema itself.
    pub const fn node(self) -> &'s Json {
        self.node
    }

    fn at(self, node: &'s Json) -> Self {
        let reference = node.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix('#'));
        // A definition is never itself a mere reference: schemars writes none such.
        let node = reference.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(node);
        Self { root: self.root, node }
    }

    /// What one may choose from; a shape without a choice is its own only alternative.
    pub fn alternatives(self) -> Vec<Self> {
        let choices = ["oneOf", "anyOf"].iter().find_map(|key| self.node.get(key)).and_then(Json::as_array);
        match choices {
            Some(choices) => choices.iter().flat_map(|node| self.at(node).alternatives()).collect(),
            None => vec![self],
        }
    }

    /// Whether a value is of a type that can stand here.
    pub fn admits_type_of(self, value: &Toml) -> bool {
        let names: &[&str] = match value {
            Toml::String(_) | Toml::Datetime(_) => &["string"],
            Toml::Integer(_) => &["integer", "number"],
            Toml::Float(_) => &["number"],
            Toml::Boolean(_) => &["boolean"],
            Toml::Array(_) => &["array"],
            Toml::Table(_) => &["object"],
        };
        self.types().is_empty() || self.types().iter().any(|t| names.contains(t))
    }

    /// The JSON types; none: any.
    pub fn types(self) -> Vec<&'s str> {
        match self.node.get("type") {
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            Some(name) => name.as_str().into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether this is a table.
    pub fn is_table(self) -> bool {
        self.types() == ["object"]
    }

    /// The texts one may choose from, if they are counted.
    pub fn choices(self) -> Option<Vec<&'s str>> {
        if let Some(only) = self.node.get("const").and_then(Json::as_str) {
            return Some(vec![only]);
        }
        let listed = self.node.get("enum")?.as_array()?;
        Some(listed.iter().filter_map(Json::as_str).collect())
    }

    /// Name of the format of a text.
    pub fn format(self) -> Option<&'s str> {
        self.node.get("format").and_then(Json::as_str)
    }

    /// Shape of a list's items.
    pub fn items(self) -> Option<Self> {
        self.node.get("items").map(|node| self.at(node))
    }

    /// Names of a table's keys, as far as they are fixed.
    pub fn keys(self) -> Vec<&'s str> {
        let properties = self.node.get("properties").and_then(Json::as_object);
        properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// Names of the keys that have to be there.
    pub fn required(self) -> Vec<&'s str> {
        let names = self.node.get("required").and_then(Json::as_array);
        names.into_iter().flatten().filter_map(Json::as_str).collect()
    }

    /// Shape of a key of this table; `None`: no such key.
    pub fn key(self, name: &str) -> Option<Self> {
        let fixed = self.node.get("properties").and_then(|p| p.get(name));
        fixed.or_else(|| self.any_key()).map(|node| self.at(node))
    }

    fn any_key(self) -> Option<&'s Json> {
        match self.node.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(other) => Some(other),
            // A table that says nothing about its keys takes any.
            None => self.node.get("properties").is_none().then_some(&Json::Bool(true)),
        }
    }

    /// The key whose text tells tables of a choice apart, such as `kind`.
    pub fn tag_of(alternatives: &[Self]) -> Option<&'s str> {
        let first = alternatives.first()?;
        let is_tag = |name: &&str| alternatives.iter().all(|a| a.tag_value(name).is_some());
        first.keys().into_iter().find(is_tag)
    }

    /// The text that the tag has to have for this table.
    pub fn tag_value(self, tag: &str) -> Option<&'s str> {
        self.node.get("properties")?.get(tag)?.get("const")?.as_str()
    }

    /// A number that is allowed and one that is just too small or too large, as far as there are limits.
    pub fn admits_number(self, number: f64) -> bool {
        let limit = |name: &str| self.node.get(name).and_then(Json::as_f64);
        limit("minimum").is_none_or(|least| number >= least)
            && limit("exclusiveMinimum").is_none_or(|below| number > below)
            && limit("maximum").is_none_or(|most| number <= most)
            && self.format_limit().is_none_or(|most| number <= most)
    }

    /// The largest number of the Rust type behind, where the schema names only the type.
    fn format_limit(self) -> Option<f64> {
        match self.format()? {
            "uint8" => Some(f64::from(u8::MAX)),
            "uint32" => Some(f64::from(u32::MAX)),
            _ => None,
        }
    }

    /// What would be right here, in words.
    pub fn expected(self) -> String {
        let alternatives = self.alternatives();
        let texts: Vec<&str> = alternatives.iter().filter_map(|a| a.choices()).flatten().collect();
        let tables: Vec<Self> = alternatives.iter().copied().filter(|a| a.is_table()).collect();
        let mut words: Vec<String> = Vec::new();
        if !texts.is_empty() {
            words.push(quoted(&texts));
        }
        let plain = alternatives.iter().filter(|a| a.choices().is_none() && !a.is_table());
        words.extend(plain.map(|a| a.expected_plain()));
        if let [_, ..] = tables[..] {
            words.push(expected_table(&tables));
        }
        words.join(" or ")
    }

    fn expected_plain(self) -> String {
        let limit = |name: &str| self.node.get(name);
        match (self.format(), &self.types()[..]) {
            (_, ["integer", ..]) if limit("minimum").is_some() && limit("minimum") == limit("maximum") => {
                limit("minimum").map(Json::to_string).unwrap_or_default()
            }
            (Some(SPAN_FORMAT), _) => SPAN_EXPECTED.into(),
            (Some(DATE_FORMAT), _) => DATE_EXPECTED.into(),
            (_, ["number", ..]) if self.node.get("multipleOf").is_some() => {
                format!("a whole number{}", self.expected_limits())
            }
            (_, ["integer", ..]) => format!("a whole number{}", self.expected_limits()),
            (_, ["number", ..]) => format!("a number{}", self.expected_limits()),
            (_, ["string", ..]) => "a text in quotes".into(),
            (_, ["boolean", ..]) => "true or false".into(),
            (_, ["array", ..]) => match self.items() {
                Some(items) => format!("a list, each item {}", items.expected()),
                None => "a list".into(),
            },
            _ => "a value".into(),
        }
    }

    fn expected_limits(self) -> String {
        let limit = |name: &str, words: &str| self.node.get(name).map(|n| format!(" {words} {n}"));
        let limits = [
            limit("minimum", "of at least"),
            limit("exclusiveMinimum", "above"),
            limit("maximum", "and at most"),
            self.format_limit()
                .filter(|_| self.node.get("maximum").is_none())
                .map(|most| format!(" and at most {most}")),
        ];
        limits.into_iter().flatten().collect()
    }

    /// What this shape is for, empty if nobody says it.
    pub fn description(self) -> &'s str {
        self.node.get("description").and_then(Json::as_str).unwrap_or_default()
    }

    /// What a key of this table is for: its own words come before those of its type.
    pub fn description_of(self, key: &str) -> &'s str {
        let own =
            self.node.get("properties").and_then(|p| p.get(key)).and_then(|node| node.get("description"));
        own.and_then(Json::as_str).or(self.key(key).map(Self::description)).unwrap_or_default()
    }

    /// The value that holds when a key of this table is left out, if the schema itself says it.
    pub fn default_of(self, key: &str) -> Option<&'s Json> {
        self.node.get("properties")?.get(key)?.get("default")
    }

    /// A named type of the whole schema.
    pub fn definition(self, name: &str) -> Option<Self> {
        self.root.get("$defs")?.get(name).map(|node| self.at(node))
    }

    /// Whether this shape is described by exactly this node of the schema.
    pub fn is_node(self, node: &Json) -> bool {
        std::ptr::eq(self.node, node)
    }

    /// The shape of a node of the same schema.
    #[cfg(test)]
    pub fn seen_at(self, node: &'s Json) -> Self {
        self.at(node)
    }
}

fn expected_table(tables: &[Shape<'_>]) -> String {
    let Some(tag) = Shape::tag_of(tables).filter(|_| tables.len() > 1) else {
        return match tables.iter().flat_map(|t| t.required()).collect::<Vec<_>>()[..] {
            [] => "a table".into(),
            ref keys => format!("a table with {}", keys.join(", ")),
        };
    };
    let values: Vec<&str> = tables.iter().filter_map(|t| t.tag_value(tag)).collect();
    format!("a table with {tag} = {}", quoted(&values))
}

/// `"a", "b" or "c"`.
pub(super) fn quoted(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|t| format!("{t:?}")).collect();
    match texts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".into(),
    }
}
