use crate::support::{Server, TestDatabase, encoded, on_every_database};
use serde_json::json;

fn a_batch_is_added_once_read_and_removed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let added = client.add_batch("B-1", "RED-CHAIR", 20, Some("2027-01-15"));
    let batch = json!({
        "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20, "allocated_quantity": 0,
        "available_quantity": 20, "eta": "2027-01-15"
    });
    assert_eq!((added.status, added.json(), added.header("location")), (201, batch.clone(), Some("/batch/B-1")));

    let again = client.add_batch("B-1", "RED-CHAIR", 20, Some("2027-01-15"));
    assert_eq!((again.status, again.json()), (200, batch.clone()));
    for (sku, quantity, eta) in
        [("RED-CHAIR", 21, Some("2027-01-15")), ("RED-CHAIR", 20, None), ("BLUE-CHAIR", 20, Some("2027-01-15"))]
    {
        client.add_batch("B-1", sku, quantity, eta).problem(409, "batch-already-exists");
    }
    assert_eq!(client.get("/batch/B-1").json(), batch);
    assert_eq!(client.all("/batch"), [batch]);

    assert_eq!(client.delete("/batch/B-1").status, 204);
    client.delete("/batch/B-1").problem(404, "batch-not-found");
    client.get("/batch/B-1").problem(404, "batch-not-found");
    assert_eq!(database.count("SELECT count(*) FROM all_events"), 2);
    assert_eq!(client.add_batch("B-1", "BLUE-CHAIR", 1, None).status, 201, "the reference is free again");
}

fn aliases_of_fields_are_accepted(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let short = client.post("/batch", &json!({"ref": "B-1", "sku": "LAMP", "qty": 7}));
    assert_eq!(
        (short.status, short.json()["purchased_quantity"].as_u64(), &short.json()["eta"]),
        (201, Some(7), &json!(null))
    );
    assert_eq!(client.add_batch("B-1", "LAMP", 7, None).status, 200);
}

fn a_batch_with_allocations_cannot_be_removed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.allocate("O-1", "LAMP", 2);
    client.delete("/batch/B-1").problem(409, "batch-has-allocations");
    assert_eq!(client.delete("/allocations/O-1/batch/B-1").status, 204);
    assert_eq!(client.delete("/batch/B-1").status, 204);
}

fn batches_are_listed_in_the_order_they_were_added_over_http(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for (reference, sku) in [("Z", "LAMP"), ("M", "SOFA"), ("A", "LAMP")] {
        client.add_batch(reference, sku, 5, None);
    }
    let references = |path: &str| -> Vec<String> {
        client.all(path).iter().map(|batch| batch["reference"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(references("/batch"), ["Z", "M", "A"]);
    assert_eq!(references("/batch?limit=1"), ["Z", "M", "A"]);
    assert_eq!(references("/batch?sku=LAMP&limit=1"), ["Z", "A"]);
    assert!(references("/batch?sku=NONE").is_empty());
}

/// magento2#8615, #23043: `/`, `+` and `%` in names of batches and SKUs.
fn identifiers_of_every_kind_work_in_bodies_paths_and_queries(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let odd = [
        "a/b",
        "/",
        "//",
        "a b",
        "'; DROP TABLE batches; --",
        "\"quoted\"",
        "100%",
        "%2F",
        "%25",
        "a+b",
        "a?b#c&d=e",
        "🪑",
        "ご注文",
        "...",
        "\\",
        "<b>&amp;</b>",
        "é",
        "q\u{323}\u{307}",
        "null",
        "{reference}",
    ];
    for text in odd {
        let added = client.add_batch(text, text, 9, None);
        assert_eq!(added.status, 201, "{text}: {added:?}");
        let location = added.header("location").unwrap().to_owned();
        assert_eq!(client.get(&location).json()["reference"], text);
        assert_eq!(client.allocate(text, text, 4).status, 201, "{text}");
        for filter in ["sku", "order_id", "reference"] {
            let rows = client.all(&format!("/allocations?{filter}={}", encoded(text)));
            assert_eq!(rows, [json!({"order_id": text, "sku": text, "qty": 4, "reference": text})], "{filter}");
        }
        assert_eq!(client.all(&format!("/batch?limit=1&sku={}", encoded(text))).len(), 1, "{text}");
        let path = format!("/allocations/{0}/batch/{0}", encoded(text));
        assert_eq!(client.delete(&path).status, 204, "{text}");
        client.delete(&path).problem(404, "allocation-not-found");
    }
    assert_eq!(client.all("/batch?limit=7").len(), odd.len(), "compared exactly: none is another");
    let long = "🪑".repeat(255);
    assert_eq!(client.add_batch(&long, "LONG", 1, None).status, 201);
    assert_eq!(client.get(&format!("/batch/{}", encoded(&long))).json()["reference"], long);
    for text in odd {
        assert_eq!(client.delete(&format!("/batch/{}", encoded(text))).status, 204, "{text}");
    }
}

on_every_database!(
    a_batch_is_added_once_read_and_removed,
    aliases_of_fields_are_accepted,
    a_batch_with_allocations_cannot_be_removed,
    batches_are_listed_in_the_order_they_were_added_over_http,
    identifiers_of_every_kind_work_in_bodies_paths_and_queries,
);
