//! Numbers out of texts.

/// A number as [`str::parse`] reads it; one that is too large is infinite.
///
/// The JSON library reads the same numbers with the same rounding and is there anyway; the standard library's reader
/// brings a table of 10 kB that no compressor makes smaller, and browsers download it.
#[must_use]
pub fn parse_number(text: &str) -> Option<f64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let size = match digits {
        _ if digits.eq_ignore_ascii_case("inf") || digits.eq_ignore_ascii_case("infinity") => f64::INFINITY,
        _ if digits.eq_ignore_ascii_case("nan") => f64::NAN,
        // Of a number that is written rightly, only its size can be refused.
        _ => serde_json::from_str(&as_json(digits)?).unwrap_or(f64::INFINITY),
    };
    Some(if is_negative { -size } else { size })
}

/// JSON wants digits on both sides of the point, and no zeros before them.
fn as_json(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !are_digits(whole) || !are_digits(fraction) || !are_digits(power) || power.is_empty() {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" if whole.is_empty() && fraction.is_empty() => return None,
        "" => "0",
        whole => whole,
    };
    Some(format!("{whole}.{fraction}0e{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::parse_number;
    use proptest::prelude::*;

    fn same(text: &str) {
        let (found, wanted) = (parse_number(text), text.parse::<f64>().ok());
        assert_eq!(found.map(f64::to_bits), wanted.map(f64::to_bits), "{text:?}");
    }

    #[test]
    fn reads_what_the_standard_library_reads() {
        let all = "0 -0 1 +1 .5 5. . 1.5e3 1e+3 1E-3 007 00.10 1e 1e+ e5 1e999 -1e999 1e-999 0e999999999999 1_000 0x10 \
                   inf -Infinity 9007199254740993 2.2250738585072011e-308 1.7976931348623159e308 4.9e-324 2e-324";
        all.split(' ').for_each(same);
        ["", " 1", "1 ", "1.2.3", "--1", "+-1", "1e5.0", "٣", "1e--5"].into_iter().for_each(same);
        assert!(parse_number("nan").is_some_and(f64::is_nan));
    }

    proptest! {
        #[test]
        fn any_text_is_read_alike(text in "[-+]?[0-9]{0,25}[.]?[0-9]{0,25}([eE][-+]?[0-9]{0,4})?") {
            same(&text);
        }

        #[test]
        fn any_number_comes_back(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(!number.is_nan());
            prop_assert_eq!(parse_number(&number.to_string()).map(f64::to_bits), Some(bits));
        }
    }
}
