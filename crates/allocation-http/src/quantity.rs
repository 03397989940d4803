//! Quantities in bodies and queries.

use crate::validation_error::{ValidationErrors, refuse};
use allocation_domain::{Quantity, QuantityError, Units, UnitsError};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, de};

/// Deserializes a quantity straight from the bytes of a body.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    Quantity::new(u64::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// Deserializes units, possibly zero, straight from the bytes of a body.
pub(crate) fn deserialize_units<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Units, D::Error> {
    Units::new(u64::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// Returns whether the units are zero and omitted.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) const fn is_none(units: &u32) -> bool {
    *units == 0
}

/// Parses a quantity in a query.
pub(crate) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let units: Option<u64> = text.parse().ok().filter(|_| digits);
    units.map_or(Err(QuantityError), Quantity::new)
}

impl Deserr<ValidationErrors> for Quantity {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let quantity = match value {
            Value::Integer(units) => Self::new(units),
            _ => Err(QuantityError),
        };
        quantity.or_else(|error| refuse(at, error.to_string()))
    }
}

impl Deserr<ValidationErrors> for Units {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let units = match value {
            Value::Integer(units) => Self::new(units),
            _ => Err(UnitsError),
        };
        units.or_else(|error| refuse(at, error.to_string()))
    }
}
