//! From the text of TOML to values, without the library's way of reading structs: see [`super::plain`].

use toml::de::{DeTable, DeValue, Error};
use toml::{Spanned, Table, Value};
use wci_core::parse_number;

/// What is no TOML.
#[derive(Debug)]
pub(super) struct NoToml {
    pub message: String,
    /// The byte at which it was found.
    pub at: Option<usize>,
}

impl From<Error> for NoToml {
    fn from(error: Error) -> Self {
        Self { message: error.message().to_owned(), at: error.span().map(|span| span.start) }
    }
}

/// Reads a document.
///
/// # Errors
/// The first thing that is no TOML.
pub(super) fn read(text: &str) -> Result<Table, NoToml> {
    table(DeTable::parse(text)?.into_inner())
}

/// Reads a value as it stands behind an equals sign.
///
/// # Errors
/// The first thing that is no TOML.
pub(super) fn read_value(text: &str) -> Result<Value, NoToml> {
    value(DeValue::parse(text)?)
}

/// The same table without the places of its keys.
///
/// # Errors
/// Names a number that is too long.
pub(super) fn table(parsed: DeTable<'_>) -> Result<Table, NoToml> {
    let mut table = Table::new();
    for (key, parsed) in parsed {
        table.insert(key.into_inner().into_owned(), value(parsed)?);
    }
    Ok(table)
}

fn value(parsed: Spanned<DeValue<'_>>) -> Result<Value, NoToml> {
    let at = parsed.span().start;
    let too_long = |kind: &str, text: &str| {
        let message = format!("{text}, expected {kind} of 64 bits");
        NoToml { message, at: Some(at) }
    };
    Ok(match parsed.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(whole) => {
            let number = i64::from_str_radix(whole.as_str(), whole.radix());
            Value::Integer(number.map_err(|_| too_long("a whole number", whole.as_str()))?)
        }
        DeValue::Float(number) => {
            Value::Float(parse_number(number.as_str()).ok_or_else(|| too_long("a number", number.as_str()))?)
        }
        DeValue::Boolean(flag) => Value::Boolean(flag),
        DeValue::Datetime(date) => Value::Datetime(date),
        DeValue::Array(items) => Value::Array(items.into_iter().map(value).collect::<Result<_, _>>()?),
        DeValue::Table(inner) => Value::Table(table(inner)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_library() {
        let all = "a = 0x1f\nb = -1_000\nc = 6.02e23\nd = +inf\ne = 2026-01-05\nf = [1, [true, 'x']]\n\
                   g.h = { i = \"a\\tb\" }\n[[j]]\nk = 0b11\n[[j]]\nk = 1e-7\n";
        assert_eq!(read(all).unwrap(), all.parse().unwrap());
        assert_eq!(read_value("[1.5, 2]").unwrap(), "[1.5, 2]".parse().unwrap());
    }

    #[test]
    fn what_is_too_long_is_named_with_its_place() {
        let error = read("a = 1\nb = 9223372036854775808").unwrap_err();
        assert_eq!(error.message, "9223372036854775808, expected a whole number of 64 bits");
        assert_eq!(error.at, Some(10));
    }
}
