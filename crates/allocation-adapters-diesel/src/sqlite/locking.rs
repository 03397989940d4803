//! Locking and loading of products.
//!
//! The transaction locks the whole file from its beginning, so a lock only increments the version.

use super::archive::{any_archived, restore};
use super::pick_lines::load_pick_lines;
use super::statements::{CountUp, Expired, FindBatch, FindLine, InsertMissing, LineOrEnds, LoadParts, OpenBatches};
use crate::batch_row::{BatchRow, OPEN_BATCHES, PAGE_PLUS_ONE};
use crate::error::{corrupt, store_error};
use crate::line_row::{AllocationPart, LineEnd, LineValues, Lines};
use crate::{generation, row};
use allocation_domain::{Batch, BatchReference, OrderEnd, OrderId, Product, ProductFlags, ProductState, Sku};
use allocation_ports::{LockRequest, StoreError};
use diesel::prelude::*;
use std::collections::BTreeSet;

pub(crate) fn lock(
    connection: &mut SqliteConnection,
    wanted: &[LockRequest],
    now: i64,
) -> Result<Vec<Product>, StoreError> {
    let mut locked = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        locked.extend(lock_one(connection, wanted, now)?.map(|locked| (wanted, locked)));
    }
    let named: BTreeSet<_> =
        wanted.iter().flat_map(|wanted| wanted.order_ids.iter().chain(&wanted.standalone)).collect();
    if !named.is_empty() && any_archived(connection)? {
        restore(connection, &named)?;
    }
    let most_expired = Product::share_of(locked.iter().filter(|(_, locked)| locked.held_lines > 0).count());
    locked.into_iter().map(|(wanted, locked)| load_one(connection, wanted, &locked, now, most_expired)).collect()
}

/// The columns of a product that the lock returns.
#[derive(Debug, Queryable)]
struct Locked {
    version: i64,
    last_at: i64,
    held_lines: i64,
    waiting_lines: i64,
    unserved: bool,
    stable: bool,
    sold_out: bool,
    has_in_transit: bool,
    oldest_generation: i64,
}

fn lock_one(connection: &mut SqliteConnection, wanted: &LockRequest, now: i64) -> Result<Option<Locked>, StoreError> {
    let sku = wanted.sku.as_str();
    if wanted.create {
        InsertMissing { sku }.execute(connection).map_err(store_error)?;
    }
    let locked: Option<Locked> = CountUp { now: &now, sku }.get_result(connection).optional().map_err(store_error)?;
    locked.iter().try_for_each(|locked| generation::check(locked.oldest_generation))?;
    Ok(locked)
}

/// Loads the requested data of a product that was locked at `now`.
fn load_one(
    connection: &mut SqliteConnection,
    wanted: &LockRequest,
    locked: &Locked,
    now: i64,
    most_expired: usize,
) -> Result<Product, StoreError> {
    let version = u64::try_from(locked.version).map_err(corrupt)?;
    let mut state = ProductState::new(wanted.sku.clone(), version);
    state.lock_time = Some(row::lock_time(now, locked.last_at)?);
    state.more_waiting = locked.waiting_lines > 0;
    let Locked { unserved, stable, sold_out, .. } = *locked;
    state.flags = ProductFlags { unserved, promises: row::promises(stable), sold_out };
    state.more_in_transit = locked.has_in_transit;
    // Batches that were not requested may exist.
    state.more_open_batches = true;
    if wanted.open_batches {
        state.open_batches = open_batches(connection, &wanted.sku)?;
        state.more_open_batches = state.open_batches.len() > OPEN_BATCHES;
        state.open_batches.truncate(OPEN_BATCHES);
    }
    for reference in &wanted.batches {
        state.named_batches.extend(batch(connection, &wanted.sku, reference)?);
    }
    let mut order_ids = Vec::new();
    if locked.held_lines > 0 {
        order_ids = expired(connection, &wanted.sku, now, most_expired + 1)?;
        state.more_expired = order_ids.len() > most_expired;
    }
    order_ids.extend_from_slice(&wanted.order_ids);
    for order_id in &wanted.standalone {
        let (found, end) = line_or_end(connection, &wanted.sku, order_id, now)?;
        order_ids.extend(found.then(|| order_id.clone()));
        state.ended_orders.extend(end.map(|end| (order_id.clone(), end)));
    }
    // A requested line may be one of the expired ones.
    order_ids.sort_unstable();
    order_ids.dedup();
    let Lines { lines, batches, pick_lines, .. } = lines(connection, &wanted.sku, &order_ids)?;
    state.lines = lines;
    state.pick_lines = pick_lines;
    state.named_batches.extend(batches);
    Ok(Product::restore(state))
}

/// Returns whether an order has a line of a product, and how the order ended by its lines of other
/// products.
fn line_or_end(
    connection: &mut SqliteConnection,
    sku: &Sku,
    order_id: &OrderId,
    now: i64,
) -> Result<(bool, Option<OrderEnd>), StoreError> {
    let statement = LineOrEnds { order_id: order_id.as_str(), sku: sku.as_str(), now: &now };
    let (mut found, mut end) = (false, None);
    for (of, ended, closed) in statement.load::<(String, Option<LineEnd>, bool)>(connection).map_err(store_error)? {
        match ended {
            _ if of == sku.as_str() => found = true,
            Some(LineEnd::Cancelled) => end = end.or(Some(OrderEnd::Cancelled)),
            None if closed => end = end.or(Some(OrderEnd::Closed)),
            _ => end = Some(OrderEnd::Expired),
        }
    }
    Ok((found, end))
}

/// Returns the first orders whose hold has expired, up to a limit.
fn expired(connection: &mut SqliteConnection, sku: &Sku, now: i64, most: usize) -> Result<Vec<OrderId>, StoreError> {
    let limit = &i64::try_from(most).map_err(corrupt)?;
    let rows: Vec<String> = Expired { sku: sku.as_str(), now: &now, limit }.load(connection).map_err(store_error)?;
    rows.into_iter().map(row::order_id).collect()
}

/// Loads the most preferred batches with free units, and one more if there are more.
fn open_batches(connection: &mut SqliteConnection, sku: &Sku) -> Result<Vec<Batch>, StoreError> {
    let statement = OpenBatches { sku: sku.as_str(), limit: &PAGE_PLUS_ONE };
    let rows: Vec<BatchRow> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(|batch| batch.batch(sku.clone())).collect()
}

fn batch(
    connection: &mut SqliteConnection,
    sku: &Sku,
    reference: &BatchReference,
) -> Result<Option<Batch>, StoreError> {
    let statement = FindBatch { sku: sku.as_str(), reference: reference.as_str() };
    let found = statement.get_result::<BatchRow>(connection).optional().map_err(store_error)?;
    found.map(|batch| batch.batch(sku.clone())).transpose()
}

/// Loads the existing lines with their batches and pick lines.
pub(crate) fn lines(connection: &mut SqliteConnection, sku: &Sku, order_ids: &[OrderId]) -> Result<Lines, StoreError> {
    let mut lines = Lines::default();
    for order_id in order_ids {
        let statement = FindLine { sku: sku.as_str(), order_id: order_id.as_str() };
        let found = statement.get_result::<LineValues>(connection).optional().map_err(store_error)?;
        if let Some(line) = found {
            lines.add(sku, order_id.clone(), line, parts(connection, sku, order_id)?)?;
        }
    }
    let mut pick_lines = Vec::new();
    for order_id in lines.with_pick_lines() {
        pick_lines.extend(load_pick_lines(connection, sku, order_id)?);
    }
    lines.pick_lines = pick_lines;
    Ok(lines)
}

fn parts(connection: &mut SqliteConnection, sku: &Sku, order_id: &OrderId) -> Result<Vec<AllocationPart>, StoreError> {
    LoadParts { sku: sku.as_str(), order_id: order_id.as_str() }.load(connection).map_err(store_error)
}
