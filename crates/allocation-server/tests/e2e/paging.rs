//! Every page of a long list costs the same.

use crate::support::{Server, TestDatabase, on_every_database};
use serde_json::json;

const BATCHES: i64 = 100_000;

/// The statements that fill the tables, faster than 100,000 requests.
fn fill(database: &TestDatabase) {
    let numbers = if database.url().starts_with("sqlite") {
        format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {BATCHES})")
    } else {
        format!("WITH n(n) AS (SELECT generate_series(1, {BATCHES}))")
    };
    let insert = |target: &str, columns: &str| database.execute(&insert_from(&numbers, target, columns));
    insert("products (sku, version)", "'SKU-' || n, 1");
    insert("batch_references (reference, sku, purchased_quantity)", "'B-' || n, 'SKU-' || n, 10");
    insert(
        "batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)",
        "'SKU-' || n, 'B-' || n, 10, 0, NULL, 1800000000000000 + n",
    );
}

fn insert_from(numbers: &str, target: &str, columns: &str) -> String {
    // `WHERE true` keeps SQLite from parsing `ON` as a join constraint.
    format!("INSERT INTO {target} {numbers} SELECT {columns} FROM n WHERE true")
}

fn a_hundred_thousand_batches_are_paged_in_constant_memory(database: &TestDatabase) {
    let server = Server::start(database);
    fill(database);
    let client = server.client();
    let first_pages = client.get("/batch?limit=1000");
    assert_eq!(first_pages.json().as_array().unwrap().len(), 1_000);
    let before = server.own_memory_kib();
    let rows = client.all("/batch?limit=1000");
    assert_eq!(i64::try_from(rows.len()).unwrap(), BATCHES);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row["reference"], format!("B-{}", number + 1), "each once, in the order of adding");
    }
    let grown = server.own_memory_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "the server grew by {grown} KiB over 100 pages");
}

fn a_cursor_belongs_to_its_list(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for number in 0..2 {
        client.add_batch(&format!("B-{number}"), &format!("SKU-{number}"), 5, None);
        let waits = json!({"on_shortage": "backorder"});
        client.place(&format!("O-{number}"), &[(&format!("SKU-{number}"), 9)], waits);
    }
    let lists = ["/batch", "/allocations", "/orders", "/backorders", "/products", "/orders/O-1/history"];
    let cursors = lists.map(|list| {
        let page = client.get(&format!("{list}?limit=1"));
        let link = page.header("link").unwrap_or_else(|| panic!("no next page: {page:?}"));
        link.split("after=").nth(1).unwrap().split(['>', '&']).next().unwrap().to_owned()
    });
    for list in lists {
        for (other, cursor) in lists.iter().zip(&cursors) {
            let answer = client.get(&format!("{list}?after={cursor}"));
            if list == *other {
                assert_eq!(answer.json().as_array().unwrap().len(), if list.ends_with("history") { 2 } else { 1 });
            } else {
                assert_eq!(answer.faults(), ["after"], "{list} with a cursor of {other}");
            }
        }
    }
}

/// InvenTree#11442, erpnext#49037: rows that are there throughout are listed once, whatever comes and goes meanwhile.
fn pages_lose_no_row_and_repeat_none_while_others_write(database: &TestDatabase) {
    const ROWS: usize = 12;
    let server = Server::start(database);
    let client = server.client();
    let add = |name: &str| {
        client.add_batch(&format!("B-{name}"), &format!("SKU-{name}"), 1, None);
        let order = format!("O-{name}");
        assert_eq!(
            client.place(&order, &[(&format!("SKU-{name}"), 2)], json!({"on_shortage": "backorder"})).status,
            201
        );
        let list = json!({"pick_list_id": format!("P-{name}"), "order_ids": [order]});
        assert_eq!(client.post("/pick-lists", &list).status, 201);
    };
    for number in 0..ROWS {
        add(&format!("{number:02}-gone"));
        add(&format!("{number:02}-kept"));
    }
    let lists = [
        ("/batch", "reference"),
        ("/allocations", "order_id"),
        ("/orders?status=partially_allocated", "order_id"),
        ("/backorders", "order_id"),
        ("/products", "sku"),
        ("/pick-lists?status=open", "pick_list_id"),
    ];
    let first = |path: &str| format!("{path}{}limit=3", if path.contains('?') { '&' } else { '?' });
    let mut next = lists.map(|(path, _)| Some(first(path)));
    let mut seen = lists.map(|_| Vec::new());
    for round in 0.. {
        for ((link, seen), (_, key)) in next.iter_mut().zip(&mut seen).zip(lists) {
            let Some(path) = link.take() else { continue };
            let (rows, after) = client.page(&path);
            seen.extend(rows.iter().map(|row| row[key].as_str().unwrap().to_owned()));
            *link = after;
        }
        if next.iter().all(Option::is_none) {
            assert!(round > ROWS, "all writes came in between: {round}");
            break;
        }
        // Rows leave and come, before the cursors and after them.
        if round < ROWS {
            let gone = format!("{round:02}-gone");
            assert_eq!(client.cancel(&format!("O-{gone}")).status, 204);
            assert_eq!(client.delete(&format!("/batch/B-{gone}")).status, 204);
            add(&format!("00-new-{round:02}"));
            add(&format!("99-new-{round:02}"));
        }
    }
    for ((path, _), seen) in lists.iter().zip(&seen) {
        let mut kept: Vec<_> = seen.iter().filter(|name| name.ends_with("-kept")).collect();
        kept.sort();
        let numbers: Vec<_> =
            kept.iter().map(|name| name.split('-').nth(1).unwrap().parse::<usize>().unwrap()).collect();
        assert_eq!(numbers, (0..ROWS).collect::<Vec<_>>(), "{path}: {seen:?}");
        let once: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{path}: {seen:?}");
    }
}

on_every_database!(
    a_hundred_thousand_batches_are_paged_in_constant_memory,
    a_cursor_belongs_to_its_list,
    pages_lose_no_row_and_repeat_none_while_others_write
);
