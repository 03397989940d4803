//! Orders as they were placed. Both databases run these statements as they are.

use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use crate::row;
use crate::saving::expect_rows;
use crate::schema::{allocations, order_lines, orders};
use allocation_domain::{HoldDuration, NewOrder, OnShortage, OrderId, OrderTerms, Quantity, Sku};
use allocation_ports::{PlacedOrder, StoreError};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::BTreeSet;

/// A row of `orders` without its key.
#[derive(Debug, Queryable)]
struct OrderRow {
    lines: String,
    priority: i32,
    backorders: bool,
    allow_split: bool,
    hold_seconds: Option<i32>,
    placed_at: i64,
    cancelled_at: Option<i64>,
}

impl OrderRow {
    /// The order; fails on what no order can be.
    fn order(self, order_id: OrderId) -> Result<PlacedOrder, StoreError> {
        let lines: Vec<(String, i64)> = serde_json::from_str(&self.lines).map_err(corrupt)?;
        let line = |(sku, units)| Ok((row::sku(sku)?, Quantity::new(units).map_err(corrupt)?));
        let lines = lines.into_iter().map(line).collect::<Result<Vec<_>, StoreError>>()?;
        let terms = OrderTerms {
            on_shortage: if self.backorders { OnShortage::Backorder } else { OnShortage::Reject },
            hold: self.hold_seconds.map(HoldDuration::from_seconds).transpose().map_err(corrupt)?,
            priority: self.priority,
            allow_split: self.allow_split,
        };
        Ok(PlacedOrder {
            order: NewOrder::new(order_id, lines, terms).map_err(corrupt)?,
            placed_at: row::instant(self.placed_at)?,
            cancelled_at: self.cancelled_at.map(row::instant).transpose()?,
        })
    }
}

pub(crate) fn find(connection: &mut AnyConnection, order_id: &OrderId) -> Result<Option<PlacedOrder>, StoreError> {
    let found = orders::table
        .find(order_id.as_str())
        .select((
            orders::lines,
            orders::priority,
            orders::backorders,
            orders::allow_split,
            orders::hold_seconds,
            orders::placed_at,
            orders::cancelled_at,
        ))
        .first::<OrderRow>(connection)
        .optional()
        .map_err(store_error)?;
    found.map(|order| order.order(order_id.clone())).transpose()
}

pub(crate) fn skus_of(connection: &mut AnyConnection, order_id: &OrderId) -> Result<Vec<Sku>, StoreError> {
    // The condition of an index: no other line is without an allocation.
    let known_by_itself = sql::<Bool>("(of_order OR waiting > 0 OR ended IS NOT NULL)");
    let of_lines = order_lines::table
        .filter(order_lines::order_id.eq(order_id.as_str()))
        .filter(known_by_itself)
        .select(order_lines::sku)
        .load::<String>(connection)
        .map_err(store_error)?;
    let of_allocations = allocations::table
        .filter(allocations::order_id.eq(order_id.as_str()))
        .select(allocations::sku)
        .load::<String>(connection)
        .map_err(store_error)?;
    let skus: BTreeSet<String> = of_lines.into_iter().chain(of_allocations).collect();
    skus.into_iter().map(row::sku).collect()
}

pub(crate) fn add(connection: &mut AnyConnection, order: &NewOrder, at: DateTime<Utc>) -> Result<(), StoreError> {
    let terms = order.terms();
    let lines: Vec<_> = order.lines().iter().map(|(sku, quantity)| (sku.as_str(), quantity.get())).collect();
    let hold_seconds = terms.hold.map(|hold| i32::try_from(hold.seconds())).transpose();
    diesel::insert_into(orders::table)
        .values((
            orders::order_id.eq(order.order_id().as_str()),
            orders::lines.eq(serde_json::to_string(&lines).map_err(|error| StoreError::Failed(error.into()))?),
            orders::priority.eq(terms.priority),
            orders::backorders.eq(terms.on_shortage == OnShortage::Backorder),
            orders::allow_split.eq(terms.allow_split),
            orders::hold_seconds.eq(hold_seconds.map_err(|error| StoreError::Failed(error.into()))?),
            orders::placed_at.eq(at.timestamp_micros()),
            orders::cancelled_at.eq(None::<i64>),
        ))
        .execute(connection)
        .map_err(store_error)?;
    Ok(())
}

pub(crate) fn cancel(connection: &mut AnyConnection, order_id: &OrderId, at: DateTime<Utc>) -> Result<(), StoreError> {
    let order = orders::table.find(order_id.as_str());
    let cancelled = diesel::update(order.filter(orders::cancelled_at.is_null()))
        .set(orders::cancelled_at.eq(at.timestamp_micros()))
        .execute(connection)
        .map_err(store_error)?;
    if cancelled == 0 {
        let known = order.count().get_result::<i64>(connection).map_err(store_error)?;
        expect_rows(1, usize::try_from(known).map_err(corrupt)?)?;
    }
    Ok(())
}
