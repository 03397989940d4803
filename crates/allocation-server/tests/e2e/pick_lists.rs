//! Pick lists: picked units are shipped, short-picked units are replaced, and no two lists share a line.

use crate::support::projection::{pick_lists, project, served_pick_lists};
use crate::support::{Answer, Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn make(client: &Client, body: &Value) -> Answer {
    client.post("/pick-lists", body)
}

fn pick(client: &Client, list: &str, line: u64, qty: i64) -> Answer {
    client.post(&format!("/pick-lists/{list}/lines/{line}/pick"), &json!({"qty": qty}))
}

fn ship(client: &Client, list: &str) -> Answer {
    client.send("POST", &format!("/pick-lists/{list}/ship"), None, "")
}

/// The lines of a list as `line batch order quantity status`.
fn lines(list: &Value) -> Vec<String> {
    let line = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        format!("{} {} {} {} {}", line["line"], text("reference"), text("order_id"), line["qty"], text("status"))
    };
    list["lines"].as_array().unwrap().iter().map(line).collect()
}

/// The counters of a batch: allocated, available, picked, shipped, missing.
fn counters(client: &Client, batch: &str) -> [u64; 5] {
    let batch = client.get(&format!("/batch/{batch}")).json();
    let [allocated, available, picked, shipped, adjusted] = ["allocated", "available", "picked", "shipped", "adjusted"]
        .map(|name| batch[format!("{name}_quantity")].as_i64().unwrap_or(0));
    // Only short picks have adjusted the batch.
    let counters = [allocated, available, picked, shipped, -adjusted].map(|units| u64::try_from(units).unwrap());
    assert_eq!(counters.iter().sum::<u64>(), batch["purchased_quantity"], "{batch}");
    counters
}

fn put_back(client: &Client, list: &str, line: u64, qty: u64) -> Answer {
    client.post(&format!("/pick-lists/{list}/lines/{line}/put-back"), &json!({"qty": qty, "reason": "The box is wet"}))
}

/// OCA/stock-logistics-workflow#593, vendure#1250: a miscounted pick is corrected until it is shipped, and what was
/// found again is no longer missing.
fn a_pick_is_corrected_until_it_is_shipped(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    pick(&client, "P", 1, 6);
    let tried = client.post("/pick-lists/P/lines/1/pick?dry_run=true", &json!({"qty": 4})).json();
    assert_eq!(counters(&client, "C-1"), [4, 0, 6, 0, 0]);
    assert_eq!(pick(&client, "P", 1, 4).json(), tried);
    assert_eq!((&tried["missing"], &tried["reallocated"][0]["reference"]), (&json!(2), &json!("C-2")));
    assert_eq!((counters(&client, "C-1"), counters(&client, "C-2")), ([4, 0, 4, 0, 2], [2, 3, 0, 0, 0]));
    assert_eq!(pick(&client, "P", 1, 4).status, 200, "a repeat has the effect of one");
    for _ in 0..2 {
        assert_eq!(pick(&client, "P", 1, 6).json()["picked"], 6);
        assert_eq!((counters(&client, "C-1"), counters(&client, "C-2")), ([4, 0, 6, 0, 0], [0, 5, 0, 0, 0]));
    }
    pick(&client, "P", 1, 7).problem(409, "more-than-to-pick");
    pick(&client, "P", 3, 0);
    client.cancel("O-1").problem(409, "already-picked");
    assert_eq!(client.close("O-1").status, 200);
    let unwanted = pick(&client, "P", 3, 2).json();
    assert_eq!(
        (&unwanted["picked"], &unwanted["put_back"], &unwanted["status"]),
        (&json!(0), &json!(2), &json!("withdrawn"))
    );
    assert_eq!(counters(&client, "L-1"), [1, 3, 0, 0, 0], "one is held");
    assert_eq!(client.post("/pick-lists/P/ship", &json!({"open": "release"})).status, 200);
    pick(&client, "P", 1, 5).problem(409, "already-shipped");
    let history = client.all("/orders/O-1/history");
    let corrected: Vec<_> = history.iter().filter(|row| row["event"] == "pick_corrected").collect();
    assert_eq!((corrected.len(), &corrected[0]["qty"], &corrected[0]["old_qty"]), (3, &json!(4), &json!(6)));
    assert!(corrected[0]["by"].is_string());
    assert_eq!(served_pick_lists(&client), pick_lists(&project(&events(&client, database))));
}

fn picked_units_are_put_back_for_another_list_or_for_waiting_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    put_back(&client, "P", 1, 1).problem(409, "more-than-picked");
    pick(&client, "P", 1, 6);
    let tried = client.post("/pick-lists/P/lines/1/put-back?dry_run=true", &json!({"qty": 2})).json();
    for _ in 0..2 {
        assert_eq!(put_back(&client, "P", 1, 2).json(), tried);
        assert_eq!(counters(&client, "C-1"), [6, 0, 4, 0, 0]);
    }
    assert_eq!((&tried["picked"], &tried["put_back"]), (&json!(4), &json!(2)));
    assert_eq!(lines(&make(&client, &json!({"pick_list_id": "Q"})).json()), ["1 C-1 O-1 2 open"]);
    put_back(&client, "P", 1, 7).problem(409, "more-than-picked");
    put_back(&client, "P", 1, 1).problem(409, "already-put-back");
    client.place("NEXT", &[("CHAIR", 30)], json!({"on_shortage": "backorder"}));
    assert_eq!(client.close("O-1").status, 200);
    let waited = client.order("NEXT")["lines"][0]["backordered"].as_u64().unwrap();
    assert_eq!(put_back(&client, "P", 1, 5).json()["picked"], 1);
    assert_eq!(client.order("NEXT")["lines"][0]["backordered"], waited.saturating_sub(3));
    client.post("/pick-lists/P/ship", &json!({"open": "release"}));
    put_back(&client, "P", 1, 6).problem(409, "already-shipped");
    assert_eq!(put_back(&client, "P", 1, 5).status, 200, "a repeat");
    put_back(&client, "P", 9, 1).problem(404, "pick-line-not-found");
    let history = client.all("/orders/O-1/history");
    let back: Vec<_> = history.iter().filter(|row| row["event"] == "put_back").collect();
    assert_eq!((back.len(), &back[0]["detail"]), (2, &json!("2 units put back to batch C-1: The box is wet")));
    assert_eq!(served_pick_lists(&client), pick_lists(&project(&events(&client, database))));
}

/// erpnext#52851, #50398: line 1 of two is picked; it is shipped, and the other goes on the next list.
fn what_is_picked_ships_and_the_open_line_goes_on_another_list(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    let release = |uri: &str| client.post(uri, &json!({"open": "release"}));
    release("/pick-lists/P/ship").problem(409, "nothing-picked");
    pick(&client, "P", 1, 6);
    ship(&client, "P").problem(409, "not-picked");
    let tried = release("/pick-lists/P/ship?dry_run=true").json();
    assert_eq!(client.get("/pick-lists/P").json()["status"], "open");
    for _ in 0..2 {
        assert_eq!(release("/pick-lists/P/ship").json(), tried);
    }
    assert_eq!(lines(&tried), ["1 C-1 O-1 6 shipped", "2 C-1 O-2 4 withdrawn", "3 L-1 O-1 2 withdrawn"]);
    assert_eq!(ship(&client, "P").status, 200, "a repeat");
    assert_eq!(lines(&make(&client, &json!({"pick_list_id": "Q"})).json()), ["1 C-1 O-2 4 open", "2 L-1 O-1 2 open"]);
    assert_eq!(client.order("O-1")["status"], "partially_shipped");
    assert_eq!(served_pick_lists(&client), pick_lists(&project(&events(&client, database))));
}

/// Two orders for chairs on two shelves, and one for a lamp.
fn orders(client: &Client) {
    client.add_batch("C-1", "CHAIR", 10, None);
    client.add_batch("C-2", "CHAIR", 5, None);
    client.add_batch("C-3", "CHAIR", 50, Some("2027-01-15"));
    client.add_batch("L-1", "LAMP", 4, None);
    assert_eq!(client.place("O-1", &[("CHAIR", 6), ("LAMP", 2)], json!({})).status, 201);
    assert_eq!(client.allocate("O-2", "CHAIR", 4).status, 201);
    assert_eq!(client.place("LATE", &[("CHAIR", 30)], json!({})).status, 201);
    assert_eq!(client.place("CART", &[("LAMP", 1)], json!({"hold_seconds": 600})).status, 201);
}

fn an_order_is_listed_picked_and_shipped(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    let made = make(&client, &json!({"pick_list_id": "MORNING"}));
    assert_eq!((made.status, made.header("location")), (201, Some("/pick-lists/MORNING")));
    // Neither inbound nor held units are listed.
    assert_eq!(lines(&made.json()), ["1 C-1 O-1 6 open", "2 C-1 O-2 4 open", "3 L-1 O-1 2 open"]);
    assert_eq!(client.get("/pick-lists/MORNING").json(), made.json());
    assert_eq!(
        make(&client, &json!({"pick_list_id": "MORNING"})).json(),
        made.json(),
        "a repeat has the effect of one"
    );
    let other = json!({"pick_list_id": "MORNING", "skus": ["LAMP"]});
    assert_eq!(
        make(&client, &other).problem(409, "pick-list-already-exists")["detail"],
        "Pick list MORNING exists already with other content"
    );
    make(&client, &json!({})).problem(409, "nothing-to-pick");

    let whole = pick(&client, "MORNING", 1, 6);
    assert_eq!(
        (whole.status, whole.json()["status"].as_str(), whole.json().get("missing")),
        (200, Some("picked"), None)
    );
    assert_eq!(ship(&client, "MORNING").problem(409, "not-picked")["lines"], json!([2, 3]));
    // One of the four chairs for O-2 is not found. Another one is allocated from the other shelf.
    let short = pick(&client, "MORNING", 2, 3).json();
    let expected = json!([{"reference": "C-2", "qty": 1, "eta": null}]);
    assert_eq!((&short["missing"], &short["reallocated"], &short["backordered"]), (&1.into(), &expected, &0.into()));
    assert_eq!(pick(&client, "MORNING", 2, 3).status, 200, "a repeat has the effect of one");
    assert_eq!(pick(&client, "MORNING", 3, 2).status, 200);
    assert_eq!(counters(&client, "C-1"), [0, 0, 9, 0, 1]);
    assert_eq!(client.order("O-1")["status"], "picked");
    assert_eq!(client.product("CHAIR")["picked"], 9);

    let shipped = ship(&client, "MORNING");
    assert_eq!((shipped.status, shipped.json()["status"].as_str()), (200, Some("shipped")));
    assert_eq!(ship(&client, "MORNING").json(), shipped.json(), "a repeat has the effect of one");
    assert_eq!(counters(&client, "C-1"), [0, 0, 0, 9, 1]);
    assert_eq!(client.order("O-1")["status"], "shipped");
    assert_eq!(client.order("O-1")["lines"][0]["shipped"], 6);
    assert_eq!(client.all("/orders?status=shipped").len(), 1);
    let second = make(&client, &json!({"pick_list_id": "NOON"}));
    assert_eq!(lines(&second.json()), ["1 C-2 O-2 1 open"]);
    let names: Vec<Value> = client.all("/orders/O-2/history").iter().map(|event| event["event"].clone()).collect();
    let events = ["allocated", "pick_listed", "picked", "units_missing", "shipped"];
    for event in events {
        assert!(names.iter().any(|other| other == event), "no {event} in {names:?}");
    }
}

fn a_line_waits_for_short_picked_units_that_no_other_batch_has(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("L-1", "LAMP", 5, None);
    client.place("O-1", &[("LAMP", 5)], json!({}));
    make(&client, &json!({"pick_list_id": "P"}));
    let short = pick(&client, "P", 1, 0).json();
    assert_eq!((&short["status"], &short["missing"]), (&"missing".into(), &5.into()));
    assert_eq!((&short["reallocated"], &short["backordered"]), (&json!([]), &5.into()));
    assert_eq!((client.standing("O-1"), counters(&client, "L-1")), ("short LAMP 0 +5".to_owned(), [0, 0, 0, 0, 5]));
    ship(&client, "P").problem(409, "nothing-picked");
    client.add_batch("L-2", "LAMP", 9, None);
    assert_eq!(client.standing("O-1"), "allocated LAMP 5 (L-2 5)");
    assert_eq!(lines(&make(&client, &json!({})).json()), ["1 L-2 O-1 5 open"]);
}

fn picked_units_are_neither_released_nor_cancelled(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    assert_eq!(pick(&client, "P", 1, 6).status, 200);
    client.cancel("O-1").problem(409, "already-picked");
    client.give_back("O-1", "C-1").problem(409, "already-picked");
    client.delete("/pick-lists/P").problem(409, "already-picked");
    client.change_batch("C-1", &json!({"purchased_quantity": 5})).problem(409, "units-gone");
    assert_eq!(client.give_back("O-2", "C-1").status, 204);
    client.delete("/batch/C-1").problem(409, "already-picked");
    assert_eq!(client.change_batch("C-1", &json!({"purchased_quantity": 6})).status, 200);
    assert_eq!(counters(&client, "C-1"), [0, 0, 6, 0, 0]);
}

/// magento/inventory#1878: an order that is cancelled or closed after it was shipped frees nothing.
fn shipped_units_are_not_freed_again(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 8, None);
    client.place("O-1", &[("LAMP", 5)], json!({}));
    make(&client, &json!({"pick_list_id": "P"}));
    pick(&client, "P", 1, 5);
    assert_eq!(ship(&client, "P").status, 200);
    for _ in 0..2 {
        client.cancel("O-1").problem(409, "already-picked");
        client.give_back("O-1", "B-1").problem(409, "already-picked");
        client.delete("/orders/O-1/lines/LAMP").problem(409, "already-picked");
        client.delete("/pick-lists/P").problem(409, "already-picked");
    }
    for _ in 0..2 {
        assert_eq!(client.close("O-1").json()["status"], "shipped");
        client.cancel("O-1").problem(409, "already-picked");
    }
    assert_eq!(counters(&client, "B-1"), [0, 3, 0, 5, 0]);
    let product = client.product("LAMP");
    assert_eq!((&product["in_stock"], &product["available"]), (&json!(3), &json!(3)));
}

fn released_units_leave_their_list(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    assert_eq!(client.cancel("O-1").status, 204);
    // Two of the four are released; the chair that is left for O-2 is still to be picked.
    assert_eq!(client.change_batch("C-1", &json!({"purchased_quantity": 2})).status, 200);
    let list = client.get("/pick-lists/P").json();
    assert_eq!(lines(&list), ["1 C-1 O-1 6 withdrawn", "2 C-1 O-2 2 open", "3 L-1 O-1 2 withdrawn"]);
    pick(&client, "P", 1, 6).problem(409, "pick-line-withdrawn");
    pick(&client, "P", 2, 4).problem(409, "more-than-to-pick");
    assert_eq!(pick(&client, "P", 2, 2).status, 200);
    assert_eq!(ship(&client, "P").json()["status"], "shipped");
}

fn a_released_list_leaves_its_units_to_others(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P", "skus": ["LAMP"]}));
    for _ in 0..2 {
        assert_eq!(client.delete("/pick-lists/P").status, 204);
    }
    assert_eq!(client.get("/pick-lists/P").json()["status"], "withdrawn");
    assert_eq!(lines(&make(&client, &json!({"skus": ["LAMP"]})).json()), ["1 L-1 O-1 2 open"]);
    pick(&client, "P", 1, 2).problem(409, "pick-line-withdrawn");
    client.delete("/pick-lists/NONE").problem(404, "pick-list-not-found");
}

fn a_released_line_leaves_its_units_to_others_and_the_rest_ships(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "P"}));
    assert_eq!(pick(&client, "P", 1, 6).status, 200);
    client.delete("/pick-lists/P/lines/1").problem(409, "already-picked");
    for _ in 0..2 {
        assert_eq!(client.delete("/pick-lists/P/lines/2").status, 204);
    }
    pick(&client, "P", 2, 4).problem(409, "pick-line-withdrawn");
    assert_eq!(pick(&client, "P", 3, 2).status, 200);
    assert_eq!(
        lines(&ship(&client, "P").json()),
        ["1 C-1 O-1 6 shipped", "2 C-1 O-2 4 withdrawn", "3 L-1 O-1 2 shipped"]
    );
    client.delete("/pick-lists/P/lines/1").problem(409, "already-picked");
    assert_eq!(counters(&client, "C-1"), [4, 0, 0, 6, 0]);
    assert_eq!(lines(&make(&client, &json!({})).json()), ["1 C-1 O-2 4 open"]);
    client.delete("/pick-lists/P/lines/9").problem(404, "pick-line-not-found");
    client.delete("/pick-lists/P/lines/0").problem(422, "validation");
}

fn a_list_takes_units_that_match_its_criteria(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    let made = |body: Value| {
        let list = make(&client, &body);
        let name = list.json()["pick_list_id"].as_str().unwrap_or_default().to_owned();
        let lines = if list.status == 201 { lines(&list.json()) } else { Vec::new() };
        if !lines.is_empty() {
            assert_eq!(client.delete(&format!("/pick-lists/{name}")).status, 204);
        }
        lines
    };
    assert_eq!(made(json!({"order_ids": ["O-1", "NONE"]})), ["1 C-1 O-1 6 open", "2 L-1 O-1 2 open"]);
    assert_eq!(made(json!({"references": ["C-1", "C-3"], "max_lines": 1})), ["1 C-1 O-1 6 open"]);
    assert_eq!(made(json!({"skus": ["LAMP", "SOFA"]})), ["1 L-1 O-1 2 open"]);
    assert_eq!(made(json!({"skus": ["CHAIR"], "order_ids": ["O-2"], "references": ["C-1"]})), ["1 C-1 O-2 4 open"]);
    assert_eq!(made(json!({"references": ["C-3"]})), [""; 0], "it has not arrived");
    assert_eq!(made(json!({"order_ids": ["CART"]})), [""; 0], "it is only held");
    assert_eq!(client.confirm("CART").status, 200);
    assert_eq!(made(json!({"order_ids": ["CART"]})), ["1 L-1 CART 1 open"]);
}

/// tableExport#230, MyExpenses#1432: one CSV for spreadsheets, with a byte order mark and without formulas, and a
/// lossless one.
fn a_list_has_three_formats(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("=1+1", "a,\"b\"", 3, None);
    client.allocate("<b>O</b>", "a,\"b\"", 2);
    make(&client, &json!({"pick_list_id": "P"}));
    let csv = client.get_with("/pick-lists/P", ("accept", "text/csv"));
    let expected =
        "\u{feff}line,reference,sku,order_id,qty,status,picked\r\n1,'=1+1,\"a,\"\"b\"\"\",<b>O</b>,2,open,\r\n";
    assert_eq!((csv.status, csv.text.as_str(), csv.header("vary")), (200, expected, Some("Accept")));
    assert_eq!(client.get("/pick-lists/P?format=csv").text, expected);
    let raw = expected.trim_start_matches('\u{feff}').replace("'=1+1", "=1+1");
    assert_eq!(client.get("/pick-lists/P?format=csv&raw=true").text, raw);
    // In a spreadsheet the two names look alike; a program reads each as it is.
    for (number, name) in ["+1x", "'+1x"].into_iter().enumerate() {
        client.add_batch(name, "SOFA", 1, None);
        client.allocate(&format!("S-{number}"), "SOFA", 1);
    }
    make(&client, &json!({"pick_list_id": "ALIKE"}));
    let shown = client.get("/pick-lists/ALIKE?format=csv").text;
    assert!(shown.starts_with('\u{feff}') && !shown.contains(",+"), "{shown}");
    assert_eq!(shown.matches(",'+1x,").count(), 2, "{shown}");
    let raw = client.get("/pick-lists/ALIKE?format=csv&raw=true").text;
    assert!(raw.starts_with("line,"), "{raw}");
    assert_eq!((raw.matches(",+1x,").count(), raw.matches(",'+1x,").count()), (1, 1), "{raw}");
    let page = client.get_with("/pick-lists/P", ("accept", "text/html,*/*;q=0.1"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text.contains("&lt;b&gt;O&lt;/b&gt;") && !page.text.contains("<b>"), "{}", page.text);
    assert!(page.text.contains("type=\"checkbox\"") && page.text.contains("@media print"), "{}", page.text);
    assert_eq!(client.get("/pick-lists/P").header("content-type"), Some("application/json"));
    client.get_with("/pick-lists/P", ("accept", "application/pdf")).problem(406, "not-acceptable");
}

fn lists_are_listed_page_by_page(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("L", "LAMP", 100, None);
    for number in 0..12 {
        client.allocate(&format!("O-{number:02}"), "LAMP", 1);
        make(&client, &json!({"pick_list_id": format!("P-{number:02}")}));
    }
    for number in 0..9 {
        pick(&client, &format!("P-{number:02}"), 1, i64::from(number != 8));
    }
    (0..4).for_each(|number| assert_eq!(ship(&client, &format!("P-{number:02}")).status, 200));
    client.delete("/pick-lists/P-11");
    let names = |path: &str| -> Vec<String> {
        client.all(path).iter().map(|list| list["pick_list_id"].as_str().unwrap().to_owned()).collect()
    };
    let numbered = |numbers: &[u32]| -> Vec<String> { numbers.iter().map(|n| format!("P-{n:02}")).collect() };
    assert_eq!(names("/pick-lists?limit=5").len(), 12);
    assert_eq!(names("/pick-lists?status=open&limit=1"), numbered(&[9, 10]));
    assert_eq!(names("/pick-lists?status=picked&limit=3"), numbered(&[4, 5, 6, 7]));
    assert_eq!(names("/pick-lists?status=shipped&limit=2"), numbered(&[0, 1, 2, 3]));
    assert_eq!(names("/pick-lists?status=withdrawn&limit=1"), numbered(&[8, 11]));
}

fn all_errors_of_a_request_are_reported(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let body =
        json!({"pick_list_id": " ", "references": [], "skus": ["LAMP", 7], "order_ids": null, "max_lines": 0, "x": 1});
    let faults = ["/max_lines", "/order_ids", "/pick_list_id", "/references", "/skus/1", "/x"];
    assert_eq!(make(&client, &body).faults(), faults);
    let answer = client.post("/pick-lists/%20P/lines/0/pick?y=1", &json!({"qty": -1, "found": 1}));
    assert_eq!(answer.faults(), ["/found", "/qty", "line", "pick_list_id", "y"]);
    assert_eq!(client.get("/pick-lists?status=lost&limit=x").faults(), ["limit", "status"]);
    assert_eq!(client.send("PUT", "/pick-lists/P", None, "").status, 405);
    pick(&client, "NONE", 1, 1).problem(404, "pick-line-not-found");
    client.get("/pick-lists/NONE").problem(404, "pick-list-not-found");
    ship(&client, "NONE").problem(404, "pick-list-not-found");
}

/// Makes lists concurrently, and counts the listed units of each allocation.
fn race(database: &TestDatabase, servers: &[&Server]) {
    const ORDERS: usize = 60;
    let client = servers[0].client();
    for sku in 0..5 {
        client.add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000, None);
    }
    for number in 0..ORDERS {
        assert_eq!(client.allocate(&format!("O-{number}"), &format!("SKU-{}", number % 5), 3).status, 201);
    }
    let (barrier, lines_made) = (Barrier::new(6), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..6 {
            let (api, barrier, lines_made) = (servers[number % servers.len()].client(), &barrier, &lines_made);
            scope.spawn(move || {
                barrier.wait();
                let deadline = Instant::now() + Duration::from_secs(60);
                while lines_made.load(Ordering::Relaxed) < ORDERS && Instant::now() < deadline {
                    let made = make(&api, &json!({"max_lines": 7}));
                    match made.status {
                        201 => _ = lines_made.fetch_add(lines(&made.json()).len(), Ordering::Relaxed),
                        // Others were faster, or the service was overloaded.
                        409 => _ = made.problem(409, "nothing-to-pick"),
                        _ => _ = made.problem(503, "overloaded"),
                    }
                }
            });
        }
    });
    assert_eq!(lines_made.into_inner(), ORDERS);
    let mut listed: BTreeMap<String, u64> = BTreeMap::new();
    for list in client.all("/pick-lists") {
        let name = list["pick_list_id"].as_str().unwrap();
        for line in client.get(&format!("/pick-lists/{name}")).json()["lines"].as_array().unwrap() {
            *listed.entry(line["order_id"].as_str().unwrap().to_owned()).or_default() += line["qty"].as_u64().unwrap();
        }
    }
    assert!(listed.len() == ORDERS && listed.values().all(|units| *units == 3), "{listed:?}");
    assert_eq!(database.count("SELECT count(*) FROM pick_list_lines"), 60);
}

/// openboxes#229: units are on one list, however many are made at the same time.
fn concurrent_lists_share_no_line(database: &TestDatabase) {
    let server = Server::start(database);
    race(database, &[&server]);
}

fn concurrent_lists_with_one_id_are_one(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B", "LAMP", 100, None);
    (0..20).for_each(|number| _ = client.allocate(&format!("O-{number}"), "LAMP", 1));
    let barrier = Barrier::new(4);
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (api, barrier) = (server.client(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    make(&api, &json!({"pick_list_id": "P", "max_lines": 5})).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
    assert_eq!(database.count("SELECT count(*) FROM pick_list_lines"), 5);
}

fn every_acknowledged_pick_survives_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B", "LAMP", 1_000, None);
    for number in 0..200 {
        client.allocate(&format!("O-{number:03}"), "LAMP", 2);
    }
    assert_eq!(make(&client, &json!({"pick_list_id": "P"})).status, 201);
    let answered = AtomicUsize::new(0);
    let picked: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|share| {
                let (api, answered) = (server.client(), &answered);
                scope.spawn(move || {
                    let pick = |line: &u64| {
                        let path = format!("/pick-lists/P/lines/{line}/pick");
                        let answer = api.try_post(&path, &json!({"qty": line % 3}))?;
                        assert_eq!(answer.status, 200, "{answer:?}");
                        answered.fetch_add(1, Ordering::Relaxed);
                        Some(*line)
                    };
                    (1..=200).filter(|line| line % 4 == share).map_while(|line| pick(&line)).collect::<Vec<_>>()
                })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while answered.load(Ordering::Relaxed) < 60 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        server.signal("KILL");
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    drop(server);
    assert!(picked.len() >= 60);
    let server = Server::start(database);
    let client = server.client();
    let list = client.get("/pick-lists/P").json();
    for line in &picked {
        let line_shown = &list["lines"][usize::try_from(line - 1).unwrap()];
        assert_eq!(line_shown["picked"].as_u64(), Some(line % 3), "{line_shown} was answered");
        assert_eq!(pick(&client, "P", *line, i64::try_from(line % 3).unwrap()).status, 200, "a repeat changes nothing");
    }
    counters(&client, "B");
}

/// All events, once they are in the feed.
pub(crate) fn events(client: &Client, database: &TestDatabase) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let events = client.get("/events?limit=1000").json().as_array().unwrap().clone();
        if events.len() == usize::try_from(database.count("SELECT count(*) FROM all_events")).unwrap() {
            return events;
        }
        assert!(Instant::now() < deadline, "{} events", events.len());
        thread::sleep(Duration::from_millis(20));
    }
}

fn the_events_give_every_pick_list(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    orders(&client);
    make(&client, &json!({"pick_list_id": "MORNING"}));
    // Picked whole, short, and not at all.
    for (line, found) in [(1, 6), (2, 3), (3, 0)] {
        assert_eq!(pick(&client, "MORNING", line, found).status, 200);
    }
    assert_eq!(ship(&client, "MORNING").status, 200);
    for number in 0..3 {
        assert_eq!(client.allocate(&format!("N-{number}"), "CHAIR", 1).status, 201);
    }
    assert_eq!(client.place("CANCELLED", &[("CHAIR", 1)], json!({})).status, 201);
    client.add_batch("C-4", "CHAIR", 9, None);
    assert_eq!(client.place("BIG", &[("CHAIR", 9)], json!({})).status, 201);
    make(&client, &json!({"pick_list_id": "NOON"}));
    assert_eq!(client.change_batch("C-4", &json!({"purchased_quantity": 7})).status, 200);
    assert_eq!(client.cancel("CANCELLED").status, 204);
    assert_eq!(client.allocate("LATE-1", "CHAIR", 1).status, 201);
    assert_eq!(make(&client, &json!({"pick_list_id": "EVENING"})).status, 201);
    let open = client.get("/pick-lists/NOON").json();
    let line = open["lines"].as_array().unwrap().iter().find(|line| line["status"] == "open").unwrap()["line"].clone();
    assert_eq!(pick(&client, "NOON", line.as_u64().unwrap(), 1).status, 200);
    assert_eq!(client.delete("/pick-lists/EVENING").status, 204);
    let events = events(&client, database);
    let served = served_pick_lists(&client);
    assert_eq!(pick_lists(&project(&events)), served);
    for list in client.all("/pick-lists") {
        let is_first = |event: &&Value| event["data"]["list"] == list["pick_list_id"];
        assert_eq!(
            list["created_at"],
            events.iter().find(is_first).unwrap()["time"],
            "a list is as old as its first event"
        );
    }
    let statuses = served.iter().flat_map(|list| list["lines"].as_array().unwrap()).map(|line| &line["status"]);
    let statuses: BTreeSet<&str> = statuses.map(|status| status.as_str().unwrap()).collect();
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["missing", "open", "picked", "shipped", "withdrawn"]);
}

/// Makes a list of an order over many SKUs, picks all of it and ships it, until the server is gone.
fn hand_over(api: &Client, order: &str, answered: &AtomicUsize) -> Option<()> {
    let made = api.try_post("/pick-lists", &json!({"pick_list_id": order, "order_ids": [order]}))?;
    assert!([200, 201].contains(&made.status), "{made:?}");
    answered.fetch_add(1, Ordering::Relaxed);
    for line in made.json()["lines"].as_array().unwrap() {
        let path = format!("/pick-lists/{order}/lines/{}/pick", line["line"]);
        assert_eq!(api.try_post(&path, &json!({"qty": 2}))?.status, 200);
    }
    let shipped = api.try_post(&format!("/pick-lists/{order}/ship"), &json!({}))?;
    assert_eq!(shipped.status, 200, "{shipped:?}");
    answered.fetch_add(1, Ordering::Relaxed);
    Some(())
}

fn a_list_over_many_skus_is_made_and_shipped_atomically_under_kill_9(database: &TestDatabase) {
    const SKUS: usize = 12;
    const ORDERS: usize = 40;
    let server = Server::start(database);
    let client = server.client();
    let skus: Vec<String> = (0..SKUS).map(|number| format!("SKU-{number:02}")).collect();
    for sku in &skus {
        client.add_batch(&format!("B-{sku}"), sku, 100, None);
    }
    let orders: Vec<String> = (0..ORDERS).map(|number| format!("O-{number:02}")).collect();
    for order in &orders {
        let lines: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 2)).collect();
        assert_eq!(client.place(order, &lines, json!({})).status, 201);
    }
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for share in orders.chunks(ORDERS / 4) {
            let (api, answered) = (server.client(), &answered);
            scope.spawn(move || share.iter().try_for_each(|order| hand_over(&api, order, answered)));
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while answered.load(Ordering::Relaxed) < ORDERS / 2 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        server.signal("KILL");
    });
    drop(server);
    let server = Server::start(database);
    let client = server.client();
    for list in client.all("/pick-lists") {
        let current = client.get(&format!("/pick-lists/{}", list["pick_list_id"].as_str().unwrap())).json();
        let lines = current["lines"].as_array().unwrap();
        let shipped = lines.iter().filter(|line| line["status"] == "shipped").count();
        assert!(lines.len() == SKUS && [0, SKUS].contains(&shipped), "{current}");
    }
    // A client without a response repeats its request.
    for order in &orders {
        assert_eq!(hand_over(&client, order, &answered), Some(()));
        assert_eq!(client.order(order)["status"], "shipped");
    }
    for sku in &skus {
        assert_eq!(counters(&client, &format!("B-{sku}")), [0, 20, 0, 80, 0]);
    }
}

on_every_database!(
    an_order_is_listed_picked_and_shipped,
    what_is_picked_ships_and_the_open_line_goes_on_another_list,
    a_pick_is_corrected_until_it_is_shipped,
    picked_units_are_put_back_for_another_list_or_for_waiting_lines,
    a_line_waits_for_short_picked_units_that_no_other_batch_has,
    picked_units_are_neither_released_nor_cancelled,
    released_units_leave_their_list,
    a_released_list_leaves_its_units_to_others,
    a_released_line_leaves_its_units_to_others_and_the_rest_ships,
    a_list_takes_units_that_match_its_criteria,
    a_list_has_three_formats,
    lists_are_listed_page_by_page,
    all_errors_of_a_request_are_reported,
    concurrent_lists_share_no_line,
    concurrent_lists_with_one_id_are_one,
    the_events_give_every_pick_list,
    every_acknowledged_pick_survives_kill_9,
    a_list_over_many_skus_is_made_and_shipped_atomically_under_kill_9,
    shipped_units_are_not_freed_again,
);

mod postgres_with_two_servers {
    use super::*;

    #[test]
    fn concurrent_lists_share_no_line() {
        let database = TestDatabase::postgres();
        let (one, other) = (Server::start(&database), Server::start(&database));
        race(&database, &[&one, &other]);
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(database.count(deadlocks), 0);
    }
}
