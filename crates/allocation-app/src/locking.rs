//! Locking products for decisions.

use crate::saving::changed;
use allocation_domain::{BatchReference, OrderId, Product, Products, Sku};
use allocation_ports::{EventContext, EventContexts, LockRequest, StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Locked products, with the time of the decision on them.
#[derive(Default)]
pub(crate) struct Locked {
    pub(crate) products: Products,
    /// The store's time at which all locks were held; the clock of the process is not used. Without a
    /// product there is nothing to decide, and the time is the Unix epoch.
    pub(crate) now: DateTime<Utc>,
    /// The contexts of the events before the decision: the service has released expired holds by itself.
    pub(crate) contexts: EventContexts,
}

/// Locks the requested products and loads the requested rows.
pub(crate) fn lock(unit: &mut dyn UnitOfWork, wanted: &[LockRequest]) -> Result<Locked, StoreError> {
    let products = unit.products().lock(wanted)?;
    let now = products.iter().filter_map(Product::lock_time).map(|lock| lock.now).max();
    let now = now.unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Locked { products: products.into_iter().collect(), now, contexts: EventContexts::default() })
}

#[derive(Debug, thiserror::Error)]
#[error("the store has not created the product {0}")]
struct NotCreated(Sku);

/// Locks a product, which is created if there is none.
pub(crate) fn lock_or_create(unit: &mut dyn UnitOfWork, sku: &Sku) -> Result<Locked, StoreError> {
    lock(unit, &[LockRequest { create: true, ..LockRequest::product(sku.clone()) }])
}

/// Returns the error for a product that is missing although it was to be created.
pub(crate) fn not_created(sku: &Sku) -> StoreError {
    StoreError::Failed(NotCreated(sku.clone()).into())
}

#[derive(Debug, thiserror::Error)]
#[error("batch {0} was removed and added to another product concurrently")]
struct BatchMoved(BatchReference);

/// Locks the product of a batch with the requested rows; returns `None` when the batch does not exist.
///
/// The SKU of the batch is read before the lock. When the batch is missing under the lock, its reference is
/// looked up once more. A batch found then has moved to another product: a conflict, and the unit runs again.
pub(crate) fn lock_batch(
    unit: &mut dyn UnitOfWork,
    reference: &BatchReference,
    wanted: impl FnOnce(LockRequest) -> LockRequest,
) -> Result<Option<(Locked, Sku)>, StoreError> {
    let Some(sku) = unit.products().sku_of(reference)? else { return Ok(None) };
    let wanted = wanted(LockRequest { batches: vec![reference.clone()], ..LockRequest::product(sku.clone()) });
    let locked = lock(unit, &[wanted])?;
    if locked.products.get(&sku).is_some_and(|product| product.batch(reference).is_some()) {
        return Ok(Some((locked, sku)));
    }
    match unit.products().sku_of(reference)? {
        None => Ok(None),
        Some(_) => Err(StoreError::Conflict(BatchMoved(reference.clone()).into())),
    }
}

/// Locks the products of batches with the batches; returns a batch that does not exist instead, if there is one.
///
/// The SKUs are read and checked as by [`lock_batch`].
pub(crate) fn lock_batches(
    unit: &mut dyn UnitOfWork,
    references: &[BatchReference],
) -> Result<Result<Locked, BatchReference>, StoreError> {
    let skus = unit.products().skus_of_batches(references)?;
    let mut wanted: BTreeMap<&Sku, Vec<BatchReference>> = BTreeMap::new();
    for reference in references {
        let Some(sku) = skus.get(reference) else { return Ok(Err(reference.clone())) };
        wanted.entry(sku).or_default().push(reference.clone());
    }
    let request = |(sku, batches): (&Sku, _)| LockRequest { batches, ..LockRequest::product(sku.clone()) };
    let locked = lock(unit, &wanted.into_iter().map(request).collect::<Vec<_>>())?;
    let is_loaded = |reference: &&BatchReference| {
        skus.get(*reference).and_then(|sku| locked.products.get(sku)?.batch(reference)).is_some()
    };
    let Some(missing) = references.iter().find(|reference| !is_loaded(reference)) else { return Ok(Ok(locked)) };
    match unit.products().sku_of(missing)? {
        None => Ok(Err(missing.clone())),
        Some(_) => Err(StoreError::Conflict(BatchMoved(missing.clone()).into())),
    }
}

/// Locks the products of an order's lines and loads the lines; an unknown order has none.
///
/// The order gets no further lines until the unit ends. Its SKUs are read before the locks and compared
/// again under them. A line added in between is a conflict, and the unit runs again with that line.
pub(crate) fn lock_order(unit: &mut dyn UnitOfWork, order_id: &OrderId) -> Result<Locked, StoreError> {
    let line = |sku| LockRequest { order_ids: vec![order_id.clone()], ..LockRequest::product(sku) };
    let skus = unit.orders().skus_of(order_id)?;
    lock_lines(unit, order_id, &skus, skus.iter().cloned().map(line).collect())
}

/// Locks an order like [`lock_order`], together with products that it is to get lines of. The open batches of
/// all of them are loaded.
pub(crate) fn lock_order_with(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    others: impl IntoIterator<Item = Sku>,
) -> Result<Locked, StoreError> {
    let skus = unit.orders().skus_of(order_id)?;
    let all: BTreeSet<Sku> = skus.iter().cloned().chain(others).collect();
    let line = |sku| LockRequest { order_ids: vec![order_id.clone()], open_batches: true, ..LockRequest::product(sku) };
    lock_lines(unit, order_id, &skus, all.into_iter().map(line).collect())
}

/// Locks the requested products, and the lines of an order that has lines of the products `skus`.
fn lock_lines(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    skus: &[Sku],
    wanted: Vec<LockRequest>,
) -> Result<Locked, StoreError> {
    if skus.is_empty() {
        return Ok(Locked::default());
    }
    let locked = lock(unit, &wanted)?;
    unit.orders().lock_lines(order_id, skus)?;
    Ok(locked)
}

/// Releases expired holds of locked products and allocates free units to backorders, within the bound of one
/// unit of work.
///
/// Returns the products that are still behind: this unit can decide nothing else on them.
pub(crate) fn catch_up(unit: &mut dyn UnitOfWork, locked: &mut Locked) -> Result<Vec<Sku>, StoreError> {
    let mut behind = Vec::new();
    let now = locked.now;
    for product in locked.products.iter_mut() {
        let Ok(_) = unit.decide(product, |product| product.release_expired(now))?;
        locked.contexts.add(product.sku(), 0..product.events().len(), &EventContext::SYSTEM);
        if product.is_behind() {
            behind.push(product.sku().clone());
        }
    }
    Ok(behind)
}

/// Brings locked products up to date for one decision over all of them.
///
/// Returns `None` when that takes more units of work. This unit's progress is then saved, and the caller
/// ends the unit with [`UnitOutcome::Step`](crate::unit_of_work::UnitOutcome::Step).
pub(crate) fn up_to_date(unit: &mut dyn UnitOfWork, mut locked: Locked) -> Result<Option<Locked>, StoreError> {
    if catch_up(unit, &mut locked)?.is_empty() {
        return Ok(Some(locked));
    }
    unit.products().save(&changed(locked.products), &locked.contexts)?;
    Ok(None)
}
