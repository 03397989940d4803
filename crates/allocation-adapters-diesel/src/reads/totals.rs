//! The totals of the batches and lines of products.

use super::batches;
use super::load_until_decided::{Standing, restore};
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::planner::is;
use crate::row;
use crate::statement::statement;
use allocation_domain::{Sku, Totals, TotalsChange};
use allocation_ports::{PageSize, ProductTotals, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

/// Selects the counters of a product, and its free units.
///
/// Also selects whether lines wait, whether they may wait although units are free, whether expired holds are not
/// released yet, and whether lines keep their promises. Without held lines, there is no search for expired ones. The
/// free units are read from the index of open batches, in whose order the subquery sorts.
const COUNTED_AT: &str =
    "SELECT sku, in_stock, on_its_way, held, backordered, picked,
            coalesce((
                SELECT sum(b.free)
                FROM (
                    SELECT purchased_quantity - allocated_quantity - picked_quantity - shipped_quantity - missing_quantity
                           AS free
                    FROM batches
                    WHERE batches.sku = p.sku AND is_open ORDER BY eta NULLS FIRST, added_at, reference
                ) AS b
            ), 0),
            waiting_lines > 0,
            unserved,
            stable,
            held_lines > 0 AND (
                SELECT l.expires_at FROM order_lines AS l
                WHERE l.sku = p.sku AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id LIMIT 1
            ) IS NOT NULL
     FROM products AS p ";

type CountedColumns = (Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, Bool, Bool, Bool, Bool);

statement! {
    /// The allocated and waiting units of expired lines of a product. The database sums them up, whatever
    /// the number of lines. Parts are in an order that only their primary key has.
    Expired<'a>(sku: Text => str, now: BigInt => i64) on MultiBackend -> (BigInt, BigInt),
    "SELECT CAST(coalesce(sum(d.held), 0) AS bigint), CAST(coalesce(sum(d.waiting), 0) AS bigint)
     FROM (
         SELECT l.waiting, l.allocated + coalesce((
             SELECT sum(p.quantity)
             FROM (
                 SELECT quantity FROM line_parts
                 WHERE line_parts.sku = l.sku AND ", is!("line_parts.order_id", "l.order_id"), "
                 ORDER BY line_parts.order_id, line_parts.reference
             ) AS p
         ), 0) AS held
         FROM order_lines AS l
         WHERE l.sku = ? AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id
     ) AS d"
}

statement! {
    CountedOf<'a>(now: BigInt => i64, sku: Text => str) on MultiBackend -> CountedColumns,
    COUNTED_AT, "WHERE sku = ?"
}

statement! {
    CountedAfter<'a>(now: BigInt => i64, sku: Text => str, limit: BigInt => i64) on MultiBackend -> CountedColumns,
    COUNTED_AT, "WHERE sku > ? ORDER BY sku LIMIT ?"
}

/// Returns the totals of a product at an instant, in one snapshot.
pub(crate) fn product(
    connection: &mut AnyConnection,
    sku: &Sku,
    now: DateTime<Utc>,
) -> Result<Option<ProductTotals>, StoreError> {
    let statement = CountedOf { now: &now.timestamp_micros(), sku: sku.as_str() };
    let counted = statement.get_result::<Counted>(connection).optional().map_err(store_error)?;
    counted.map(|counted| counted.totals(connection, now)).transpose()
}

/// Returns a page of the totals of products at an instant, in one snapshot.
pub(crate) fn products(
    connection: &mut AnyConnection,
    after: Option<&Sku>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<Vec<ProductTotals>, StoreError> {
    let sku = after.map_or(super::FIRST, Sku::as_str);
    let statement = CountedAfter { now: &now.timestamp_micros(), sku, limit: &i64::from(page.get()) };
    let rows: Vec<Counted> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(|counted| counted.totals(connection, now)).collect()
}

/// The stored counters of a product.
#[derive(Debug, Queryable)]
struct Counted {
    sku: String,
    in_stock: i64,
    on_its_way: i64,
    held: i64,
    backordered: i64,
    picked: i64,
    free: i64,
    has_waiting: bool,
    unserved: bool,
    stable: bool,
    has_expired: bool,
}

impl Counted {
    /// Returns the totals at an instant: the counters, corrected by the effects of expired holds.
    fn totals(self, connection: &mut AnyConnection, now: DateTime<Utc>) -> Result<ProductTotals, StoreError> {
        let sku = row::sku(self.sku)?;
        let (mut change, mut absorbed) = (TotalsChange::default(), (0, 0));
        if self.has_waiting && (self.has_expired || self.unserved) {
            let Self { has_waiting, has_expired, unserved, .. } = self;
            let standing = Standing { sku: sku.clone(), has_waiting, has_expired, unserved };
            change = restore(connection, &standing, now)?.changes().totals;
        }
        if self.has_expired {
            let statement = Expired { sku: sku.as_str(), now: &now.timestamp_micros() };
            let (held, waiting) = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
            change.allocated -= held;
            change.held -= held;
            change.backordered -= waiting;
            absorbed = batches::absorbed(connection, &sku, now)?;
        }
        let (in_stock, in_transit) = absorbed;
        let allocated = self.in_stock + self.on_its_way - self.free - self.picked;
        let totals = Totals {
            in_stock: units(self.in_stock, change.in_stock - in_stock)?,
            on_its_way: units(self.on_its_way, change.on_its_way - in_transit)?,
            allocated: units(allocated, change.allocated)?,
            picked: units(self.picked, change.picked)?,
            held: units(self.held, change.held)?,
            backordered: units(self.backordered, change.backordered)?,
            available: units(self.free, -change.allocated - in_stock - in_transit)?,
        };
        Ok(ProductTotals { sku, promises: row::promises(self.stable), totals })
    }
}

fn units(counted: i64, change: i64) -> Result<u64, StoreError> {
    u64::try_from(counted + change).map_err(|error| StoreError::invariant("products_totals", error))
}
