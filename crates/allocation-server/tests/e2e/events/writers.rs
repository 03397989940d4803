//! Writers with transactions of different lengths.

use crate::support::{Answer, Client};
use serde_json::{Value, json};
use std::thread;
use std::time::Instant;

pub(super) const WRITERS: usize = 5;

/// The number of products. The first one is in high demand.
const SKUS: usize = 12;

/// Sends commands of one kind until the end; returns how many succeeded.
pub(super) fn write(client: &Client, writer: usize, end: Instant) -> usize {
    let mut carried_out = 0;
    for round in 0.. {
        if Instant::now() >= end {
            break;
        }
        let answers = match writer {
            0 => lines_alone(client, round),
            1 => large_order(client, round),
            2 => cart(client, round),
            3 => batch(client, round),
            _ => warehouse(client, round),
        };
        for answer in answers {
            // A business rule may reject a command; an invalid command is a fault of the test.
            assert!(matches!(answer.status, 200..300 | 404 | 409 | 503), "{answer:?}");
            carried_out += usize::from(answer.status < 300);
        }
    }
    carried_out
}

/// Lines of one product that several clients send concurrently, so that the engine groups them, and one
/// that is released.
fn lines_alone(client: &Client, round: usize) -> Vec<Answer> {
    let mut answers: Vec<Answer> = thread::scope(|scope| {
        let send = |number: usize| {
            let client = client.clone();
            scope.spawn(move || client.allocate(&format!("ALONE-{round}-{number}"), "SKU-0", 1))
        };
        let sent: Vec<_> = (0..6).map(send).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let reference = answers[0].json()["reference"].as_str().map(str::to_owned);
    answers
        .extend(reference.map(|reference| client.delete(&format!("/allocations/ALONE-{round}-0/batch/{reference}"))));
    answers
}

/// An order over many products.
fn large_order(client: &Client, round: usize) -> Vec<Answer> {
    let count = 1 + round % SKUS;
    let lines: Vec<Value> =
        (0..count).map(|n| json!({"sku": format!("SKU-{}", (round + n) % SKUS), "qty": 1 + n % 3})).collect();
    let on_shortage = if round.is_multiple_of(2) { "backorder" } else { "reject" };
    let priority = i64::try_from(round % 3).unwrap();
    let order = json!({"order_id": format!("LARGE-{round}"), "lines": lines, "on_shortage": on_shortage,
        "priority": priority, "allow_split": !round.is_multiple_of(5)});
    let mut answers = vec![client.post("/orders", &order)];
    if round % 7 == 6 {
        answers.push(client.delete(&format!("/orders/LARGE-{}", round - 3)));
    }
    answers
}

/// A cart that is confirmed, extended, cancelled or left to expire.
fn cart(client: &Client, round: usize) -> Vec<Answer> {
    let lines = [json!({"sku": "SKU-0", "qty": 2}), json!({"sku": format!("SKU-{}", 1 + round % 3), "qty": 1})];
    let order = json!({"order_id": format!("CART-{round}"), "lines": lines, "hold_seconds": 3_600});
    let mut answers = vec![client.post("/orders", &order)];
    match round % 4 {
        1 => answers.push(client.post_text(&format!("/orders/CART-{round}/confirm"), None, "")),
        2 => answers.push(client.post(&format!("/orders/CART-{round}/extend"), &json!({"hold_seconds": 7_200}))),
        3 => answers.push(client.delete(&format!("/orders/CART-{round}"))),
        _ => {}
    }
    answers
}

/// A batch, one that is lowered or postponed, and one that is removed again.
fn batch(client: &Client, round: usize) -> Vec<Answer> {
    let sku = format!("SKU-{}", if round.is_multiple_of(2) { 0 } else { round % SKUS });
    let eta = (round % 3 == 1).then_some("2030-01-01");
    let mut answers = vec![client.add_batch(&format!("B-{round}"), &sku, 30, eta)];
    if round % 4 == 3 {
        let change = match round % 8 {
            3 => json!({"purchased_quantity": 5, "reallocate": true}),
            _ => json!({"eta": "2031-01-01", "reallocate": true}),
        };
        answers.push(client.patch(&format!("/batch/B-{}", round - 2), &change));
    }
    if round % 5 == 4 {
        client.add_batch(&format!("GONE-{round}"), "SKU-GONE", 1, None);
        answers.push(client.delete(&format!("/batch/GONE-{round}")));
    }
    answers
}

/// A short pick list that is released, or picked with occasional short picks and mostly shipped. Other
/// writers may withdraw lines of it.
fn warehouse(client: &Client, round: usize) -> Vec<Answer> {
    let list = format!("/pick-lists/P-{round}");
    let made = client.post("/pick-lists", &json!({"pick_list_id": format!("P-{round}"), "max_lines": 1 + round % 4}));
    if made.status != 201 {
        return vec![made];
    }
    if round % 5 == 4 {
        return vec![made, client.delete(&list)];
    }
    let lines = made.json()["lines"].as_array().unwrap().clone();
    let mut answers = vec![made];
    for (number, line) in lines.iter().enumerate() {
        let qty = line["qty"].as_u64().unwrap();
        let found = if (number + round) % 3 == 2 { qty / 2 } else { qty };
        answers.push(client.post(&format!("{list}/lines/{}/pick", line["line"]), &json!({"qty": found})));
    }
    if round % 5 != 3 {
        answers.push(client.post_text(&format!("{list}/ship"), None, ""));
    }
    answers
}
