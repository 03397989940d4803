//! The free units of a product, by date.

use super::load_until_decided::{Standing, restore};
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use allocation_domain::{Availability, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

statement! {
    /// The units that lines of a product wait for, whether lines may wait although units are free, and
    /// whether expired holds are not released yet. Without held lines, there is no search for expired ones.
    StandingAt<'a>(now: BigInt => i64, sku: Text => str) on MultiBackend -> (BigInt, Bool, Bool),
    "SELECT backordered, unserved,
            held_lines > 0 AND (
                SELECT l.expires_at FROM order_lines AS l
                WHERE l.sku = p.sku AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id LIMIT 1
            ) IS NOT NULL
     FROM products AS p WHERE sku = ?"
}

/// Returns the availability of a product at an instant, in one snapshot.
pub(crate) fn availability(
    connection: &mut AnyConnection,
    sku: &Sku,
    now: DateTime<Utc>,
) -> Result<Option<Availability>, StoreError> {
    let statement = StandingAt { now: &now.timestamp_micros(), sku: sku.as_str() };
    let found = statement.get_result::<(i64, bool, bool)>(connection).optional().map_err(store_error)?;
    let Some((backordered, unserved, has_expired)) = found else { return Ok(None) };
    let standing = Standing { sku: sku.clone(), has_waiting: backordered > 0, has_expired, unserved };
    let product = restore(connection, &standing, now)?;
    let availability = product.available_from();
    if !product.is_behind() {
        return Ok(Some(availability));
    }
    // More lines can be served than one unit of work serves, so the units that they wait for are not free.
    let still = backordered.saturating_add(product.changes().totals.backordered);
    Ok(Some(availability.without(u64::try_from(still).map_err(corrupt)?)))
}
