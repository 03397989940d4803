use crate::validation_error::{ValidationErrors, name, refuse};
use allocation_domain::OnShortage;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

const RULE: &str = "must be one of reject, backorder";

/// What happens to an order if stock does not suffice.
#[derive(ToSchema)]
#[schema(as = OnShortage, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum OnShortageSchema {
    /// The order is rejected.
    Reject,
    /// The available units are allocated, and the rest is backordered.
    Backorder,
}

fn parse(text: &str) -> Option<OnShortage> {
    match text {
        "reject" => Some(OnShortage::Reject),
        "backorder" => Some(OnShortage::Backorder),
        _ => None,
    }
}

/// Returns the name of a choice.
pub(in crate::order) const fn written(choice: OnShortage) -> &'static str {
    match choice {
        OnShortage::Reject => "reject",
        OnShortage::Backorder => "backorder",
    }
}

/// Deserializes a choice, or null for none, straight from the bytes of a body.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OnShortage>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text).ok_or_else(|| de::Error::custom(RULE))).transpose()
}

impl Deserr<ValidationErrors> for OnShortage {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        match value {
            Value::String(text) => parse(&text).map_or_else(|| refuse(at, RULE), Ok),
            other => refuse(at, format!("{RULE}; not {}", name(other.kind()))),
        }
    }
}
