//! Dates and times of day as nanoseconds since the Unix epoch: ISO 8601, or a pattern with `%` fields.

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// A time format such as `%d/%b/%Y:%H:%M:%S %z`.
///
/// Fields: `%Y` year, `%m` month, `%b` month's English name in three letters, `%d` day, `%H` hour, `%M` minute,
/// `%S` second, `%f` decimals of the second with or without a point before them (may be absent), `%z` zone as `Z`,
/// `+01:00` or `+0100` (absent: UTC), `%%`. Anything else stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimePattern(Vec<Item>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Year,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Decimals,
    Zone,
    /// `T` or a blank.
    Separator,
    Literal(u8),
}

struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    zone_minutes: i64,
}

impl TimePattern {
    /// `YYYY-MM-DD` `T` or a blank, `HH:MM:SS`, decimals if any, zone if any (else UTC).
    pub(crate) fn iso() -> Self {
        use Item::{Day, Decimals, Hour, Literal, Minute, Month, Second, Separator, Year, Zone};
        let (dash, colon) = (Literal(b'-'), Literal(b':'));
        Self(vec![
            Year, dash, Month, dash, Day, Separator, Hour, colon, Minute, colon, Second, Decimals, Zone,
        ])
    }

    /// Reads a pattern; the error is the part that is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut chars = text.bytes();
        while let Some(byte) = chars.next() {
            if byte != b'%' {
                items.push(Item::Literal(byte));
                continue;
            }
            items.push(match chars.next() {
                Some(b'Y') => Item::Year,
                Some(b'm') => Item::Month,
                Some(b'b') => Item::MonthName,
                Some(b'd') => Item::Day,
                Some(b'H') => Item::Hour,
                Some(b'M') => Item::Minute,
                Some(b'S') => Item::Second,
                Some(b'f') => Item::Decimals,
                Some(b'z') => Item::Zone,
                Some(b'%') => Item::Literal(b'%'),
                Some(other) => return Err(format!("%{}", char::from(other))),
                None => return Err("%".to_owned()),
            });
        }
        Ok(Self(items))
    }

    /// The cell's moment in nanoseconds since the Unix epoch, if it has this form.
    pub(crate) fn read(&self, cell: &[u8]) -> Option<i64> {
        let mut at =
            Moment { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0, zone_minutes: 0 };
        let mut rest = cell;
        for &item in &self.0 {
            at.take(item, &mut rest)?;
        }
        if rest.is_empty() { at.nanoseconds() } else { None }
    }
}

impl Moment {
    fn take(&mut self, item: Item, rest: &mut &[u8]) -> Option<()> {
        match item {
            Item::Year => self.year = digits(rest, 4)?,
            Item::Month => self.month = digits(rest, 2)?,
            Item::MonthName => self.month = month(rest)?,
            Item::Day => self.day = digits(rest, 2)?,
            Item::Hour => self.hour = digits(rest, 2)?,
            Item::Minute => self.minute = digits(rest, 2)?,
            Item::Second => self.second = digits(rest, 2)?,
            Item::Decimals => self.nanos = decimals(rest)?,
            Item::Zone => self.zone_minutes = zone(rest)?,
            Item::Separator => {
                let byte = first(rest)?;
                (byte == b'T' || byte == b' ').then_some(())?;
            }
            Item::Literal(wanted) => (first(rest)? == wanted).then_some(())?,
        }
        Some(())
    }

    fn nanoseconds(&self) -> Option<i64> {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let longest = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + i64::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        // 60: a leap second counts as the first second of the next minute.
        let is_valid = (1..=longest).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..=60).contains(&self.second);
        let day = days_since_epoch(self.year, self.month, self.day);
        let minutes = (day * 24 + self.hour) * 60 + self.minute - self.zone_minutes;
        let nanos = i128::from(minutes * 60 + self.second) * SECOND + i128::from(self.nanos);
        is_valid.then(|| i64::try_from(nanos).ok())?
    }
}

fn first(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(byte)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    *rest = tail;
    Some(value)
}

fn month(rest: &mut &[u8]) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(3)?;
    let index = MONTHS.iter().position(|m| head.eq_ignore_ascii_case(m))?;
    *rest = tail;
    Some(index as i64 + 1)
}

/// Any number of decimals; what is finer than a nanosecond is cut off.
fn decimals(rest: &mut &[u8]) -> Option<i64> {
    let after_point = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","));
    let text = after_point.unwrap_or(rest);
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if after_point.is_some() && count == 0 {
        return None;
    }
    let digit = |i: usize| if i < count { i64::from(text[i] - b'0') } else { 0 };
    *rest = &text[count..];
    Some((0..9).fold(0, |nanos, i| nanos * 10 + digit(i)))
}

/// Minutes east of UTC.
fn zone(rest: &mut &[u8]) -> Option<i64> {
    let sign = match rest.first() {
        None => return Some(0),
        Some(b'Z') => {
            *rest = &rest[1..];
            return Some(0);
        }
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    *rest = &rest[1..];
    let hours = digits(rest, 2)?;
    *rest = rest.strip_prefix(b":").unwrap_or(rest);
    let minutes = if rest.is_empty() { 0 } else { digits(rest, 2)? };
    Some(sign * (hours * 60 + minutes))
}

/// Days from 1970-01-01 in the Gregorian calendar, by counting years that begin in March.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in five months from March on; 719,468 days from 0000-03-01 to 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<i64> {
        TimePattern::iso().read(text.as_bytes())
    }

    #[test]
    fn reads_iso_dates() {
        assert_eq!(iso("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(iso("2023-11-16 18:15:46.6805900"), Some(1_700_158_546_680_590_000));
        assert_eq!(iso("2014-04-10 00:04:00"), Some(1_397_088_240_000_000_000));
        assert_eq!(iso("2000-02-29T12:00:00+01:30"), Some(951_820_200_000_000_000));
        assert_eq!(iso("2000-02-29T12:00:00.5-0130"), Some(951_831_000_500_000_000));
        assert_eq!(iso("1969-12-31T23:59:59.999999999"), Some(-1));
        assert_eq!(
            iso("2024-03-01T00:00:00").unwrap() - iso("2024-02-28T00:00:00").unwrap(),
            2 * 86_400 * 1_000_000_000
        );
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2023-02-29T00:00:00",
            "2023-13-01T00:00:00",
            "2023-00-01T00:00:00",
            "2023-01-32T00:00:00",
            "2023-01-01T24:00:00",
            "2023-01-01T00:60:00",
            "2023-01-01",
            "2023-01-01T00:00:00x",
            "2023-01-01T00:00:00.",
            "2023-01-01T00:00:00+1",
            "3000-01-01T00:00:00",
            "1e9",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn reads_patterns() {
        let apache = TimePattern::parse("[%d/%b/%Y:%H:%M:%S %z]").unwrap();
        assert_eq!(apache.read(b"[10/Oct/2000:13:55:36 -0700]"), iso("2000-10-10T20:55:36"));
        let compact = TimePattern::parse("%Y%m%d%H%M%S%f").unwrap();
        assert_eq!(compact.read(b"20001010205536250"), iso("2000-10-10T20:55:36.25"));
        assert_eq!(TimePattern::parse("%Y-%Q"), Err("%Q".to_owned()));
        assert_eq!(TimePattern::parse("%Y-%"), Err("%".to_owned()));
    }
}
