//! Candidates among the orders that may match a filter.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use allocation_domain::{OrderId, OrderStatus};
use allocation_ports::{OrderFilter, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeSet;

statement! {
    All<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines WHERE order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    Held<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines
     WHERE expires_at IS NOT NULL AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    Waiting<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines WHERE waiting > 0 AND order_id > ? ORDER BY order_id LIMIT ?"
}

/// The condition of the index of lines that are picked or partly shipped: SQLite uses it only where a statement repeats
/// the condition.
const IS_TAKEN: &str = "(picked > 0 OR shipped > 0 AND shipped < quantity)";

statement! {
    Picked<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines
     WHERE ", IS_TAKEN, " AND picked > 0 AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    Ended<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines WHERE ended IS NOT NULL AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    Shipped<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines WHERE shipped = quantity AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    PartlyShipped<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines
     WHERE ", IS_TAKEN, " AND shipped > 0 AND shipped < quantity AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    /// Orders with a line that has not expired and has no units in its row, so a split line is among them.
    Idle<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines
     WHERE reference IS NULL AND waiting = 0 AND picked = 0 AND shipped = 0 AND (ended IS NULL OR ended = 'cancelled')
       AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    /// Orders with a line that has fewer units in its row than it ordered, so a split line is among them.
    Incomplete<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT DISTINCT order_id FROM order_lines
     WHERE allocated + picked + shipped < quantity AND order_id > ? ORDER BY order_id LIMIT ?"
}

statement! {
    /// Orders of a SKU. Only the index by SKU serves this comparison.
    OfSku<'a>(last_sku: Text => str, sku: Text => str, after: Text => str, limit: BigInt => i64)
        on MultiBackend -> Text,
    "SELECT order_id FROM order_lines WHERE sku <= ? AND (sku, order_id) > (?, ?) ORDER BY sku, order_id LIMIT ?"
}

/// The set of orders to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among<'a> {
    All,
    /// Orders with a held line.
    Held,
    /// Orders with a waiting line.
    Waiting,
    /// Orders with a line that has picked units that are not shipped.
    Picked,
    /// Orders with a held line or an ended line.
    HeldOrEnded,
    /// Orders with a line whose units are all shipped.
    Shipped,
    /// Orders with a line of which units are shipped.
    AnyShipped,
    /// Orders with a line that has no units and does not wait.
    Idle,
    /// Orders with a held line or a line that lacks units.
    HeldOrIncomplete,
    /// Orders with a line of a SKU.
    Sku(&'a str),
}

/// The candidates for a filter: all matching orders, and as few others as an index allows.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    among: Among<'a>,
    all_fit: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(filter: &'a OrderFilter) -> Self {
        // Held, waiting and picked lines are current work, so there are few. The lines of the other statuses
        // accumulate, so those of a SKU may be fewer.
        let among = match (filter.status, &filter.sku) {
            (Some(OrderStatus::Held), _) => Among::Held,
            (Some(OrderStatus::Backordered | OrderStatus::Short), _) => Among::Waiting,
            (Some(OrderStatus::Picked), _) => Among::Picked,
            (_, Some(sku)) => Among::Sku(sku.as_str()),
            (Some(OrderStatus::Expired), None) => Among::HeldOrEnded,
            (Some(OrderStatus::Shipped), None) => Among::Shipped,
            (Some(OrderStatus::PartiallyShipped), None) => Among::AnyShipped,
            // No line of such an order has units, waits or has expired.
            (Some(OrderStatus::Cancelled), None) => Among::Idle,
            // A line has expired, possibly unreleased, or lacks units.
            (Some(OrderStatus::PartiallyAllocated | OrderStatus::Closed), None) => Among::HeldOrIncomplete,
            (None | Some(OrderStatus::Allocated), None) => Among::All,
        };
        Self { among, all_fit: filter.status.is_none() }
    }

    /// Returns whether every candidate matches.
    pub(super) const fn all_fit(&self) -> bool {
        self.all_fit
    }

    /// Loads the next candidates in order; fewer than `count` only at the end of the list.
    pub(super) fn load(
        &self,
        connection: &mut AnyConnection,
        after: Option<&OrderId>,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        let after = after.map_or(super::FIRST, OrderId::as_str);
        let limit = &i64::try_from(count).map_err(corrupt)?;
        let found = match self.among {
            Among::All => All { after, limit }.load(connection),
            Among::Held => Held { after, limit }.load(connection),
            Among::Waiting => Waiting { after, limit }.load(connection),
            Among::Picked => Picked { after, limit }.load(connection),
            Among::HeldOrEnded => {
                either(Held { after, limit }.load(connection), Ended { after, limit }.load(connection), count)
            }
            Among::Shipped => Shipped { after, limit }.load(connection),
            Among::AnyShipped => either(
                Shipped { after, limit }.load(connection),
                PartlyShipped { after, limit }.load(connection),
                count,
            ),
            Among::Idle => Idle { after, limit }.load(connection),
            Among::HeldOrIncomplete => {
                either(Held { after, limit }.load(connection), Incomplete { after, limit }.load(connection), count)
            }
            Among::Sku(sku) => OfSku { last_sku: sku, sku, after, limit }.load(connection),
        };
        found.map_err(store_error)
    }
}

/// Merges two sorted lists without duplicates, up to `count`.
fn either(one: QueryResult<Vec<String>>, other: QueryResult<Vec<String>>, count: usize) -> QueryResult<Vec<String>> {
    let both: BTreeSet<String> = one?.into_iter().chain(other?).collect();
    Ok(both.into_iter().take(count).collect())
}
