//! Products as they are at an instant, for reads.

use crate::any_connection::AnyConnection;
use crate::{expiry, loading};
use allocation_domain::{Batch, MoreNeeded, Product, ProductState, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};

/// What a read knows of a product before it restores it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) sku: Sku,
    pub(super) has_waiting: bool,
    pub(super) has_expired: bool,
}

/// A product with its expired lines, in one snapshot. `None` as open batches says that they are left
/// out.
pub(super) fn restore(
    connection: &mut AnyConnection,
    standing: &Standing,
    open_batches: Option<Vec<Batch>>,
    now: DateTime<Utc>,
) -> Result<Product, StoreError> {
    let mut state = ProductState::new(standing.sku.clone(), 0);
    state.more_open_batches = open_batches.is_none();
    state.open_batches = open_batches.unwrap_or_default();
    state.more_waiting = standing.has_waiting;
    if standing.has_expired {
        let order_ids = expiry::orders(connection, &standing.sku, now)?;
        let expired = loading::lines(connection, &standing.sku, &order_ids)?;
        state.lines = expired.lines;
        state.named_batches = expired.batches;
        state.pick_lines = expired.pick_lines;
    }
    Ok(Product::restore(state))
}

/// Asks a product, and loads what it lacks for the answer.
pub(super) fn ask<T>(
    connection: &mut AnyConnection,
    product: &mut Product,
    mut question: impl FnMut(&mut Product) -> Result<T, MoreNeeded>,
) -> Result<T, StoreError> {
    loop {
        match question(product) {
            Ok(answer) => return Ok(answer),
            Err(needed) => loading::load(connection, product, &needed.what)?,
        }
    }
}
