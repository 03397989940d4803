//! Orders as rows.

use crate::columns::columns;
use crate::error::{corrupt, failed};
use crate::row;
use allocation_domain::{HoldDuration, NewOrder, OnShortage, OrderTerms, Promises, Quantity};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use std::borrow::Cow;

columns! {
    /// A row of `orders` without the instant at which it was placed, owned when it is read and borrowed when
    /// it is written.
    #[derive(Debug, Queryable)]
    struct OrderRow<'a>, set OrderRows<'a> {
        order_id: Text => Cow<'a, str>,
        /// The SKUs and units of the lines, as JSON.
        lines: Text => String,
        priority: Integer => i32,
        backorders: Bool => bool,
        allow_split: Bool => bool,
        ship_complete: Bool => bool,
        hold_seconds: Nullable<Integer> => Option<i32>,
        stable: Bool => bool,
    }
}

impl<'a> OrderRow<'a> {
    /// Converts the row; fails if no order has such values.
    pub(crate) fn order(self) -> Result<NewOrder, StoreError> {
        let lines: Vec<(String, i64)> = serde_json::from_str(&self.lines).map_err(corrupt)?;
        let line = |(sku, units)| Ok((row::sku(sku)?, Quantity::new(units).map_err(corrupt)?));
        let lines = lines.into_iter().map(line).collect::<Result<Vec<_>, StoreError>>()?;
        let terms = OrderTerms {
            on_shortage: if self.backorders { OnShortage::Backorder } else { OnShortage::Reject },
            hold: self.hold_seconds.map(HoldDuration::from_seconds).transpose().map_err(corrupt)?,
            priority: self.priority,
            allow_split: self.allow_split,
            promises: row::promises(self.stable),
            ship_complete: self.ship_complete,
        };
        NewOrder::new(row::order_id(self.order_id.into_owned())?, lines, terms).map_err(corrupt)
    }

    /// Returns the row of an order.
    pub(crate) fn of(order: &'a NewOrder) -> Result<Self, StoreError> {
        let terms = order.terms();
        let lines: Vec<_> = order.lines().iter().map(|(sku, quantity)| (sku.as_str(), quantity.get())).collect();
        Ok(Self {
            order_id: order.order_id().as_str().into(),
            lines: serde_json::to_string(&lines).map_err(failed)?,
            priority: terms.priority,
            backorders: terms.on_shortage == OnShortage::Backorder,
            allow_split: terms.allow_split,
            ship_complete: terms.ship_complete,
            hold_seconds: terms.hold.map(|hold| row::integer(hold.seconds())).transpose()?,
            stable: terms.promises == Promises::Stable,
        })
    }
}
