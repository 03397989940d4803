//! Whether the tables, the events and the answers tell the same story.

use super::ledger::{Ledger, Line, Parts, State};
use super::shopper::{Order, Shopper, Stands};
use crate::support::TestDatabase;

/// Checks all that must hold of a database that nobody is writing to, and in which nothing is held.
pub(super) fn check(database: &TestDatabase, shoppers: &[Shopper]) {
    check_counters(database);
    let stored = Ledger::stored(database);
    let told = Ledger::replayed(database);
    assert_eq!(told.batches, stored.batches, "the events make the batches");
    assert_eq!(told.lines, stored.lines, "the events make the lines and what they hold");
    let names = database.texts("SELECT order_id FROM orders");
    for shopper in shoppers {
        for (name, order) in &shopper.orders {
            check_order(&stored, name, order);
        }
    }
    let placed = |shopper: &Shopper| shopper.orders.values().filter(|order| order.is_placed()).count();
    assert_eq!(names.len(), shoppers.iter().map(placed).sum::<usize>(), "orders that were answered 201 and no others");
    let mine = |shopper: &Shopper| shopper.orders.values().map(|order| order.lines.len()).sum::<usize>();
    assert!(stored.lines.len() <= shoppers.iter().map(mine).sum::<usize>(), "there are lines that nobody sent");
}

/// What one client was told of an order of its own, against what is stored of it.
fn check_order(stored: &Ledger, name: &str, order: &Order) {
    for (sku, known) in &order.lines {
        let Some(line) = stored.lines.get(&(name.to_owned(), sku.clone())) else {
            let forgotten = !order.is_placed() && (order.stands == Stands::Refused || !known.whole);
            assert!(forgotten, "{name} {sku} is lost: {order:?}");
            continue;
        };
        assert_ne!(order.stands, Stands::Refused, "{name} {sku} was refused and is there: {line:?}");
        assert_eq!(line.quantity, known.quantity, "{name} {sku}");
        let (expired, cancelled) = (line.state == State::Expired, line.state == State::Cancelled);
        match order.stands {
            Stands::Firm => assert_eq!(line.state, State::Firm, "{name} {sku}: {order:?}"),
            Stands::Held | Stands::Expired => assert!(expired, "{name} {sku}: {line:?} {order:?}"),
            Stands::Cancelled => assert!(cancelled || expired && order.fleeting, "{name} {sku}: {line:?} {order:?}"),
            Stands::Refused => {}
        }
        if order.stands == Stands::Firm {
            let held: u64 = line.parts.values().sum();
            if known.whole {
                assert_eq!(held + line.waiting, known.quantity, "{name} {sku} has lost units: {line:?}");
            }
            check_parts(name, sku, known.parts.as_ref(), known.exact, line);
        }
    }
}

fn check_parts(name: &str, sku: &str, known: Option<&Parts>, exact: bool, line: &Line) {
    let Some(known) = known else { return };
    if exact {
        assert_eq!(line.parts, *known, "{name} {sku} holds what it was told");
    }
    for (batch, units) in known {
        let held = line.parts.get(batch).copied().unwrap_or(0);
        assert!(held >= *units, "{name} {sku} was told {units} of {batch}: {line:?}");
    }
}

/// Checks what must hold at any time, whoever is writing: each statement sees one moment.
pub(super) fn check_counters(database: &TestDatabase) {
    let none = |what: &str, query: &str| assert_eq!(database.count(query), 0, "{what}");
    let of_batch =
        "coalesce((SELECT sum(a.quantity) FROM allocations a WHERE a.sku = b.sku AND a.reference = b.reference), 0)";
    let of_line =
        "coalesce((SELECT sum(a.quantity) FROM allocations a WHERE a.sku = l.sku AND a.order_id = l.order_id), 0)";
    none("oversold", "SELECT count(*) FROM batches WHERE allocated_quantity NOT BETWEEN 0 AND purchased_quantity");
    none("drifted", &format!("SELECT count(*) FROM batches b WHERE b.allocated_quantity <> {of_batch}"));
    none(
        "lines with more than they ordered",
        &format!("SELECT count(*) FROM order_lines l WHERE {of_line} + waiting > quantity OR waiting < 0"),
    );
    none(
        "lines that have ended and hold something",
        &format!("SELECT count(*) FROM order_lines l WHERE ended IS NOT NULL AND ({of_line} > 0 OR waiting > 0)"),
    );
    none(
        "lines that were sent alone and have nothing",
        &format!(
            "SELECT count(*) FROM order_lines l WHERE NOT of_order AND ended IS NULL AND {of_line} = 0 AND waiting = 0"
        ),
    );
    none(
        "allocations without a line",
        "SELECT count(*) FROM allocations a WHERE NOT EXISTS (SELECT 1 FROM order_lines l
         WHERE a.sku = l.sku AND a.order_id = l.order_id)",
    );
    none(
        "names without a batch",
        "SELECT count(*) FROM batch_references r WHERE NOT EXISTS (SELECT 1 FROM batches b
         WHERE b.sku = r.sku AND b.reference = r.reference)",
    );
    let total = |of: &str, from: &str| format!("coalesce((SELECT {of} FROM {from} = p.sku), 0)");
    for (column, of, from) in [
        ("in_stock", "sum(purchased_quantity)", "batches b WHERE b.eta IS NULL AND b.sku"),
        ("on_its_way", "sum(purchased_quantity)", "batches b WHERE b.eta IS NOT NULL AND b.sku"),
        ("backordered", "sum(waiting)", "order_lines l WHERE l.sku"),
        ("waiting_lines", "count(*)", "order_lines l WHERE l.waiting > 0 AND l.sku"),
        ("held_lines", "count(*)", "order_lines l WHERE l.expires_at IS NOT NULL AND l.sku"),
        (
            "held",
            "sum(a.quantity)",
            "allocations a JOIN order_lines l ON l.sku = a.sku AND l.order_id = a.order_id
             WHERE l.expires_at IS NOT NULL AND l.sku",
        ),
    ] {
        none(column, &format!("SELECT count(*) FROM products p WHERE p.{column} <> {}", total(of, from)));
    }
    let free = "coalesce((SELECT sum(purchased_quantity - allocated_quantity) FROM batches b WHERE b.sku = l.sku), 0)";
    none(
        "lines that wait for units that are free",
        &format!(
            "SELECT count(*) FROM order_lines l WHERE waiting > 0
             AND (allow_split AND {free} > 0 OR NOT allow_split AND {free} >= waiting)"
        ),
    );
}
