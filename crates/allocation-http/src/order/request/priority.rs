use crate::validation_error::{ValidationErrors, refuse};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;

const RULE: &str = "must be an integer from -2147483648 to 2147483647";

/// The priority of an order. Higher numbers are served first.
#[derive(Deserialize)]
pub(super) struct Priority(i32);

impl Priority {
    pub(super) const fn get(self) -> i32 {
        self.0
    }
}

impl Deserr<ValidationErrors> for Priority {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let number = match value {
            Value::Integer(number) => number.try_into().ok(),
            Value::NegativeInteger(number) => number.try_into().ok(),
            _ => None,
        };
        number.map_or_else(|| refuse(at, RULE), |number| Ok(Self(number)))
    }
}
