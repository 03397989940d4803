mod lines;
pub(super) mod on_shortage;
mod priority;

pub(super) use on_shortage::OnShortageSchema;

use crate::body::Body;
use crate::identifier::Identifier;
use crate::validation_error::{ValidationError, ValidationErrors};
use crate::{hold, identifier};
use allocation_domain::{HoldDuration, NewOrder, OnShortage, OrderId, OrderLine, OrderTerms};
use deserr::Deserr;
use lines::{LineToPlace, Lines};
use priority::Priority;
use serde::Deserialize;
use utoipa::ToSchema;

/// A new order.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
#[schema(as = NewOrder)]
pub(crate) struct OrderToPlace {
    /// The id of the order.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    order_id: OrderId,
    /// The lines of the order: 1 to 500, one for each SKU.
    #[schema(value_type = Vec<LineToPlace>, min_items = 1, max_items = 500)]
    lines: Lines,
    /// What happens if stock does not suffice: the order is rejected, or the rest is backordered.
    #[serde(default, deserialize_with = "on_shortage::deserialize")]
    #[deserr(default)]
    #[schema(value_type = Option<OnShortageSchema>)]
    on_shortage: Option<OnShortage>,
    /// The seconds for which the units are held until the order is confirmed. Null or absent for an order
    /// that is firm at once.
    #[serde(default, deserialize_with = "hold::deserialize_option")]
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 10, maximum = 86_400, example = 600)]
    hold_seconds: Option<HoldDuration>,
    /// The priority of waiting lines. Higher numbers are served first.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = Option<i32>, default = 0)]
    priority: Option<Priority>,
    /// Whether waiting lines accept part of their units, or only all of them at once.
    #[serde(default)]
    #[deserr(default)]
    #[schema(default = true)]
    allow_split: Option<bool>,
}

impl Body for OrderToPlace {
    /// 500 SKUs of 255 characters take 1.5 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 2 * 1024 * 1024;

    type Content = NewOrder;

    fn content(self) -> Result<NewOrder, ValidationErrors> {
        let usual = OrderTerms::default();
        let terms = OrderTerms {
            on_shortage: self.on_shortage.unwrap_or(usual.on_shortage),
            hold: self.hold_seconds,
            priority: self.priority.map_or(usual.priority, Priority::get),
            allow_split: self.allow_split.unwrap_or(usual.allow_split),
        };
        let lines = self.lines.0;
        let mut errors = ValidationErrors::default();
        for (index, (sku, quantity)) in lines.iter().enumerate() {
            if let Err(error) = OrderLine::new(self.order_id.clone(), sku.clone(), *quantity) {
                errors.push_with(|| ValidationError::in_body(format!("/lines/{index}/sku"), error));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        NewOrder::new(self.order_id, lines, terms).map_err(|error| ValidationError::in_body("/lines", error).into())
    }
}
