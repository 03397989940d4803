//! Orders that are complete, in the order in which they were completed.

use super::FIRST;
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::archive::IS_COMPLETE;
use crate::error::store_error;
use crate::planner::LIMIT;
use crate::row;
use crate::statement::statement;
use allocation_ports::{CompletedPage, CompletionCursor, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

statement! {
    /// Lines that were completed by an instant, and whether all lines of their orders were.
    CompletedAfter<'a>(
        all_until: BigInt => i64,
        until: BigInt => i64,
        completed_at: BigInt => i64,
        order_id: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> (BigInt, Text, Bool),
    "SELECT l.completed_at, l.order_id, NOT EXISTS (
         SELECT 1 FROM order_lines AS o
         WHERE o.order_id = l.order_id AND (o.completed_at IS NULL OR o.completed_at > ?)
     )
     FROM (
         SELECT completed_at, order_id FROM order_lines
         WHERE completed_at <= ? AND (completed_at, order_id) > (?, ?) AND ", IS_COMPLETE, " ORDER BY completed_at, order_id", LIMIT, "
     ) AS l"
}

/// Returns a page of complete orders.
pub(crate) fn completed_orders(
    connection: &mut AnyConnection,
    until: DateTime<Utc>,
    after: Option<&CompletionCursor>,
    limit: u16,
) -> Result<CompletedPage, StoreError> {
    let (until, limit) = (&until.timestamp_micros(), &i64::from(limit));
    let completed_at = &after.map_or(i64::MIN, |after| after.completed_at.timestamp_micros());
    let order_id = after.map_or(FIRST, |after| after.order_id.as_str());
    let statement = CompletedAfter { all_until: until, until, completed_at, order_id, limit };
    let mut rows: Vec<(i64, String, bool)> = statement.load(connection).map_err(store_error)?;
    // The rows arrive in this order, but SQL does not guarantee it.
    rows.sort_unstable();
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= *limit);
    rows.dedup();
    let cursor = |(completed_at, order_id, _): (i64, String, bool)| {
        Ok(CompletionCursor { completed_at: row::instant(completed_at)?, order_id: row::order_id(order_id)? })
    };
    let next = rows.last().filter(|_| is_full).cloned().map(cursor).transpose()?;
    rows.retain(|(.., is_complete)| *is_complete);
    Ok(CompletedPage { orders: rows.into_iter().map(cursor).collect::<Result<_, StoreError>>()?, next })
}
