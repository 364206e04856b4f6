//! Reads structs out of a table that was checked against the schema.
//!
//! The reader of the TOML library is ready for any value at any place, and that code is generated anew for every
//! struct: a fifth of what a browser would download. After the check there is one kind of value for each type.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, Expected, IntoDeserializer, Unexpected, Visitor};
use std::fmt;
use toml::{Table, Value};

/// Reads a struct.
///
/// # Errors
/// What the check let pass and the struct does not.
pub(crate) fn read<T: DeserializeOwned>(table: Table) -> Result<T, Wrong> {
    T::deserialize(Plain(Value::Table(table)))
}

/// What a struct did not take.
#[derive(Debug)]
pub(crate) struct Wrong(pub String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A value that is what its place asks for.
struct Plain(Value);

impl Plain {
    fn wrong(&self, expected: &dyn Expected) -> Wrong {
        let found = match &self.0 {
            Value::String(text) => Unexpected::Str(text),
            Value::Integer(whole) => Unexpected::Signed(*whole),
            Value::Float(number) => Unexpected::Float(*number),
            Value::Boolean(flag) => Unexpected::Bool(*flag),
            Value::Datetime(_) => Unexpected::Other("date"),
            Value::Array(_) => Unexpected::Seq,
            Value::Table(_) => Unexpected::Map,
        };
        Wrong::invalid_type(found, expected)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Integer(whole) => visitor.visit_i64(whole),
            Value::Float(number) => visitor.visit_f64(number),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn flag<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Boolean(flag) => visitor.visit_bool(flag),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn table<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Table(table) => visitor
                .visit_map(MapDeserializer::new(table.into_iter().map(|(key, value)| (key, Self(value))))),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Self))),
            _ => Err(self.wrong(&visitor)),
        }
    }
}

/// Methods that read alike.
macro_rules! read_as {
    ($how:ident: $($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.$how(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Plain {
    type Error = Wrong;

    read_as!(number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128);
    read_as!(number: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);
    read_as!(number: deserialize_f32 deserialize_f64);
    read_as!(text: deserialize_char deserialize_str deserialize_string deserialize_identifier);
    read_as!(text: deserialize_bytes deserialize_byte_buf);
    read_as!(table: deserialize_map);
    read_as!(list: deserialize_seq);
    read_as!(flag: deserialize_bool);
    read_as!(deserialize_any: deserialize_unit deserialize_ignored_any);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Boolean(_) => self.flag(visitor),
            Value::Datetime(date) => visitor.visit_string(date.to_string()),
            Value::String(_) => self.text(visitor),
            Value::Integer(_) | Value::Float(_) => self.number(visitor),
            Value::Array(_) => self.list(visitor),
            Value::Table(_) => self.table(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        Err(self.wrong(&visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.table(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(name.into_deserializer()),
            _ => Err(self.wrong(&visitor)),
        }
    }
}

impl IntoDeserializer<'_, Wrong> for Plain {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
