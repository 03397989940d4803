#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod batch_change;
mod date;
mod elements;
mod hold_extension;
mod integer;
mod json;
mod new_batch;
mod new_order;
mod object;
mod order_line;
mod pick_list;
mod picked_units;
mod validation_error;
mod values;

pub use date::parse_date;
pub use elements::Elements;
pub use hold_extension::HoldExtension;
pub use json::{FromJson, Json, ParseError, parse};
pub use object::Object;
pub use pick_list::PickListRequest;
pub use picked_units::PickedUnits;
pub use validation_error::{Location, ValidationError, ValidationErrors};

/// An object without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Empty;

impl FromJson for Empty {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        json.object()?.finish(|| Some(Self))
    }
}
