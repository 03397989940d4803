//! The order of service, checked against each event.

use allocation_domain::{
    AllocationReason, BatchReference, Event, LineState, OrderId, ProductProjection, Projection, Promises, QueuePosition,
};
use chrono::{DateTime, Utc};

/// Applies an event, and checks that it is the turn of its line in the state before.
pub(crate) fn apply(projection: &mut Projection, event: &Event, decided_at: DateTime<Utc>, promises: Promises) {
    let before = projection.product(event.sku());
    match event {
        Event::Allocated { order_id, reference, reason, .. } => {
            before.inspect(|product| no_waiting_line_is_overtaken(product, order_id, *reason));
            let is_newcomer = !matches!(reason, AllocationReason::Move | AllocationReason::Backorder);
            if let Some(product) = before.filter(|_| is_newcomer && promises == Promises::Fair) {
                no_promise_is_overtaken(product, order_id, reference);
            }
        }
        Event::BackInStock { .. } => assert!(before.is_some_and(|product| product.available() > 0)),
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

/// A newcomer gets no units of a batch that another line would get them from earlier than it is promised.
fn no_promise_is_overtaken(product: &ProductProjection, order_id: &OrderId, reference: &BatchReference) {
    let batch = product.batch(reference).unwrap();
    for (other, line) in product.lines().filter(|(other, line)| *other != order_id && line.is_improvable()) {
        for part in line.allocations.iter().filter(|part| part.eta > batch.eta()) {
            assert!(part.quantity.get() > batch.available(), "{order_id} overtakes {other} in {reference}");
        }
    }
}

/// Returns whether a waiting line can take any of `free` units.
pub(crate) fn can_take(line: &LineState, free: u64) -> bool {
    if line.terms.allow_split { free > 0 } else { free >= u64::from(line.waiting) }
}
