//! The invariants of the tables, the events and the responses.

use super::ledger::{Ledger, Line, Parts, State};
use super::picker::Picker;
use super::shopper::{Order, Shopper, Stands};
use crate::support::TestDatabase;

/// Checks all invariants of a database without writers and holds.
pub(super) fn check(database: &TestDatabase, shoppers: &[Shopper], pickers: &[Picker]) {
    check_counters(database);
    let stored = Ledger::stored(database);
    let projected = Ledger::of_stored_events(database);
    assert_eq!(projected.batches, stored.batches, "the events give the batches");
    assert_eq!(projected.lines, stored.lines, "the events give the lines and their allocations");
    assert_eq!(projected.picks, stored.picks, "the events give the pick lines");
    check_picked(&stored, pickers);
    check_returned(&stored, pickers);
    let names = database.texts("SELECT order_id FROM orders");
    for shopper in shoppers {
        for (name, order) in &shopper.orders {
            check_order(&stored, name, order);
        }
    }
    let placed = |shopper: &Shopper| shopper.orders.values().filter(|order| order.is_placed()).count();
    let picked: usize = pickers.iter().map(|picker| picker.orders).sum();
    let placed: usize = shoppers.iter().map(placed).sum();
    assert_eq!(names.len(), placed + picked, "orders that were answered 201 and no others");
    let mine = |shopper: &Shopper| shopper.orders.values().map(|order| order.lines.len()).sum::<usize>();
    assert!(
        stored.lines.len() <= shoppers.iter().map(mine).sum::<usize>() + picked,
        "there are lines that no client sent"
    );
}

/// Units reported as picked stay picked, until a report says otherwise.
fn check_picked(stored: &Ledger, pickers: &[Picker]) {
    for ((list, line), units) in pickers.iter().flat_map(|picker| &picker.picked) {
        let pick = &stored.picks[&(list.clone(), *line)];
        let (picked, put_back) = *units;
        let expected: &[&str] = match (picked, put_back) {
            (0, 0) => &["missing"],
            (0, _) => &["withdrawn"],
            _ => &["picked", "shipped"],
        };
        let kept = expected.contains(&&*pick.status) && (pick.picked, pick.put_back) == *units;
        assert!(kept, "{units:?} were picked and put back of line {line} of {list}: {pick:?}");
    }
}

/// Exactly the units that were reported to have come back have, and no more than were shipped.
fn check_returned(stored: &Ledger, pickers: &[Picker]) {
    let returned = pickers.iter().flat_map(|picker| &picker.returned);
    for (order, units) in returned.clone() {
        let lines = stored.lines.iter().filter(|((name, _), _)| name == order);
        assert_eq!(lines.map(|(_, line)| line.returned).sum::<u64>(), *units, "{order}");
    }
    let all: u64 = stored.lines.values().map(|line| line.returned).sum();
    assert_eq!(all, returned.map(|(_, units)| units).sum::<u64>(), "and no others");
    assert!(stored.lines.values().all(|line| line.returned <= line.shipped));
}

/// Compares the responses to one order with its stored lines.
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
        assert_eq!(line.parts, *known, "{name} {sku} holds the reported units");
    }
    for (batch, units) in known {
        let held = line.parts.get(batch).copied().unwrap_or(0);
        assert!(held >= *units, "{name} {sku} had a response with {units} of {batch}: {line:?}");
    }
}

/// Checks the invariants that hold under concurrent writes: each statement sees one snapshot.
pub(crate) fn check_counters(database: &TestDatabase) {
    let none = |what: &str, query: &str| assert_eq!(database.count(query), 0, "{what}");
    let of_batch =
        "coalesce((SELECT sum(a.quantity) FROM allocations a WHERE a.sku = b.sku AND a.reference = b.reference), 0)";
    let of_line =
        "coalesce((SELECT sum(a.quantity) FROM allocations a WHERE a.sku = l.sku AND a.order_id = l.order_id), 0)";
    let gone = "picked_quantity + shipped_quantity + missing_quantity";
    none(
        "oversold",
        &format!(
            "SELECT count(*) FROM batches WHERE allocated_quantity + {gone} > purchased_quantity OR allocated_quantity < 0
             OR picked_quantity < 0 OR shipped_quantity < 0 OR missing_quantity < 0"
        ),
    );
    let sum = |of: &str, key: &str| format!("coalesce((SELECT sum({of}) FROM pick_list_lines k WHERE {key}), 0)");
    let picked = |key: &str| sum("k.picked - k.shipped", key);
    let shipped = |key: &str| sum("k.shipped", key);
    let key = "k.sku = b.sku AND k.reference = b.reference";
    let (picked_of, shipped_of) = (picked(key), shipped(key));
    none(
        "batches that differ from their pick lines",
        &format!(
            "SELECT count(*) FROM batches b WHERE picked_quantity <> {picked_of} OR shipped_quantity <> {shipped_of}"
        ),
    );
    let key = "k.sku = l.sku AND k.order_id = l.order_id";
    let (picked_of, shipped_of) = (picked(key), shipped(key));
    let listed_of = sum("CASE WHEN k.status = 'open' THEN k.quantity END", key);
    none(
        "lines that differ from their pick lines",
        &format!(
            "SELECT count(*) FROM order_lines l
             WHERE picked <> {picked_of} OR shipped <> {shipped_of} OR listed <> {listed_of}"
        ),
    );
    none(
        "units on lists that are not reserved, or on two",
        "SELECT count(*) FROM (
             SELECT sku, order_id, reference, sum(quantity) AS listed FROM pick_list_lines
             WHERE status = 'open' GROUP BY sku, order_id, reference
         ) AS k
         LEFT JOIN allocations a ON a.sku = k.sku AND a.order_id = k.order_id AND a.reference = k.reference
         WHERE a.quantity IS NULL OR a.quantity < k.listed",
    );
    none("drifted", &format!("SELECT count(*) FROM batches b WHERE b.allocated_quantity <> {of_batch}"));
    none(
        "lines with more than they ordered",
        &format!(
            "SELECT count(*) FROM order_lines l WHERE {of_line} + waiting + picked + shipped > quantity OR waiting < 0"
        ),
    );
    none(
        "lines that have ended and hold something",
        &format!("SELECT count(*) FROM order_lines l WHERE ended IS NOT NULL AND ({of_line} > 0 OR waiting > 0)"),
    );
    none(
        "lines that were sent alone and have nothing",
        &format!(
            "SELECT count(*) FROM order_lines l WHERE NOT of_order AND ended IS NULL AND {of_line} = 0 AND waiting = 0
             AND picked = 0 AND shipped = 0"
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
    none(
        "batches of closed counts",
        "SELECT count(*) FROM counted_batches JOIN stock_counts USING (count_id) WHERE closed_at IS NOT NULL",
    );
    let total = |of: &str, from: &str| format!("coalesce((SELECT {of} FROM {from} = p.sku), 0)");
    for (column, of, from) in [
        (
            "in_stock",
            "sum(purchased_quantity - shipped_quantity - missing_quantity)",
            "batches b WHERE b.eta IS NULL AND b.sku",
        ),
        (
            "on_its_way",
            "sum(purchased_quantity - shipped_quantity - missing_quantity)",
            "batches b WHERE b.eta IS NOT NULL AND b.sku",
        ),
        ("picked", "sum(picked_quantity)", "batches b WHERE b.sku"),
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
    let free = format!(
        "coalesce((SELECT sum(purchased_quantity - allocated_quantity - ({gone})) FROM batches b WHERE b.sku = l.sku), 0)"
    );
    none(
        "lines that wait for units that are free",
        &format!(
            "SELECT count(*) FROM order_lines l WHERE waiting > 0
             AND (allow_split AND {free} > 0 OR NOT allow_split AND {free} >= waiting)"
        ),
    );
}
