//! Dotted keys such as `workload.orders.arrival.rate`: how they are written, read and shown.

use std::fmt;

/// One step into a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// Into a table.
    Key(String),
    /// Into a list; shown by the item's name if it has one.
    Item { index: usize, name: Option<String> },
}

/// The way from the root of a scenario to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<Segment>);

impl KeyPath {
    /// The root itself.
    pub const ROOT: Self = Self(Vec::new());

    /// One step into a table.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.then(Segment::Key(name.to_owned()))
    }

    /// One step into a list.
    #[must_use]
    pub fn item(&self, index: usize, name: Option<&str>) -> Self {
        self.then(Segment::Item { index, name: name.map(str::to_owned) })
    }

    /// The path without its last step; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The name of the last table key.
    pub fn starts_with(&self, first: &str) -> bool {
        matches!(self.0.first(), Some(Segment::Key(name)) if name == first)
    }

    /// The path with positions for names, which is unique.
    pub fn numbered(&self) -> Vec<String> {
        let number = |segment: &Segment| match segment {
            Segment::Key(name) => name.clone(),
            Segment::Item { index, .. } => index.to_string(),
        };
        self.0.iter().map(number).collect()
    }

    fn then(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            match segment {
                Segment::Key(name) | Segment::Item { name: Some(name), .. } => f.write_str(&quoted(name))?,
                Segment::Item { index, name: None } => write!(f, "{index}")?,
            }
        }
        Ok(())
    }
}

/// A segment as it is written in a dotted key.
fn quoted(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// The dotted key of these names.
#[must_use]
pub fn join<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(".")
}

/// Splits a dotted key; a segment with other than letters, digits, `_` and `-` may stand in quotes.
///
/// # Errors
/// Says what is wrong with the text.
pub fn split(dotted: &str) -> Result<Vec<String>, String> {
    let mut segments = Vec::new();
    let mut rest = dotted.trim();
    loop {
        let (segment, after) = first_segment(rest)?;
        segments.push(segment);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(segments),
            None => return Err(format!("{after:?} after a quoted name, where a dot belongs")),
        }
    }
}

fn first_segment(text: &str) -> Result<(String, &str), String> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        return if name.is_empty() { Err("an empty name".into()) } else { Ok((name.to_owned(), after)) };
    };
    let mut name = String::new();
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !is_escaped => return Ok((name, &inside[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            _ => {
                name.push(c);
                is_escaped = false;
            }
        }
    }
    Err("a quoted name without its closing quote".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stand_for_positions() {
        let path = KeyPath::ROOT.key("workload").item(0, Some("orders")).key("arrival").key("rate");
        assert_eq!(path.to_string(), "workload.orders.arrival.rate");
        assert_eq!(path.numbered(), ["workload", "0", "arrival", "rate"]);
        assert_eq!(KeyPath::ROOT.key("fault").item(2, None).key("at").to_string(), "fault.2.at");
    }

    #[test]
    fn quotes_hold_a_name_with_dots_together() {
        assert_eq!(split("group.\"a.b\".worker").unwrap(), ["group", "a.b", "worker"]);
        assert!(split("a..b").is_err());
        assert!(split("").is_err());
        assert!(split("group.\"a").is_err());
        assert!(split("group.\"a\"b").is_err());
    }

    proptest! {
        #[test]
        fn a_shown_path_splits_into_its_names(names in proptest::collection::vec(".{0,8}", 1..5)) {
            let path = names.iter().fold(KeyPath::ROOT, |path, name| path.key(name));
            prop_assert_eq!(split(&path.to_string()).unwrap(), names);
        }
    }
}
