//! Many clients of two replicas edit, receive and pick one product at once.

use super::{nothing_deadlocked, nothing_failed, with_two_servers};
use crate::support::{Answer, Client, Server, TestDatabase, binary};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const CLIENTS: u32 = 256;
const STACK: usize = 256 * 1024;

/// Sends a request until the server is not overloaded.
fn expect(send: impl Fn() -> Answer, statuses: &[u16]) -> Answer {
    let answers = (0..600).map(|_| {
        let answer = send();
        if answer.status == 503 {
            thread::sleep(Duration::from_millis(50));
        }
        answer
    });
    let answer = answers.into_iter().find(|answer| answer.status != 503).unwrap();
    assert!(statuses.contains(&answer.status), "{answer:?} is none of {statuses:?}");
    answer
}

/// Picks the lines of a list: some short, some corrected, some put back; and ships it.
fn pick_and_ship(client: &Client, list: &Value, number: u32) {
    let path = format!("/pick-lists/{}", list["pick_list_id"].as_str().unwrap());
    for line in list["lines"].as_array().unwrap() {
        let (of_line, units) = (format!("{path}/lines/{}", line["line"]), line["qty"].as_u64().unwrap());
        let found = if number.is_multiple_of(8) { units - 1 } else { units };
        // Units that others did not find may have been taken from the line.
        let picked = expect(|| client.post(&format!("{of_line}/pick"), &json!({ "qty": found })), &[200, 409]);
        if picked.status == 200 && number.is_multiple_of(8) {
            expect(|| client.post(&format!("{of_line}/pick"), &json!({ "qty": units })), &[200, 409]);
        }
        if picked.status == 200 && number % 4 == 1 {
            expect(|| client.post(&format!("{of_line}/put-back"), &json!({ "qty": 1 })), &[200]);
        }
    }
    expect(|| client.post(&format!("{path}/ship"), &json!({ "open": "release" })), &[200, 409]);
}

/// One order from its delivery to its shipment.
fn act(client: &Client, number: u32) {
    let (order, inbound, list) = (format!("O-{number}"), format!("IN-{number}"), format!("P-{number}"));
    let lines = |qty: u32| json!({ "lines": [{ "sku": "HOT", "qty": qty }] });
    expect(|| client.add_batch(&inbound, "HOT", 4, Some("2099-01-01")), &[201]);
    expect(|| client.place(&order, &[("HOT", 2)], json!({ "on_shortage": "backorder" })), &[201]);
    expect(|| client.patch(&format!("/orders/{order}"), &lines(5)), &[200]);
    let receipt = json!({ "receipt_id": format!("R-{number}"), "qty": 3 });
    expect(|| client.post(&format!("/batch/{inbound}/receipts"), &receipt), &[201]);
    expect(|| client.patch(&format!("/orders/{order}"), &lines(2 + number % 3)), &[200]);
    let wanted = json!({ "pick_list_id": list, "order_ids": [order] });
    let made = expect(|| client.post("/pick-lists", &wanted), &[201, 409]);
    if made.status == 201 {
        pick_and_ship(client, &made.json(), number);
    }
}

fn edits_receives_and_picks(database: &TestDatabase, servers: &[&Server]) {
    let start = Barrier::new(usize::try_from(CLIENTS).unwrap());
    thread::scope(|scope| {
        for (number, server) in (0..CLIENTS).zip(servers.iter().cycle()) {
            let (start, client) = (&start, server.client());
            let thread = thread::Builder::new().stack_size(STACK).name(format!("client {number}"));
            thread
                .spawn_scoped(scope, move || {
                    start.wait();
                    act(&client, number);
                })
                .unwrap();
        }
    });
    let client = servers[0].client();
    let orders = client.all("/orders");
    assert_eq!(orders.len(), usize::try_from(CLIENTS).unwrap());
    let units =
        |name: &str| client.all("/batch?sku=HOT").iter().map(|batch| batch[name].as_i64().unwrap_or(0)).sum::<i64>();
    assert_eq!(units("purchased_quantity"), i64::from(4 * CLIENTS));
    assert!(units("shipped_quantity") > 0);
    assert_eq!((units("picked_quantity"), units("adjusted_quantity")), (0, 0), "what was missing was found");
    let waits = "SELECT count(*) FROM order_lines WHERE waiting > 0";
    assert!(units("available_quantity") == 0 || database.count(waits) == 0, "no line waits while units are free");
    let checked = binary().arg("check").env("DATABASE_URL", database.url()).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    nothing_deadlocked(database);
    nothing_failed(servers);
}

#[test]
fn two_replicas_edit_receive_and_pick_one_product() {
    with_two_servers(&TestDatabase::postgres(), edits_receives_and_picks);
}
