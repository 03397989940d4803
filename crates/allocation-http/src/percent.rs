//! Percent-encoding (RFC 3986).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a text for a path segment or a query value.
pub(crate) fn encode(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, RESERVED)
}

/// Decodes percent-encoding once; `None` if a `%` lacks two hexadecimal digits, or if the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    let complete = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(complete) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use proptest::prelude::*;

    #[test]
    fn decoding_is_done_once_and_strictly() {
        let decoded = |text| decode(text).map(String::from);
        assert_eq!(decoded("a%2fb+c%25"), Some("a/b+c%".to_owned()));
        assert_eq!(decoded("%252F"), Some("%2F".to_owned()));
        for wrong in ["%", "%2", "%%25", "a%2", "%zz", "%+1", "%é1", "%FF", "%C3", "%ED%A0%80"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(text: String) {
            let encoded = encode(&text).to_string();
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
            prop_assert!(encoded.bytes().all(unreserved));
            prop_assert_eq!(decode(&encoded).map(String::from), Some(text));
        }

        #[test]
        fn no_text_crashes_decoding(text: String) {
            let _any = decode(&text);
        }
    }
}
