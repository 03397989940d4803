//! Loading of further data that a decision on a locked product requests.

use crate::any_connection::AnyConnection;
use crate::line_row::Lines;
use crate::{fitting, moving, postgres, queue, sqlite, stored_batches};
use allocation_domain::{DataRequest, OrderId, PickLine, PickLineId, Product, QueuePosition, Sku};
use allocation_ports::StoreError;
use std::slice;

/// Loads the requested data into a product.
pub(crate) fn load(
    connection: &mut AnyConnection,
    product: &mut Product,
    needed: &DataRequest,
) -> Result<(), StoreError> {
    match needed {
        DataRequest::Batches => product.complete(stored_batches::open_batches(connection, product.sku())?),
        DataRequest::Batch(reference) => {
            product.load_batches(stored_batches::find_batch(connection, reference)?.map(|found| found.batch));
        }
        DataRequest::NextOn { reference, after } => {
            let (order_ids, more) = moving::next_on(connection, reference, after.as_ref())?;
            let Lines { lines, batches, pick_lines, .. } = lines(connection, product.sku(), &order_ids)?;
            product.load_batches(batches);
            product.load_next_on(reference, after.as_ref(), lines, more);
            product.load_pick_lines(pick_lines);
        }
        DataRequest::LastOn { reference, units } => {
            let order_ids = moving::last_on(connection, reference, *units)?;
            let known = order_ids.map(|order_ids| lines(connection, product.sku(), &order_ids)).transpose()?;
            let (mut found, mut pick_lines) = (None, Vec::new());
            if let Some(known) = known {
                product.load_batches(known.batches);
                found = Some(known.lines);
                pick_lines = known.pick_lines;
            }
            product.load_last_on(reference, *units, found);
            product.load_pick_lines(pick_lines);
        }
        DataRequest::WaitingLines { after, free, limit } => {
            let (after, free, limit) = (after.as_ref(), *free, *limit);
            load_waiting(connection, product, after, free, limit, queue::WHENEVER_THEY_EXPIRE)?;
        }
        DataRequest::InTransit => {
            let batches = stored_batches::in_transit(connection, product.sku())?;
            product.load_in_transit(batches);
        }
        DataRequest::FittingOn { references, after, units, limit } => {
            let (order_ids, more) = fitting::next(connection, references, after.as_ref(), *units, *limit)?;
            let Lines { lines, batches, pick_lines, .. } = lines(connection, product.sku(), &order_ids)?;
            product.load_batches(batches);
            product.load_fitting_on(references, after.as_ref(), *units, lines, more);
            product.load_pick_lines(pick_lines);
        }
        DataRequest::Line(order_id) => {
            let Lines { lines, batches, pick_lines, .. } = lines(connection, product.sku(), slice::from_ref(order_id))?;
            product.load_batches(batches);
            product.load_lines(lines);
            product.load_pick_lines(pick_lines);
        }
        DataRequest::PickLinesOf(order_id) => product.load_pick_lines(pick_lines(connection, product.sku(), order_id)?),
    }
    Ok(())
}

/// Loads waiting lines whose hold expires after an instant.
pub(crate) fn load_waiting(
    connection: &mut AnyConnection,
    product: &mut Product,
    after: Option<&QueuePosition>,
    free: u64,
    limit: usize,
    alive_at: i64,
) -> Result<(), StoreError> {
    let search = queue::QueueSearch { sku: product.sku(), after, free, limit, alive_at };
    let (places, more) = queue::next(connection, search)?;
    let order_ids: Vec<_> = places.into_iter().map(|place| place.order_id().clone()).collect();
    let Lines { mut lines, batches, pick_lines, .. } = lines(connection, product.sku(), &order_ids)?;
    lines.sort_by_cached_key(|(order_id, line)| QueuePosition::of(order_id, line));
    product.load_batches(batches);
    product.load_waiting(after, free, lines, more);
    product.load_pick_lines(pick_lines);
    Ok(())
}

/// Loads the pick lines of an order line, except withdrawn and short-picked ones.
fn pick_lines(
    connection: &mut AnyConnection,
    sku: &Sku,
    order_id: &OrderId,
) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => sqlite::load_pick_lines(connection, sku, order_id),
        AnyConnection::Postgres(connection) => postgres::load_pick_lines(connection, [(sku, order_id)]),
    }
}

/// Loads the existing lines with their batches and pick lines.
pub(crate) fn lines(connection: &mut AnyConnection, sku: &Sku, order_ids: &[OrderId]) -> Result<Lines, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => sqlite::lines(connection, sku, order_ids),
        AnyConnection::Postgres(connection) => postgres::lines(connection, sku, order_ids),
    }
}
