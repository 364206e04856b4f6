//! Numbers the way people read them: durations, counts, money, shares and dates.

/// Milliseconds with the unit that suits them: `482 ns`, `12 ms`, `1.24 s`, `3.2 min`, `5.1 h`, `2.3 d`.
#[must_use]
pub fn duration_ms(ms: f64) -> String {
    const UNITS: [(f64, &str); 6] = [
        (86_400_000.0, "d"),
        (3_600_000.0, "h"),
        (60_000.0, "min"),
        (1000.0, "s"),
        (1.0, "ms"),
        (0.001, "µs"),
    ];
    let size = ms.abs();
    if !ms.is_finite() {
        return "∞".into();
    }
    // 999.6 ms would print as 1000 ms: what rounds up to the next unit belongs to it.
    for (unit, name) in UNITS {
        if size >= unit * 0.9995 {
            return format!("{} {name}", three_digits(ms / unit));
        }
    }
    if size == 0.0 { "0 ms".into() } else { format!("{} ns", three_digits(ms * 1e6)) }
}

/// Seconds with the unit that suits them.
#[must_use]
pub fn duration_s(seconds: f64) -> String {
    duration_ms(seconds * 1000.0)
}

/// A whole span without rounding above the millisecond: `1 h 0 min 5 s`, `2.5 s`.
#[must_use]
pub fn span_ms(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let left = ms.unsigned_abs();
    let (days, hours, minutes) = (left / 86_400_000, left / 3_600_000 % 24, left / 60_000 % 60);
    let seconds = trimmed(format!("{:.3}", (left % 60_000) as f64 / 1000.0));
    let text = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, _, _) => format!("{hours} h {minutes} min {seconds} s"),
        _ => format!("{days} d {hours} h {minutes} min {seconds} s"),
    };
    format!("{sign}{text}")
}

/// A count with thousands apart: `1,234,567`.
#[must_use]
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A number of any size with about three digits that matter, thousands apart.
#[must_use]
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return if x < 0.0 { "-∞".into() } else { "∞".into() };
    }
    let text = if x == x.trunc() && x.abs() < 1e15 { format!("{x:.0}") } else { three_digits(x) };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let whole = grouped(whole);
    fraction.map_or_else(|| format!("{sign}{whole}"), |f| format!("{sign}{whole}.{f}"))
}

/// US dollars: cents from ten dollars up, three digits that matter below.
#[must_use]
pub fn dollars(usd: f64) -> String {
    let size = usd.abs();
    let sign = if usd < 0.0 { "-" } else { "" };
    if size >= 9.995 {
        let cents = format!("{size:.2}");
        let (whole, fraction) = cents.split_once('.').unwrap_or((&cents, "00"));
        return format!("{sign}${}.{fraction}", grouped(whole));
    }
    format!("{sign}${}", if size == 0.0 { "0".into() } else { padded_cents(&three_digits(size)) })
}

/// A share of one as percent: `97.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", three_digits(share * 100.0))
}

/// Bytes in binary units.
#[must_use]
pub fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if n >= unit {
            return format!("{} {name}", three_digits(n as f64 / unit as f64));
        }
    }
    format!("{n} B")
}

/// `n` things, with the word in the right number.
#[must_use]
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Unix epoch milliseconds as `2026-01-05 10:31:05.250 UTC`; the fraction only where there is one.
#[must_use]
pub fn utc(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02} {} UTC", clock(in_day))
}

/// The time of day alone, `10:31:05.250`.
#[must_use]
pub fn utc_clock(ms: i64) -> String {
    clock(ms.rem_euclid(86_400_000))
}

fn clock(ms: i64) -> String {
    let (h, m, s, fraction) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let whole = format!("{h:02}:{m:02}:{s:02}");
    if fraction == 0 { whole } else { format!("{whole}.{fraction:03}") }
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar. Years are taken to begin in
/// March, so that the leap day is the last day of a year and month lengths follow one formula.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let era = shifted.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = shifted.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to this date of the Gregorian calendar: the inverse of [`civil_from_days`].
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Three digits that matter, without an exponent and without zeros at the end: `0.00123`, `1.24`, `12.4`, `1240`.
fn three_digits(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let magnitude = libm::floor(libm::log10(x.abs()));
    let decimals = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    trimmed(format!("{x:.decimals$}"))
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.into() }
}

/// Money has no single digit behind the point: `$1.5` is `$1.50`.
pub(super) fn padded_cents(text: &str) -> String {
    match text.split_once('.') {
        Some((_, fraction)) if fraction.len() == 1 => format!("{text}0"),
        _ => text.into(),
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_the_unit_a_person_would() {
        let shown: Vec<_> =
            [0.0, 0.000_482, 0.4, 12.0, 999.6, 1240.0, 61_000.0, 5_400_000.0, 2e8].map(duration_ms).into();
        assert_eq!(
            shown,
            ["0 ms", "482 ns", "400 µs", "12 ms", "1 s", "1.24 s", "1.02 min", "1.5 h", "2.31 d"]
        );
        assert_eq!(duration_ms(f64::INFINITY), "∞");
    }

    #[test]
    fn keeps_every_part_of_a_span() {
        assert_eq!(span_ms(1_865_250), "31 min 5.25 s");
        assert_eq!(span_ms(90_061_000), "1 d 1 h 1 min 1 s");
        assert_eq!(span_ms(-59_123), "-59.123 s");
    }

    #[test]
    fn sets_thousands_apart() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(number(-1234.0), "-1,234");
        assert_eq!(number(0.123_45), "0.123");
    }

    #[test]
    fn prints_small_and_large_money() {
        let shown: Vec<_> = [0.0, 0.000_123_4, 1.5, 9.999, 1234.5, 0.25].map(dollars).into();
        assert_eq!(shown, ["$0", "$0.000123", "$1.50", "$10.00", "$1,234.50", "$0.25"]);
    }

    #[test]
    fn writes_dates_across_leap_days() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400_250), "2000-02-29 00:00:00.250 UTC");
        assert_eq!(utc(1_767_571_200_000), "2026-01-05 00:00:00 UTC");
        assert_eq!(utc(-1), "1969-12-31 23:59:59.999 UTC");
    }

    #[test]
    fn dates_and_days_are_inverse() {
        for day in (-1_000_000..1_000_000).step_by(997) {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), day);
        }
    }
}
