//! Numbers in base 62, with the digits `0-9A-Za-z` as GitHub's tokens use them.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends a big-endian number to a text, padded with zeros to a number of digits that suffices for it.
pub(crate) fn append(text: &mut String, number: &[u8], digits: usize) {
    let mut number = number.to_vec();
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        reversed.push(char::from(DIGITS[divide(&mut number)]));
    }
    text.extend(reversed.iter().rev());
}

/// Returns whether every byte of a text is a digit.
pub(crate) fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Divides a big-endian number by 62 in place, and returns the remainder.
fn divide(number: &mut [u8]) -> usize {
    let mut remainder = 0;
    for byte in number {
        let value = remainder * 256 + usize::from(*byte);
        // The remainder is below 62, so the quotient is at most 255.
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        remainder = value % 62;
    }
    remainder
}

#[cfg(test)]
mod tests {
    use super::append;
    use proptest::prelude::*;

    fn encoded(number: &[u8], digits: usize) -> String {
        let mut text = String::new();
        append(&mut text, number, digits);
        text
    }

    #[test]
    fn numbers_are_padded_and_begin_with_the_highest_digit() {
        for (number, text) in [(0, "000000"), (61, "00000z"), (62, "000010"), (u32::MAX, "4gfFC3")] {
            assert_eq!(encoded(&number.to_be_bytes(), 6), text, "{number}");
        }
    }

    #[test]
    fn the_digits_suffice_for_the_largest_numbers() {
        assert_eq!(encoded(&[u8::MAX; 8], 11), "LygHa16AHYF");
        assert_ne!(encoded(&[u8::MAX; 32], 43), encoded(&[u8::MAX; 32], 44)[..43], "43 digits hold 256 bits");
        assert!(encoded(&[u8::MAX; 32], 44).starts_with('0'));
    }

    proptest! {
        #[test]
        fn different_numbers_differ(left: [u8; 32], right: [u8; 32]) {
            prop_assert_eq!(left == right, encoded(&left, 43) == encoded(&right, 43));
        }
    }
}
