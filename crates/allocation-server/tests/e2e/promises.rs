//! Overdue units are promised for today at the earliest, and not picked.

use crate::bulk;
use crate::support::{Client, Server, TODAY, TestDatabase, on_every_database};
use chrono::{Days, TimeDelta, Utc};
use serde_json::{Value, json};

const YESTERDAY: &str = "2026-11-30";

fn references(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["reference"].as_str().unwrap()).collect()
}

fn overdue_of(client: &Client, reference: &str) -> Value {
    client.get(&format!("/batch/{reference}")).json()["overdue"].clone()
}

/// PrestaShop-modules#171: a delivery that was due in the past is overdue, and its date stays what it is.
fn an_overdue_batch_is_marked(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for (reference, sku, eta) in [
        ("STOCK", "LAMP", None),
        ("TODAY", "LAMP", Some(TODAY)),
        ("LATE", "LAMP", Some(YESTERDAY)),
        ("SOFAS", "SOFA", Some("2026-01-01")),
        ("LATER", "LAMP", Some("2027-01-15")),
        ("LATEST", "LAMP", Some("2000-01-01")),
    ] {
        let added = client.add_batch(reference, sku, 10, eta);
        assert_eq!(added.status, 201, "{added:?}");
        let overdue = if ["LATE", "SOFAS", "LATEST"].contains(&reference) { json!(true) } else { json!(null) };
        assert_eq!((&added.json()["overdue"], &overdue_of(&client, reference)), (&overdue, &overdue), "{reference}");
        assert_eq!(added.json()["eta"], json!(eta), "the date stays what it is");
    }
    for limit in 1..=4 {
        let all = client.all(&format!("/batch?overdue=true&limit={limit}"));
        assert_eq!(references(&all), ["LATEST", "SOFAS", "LATE"], "the longest overdue first, in pages of {limit}");
        let lamps = client.all(&format!("/batch?sku=LAMP&overdue=true&limit={limit}"));
        assert_eq!(references(&lamps), ["LATEST", "LATE"]);
    }
    assert_eq!(references(&client.all("/batch?limit=4")), ["STOCK", "TODAY", "LATE", "SOFAS", "LATER", "LATEST"]);
    assert_eq!(client.get("/batch?overdue=false").faults(), ["overdue"]);

    let received = client.change_batch("LATE", &json!({"eta": null}));
    assert_eq!((received.status, &received.json()["overdue"]), (200, &json!(null)));
    let delayed = client.change_batch("LATEST", &json!({"eta": YESTERDAY}));
    assert_eq!((delayed.status, &delayed.json()["overdue"]), (200, &json!(true)));
    assert_eq!(client.change_batch("LATEST", &json!({"eta": TODAY})).json()["overdue"], json!(null));
    assert_eq!(references(&client.all("/batch?overdue=true")), ["SOFAS"]);
}

/// PrestaShop-modules#171: what was due in 2020 is promised for today, and no earlier.
fn overdue_units_are_promised_for_today_and_not_picked(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("STOCK", "LAMP", 2, None);
    client.add_batch("LATE", "LAMP", 10, Some("2020-01-01"));
    client.add_batch("LATER", "LAMP", 5, Some("2027-01-15"));
    let availability = client.get(&format!("/products/LAMP/availability?qty=3&by={YESTERDAY}")).json();
    let series = json!([
        {"eta": null, "available": 2}, {"eta": TODAY, "available": 12}, {"eta": "2027-01-15", "available": 17},
    ]);
    assert_eq!(
        (&availability["series"], &availability["earliest"]),
        (&series, &json!({"eta": TODAY})),
        "never earlier than today"
    );
    assert_eq!(availability["available_by"], 2, "nothing of it was there yesterday");
    let by_today = client.get(&format!("/products/LAMP/availability?by={TODAY}")).json();
    assert_eq!(by_today["available_by"], 12);

    let line = client.allocate("O-1", "LAMP", 9);
    assert_eq!(line.status, 201);
    let part = json!([{"reference": "LATE", "qty": 9, "eta": "2020-01-01"}]);
    assert_eq!(line.json()["allocations"], part, "the order of preference is unchanged, and so is the date");
    client.post("/pick-lists", &json!({"references": ["LATE"]})).problem(409, "nothing-to-pick");
    assert_eq!(client.change_batch("LATE", &json!({"eta": null})).status, 200);
    let list = client.post("/pick-lists", &json!({"pick_list_id": "P-1", "references": ["LATE"]}));
    assert_eq!((list.status, &list.json()["lines"][0]["qty"]), (201, &json!(9)), "it has been received");
}

/// PrestaShop-modules#171: an absurd year is a mistake. A date stored before the rule existed stays readable.
fn an_absurd_date_is_rejected_and_a_stored_one_is_overdue(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, Some(YESTERDAY));
    for absurd in ["0001-01-01", "1999-12-31", "3000-01-01"] {
        assert_eq!(client.add_batch("B-2", "LAMP", 5, Some(absurd)).faults(), ["/eta"], "{absurd}");
        assert_eq!(client.change_batch("B-1", &json!({"eta": absurd})).faults(), ["/eta"], "{absurd}");
    }
    for absurd in ["0001-01-01", "3000-01-01"] {
        let batch = json!({"reference": "B-2", "sku": "LAMP", "purchased_quantity": 5, "eta": absurd});
        let bulk = bulk::send(&client, "/batch/bulk", &[batch.to_string()]);
        assert_eq!((&bulk[0]["status"], &bulk[0]["problem"]["errors"][0]["pointer"]), (&json!(422), &json!("/eta")));
        let receipt = json!({"receipt_id": "R", "qty": 1, "rest": {"eta": absurd}});
        assert_eq!(client.post("/batch/B-1/receipts", &receipt).faults(), ["/rest/eta"], "{absurd}");
    }
    let late = json!({"receipt_id": "R", "qty": 1, "rest": {"eta": YESTERDAY}});
    assert_eq!(client.post("/batch/B-1/receipts", &late).status, 201);
    assert_eq!(references(&client.all("/batch?overdue=true")), ["B-1/2"], "the rest was due yesterday");
    assert_eq!(client.delete("/batch/B-1").status, 204);
    client.add_batch("B-1", "LAMP", 5, Some(YESTERDAY));
    client.delete("/batch/B-1%2F2");
    database.execute("UPDATE batches SET eta = '0001-01-01'");
    let row = client.get("/batch/B-1").json();
    assert_eq!((&row["eta"], &row["overdue"]), (&json!("0001-01-01"), &json!(true)));
    assert_eq!(references(&client.all("/batch?overdue=true&limit=1")), ["B-1"]);
    assert_eq!(client.get("/products/LAMP/availability?qty=1").json()["earliest"], json!({"eta": TODAY}));
}

/// OCA/e-commerce#594, open-msupply#8953: a date has no time, so no time zone makes another day of it.
fn a_date_stays_that_date_in_every_time_zone(database: &TestDatabase) {
    const DAY: &str = "2027-01-15";
    let in_zone =
        |zone: &str| Server::start_with(database, |command| command.env("TZ", zone).args(["--time-zone", zone]));
    let (west, east) = (in_zone("Etc/GMT+12"), in_zone("Pacific/Kiritimati"));
    west.client().add_batch("WEST", "LAMP", 5, Some(DAY));
    east.client().add_batch("EAST", "LAMP", 5, Some(DAY));
    west.client().allocate("O-1", "LAMP", 7);
    for client in [west.client(), east.client()] {
        for reference in ["WEST", "EAST"] {
            assert_eq!(client.get(&format!("/batch/{reference}")).json()["eta"], DAY);
            assert_eq!(client.all(&format!("/batch/{reference}/history"))[0]["eta"], DAY);
        }
        let allocations = client.order("O-1")["lines"][0]["allocations"].clone();
        assert!(allocations.as_array().unwrap().iter().all(|part| part["eta"] == DAY), "{allocations}");
        let availability = client.get(&format!("/products/LAMP/availability?qty=3&by={DAY}")).json();
        assert_eq!(availability["series"], json!([{"eta": DAY, "available": 3}]));
        assert_eq!((&availability["earliest"]["eta"], &availability["available_by"]), (&json!(DAY), &json!(3)));
        let the_day_before = client.get("/products/LAMP/availability?by=2027-01-14").json();
        assert_eq!(the_day_before["available_by"], 0);
        let events = client.get("/events?type=allocation.batch.added.v1&limit=2&wait=30").json();
        assert!(events.as_array().unwrap().iter().all(|event| event["data"]["eta"] == DAY), "{events}");
    }
    let postponed = east.client().change_batch("WEST", &json!({"eta": "2027-01-16"})).json();
    assert_eq!((&postponed["affected"][0]["old_eta"], &postponed["eta"]), (&json!(DAY), &json!("2027-01-16")));
    assert_eq!(west.client().get("/batch/WEST").json()["eta"], "2027-01-16");
}

/// Of the two time zones that are furthest apart, one is always a day ahead of the other.
fn today_depends_on_the_time_zone(database: &TestDatabase) {
    let in_zone = |zone: &str| {
        Server::start_with(database, |command| command.env_remove("ALLOCATION_TODAY").args(["--time-zone", zone]))
    };
    let (west, east) = (in_zone("Etc/GMT+12"), in_zone("Pacific/Kiritimati"));
    let yesterday_in_the_east = (Utc::now() + TimeDelta::hours(14)).date_naive() - Days::new(1);
    west.client().add_batch("B-1", "LAMP", 5, Some(&yesterday_in_the_east.to_string()));
    assert_eq!(overdue_of(&east.client(), "B-1"), json!(true));
    assert_eq!(overdue_of(&west.client(), "B-1"), json!(null));
    assert_eq!(east.client().all("/batch?overdue=true").len(), 1);
    assert!(west.client().all("/batch?overdue=true").is_empty());
}

on_every_database!(
    an_overdue_batch_is_marked,
    overdue_units_are_promised_for_today_and_not_picked,
    an_absurd_date_is_rejected_and_a_stored_one_is_overdue,
    today_depends_on_the_time_zone,
    a_date_stays_that_date_in_every_time_zone,
);
