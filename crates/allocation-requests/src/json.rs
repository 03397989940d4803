//! JSON text that is parsed one level at a time.
//!
//! [`serde_json::Value`] hides errors that requests must not have. It keeps the last of several members of one
//! name, and it rejects the whole text for a number that is too large.

mod elements;
mod object;

use crate::integer;
use crate::validation_error::{ValidationError, ValidationErrors};
pub use elements::Elements;
pub use object::Object;
use object::escape;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;

/// The maximum number of elements of an array, or members of an object, that are read: the length of the longest
/// array in a valid request.
///
/// The other elements of an array are only counted. An object with more members ends the search for errors.
pub(crate) const MAX_CHILDREN: usize = 1_000;

/// The depth of the search for repeated names; no request is deeper.
const DEPTH: usize = 8;

/// An error of a text that is not a valid request.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON in UTF-8. The message says why and where.
    #[error("{0}")]
    Malformed(String),
    /// The JSON is not a valid request.
    #[error("{0}")]
    Invalid(ValidationErrors),
}

/// A type that can be parsed from JSON.
pub trait FromJson: Sized {
    /// Parses a value.
    ///
    /// # Errors
    ///
    /// All errors of the value, with JSON pointers relative to it. The list may be empty if the only error is
    /// a repeated member, which [`parse`] reports.
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors>;
}

/// Null is `None`.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }
}

/// Parses a request.
///
/// # Errors
///
/// [`ParseError::Malformed`] for a text that is not JSON, otherwise [`ParseError::Invalid`] with all errors.
pub fn parse<T: FromJson>(text: &[u8]) -> Result<T, ParseError> {
    let text = std::str::from_utf8(text).map_err(malformed)?;
    if text.starts_with('{')
        && let Ok(object) = T::from_json(Json(text))
    {
        // Only `Json::as_object` accepts such a text, and it reads all of it: the syntax is valid.
        return check_surrogates(text).map(|()| object);
    }
    let json = Json::new(serde_json::from_str(text).map_err(malformed)?);
    check_surrogates(text)?;
    T::from_json(json).map_err(|found| {
        let mut errors = ValidationErrors::default();
        if check_members(json, &Path::Root, DEPTH, &mut errors).is_continue() {
            errors.append(found);
        }
        ParseError::Invalid(errors)
    })
}

pub(crate) fn malformed(error: impl fmt::Display) -> ParseError {
    ParseError::Malformed(error.to_string())
}

fn check_surrogates(json: &str) -> Result<(), ParseError> {
    match lone_surrogate(json) {
        None => Ok(()),
        Some(position) => Err(malformed(format_args!("half of a surrogate pair at byte {position}"))),
    }
}

/// Returns the position of an escaped lone UTF-16 surrogate in valid JSON.
fn lone_surrogate(text: &str) -> Option<usize> {
    let unit = |position: usize| {
        let digits = text.get(position..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut position = 0;
    while let Some(step) = text.get(position..)?.find('\\') {
        position += step;
        let pair = [unit(position), unit(position + 6)].into_iter().map_while(|unit| unit);
        match char::decode_utf16(pair).next() {
            None => position += 2,
            Some(Ok(character)) => position += 6 * character.len_utf16(),
            Some(Err(_)) => return Some(position),
        }
    }
    None
}

/// The path from the whole text to a value.
enum Path<'a> {
    Root,
    Member(&'a Self, &'a str),
    Element(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => write!(f, "{parent}/{}", escape(name)),
            Self::Element(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Adds an error for each member that repeats the name of an earlier one.
///
/// Breaks with an error at an object that is too large to read.
fn check_members(json: Json<'_>, path: &Path<'_>, depth: usize, errors: &mut ValidationErrors) -> ControlFlow<()> {
    if depth == 0 {
        return ControlFlow::Continue(());
    }
    if let Some(object) = json.as_object() {
        if let Some(excess) = object.excess() {
            errors.push(ValidationError::in_body(path.to_string(), excess));
            return ControlFlow::Break(());
        }
        let mut names = HashSet::new();
        for (name, value) in object.members() {
            let path = Path::Member(path, name);
            if !names.insert(name) {
                errors.push_with(|| ValidationError::in_body(path.to_string(), "is given more than once"));
            }
            check_members(value, &path, depth - 1, errors)?;
        }
    } else if let Some(elements) = json.elements() {
        for (index, element) in elements.into_iter().enumerate() {
            check_members(element, &Path::Element(path, index), depth - 1, errors)?;
        }
    }
    ControlFlow::Continue(())
}

/// A value in a syntactically valid JSON text.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a>(&'a str);

/// A string, borrowed from the text unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a RawValue) -> Self {
        Self(text.get())
    }

    fn first(self) -> Option<u8> {
        self.0.bytes().next()
    }

    /// Returns the type of the value, for messages: `null`, `a number` and so on.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self.first() {
            Some(b'n') => "null",
            Some(b't' | b'f') => "a boolean",
            Some(b'"') => "a string",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            _ => "a number",
        }
    }

    /// Returns whether the value is null.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.first() == Some(b'n')
    }

    /// Returns a boolean.
    ///
    /// # Errors
    ///
    /// An error if the value is of another type.
    pub fn boolean(self) -> Result<bool, ValidationErrors> {
        match self.first() {
            Some(b't') => Ok(true),
            Some(b'f') => Ok(false),
            _ => Err(self.is_not("a boolean")),
        }
    }

    /// Returns a string; `None` if the value is of another type.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        match self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            // Valid JSON has no quotation mark in a string without escapes.
            Some(text) if !text.contains('\\') => Some(Cow::Borrowed(text)),
            _ => serde_json::from_str(self.0).ok().map(|Text(text)| text),
        }
    }

    /// Returns an integer in any notation; `None` if the value is not an integer, or does not fit 64 bits.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        match self.first() {
            Some(b'-' | b'0'..=b'9') => integer::parse(self.0),
            _ => None,
        }
    }

    /// Returns the elements of an array; `None` if the value is of another type.
    #[must_use]
    pub fn elements(self) -> Option<Elements<'a>> {
        serde_json::from_str(self.0).ok()
    }

    /// Returns an object, whose members are then taken one by one.
    ///
    /// # Errors
    ///
    /// An error if the value is of another type, or the object is too large to read.
    pub fn object(self) -> Result<Object<'a>, ValidationErrors> {
        let object = self.as_object().ok_or_else(|| self.is_not("an object"))?;
        match object.excess() {
            None => Ok(object),
            Some(excess) => Err(ValidationErrors::of_value(excess)),
        }
    }

    fn as_object(self) -> Option<Object<'a>> {
        serde_json::from_str(self.0).ok()
    }

    /// Returns the error of a value that is not of an expected type.
    #[must_use]
    pub fn is_not(self, expected: &str) -> ValidationErrors {
        ValidationErrors::of_value(format_args!("must be {expected}, not {}", self.kind()))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHILDREN, ParseError, parse};
    use crate::{Empty, FromJson, Json, ValidationErrors};
    use allocation_domain::{OrderLine, Quantity};
    use proptest::prelude::*;

    fn errors<T: FromJson>(text: &str) -> Vec<String> {
        match parse::<T>(text.as_bytes()) {
            Err(ParseError::Invalid(errors)) => errors.listed().iter().map(ToString::to_string).collect(),
            Err(ParseError::Malformed(error)) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn every_error_is_reported_in_the_order_of_the_text() {
        let text = r#"{"qty": 0, "a/b~c": 1, "order_id": 7, "order_id": "O-1"}"#;
        let expected = [
            "/order_id is given more than once",
            "/qty must be an integer from 1 to 2147483647",
            "/a~1b~0c is not known; known are order_id, sku, qty",
            "/order_id must be a string, not a number",
            "/sku is missing",
        ];
        assert_eq!(errors::<OrderLine>(text), expected);
    }

    #[test]
    fn a_repeated_member_is_an_error_even_with_the_same_value() {
        let text = r#"{"order_id": "O-1", "sku": "LAMP", "qty": 1, "q\u0074y": 1}"#;
        assert_eq!(errors::<OrderLine>(text), ["/qty is given more than once"]);
        let nested = r#"{"x": {"y": 1, "y": [{"z": 1, "z": 2}]}}"#;
        let expected = [
            "/x/y is given more than once",
            "/x/y/0/z is given more than once",
            "/x is not known; there are no members",
        ];
        assert_eq!(errors::<Empty>(nested), expected);
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        for (text, kind) in [("null", "null"), ("[{}]", "an array"), (" 7 ", "a number"), ("true", "a boolean")] {
            assert_eq!(errors::<Empty>(text), [format!("must be an object, not {kind}")]);
        }
    }

    #[test]
    fn of_an_array_no_more_is_read_than_the_longest_valid_one_has() {
        let text = format!("[{}]", ["0"; 100_000].join(","));
        let elements = Json::new(serde_json::from_str(&text).unwrap()).elements().unwrap();
        assert_eq!((elements.count(), elements.into_iter().count()), (100_000, MAX_CHILDREN));
    }

    #[test]
    fn an_object_that_is_too_large_is_one_error() {
        let members = |of: usize| (0..of).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",");
        assert_eq!(errors::<Empty>(&format!("{{{}}}", members(MAX_CHILDREN))).len(), MAX_CHILDREN);
        let excess = "has 1001 members, more than the 1000 that are read";
        assert_eq!(errors::<Empty>(&format!("{{{}}}", members(MAX_CHILDREN + 1))), [excess]);
        let with_name = |bytes: usize| errors::<Empty>(&format!("{{\"{}\":1}}", "n".repeat(bytes)));
        assert!(with_name(1_024)[0].ends_with("is not known; there are no members"));
        assert_eq!(with_name(1_025), ["has a member name of 1025 bytes; the limit is 1024"]);
    }

    struct Flag;

    impl FromJson for Flag {
        fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
            json.boolean().map(|_| Self)
        }
    }

    #[test]
    fn null_is_an_error_unless_the_member_is_optional() {
        assert_eq!(errors::<Flag>("null"), ["must be a boolean, not null"]);
        assert!(errors::<Option<Flag>>("null").is_empty());
    }

    fn escaped(text: &str) -> String {
        text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
    }

    proptest! {
        #[test]
        fn a_line_is_the_same_however_it_is_written(order in "[A-Za-z🪑/]{1,9}", qty in 1..=Quantity::MAX) {
            let plain = format!(r#"{{"order_id":"{order}","sku":"LAMP","qty":{qty}}}"#);
            let other = format!(r#" {{ "qty" : {qty}.0e0, "sku":"L\u0041MP", "order_id":"{}" }} "#, escaped(&order));
            let line: OrderLine = parse(plain.as_bytes()).unwrap();
            prop_assert_eq!((line.order_id().as_str(), line.quantity().get()), (&*order, qty));
            prop_assert_eq!(line, parse(other.as_bytes()).unwrap());
        }

        #[test]
        fn no_bytes_crash_the_parser(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(parse::<OrderLine>(&text).is_err());
        }

        #[test]
        fn no_text_of_json_characters_crashes_the_parser(text in r#"[\{\}\[\]":,\\ud8e3 0-9a-f]{0,40}"#) {
            prop_assert!(parse::<OrderLine>(text.as_bytes()).is_err());
        }
    }
}
