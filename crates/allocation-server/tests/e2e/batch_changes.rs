//! Deliveries that are short, late, early or over, and the lines that they displace.

use crate::support::{Answer, Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};

const JSON: Option<&str> = Some("application/json");

fn place(client: &Client, order: &str, quantity: u32, more: Value) {
    let placed = client.place(order, &[("LAMP", quantity)], more);
    assert_eq!(placed.status, 201, "{placed:?}");
}

/// Changes a batch, and returns the response.
#[track_caller]
fn change(client: &Client, reference: &str, change: Value) -> Value {
    let answer = client.change_batch(reference, &change);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The promises that got worse, one per line.
fn affected(answer: &Value) -> Vec<String> {
    promises(&answer["affected"])
}

/// The units that moved to another batch without delay, one per line.
fn moved(answer: &Value) -> Vec<String> {
    promises(&answer["moved"])
}

fn promises(rows: &Value) -> Vec<String> {
    let date = |value: &Value| value.as_str().unwrap_or("here").to_owned();
    let one = |it: &Value| {
        assert_eq!(it["sku"], "LAMP");
        let (order, batch) = (it["order_id"].as_str().unwrap(), it["reference"].as_str().unwrap());
        format!("{order} {} {batch} {} to {}", it["qty"], date(&it["old_eta"]), date(&it["new_eta"]))
    };
    rows.as_array().unwrap().iter().map(one).collect()
}

/// The displaced lines that wait, one per line.
fn displaced(answer: &Value) -> Vec<String> {
    let one = |it: &Value| {
        assert_eq!(it["sku"], "LAMP");
        format!("{} {} {}", it["order_id"].as_str().unwrap(), it["qty"], it["status"].as_str().unwrap())
    };
    answer["displaced"].as_array().unwrap().iter().map(one).collect()
}

fn a_batch_is_raised_and_lowered(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, Some("2027-01-15"));
    client.allocate("O-1", "LAMP", 2);
    let raised = change(&client, "B-1", json!({"purchased_quantity": 9}));
    let expected = json!({
        "reference": "B-1", "sku": "LAMP", "purchased_quantity": 9, "allocated_quantity": 2, "available_quantity": 7,
        "eta": "2027-01-15", "affected": [], "moved": [], "displaced": []
    });
    assert_eq!(raised, expected);
    assert_eq!(client.get("/batch/B-1").json()["purchased_quantity"], 9);
    let lowered = change(&client, "B-1", json!({"purchased_quantity": 2}));
    assert_eq!((&lowered["available_quantity"], affected(&lowered).len()), (&json!(0), 0));
    assert_eq!(client.standing("O-1"), "allocated LAMP 2 (B-1 2)");
    let both = change(&client, "B-1", json!({"purchased_quantity": 2_147_483_647, "eta": null}));
    assert_eq!((&both["available_quantity"], &both["eta"]), (&json!(2_147_483_645_i64), &json!(null)));
    client.change_batch("NONE", &json!({"purchased_quantity": 1})).problem(404, "batch-not-found");

    client.add_batch("B-2", "SOFA", 3, None);
    let nothing = change(&client, "B-2", json!({"purchased_quantity": 0}));
    assert_eq!((&nothing["purchased_quantity"], &nothing["available_quantity"]), (&json!(0), &json!(0)));
    assert_eq!(client.product("SOFA")["in_stock"], 0);
    change(&client, "B-2", json!({"purchased_quantity": 1}));
    assert_eq!(client.allocate("O-2", "SOFA", 1).status, 201);
}

fn lines_leave_the_lowest_priority_first_then_the_youngest(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 12, None);
    place(&client, "OLD", 2, json!({}));
    place(&client, "HIGH", 2, json!({"priority": 5}));
    client.allocate("ALONE", "LAMP", 2);
    place(&client, "LOW", 2, json!({"priority": -1, "hold_seconds": 600}));
    place(&client, "YOUNG", 2, json!({"on_shortage": "backorder"}));
    place(&client, "WHOLE", 2, json!({"priority": -1, "allow_split": false}));
    let lower = |quantity: u32| displaced(&change(&client, "B-1", json!({"purchased_quantity": quantity})));
    assert_eq!(lower(11), ["WHOLE 1 short"]);
    assert_eq!(lower(9), ["LOW 1 short", "WHOLE 1 short"], "lines are listed in the order of service");
    assert_eq!(lower(7), ["YOUNG 1 backordered", "LOW 1 short"]);
    assert_eq!(lower(5), ["ALONE 1 short", "YOUNG 1 backordered"]);
    assert_eq!(lower(0), ["HIGH 2 short", "OLD 2 short", "ALONE 1 short"]);
    assert_eq!(client.standing("OLD"), "short LAMP 0 +2");
    assert_eq!(client.standing("ALONE"), "short LAMP 0 +2");
    assert_eq!(client.standing("YOUNG"), "backordered LAMP 0 +2");
    let queue: Vec<_> = client.queue("LAMP").into_iter().map(|(order, _)| order).collect();
    assert_eq!(queue, ["HIGH", "OLD", "ALONE", "YOUNG", "LOW", "WHOLE"]);
    assert_eq!(client.all("/orders?status=short").len(), 5);

    change(&client, "B-1", json!({"purchased_quantity": 9}));
    assert_eq!(client.standing("HIGH"), "allocated LAMP 2 (B-1 2)", "a served line is no longer short");
    assert_eq!(client.standing("LOW"), "short LAMP 1 (B-1 1) +1");
    assert_eq!(client.standing("WHOLE"), "short LAMP 0 +2");
    let history = client.all("/orders/ALONE/history");
    let events: Vec<_> = history.iter().map(|row| row["event"].as_str().unwrap()).collect();
    let lost = ["deallocated", "line_short"];
    assert_eq!(events, [&["allocated"][..], &lost, &lost, &["allocated"]].concat());
    assert_eq!(history[1]["reason"], "batch_lowered");
}

fn displaced_lines_get_other_batches(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 6, Some("2027-01-10"));
    place(&client, "A", 3, json!({}));
    place(&client, "B", 3, json!({}));
    client.add_batch("B-2", "LAMP", 2, Some("2027-02-10"));
    client.add_batch("B-0", "LAMP", 1, None);
    let answer = change(&client, "B-1", json!({"purchased_quantity": 1}));
    // A lost two and B three: A is the older line, and goes whole to one batch.
    assert_eq!(affected(&answer), ["A 2 B-2 2027-01-10 to 2027-02-10"]);
    assert_eq!(moved(&answer), ["B 1 B-0 2027-01-10 to here"]);
    assert_eq!(displaced(&answer), ["B 2 short"]);
    assert_eq!(client.standing("A"), "allocated LAMP 3 (B-1 1, B-2 2)");
    assert_eq!(client.standing("B"), "short LAMP 1 (B-0 1) +2");
    let worse = |order: &str| -> Vec<Value> {
        let rows = client.all(&format!("/orders/{order}/history"));
        rows.into_iter().filter(|row| row["event"] == "promise_worsened").collect()
    };
    let rows = worse("A");
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((&row["reference"], &row["qty"]), (&json!("B-2"), &json!(2)));
    assert_eq!((&row["old_eta"], &row["new_eta"]), (&json!("2027-01-10"), &json!("2027-02-10")));
    assert!(worse("B").is_empty(), "sooner is not worse");
}

/// open-msupply#4128: a delivery of ten that customers were promised becomes one of seven, a week later.
fn an_edit_of_a_promised_delivery_names_every_line_that_it_affects(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, Some("2027-01-10"));
    place(&client, "OLD", 6, json!({}));
    place(&client, "YOUNG", 4, json!({"on_shortage": "backorder"}));
    let edit = json!({"purchased_quantity": 7, "eta": "2027-01-17"});
    let preview = client.send("PATCH", "/batch/B-1?dry_run=true", JSON, edit.to_string()).json();
    let answer = change(&client, "B-1", edit);
    let late = ["OLD 6 B-1 2027-01-10 to 2027-01-17", "YOUNG 1 B-1 2027-01-10 to 2027-01-17"];
    assert_eq!((affected(&answer), affected(&preview)), (late.map(str::to_owned).to_vec(), affected(&answer)));
    assert_eq!((displaced(&answer), displaced(&preview)), (vec!["YOUNG 3 backordered".to_owned()], displaced(&answer)));
    assert_eq!(client.standing("OLD"), "allocated LAMP 6 (B-1 6)");
    assert_eq!(client.standing("YOUNG"), "partially_allocated LAMP 1 (B-1 1) +3");
}

fn a_delay_lists_the_affected_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 6, Some("2027-01-10"));
    place(&client, "A", 3, json!({}));
    place(&client, "B", 2, json!({"priority": 1}));
    let worsened = "SELECT count(*) FROM all_events WHERE type = 'promise_worsened'";
    let earlier = change(&client, "B-1", json!({"eta": "2027-01-05"}));
    assert_eq!((&earlier["eta"], affected(&earlier).len(), database.count(worsened)), (&json!("2027-01-05"), 0, 0));
    let later = change(&client, "B-1", json!({"eta": "2027-03-01"}));
    assert_eq!(affected(&later), ["B 2 B-1 2027-01-05 to 2027-03-01", "A 3 B-1 2027-01-05 to 2027-03-01"]);
    assert_eq!(database.count(worsened), 2);
    assert_eq!(client.order("A")["lines"][0]["allocations"][0]["eta"], "2027-03-01");
    let again = change(&client, "B-1", json!({"eta": "2027-03-01"}));
    assert!(affected(&again).is_empty(), "the current values are no change");
    let product = client.product("LAMP");
    assert_eq!((&product["in_stock"], &product["on_its_way"]), (&json!(0), &json!(6)));

    let arrived = change(&client, "B-1", json!({"eta": null}));
    assert_eq!((&arrived["eta"], affected(&arrived).len(), database.count(worsened)), (&json!(null), 0, 2));
    let product = client.product("LAMP");
    assert_eq!((&product["in_stock"], &product["on_its_way"]), (&json!(6), &json!(0)));
    assert_eq!(client.order("A")["lines"][0]["allocations"][0]["eta"], json!(null));
    let gone = change(&client, "B-1", json!({"eta": "2027-01-01"}));
    assert_eq!(affected(&gone), ["B 2 B-1 here to 2027-01-01", "A 3 B-1 here to 2027-01-01"]);
}

fn lines_move_to_earlier_batches_on_request(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("LATE", "LAMP", 9, Some("2027-01-10"));
    place(&client, "A", 3, json!({"promises": "stable"}));
    place(&client, "B", 3, json!({"promises": "stable", "allow_split": false}));
    place(&client, "C", 3, json!({"promises": "stable", "priority": 1}));
    client.add_batch("SOON", "LAMP", 5, Some("2027-02-01"));
    client.add_batch("NEVER", "LAMP", 50, Some("2028-01-01"));
    let answer = change(&client, "LATE", json!({"eta": "2027-03-01", "reallocate": true}));
    // C comes first and goes whole; A gets the rest in parts; B would take only all.
    let expected = [
        "C 3 SOON 2027-01-10 to 2027-02-01",
        "A 2 SOON 2027-01-10 to 2027-02-01",
        "A 1 LATE 2027-01-10 to 2027-03-01",
        "B 3 LATE 2027-01-10 to 2027-03-01",
    ];
    let mut lines = affected(&answer);
    lines.sort();
    let mut sorted = expected.map(str::to_owned);
    sorted.sort();
    assert_eq!(lines, sorted);
    assert!(displaced(&answer).is_empty());
    assert_eq!(client.standing("A"), "allocated LAMP 3 (SOON 2, LATE 1)");
    assert_eq!(client.standing("B"), "allocated LAMP 3 (LATE 3)");
    assert_eq!(client.standing("C"), "allocated LAMP 3 (SOON 3)");

    client.add_batch("HERE", "LAMP", 4, None);
    let answer = change(&client, "LATE", json!({"reallocate": true}));
    assert_eq!(client.standing("B"), "allocated LAMP 3 (HERE 3)", "without a change of its own too");
    assert_eq!((answer["allocated_quantity"].as_u64(), displaced(&answer).len()), (Some(0), 0));
    let sooner = moved(&answer);
    assert_eq!((sooner.len(), affected(&answer).len()), (2, 0), "{sooner:?}");
}

fn a_raise_or_a_move_serves_waiting_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 2, Some("2027-01-10"));
    place(&client, "A", 2, json!({}));
    place(&client, "W", 3, json!({"on_shortage": "backorder"}));
    let raised = change(&client, "B-1", json!({"purchased_quantity": 4}));
    assert_eq!((&raised["allocated_quantity"], &raised["available_quantity"]), (&json!(4), &json!(0)));
    assert_eq!(client.standing("W"), "partially_allocated LAMP 2 (B-1 2) +1");
    let lowered = change(&client, "B-1", json!({"purchased_quantity": 3}));
    assert_eq!(displaced(&lowered), ["W 1 backordered"]);
    assert_eq!(client.standing("W"), "partially_allocated LAMP 1 (B-1 1) +2");
}

fn hundreds_of_lines_leave_and_move(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 600, Some("2027-01-10"));
    for number in 0..300 {
        place(&client, &format!("O-{number:03}"), 2, json!({"on_shortage": "backorder"}));
    }
    for number in 0..120 {
        client.add_batch(&format!("SMALL-{number}"), "LAMP", 1, Some("2027-01-20"));
    }
    let answer = change(&client, "B-1", json!({"eta": "2027-03-01", "purchased_quantity": 200, "reallocate": true}));
    // The oldest 60 have moved to the earlier batch; of the others, 100 stay and the youngest 140 wait.
    assert_eq!(displaced(&answer).len(), 140);
    let lines = affected(&answer);
    assert_eq!((lines.len(), lines[0].as_str()), (120 + 100, "O-000 1 SMALL-0 2027-01-10 to 2027-01-20"));
    assert_eq!(lines[120], "O-060 2 B-1 2027-01-10 to 2027-03-01");
    let queue = client.queue("LAMP");
    let youngest: Vec<_> = (160..300).map(|number| (format!("O-{number:03}"), 2)).collect();
    assert_eq!(queue, youngest);
    change(&client, "B-1", json!({"purchased_quantity": 0}));
    assert_eq!(client.product("LAMP")["backordered"], 2 * 240);
    change(&client, "B-1", json!({"purchased_quantity": 480}));
    assert_eq!((client.product("LAMP")["backordered"].as_u64(), client.available("B-1")), (Some(0), 0));
}

/// The entity tag of a batch.
#[track_caller]
fn tag(answer: &Answer) -> String {
    let tag = answer.header("etag").unwrap_or_else(|| panic!("no tag: {answer:?}"));
    assert!(tag.trim_start_matches("W/").starts_with('"') && tag.ends_with('"'), "{tag}");
    tag.to_owned()
}

fn two_purchasers_do_not_overwrite_each_other(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let added = tag(&client.add_batch("B-1", "LAMP", 5, None));
    assert_eq!(tag(&client.add_batch("B-1", "LAMP", 5, None)), added);
    assert_eq!(tag(&client.get("/batch/B-1")), added);
    client.allocate("O-1", "LAMP", 2);
    let first = client.change_batch_if("B-1", Some(&added), &json!({"purchased_quantity": 6}));
    assert_eq!(first.status, 200, "an allocation is no correction: {first:?}");
    let next = tag(&first);
    assert_ne!(next, added);
    assert_eq!(tag(&client.get("/batch/B-1")), next);

    let before = database.count("SELECT count(*) FROM all_events");
    for late in [json!({"purchased_quantity": 3}), json!({"eta": "2027-01-01"}), json!({"reallocate": true})] {
        client.change_batch_if("B-1", Some(&added), &late).problem(412, "batch-changed");
    }
    client.change_batch_if("B-1", Some("\"something else\""), &json!({"eta": null})).problem(412, "batch-changed");
    assert_eq!(database.count("SELECT count(*) FROM all_events"), before);
    assert_eq!(client.get("/batch/B-1").json()["purchased_quantity"], 6);

    let either = format!("{added}, {next}");
    assert_eq!(client.change_batch_if("B-1", Some(&either), &json!({"purchased_quantity": 7})).status, 200);
    assert_eq!(client.change_batch_if("B-1", Some("*"), &json!({"purchased_quantity": 8})).status, 200);
    let unchanged = client.change_batch_if("B-1", None, &json!({"purchased_quantity": 8}));
    assert_eq!(tag(&unchanged), tag(&client.get("/batch/B-1")));
}

/// RFC 9110, sections 8.8.1 and 13.1.1: a strong tag changes with the body, and `If-Match` holds for `DELETE`.
fn a_batch_is_deleted_only_in_the_version_that_was_seen(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let added = tag(&client.add_batch("B-1", "LAMP", 5, None));
    client.allocate("O-1", "LAMP", 2);
    let current = client.get("/batch/B-1");
    assert_ne!(tag(&current), added, "the body has changed");
    assert_eq!(client.get_with("/batch/B-1", ("if-none-match", &added)).status, 200);
    assert_eq!(client.get_with("/batch/B-1", ("if-none-match", &tag(&current))).status, 304);
    client.give_back("O-1", "B-1");
    let changed = tag(&client.change_batch("B-1", &json!({"purchased_quantity": 6})));
    for late in [&added, &tag(&current), "\"something else\"", "W/\"1\""] {
        client.remove_batch_if("B-1", late).problem(412, "batch-changed");
    }
    assert_eq!(client.remove_batch_if("B-1", &changed).status, 204);
    client.remove_batch_if("B-1", "*").problem(404, "batch-not-found");
}

/// RFC 9110, section 13.1.1: what has no version matches none, so nothing is deleted on that condition.
fn a_delete_with_if_match_is_rejected_where_there_is_no_version(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.allocate("O-1", "LAMP", 2);
    assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": "P"})).status, 201);
    let delete = |path: &str, tag: &str| client.send_with("DELETE", path, &[("if-match", tag)], "");
    for path in ["/pick-lists/P/lines/1", "/pick-lists/P", "/allocations/O-1/batch/B-1", "/keys/none"] {
        delete(path, "\"1-1f\"").problem(412, "precondition-failed");
    }
    assert_eq!(client.get("/pick-lists/P").json()["status"], "open");
    for path in ["/pick-lists/P/lines/1", "/pick-lists/P", "/allocations/O-1/batch/B-1"] {
        assert_eq!(delete(path, "*").status, 204, "{path}");
    }
    assert_eq!(client.available("B-1"), 5);
}

fn the_tag_of_a_removed_batch_does_not_match_its_successor(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let gone = tag(&client.add_batch("B-1", "LAMP", 5, None));
    assert_eq!(client.delete("/batch/B-1").status, 204);
    let added = tag(&client.add_batch("B-1", "LAMP", 500, Some("2027-01-01")));
    assert_ne!(added, gone);
    client.change_batch_if("B-1", Some(&gone), &json!({"purchased_quantity": 6})).problem(412, "batch-changed");
    assert_eq!(client.change_batch_if("B-1", Some(&added), &json!({"purchased_quantity": 6})).status, 200);
}

fn a_repeated_batch_is_compared_with_the_values_it_was_added_with(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    change(&client, "B-1", json!({"purchased_quantity": 6}));
    let repeat = client.add_batch("B-1", "LAMP", 5, None);
    assert_eq!((repeat.status, &repeat.json()["purchased_quantity"]), (200, &json!(6)));
    client.add_batch("B-1", "LAMP", 6, None).problem(409, "batch-already-exists");
    assert_eq!(client.get("/batch/B-1").json()["purchased_quantity"], 6);
}

fn invalid_changes_are_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let before = database.count("SELECT count(*) FROM all_events");
    let faults = |change: Value| client.change_batch("B-1", &change).faults();
    for wrong in [json!(-1), json!(2_147_483_648_i64), json!(1.5), json!("5"), json!(true), json!(null)] {
        assert_eq!(faults(json!({"purchased_quantity": wrong})), ["/purchased_quantity"], "{wrong}");
    }
    for wrong in [json!("2027-02-29"), json!("soon"), json!(""), json!(20270101), json!(false)] {
        assert_eq!(faults(json!({"eta": wrong})), ["/eta"], "{wrong}");
    }
    for wrong in [json!("true"), json!(1), json!(null)] {
        assert_eq!(faults(json!({"reallocate": wrong})), ["/reallocate"], "{wrong}");
    }
    let all = json!({"purchased_quantity": -1, "eta": "soon", "reallocate": 0, "sku": "SOFA", "reference": "B-2"});
    assert_eq!(faults(all), ["/eta", "/purchased_quantity", "/reallocate", "/reference", "/sku"]);
    for body in ["[]", "null", "1"] {
        assert_eq!(client.send("PATCH", "/batch/B-1", JSON, body).faults(), [""]);
    }
    client.send("PATCH", "/batch/B-1", JSON, "{").problem(400, "malformed-json");
    client.send("PATCH", "/batch/B-1", Some("text/plain"), "{}").problem(415, "unsupported-media-type");
    assert_eq!(client.send("PATCH", "/batch/%20", JSON, "{\"eta\": null}").faults(), ["reference"]);
    assert_eq!(client.send("PATCH", "/batch/B-1?force=1", JSON, "{\"eta\": null}").faults(), ["force"]);
    assert_eq!(database.count("SELECT count(*) FROM all_events"), before);
}

on_every_database!(
    a_batch_is_raised_and_lowered,
    lines_leave_the_lowest_priority_first_then_the_youngest,
    displaced_lines_get_other_batches,
    a_delay_lists_the_affected_lines,
    lines_move_to_earlier_batches_on_request,
    a_raise_or_a_move_serves_waiting_lines,
    hundreds_of_lines_leave_and_move,
    two_purchasers_do_not_overwrite_each_other,
    a_batch_is_deleted_only_in_the_version_that_was_seen,
    the_tag_of_a_removed_batch_does_not_match_its_successor,
    a_repeated_batch_is_compared_with_the_values_it_was_added_with,
    invalid_changes_are_rejected,
    an_edit_of_a_promised_delivery_names_every_line_that_it_affects,
    a_delete_with_if_match_is_rejected_where_there_is_no_version,
);
