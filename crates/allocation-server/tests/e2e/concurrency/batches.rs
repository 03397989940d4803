//! Batches that are corrected while they are being sold.

use super::{CLIENTS, at_once, count, nothing_deadlocked, nothing_failed, with_one_server_and_with_two};
use crate::support::{Client, Server, TestDatabase};
use serde_json::{Value, json};

/// Sells lamps, or corrects their quantity; returns the line that was allocated or waits.
fn sell_or_correct(client: &Client, number: usize) -> Option<(String, u64)> {
    let order = format!("O-{number}");
    let quantity = 1 + u32::try_from(number % 5).unwrap();
    let status = match number % 4 {
        0 => {
            let purchased = [20, 90, 0, 55, 120][number / 4 % 5];
            let batch = format!("B-{}", number / 20 % 2);
            let answer = client.change_batch(&batch, &json!({"purchased_quantity": purchased}));
            assert_eq!(answer.status, 200, "{answer:?}");
            return None;
        }
        1 => client.allocate(&order, "LAMP", quantity).status,
        2 => client.place(&order, &[("LAMP", quantity)], json!({"priority": number % 3})).status,
        _ => {
            let terms = json!({"on_shortage": "backorder", "allow_split": number % 8 < 4, "priority": number % 3});
            client.place(&order, &[("LAMP", quantity)], terms).status
        }
    };
    assert!(status == 201 || status == 409 && number % 4 != 3, "{order}: {status}");
    (status == 201).then_some((order, u64::from(quantity)))
}

fn lowers_a_batch_being_allocated(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-0", "LAMP", 100, None);
    client.add_batch("B-1", "LAMP", 100, Some("2027-01-15"));
    let lines: Vec<_> = at_once(servers, 12, sell_or_correct).into_iter().flatten().collect();
    assert!(lines.len() > 100);
    let (mut allocated, mut waiting) = (0, 0);
    for (order, quantity) in lines {
        let placed = client.order(&order);
        let line = &placed["lines"][0];
        let (has, lacks) = (line["allocated"].as_u64().unwrap(), line["backordered"].as_u64().unwrap());
        assert_eq!(has + lacks, quantity, "it has its units or waits for them: {placed}");
        let parts = line["allocations"].as_array().unwrap().iter().map(|part| part["qty"].as_u64().unwrap());
        assert_eq!(parts.sum::<u64>(), has, "{placed}");
        (allocated, waiting) = (allocated + has, waiting + lacks);
    }
    let product = client.product("LAMP");
    let total = |name: &str| product[name].as_u64().unwrap();
    assert_eq!((total("allocated"), total("backordered"), total("held")), (allocated, waiting, 0));
    assert_eq!(total("in_stock") + total("on_its_way"), total("allocated") + total("available"));
    let batches = client.all("/batch?sku=LAMP");
    let sum = |name: &str| batches.iter().map(|batch| batch[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("allocated_quantity"), sum("available_quantity")), (allocated, total("available")));
    // No line that can be split waits while anything is free.
    let takers = "SELECT count(*) FROM order_lines WHERE waiting > 0 AND (allow_split OR waiting <= ";
    let free = total("available");
    assert!(free == 0 || database.count(&format!("{takers}{free})")) == 0, "{free} are free");
    nothing_deadlocked(database);
    nothing_failed(servers);
}

fn changes_a_revision_once(_: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    let tag = client.add_batch("B-1", "LAMP", 100, None).header("etag").unwrap().to_owned();
    let statuses = at_once(servers, 1, |client, number| {
        client.change_batch_if("B-1", Some(&tag), &json!({"purchased_quantity": 101 + number})).status
    });
    assert_eq!((count(&statuses, 200), count(&statuses, 412)), (1, CLIENTS - 1));

    // A client that reads before it writes, and repeats after a 412, overwrites no change.
    client.add_batch("B-2", "LAMP", 100, None);
    at_once(servers, 2, |client, _| {
        loop {
            let read = client.get("/batch/B-2");
            let more = read.json()["purchased_quantity"].as_u64().unwrap() + 1;
            let change: Value = json!({"purchased_quantity": more});
            match client.change_batch_if("B-2", read.header("etag"), &change).status {
                200 => return,
                status => assert_eq!(status, 412),
            }
        }
    });
    assert_eq!(client.get("/batch/B-2").json()["purchased_quantity"], 100 + 2 * CLIENTS);
    nothing_failed(servers);
}

with_one_server_and_with_two!(
    a_batch_is_lowered_while_it_is_sold: lowers_a_batch_being_allocated,
    of_many_purchasers_one_is_first: changes_a_revision_once,
);
