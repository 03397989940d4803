//! Allocations of lines whose hold has not expired.

use super::FIRST;
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::planner::{LIMIT, SEPARATE, is};
use crate::statement::{joined, statement};
use crate::{row, stored_batches};
use allocation_domain::{BatchReference, OrderId, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter, AllocationRow, PageSize, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use std::cmp::Ordering;

/// The SKU, the order id, the batch, the units, and the position of the line in the queue.
type Columns = (Text, Text, Text, Integer, Integer, BigInt);
type Row = (String, String, String, i32, i32, i64);

/// Selects allocations of lines whose hold has not expired.
const SELECT: &str = "SELECT sku, order_id, reference, quantity, precedence, placed_at FROM allocations
     WHERE ((
         SELECT l.expires_at FROM order_lines AS l
         WHERE l.sku = allocations.sku AND l.order_id = allocations.order_id
     ) <= ?) IS NOT TRUE AND ";

/// Selects the allocations of lines `l` with their parts `p`.
const OF_LINES: &str =
    "SELECT l.sku, l.order_id, coalesce(l.reference, p.reference), coalesce(p.quantity, l.allocated),
            l.precedence, l.placed_at
     FROM ";

statement! {
    All<'a>(now: BigInt => i64, sku: Text => str, order_id: Text => str, reference: Text => str, limit: BigInt => i64)
        on MultiBackend -> Columns,
    SELECT, "(sku, order_id, reference) > (?, ?, ?) ORDER BY sku, order_id, reference", LIMIT
}

statement! {
    OfSku<'a>(
        now: BigInt => i64,
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    SELECT, "sku = ? AND (order_id, reference) > (?, ?) ORDER BY order_id, reference", LIMIT
}

statement! {
    /// The allocations of a line, in no order: the one in the line itself, or its parts.
    OfLine<'a>(
        sku: Text => str,
        order_id: Text => str,
        now: BigInt => i64,
        part_sku: Text => str,
        from: Text => str,
        to: Text => str,
    ) on MultiBackend -> Columns,
    OF_LINES,
        "(
             SELECT sku, order_id, reference, allocated, precedence, placed_at FROM order_lines
             WHERE sku = ? AND order_id = ? AND (expires_at IS NULL OR expires_at > ?) LIMIT 1
         ) AS l
         LEFT JOIN (
             SELECT reference, quantity FROM line_parts
             WHERE sku = ? AND ", is!("order_id", "?"), " ORDER BY order_id, reference
         ) AS p ON true
         WHERE coalesce(l.reference, p.reference) IS NOT NULL"
}

statement! {
    /// The allocations of a batch, in the order in which lines are served. A condition on the SKU, which a
    /// reference has only one of, would suggest an index that begins with it.
    OfBatch<'a>(
        now: BigInt => i64,
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        after: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    SELECT, "reference = ? AND (precedence, placed_at, order_id, reference) > (?, ?, ?, ?)
             ORDER BY precedence, placed_at, order_id", LIMIT
}

/// Returns a page of allocations. Allocations of a batch are in the order in which lines are served, others
/// in the order of SKU, order id and batch.
pub(crate) fn allocations(
    connection: &mut AnyConnection,
    filter: &AllocationFilter,
    after: Option<&AllocationCursor>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<Vec<AllocationRow>, StoreError> {
    let Some(filter) = with_sku_of_batch(connection, filter)? else {
        return Ok(Vec::new());
    };
    let rows = match (&filter.order_id, &filter.sku) {
        (Some(order_id), None) => PageOfOrder::new(order_id, after, page, now).load(connection),
        (order_id, sku) => {
            let filter = (sku.as_ref(), order_id.as_ref(), filter.reference.as_ref());
            page_of(connection, filter, after, &now.timestamp_micros(), &i64::from(page.get()))
        }
    };
    rows.map_err(store_error)?.into_iter().map(allocation).collect()
}

/// Loads a page for a filter by any of SKU, order and batch, except for an order alone. A batch comes with
/// its SKU.
fn page_of(
    connection: &mut AnyConnection,
    filter: (Option<&Sku>, Option<&OrderId>, Option<&BatchReference>),
    after: Option<&AllocationCursor>,
    now: &i64,
    limit: &i64,
) -> QueryResult<Vec<Row>> {
    let names = after.map(|after| (after.sku.as_str(), after.order_id.as_str(), after.reference.as_str()));
    match filter {
        (Some(sku), Some(order_id), reference) => {
            let (sku, order_id) = (sku.as_str(), order_id.as_str());
            let statement = OfLine { sku, order_id, now, part_sku: sku, from: order_id, to: order_id };
            let mut rows: Vec<Row> = statement.load(connection)?;
            rows.retain(|(.., found, _, _, _)| {
                reference.is_none_or(|wanted| wanted.as_str() == found)
                    && names.is_none_or(|after| (sku, order_id, found.as_str()) > after)
            });
            rows.sort_unstable();
            rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            Ok(rows)
        }
        (Some(sku), None, Some(reference)) => {
            let start = after.map(|after| {
                let place = (!after.priority, after.placed_at.timestamp_micros(), after.order_id.as_str());
                (sku.cmp(&after.sku), (place, after.reference.as_str()))
            });
            let first = ((i32::MIN, i64::MIN, FIRST), FIRST);
            let Some(((precedence, placed_at, order_id), after)) = start_after(start, first) else {
                return Ok(Vec::new());
            };
            let (reference, precedence, placed_at) = (reference.as_str(), &precedence, &placed_at);
            OfBatch { now, reference, precedence, placed_at, order_id, after, limit }.load(connection)
        }
        (Some(sku), None, None) => {
            let start = names.map(|after| (sku.as_str().cmp(after.0), (after.1, after.2)));
            let Some((order_id, reference)) = start_after(start, (FIRST, FIRST)) else { return Ok(Vec::new()) };
            OfSku { now, sku: sku.as_str(), order_id, reference, limit }.load(connection)
        }
        (None, ..) => {
            let (sku, order_id, reference) = names.unwrap_or((FIRST, FIRST, FIRST));
            All { now, sku, order_id, reference, limit }.load(connection)
        }
    }
}

/// Returns where a list with fixed leading columns starts after a cursor, given how these columns compare
/// with the cursor and its other columns; `None` if no row follows.
fn start_after<T>(cursor: Option<(Ordering, T)>, first: T) -> Option<T> {
    match cursor {
        Some((Ordering::Less, _)) => None,
        Some((Ordering::Equal, rest)) => Some(rest),
        None | Some((Ordering::Greater, _)) => Some(first),
    }
}

/// The condition that a row has an allocation, and the order of the list.
const FROM_REFERENCE: &str = " WHERE (l.sku > ? OR coalesce(l.reference, p.reference) > ?)
       AND coalesce(l.reference, p.reference) IS NOT NULL
     ORDER BY l.sku, p.reference LIMIT ?";

statement! {
    /// Allocations of an order by its lines; for the first line, the ones after a reference.
    OfOrder<'a>(
        order_id: Text => str,
        now: BigInt => i64,
        from_sku: Text => str,
        sku: Text => str,
        reference: Nullable<Text> => Option<&'a str>,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    OF_LINES,
        "(
             SELECT sku, order_id, reference, allocated, precedence, placed_at FROM order_lines
             WHERE order_id = ? AND (expires_at IS NULL OR expires_at > ?) AND sku >= ? ORDER BY order_id, sku
         ) AS l
         LEFT JOIN line_parts AS p ON p.sku = l.sku AND p.order_id = l.order_id AND l.reference IS NULL",
        FROM_REFERENCE
}

/// The lines of an order from a SKU on, on PostgreSQL, in the order of their slots. Except for the anchor, the
/// slot of a line is its SKU.
const SLOTS_FROM: &str = joined!(
    "(
         SELECT * FROM (
             (SELECT sku, order_id, reference, allocated, precedence, placed_at FROM order_lines
              WHERE order_id = ? AND order_slot = '' AND (expires_at IS NULL OR expires_at > ?) AND sku >= ?
              LIMIT 1)
             UNION ALL
             (SELECT order_slot, order_id, reference, allocated, precedence, placed_at FROM order_lines
              WHERE order_id = ? AND (expires_at IS NULL OR expires_at > ?) AND order_slot > '' AND order_slot >= ?
              ORDER BY order_slot)
         ) AS slots
         ORDER BY sku",
    SEPARATE,
    "
     ) AS l "
);

statement! {
    /// The same on PostgreSQL. The query looks up one line after another, whatever size the planner expects
    /// the tables to have, and sorts the batches of a line.
    OfOrderInTurn<'a>(
        anchor_order_id: Text => str,
        anchor_now: BigInt => i64,
        anchor_from_sku: Text => str,
        order_id: Text => str,
        now: BigInt => i64,
        from_sku: Text => str,
        sku: Text => str,
        reference: Nullable<Text> => Option<&'a str>,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    OF_LINES, SLOTS_FROM,
        "LEFT JOIN LATERAL (
             SELECT reference, quantity FROM line_parts
             WHERE line_parts.sku = l.sku AND ", is!("line_parts.order_id", "l.order_id"), " AND l.reference IS NULL
             ORDER BY order_id, reference", SEPARATE, "
         ) AS p ON true",
        FROM_REFERENCE
}

/// The parameters of [`OfOrder`].
#[derive(Debug)]
pub(crate) struct PageOfOrder<'a> {
    order_id: &'a str,
    now: i64,
    sku: &'a str,
    /// The reference to start after within that SKU; `None` if no further batch of the SKU may follow.
    reference: Option<&'a str>,
    limit: i64,
}

impl<'a> PageOfOrder<'a> {
    pub(crate) fn new(
        order_id: &'a OrderId,
        after: Option<&'a AllocationCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Self {
        let sku = after.map_or(FIRST, |after| after.sku.as_str());
        // Within the cursor's SKU, the order id is compared before the reference.
        let reference = match after.map(|after| (order_id.cmp(&after.order_id), after)) {
            None | Some((Ordering::Greater, _)) => Some(FIRST),
            Some((Ordering::Equal, after)) => Some(after.reference.as_str()),
            Some((Ordering::Less, _)) => None,
        };
        let (order_id, now, limit) = (order_id.as_str(), now.timestamp_micros(), i64::from(page.get()));
        Self { order_id, now, sku, reference, limit }
    }

    pub(crate) const fn statement(&self) -> OfOrder<'_> {
        let Self { order_id, now, sku, reference, limit } = self;
        OfOrder { order_id, now, from_sku: sku, sku, reference, limit }
    }

    pub(crate) const fn statement_in_turn(&self) -> OfOrderInTurn<'_> {
        let Self { order_id, now, sku, reference, limit } = self;
        OfOrderInTurn {
            anchor_order_id: order_id,
            anchor_now: now,
            anchor_from_sku: sku,
            order_id,
            now,
            from_sku: sku,
            sku,
            reference,
            limit,
        }
    }

    fn load(&self, connection: &mut AnyConnection) -> QueryResult<Vec<Row>> {
        match connection {
            AnyConnection::Sqlite(_) => self.statement().load(connection),
            AnyConnection::Postgres(_) => self.statement_in_turn().load(connection),
        }
    }
}

/// Returns the filter with the SKU of the batch that it names; `None` if no row can match.
fn with_sku_of_batch(
    connection: &mut AnyConnection,
    filter: &AllocationFilter,
) -> Result<Option<AllocationFilter>, StoreError> {
    let Some(reference) = &filter.reference else {
        return Ok(Some(filter.clone()));
    };
    let held: Option<Sku> = stored_batches::sku_of(connection, reference)?;
    let fits = held.filter(|held| filter.sku.as_ref().is_none_or(|wanted| wanted == held));
    Ok(fits.map(|sku| AllocationFilter { sku: Some(sku), ..filter.clone() }))
}

fn allocation((sku, order_id, reference, quantity, precedence, placed_at): Row) -> Result<AllocationRow, StoreError> {
    Ok(AllocationRow {
        sku: row::sku(sku)?,
        order_id: row::order_id(order_id)?,
        reference: row::reference(reference)?,
        quantity: row::quantity(quantity)?,
        priority: !precedence,
        placed_at: row::instant(placed_at)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_list_still_cuts_at_its_position() {
        assert_eq!(start_after(None, "first"), Some("first"));
        assert_eq!(start_after(Some((Ordering::Equal, "M")), "first"), Some("M"));
        assert_eq!(start_after(Some((Ordering::Greater, "M")), "first"), Some("first"));
        assert_eq!(start_after(Some((Ordering::Less, "M")), "first"), None);
    }
}
