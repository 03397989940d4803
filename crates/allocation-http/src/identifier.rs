//! Identifiers in bodies and paths.

use crate::problem::Problem;
use crate::query::Query;
use crate::validation_error::{ValidationError, ValidationErrors, name, refuse};
use actix_web::HttpRequest;
use allocation_domain::{BatchReference, IdentifierError, OrderId, PickListId, Sku};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserializer;
use serde::de::{self, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schema of an identifier in the OpenAPI document.
pub(crate) struct Identifier;

impl PartialSchema for Identifier {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Chosen by the caller: 1 to 255 assigned characters of Unicode in normalization form C (NFC), no \
                 control or invisible characters, no white space but the space, and none at either end, not `.` \
                 or `..`; compared exactly. Percent-encode it in a path.",
            ))
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"))
            .into()
    }
}

impl ToSchema for Identifier {}

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

/// The identifiers in a request's path.
pub(crate) struct PathIdentifiers<'a> {
    path: &'a str,
    errors: ValidationErrors,
}

impl<'a> PathIdentifiers<'a> {
    /// Reads the path of a request without query parameters.
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self::beside(request, Query::of(request))
    }

    /// Reads the path of a request after its query parameters were taken.
    pub(crate) fn beside(request: &'a HttpRequest, query: Query) -> Self {
        // The router matches a partly decoded path, so the original path is read.
        Self { path: request.uri().path(), errors: query.errors() }
    }

    /// Returns the identifier in a path segment, counted from 1; if it is invalid, adds an error and returns `None`.
    pub(crate) fn take<T>(&mut self, segment: usize, parameter: &'static str) -> Option<T>
    where
        T: for<'b> TryFrom<&'b str, Error = IdentifierError>,
    {
        let parsed = match decode(self.path.split('/').nth(segment).unwrap_or_default()) {
            Some(text) => T::try_from(&*text).map_err(|error| error.to_string()),
            None => Err("must be percent-encoded UTF-8".to_owned()),
        };
        parsed.map_err(|detail| self.errors.push(ValidationError::in_parameter(parameter, detail))).ok()
    }

    /// Returns the number in a path segment, 1 or more; if it is invalid, adds an error and returns `None`.
    pub(crate) fn take_number(&mut self, segment: usize, parameter: &'static str) -> Option<u32> {
        let text = self.path.split('/').nth(segment).unwrap_or_default();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (1..=i32::MAX.unsigned_abs()).contains(number));
        if number.is_none() {
            self.errors.push(ValidationError::in_parameter(parameter, "must be an integer from 1 to 2147483647"));
        }
        number
    }

    /// Returns the errors of the path and the query.
    pub(crate) fn into_errors(self) -> ValidationErrors {
        self.errors
    }

    /// Returns the value if the request has no errors.
    pub(crate) fn finish<T>(self, found: Option<T>) -> Result<T, Problem> {
        self.errors.check(found)
    }
}

/// Deserializes an identifier straight from the bytes of a body.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> TryFrom<&'a str, Error = IdentifierError>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: for<'a> TryFrom<&'a str, Error = IdentifierError>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            T::try_from(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

fn read<T, V>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<T, ValidationErrors>
where
    T: for<'a> TryFrom<&'a str, Error = IdentifierError>,
    V: IntoValue,
{
    match value {
        Value::String(text) => T::try_from(&text).or_else(|error| refuse(location, error.to_string())),
        other => refuse(location, format!("must be a string, not {}", name(other.kind()))),
    }
}

macro_rules! from_body {
    ($($identifier:ty),+) => {$(
        impl Deserr<ValidationErrors> for $identifier {
            fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, ValidationErrors> {
                read(value, at)
            }
        }
    )+};
}

from_body!(BatchReference, OrderId, PickListId, Sku);

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
        fn what_is_encoded_decodes_to_itself(text: String) {
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
