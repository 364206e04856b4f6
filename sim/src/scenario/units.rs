//! Values with units: durations such as `"800ms"` and dates such as `"2026-01-05T00:00:00Z"`.

use crate::model::{MILLI, Nanos, SECOND};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use wci_core::Timestamp;

/// Name of the schema format of a [`Span`].
pub(super) const SPAN_FORMAT: &str = "duration-with-unit";
/// What a [`Span`] looks like.
pub(super) const SPAN_EXPECTED: &str =
    "a duration with its unit (ns, us, ms, s, m, h or d), such as \"800ms\", \"6s\" or \"1h30m\"";
/// Name of the schema format of a date.
pub(super) const DATE_FORMAT: &str = "date-time";
/// What a date looks like.
pub(super) const DATE_EXPECTED: &str = "a date and time with its zone, such as \"2026-01-05T00:00:00Z\"";

/// Units by length, longest first.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", MILLI),
    ("us", 1_000),
    ("ns", 1),
];

/// A duration that is written with its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Nanos);

impl Span {
    /// Reads `"800ms"`, `"1.5h"`, `"1h30m"`.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        if rest.starts_with('-') {
            return Err("a negative duration".into());
        }
        let mut total: u64 = 0;
        loop {
            let (nanos, after) = first_part(rest)?;
            total = total.checked_add(nanos).ok_or("more than the 584 years that fit")?;
            rest = after;
            if rest.is_empty() {
                return Ok(Self(total));
            }
        }
    }
}

/// Reads one number with its unit and hands back what follows.
fn first_part(text: &str) -> Result<(u64, &str), String> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    if number.is_empty() {
        return Err("no number".into());
    }
    let unit = match unit.trim() {
        "" => return Err(format!("{number} without a unit")),
        // The two spellings of the Greek letter.
        "µs" | "μs" => "us",
        "min" => "m",
        unit => unit,
    };
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let factor = factor.ok_or_else(|| format!("the unknown unit {unit:?}"))?;
    Ok((decimal_times(number, factor)?, after))
}

/// `number * factor`, exact to the nanosecond (what is below is cut off).
fn decimal_times(number: &str, factor: u64) -> Result<u64, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(format!("{number:?}, which is no number"));
    }
    let too_long = || "more than the 584 years that fit".to_owned();
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| too_long())? };
    // No unit has more than 15 digits of nanoseconds, so further decimals cannot matter.
    let fraction = &fraction[..fraction.len().min(15)];
    let tenths = fraction.bytes().fold(0_u128, |n, digit| n * 10 + u128::from(digit - b'0'));
    let part = tenths * u128::from(factor) / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let sum = u128::from(whole) * u128::from(factor) + part;
    u64::try_from(sum).map_err(|_| too_long())
}

/// In the longest unit of which it is a multiple.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let fits = |(_, factor): &&(&str, u64)| self.0.is_multiple_of(*factor);
        let (unit, factor) = UNITS.iter().find(fits).unwrap_or(&("ns", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).map_err(|found| serde::de::Error::custom(format!("found {found}")))
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": SPAN_FORMAT,
            "pattern": "^([0-9]*\\.?[0-9]+ ?(ns|us|µs|ms|s|m|min|h|d))+$",
        })
    }
}

/// Reads a date with its zone.
///
/// # Errors
/// Says what is wrong with the text.
pub(super) fn parse_date(text: &str) -> Result<Timestamp, String> {
    let parsed: toml::value::Datetime = text.parse().map_err(|_| "no date".to_owned())?;
    let (Some(date), Some(time), Some(offset)) = (parsed.date, parsed.time, parsed.offset) else {
        return Err("a date without its time or its zone".into());
    };
    let zone_minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_since_epoch(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let minutes = i64::from(time.hour) * 60 + i64::from(time.minute) - zone_minutes;
    let seconds = i64::from(time.second.unwrap_or(0));
    let millis = i64::from(time.nanosecond.unwrap_or(0)) / 1_000_000;
    Ok(Timestamp::from_millis(((days * 1440 + minutes) * 60 + seconds) * 1000 + millis))
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March so that the leap day is
/// the last day of its year.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    march_year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> u64 {
        Span::parse(text).unwrap().0
    }

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!(nanos("800ms"), 800 * MILLI);
        assert_eq!(nanos("6s"), 6 * SECOND);
        assert_eq!(nanos("2h"), 7_200 * SECOND);
        assert_eq!(nanos("30d"), 30 * 86_400 * SECOND);
        assert_eq!(nanos("1h30m"), 5_400 * SECOND);
        assert_eq!(nanos("22222.2s"), 22_222_200 * MILLI);
        assert_eq!(nanos(".5 s"), 500 * MILLI);
        assert_eq!(nanos("5µs"), 5_000);
    }

    #[test]
    fn what_is_no_duration_is_refused_by_name() {
        for (text, found) in [
            ("800", "800 without a unit"),
            ("-5s", "a negative duration"),
            ("5 parsecs", "the unknown unit \"parsecs\""),
            ("s", "no number"),
            ("", "no number"),
            ("nan", "no number"),
            ("1.2.3s", "\"1.2.3\", which is no number"),
            (".s", "\".\", which is no number"),
            ("600y", "the unknown unit \"y\""),
            ("999999d", "more than the 584 years that fit"),
            ("99999999999999999999999s", "more than the 584 years that fit"),
        ] {
            assert_eq!(Span::parse(text), Err(found.to_owned()), "{text}");
        }
    }

    #[test]
    fn dates_are_milliseconds_since_the_epoch() {
        let date = |text| parse_date(text).unwrap().as_millis();
        assert_eq!(date("1970-01-01T00:00:00Z"), 0);
        assert_eq!(date("2026-01-05T00:00:00Z"), 1_767_571_200_000);
        assert_eq!(date("2024-02-29T12:30:01.250+02:00"), 1_709_202_601_250);
        assert_eq!(date("1900-03-01T00:00:00Z"), -2_203_891_200_000);
        assert!(parse_date("2026-01-05").is_err());
        assert!(parse_date("2026-01-05T00:00:00").is_err());
        assert!(parse_date("soon").is_err());
    }

    proptest! {
        #[test]
        fn a_shown_duration_reads_back(nanos in any::<u64>()) {
            prop_assert_eq!(Span::parse(&Span(nanos).to_string()), Ok(Span(nanos)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Span::parse(&text);
            let _ = parse_date(&text);
        }
    }
}
