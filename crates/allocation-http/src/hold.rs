//! Hold durations in bodies.

use crate::validation_error::{ValidationErrors, refuse};
use allocation_domain::{HoldDuration, HoldDurationError};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, de};

/// Deserializes a hold duration straight from the bytes of a body.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HoldDuration, D::Error> {
    HoldDuration::from_seconds(u64::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// Deserializes a hold duration, or null for none, straight from the bytes of a body.
pub(crate) fn deserialize_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HoldDuration>, D::Error> {
    let seconds = Option::<u64>::deserialize(deserializer)?;
    seconds.map(|seconds| HoldDuration::from_seconds(seconds).map_err(de::Error::custom)).transpose()
}

impl Deserr<ValidationErrors> for HoldDuration {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let hold = match value {
            Value::Integer(seconds) => Self::from_seconds(seconds),
            _ => Err(HoldDurationError),
        };
        hold.or_else(|error| refuse(at, error.to_string()))
    }
}
