//! Orders as they were placed.

use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use crate::row;
use crate::schema::order_lines;
use allocation_domain::{HoldDuration, NewOrder, OnShortage, OrderId, OrderTerms, Quantity, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A row of `orders` as it is read.
#[derive(Debug, Queryable)]
pub(crate) struct StoredOrder {
    order_id: String,
    lines: String,
    priority: i32,
    backorders: bool,
    allow_split: bool,
    hold_seconds: Option<i32>,
}

impl StoredOrder {
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
        };
        NewOrder::new(row::order_id(self.order_id)?, lines, terms).map_err(corrupt)
    }
}

/// A row of `orders` as it is written.
#[derive(Debug)]
pub(crate) struct OrderValues<'a> {
    pub(crate) order_id: &'a str,
    pub(crate) lines: String,
    pub(crate) priority: i32,
    pub(crate) backorders: bool,
    pub(crate) allow_split: bool,
    pub(crate) hold_seconds: Option<i32>,
    pub(crate) placed_at: i64,
}

impl<'a> OrderValues<'a> {
    /// Returns the row of an order.
    pub(crate) fn of(order: &'a NewOrder, at: DateTime<Utc>) -> Result<Self, StoreError> {
        let terms = order.terms();
        let lines: Vec<_> = order.lines().iter().map(|(sku, quantity)| (sku.as_str(), quantity.get())).collect();
        let hold_seconds = terms.hold.map(|hold| i32::try_from(hold.seconds())).transpose();
        Ok(Self {
            order_id: order.order_id().as_str(),
            lines: serde_json::to_string(&lines).map_err(|error| StoreError::Failed(error.into()))?,
            priority: terms.priority,
            backorders: terms.on_shortage == OnShortage::Backorder,
            allow_split: terms.allow_split,
            hold_seconds: hold_seconds.map_err(|error| StoreError::Failed(error.into()))?,
            placed_at: at.timestamp_micros(),
        })
    }
}

/// Returns the SKUs of the lines of an order, sorted.
pub(crate) fn skus_of(connection: &mut AnyConnection, order_id: &OrderId) -> Result<Vec<Sku>, StoreError> {
    let rows = order_lines::table
        .filter(order_lines::order_id.eq(order_id.as_str()))
        .select(order_lines::sku)
        .load::<String>(connection)
        .map_err(store_error)?;
    let mut skus = rows.into_iter().map(row::sku).collect::<Result<Vec<_>, _>>()?;
    skus.sort_unstable();
    Ok(skus)
}
