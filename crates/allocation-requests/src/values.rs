//! The values in requests.

use crate::date::parse_date;
use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::{
    AdjustmentId, AdjustmentReason, BatchReference, Carrier, CountId, Eta, HoldDuration, OnShortage, OpenLines,
    OrderId, PickListId, Promises, PutBackReason, Quantity, ReceiptId, ReturnId, ShipmentId, Sku, Tracking,
    UncountedLines, UnitChange, Units,
};
use std::fmt::Display;

macro_rules! identifiers {
    ($($identifier:ty),+) => {$(
        impl FromJson for $identifier {
            fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
                let text = json.string().ok_or_else(|| json.is_not("a string"))?;
                Self::try_from(&*text).map_err(ValidationErrors::of_value)
            }
        }
    )+};
}

identifiers!(
    AdjustmentId,
    AdjustmentReason,
    BatchReference,
    Carrier,
    CountId,
    OrderId,
    PickListId,
    PutBackReason,
    ReceiptId,
    ReturnId,
    ShipmentId,
    Sku,
    Tracking
);

/// Parses an integer. A value of another type violates the rule of the integer, too.
pub(crate) fn integer<T, E: Display>(
    json: Json<'_>,
    new: impl FnOnce(i64) -> Result<T, E>,
) -> Result<T, ValidationErrors> {
    // No type of this API contains the least integer.
    new(json.integer().unwrap_or(i64::MIN)).map_err(ValidationErrors::of_value)
}

impl FromJson for Quantity {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        integer(json, Self::new)
    }
}

impl FromJson for Units {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        integer(json, Self::new)
    }
}

impl FromJson for UnitChange {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        integer(json, Self::new)
    }
}

impl FromJson for HoldDuration {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        integer(json, Self::from_seconds)
    }
}

impl FromJson for i32 {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let rule = "must be an integer from -2147483648 to 2147483647";
        integer(json, |number| Self::try_from(number).map_err(|_| rule))
    }
}

impl FromJson for bool {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        json.boolean()
    }
}

/// A date as `YYYY-MM-DD`, or null for stock.
impl FromJson for Eta {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        const RULE: &str = "must be a date of the calendar, written YYYY-MM-DD, or null";
        if json.is_null() {
            return Ok(Self::InStock);
        }
        let Some(text) = json.string() else {
            return Err(ValidationErrors::of_value(format_args!("{RULE}; not {}", json.kind())));
        };
        let date = parse_date(&text).ok_or_else(|| ValidationErrors::of_value(RULE))?;
        Self::new(Some(date)).map_err(ValidationErrors::of_value)
    }
}

macro_rules! named {
    ($($name:ty),+) => {$(
        /// One of the names of the values.
        impl FromJson for $name {
            fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
                let name = json.string().ok_or_else(|| json.is_not(&format!("one of {}", Self::NAMES.join(", "))))?;
                name.parse().map_err(ValidationErrors::of_value)
            }
        }
    )+};
}

named!(OnShortage, OpenLines, Promises, UncountedLines);
