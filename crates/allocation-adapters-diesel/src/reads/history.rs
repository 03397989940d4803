//! The history of an order.

use super::blocks::blocks_everywhere;
use crate::any_connection::AnyConnection;
use crate::block_row::StoredEvent;
use crate::error::store_error;
use crate::event_block::subject_key;
use allocation_domain::OrderId;
use allocation_ports::{EventCursor, PageSize, RecordedEvent, StoreError, Subject};

/// Returns a page of the retained events of an order, which has few.
pub(crate) fn history(
    connection: &mut AnyConnection,
    order_id: &OrderId,
    after: Option<&EventCursor>,
    page: PageSize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let key = subject_key(&Subject::Order(order_id.clone()));
    let blocks = blocks_everywhere(connection, key).map_err(store_error)?;
    let mut events = Vec::new();
    for block in &blocks {
        let of_order = |event: &StoredEvent<'_>| event.order_id.as_deref() == Some(order_id.as_str());
        events.extend(block.events()?.into_iter().filter(of_order));
    }
    events.sort_unstable_by(|one, other| place(one).cmp(&place(other)));
    // No stored event has numbers beyond the column types.
    let after = after.map(|after| {
        let version = i64::try_from(after.version).unwrap_or(i64::MAX);
        let ordinal = i32::try_from(after.ordinal).unwrap_or(i32::MAX);
        (after.occurred_at.timestamp_micros(), after.sku.as_str(), version, ordinal)
    });
    let first = after.map_or(0, |after| events.partition_point(|event| place(event) <= after));
    let events = events.into_iter().skip(first).take(usize::from(page.get()));
    events.map(StoredEvent::recorded).collect()
}

/// Returns the key by which a history is sorted.
fn place<'a>(event: &'a StoredEvent<'_>) -> (i64, &'a str, i64, i32) {
    (event.occurred_at, &event.sku, event.version, event.ordinal)
}
