//! The order of service, checked against each event.

use allocation_domain::{AllocationReason, Event, LineState, OrderId, ProductProjection, Projection, QueuePosition};
use chrono::{DateTime, Utc};

/// Applies an event, and checks that it is the turn of its line in the state before.
pub(crate) fn apply(projection: &mut Projection, event: &Event, decided_at: DateTime<Utc>) {
    let before = projection.product(event.sku());
    match event {
        Event::Allocated { order_id, reason, .. } => {
            before.inspect(|product| no_waiting_line_is_overtaken(product, order_id, *reason));
        }
        Event::OutOfStock { .. } => assert_eq!(before.map(ProductProjection::available), Some(0)),
        Event::ProductRegistered { .. } => assert!(before.is_none(), "a product is registered before anything else"),
        _ => {}
    }
    projection.apply(event, decided_at).unwrap();
}

fn no_waiting_line_is_overtaken(product: &ProductProjection, order_id: &OrderId, reason: AllocationReason) {
    let position = |order_id: &OrderId| product.line(order_id).map(|line| QueuePosition::of(order_id, line));
    for (other, line) in product.lines().filter(|(other, line)| *other != order_id && line.waiting > 0) {
        let comes_before = match reason {
            AllocationReason::Backorder => position(other) < position(order_id),
            AllocationReason::NewLine | AllocationReason::Refill | AllocationReason::LineChanged => true,
            // Units that move were not free for any other line.
            AllocationReason::Move => false,
        };
        if comes_before {
            assert!(!can_take(line, product.available()), "{order_id} overtakes {other}");
        }
    }
}

/// Returns whether a waiting line can take any of `free` units.
pub(crate) fn can_take(line: &LineState, free: u64) -> bool {
    if line.terms.allow_split { free > 0 } else { free >= u64::from(line.waiting) }
}
