//! Locking and loading of products.

use super::archive::restore;
use super::lines::{LineKeys, at, at_mut, index_of};
use super::orders::join_orders;
use super::pick_lines::load_pick_lines;
use super::statements::{InsertMissing, Load, LockProducts, LockUnlocked};
use crate::batch_row::{BatchRow, OPEN_BATCHES, PAGE_PLUS_ONE};
use crate::error::{corrupt, store_error};
use crate::line_row::Lines;
use crate::{generation, row};
use allocation_domain::{Batch, OrderEnd, OrderId, Product, ProductFlags, ProductState, Sku};
use allocation_ports::{LockRequest, StoreError};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Locks products, and returns them with the orders whose anchors are locked as well: orders that have
/// begun with lines of other products.
pub(crate) fn lock(
    connection: &mut PgConnection,
    wanted: &[LockRequest],
    time: Option<i64>,
) -> Result<(Vec<Product>, BTreeSet<OrderId>), StoreError> {
    let locked = lock_products(connection, wanted, time)?;
    // Taken at the last lock: it is the time for all products, and is not stored in their rows.
    let Some(now) = locked.values().map(|locked| locked.now).max() else { return Ok(Default::default()) };
    // A separate statement after the lock sees everything committed before the lock.
    let has_holds = |sku: &Sku| locked.get(sku.as_str()).is_some_and(|locked| locked.held_lines > 0);
    let columns = LoadColumns::new(wanted, has_holds, now)?;
    let mut loaded = load(connection, wanted, &columns)?;
    let joined = join(connection, &mut loaded, now)?;
    let mut products = Vec::with_capacity(wanted.len());
    for (wanted, loaded) in wanted.iter().zip(loaded) {
        if let Some(locked) = locked.get(wanted.sku.as_str()) {
            products.push(Product::restore(loaded.state(wanted, *locked, now, columns.most_expired)?));
        }
    }
    Ok((products, joined))
}

/// Locks the anchors of orders that get lines of more than one product. The state of an order is certain
/// only under this lock.
fn join(connection: &mut PgConnection, loaded: &mut [Loaded], at: i64) -> Result<BTreeSet<OrderId>, StoreError> {
    let joined: BTreeSet<OrderId> = loaded.iter().flat_map(|loaded| &loaded.joined).cloned().collect();
    let ended = join_orders(connection, &joined, at)?;
    for loaded in loaded {
        let of_product = loaded.joined.iter().filter_map(|id| Some((id.clone(), *ended.get(id)?)));
        loaded.ended_orders.extend(of_product);
    }
    Ok(joined)
}

/// The columns of a product that the lock returns.
#[derive(Debug, Clone, Copy, Queryable)]
struct Locked {
    version: i64,
    last_at: i64,
    held_lines: i64,
    waiting_lines: i64,
    unserved: bool,
    stable: bool,
    sold_out: bool,
    has_in_transit: bool,
    now: i64,
    oldest_generation: i64,
}

fn lock_products(
    connection: &mut PgConnection,
    wanted: &[LockRequest],
    time: Option<i64>,
) -> Result<HashMap<String, Locked>, StoreError> {
    let missing: Vec<_> = wanted.iter().filter(|wanted| wanted.create).map(|wanted| wanted.sku.as_str()).collect();
    if !missing.is_empty() {
        InsertMissing { skus: &missing }.execute(connection).map_err(store_error)?;
    }
    let skus: Vec<_> = wanted.iter().map(|wanted| wanted.sku.as_str()).collect();
    let rows: Vec<_> =
        LockProducts { set_time: &time, skus: &skus, time: &time }.load(connection).map_err(store_error)?;
    let locked: HashMap<String, Locked> = rows.into_iter().collect();
    locked.values().try_for_each(|locked| generation::check(locked.oldest_generation))?;
    Ok(locked)
}

/// Locks the free products, and returns the existing ones that other units of work have locked.
pub(crate) fn locked_by_others(connection: &mut PgConnection, skus: &[Sku]) -> Result<Vec<Sku>, StoreError> {
    let texts: Vec<_> = skus.iter().map(Sku::as_str).collect();
    let statement = LockUnlocked { to_lock: &texts, known: &texts };
    let rows: Vec<(String, bool)> = statement.load(connection).map_err(store_error)?;
    let locked: HashSet<&str> = rows.iter().filter(|(_, locked)| *locked).map(|(sku, _)| &**sku).collect();
    let known: HashSet<&str> = rows.iter().map(|(sku, _)| &**sku).collect();
    let is_held = |sku: &&Sku| known.contains(sku.as_str()) && !locked.contains(sku.as_str());
    Ok(skus.iter().filter(is_held).cloned().collect())
}

/// The data loaded for a product.
#[derive(Debug, Default)]
struct Loaded {
    open_batches: Vec<Batch>,
    named_batches: Vec<Batch>,
    /// The requested lines that exist, and the expired ones.
    found: BTreeSet<OrderId>,
    /// The number of expired lines.
    expired: usize,
    ended_orders: Vec<(OrderId, OrderEnd)>,
    /// The orders that have begun with a line of another product.
    joined: BTreeSet<OrderId>,
    /// The requested orders that are archived.
    archived: BTreeSet<OrderId>,
    lines: Lines,
}

impl Loaded {
    fn state(
        mut self,
        wanted: &LockRequest,
        locked: Locked,
        now: i64,
        most_expired: usize,
    ) -> Result<ProductState, StoreError> {
        // The rows arrive in this order, but SQL does not guarantee it.
        self.open_batches.sort_by_cached_key(Batch::preference);
        // Batches that were not requested may exist.
        let more_open_batches = !wanted.open_batches || self.open_batches.len() > OPEN_BATCHES;
        self.open_batches.truncate(OPEN_BATCHES);
        self.named_batches.append(&mut self.lines.batches);
        Ok(ProductState {
            lock_time: Some(row::lock_time(now, locked.last_at)?),
            open_batches: self.open_batches,
            more_open_batches,
            named_batches: self.named_batches,
            lines: self.lines.lines,
            more_waiting: locked.waiting_lines > 0,
            more_expired: self.expired > most_expired,
            flags: ProductFlags {
                unserved: locked.unserved,
                promises: row::promises(locked.stable),
                sold_out: locked.sold_out,
            },
            more_in_transit: locked.has_in_transit,
            ended_orders: self.ended_orders,
            pick_lines: self.lines.pick_lines,
            ..ProductState::new(wanted.sku.clone(), u64::try_from(locked.version).map_err(corrupt)?)
        })
    }

    fn add(&mut self, sku: &Sku, row: LoadedRow) -> Result<(), StoreError> {
        match (row.kind.as_str(), row.batch, row.order_id.map(row::order_id).transpose()?) {
            ("open", Some(batch), _) => self.open_batches.push(batch.batch(sku.clone())?),
            ("named", Some(batch), _) => self.named_batches.push(batch.batch(sku.clone())?),
            ("cancelled", _, Some(order_id)) => self.ended_orders.push((order_id, OrderEnd::Cancelled)),
            ("closed", _, Some(order_id)) => self.ended_orders.push((order_id, OrderEnd::Closed)),
            ("expired", _, Some(order_id)) => self.ended_orders.push((order_id, OrderEnd::Expired)),
            ("due", _, Some(order_id)) => {
                self.expired += 1;
                self.found.insert(order_id);
            }
            ("joined", _, Some(order_id)) => {
                self.joined.insert(order_id);
            }
            ("archived", _, Some(order_id)) => {
                self.archived.insert(order_id);
            }
            ("line", _, Some(order_id)) => {
                self.found.insert(order_id);
            }
            _ => return Err(corrupt(Missing)),
        }
        Ok(())
    }
}

/// A row of [`Load`]: a batch, or the order id of a line.
#[derive(Debug, Queryable)]
struct LoadedRow {
    index: i32,
    kind: String,
    order_id: Option<String>,
    batch: Option<BatchRow>,
}

#[derive(Debug, thiserror::Error)]
#[error("a loaded row lacks its batch, its order id or its product")]
struct Missing;

/// The number of times that archived orders are restored while a unit of work loads its data.
const RESTORES: usize = 8;

/// Orders that were archived again each time they had been restored.
#[derive(Debug, thiserror::Error)]
#[error("orders were archived again after each of {RESTORES} times that they were restored")]
struct ArchivedAgain;

/// Loads the requested data, in the order of `wanted`. Archived orders are restored first.
fn load(
    connection: &mut PgConnection,
    wanted: &[LockRequest],
    columns: &LoadColumns<'_>,
) -> Result<Vec<Loaded>, StoreError> {
    if columns.is_empty() {
        return Ok(wanted.iter().map(|_| Loaded::default()).collect());
    }
    let mut loaded = load_restored(|| load_stored(connection, wanted, columns))?;
    load_lines(connection, wanted, &mut loaded)?;
    Ok(loaded)
}

/// Loads until no order is archived. There may be a few more each time: the lock of these products keeps no order with
/// lines of other products from being archived.
fn load_restored<T>(mut load: impl FnMut() -> Result<Option<T>, StoreError>) -> Result<T, StoreError> {
    for _ in 0..=RESTORES {
        if let Some(loaded) = load()? {
            return Ok(loaded);
        }
    }
    Err(StoreError::Conflict(ArchivedAgain.into()))
}

/// Loads the requested data but for the lines, or restores the archived orders among them.
fn load_stored(
    connection: &mut PgConnection,
    wanted: &[LockRequest],
    columns: &LoadColumns<'_>,
) -> Result<Option<Vec<Loaded>>, StoreError> {
    let mut loaded: Vec<_> = wanted.iter().map(|_| Loaded::default()).collect();
    for row in columns.statement().load::<LoadedRow>(connection).map_err(store_error)? {
        at_mut(&mut loaded, row.index)?.add(sku_at(wanted, row.index)?, row)?;
    }
    let archived: BTreeSet<_> = loaded.iter_mut().flat_map(|loaded| std::mem::take(&mut loaded.archived)).collect();
    if archived.is_empty() {
        return Ok(Some(loaded));
    }
    restore(connection, &archived)?;
    Ok(None)
}

fn sku_at(wanted: &[LockRequest], index: i32) -> Result<&Sku, StoreError> {
    at(wanted, index).map(|wanted| &wanted.sku)
}

/// Loads the lines that were found. Few lines are retried and few holds expire, so most units of work send
/// no query here.
fn load_lines(connection: &mut PgConnection, wanted: &[LockRequest], loaded: &mut [Loaded]) -> Result<(), StoreError> {
    let found: Vec<_> = loaded.iter_mut().map(|loaded| std::mem::take(&mut loaded.found)).collect();
    let mut keys = LineKeys::default();
    for (number, (wanted, found)) in wanted.iter().zip(&found).enumerate() {
        for order_id in found {
            keys.push(index_of(number)?, &wanted.sku, order_id);
        }
    }
    keys.load(connection, |index, order_id, line, parts| {
        let sku = sku_at(wanted, index)?;
        at_mut(loaded, index)?.lines.add(sku, order_id, line, parts)
    })?;
    load_pick_lines_of(connection, wanted, loaded)
}

/// Loads the pick lines of lines that are on pick lists.
fn load_pick_lines_of(
    connection: &mut PgConnection,
    wanted: &[LockRequest],
    loaded: &mut [Loaded],
) -> Result<(), StoreError> {
    let mut lines = Vec::new();
    for (wanted, loaded) in wanted.iter().zip(&*loaded) {
        lines.extend(loaded.lines.with_pick_lines().map(|order_id| (&wanted.sku, order_id)));
    }
    let found = load_pick_lines(connection, lines)?;
    let indexes: HashMap<_, _> = wanted.iter().map(|wanted| &wanted.sku).zip(0..).collect();
    for (id, line) in found {
        let index = indexes.get(&line.sku).ok_or_else(|| corrupt(Missing))?;
        at_mut(loaded, *index)?.lines.pick_lines.push((id, line));
    }
    Ok(())
}

/// The parameters of [`Load`].
#[derive(Debug, Default)]
pub(crate) struct LoadColumns<'a> {
    open_index: Vec<i32>,
    open_sku: Vec<&'a str>,
    named_index: Vec<i32>,
    named_sku: Vec<&'a str>,
    named_reference: Vec<&'a str>,
    line_index: Vec<i32>,
    line_sku: Vec<&'a str>,
    line_order_id: Vec<&'a str>,
    standalone_index: Vec<i32>,
    alone_sku: Vec<&'a str>,
    alone_order_id: Vec<&'a str>,
    /// Products with holds, some of which may have expired.
    expiring_index: Vec<i32>,
    expiring_sku: Vec<&'a str>,
    /// The number of expired lines to load per product; one more row shows that there are more.
    most_expired: usize,
    limit_of_expired: i64,
    /// The time when all locks were held.
    now: i64,
}

impl<'a> LoadColumns<'a> {
    pub(crate) fn new(
        wanted: &'a [LockRequest],
        has_holds: impl Fn(&Sku) -> bool,
        now: i64,
    ) -> Result<Self, StoreError> {
        let mut columns = Self { now, ..Self::default() };
        for (number, wanted) in wanted.iter().enumerate() {
            let (index, sku) = (index_of(number)?, wanted.sku.as_str());
            if has_holds(&wanted.sku) {
                columns.expiring_index.push(index);
                columns.expiring_sku.push(sku);
            }
            if wanted.open_batches {
                columns.open_index.push(index);
                columns.open_sku.push(sku);
            }
            for reference in &wanted.batches {
                columns.named_index.push(index);
                columns.named_sku.push(sku);
                columns.named_reference.push(reference.as_str());
            }
            for order_id in &wanted.order_ids {
                columns.line_index.push(index);
                columns.line_sku.push(sku);
                columns.line_order_id.push(order_id.as_str());
            }
            for order_id in &wanted.standalone {
                columns.standalone_index.push(index);
                columns.alone_sku.push(sku);
                columns.alone_order_id.push(order_id.as_str());
            }
        }
        columns.most_expired = Product::share_of(columns.expiring_sku.len());
        columns.limit_of_expired = i64::try_from(columns.most_expired + 1).map_err(corrupt)?;
        Ok(columns)
    }

    const fn is_empty(&self) -> bool {
        self.open_index.is_empty()
            && self.named_index.is_empty()
            && self.line_index.is_empty()
            && self.standalone_index.is_empty()
            && self.expiring_index.is_empty()
    }

    pub(crate) const fn statement(&self) -> Load<'_> {
        Load {
            open_index: &self.open_index,
            open_sku: &self.open_sku,
            limit: &PAGE_PLUS_ONE,
            named_index: &self.named_index,
            named_sku: &self.named_sku,
            named_reference: &self.named_reference,
            line_index: &self.line_index,
            line_sku: &self.line_sku,
            line_order_id: &self.line_order_id,
            standalone_index: &self.standalone_index,
            alone_sku: &self.alone_sku,
            alone_order_id: &self.alone_order_id,
            has_expired_by: &self.now,
            ended_by: &self.now,
            expiring_index: &self.expiring_index,
            expiring_sku: &self.expiring_sku,
            now: &self.now,
            most_expired: &self.limit_of_expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_are_archived_again_and_again_end_in_a_conflict() {
        let mut turns = 0;
        let mut loaded_in_turn = |last| {
            turns = 0;
            let loaded = load_restored(|| {
                turns += 1;
                Ok((turns == last).then_some("loaded"))
            });
            (loaded, turns)
        };
        assert!(matches!(loaded_in_turn(1), (Ok("loaded"), 1)));
        assert!(matches!(loaded_in_turn(RESTORES + 1), (Ok("loaded"), 9)));
        assert!(matches!(loaded_in_turn(RESTORES + 2), (Err(StoreError::Conflict(_)), 9)));
    }
}
