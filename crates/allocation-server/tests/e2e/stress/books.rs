//! Whether the tables, the events and the answers tell the same story.

use super::Shopper;
use crate::support::TestDatabase;
use serde_json::Value;
use std::collections::BTreeMap;

/// Purchased and allocated units by SKU and reference.
type Batches = BTreeMap<(String, String), (u64, u64)>;
/// Units by batch, by order and SKU.
type Held = BTreeMap<(String, String), BTreeMap<String, u64>>;

/// Checks all that must hold of a database that nobody is writing to.
pub(super) fn check(database: &TestDatabase, shoppers: &[Shopper]) {
    check_counters(database);
    let stored = stored_allocations(database);
    let mut told = Held::new();
    for shopper in shoppers {
        told.extend(shopper.held.clone());
    }
    assert_eq!(stored, told, "every 201 is present, and nothing else is: no refusal had an effect");
    check_events(database, &stored);
}

fn check_counters(database: &TestDatabase) {
    let none = |what: &str, query: &str| assert_eq!(database.count(query), 0, "{what}");
    let sum =
        "(SELECT coalesce(sum(a.quantity), 0) FROM allocations a WHERE a.sku = b.sku AND a.reference = b.reference)";
    none("oversold", "SELECT count(*) FROM batches WHERE allocated_quantity NOT BETWEEN 0 AND purchased_quantity");
    none("drifted", &format!("SELECT count(*) FROM batches b WHERE b.allocated_quantity <> {sum}"));
    none(
        "lines that hold nothing, or more than they ordered",
        "SELECT count(*) FROM order_lines l WHERE (SELECT coalesce(sum(a.quantity), 0) FROM allocations a
         WHERE a.sku = l.sku AND a.order_id = l.order_id) NOT BETWEEN 1 AND l.quantity",
    );
    none(
        "names without a batch",
        "SELECT count(*) FROM batch_references r WHERE NOT EXISTS (SELECT 1 FROM batches b
         WHERE b.sku = r.sku AND b.reference = r.reference)",
    );
}

fn stored_allocations(database: &TestDatabase) -> Held {
    let rows = database
        .texts("SELECT order_id || '|' || sku || '|' || reference || '|' || CAST(quantity AS text) FROM allocations");
    let mut held = Held::new();
    for row in rows {
        let columns: Vec<&str> = row.split('|').collect();
        let line = held.entry((columns[0].to_owned(), columns[1].to_owned())).or_default();
        line.insert(columns[2].to_owned(), columns[3].parse().unwrap());
    }
    held
}

/// Replays the events: they must make the tables, one change for one event.
fn check_events(database: &TestDatabase, stored: &Held) {
    // A reference may go from one SKU to another, and events are in order only within a SKU.
    let mut batches: Batches = BTreeMap::new();
    let mut held = Held::new();
    for event in database.texts("SELECT payload FROM all_events ORDER BY sku, version, ordinal") {
        replay(&serde_json::from_str(&event).unwrap(), &mut batches, &mut held);
    }
    assert_eq!(held, *stored, "the events make the allocations");
    let rows = database.texts(
        "SELECT sku || '|' || reference || '|' || CAST(purchased_quantity AS text) || '|' || CAST(allocated_quantity AS text)
         FROM batches",
    );
    let tables: Batches = rows
        .iter()
        .map(|row| {
            let columns: Vec<&str> = row.split('|').collect();
            let key = (columns[0].to_owned(), columns[1].to_owned());
            (key, (columns[2].parse().unwrap(), columns[3].parse().unwrap()))
        })
        .collect();
    assert_eq!(batches, tables, "the events make the batches");
}

fn replay(event: &Value, batches: &mut Batches, held: &mut Held) {
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    let units = |name: &str| event[name].as_u64().unwrap();
    let batch = || (text("sku"), text("reference"));
    match event["type"].as_str().unwrap() {
        "batch_added" => {
            let before = batches.insert(batch(), (units("purchased_quantity"), 0));
            assert!(before.is_none(), "{event}");
        }
        "batch_removed" => assert_eq!(batches.remove(&batch()).unwrap().1, 0, "{event}"),
        "allocated" => {
            batches.get_mut(&batch()).unwrap().1 += units("quantity");
            let line = held.entry((text("order_id"), text("sku"))).or_default();
            *line.entry(text("reference")).or_default() += units("quantity");
        }
        "deallocated" => {
            batches.get_mut(&batch()).unwrap().1 -= units("quantity");
            let key = (text("order_id"), text("sku"));
            let line = held.get_mut(&key).unwrap();
            assert_eq!(line.remove(&text("reference")), Some(units("quantity")), "{event}");
            if line.is_empty() {
                held.remove(&key);
            }
        }
        "out_of_stock" => {}
        other => panic!("{other}"),
    }
}
