//! A JSON view for deserr.
//!
//! [`serde_json::Value`] hides errors that this API reports. It keeps the last of several members of one
//! name, and it rejects the whole text for a number that is too large. This view keeps the text and parses
//! it one level at a time.

use super::Body;
use super::number::{self, Integer};
use crate::problem::{Kind, Problem};
use crate::validation_error::{Place, ValidationError, ValidationErrors, pointer};
use deserr::{IntoValue, Map, Sequence, Value, ValueKind, ValuePointerRef};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;

/// The most elements of an array, or members of an object, that are read: the longest array of a valid body.
///
/// The other elements of an array are only counted. An object with more members ends the search for errors.
pub(crate) const MAX_CHILDREN: usize = 1_000;

/// The longest member name that is read, in bytes: error messages repeat names.
const MAX_NAME_BYTES: usize = 1_024;

/// The depth of the search for repeated names; no body of this API is deeper.
const DEPTH: usize = 8;

/// Parses a body and adds all its errors; `None` if errors prevent parsing.
pub(super) fn read<T: Body>(bytes: &[u8], errors: &mut ValidationErrors) -> Result<Option<T>, Problem> {
    let json = Json(check_syntax(bytes)?);
    if check_members(json, ValuePointerRef::Origin, DEPTH, errors).is_break() {
        return Ok(None);
    }
    let (json, renamed) = match json.into_value() {
        Value::Map(members) => {
            let (members, renamed) = rename::<T>(members, errors);
            (Value::Map(members), renamed)
        }
        other => (other, Vec::new()),
    };
    Ok(match T::deserialize_from_value(json, ValuePointerRef::Origin) {
        Ok(body) => Some(body),
        Err(found) => {
            errors.append(found.map(|error| as_sent(error, &renamed)));
            None
        }
    })
}

fn malformed(error: impl fmt::Display) -> Problem {
    Problem::new(Kind::MalformedJson, format!("The body is not JSON: {error}"))
}

fn check_syntax(bytes: &[u8]) -> Result<&RawValue, Problem> {
    let text = std::str::from_utf8(bytes).map_err(malformed)?;
    let json = serde_json::from_str(text).map_err(malformed)?;
    match lone_surrogate(text) {
        None => Ok(json),
        Some(place) => Err(malformed(format_args!("half of a surrogate pair at byte {place}"))),
    }
}

/// Returns the position of an escaped lone UTF-16 surrogate in valid JSON.
fn lone_surrogate(text: &str) -> Option<usize> {
    let unit = |place: usize| {
        let digits = text.get(place..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut place = 0;
    while let Some(step) = text.get(place..)?.find('\\') {
        place += step;
        let pair = [unit(place), unit(place + 6)].into_iter().map_while(|unit| unit);
        match char::decode_utf16(pair).next() {
            None => place += 2,
            Some(Ok(character)) => place += 6 * character.len_utf16(),
            Some(Err(_)) => return Some(place),
        }
    }
    None
}

/// Adds an error for each member that repeats the name of an earlier one.
///
/// Breaks with an error at an object that is too large to read.
fn check_members(
    json: Json<'_>,
    at: ValuePointerRef<'_>,
    depth: usize,
    errors: &mut ValidationErrors,
) -> ControlFlow<()> {
    if depth == 0 {
        return ControlFlow::Continue(());
    }
    match json.into_value() {
        Value::Map(members) => {
            if let Some(excess) = members.excess() {
                errors.push(ValidationError::in_body(pointer(at), excess));
                return ControlFlow::Break(());
            }
            let mut names = HashSet::with_capacity(members.len());
            for (name, value) in &members.read {
                let place = at.push_key(name);
                if !names.insert(name) {
                    errors.push_with(|| ValidationError::in_body(pointer(place), "is given more than once"));
                }
                check_members(*value, place, depth - 1, errors)?;
            }
        }
        Value::Sequence(elements) => {
            for (index, element) in elements.into_iter().enumerate() {
                check_members(element, at.push_index(index), depth - 1, errors)?;
            }
        }
        _ => {}
    }
    ControlFlow::Continue(())
}

/// Renamed members: the known name, and the alias that was sent.
type Renamed = Vec<(&'static str, &'static str)>;

/// Renames aliases to the known names.
fn rename<'a, T: Body>(mut object: Members<'a>, errors: &mut ValidationErrors) -> (Members<'a>, Renamed) {
    let members = &mut object.read;
    let mut renamed = Vec::new();
    for &(alias, name) in T::ALIASES {
        let is_given = |name: &str| members.iter().any(|(given, _)| given == name);
        if !is_given(alias) {
            continue;
        }
        if is_given(name) {
            errors.push(ValidationError::in_body(
                format!("/{alias}"),
                format!("is another name of {name}: give one of them"),
            ));
            members.retain(|(given, _)| given != alias);
        } else {
            members.iter_mut().filter(|(given, _)| given == alias).for_each(|(given, _)| name.clone_into(given));
            renamed.push((name, alias));
        }
    }
    (object, renamed)
}

/// Returns an error with the name that the client sent.
fn as_sent(error: ValidationError, renamed: &Renamed) -> ValidationError {
    let Place::Pointer(pointer) = &error.place else { return error };
    match renamed.iter().find(|(name, _)| pointer.strip_prefix('/') == Some(name)) {
        Some((_, alias)) => ValidationError::in_body(format!("/{alias}"), &error.detail),
        None => error,
    }
}

/// A syntactically valid JSON text.
#[derive(Clone, Copy)]
struct Json<'a>(&'a RawValue);

impl<'a> IntoValue for Json<'a> {
    type Sequence = Elements<'a>;
    type Map = Members<'a>;

    fn kind(&self) -> ValueKind {
        self.into_value().kind()
    }

    fn into_value(self) -> Value<Self> {
        let text = self.0.get();
        match text.as_bytes().first() {
            Some(b'{') => Value::Map(serde_json::from_str(text).unwrap_or_default()),
            Some(b'[') => Value::Sequence(serde_json::from_str(text).unwrap_or_default()),
            Some(b'"') => Value::String(serde_json::from_str(text).unwrap_or_default()),
            Some(b't') => Value::Boolean(true),
            Some(b'f') => Value::Boolean(false),
            Some(b'n') => Value::Null,
            _ => number(text),
        }
    }
}

fn number<'a>(text: &str) -> Value<Json<'a>> {
    match number::integer(text) {
        Some(Integer::Positive(integer)) => Value::Integer(integer),
        Some(Integer::Negative(integer)) => Value::NegativeInteger(integer),
        None => Value::Float(text.parse().unwrap_or(f64::INFINITY)),
    }
}

/// The first elements of an array.
#[derive(Default)]
struct Elements<'a> {
    read: Vec<Json<'a>>,
    /// The number of all elements.
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while read.len() < MAX_CHILDREN
                    && let Some(element) = array.next_element()?
                {
                    read.push(Json(element));
                }
                let mut count = read.len();
                while array.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { read, count })
            }
        }

        deserializer.deserialize_seq(Array)
    }
}

impl<'a> Sequence for Elements<'a> {
    type Value = Json<'a>;
    type Iter = std::vec::IntoIter<Json<'a>>;

    fn len(&self) -> usize {
        self.count
    }

    fn into_iter(self) -> Self::Iter {
        IntoIterator::into_iter(self.read)
    }
}

/// The first members of an object in order, including repeated names.
#[derive(Default)]
struct Members<'a> {
    read: Vec<(String, Json<'a>)>,
    /// The number of all members.
    count: usize,
    /// The length of the longest name that was read, in bytes.
    longest_name: usize,
}

impl Members<'_> {
    /// Returns why the object is too large to read.
    fn excess(&self) -> Option<String> {
        if self.count > MAX_CHILDREN {
            return Some(format!("has {} members, more than the {MAX_CHILDREN} that are read", self.count));
        }
        (self.longest_name > MAX_NAME_BYTES)
            .then(|| format!("has a member name of {} bytes; the limit is {MAX_NAME_BYTES}", self.longest_name))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut read, mut longest_name) = (Vec::new(), 0);
                while read.len() < MAX_CHILDREN
                    && longest_name <= MAX_NAME_BYTES
                    && let Some((name, value)) = map.next_entry::<String, _>()?
                {
                    longest_name = longest_name.max(name.len());
                    read.push((name, Json(value)));
                }
                let mut count = read.len();
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Members { read, count, longest_name })
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'a> Map for Members<'a> {
    type Value = Json<'a>;
    type Iter = std::vec::IntoIter<(String, Json<'a>)>;

    fn len(&self) -> usize {
        self.read.len()
    }

    fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        let place = self.read.iter().position(|(name, _)| name == key)?;
        Some(self.read.remove(place).1)
    }

    fn into_iter(self) -> Self::Iter {
        self.read.into_iter()
    }
}
