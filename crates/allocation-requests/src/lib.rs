#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod add_batch;
mod adjustment;
mod batch_change;
mod confirmation;
mod date;
mod distinct;
mod goods_return;
mod hold_extension;
mod integer;
mod items;
mod json;
mod list_shipment;
mod new_key;
mod new_order;
mod order_change;
mod order_line;
mod order_lines;
mod pick_list;
mod picked_units;
mod product_settings;
mod receipt;
mod shipment;
mod stock_count;
mod units_put_back;
mod validation_error;
mod values;

pub use add_batch::AddBatch;
pub use confirmation::Confirmation;
pub use date::parse_date;
pub use hold_extension::HoldExtension;
pub use items::{ItemFormat, MAX_ITEMS, split_items};
pub use json::{Elements, FromJson, Json, Object, ParseError, parse};
pub use list_shipment::ListShipment;
pub use order_change::OrderChangeRequest;
pub use pick_list::PickListRequest;
pub use picked_units::PickedUnits;
pub use product_settings::ProductSettings;
pub use receipt::ReceiptRequest;
pub use stock_count::CountClosing;
pub use units_put_back::UnitsPutBack;
pub use validation_error::{Location, ValidationError, ValidationErrors};

/// An object without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Empty;

impl FromJson for Empty {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        json.object()?.finish(|| Some(Self))
    }
}
