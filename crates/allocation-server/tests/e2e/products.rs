//! The stock of a product, and its availability by date.

use crate::support::{Client, Server, TestDatabase, encoded, on_every_database};
use serde_json::{Value, json};

/// Seven lamps in the warehouse and nine in transit; three held, two firm, four backordered.
fn stock(client: &Client) {
    client.add_batch("B-2", "LAMP", 4, Some("2027-01-10"));
    client.add_batch("B-1", "LAMP", 7, None);
    client.add_batch("B-3", "LAMP", 2, Some("2027-01-10"));
    client.add_batch("B-4", "LAMP", 3, Some("2027-02-20"));
    client.place("HELD", &[("LAMP", 3)], json!({"hold_seconds": 600}));
    client.place("FIRM", &[("LAMP", 2)], json!({}));
    client.register("SOFA");
    let waits = json!({"on_shortage": "backorder", "allow_split": false});
    client.place("WAITS", &[("LAMP", 40), ("SOFA", 4)], waits);
}

fn availability(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("/products/LAMP/availability{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn the_totals_of_a_product_count_all_its_units(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let lamp = json!({
        "sku": "LAMP", "in_stock": 7, "on_its_way": 9, "allocated": 5, "held": 3, "backordered": 40, "available": 11
    });
    assert_eq!(client.product("LAMP"), lamp);
    let sofa = json!({
        "sku": "SOFA", "in_stock": 0, "on_its_way": 0, "allocated": 0, "held": 0, "backordered": 4, "available": 0
    });
    assert_eq!(client.product("SOFA"), sofa);
    client.get("/products/NONE").problem(404, "product-not-found");
    client.get("/products/NONE/availability").problem(404, "product-not-found");

    client.add_batch("A-1", "a/b ü", 1, None);
    let odd = client.product("a/b ü");
    assert_eq!((odd["sku"].as_str(), odd["available"].as_u64()), (Some("a/b ü"), Some(1)));
    let series = client.get(&format!("/products/{}/availability", encoded("a/b ü"))).json();
    assert_eq!(series, json!({"sku": "a/b ü", "series": [{"eta": null, "available": 1}]}));
    for limit in 1..=4 {
        assert_eq!(client.all(&format!("/products?limit={limit}")), [lamp.clone(), sofa.clone(), odd.clone()]);
    }
    client.cancel("WAITS");
    client.confirm("HELD");
    client.delete("/batch/B-4");
    let after = json!({
        "sku": "LAMP", "in_stock": 7, "on_its_way": 6, "allocated": 5, "held": 0, "backordered": 0, "available": 8
    });
    assert_eq!(client.product("LAMP"), after);
}

fn availability_is_a_series_over_dates(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    let series = json!([
        {"eta": null, "available": 2},
        {"eta": "2027-01-10", "available": 8},
        {"eta": "2027-02-20", "available": 11},
    ]);
    assert_eq!(availability(&client, ""), json!({"sku": "LAMP", "series": series}));
    for (qty, earliest) in [
        (1, json!({"eta": null})),
        (2, json!({"eta": null})),
        (3, json!({"eta": "2027-01-10"})),
        (8, json!({"eta": "2027-01-10"})),
        (9, json!({"eta": "2027-02-20"})),
        (11, json!({"eta": "2027-02-20"})),
        (12, json!(null)),
        (i32::MAX, json!(null)),
    ] {
        let answer = availability(&client, &format!("?qty={qty}"));
        assert_eq!((&answer["qty"], &answer["series"]), (&json!(qty), &series));
        assert_eq!(answer.get("earliest"), Some(&earliest), "{qty}: an unknown day is null");
    }
    for (by, available) in [
        ("2020-01-01", 2),
        ("2027-01-09", 2),
        ("2027-01-10", 8),
        ("2027-02-19", 8),
        ("2027-02-20", 11),
        ("9999-12-31", 11),
    ] {
        let answer = availability(&client, &format!("?by={by}"));
        assert_eq!((&answer["by"], &answer["available_by"]), (&json!(by), &json!(available)), "{by}");
        assert!(answer.get("earliest").is_none());
    }
    let both = availability(&client, "?qty=3&by=2027-01-31");
    let answer = (&both["earliest"]["eta"], &both["available_by"], &both["qty"], &both["by"]);
    assert_eq!(answer, (&json!("2027-01-10"), &json!(8), &json!(3), &json!("2027-01-31")));

    client.allocate("ALL", "LAMP", 11);
    let none = availability(&client, "?qty=1&by=2027-12-31");
    assert_eq!(
        (&none["series"], &none["available_by"], none.get("earliest")),
        (&json!([]), &json!(0), Some(&json!(null)))
    );
}

fn invalid_queries_are_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    stock(&client);
    for (query, faults) in [
        ("qty=0", &["qty"][..]),
        ("qty=-1", &["qty"]),
        ("qty=2147483648", &["qty"]),
        ("qty=many", &["qty"]),
        ("qty=", &["qty"]),
        ("by=2027-02-29", &["by"]),
        ("by=tomorrow", &["by"]),
        ("by=", &["by"]),
        ("qty=1&qty=2", &["qty"]),
        ("qty=x&by=x&limit=1", &["by", "limit", "qty"]),
    ] {
        assert_eq!(client.get(&format!("/products/LAMP/availability?{query}")).faults(), faults, "{query}");
    }
    for (query, faults) in
        [("limit=0", &["limit"][..]), ("limit=1001&after=nonsense", &["after", "limit"]), ("sku=LAMP", &["sku"])]
    {
        assert_eq!(client.get(&format!("/products?{query}")).faults(), faults, "{query}");
    }
    assert_eq!(client.get("/products/LAMP?x=1").faults(), ["x"]);
    assert_eq!(client.get("/products/%20").faults(), ["sku"]);
    assert_eq!(client.get("/products/%20/availability?qty=0").faults(), ["qty", "sku"]);
}

on_every_database!(
    the_totals_of_a_product_count_all_its_units,
    availability_is_a_series_over_dates,
    invalid_queries_are_rejected
);
