//! Allocations of lines whose hold has not expired.

mod after;

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::row;
use crate::schema::allocations;
use crate::statement::statement;
use after::After;
use allocation_domain::{OrderId, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter, AllocationRow, PageSize, StoreError};
use chrono::{DateTime, Utc};
use diesel::dsl::{IntoBoxed, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use std::cmp::Ordering;

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
    let rows = if let (Some(order_id), None) = (&filter.order_id, &filter.sku) {
        PageOfOrder::new(order_id, after, page, now).load(connection)
    } else {
        let Some(query) = allocations_query(&filter, after, page, now) else {
            return Ok(Vec::new());
        };
        query.load::<Row>(connection)
    };
    rows.map_err(store_error)?.into_iter().map(allocation).collect()
}

/// The SKU, the order id, the batch, the units, and the position of the line in the queue.
type Columns = (Text, Text, Text, Integer, Integer, BigInt);
type Row = (String, String, String, i32, i32, i64);

pub(super) type AllocationsQuery<'a> = IntoBoxed<'a, allocations::table, MultiBackend>;

/// Returns the query for a page; `None` if nothing can follow the cursor.
pub(super) fn allocations_query<'a>(
    filter: &'a AllocationFilter,
    after: Option<&'a AllocationCursor>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Option<AllocationsQuery<'a>> {
    let mut query = allocations::table.into_boxed().limit(i64::from(page.get())).filter(
        sql::<Bool>(
            "((
                 SELECT l.expires_at FROM order_lines AS l
                 WHERE l.sku = allocations.sku AND l.order_id = allocations.order_id
             ) <= ",
        )
        .bind::<BigInt, _>(now.timestamp_micros())
        .sql(") IS NOT TRUE"),
    );
    query = match (&filter.reference, &filter.sku) {
        // A reference has one SKU. A condition on the SKU would suggest an index that begins with it.
        (Some(reference), _) if filter.order_id.is_none() => query
            .filter(allocations::reference.eq(reference.as_str()))
            .order((allocations::precedence, allocations::placed_at, allocations::order_id)),
        (_, Some(sku)) => {
            query.filter(allocations::sku.eq(sku.as_str())).order((allocations::order_id, allocations::reference))
        }
        (_, None) => query.order((allocations::sku, allocations::order_id, allocations::reference)),
    };
    if let Some(order_id) = &filter.order_id {
        // The range makes the order by this column meaningful to the planner. Only the index that begins
        // with the other conditions has this order.
        query = query.filter(allocations::order_id.between(order_id.as_str(), order_id.as_str()));
        if let Some(reference) = &filter.reference {
            query = query.filter(allocations::reference.between(reference.as_str(), reference.as_str()));
        }
    }
    match after.map(|after| After::new(filter, after)) {
        None | Some(After::Everything) => Some(query),
        Some(After::Rows(condition)) => Some(query.filter(condition)),
        Some(After::Nothing) => None,
    }
}

/// Selects the lines of an order from a SKU on, unless their hold has expired.
macro_rules! lines_from {
    () => {
        "SELECT l.sku, l.order_id, a.reference, a.quantity, a.precedence, a.placed_at
         FROM (
             SELECT order_lines.sku, order_lines.order_id FROM order_lines
             WHERE order_id = ? AND (expires_at IS NULL OR expires_at > ?) AND sku >= ? ORDER BY order_id, sku
         ) AS l "
    };
}

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
    concat!(
        lines_from!(),
        "CROSS JOIN allocations AS a
         WHERE a.sku = l.sku AND a.order_id = l.order_id AND (l.sku > ? OR a.reference > ?)
         ORDER BY l.sku, a.reference LIMIT ?"
    )
}

/// Selects the same lines on PostgreSQL, in the order of their slots. Except for the anchor, the slot of a
/// line is its SKU.
macro_rules! slots_from {
    () => {
        "SELECT l.sku, l.order_id, a.reference, a.quantity, a.precedence, a.placed_at
         FROM (
             SELECT sku, order_id FROM (
                 (SELECT sku, order_id FROM order_lines
                  WHERE order_id = ? AND order_slot = '' AND (expires_at IS NULL OR expires_at > ?) AND sku >= ?
                  LIMIT 1)
                 UNION ALL
                 (SELECT order_slot, order_id FROM order_lines
                  WHERE order_id = ? AND (expires_at IS NULL OR expires_at > ?) AND order_slot > '' AND order_slot >= ?
                  ORDER BY order_slot)
             ) AS slots
             ORDER BY sku OFFSET 0
         ) AS l "
    };
}

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
    concat!(
        slots_from!(),
        "CROSS JOIN LATERAL (
             SELECT reference, quantity, precedence, placed_at FROM allocations
             WHERE allocations.sku = l.sku AND allocations.order_id BETWEEN l.order_id AND l.order_id
               AND (l.sku > ? OR reference > ?)
             ORDER BY order_id, reference OFFSET 0
         ) AS a
         ORDER BY l.sku, a.reference LIMIT ?"
    )
}

/// The parameters of [`OfOrder`].
#[derive(Debug)]
pub(super) struct PageOfOrder<'a> {
    order_id: &'a str,
    now: i64,
    sku: &'a str,
    /// The reference to start after within that SKU; `None` if no further batch of the SKU may follow.
    reference: Option<&'a str>,
    limit: i64,
}

impl<'a> PageOfOrder<'a> {
    pub(super) fn new(
        order_id: &'a OrderId,
        after: Option<&'a AllocationCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Self {
        let sku = after.map_or(super::FIRST, |after| after.sku.as_str());
        // Within the cursor's SKU, the order id is compared before the reference.
        let reference = match after.map(|after| (order_id.cmp(&after.order_id), after)) {
            None | Some((Ordering::Greater, _)) => Some(super::FIRST),
            Some((Ordering::Equal, after)) => Some(after.reference.as_str()),
            Some((Ordering::Less, _)) => None,
        };
        let (order_id, now, limit) = (order_id.as_str(), now.timestamp_micros(), i64::from(page.get()));
        Self { order_id, now, sku, reference, limit }
    }

    pub(super) const fn statement(&self) -> OfOrder<'_> {
        let Self { order_id, now, sku, reference, limit } = self;
        OfOrder { order_id, now, from_sku: sku, sku, reference, limit }
    }

    pub(super) const fn statement_in_turn(&self) -> OfOrderInTurn<'_> {
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
    let held: Option<Sku> = super::sku_of(connection, reference)?;
    let fits = held.filter(|held| filter.sku.as_ref().is_none_or(|asked| asked == held));
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
