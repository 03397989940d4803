//! The state that the feed gives, in the form in which the API returns it.

use super::Client;
use allocation_domain::{
    Batch, BatchCounts, BatchOrigin, Event, LineState, Order, OrderId, PickLine, PickListId, Projection, Sku,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Applies published events, the first one first.
pub(crate) fn project(events: &[Value]) -> Projection {
    let mut projection = Projection::default();
    for event in events {
        let decided_at: DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
        let data: Event = serde_json::from_value(event["data"].clone()).unwrap();
        projection.apply(&data, decided_at).unwrap();
    }
    projection
}

/// Compares batches, allocations, orders and pick lists with those that the API returns.
pub(crate) fn assert_served(projection: &Projection, client: &Client) {
    let mut batches = client.all("/batch?limit=1000");
    batches.sort_by_key(|batch| ["sku", "reference"].map(|name| batch[name].as_str().unwrap().to_owned()));
    assert_eq!(batches, projection.batches().map(batch).collect::<Vec<_>>());
    assert_eq!(sorted(client.all("/allocations?limit=1000")), sorted(allocations(projection)));
    let served: Vec<Value> = client.all("/orders?limit=1000").into_iter().map(order_in_brief).collect();
    assert_eq!(served, orders(projection));
    assert_eq!(served_pick_lists(client), pick_lists(projection));
}

fn batch(batch: &Batch) -> Value {
    let BatchCounts { picked, shipped, .. } = batch.counts();
    let mut json = json!({
        "reference": batch.reference().as_str(), "sku": batch.sku().as_str(),
        "purchased_quantity": batch.purchased().get(), "allocated_quantity": batch.allocated(),
        "available_quantity": batch.available(), "eta": batch.eta().date().map(|date| date.to_string()),
    });
    for (name, units) in
        [("picked", i64::from(picked)), ("shipped", i64::from(shipped)), ("adjusted", batch.adjusted())]
    {
        if units != 0 {
            json[format!("{name}_quantity")] = units.into();
        }
    }
    if let Some(BatchOrigin { return_id, order_id }) = batch.origin() {
        json["origin"] = json!({"return_id": return_id.as_str(), "order_id": order_id.as_str()});
    }
    json
}

fn allocations(projection: &Projection) -> Vec<Value> {
    let parts = projection.lines().flat_map(|(sku, order_id, line)| {
        line.allocations.iter().map(move |part| {
            json!({"order_id": order_id.as_str(), "sku": sku.as_str(), "qty": part.quantity.get(),
                "reference": part.reference.as_str()})
        })
    });
    parts.collect()
}

fn orders(projection: &Projection) -> Vec<Value> {
    let mut orders: BTreeMap<&OrderId, Vec<(Sku, LineState)>> = BTreeMap::new();
    for (sku, order_id, line) in projection.lines() {
        orders.entry(order_id).or_default().push((sku.clone(), line.clone()));
    }
    let order = |(order_id, lines): (&OrderId, Vec<(Sku, LineState)>)| {
        let lines_json = lines.iter().map(|(sku, line)| {
            let parts = line.allocations.iter().map(|part| (part.reference.as_str(), part.quantity.get()));
            let held: BTreeMap<&str, u32> = parts.collect();
            json!({"sku": sku.as_str(), "qty": line.quantity.get(), "backordered": line.waiting, "held": held,
                "picked": line.fulfilment.picked, "shipped": line.fulfilment.shipped,
                "returned": line.fulfilment.returned})
        });
        let lines_json: Vec<Value> = lines_json.collect();
        let order = Order { order_id: order_id.clone(), lines };
        json!({"order_id": order_id.as_str(), "status": order.status(Utc::now()).as_str(), "lines": lines_json})
    };
    orders.into_iter().map(order).collect()
}

/// A served order, with the units that each line holds by batch.
fn order_in_brief(order: Value) -> Value {
    let lines = order["lines"].as_array().unwrap().iter().map(|line| {
        let parts = line["allocations"].as_array().unwrap().iter();
        let held: BTreeMap<&str, &Value> =
            parts.map(|part| (part["reference"].as_str().unwrap(), &part["qty"])).collect();
        json!({"sku": line["sku"], "qty": line["qty"], "backordered": line["backordered"], "held": held,
            "picked": line["picked"].as_u64().unwrap_or(0), "shipped": line["shipped"].as_u64().unwrap_or(0),
            "returned": line["returned"].as_u64().unwrap_or(0)})
    });
    json!({"order_id": order["order_id"], "status": order["status"], "lines": lines.collect::<Vec<_>>()})
}

/// The pick lists of a projection, sorted by id.
pub(crate) fn pick_lists(projection: &Projection) -> Vec<Value> {
    let mut lists: BTreeMap<&PickListId, BTreeMap<u32, Value>> = BTreeMap::new();
    for (id, line) in projection.pick_lines() {
        lists.entry(&id.list).or_default().insert(id.line, pick_line(id.line, line));
    }
    let list = |(id, lines): (&PickListId, BTreeMap<u32, Value>)| {
        json!({"pick_list_id": id.as_str(), "status": projection.pick_list(id).unwrap().status().as_str(),
            "lines": lines.into_values().collect::<Vec<_>>()})
    };
    lists.into_iter().map(list).collect()
}

fn pick_line(number: u32, line: &PickLine) -> Value {
    json!({"line": number, "reference": line.reference.as_str(), "sku": line.sku.as_str(),
        "order_id": line.order_id.as_str(), "qty": line.quantity.get(), "status": line.status.as_str(),
        "picked": line.picked, "shipped": line.shipped, "put_back": line.put_back})
}

/// The served pick lists, sorted by id.
pub(crate) fn served_pick_lists(client: &Client) -> Vec<Value> {
    let lists = client.all("/pick-lists?limit=1000");
    let mut ids: Vec<&str> = lists.iter().map(|list| list["pick_list_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let list = |id: &str| {
        let mut list = client.get(&format!("/pick-lists/{id}")).json();
        for line in list["lines"].as_array_mut().unwrap() {
            for name in ["picked", "shipped", "put_back"] {
                line[name] = line[name].as_u64().unwrap_or(0).into();
            }
        }
        json!({"pick_list_id": id, "status": list["status"], "lines": list["lines"]})
    };
    ids.into_iter().map(list).collect()
}

fn sorted(rows: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}
