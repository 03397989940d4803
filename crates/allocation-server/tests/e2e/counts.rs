//! Stock takes while business goes on.

use crate::pick_lists::events;
use crate::support::{Answer, Client, Server, TestDatabase, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

fn enter(client: &Client, count: &str, line: u32, entry: Value) -> Answer {
    client.try_send("PUT", &format!("/counts/{count}/lines/{line}"), &entry).unwrap()
}

fn close(client: &Client, count: &str) -> Answer {
    client.post(&format!("/counts/{count}/close"), &json!({}))
}

/// Ten lamps: four of them are picked, and the picker did not find two more.
fn picked(client: &Client) {
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "RUG", 3, None);
    client.place("O-1", &[("LAMP", 6)], json!({"on_shortage": "backorder"}));
    client.post("/pick-lists", &json!({"pick_list_id": "P", "max_lines": 1}));
    client.post("/pick-lists/P/lines/1/pick", &json!({"qty": 4}));
}

/// A count that goes on while units are picked and shipped finds what is missing, and nothing else.
fn a_line_is_compared_with_what_is_on_hand_when_it_is_entered(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    picked(&client);
    let opened = client.post("/counts", &json!({"count_id": "C 1", "skus": ["LAMP", "RUG"]}));
    assert_eq!((opened.status, opened.header("location")), (201, Some("/counts/C%201")));
    let id = "C%201";
    let unsaid = enter(&client, id, 1, json!({"counted": 7})).problem(409, "picked-units");
    assert_eq!(unsaid["detail"], "4 units of batch B-1 are picked and not shipped: were they counted?");
    let said = enter(&client, id, 1, json!({"counted": 7, "picked_counted": true})).json();
    assert_eq!((&said["expected"], &said["variance"]), (&json!(8), &json!(-1)), "two units were missing");
    client.send("POST", "/pick-lists/P/ship", None, "");
    let repeated = enter(&client, id, 1, json!({"counted": 7, "picked_counted": true})).json();
    assert_eq!(repeated, said, "a request that arrives twice is compared once");
    let recount = json!({"counted": 3, "picked_counted": true});
    assert_eq!(enter(&client, id, 1, recount).json()["expected"], 4);
    assert_eq!(close(&client, id).problem(409, "not-counted")["lines"], json!([2]));
    enter(&client, id, 2, json!({"counted": 3}));
    let closed = close(&client, id);
    assert_eq!(closed.status, 200, "{closed:?}");
    let adjusted = json!([{"reference": "B-1", "sku": "LAMP", "change": -1, "on_hand": 3}]);
    assert_eq!(closed.json()["adjustment"]["lines"], adjusted);
    assert_eq!((close(&client, id).json(), client.get("/counts/C%201").json()), (closed.json(), closed.json()));
    enter(&client, id, 1, json!({"counted": 1})).problem(409, "count-closed");
    client.delete("/counts/C%201").problem(409, "count-closed");
    client.adjust("C 1", "lost", &[("B-2", -1)]).problem(409, "adjustment-already-exists");
    let history = client.all("/batch/B-1/history");
    let adjusted: Vec<_> = history.iter().filter(|row| row["adjustment_id"] == "C 1").collect();
    assert_eq!((adjusted.len(), &adjusted[0]["reason"]), (1, &json!("count")));
    assert_eq!(client.all("/counts?limit=1")[0]["status"], "closed");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn a_batch_that_is_deleted_or_replaced_is_left_as_it_is(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "LAMP", 10, None);
    client.add_batch("B-3", "LAMP", 10, None);
    client.post("/counts", &json!({"count_id": "C", "references": ["B-1", "B-2", "B-3"]}));
    for line in 1..=3 {
        assert_eq!(enter(&client, "C", line, json!({"counted": 8})).status, 200);
    }
    assert_eq!(client.delete("/batch/B-1").status, 204);
    assert_eq!(client.delete("/batch/B-2").status, 204);
    client.add_batch("B-2", "LAMP", 4, None);
    enter(&client, "C", 1, json!({"counted": 7})).problem(404, "batch-not-found");
    assert_eq!(close(&client, "C").problem(409, "not-counted")["lines"], json!([1, 2]));
    let closed = client.post("/counts/C/close", &json!({"uncounted": "leave"}));
    assert_eq!(closed.json()["adjustment"]["lines"].as_array().unwrap().len(), 1);
    assert_eq!((client.available("B-2"), client.available("B-3")), (4, 8));
}

fn a_blind_count_and_its_dry_runs(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    let new = json!({"count_id": "C", "skus": ["LAMP"], "blind": true});
    let tried = client.post("/counts?dry_run=true", &new);
    assert_eq!((tried.status, tried.header("location"), client.all("/counts").len()), (200, None, 0));
    client.post("/counts", &new);
    let path = "/counts/C/lines/1?dry_run=true";
    assert_eq!(client.try_send("PUT", path, &json!({"counted": 9})).unwrap().json()["counted"], 9);
    assert!(client.get("/counts/C").json()["lines"][0].get("counted").is_none());
    enter(&client, "C", 1, json!({"counted": 9}));
    let line = |shown: Value| shown["lines"][0].clone();
    let hidden = json!({"line": 1, "reference": "B-1", "sku": "LAMP", "counted": 9});
    assert_eq!(line(client.get("/counts/C").json()), hidden);
    let tried = client.post("/counts/C/close?dry_run=true", &json!({})).json();
    assert_eq!((&tried["status"], line(tried.clone()), client.available("B-1")), (&json!("open"), hidden, 10));
    assert_eq!(client.delete("/counts/C?dry_run=true").status, 204);
    let shown = line(close(&client, "C").json());
    assert_eq!((&shown["expected"], &shown["variance"], client.available("B-1")), (&json!(10), &json!(-1), 9));
    client.post("/counts", &json!({"count_id": "D", "references": ["B-1"]}));
    assert_eq!(client.delete("/counts/D").status, 204);
    client.get("/counts/D").problem(404, "count-not-found");
}

/// Eight clerks close the same count at the same time, on two servers.
fn a_count_is_closed_once(database: &TestDatabase) {
    let (one, other) = (Server::start(database), Server::start(database));
    let client = one.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.post("/counts", &json!({"count_id": "C", "skus": ["LAMP"]}));
    enter(&client, "C", 1, json!({"counted": 7}));
    let start = &Barrier::new(8);
    let answers: Vec<Value> = thread::scope(|scope| {
        let clerks: Vec<_> = (0..8)
            .map(|clerk| {
                let client = if clerk < 4 { one.client() } else { other.client() };
                scope.spawn(move || {
                    start.wait();
                    let answer = close(&client, "C");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answer.json()
                })
            })
            .collect();
        clerks.into_iter().map(|clerk| clerk.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(client.available("B-1"), 7);
}

on_every_database!(
    a_line_is_compared_with_what_is_on_hand_when_it_is_entered,
    a_batch_that_is_deleted_or_replaced_is_left_as_it_is,
    a_blind_count_and_its_dry_runs,
    a_count_is_closed_once,
);
