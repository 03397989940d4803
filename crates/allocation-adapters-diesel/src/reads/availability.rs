//! What is free of a product, and when it comes.

use super::restoring::{Standing, ask, restore};
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::statement::statement;
use allocation_domain::{Availability, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

statement! {
    /// Whether lines of a product wait, and whether holds have expired that are not released. Where
    /// nothing is held, none is looked for.
    StandingAt<'a>(now: BigInt => i64, sku: Text => str) on MultiBackend -> (Bool, Bool),
    "SELECT waiting_lines > 0,
            held_lines > 0 AND (
                SELECT l.expires_at FROM order_lines AS l
                WHERE l.sku = p.sku AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id LIMIT 1
            ) IS NOT NULL
     FROM products AS p WHERE sku = ?"
}

/// What is free of a product at an instant, in one snapshot.
pub(crate) fn availability(
    connection: &mut AnyConnection,
    sku: &Sku,
    now: DateTime<Utc>,
) -> Result<Option<Availability>, StoreError> {
    let statement = StandingAt { now: &now.timestamp_micros(), sku: sku.as_str() };
    let found = statement.get_result::<(bool, bool)>(connection).optional().map_err(store_error)?;
    let Some((has_waiting, has_expired)) = found else { return Ok(None) };
    let standing = Standing { sku: sku.clone(), has_waiting, has_expired };
    let open_batches = super::open_batches(connection, sku)?;
    let mut product = restore(connection, &standing, Some(open_batches), now)?;
    ask(connection, &mut product, |product| product.availability(now)).map(Some)
}
