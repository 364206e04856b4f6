//! Durations as XML writes them: ISO 8601, such as `PT1H30M` and `P1DT0.5S`.

use crate::Millis;

/// Reads a duration of weeks, days, hours, minutes and seconds. Years and months have no length of their own.
pub(super) fn parse(text: &str) -> Option<Millis> {
    let (date, time) = match text.trim().strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text.trim().strip_prefix('P')?, None),
    };
    let days = parts(date, &[('W', 604_800.0), ('D', 86_400.0)])?;
    let seconds = match time {
        Some("") => return None,
        Some(time) => parts(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?,
        None if date.is_empty() => return None,
        None => 0.0,
    };
    let millis = ((days + seconds) * 1000.0).round();
    (millis < 1e15).then_some(Millis::new(millis as i64))
}

/// The sum of the parts, which have to come in the order of their units.
fn parts(mut text: &str, mut units: &[(char, f64)]) -> Option<f64> {
    let mut sum = 0.0;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(end);
        let mut chars = rest.chars();
        let unit = chars.next()?;
        let at = units.iter().position(|(known, _)| *known == unit)?;
        let is_whole = !number.contains('.');
        if !is_whole && unit != 'S' {
            return None;
        }
        sum += number.parse::<f64>().ok()? * units[at].1;
        units = &units[at + 1..];
        text = chars.as_str();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_the_standard_allows() {
        let ms = |text| parse(text).map(crate::Millis::get);
        assert_eq!(ms("PT1H"), Some(3_600_000));
        assert_eq!(ms("P1D"), Some(86_400_000));
        assert_eq!(ms("P1DT1H30M0.5S"), Some(91_800_500));
        assert_eq!(ms("P2W"), Some(1_209_600_000));
        assert_eq!(ms(" PT0S "), Some(0));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "P",
            "PT",
            "1H",
            "PT1",
            "P1H",
            "PT1D",
            "P1M",
            "P1Y",
            "PT1M1H",
            "PT1.5H",
            "-PT1H",
            "PTS",
            "P99999999999999W",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
