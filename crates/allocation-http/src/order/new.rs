use super::lines::Lines;
use super::{on_shortage, priority};
use crate::body::Body;
use crate::fault::{Fault, Faults};
use crate::identifier::Identifier;
use crate::{hold, identifier};
use allocation_domain::{HoldDuration, NewOrder, OnShortage, OrderId, OrderLine, OrderTerms};
use deserr::Deserr;
use priority::Priority;
use serde::Deserialize;
use utoipa::ToSchema;

/// An order to place.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = Faults, deny_unknown_fields)]
#[schema(as = NewOrder)]
pub(crate) struct OrderToPlace {
    /// The name of the order.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    order_id: OrderId,
    /// What is ordered: from 1 to 500 lines, one for each SKU.
    #[schema(value_type = Vec<super::LineToPlace>, min_items = 1, max_items = 500)]
    lines: Lines,
    /// What becomes of the order when stock is short: it is refused as a whole, or what can be
    /// allocated is and the rest waits.
    #[serde(default, deserialize_with = "on_shortage::deserialize")]
    #[deserr(default)]
    #[schema(value_type = Option<super::OnShortageSchema>)]
    on_shortage: Option<OnShortage>,
    /// For how many seconds the units are held for the order to be confirmed. Null, or nothing, for
    /// an order that is firm from the start.
    #[serde(default, deserialize_with = "hold::deserialize_option")]
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 10, maximum = 86_400, example = 600)]
    hold_seconds: Option<HoldDuration>,
    /// Who of those that wait is served first: the higher number.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = Option<i32>, default = 0)]
    priority: Option<Priority>,
    /// Whether the lines take parts of what they wait for, or only the whole rest.
    #[serde(default)]
    #[deserr(default)]
    #[schema(default = true)]
    allow_split: Option<bool>,
}

impl Body for OrderToPlace {
    /// 500 SKUs of 255 characters take 1.5 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 2 * 1024 * 1024;

    type Content = NewOrder;

    fn content(self) -> Result<NewOrder, Faults> {
        let usual = OrderTerms::default();
        let terms = OrderTerms {
            on_shortage: self.on_shortage.unwrap_or(usual.on_shortage),
            hold: self.hold_seconds,
            priority: self.priority.map_or(usual.priority, Priority::get),
            allow_split: self.allow_split.unwrap_or(usual.allow_split),
        };
        let lines = self.lines.0;
        let mut faults = Faults::default();
        for (index, (sku, quantity)) in lines.iter().enumerate() {
            if let Err(error) = OrderLine::new(self.order_id.clone(), sku.clone(), *quantity) {
                faults.push_with(|| Fault::at(format!("/lines/{index}/sku"), error));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        NewOrder::new(self.order_id, lines, terms).map_err(|error| Fault::at("/lines", error).into())
    }
}
