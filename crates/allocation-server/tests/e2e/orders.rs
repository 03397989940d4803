//! Orders are all or nothing, or wait; and standalone lines are orders too.

use crate::bulk;
use crate::support::{Client, Server, TestDatabase, encoded, expire, on_every_database, order, summary};
use serde_json::{Value, json};

/// All stored rows, as one text.
fn stored(database: &TestDatabase) -> Vec<String> {
    [
        "SELECT sku || ' ' || reference || ' ' || CAST(allocated_quantity AS text) FROM batches ORDER BY 1",
        "SELECT sku || ' ' || order_id || ' ' || reference FROM allocations ORDER BY 1",
        "SELECT sku || ' ' || order_id FROM order_lines ORDER BY 1",
        "SELECT sku FROM products ORDER BY 1",
        "SELECT order_id FROM orders ORDER BY 1",
        "SELECT payload FROM all_events ORDER BY sku, version, ordinal",
    ]
    .iter()
    .flat_map(|query| database.texts(query))
    .collect()
}

/// Five chairs and two lamps in the warehouse, four lamps in transit.
fn stock(client: &Client) {
    client.add_batch("CHAIRS", "CHAIR", 5, None);
    client.add_batch("LAMPS", "LAMP", 2, None);
    client.add_batch("MORE-LAMPS", "LAMP", 4, Some("2027-01-15"));
}

fn an_order_is_allocated_as_a_whole(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let placed = client.place("O-1", &[("LAMP", 5), ("CHAIR", 3)], json!({}));
    let expected = json!({"order_id": "O-1", "status": "allocated", "lines": [
        {"sku": "CHAIR", "qty": 3, "allocated": 3, "backordered": 0,
         "allocations": [{"reference": "CHAIRS", "qty": 3, "eta": null}]},
        {"sku": "LAMP", "qty": 5, "allocated": 5, "backordered": 0,
         "allocations": [{"reference": "LAMPS", "qty": 2, "eta": null},
                         {"reference": "MORE-LAMPS", "qty": 3, "eta": "2027-01-15"}]},
    ]});
    assert_eq!((placed.status, placed.header("location")), (201, Some("/orders/O-1")));
    assert_eq!(placed.json(), expected);
    assert_eq!(client.order("O-1"), expected);
    assert_eq!((client.available("CHAIRS"), client.available("LAMPS"), client.available("MORE-LAMPS")), (2, 0, 1));
}

fn all_short_lines_are_listed_and_nothing_is_stored(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let before = stored(database);
    let lines = [("LAMP", 7), ("CHAIR", 5), ("SOFA", 1), ("BED", 2)];
    for more in [json!({}), json!({"on_shortage": "reject", "hold_seconds": 60}), json!({"allow_split": false})] {
        let refused = client.place("O-1", &lines, more).problem(409, "out-of-stock");
        let shortages = json!([
            {"sku": "BED", "requested": 2, "available": 0},
            {"sku": "LAMP", "requested": 7, "available": 6},
            {"sku": "SOFA", "requested": 1, "available": 0},
        ]);
        assert_eq!(refused["shortages"], shortages);
    }
    assert_eq!(stored(database), before);
    client.get("/orders/O-1").problem(404, "order-not-found");
    assert_eq!(client.place("O-1", &[("CHAIR", 5), ("LAMP", 6)], json!({})).status, 201, "the name is free");
}

fn missing_units_are_backordered_if_the_order_accepts_it(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    for sku in ["SOFA", "BED", "STOOL"] {
        assert_eq!(client.register(sku).status, 201);
    }
    let backorder = json!({"on_shortage": "backorder"});
    let part = client.place("O-1", &[("LAMP", 8), ("CHAIR", 5), ("SOFA", 1)], backorder.clone());
    assert_eq!(part.status, 201);
    let expected = "partially_allocated CHAIR 5 (CHAIRS 5) LAMP 6 (LAMPS 2, MORE-LAMPS 4) +2 SOFA 0 +1";
    assert_eq!((summary(&part.json()).as_str(), client.standing("O-1").as_str()), (expected, expected));
    let none = client.place("O-2", &[("LAMP", 3), ("BED", 2)], backorder.clone());
    assert_eq!((none.status, summary(&none.json()).as_str()), (201, "backordered BED 0 +2 LAMP 0 +3"));
    let all = client.place("O-3", &[("STOOL", 1)], backorder);
    assert_eq!(summary(&all.json()), "backordered STOOL 0 +1");
    client.add_batch("STOOLS", "STOOL", 1, None);
    assert_eq!(client.standing("O-3"), "allocated STOOL 1 (STOOLS 1)");
}

fn a_repeated_order_is_returned_and_another_with_its_id_is_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let terms = json!({"on_shortage": "backorder", "hold_seconds": 600, "priority": 3, "allow_split": false});
    let lines = [("CHAIR", 2), ("LAMP", 2)];
    let first = client.place("O-1", &lines, terms.clone());
    assert_eq!(first.status, 201);
    let before = stored(database);
    for same in [[lines[0], lines[1]], [lines[1], lines[0]]] {
        let again = client.place("O-1", &same, terms.clone());
        assert_eq!((again.status, again.json()), (200, first.json()));
    }
    for (field, other) in [
        ("on_shortage", json!("reject")),
        ("hold_seconds", json!(601)),
        ("priority", json!(0)),
        ("allow_split", json!(true)),
    ] {
        let mut changed = order("O-1", &lines, terms.clone());
        changed[field] = other;
        client.post("/orders", &changed).problem(409, "order-already-exists");
        changed.as_object_mut().unwrap().remove(field);
        client.post("/orders", &changed).problem(409, "order-already-exists");
    }
    for other in [&[("CHAIR", 2)][..], &[("CHAIR", 2), ("LAMP", 1)], &[("CHAIR", 2), ("LAMP", 2), ("SOFA", 1)]] {
        client.place("O-1", other, terms.clone()).problem(409, "order-already-exists");
    }
    assert_eq!(stored(database), before);

    client.place("O-2", &[("CHAIR", 1)], json!({}));
    let spelt_out = json!({"on_shortage": "reject", "priority": 0, "allow_split": true});
    assert_eq!(
        client.place("O-2", &[("CHAIR", 1)], spelt_out).status,
        200,
        "members that are left out have their defaults"
    );
}

fn a_cancelled_order_frees_all_it_holds_once(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let lines = [("CHAIR", 5), ("LAMP", 5)];
    client.place("O-1", &lines, json!({}));
    assert_eq!(client.cancel("O-1").status, 204);
    assert_eq!((client.available("CHAIRS"), client.available("LAMPS"), client.available("MORE-LAMPS")), (5, 2, 4));
    assert_eq!(client.standing("O-1"), "cancelled CHAIR 0 LAMP 0");
    assert!(client.all("/allocations").is_empty());
    assert_eq!(client.place("O-2", &lines, json!({})).status, 201, "others can have its units");

    let before = stored(database);
    assert_eq!(client.cancel("O-1").status, 204);
    client.confirm("O-1").problem(409, "order-cancelled");
    client.extend("O-1", 60).problem(409, "order-cancelled");
    client.allocate("O-1", "CHAIR", 5).problem(409, "order-cancelled");
    client.place("O-1", &lines, json!({})).problem(409, "order-cancelled");
    client.cancel("NONE").problem(404, "order-not-found");
    client.get("/orders/NONE").problem(404, "order-not-found");
    assert_eq!(stored(database), before);
}

fn standalone_lines_are_an_order(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.allocate("O-1", "LAMP", 3);
    assert_eq!(client.standing("O-1"), "allocated LAMP 3 (MORE-LAMPS 3)");
    client.allocate("O-1", "CHAIR", 2);
    assert_eq!(client.standing("O-1"), "allocated CHAIR 2 (CHAIRS 2) LAMP 3 (MORE-LAMPS 3)");
    assert_eq!(client.confirm("O-1").status, 200);
    client.extend("O-1", 60).problem(409, "order-not-held");
    for lines in [&[("CHAIR", 2), ("LAMP", 3)][..], &[("LAMP", 3)], &[("LAMP", 1), ("SOFA", 1)]] {
        let refused = client.place("O-1", lines, json!({"on_shortage": "backorder"}));
        refused.problem(409, "order-already-exists");
    }
    assert_eq!(client.give_back("O-1", "CHAIRS").status, 204);
    assert_eq!(client.standing("O-1"), "allocated LAMP 3 (MORE-LAMPS 3)", "a line without units is none");
    client.allocate("O-1", "CHAIR", 1);
    assert_eq!(client.cancel("O-1").status, 204);
    assert_eq!(client.cancel("O-1").status, 204);
    assert_eq!(client.standing("O-1"), "cancelled CHAIR 0 LAMP 0");
    assert!(client.all("/allocations?order_id=O-1").is_empty());
    client.allocate("O-1", "CHAIR", 1).problem(409, "order-cancelled");
    client.give_back("O-1", "CHAIRS").problem(404, "allocation-not-found");
    assert_eq!(client.available("CHAIRS"), 5);

    client.allocate("O-2", "CHAIR", 1);
    assert_eq!(client.give_back("O-2", "CHAIRS").status, 204);
    client.get("/orders/O-2").problem(404, "order-not-found");
}

fn standalone_lines_are_the_order_of_their_id(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.add_batch("SOFAS", "SOFA", 9, None);
    client.allocate("O-1", "LAMP", 3);
    client.place("O-1", &[("SOFA", 1)], json!({})).problem(409, "order-already-exists");
    client.allocate("O-2", "CHAIR", 1);
    client.cancel("O-2");
    client.place("O-2", &[("SOFA", 1)], json!({"hold_seconds": 60})).problem(409, "order-already-exists");
    assert_eq!(client.standing("O-1"), "allocated LAMP 3 (MORE-LAMPS 3)");
    assert_eq!(client.standing("O-2"), "cancelled CHAIR 0");
}

fn an_order_lacks_the_units_that_it_released(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.place("O-1", &[("CHAIR", 2), ("LAMP", 2)], json!({"hold_seconds": 600}));
    assert_eq!(client.give_back("O-1", "CHAIRS").status, 204);
    assert_eq!(client.standing("O-1"), "partially_allocated CHAIR 0 LAMP 2 (LAMPS 2)");
    assert_eq!(summary(&client.confirm("O-1").json()), "partially_allocated CHAIR 0 LAMP 2 (LAMPS 2)");
    assert_eq!(client.give_back("O-1", "LAMPS").status, 204);
    assert_eq!(client.standing("O-1"), "cancelled CHAIR 0 LAMP 0");
}

fn an_ended_order_accepts_no_more_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.place("O-1", &[("LAMP", 3)], json!({}));
    client.cancel("O-1");
    client.allocate("O-1", "CHAIR", 1).problem(409, "order-cancelled");
    client.place("O-2", &[("LAMP", 3)], json!({"hold_seconds": 60}));
    expire(database, "O-2");
    client.allocate("O-2", "CHAIR", 1).problem(409, "hold-expired");
    assert_eq!(client.standing("O-1"), "cancelled LAMP 0");
    assert_eq!(client.standing("O-2"), "expired LAMP 0");
    assert_eq!(client.available("CHAIRS"), 5);
}

fn an_order_accepts_standalone_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.place("O-1", &[("LAMP", 6)], json!({}));
    let again = client.allocate("O-1", "LAMP", 6);
    assert_eq!((again.status, again.json()["qty"].as_u64()), (200, Some(6)));
    client.allocate("O-1", "LAMP", 5).problem(409, "line-already-allocated");
    assert_eq!(client.allocate("O-1", "CHAIR", 2).status, 201);
    assert_eq!(client.standing("O-1"), "allocated CHAIR 2 (CHAIRS 2) LAMP 6 (LAMPS 2, MORE-LAMPS 4)");
    assert_eq!(client.place("O-1", &[("LAMP", 6)], json!({})).status, 200, "what was sent as one is the same");

    assert_eq!(client.give_back("O-1", "LAMPS").status, 204);
    assert_eq!(client.standing("O-1"), "partially_allocated CHAIR 2 (CHAIRS 2) LAMP 4 (MORE-LAMPS 4)");
    assert_eq!(client.allocate("O-1", "LAMP", 6).status, 201);
    assert_eq!(client.standing("O-1"), "allocated CHAIR 2 (CHAIRS 2) LAMP 6 (LAMPS 2, MORE-LAMPS 4)");
    for batch in ["LAMPS", "MORE-LAMPS", "CHAIRS"] {
        assert_eq!(client.give_back("O-1", batch).status, 204);
    }
    assert_eq!(client.standing("O-1"), "cancelled LAMP 0", "it has given back all it had");
}

/// The allocations of an order by its own view: SKU, batch and units.
fn holds(order: &Value) -> Vec<Value> {
    let of_line = |line: &Value| -> Vec<Value> {
        let part = |part: &Value| {
            let (order_id, sku) = (&order["order_id"], &line["sku"]);
            json!({"order_id": order_id, "sku": sku, "qty": part["qty"], "reference": part["reference"]})
        };
        line["allocations"].as_array().unwrap().iter().map(part).collect()
    };
    order["lines"].as_array().unwrap().iter().flat_map(of_line).collect()
}

fn the_two_views_agree(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.place("O-1", &[("LAMP", 5), ("CHAIR", 1)], json!({"hold_seconds": 600}));
    client.place("O-2", &[("LAMP", 5), ("CHAIR", 1)], json!({"on_shortage": "backorder"}));
    client.allocate("O-2", "SOFA", 1).problem(409, "out-of-stock");
    client.allocate("O-3", "CHAIR", 2);
    client.place("O-4", &[("CHAIR", 1)], json!({}));
    client.cancel("O-4");
    client.give_back("O-1", "LAMPS");
    let sorted = |mut rows: Vec<Value>| {
        rows.sort_by_key(ToString::to_string);
        rows
    };
    for order in ["O-1", "O-2", "O-3", "O-4"] {
        let rows = client.all(&format!("/allocations?order_id={order}&limit=1"));
        assert_eq!(sorted(rows), sorted(holds(&client.order(order))), "{order}");
    }
    let orders = client.all("/orders");
    assert_eq!(orders, ["O-1", "O-2", "O-3", "O-4"].map(|order| client.order(order)));
    assert_eq!(sorted(client.all("/allocations")), sorted(orders.iter().flat_map(holds).collect()));
}

fn orders_are_listed_by_id_status_and_sku(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    client.register("SOFA");
    let backorder = || json!({"on_shortage": "backorder"});
    client.place("g", &[("CHAIR", 1)], json!({"hold_seconds": 600}));
    client.place("a", &[("CHAIR", 1), ("LAMP", 6)], json!({}));
    client.place("F", &[("SOFA", 1)], backorder());
    client.place("b", &[("CHAIR", 1), ("LAMP", 1)], backorder());
    client.place("d/1", &[("CHAIR", 1)], json!({}));
    client.cancel("d/1");
    client.allocate("c", "CHAIR", 1);
    client.place("é", &[("CHAIR", 1)], json!({"hold_seconds": 60}));
    let names = |path: &str| -> Vec<String> {
        client.all(path).iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["F", "a", "b", "c", "d/1", "g", "é"];
    assert_eq!(names("/orders"), all);
    for limit in 1..=8 {
        assert_eq!(names(&format!("/orders?limit={limit}")), all, "pages of {limit}");
    }
    for (query, expected) in [
        ("status=held", &["g", "é"][..]),
        ("status=allocated", &["a", "c"]),
        ("status=partially_allocated", &["b"]),
        ("status=backordered", &["F"]),
        ("status=short", &[]),
        ("status=expired", &[]),
        ("status=cancelled", &["d/1"]),
        ("status=partially_shipped", &[]),
        ("status=closed", &[]),
        ("sku=LAMP", &["a", "b"]),
        ("sku=CHAIR", &["a", "b", "c", "d/1", "g", "é"]),
        ("sku=SOFA&status=backordered", &["F"]),
        ("sku=LAMP&status=allocated", &["a"]),
        ("sku=NONE", &[]),
    ] {
        for limit in [1, 3, 1_000] {
            assert_eq!(names(&format!("/orders?{query}&limit={limit}")), expected, "{query}");
        }
    }
    for order in client.all("/orders?sku=LAMP") {
        assert_eq!(order["lines"].as_array().unwrap().len(), 2, "an order that is listed for one SKU is whole");
    }
}

/// spree#7531: the largest order is placed, confirmed and cancelled as a whole.
fn an_order_has_up_to_500_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let skus: Vec<String> = (0..501).map(|number| format!("SKU-{number:03}")).collect();
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 2)).collect();
    let short = client.place("O-1", &lines[..500], json!({})).problem(409, "out-of-stock");
    assert_eq!(short["shortages"].as_array().unwrap().len(), 500);
    assert_eq!(client.place("O-1", &lines, json!({})).faults(), ["/lines"]);
    assert_eq!(client.place("O-1", &[], json!({})).faults(), ["/lines"]);
    for sku in &skus[..500] {
        client.add_batch(&format!("B-{sku}"), sku, 3, None);
    }
    let placed = client.place("O-1", &lines[..500], json!({"hold_seconds": 600}));
    assert_eq!((placed.status, placed.json()["status"].as_str()), (201, Some("held")));
    let placed = placed.json();
    let listed: Vec<_> = placed["lines"].as_array().unwrap().iter().map(|line| line["sku"].as_str().unwrap()).collect();
    assert_eq!(listed, skus[..500]);
    assert_eq!(client.order("O-1"), placed);
    assert_eq!(client.confirm("O-1").json()["status"], "allocated");
    assert_eq!(client.cancel("O-1").status, 204);
    assert_eq!(database.count("SELECT count(*) FROM batches WHERE allocated_quantity > 0"), 0);
}

/// medusa#16502: of two lines of one SKU in a request, each would pass a check of the stock by itself.
fn a_sku_twice_in_one_order_is_rejected_and_takes_nothing(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    let twice = [("LAMP", 3), ("SOFA", 1), ("LAMP", 3)];
    for more in [json!({}), json!({"on_shortage": "backorder"}), json!({"hold_seconds": 600})] {
        assert_eq!(client.place("O-1", &twice, more.clone()).faults(), ["/lines/2/sku"]);
        let tried = client.post("/orders?dry_run=true", &order("O-1", &twice, more.clone()));
        assert_eq!(tried.faults(), ["/lines/2/sku"]);
        let bulk = bulk::send(&client, "/orders/bulk", &[order("O-1", &twice, more).to_string()]);
        assert_eq!((&bulk[0]["status"], &bulk[1]["failed"]), (&json!(422), &json!(1)), "{bulk:?}");
    }
    client.get("/orders/O-1").problem(404, "order-not-found");
    client.place("O-2", &[("SOFA", 1)], json!({}));
    let body = order("O-2", &twice, json!({}))["lines"].clone();
    assert_eq!(client.patch("/orders/O-2", &json!({"lines": body})).faults(), ["/lines/2/sku"]);
    let adjusted = client.adjust("A-1", "lost", &[("B-1", -3), ("B-2", -1), ("B-1", -3)]);
    assert_eq!(adjusted.faults(), ["/lines/2/reference"], "the same for batches");
    assert_eq!((client.available("B-1"), client.available("B-2")), (5, 4));
    assert_eq!(client.standing("O-2"), "allocated SOFA 1 (B-2 1)");
}

/// spree#7531: one line takes the last unit of each of 120 batches.
fn a_line_is_split_over_many_batches(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for number in 0..120 {
        client.add_batch(&format!("B-{number:03}"), "LAMP", 1, Some("2027-01-15"));
    }
    client.allocate("O-1", "LAMP", 121).problem(409, "out-of-stock");
    let line = client.allocate("O-1", "LAMP", 120);
    assert_eq!(line.status, 201, "{line:?}");
    let parts: Vec<_> =
        line.json()["allocations"].as_array().unwrap().iter().map(|it| it["reference"].clone()).collect();
    assert_eq!(parts, (0..120).map(|number| json!(format!("B-{number:03}"))).collect::<Vec<_>>());
    assert_eq!((client.product("LAMP")["available"].as_u64(), client.cancel("O-1").status), (Some(0), 204));
    assert_eq!(client.product("LAMP")["available"], 120);
}

/// magento2#8615, #23043: `/`, `+` and `%` in ids of orders.
fn order_ids_of_every_kind_work_in_bodies_paths_and_queries(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "a/b ü", 100, None);
    for name in
        ["a/b", "/", "a b", "'; DROP TABLE orders; --", "%2F", "a+b", "a?b#c&d=e", "🪑", "\\", "é", "q\u{323}\u{307}"]
    {
        let placed = client.place(name, &[("a/b ü", 1)], json!({"hold_seconds": 60}));
        assert_eq!(placed.status, 201, "{name}");
        assert_eq!(client.get(placed.header("location").unwrap()).json(), placed.json(), "{name}");
        assert_eq!(client.extend(name, 120).status, 200, "{name}");
        assert_eq!(client.confirm(name).json()["order_id"], name);
        let history = client.all(&format!("/orders/{}/history", encoded(name)));
        assert_eq!(history.len(), 4, "{name}: {history:?}");
        assert_eq!(client.cancel(name).status, 204, "{name}");
    }
    assert_eq!(client.all("/orders?limit=2&sku=a%2Fb%20%C3%BC&status=cancelled").len(), 11);
}

on_every_database!(
    an_order_is_allocated_as_a_whole,
    all_short_lines_are_listed_and_nothing_is_stored,
    missing_units_are_backordered_if_the_order_accepts_it,
    a_repeated_order_is_returned_and_another_with_its_id_is_rejected,
    a_cancelled_order_frees_all_it_holds_once,
    standalone_lines_are_an_order,
    standalone_lines_are_the_order_of_their_id,
    an_order_lacks_the_units_that_it_released,
    an_ended_order_accepts_no_more_lines,
    an_order_accepts_standalone_lines,
    the_two_views_agree,
    orders_are_listed_by_id_status_and_sku,
    an_order_has_up_to_500_lines,
    order_ids_of_every_kind_work_in_bodies_paths_and_queries,
    a_sku_twice_in_one_order_is_rejected_and_takes_nothing,
    a_line_is_split_over_many_batches,
);
