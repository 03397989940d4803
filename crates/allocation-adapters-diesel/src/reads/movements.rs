//! The movements of a product.

use super::blocks::{blocks_of_key, lowest_start};
use super::events::log_bounds;
use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use crate::event_block::movement_key;
use allocation_domain::Sku;
use allocation_ports::{MovementPage, PageSize, StoreError};

/// The number of blocks in memory at a time.
const STEP: i64 = 50;
/// The number of such steps of a page.
const STEPS: usize = 20;

/// Returns a page of the retained movements of a product after a position. All statements must see the same state of
/// the database.
pub(crate) fn movements(
    connection: &mut AnyConnection,
    sku: &Sku,
    after: u64,
    page: PageSize,
) -> Result<MovementPage, StoreError> {
    let oldest = i64::try_from(log_bounds(connection)?.oldest).map_err(corrupt)?;
    // No stored position is beyond the column type.
    let after = i64::try_from(after).unwrap_or(i64::MAX).min(i64::MAX - 1);
    let mut from = lowest_start(after + 1).max(oldest);
    let mut found = MovementPage::default();
    for _ in 0..STEPS {
        let (rows, next) = blocks_of_key(connection, movement_key(sku), from, STEP).map_err(store_error)?;
        for row in &rows {
            for event in row.events()?.into_iter().filter(|event| event.position > after && event.moves(sku)) {
                let (position, recorded) = (event.position, event.recorded()?);
                // A program from before movements may have written it: its block was merged with one of this program.
                if recorded.event.moved_units().is_none() {
                    continue;
                }
                if found.movements.len() == usize::from(page.get()) {
                    found.next = found.movements.last().map(|(position, _)| *position);
                    return Ok(found);
                }
                found.movements.push((u64::try_from(position).map_err(corrupt)?, recorded));
            }
        }
        let Some(next) = next else { return Ok(found) };
        from = next;
    }
    // The last block begins at this position, and the page may have movements from behind it.
    let listed = found.movements.last().map_or(0, |(position, _)| *position);
    found.next = Some(u64::try_from(from - 1).map_err(corrupt)?.max(listed));
    Ok(found)
}
