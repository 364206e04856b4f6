//! Time as an argument: points are Unix epoch milliseconds, spans are milliseconds, both `i64`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A span of time in milliseconds; negative when a clock went backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// The point `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The span from `earlier` to here, clamped to what `i64` holds.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` later, clamped to what `i64` holds.
    #[must_use]
    pub const fn plus(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The point in UTC as RFC 3339 writes it, with milliseconds only if there are any; clamped to the years 0 to
    /// 9999, for which that format is made.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let millis = self.0.clamp(YEAR_0, YEAR_10000 - 1);
        let (year, month, day) = civil_date(millis.div_euclid(DAY));
        let of_day = millis.rem_euclid(DAY);
        let (seconds, rest) = (of_day / 1000, of_day % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }
}

const DAY: i64 = 86_400_000;
/// 0000-01-01T00:00:00Z.
const YEAR_0: i64 = -719_528 * DAY;
/// 10000-01-01T00:00:00Z.
const YEAR_10000: i64 = 2_932_897 * DAY;

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from 1 March, so that a leap day is the last day of its year, and in cycles of 400 years,
/// which all have 146,097 days.
const fn civil_date(days_since_epoch: i64) -> (i64, i64, i64) {
    const MARCH_1_OF_YEAR_0: i64 = -719_468;
    let days = days_since_epoch - MARCH_1_OF_YEAR_0;
    let cycle = days.div_euclid(146_097);
    let of_cycle = days.rem_euclid(146_097);
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // Months from March have 31, 30, 31, 30, 31 days and so on: 153 days in each five.
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + (month <= 2) as i64;
    (year, month, day)
}

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `millis` milliseconds.
    #[must_use]
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// A span of `secs` seconds, clamped to what `i64` milliseconds hold.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The span in milliseconds.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The span in milliseconds, for arithmetic and records; exact below 285,000 years.
    #[expect(clippy::cast_precision_loss, reason = "spans this long do not occur")]
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(millis: i64) -> String {
        Timestamp::from_millis(millis).to_rfc3339()
    }

    #[test]
    fn writes_dates_as_the_calendar_has_them() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_700_000_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(text(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(text(4_107_542_400_000), "2100-03-01T00:00:00Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(text(1_767_571_200_007), "2026-01-05T00:00:00.007Z");
    }

    #[test]
    fn clamps_what_the_format_cannot_say() {
        assert_eq!(text(i64::MIN), "0000-01-01T00:00:00Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn gives_each_day_of_400_years_its_own_date_in_order() {
        let dates: Vec<_> = (-200_000..200_000).map(civil_date).collect();
        assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(dates.iter().all(|(_, month, day)| (1..=12).contains(month) && (1..=31).contains(day)));
    }
}
