use crate::choice::choice_schema;
use crate::identifier::Id;
use crate::promises::PromisesSchema;
use allocation_domain::OnShortage;
use utoipa::ToSchema;

/// A new order.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewOrderSchema {
    /// The id of the order.
    order_id: Id<'static>,
    /// The lines of the order: 1 to 500, one for each SKU.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<NewOrderLineSchema>,
    /// What happens if stock does not suffice: the order is rejected, or the rest is backordered.
    #[schema(value_type = OnShortageSchema, required = false)]
    on_shortage: Option<OnShortageSchema>,
    /// The seconds for which the units are held until the order is confirmed: at most 86,400, unless the server allows
    /// up to 2,592,000. Null or absent for an order that is firm at once.
    #[schema(value_type = Option<i32>, minimum = 10, maximum = 2_592_000, example = 600)]
    hold_seconds: Option<u32>,
    /// The priority of waiting lines. Higher numbers are served first.
    #[schema(default = 0)]
    priority: Option<i32>,
    /// Whether waiting lines accept part of their units, or only all of them at once.
    #[schema(default = true)]
    allow_split: Option<bool>,
    /// Whether lines move to an earlier batch when units of it come free, or keep the date that they were promised.
    #[schema(value_type = PromisesSchema, required = false)]
    promises: Option<PromisesSchema>,
    /// Whether pick lists leave the order out until all of it is in stock, so that it can ship together.
    #[schema(default = false)]
    ship_complete: Option<bool>,
}

/// A line of a new order.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewOrderLineSchema {
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 10)]
    qty: u32,
}

choice_schema! {
    /// What happens to an order if stock does not suffice: it is rejected, or the available units are
    /// allocated and the rest is backordered.
    OnShortageSchema as "OnShortage": OnShortage::NAMES
}
