//! Structs as TOML text, in the order of their fields.
//!
//! The writer of the TOML library is generated two or three times for every struct. Here a struct becomes a tree
//! first, and only the tree is written: the browser downloads that much less.

use super::plain::Wrong;
use serde::ser::{Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use std::fmt::Display;
use toml::Value;

/// A struct as TOML.
///
/// # Errors
/// When it holds what TOML cannot.
pub(super) fn write(value: &impl Serialize) -> Result<String, String> {
    let tree = value.serialize(Plain).map_err(|wrong| wrong.0)?;
    toml::to_string(&tree.unwrap_or(Node::Table(Vec::new()))).map_err(|error| error.to_string())
}

enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(entries) => serializer.collect_map(entries.iter().map(|(key, node)| (key, node))),
        }
    }
}

impl Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// What is left out of a table: nothing.
type Written = Result<Option<Node>, Wrong>;
type Never = Impossible<Option<Node>, Wrong>;

fn leaf(value: impl Into<Value>) -> Written {
    Ok(Some(Node::Leaf(value.into())))
}

fn none_such<T>() -> Result<T, Wrong> {
    Err(Wrong("a kind of value that no scenario has".into()))
}

struct Plain;

/// Methods for numbers that fit.
macro_rules! leaves {
    ($($method:ident: $from:ty),+) => {
        $(fn $method(self, value: $from) -> Written {
            leaf(value)
        })+
    };
}

/// Methods for what no scenario has.
macro_rules! never {
    ($($method:ident($($argument:ty),*) -> $result:ty;)+) => {
        $(fn $method(self, $(_: $argument),*) -> $result {
            none_such()
        })+
    };
}

impl Serializer for Plain {
    type Ok = Option<Node>;
    type Error = Wrong;
    type SerializeSeq = List;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Never;

    leaves!(serialize_bool: bool, serialize_i8: i8, serialize_i32: i32, serialize_i64: i64);
    leaves!(serialize_u8: u8, serialize_u32: u32, serialize_f32: f32, serialize_f64: f64, serialize_str: &str);
    never! {
        serialize_bytes(&[u8]) -> Written;
        serialize_unit() -> Written;
        serialize_unit_struct(&'static str) -> Written;
        serialize_tuple(usize) -> Result<Never, Wrong>;
        serialize_tuple_struct(&'static str, usize) -> Result<Never, Wrong>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Result<Never, Wrong>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Result<Never, Wrong>;
    }

    fn serialize_i16(self, value: i16) -> Written {
        leaf(i64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Written {
        leaf(i64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Written {
        leaf(i64::try_from(value).map_err(Wrong::custom)?)
    }

    fn serialize_char(self, value: char) -> Written {
        leaf(value.to_string())
    }

    fn serialize_none(self) -> Written {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        leaf(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        none_such()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Wrong> {
        Ok(List(Vec::new()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Wrong> {
        Ok(Entries::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Wrong> {
        Ok(Entries::default())
    }
}

struct List(Vec<Node>);

impl SerializeSeq for List {
    type Ok = Option<Node>;
    type Error = Wrong;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Wrong> {
        self.0.extend(value.serialize(Plain)?);
        Ok(())
    }

    fn end(self) -> Written {
        Ok(Some(Node::List(self.0)))
    }
}

#[derive(Default)]
struct Entries {
    entries: Vec<(String, Node)>,
    key: String,
}

impl Entries {
    fn add(&mut self, key: String, node: Option<Node>) {
        self.entries.extend(node.map(|node| (key, node)));
    }
}

impl SerializeStruct for Entries {
    type Ok = Option<Node>;
    type Error = Wrong;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Wrong> {
        let node = value.serialize(Plain)?;
        self.add(key.to_owned(), node);
        Ok(())
    }

    fn end(self) -> Written {
        Ok(Some(Node::Table(self.entries)))
    }
}

impl SerializeMap for Entries {
    type Ok = Option<Node>;
    type Error = Wrong;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Wrong> {
        match key.serialize(Plain)? {
            Some(Node::Leaf(Value::String(key))) => self.key = key,
            _ => return none_such(),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Wrong> {
        let node = value.serialize(Plain)?;
        let key = std::mem::take(&mut self.key);
        self.add(key, node);
        Ok(())
    }

    fn end(self) -> Written {
        Ok(Some(Node::Table(self.entries)))
    }
}
