//! Integers as JSON Schema defines them: numbers without a fractional part, in any notation.

/// Returns the exact integer value of a valid JSON number: `2.0` is 2 and `1e1` is 10.
///
/// `None` if it has a fractional part or does not fit 64 bits.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (is_negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude: u64 = magnitude.parse().ok().or_else(|| scaled(magnitude))?;
    if is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() }
}

/// Converts a number with a fraction or an exponent to an integer.
fn scaled(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    // No body is long enough for its digits to offset an exponent beyond 64 bits.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent.parse().ok()?)?;
    let point = usize::try_from(point).ok()?;
    if digits().skip(point).any(|digit| digit != b'0') {
        return None;
    }
    let zeros = std::iter::repeat(b'0');
    digits()
        .chain(zeros)
        .take(point)
        .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;

    #[test]
    fn a_number_without_a_fractional_part_is_an_integer() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0e7", 0),
            ("0e999999999999999999999", 0),
            ("2.0", 2),
            ("1e1", 10),
            ("1E+1", 10),
            ("1.5e1", 15),
            ("20e-1", 2),
            ("100.00e-2", 1),
            ("0.0002e4", 2),
            ("-2.0", -2),
            ("-1e1", -10),
            ("9223372036854775807.0", i64::MAX),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_fraction_or_a_number_out_of_range_is_none() {
        for text in [
            "1.5",
            "0.1",
            "1e-1",
            "2.0000000000000000000000000000001",
            "9007199254740993.5",
            "9223372036854775808",
            "9223372036854775808.0",
            "18446744073709551616",
            "-9223372036854775809",
            "1e400",
            "1e999999999999999999999",
            "1e-999999999999999999999",
            "1e9223372036854775807",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_notation_of_an_integer_is_that_integer(number: u32, zeros in 0..20_usize, shift in 0..9_usize) {
            let (digits, zeros) = (format!("{number:010}"), "0".repeat(zeros));
            let (whole, fraction) = digits.split_at(digits.len() - shift);
            let expected = Some(number.into());
            prop_assert_eq!(parse(&format!("{number}.0{zeros}")), expected);
            prop_assert_eq!(parse(&format!("{whole}.{fraction}{zeros}e{shift}")), expected);
            prop_assert_eq!(parse(&format!("{number}{zeros}e-{}", zeros.len())), expected);
        }

        #[test]
        fn no_number_crashes(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,25})?") {
            let _ = parse(&text);
        }
    }
}
