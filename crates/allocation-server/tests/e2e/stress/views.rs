//! Compares the API with the stored rows, without writers and holds.

use super::ledger::{Ledger, Line, State};
use crate::support::{Client, TestDatabase};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn check(database: &TestDatabase, client: &Client) {
    let stored = Ledger::stored(database);
    check_orders(client, &stored);
    check_allocations(client, &stored);
    check_products(client);
    check_pick_lists(client, &stored);
    check_queues(database, client);
    check_histories(database, client, &stored);
}

/// The status of an order without holds.
fn status(lines: &[&Line]) -> &'static str {
    let holds = |line: &Line| line.parts.values().sum::<u64>() + line.picked + line.shipped;
    let expired = lines.iter().any(|line| line.state == State::Expired);
    let standing: Vec<_> = lines.iter().filter(|line| line.state == State::Firm).collect();
    let living: Vec<_> = standing.iter().filter(|line| holds(line) + line.waiting > 0).collect();
    if living.is_empty() {
        if expired { "expired" } else { "cancelled" }
    } else if living.iter().any(|line| line.waiting > 0 && !line.backorders) {
        "short"
    } else if living.iter().all(|line| holds(line) + line.waiting == line.shipped) {
        let is_whole = !expired && standing.iter().all(|line| line.shipped == line.quantity);
        if is_whole { "shipped" } else { "closed" }
    } else if living.iter().any(|line| line.shipped > 0) {
        "partially_shipped"
    } else if living.iter().all(|line| holds(line) == 0) {
        "backordered"
    } else if expired || standing.iter().any(|line| holds(line) < line.quantity) {
        "partially_allocated"
    } else if living.iter().all(|line| line.parts.is_empty()) {
        "picked"
    } else {
        "allocated"
    }
}

fn check_orders(client: &Client, stored: &Ledger) {
    let mut orders: BTreeMap<&str, Vec<(&str, &Line)>> = BTreeMap::new();
    for ((order, sku), line) in &stored.lines {
        orders.entry(order).or_default().push((sku, line));
    }
    let listed = client.all("/orders?limit=1000");
    assert_eq!(listed.len(), orders.len());
    for (listed, (name, lines)) in listed.iter().zip(&orders) {
        assert_eq!(listed["order_id"], *name, "by the bytes of their names");
        let only: Vec<&Line> = lines.iter().map(|(_, line)| *line).collect();
        assert_eq!(listed["status"], status(&only), "{listed} {lines:?}");
        let lines_listed: Vec<Value> = listed["lines"].as_array().unwrap().iter().map(without_dates).collect();
        let expected: Vec<Value> = lines.iter().map(|(sku, line)| as_shown(sku, line)).collect();
        assert_eq!(lines_listed, expected, "{listed}");
    }
    for status in [
        "held",
        "allocated",
        "partially_allocated",
        "backordered",
        "picked",
        "partially_shipped",
        "shipped",
        "short",
        "expired",
        "cancelled",
        "closed",
    ] {
        let listed = client.all(&format!("/orders?status={status}&limit=1000"));
        let expected: Vec<&Value> = listed.iter().filter(|order| order["status"] == status).collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{status}");
    }
}

fn as_shown(sku: &str, line: &Line) -> Value {
    let held: u64 = line.parts.values().sum();
    let mut view = json!({"sku": sku, "qty": line.quantity, "allocated": held, "backordered": line.waiting});
    view["allocations"] = json!(line.parts);
    let taken = [("picked", line.picked), ("shipped", line.shipped), ("returned", line.returned)];
    for (name, units) in taken.into_iter().filter(|(_, units)| *units > 0) {
        view[name] = json!(units);
    }
    view
}

/// A returned line, with its allocations as units by batch.
fn without_dates(line: &Value) -> Value {
    let part = |part: &Value| (part["reference"].as_str().unwrap().to_owned(), part["qty"].clone());
    let mut line = line.clone();
    line["allocations"] = line["allocations"].as_array().unwrap().iter().map(part).collect();
    line
}

fn check_allocations(client: &Client, stored: &Ledger) {
    let rows = client.all("/allocations?limit=1000");
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("order_id"), text("sku"), text("reference"), row["qty"].as_u64().unwrap())
    };
    let mut rows_listed: Vec<_> = rows.iter().map(row).collect();
    rows_listed.sort();
    let of_line = |((order, sku), line): (&(String, String), &Line)| -> Vec<(String, String, String, u64)> {
        line.parts.iter().map(|(batch, units)| (order.clone(), sku.clone(), batch.clone(), *units)).collect()
    };
    let expected: Vec<_> = stored.lines.iter().flat_map(of_line).collect();
    assert_eq!(rows_listed, expected, "both views agree");
}

fn check_products(client: &Client) {
    let batches = client.all("/batch?limit=1000");
    for product in client.all("/products") {
        let total = |name: &str| product[name].as_u64().unwrap_or_else(|| panic!("{name}: {product}"));
        let picked = product.get("picked").map_or(0, |_| total("picked"));
        let present = total("in_stock") + total("on_its_way");
        assert_eq!(present, total("allocated") + picked + total("available"), "{product}");
        assert_eq!(total("held"), 0, "{product}");
        let of_sku = || batches.iter().filter(|batch| batch["sku"] == product["sku"]);
        let sum = |name: &str| of_sku().map(|batch| batch[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!(total("allocated"), sum("allocated_quantity"), "{product}");
        assert_eq!(total("available"), sum("available_quantity"), "{product}");
        let shown_when_any = |batch: &Value| batch.get("picked_quantity").map_or(0, |units| units.as_u64().unwrap());
        assert_eq!(picked, of_sku().map(shown_when_any).sum::<u64>(), "{product}");
        let sku = product["sku"].as_str().unwrap();
        assert_eq!(client.product(sku), product);
        let series = client.get(&format!("/products/{sku}/availability")).json()["series"].as_array().unwrap().clone();
        assert_eq!(series.last().map_or(0, |last| last["available"].as_u64().unwrap()), total("available"));
    }
}

fn check_pick_lists(client: &Client, stored: &Ledger) {
    let lists = client.all("/pick-lists?limit=7");
    let mut lines = 0;
    for list in &lists {
        let name = list["pick_list_id"].as_str().unwrap();
        let shown = client.get(&format!("/pick-lists/{name}")).json();
        assert_eq!(shown["status"], list["status"], "{shown}");
        for line in shown["lines"].as_array().unwrap() {
            let pick = &stored.picks[&(name.to_owned(), line["line"].as_u64().unwrap())];
            assert_eq!(
                (line["status"].as_str(), line["picked"].as_u64().unwrap_or(0)),
                (Some(&*pick.status), pick.picked)
            );
            lines += 1;
        }
    }
    assert_eq!(lines, stored.picks.len(), "no list is left out");
    for status in ["open", "picked", "shipped", "withdrawn"] {
        let listed = client.all(&format!("/pick-lists?status={status}&limit=3"));
        let expected: Vec<&Value> = lists.iter().filter(|list| list["status"] == status).collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{status}");
    }
}

fn check_queues(database: &TestDatabase, client: &Client) {
    let expected = database.texts(
        "SELECT sku || ' ' || CAST(row_number() OVER (PARTITION BY sku ORDER BY precedence, placed_at, order_id) AS text)
         || ' ' || order_id || ' ' || CAST(waiting AS text)
         FROM order_lines WHERE waiting > 0 ORDER BY sku, precedence, placed_at, order_id",
    );
    let rows = client.all("/backorders?limit=7");
    let shown = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        format!("{} {} {} {}", text("sku"), row["position"], text("order_id"), row["qty"])
    };
    let shown: Vec<String> = rows.iter().map(shown).collect();
    assert_eq!(shown, expected);
}

/// The histories of some orders have as many events as were recorded of them.
fn check_histories(database: &TestDatabase, client: &Client, stored: &Ledger) {
    let step = stored.lines.len() / 25 + 1;
    for (order, _) in stored.lines.keys().step_by(step) {
        let recorded = database.count(&format!("SELECT count(*) FROM all_events WHERE order_id = '{order}'"));
        let shown = client.all(&format!("/orders/{order}/history?limit=3"));
        assert_eq!(i64::try_from(shown.len()).unwrap(), recorded, "{order}");
        let at: Vec<&str> = shown.iter().map(|row| row["at"].as_str().unwrap()).collect();
        assert!(at.is_sorted(), "{order}: {at:?}");
    }
}
