//! Quantities in bodies.

use crate::fault::{Faults, refuse};
use allocation_domain::{Quantity, QuantityError};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, de};

/// Parses a quantity straight from the bytes of a body.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    Quantity::new(u64::deserialize(deserializer)?).map_err(de::Error::custom)
}

impl Deserr<Faults> for Quantity {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let quantity = match value {
            Value::Integer(units) => Self::new(units),
            _ => Err(QuantityError),
        };
        quantity.or_else(|error| refuse(at, error.to_string()))
    }
}
