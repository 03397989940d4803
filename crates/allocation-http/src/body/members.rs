//! Types for members that neither serde nor deserr covers.

use super::Body;
use crate::validation_error::ValidationErrors;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
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
