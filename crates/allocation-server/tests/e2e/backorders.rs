//! Waiting lines are served by priority, then age, and no line overtakes them.

use crate::bulk;
use crate::support::{Client, Server, TestDatabase, expire, on_every_database, order, summary, swept, unswept};
use serde_json::{Value, json};

/// Places an order for lamps that accepts backorders.
fn wait(client: &Client, order: &str, quantity: u32, more: Value) {
    client.register("LAMP");
    let mut terms = json!({"on_shortage": "backorder"});
    terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let placed = client.place(order, &[("LAMP", quantity)], terms);
    assert_eq!(placed.status, 201, "{placed:?}");
}

fn queue(client: &Client) -> Vec<(String, u64)> {
    client.queue("LAMP")
}

fn waiting(lines: &[(&str, u64)]) -> Vec<(String, u64)> {
    lines.iter().map(|(order, qty)| ((*order).to_owned(), *qty)).collect()
}

/// magento2#38154: a line of a misspelt SKU would wait forever.
fn no_line_waits_for_an_unknown_sku(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "Chair", 5, None);
    let waits = json!({"on_shortage": "backorder"});
    let lines = [("chair", 1), ("Chair", 9), ("CHIAR", 2)];
    let refused = client.place("O-1", &lines, waits.clone()).problem(409, "unknown-sku");
    assert_eq!(refused["skus"], json!(["CHIAR", "chair"]));
    client.get("/orders/O-1").problem(404, "order-not-found");
    assert_eq!((client.available("B-1"), client.all("/products").len()), (5, 1), "nothing of it is stored");
    let misspelt = order("O-1", &lines, waits.clone());
    client.post("/orders?dry_run=true", &misspelt).problem(409, "unknown-sku");
    let bulk = bulk::send(&client, "/orders/bulk", &[misspelt.to_string()]);
    assert_eq!((&bulk[0]["status"], &bulk[0]["problem"]["type"]), (&json!(409), &json!("/problems/unknown-sku")));
    client.place("WAITS", &[("Chair", 1)], waits.clone());
    let added = json!({"lines": [{"sku": "chair", "qty": 1}]});
    for path in ["/orders/WAITS?dry_run=true", "/orders/WAITS"] {
        let refused = client.patch(path, &added).problem(409, "unknown-sku");
        assert_eq!(refused["skus"], json!(["chair"]), "a line of an order that waits");
    }
    let made_to_wait = json!({"lines": [{"sku": "chair", "qty": 1}], "on_shortage": "backorder"});
    client.allocate("ALONE", "Chair", 1);
    client.patch("/orders/ALONE", &made_to_wait).problem(409, "unknown-sku");
    for order_id in ["WAITS", "ALONE"] {
        assert_eq!(client.cancel(order_id).status, 204);
    }
    let refused = client.place("O-1", &lines[..1], json!({})).problem(409, "out-of-stock");
    assert_eq!(refused["shortages"][0]["sku"], "chair", "an order that does not wait is short");
    assert_eq!(
        client.allocate("O-2", "chair", 1).problem(409, "out-of-stock")["detail"],
        "No batch found for SKU chair"
    );

    let first = client.register("chair");
    assert_eq!((first.status, first.json()), (201, client.product("chair")));
    assert_eq!(client.register("chair").status, 200);
    assert_eq!(client.send("PUT", "/products/CHIAR", Some("application/json"), "{}").status, 201);
    let placed = client.place("O-1", &lines, waits.clone());
    assert_eq!(
        (placed.status, summary(&placed.json()).as_str()),
        (201, "partially_allocated CHIAR 0 +2 Chair 5 (B-1 5) +4 chair 0 +1")
    );
    assert_eq!(client.place("O-1", &lines, waits.clone()).status, 200);
    let known = client.get("/events?type=allocation.product.registered.v1&subject=products/chair&wait=30").json();
    assert_eq!((known.as_array().unwrap().len(), &known[0]["data"]["sku"]), (1, &json!("chair")));

    // A product stays registered without a batch.
    client.add_batch("S-1", "SOFA", 5, None);
    assert_eq!(client.delete("/batch/S-1").status, 204);
    assert_eq!(client.register("SOFA").status, 200);
    assert_eq!(client.place("O-3", &[("SOFA", 1)], waits).status, 201);
}

fn the_queue_is_sorted_by_priority_then_age(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for (order, priority) in [("E", 0), ("A", 0), ("C", 7), ("D", -3), ("B", 7)] {
        wait(&client, order, 2, json!({"priority": priority}));
    }
    client.place("E", &[("SOFA", 1)], json!({})).problem(409, "order-already-exists");
    client.register("SOFA");
    client.place("S", &[("SOFA", 1)], json!({"on_shortage": "backorder", "priority": 9}));
    let rows = client.all("/backorders?sku=LAMP");
    let served: Vec<_> =
        rows.iter().map(|row| (row["position"].as_u64().unwrap(), row["order_id"].as_str().unwrap())).collect();
    assert_eq!(served, [(1, "C"), (2, "B"), (3, "E"), (4, "A"), (5, "D")]);
    let first = &rows[0];
    assert_eq!((&first["sku"], &first["qty"], &first["priority"]), (&json!("LAMP"), &json!(2), &json!(7)));
    assert!(first["placed_at"].as_str().unwrap().ends_with('Z'));
    let mut members: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["order_id", "placed_at", "position", "priority", "qty", "sku"]);
    for limit in 1..=6 {
        assert_eq!(client.all(&format!("/backorders?sku=LAMP&limit={limit}")), rows, "pages of {limit}");
    }
    let all = client.all("/backorders?limit=2");
    assert_eq!((all.len(), &all[..5], all[5]["sku"].as_str()), (6, &rows[..], Some("SOFA")));
    assert!(client.all("/backorders?sku=NONE").is_empty());

    client.add_batch("B-1", "LAMP", 5, None);
    assert_eq!(queue(&client), waiting(&[("E", 1), ("A", 2), ("D", 2)]));
    assert_eq!(client.all("/backorders?sku=LAMP")[0]["position"], 1);
}

fn every_arrival_of_units_serves_waiting_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.place("HELD", &[("LAMP", 1)], json!({})).problem(409, "out-of-stock");
    client.add_batch("B-1", "LAMP", 3, None);
    client.place("HELD", &[("LAMP", 1)], json!({"hold_seconds": 600}));
    client.place("FIRM", &[("LAMP", 1)], json!({}));
    client.allocate("ALONE", "LAMP", 1);
    wait(&client, "W", 10, json!({}));
    let mut expected = 10;
    let mut served = |client: &Client, what: &str, units: u64| {
        expected -= units;
        let rest = client.order("W")["lines"][0]["backordered"].as_u64().unwrap();
        assert_eq!(rest, expected, "{what}");
        assert_eq!(client.product("LAMP")["available"], 0, "{what}");
    };
    served(&client, "nothing yet", 0);
    client.add_batch("B-2", "LAMP", 2, Some("2027-01-15"));
    served(&client, "a batch was added", 2);
    client.change_batch("B-2", &json!({"purchased_quantity": 3}));
    served(&client, "a batch was raised", 1);
    client.cancel("FIRM");
    served(&client, "an order was cancelled", 1);
    client.give_back("ALONE", "B-1");
    served(&client, "a line gave units back", 1);
    expire(database, "HELD");
    swept(database, "HELD");
    served(&client, "a hold has expired", 1);
    let rows = client.all("/orders/W/history");
    let served = rows.iter().filter(|row| row["event"] == "allocated" && row["reason"] == "backorder").count();
    assert_eq!(served, 5);
}

/// Sylius#3857, spree#5163: arrivals serve the oldest first, and a newcomer gets the rest.
fn a_newcomer_gets_only_units_that_no_line_waits_for(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 4, None);
    client.place("OLD", &[("LAMP", 4)], json!({"hold_seconds": 600}));
    wait(&client, "FIRST", 3, json!({}));
    wait(&client, "SECOND", 3, json!({}));
    // The request of the newcomer releases the expired hold.
    expire(database, "OLD");
    let refused = client.allocate("NEW", "LAMP", 1).problem(409, "out-of-stock");
    assert_eq!(refused["available"], 0);
    swept(database, "OLD");
    assert_eq!(client.standing("FIRST"), "allocated LAMP 3 (B-1 3)");
    assert_eq!(client.standing("SECOND"), "partially_allocated LAMP 1 (B-1 1) +2");
    client.place("NEW", &[("LAMP", 1)], json!({"priority": 100})).problem(409, "out-of-stock");

    // A higher priority is served first among waiting lines, and takes nothing from lines that have units.
    wait(&client, "HIGH", 2, json!({"priority": 100}));
    assert_eq!(queue(&client), waiting(&[("HIGH", 2), ("SECOND", 2)]));
    client.add_batch("B-2", "LAMP", 3, None);
    assert_eq!(client.standing("HIGH"), "allocated LAMP 2 (B-2 2)");
    assert_eq!(client.standing("SECOND"), "partially_allocated LAMP 2 (B-1 1, B-2 1) +1");
    client.add_batch("B-3", "LAMP", 2, None);
    assert_eq!(client.allocate("NEW", "LAMP", 1).status, 201, "no line waits for this unit");
}

fn a_line_without_split_is_passed_over(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1, None);
    wait(&client, "WHOLE", 3, json!({"allow_split": false, "priority": 5}));
    assert_eq!(client.standing("WHOLE"), "backordered LAMP 0 +3", "one unit is not three");
    assert_eq!(client.available("B-1"), 1);
    assert_eq!(client.allocate("NEW", "LAMP", 1).status, 201, "units that no waiting line can take are free");
    wait(&client, "PARTS", 2, json!({}));
    client.add_batch("B-2", "LAMP", 1, None);
    assert_eq!(client.standing("PARTS"), "partially_allocated LAMP 1 (B-2 1) +1");
    client.add_batch("B-3", "LAMP", 3, None);
    assert_eq!(client.standing("WHOLE"), "allocated LAMP 3 (B-3 3)");
    assert_eq!(queue(&client), waiting(&[("PARTS", 1)]));
    // A whole rest may come from more than one batch.
    wait(&client, "WHOLE-2", 2, json!({"allow_split": false, "priority": 5}));
    client.cancel("PARTS");
    assert_eq!((queue(&client), client.available("B-2")), (waiting(&[("WHOLE-2", 2)]), 1));
    client.add_batch("B-4", "LAMP", 1, Some("2027-01-15"));
    assert_eq!(client.standing("WHOLE-2"), "allocated LAMP 2 (B-2 1, B-4 1)");
}

fn a_long_queue_is_listed_to_its_end(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for number in 0..250 {
        wait(&client, &format!("WHOLE-{number:03}"), 10, json!({"allow_split": false, "priority": 1}));
    }
    for number in 0..50 {
        wait(&client, &format!("PARTS-{number:02}"), 1, json!({}));
    }
    for number in 0..9 {
        client.add_batch(&format!("B-{number}"), "LAMP", 5, Some("2027-01-15"));
    }
    // No batch of five serves ten, so each serves the lines at the end of the queue that can be split.
    let served = |status: &str| -> Vec<String> {
        let orders = client.all(&format!("/orders?status={status}&limit=1000"));
        orders.iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
    };
    let first: Vec<String> = (0..45).map(|number| format!("PARTS-{number:02}")).collect();
    assert_eq!(served("allocated"), first);
    assert_eq!(client.product("LAMP")["available"], 0);
    client.add_batch("MANY", "LAMP", 1_000, None);
    let queue = queue(&client);
    assert_eq!((queue.len(), queue[0].0.as_str()), (155, "WHOLE-100"));
    assert_eq!(client.product("LAMP")["available"], 0);
    client.add_batch("LAST", "LAMP", 6, None);
    // The five orders for one unit that wait are served, and one that was promised a later unit gets the last one.
    assert_eq!((served("backordered").len(), client.available("LAST")), (150, 0));
    assert_eq!(client.product("LAMP")["available"], 1, "one is left of six, on its way");
}

fn expired_units_serve_waiting_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for number in 0..20 {
        client.add_batch(&format!("B-{number}"), &format!("SKU-{number}"), 5, None);
    }
    let number = std::cell::Cell::new(0);
    unswept(database, |held| {
        let sku = format!("SKU-{}", number.replace(number.get() + 1));
        let waits = format!("{held}-W");
        client.place(held, &[(&sku, 5)], json!({"hold_seconds": 600}));
        client.place(&waits, &[(&sku, 3)], json!({"on_shortage": "backorder"}));
        expire(database, held);
        let product = client.product(&sku);
        assert_eq!((&product["available"], &product["held"]), (&json!(2), &json!(0)), "{product}");
        let series = client.get(&format!("/products/{sku}/availability?qty=3")).json();
        assert_eq!((&series["series"][0]["available"], &series["earliest"]), (&json!(2), &json!(null)));
    });
    let last = number.get() - 1;
    let refused = client.allocate("NEW", &format!("SKU-{last}"), 3).problem(409, "out-of-stock");
    assert_eq!(refused["available"], 2);
    assert_eq!(client.allocate("NEW", &format!("SKU-{last}"), 2).status, 201);
}

fn a_waiting_order_that_is_cancelled_leaves_the_queue(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    wait(&client, "A", 2, json!({}));
    wait(&client, "B", 2, json!({}));
    wait(&client, "C", 2, json!({"hold_seconds": 600}));
    assert_eq!(client.cancel("A").status, 204);
    assert_eq!(queue(&client), waiting(&[("B", 2), ("C", 2)]));
    expire(database, "C");
    assert_eq!(queue(&client), waiting(&[("B", 2)]));
    client.add_batch("B-1", "LAMP", 4, None);
    assert_eq!((client.standing("A"), client.available("B-1")), ("cancelled LAMP 0".to_owned(), 2));
    assert_eq!(client.standing("B"), "allocated LAMP 2 (B-1 2)");
    assert_eq!(client.standing("C"), "expired LAMP 0");
}

fn a_line_that_releases_units_no_longer_waits(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 2, None);
    wait(&client, "A", 3, json!({}));
    wait(&client, "B", 3, json!({}));
    assert_eq!(client.give_back("A", "B-1").status, 204);
    assert_eq!(client.standing("A"), "cancelled LAMP 0");
    assert_eq!(client.standing("B"), "partially_allocated LAMP 2 (B-1 2) +1");
    assert_eq!(queue(&client), waiting(&[("B", 1)]));
    client.add_batch("B-2", "LAMP", 9, None);
    assert_eq!(client.allocate("A", "LAMP", 3).status, 201, "it may come back");
    assert_eq!(client.standing("A"), "allocated LAMP 3 (B-2 3)");
}

fn a_repeated_standalone_line_is_refilled(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    wait(&client, "W", 3, json!({"allow_split": false}));
    client.allocate("W", "LAMP", 3).problem(409, "out-of-stock");
    client.add_batch("B-1", "LAMP", 2, None);
    client.allocate("W", "LAMP", 3).problem(409, "out-of-stock");
    assert_eq!(client.standing("W"), "backordered LAMP 0 +3");
    client.allocate("W", "LAMP", 2).problem(409, "line-already-allocated");
}

fn invalid_parameters_are_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for path in ["/backorders", "/orders"] {
        for (query, faults) in [
            ("limit=0", &["limit"][..]),
            ("limit=1001", &["limit"]),
            ("after=nonsense", &["after"]),
            ("after=", &["after"]),
            ("offset=1", &["offset"]),
            ("sku=%20&limit=x&after=%%&x=1", &["after", "limit", "sku", "x"]),
            ("sku=A&sku=B", &["sku"]),
        ] {
            assert_eq!(client.get(&format!("{path}?{query}")).faults(), faults, "{path}?{query}");
        }
    }
    for wrong in ["open", "", "Held", "held,short", "HELD"] {
        assert_eq!(client.get(&format!("/orders?status={wrong}")).faults(), ["status"], "{wrong}");
    }
    assert_eq!(client.get("/backorders?status=held").faults(), ["status"]);
    assert_eq!(client.get("/orders?status=held&status=short").faults(), ["status"]);
}

on_every_database!(
    no_line_waits_for_an_unknown_sku,
    the_queue_is_sorted_by_priority_then_age,
    every_arrival_of_units_serves_waiting_lines,
    a_newcomer_gets_only_units_that_no_line_waits_for,
    a_line_without_split_is_passed_over,
    a_long_queue_is_listed_to_its_end,
    expired_units_serve_waiting_lines,
    a_waiting_order_that_is_cancelled_leaves_the_queue,
    a_line_that_releases_units_no_longer_waits,
    a_repeated_standalone_line_is_refilled,
    invalid_parameters_are_rejected,
);
