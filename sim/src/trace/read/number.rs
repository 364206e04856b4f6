//! Numbers and times as traces write them, read exactly: decimals become whole nanoseconds without a float between.

use super::error::Fault;
use super::options::Unit;

/// Digits read exactly; more (or an exponent) go through a float.
const MAX_DIGITS: usize = 24;

/// A finite number.
pub(crate) fn number(cell: &[u8]) -> Result<f64, Fault> {
    let parsed = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok());
    parsed.filter(|n| n.is_finite()).ok_or_else(|| Fault::bad_cell(cell, "a number"))
}

/// A whole number of at least 0, possibly written as a float ("94.0").
pub(crate) fn count(cell: &[u8]) -> Result<u32, Fault> {
    let parsed = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<u32>().ok());
    let parsed = parsed.or_else(|| {
        let float = number(cell).ok()?;
        (float >= 0.0 && float <= f64::from(u32::MAX) && float.fract() == 0.0).then_some(float as u32)
    });
    parsed.ok_or_else(|| Fault::bad_cell(cell, "a count (a whole number from 0 to 4294967295)"))
}

/// A decimal number of units as nanoseconds, rounded to the nearest.
pub(crate) fn nanoseconds(cell: &[u8], unit: Unit) -> Result<i64, Fault> {
    match decimal(cell) {
        Some((mantissa, scale)) => {
            let divisor = 10_i128.pow(scale);
            let product = mantissa * i128::from(unit.nanoseconds());
            let rounded = (product + product.signum() * divisor / 2) / divisor;
            i64::try_from(rounded).map_err(|_| out_of_range(cell))
        }
        None => float_nanoseconds(number(cell)?, unit).ok_or_else(|| out_of_range(cell)),
    }
}

/// A float number of units as nanoseconds; `None` when it is no number or does not fit.
pub(crate) fn float_nanoseconds(value: f64, unit: Unit) -> Option<i64> {
    let nanos = value * unit.nanoseconds() as f64;
    // Below 2^63: the largest float that fits is the one before it.
    (nanos.abs() < i64::MAX as f64).then(|| nanos.round() as i64)
}

fn out_of_range(cell: &[u8]) -> Fault {
    Fault::bad_cell(cell, "a time within 292 years")
}

/// Mantissa and number of decimals of a plain decimal number.
fn decimal(cell: &[u8]) -> Option<(i128, u32)> {
    let (is_negative, digits) = match cell.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, cell),
    };
    let (mut mantissa, mut seen, mut point) = (0_i128, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' if seen < MAX_DIGITS => {
                mantissa = mantissa * 10 + i128::from(byte - b'0');
                seen += 1;
            }
            b'.' if point.is_none() => point = Some(seen),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |p| seen - p);
    (seen > 0).then_some((if is_negative { -mantissa } else { mantissa }, decimals as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_exact_nanoseconds() {
        let cases: [(&str, Unit, i64); 10] = [
            ("1700000000.123456789", Unit::Seconds, 1_700_000_000_123_456_789),
            ("0.07949090003967285", Unit::Seconds, 79_490_900),
            ("-0.0000000015", Unit::Seconds, -2),
            ("+3", Unit::Milliseconds, 3_000_000),
            ("1.5", Unit::Minutes, 90_000_000_000),
            ("7", Unit::Nanoseconds, 7),
            (".5", Unit::Microseconds, 500),
            ("1e3", Unit::Seconds, 1_000_000_000_000),
            ("2.", Unit::Hours, 7_200_000_000_000),
            ("0.1234567890123456789012345678", Unit::Seconds, 123_456_789),
        ];
        for (text, unit, nanos) in cases {
            assert_eq!(nanoseconds(text.as_bytes(), unit).unwrap(), nanos, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", "-", ".", "abc", "1,5", "0x10", "1.2.3", "NaN", "inf", "1e999", "\u{fe}"] {
            assert!(nanoseconds(text.as_bytes(), Unit::Seconds).is_err(), "{text}");
            assert!(number(text.as_bytes()).is_err(), "{text}");
        }
        assert!(nanoseconds(b"9223372037", Unit::Seconds).is_err());
        assert!(nanoseconds(b"999999999999999999999999", Unit::Days).is_err());
        assert!(nanoseconds(&[0xff], Unit::Seconds).is_err());
    }

    #[test]
    fn counts_may_be_written_as_floats() {
        assert_eq!(count(b"94.0").unwrap(), 94);
        assert_eq!(count(b"0").unwrap(), 0);
        for text in ["-1", "1.5", "4294967296", "NaN", ""] {
            assert!(count(text.as_bytes()).is_err(), "{text}");
        }
    }
}
