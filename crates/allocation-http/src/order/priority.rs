use crate::fault::{Faults, refuse};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;

const RULE: &str = "must be an integer from -2147483648 to 2147483647";

/// Who is served first: the higher number.
#[derive(Deserialize)]
pub(super) struct Priority(i32);

impl Priority {
    pub(super) const fn get(self) -> i32 {
        self.0
    }
}

impl Deserr<Faults> for Priority {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let number = match value {
            Value::Integer(number) => number.try_into().ok(),
            Value::NegativeInteger(number) => number.try_into().ok(),
            _ => None,
        };
        number.map_or_else(|| refuse(at, RULE), |number| Ok(Self(number)))
    }
}
