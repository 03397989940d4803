//! Names with reserved characters in paths.

use crate::support::{Answer, Client, Server, TestDatabase, encoded, on_every_database};
use serde_json::{Value, json};

const ODD: [&str; 8] = ["a/b", "/", "a+b", "+", "100%", "%2F", "a%2Bb", "a b"];

/// Puts a name, percent-encoded, in place of every parameter of a path that is a name.
fn filled(template: &str, name: &str) -> String {
    let names = ["{order_id}", "{reference}", "{sku}", "{pick_list_id}"];
    names.iter().fold(template.replace("{line}", "1"), |path, parameter| path.replace(parameter, &encoded(name)))
}

/// The status of a response and the type of its problem.
fn outcome(answer: &Answer) -> (u16, Value) {
    (answer.status, serde_json::from_str::<Value>(&answer.text).map_or(Value::Null, |body| body["type"].clone()))
}

/// magento2#8615, #23043: `/`, `+` and `%` in a name lead to the same resource as any other name, on every path.
fn every_path_takes_names_with_reserved_characters(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let document = client.get("/openapi.json").json();
    let mut compared = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        if filled(template, "x") == *template {
            continue;
        }
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let (method, body) = (method.to_uppercase(), if method == "get" { "" } else { "{}" });
            let send = |name: &str| {
                let path = filled(template, name);
                outcome(&client.send(&method, &path, Some("application/json"), body))
            };
            let plain = send("plain");
            assert_ne!(plain.1, "/problems/not-found", "{method} {template}");
            for name in ODD {
                assert_eq!(send(name), plain, "{method} {template} with {name}");
            }
            compared += 1;
        }
    }
    assert!(compared >= 24, "{compared} operations have a name in their path");
}

/// Whatever its name, a thing is found again on all its paths.
fn a_thing_with_any_name_is_found(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for name in ODD {
        lives(&client, name, &encoded(name));
    }
    assert_eq!(client.all("/orders?limit=3").len(), ODD.len(), "none is another");
}

/// Receives, sells, picks and ships units: a batch, a product, an order and a pick list of one name.
fn lives(client: &Client, name: &str, path: &str) {
    let get = |uri: String| {
        let answer = client.get(&uri);
        assert_eq!(answer.status, 200, "{uri}: {answer:?}");
        answer.json()
    };
    let post = |uri: String, body: Value| {
        let answer = client.post(&uri, &body);
        assert!([200, 201].contains(&answer.status), "{uri}: {answer:?}");
        answer.json()
    };
    assert_eq!(client.register(name).json()["sku"], name);
    client.add_batch(name, name, 9, Some("2027-01-15"));
    let receipt = json!({"receipt_id": name, "qty": 5, "rest": {"reference": format!("{name}/rest")}});
    assert_eq!(post(format!("/batch/{path}/receipts"), receipt)["rest"]["reference"], format!("{name}/rest"));
    assert_eq!(client.delete(&format!("/batch/{}", encoded(&format!("{name}/rest")))).status, 204);
    assert_eq!(client.change_batch(name, &json!({"purchased_quantity": 6})).json()["available_quantity"], 6);
    assert_eq!(get(format!("/batch/{path}/history"))[1]["event"], "batch_received");
    assert_eq!(get(format!("/products/{path}/availability"))["series"][0]["available"], 6);

    client.place(name, &[(name, 4)], json!({"hold_seconds": 600}));
    client.extend(name, 900);
    assert_eq!(client.confirm(name).json()["status"], "allocated");
    assert_eq!(client.patch(&format!("/orders/{path}"), &json!({"lines": [{"sku": name, "qty": 3}]})).status, 200);
    assert_eq!(get(format!("/orders/{path}/history"))[0]["event"], "line_placed");
    let list = post("/pick-lists".to_owned(), json!({"pick_list_id": name, "order_ids": [name]}));
    assert_eq!(get(format!("/pick-lists/{path}")), list);
    assert_eq!(client.delete(&format!("/pick-lists/{path}/lines/1")).status, 204);
    assert_eq!(client.delete(&format!("/pick-lists/{path}")).status, 204);
    let second = format!("{name}/2");
    post("/pick-lists".to_owned(), json!({"pick_list_id": second, "order_ids": [name]}));
    let line = format!("/pick-lists/{}/lines/1", encoded(&second));
    assert_eq!(post(format!("{line}/pick"), json!({"qty": 3}))["picked"], 3);
    assert_eq!(post(format!("{line}/put-back"), json!({"qty": 1}))["picked"], 2);
    assert_eq!(post(format!("/pick-lists/{}/ship", encoded(&second)), json!({}))["status"], "shipped");
    assert_eq!(client.give_back(name, name).status, 204, "the unit that was put back");
    client.delete(&format!("/orders/{path}/lines/{path}")).problem(409, "already-picked");
    assert_eq!(client.close(name).json()["status"], "closed");
    assert_eq!(get(format!("/orders/{path}"))["lines"][0]["shipped"], 2);
    let subject = encoded(&format!("orders/{name}"));
    let events = get(format!("/events?subject={subject}&limit=1&wait=30"));
    assert_eq!(events[0]["data"]["order_id"], name);
    // The batch was added before, so its event is in the log, too.
    assert_eq!(get(format!("/products/{path}/movements"))[0]["event"], "batch_added");
}

on_every_database!(every_path_takes_names_with_reserved_characters, a_thing_with_any_name_is_found);
