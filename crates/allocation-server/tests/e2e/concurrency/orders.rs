//! Concurrent orders are all or nothing, once.

use super::{CLIENTS, at_once, count, nothing_deadlocked, nothing_failed, with_one_server_and_with_two};
use crate::support::{Server, TestDatabase};
use serde_json::json;

const SKUS: usize = 8;

/// Three consecutive SKUs, forwards or backwards.
fn overlapping(number: usize) -> Vec<String> {
    let mut skus: Vec<String> = (0..3).map(|step| format!("SKU-{}", (number + step * 3) % SKUS)).collect();
    if number % 2 == 1 {
        skus.reverse();
    }
    skus
}

/// django-oscar#4594: orders of the same SKUs, forwards and backwards, never wait for each other.
fn places_overlapping_orders(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    for sku in 0..SKUS {
        client.add_batch(&format!("HERE-{sku}"), &format!("SKU-{sku}"), 60, None);
        client.add_batch(&format!("LATER-{sku}"), &format!("SKU-{sku}"), 40, Some("2027-01-15"));
    }
    // 320 orders of two units of three SKUs, 240 units for each SKU: fewer than half can be served.
    let answers = at_once(servers, 10, |client, number| {
        let skus = overlapping(number);
        let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 2)).collect();
        let more = if number % 3 == 0 { json!({"hold_seconds": 600}) } else { json!({}) };
        (number, client.place(&format!("O-{number}"), &lines, more).status)
    });
    let placed = answers.iter().filter(|(_, status)| *status == 201).count();
    let refused = answers.iter().filter(|(_, status)| *status == 409).count();
    assert_eq!((placed + refused, answers.len()), (320, 320));
    // A rejected order means that a SKU is sold out, and each order takes six of the 800 units.
    assert!((50..=133).contains(&placed), "{placed}");
    let mut expected: Vec<String> =
        answers.iter().filter(|(_, status)| *status == 201).map(|(number, _)| format!("O-{number} 3")).collect();
    expected.sort();
    let mut stored =
        database.texts("SELECT order_id || ' ' || CAST(count(*) AS text) FROM order_lines GROUP BY order_id");
    stored.sort();
    assert_eq!(stored, expected, "exactly the lines of orders with a 201");
    assert_eq!(database.count("SELECT count(*) FROM orders"), i64::try_from(placed).unwrap());
    let units = "SELECT coalesce(sum(quantity), 0) FROM allocations";
    assert_eq!(database.count(units), i64::try_from(placed * 6).unwrap());
    let short = "SELECT count(*) FROM order_lines l WHERE l.quantity <> (SELECT sum(a.quantity) FROM allocations a
                 WHERE a.sku = l.sku AND a.order_id = l.order_id)";
    assert_eq!(database.count(short), 0, "a line has all its units");
    nothing_deadlocked(database);
    nothing_failed(servers);
}

fn sells_the_last_units_once(_: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    for round in 0..5 {
        client.add_batch(&format!("LAST-{round}"), &format!("LAST-{round}"), 1, None);
    }
    client.add_batch("PLENTY", "PLENTY", 1_000, None);
    let statuses = at_once(servers, 5, |client, number| {
        let last = format!("LAST-{}", number % 5);
        client.place(&format!("O-{number}"), &[("PLENTY", 2), (&last, 1)], json!({})).status
    });
    assert_eq!((count(&statuses, 201), count(&statuses, 409)), (5, 5 * (CLIENTS - 1)));
    assert_eq!(client.available("PLENTY"), 990, "an order without the last unit gets nothing");
    assert_eq!(client.all("/orders").len(), 5);
}

fn places_one_order_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "LAMP", 50, None);
    client.add_batch("B-2", "SOFA", 50, None);
    let terms = json!({"hold_seconds": 600, "on_shortage": "backorder"});
    let answers = at_once(servers, 2, |client, number| {
        let mut lines = [("LAMP", 2), ("SOFA", 3)];
        if number % 2 == 0 {
            lines.reverse();
        }
        let answer = client.place("O-1", &lines, terms.clone());
        (answer.status, answer.json())
    });
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!((count(&statuses, 201), count(&statuses, 200), statuses.len()), (1, 63, 64));
    let order = client.order("O-1");
    assert!(answers.iter().all(|(_, body)| *body == order));
    assert_eq!((client.available("B-1"), client.available("B-2")), (48, 47));
    let rows = "SELECT count(*) FROM all_events WHERE type IN ('line_placed', 'allocated')";
    assert_eq!((database.count(rows), database.count("SELECT count(*) FROM orders")), (4, 1));
    nothing_deadlocked(database);
    nothing_failed(servers);
}

fn places_one_of_many_contents(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    for sku in ["LAMP", "SOFA"] {
        client.add_batch(sku, sku, 500, None);
    }
    // The contents have no SKU in common, only the id of the order.
    let statuses = at_once(servers, 4, |client, number| {
        let sku = ["LAMP", "SOFA"][number / 4 % 2];
        client.place(&format!("O-{}", number % 4), &[(sku, 1)], json!({})).status
    });
    assert_eq!((count(&statuses, 201), count(&statuses, 200), count(&statuses, 409)), (4, 60, 64));
    assert_eq!(client.available("LAMP") + client.available("SOFA"), 996);
    assert_eq!(database.count("SELECT count(*) FROM order_lines"), 4);
    nothing_deadlocked(database);
    nothing_failed(servers);
}

fn accepts_a_standalone_line_or_the_order(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "LAMP", 1_000, None);
    client.add_batch("B-2", "SOFA", 1_000, None);
    let answers = at_once(servers, 4, |client, number| {
        let name = format!("O-{}", number % 4);
        if number / 4 % 2 == 0 {
            client.place(&name, &[("SOFA", 1), ("LAMP", 2)], json!({})).status
        } else {
            client.allocate(&name, "LAMP", 2).status
        }
    });
    for round in 0..4 {
        let of_round = |kind: usize| -> Vec<u16> {
            (0..CLIENTS).filter(|client| client % 2 == kind).map(|client| answers[client * 4 + round]).collect()
        };
        let (orders, lines) = (of_round(0), of_round(1));
        match (count(&orders, 201), count(&lines, 201)) {
            (1, 0) => assert_eq!((count(&orders, 200), count(&lines, 200)), (15, 16)),
            (0, 1) => assert_eq!((count(&orders, 409), count(&lines, 200)), (16, 15)),
            other => panic!("{other:?}: {orders:?} {lines:?}"),
        }
    }
    assert_eq!(client.available("B-1"), 1_000 - 4 * 2);
    nothing_deadlocked(database);
    nothing_failed(servers);
}

fn cancels_an_order_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "SOFA", 10, None);
    client.place("O-1", &[("LAMP", 10), ("SOFA", 10)], json!({"hold_seconds": 600}));
    let answers = at_once(servers, 2, |client, number| match number % 4 {
        0 => (client.confirm("O-1").status, [200, 409]),
        1 => (client.extend("O-1", 700).status, [200, 409]),
        2 => (client.place("O-1", &[("LAMP", 10), ("SOFA", 10)], json!({"hold_seconds": 600})).status, [200, 409]),
        _ => (client.cancel("O-1").status, [204, 204]),
    });
    assert!(answers.iter().all(|(status, expected)| expected.contains(status)), "{answers:?}");
    assert_eq!(client.standing("O-1"), "cancelled LAMP 0 SOFA 0");
    assert_eq!((client.available("B-1"), client.available("B-2")), (10, 10));
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'line_cancelled'"), 2);
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'deallocated'"), 2);
    nothing_deadlocked(database);
    nothing_failed(servers);
}

with_one_server_and_with_two!(
    overlapping_orders_are_all_or_nothing: places_overlapping_orders,
    the_last_unit_is_sold_in_one_order: sells_the_last_units_once,
    one_order_is_placed_once: places_one_order_once,
    of_two_contents_one_is_the_order: places_one_of_many_contents,
    a_line_alone_and_an_order_of_one_name_exclude_each_other: accepts_a_standalone_line_or_the_order,
    an_order_is_cancelled_once: cancels_an_order_once,
);
