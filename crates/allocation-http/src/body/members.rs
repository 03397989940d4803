//! Types for members that neither serde nor deserr covers.

use super::Body;
use crate::validation_error::ValidationErrors;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// An optional member that distinguishes absence from null.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"), from = "T")]
pub(crate) struct Given<T>(pub(crate) Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Deserr<ValidationErrors>> Deserr<ValidationErrors> for Given<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        T::deserialize_from_value(value, at).map(Self::from)
    }
}

/// A body without content: an object without members.
#[derive(Deserialize, Deserr)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
pub(crate) struct NoMembers {}

impl Body for NoMembers {
    type Content = ();

    fn content(self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// Deserializes a struct from an object only. Serde alone also accepts an array.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

/// Deserializes an array of at most `max` elements. A longer one is an error before it takes more memory.
pub(crate) fn array<'de, D, T>(deserializer: D, max: usize) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Array<T>(usize, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Array<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of at most {} elements", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = array.next_element()? {
                if elements.len() == self.0 {
                    return Err(A::Error::invalid_length(self.0 + 1, &self));
                }
                elements.push(element);
            }
            Ok(elements)
        }
    }

    deserializer.deserialize_seq(Array(max, PhantomData))
}
