//! Repair of instants left by a wrong clock.

use super::{LONGEST_LEASE, TOLERANCE, after, blocks, span};
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{commit_error, store_error};
use crate::statement::statement;
use crate::{Store, generation, transaction};
use allocation_domain::HoldDuration;
use allocation_ports::{LockWait, StoreError};
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// The maximum number of rows of a kind that one transaction changes, under the lock of at most one
/// product.
const STEP: i64 = 1_000;

/// The number of rows repaired, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mended {
    /// Products whose last decision was in the future.
    pub products: u64,
    /// Lines placed in the future.
    pub lines: u64,
    /// Holds longer than the longest that a client can request.
    pub holds: u64,
    /// Batches added in the future.
    pub batches: u64,
    /// Orders, pick lists, blocks of events, parked events and leases.
    pub others: u64,
}

/// Instants that only affect how rows are displayed and listed: table, key and column. Merged blocks are repaired
/// before, line by line.
const OTHERS: [(&str, &str, &str); 4] = [
    ("orders", "order_id", "placed_at"),
    ("pick_lists", "list_id", "created_at"),
    ("event_blocks", "first_position", "occurred_at"),
    ("parked_events", "position", "parked_at"),
];

statement! {
    /// Locks a product as a unit of work does.
    LockProduct<'a>(sku: Text => str) on MultiBackend,
    "UPDATE products SET version = version WHERE sku = ?"
}

statement! {
    LinesAfter<'a>(sku: Text => str, placed_at: BigInt => i64, order_id: Text => str, limit: BigInt => i64)
        on MultiBackend -> (BigInt, Text),
    "SELECT placed_at, order_id FROM order_lines WHERE sku = ? AND (placed_at, order_id) > (?, ?)
     ORDER BY placed_at, order_id LIMIT ?"
}

statement! {
    PlaceLine<'a>(placed_at: BigInt => i64, sku: Text => str, order_id: Text => str) on MultiBackend,
    "UPDATE order_lines SET placed_at = ? WHERE sku = ? AND order_id = ?"
}

statement! {
    /// Sets the instant of a split line's parts to the instant of the line.
    PlaceParts<'a>(placed_at: BigInt => i64, sku: Text => str, order_id: Text => str) on MultiBackend,
    "UPDATE line_parts SET placed_at = ? WHERE sku = ? AND order_id = ?"
}

statement! {
    BatchesAfter<'a>(sku: Text => str, added_at: BigInt => i64, reference: Text => str, limit: BigInt => i64)
        on MultiBackend -> (BigInt, Text),
    "SELECT added_at, reference FROM batches WHERE sku = ? AND (added_at, reference) > (?, ?)
     ORDER BY added_at, reference LIMIT ?"
}

statement! {
    AddBatchAt<'a>(added_at: BigInt => i64, sku: Text => str, reference: Text => str) on MultiBackend,
    "UPDATE batches SET added_at = ? WHERE sku = ? AND reference = ?"
}

statement! {
    /// Loads lines held beyond an instant, with the hold durations that their orders requested.
    HoldsAfter<'a>(sku: Text => str, expires_at: BigInt => i64, limit: BigInt => i64)
        on MultiBackend -> (Text, Nullable<Integer>),
    "SELECT l.order_id, o.hold_seconds FROM order_lines AS l LEFT JOIN orders AS o ON o.order_id = l.order_id
     WHERE l.sku = ? AND l.expires_at > ? ORDER BY l.expires_at, l.order_id LIMIT ?"
}

statement! {
    HoldUntil<'a>(expires_at: BigInt => i64, sku: Text => str, order_id: Text => str) on MultiBackend,
    "UPDATE order_lines SET expires_at = ? WHERE sku = ? AND order_id = ?"
}

statement! {
    DecideAt<'a>(last_at: BigInt => i64, sku: Text => str, later: BigInt => i64) on MultiBackend,
    "UPDATE products SET last_at = ? WHERE sku = ? AND last_at > ?"
}

/// The position of a pass over the rows of a product, in their old order.
struct Place {
    at: i64,
    name: String,
}

/// A pass over one product.
struct Pass<'a> {
    sku: &'a str,
    longest_hold: HoldDuration,
    lines: Place,
    batches: Place,
    /// The last instant assigned; the next one is later.
    given: i64,
}

impl Store {
    /// Moves instants in the future of the database's clock back to now.
    ///
    /// Lines and batches of a product keep their order. A hold lasts as long as its order requested, and at most
    /// `longest_hold`. Events without a position are left unchanged until they have one.
    ///
    /// Each transaction changes at most a thousand rows of a kind, under the lock of their product, so
    /// servers may keep running. After an interruption, a second call repairs the remaining rows.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails; earlier repairs stay committed.
    pub fn mend_instants(&self, longest_hold: HoldDuration) -> Result<Mended, StoreError> {
        let (mut connection, mut mended) = (self.unlimited()?, Mended::default());
        loop {
            let now = self.time(&mut connection)?;
            let skus = products_to_mend(&mut connection, now, longest_hold)?;
            if skus.is_empty() {
                break;
            }
            for sku in &skus {
                self.mend_product(&mut connection, sku, longest_hold, &mut mended)?;
            }
        }
        mended.others += self.mend_merged_blocks(&mut connection)?;
        for (table, key, column) in OTHERS {
            mended.others += self.mend_others(&mut connection, table, key, column)?;
        }
        let limit = after(self.time(&mut connection)?, LONGEST_LEASE + TOLERANCE);
        // No process waits for such a lease; see `Leases`.
        let leases = sql_query(format!("DELETE FROM leases WHERE expires_at > {limit}"));
        mended.others += in_transaction(&mut connection, |connection| rows(leases, connection))?;
        Ok(mended)
    }

    fn mend_product(
        &self,
        connection: &mut AnyConnection,
        sku: &str,
        longest_hold: HoldDuration,
        mended: &mut Mended,
    ) -> Result<(), StoreError> {
        let now = self.time(connection)?;
        let place = || Place { at: now, name: String::new() };
        let mut pass = Pass { sku, longest_hold, lines: place(), batches: place(), given: now };
        // Each step is one transaction; the last one finds nothing left to repair.
        while in_transaction(connection, |connection| self.mend_step(connection, &mut pass, mended))? {}
        Ok(())
    }

    /// Repairs some rows of a product and returns whether more may be left.
    fn mend_step(
        &self,
        connection: &mut AnyConnection,
        pass: &mut Pass<'_>,
        mended: &mut Mended,
    ) -> Result<bool, StoreError> {
        LockProduct { sku: pass.sku }.execute(connection).map_err(store_error)?;
        let now = self.time(connection)?;
        pass.given = pass.given.max(now);
        let lines = pass.mend_lines(connection)?;
        let batches = pass.mend_batches(connection)?;
        let holds = mend_holds(connection, pass, now)?;
        mended.lines += lines;
        mended.batches += batches;
        mended.holds += holds;
        let full = |rows: u64| i64::try_from(rows).is_ok_and(|rows| rows >= STEP);
        if full(lines) || full(batches) || full(holds) {
            return Ok(true);
        }
        // Last: until then, new lines and batches stay behind all those with instants in the future.
        let limit = after(now, TOLERANCE);
        mended.products += rows(DecideAt { last_at: &pass.given, sku: pass.sku, later: &limit }, connection)?;
        Ok(false)
    }

    /// Repairs the lines of merged blocks. Blocks are searched for outside the transactions that change them, so
    /// that no other process waits for the search.
    fn mend_merged_blocks(&self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let (mut position, mut mended) = (0, 0);
        loop {
            let now = self.time(connection)?;
            let limit = after(now, TOLERANCE);
            let found = blocks::merged_after(connection, position, limit, STEP).map_err(store_error)?;
            let Some(last) = found.last() else { return Ok(mended) };
            position = *last;
            let changed = in_transaction(connection, |connection| {
                blocks::date_lines(connection, &found, limit, now).map_err(store_error)
            })?;
            mended += u64::try_from(changed).map_err(crate::error::corrupt)?;
        }
    }

    fn mend_others(
        &self,
        connection: &mut AnyConnection,
        table: &str,
        key: &str,
        column: &str,
    ) -> Result<u64, StoreError> {
        let mut mended = 0;
        loop {
            let now = self.time(connection)?;
            let limit = after(now, TOLERANCE);
            let statement = format!(
                "UPDATE {table} SET {column} = {now} WHERE {key} IN (
                     SELECT {key} FROM {table} WHERE {column} > {limit} ORDER BY {key} LIMIT {STEP}
                 )"
            );
            match in_transaction(connection, |connection| rows(sql_query(statement), connection))? {
                0 => return Ok(mended),
                some => mended += some,
            }
        }
    }
}

impl Pass<'_> {
    fn next(&mut self) -> i64 {
        self.given += 1;
        self.given
    }

    fn mend_lines(&mut self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let Place { at, name } = &self.lines;
        let statement = LinesAfter { sku: self.sku, placed_at: at, order_id: name, limit: &STEP };
        let lines: Vec<(i64, String)> = statement.load(connection).map_err(store_error)?;
        let mut mended = 0;
        for (at, order_id) in lines {
            let placed_at = &self.next();
            mended += rows(PlaceLine { placed_at, sku: self.sku, order_id: &order_id }, connection)?;
            rows(PlaceParts { placed_at, sku: self.sku, order_id: &order_id }, connection)?;
            self.lines = Place { at, name: order_id };
        }
        Ok(mended)
    }

    fn mend_batches(&mut self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let Place { at, name } = &self.batches;
        let statement = BatchesAfter { sku: self.sku, added_at: at, reference: name, limit: &STEP };
        let batches: Vec<(i64, String)> = statement.load(connection).map_err(store_error)?;
        let mut mended = 0;
        for (at, reference) in batches {
            let added_at = &self.next();
            mended += rows(AddBatchAt { added_at, sku: self.sku, reference: &reference }, connection)?;
            self.batches = Place { at, name: reference };
        }
        Ok(mended)
    }
}

fn mend_holds(connection: &mut AnyConnection, pass: &Pass<'_>, now: i64) -> Result<u64, StoreError> {
    let Pass { sku, longest_hold, .. } = *pass;
    let limit = after(now, span(longest_hold) + TOLERANCE);
    let statement = HoldsAfter { sku, expires_at: &limit, limit: &STEP };
    let holds: Vec<(String, Option<i32>)> = statement.load(connection).map_err(store_error)?;
    let mut mended = 0;
    for (order_id, hold_seconds) in holds {
        let hold = hold_seconds.map_or(span(longest_hold), |seconds| TimeDelta::seconds(i64::from(seconds)));
        // An order may have requested more than is allowed by now: without the bound, the repair would never end.
        let expires_at = &after(now, hold.min(span(longest_hold)));
        mended += rows(HoldUntil { expires_at, sku, order_id: &order_id }, connection)?;
    }
    Ok(mended)
}

/// Returns some of the products that need a repair.
fn products_to_mend(
    connection: &mut AnyConnection,
    now: i64,
    longest_hold: HoldDuration,
) -> Result<Vec<String>, StoreError> {
    let (future, held) = (after(now, TOLERANCE), after(now, span(longest_hold) + TOLERANCE));
    let mut skus = Vec::new();
    for query in [
        format!("SELECT sku FROM products WHERE last_at > {future} ORDER BY sku LIMIT {STEP}"),
        format!("SELECT DISTINCT sku FROM order_lines WHERE placed_at > {future} ORDER BY sku LIMIT {STEP}"),
        format!("SELECT DISTINCT sku FROM order_lines WHERE expires_at > {held} ORDER BY sku LIMIT {STEP}"),
        format!("SELECT DISTINCT sku FROM batches WHERE added_at > {future} ORDER BY sku LIMIT {STEP}"),
    ] {
        skus.extend(diesel::dsl::sql::<Text>(&query).load::<String>(connection).map_err(store_error)?);
    }
    skus.sort_unstable();
    skus.dedup();
    Ok(skus)
}

/// Runs a statement and returns the number of rows it changed.
fn rows<S>(statement: S, connection: &mut AnyConnection) -> Result<u64, StoreError>
where
    S: QueryFragment<MultiBackend> + QueryId + RunQueryDsl<AnyConnection>,
{
    let rows = statement.execute(connection).map_err(store_error)?;
    u64::try_from(rows).map_err(crate::error::corrupt)
}

/// Runs a step of the repair in a transaction. It is rolled back if the database shuts this program out by
/// then, so nothing is written after the migrations of another program.
fn in_transaction<T>(
    connection: &mut AnyConnection,
    step: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.begin(LockWait::Usual).map_err(store_error)?;
    let done = step(connection).and_then(|done| generation::check_in(connection).map(|()| done));
    transaction::end(connection, done, commit_error)
}
