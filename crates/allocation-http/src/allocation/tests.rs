use crate::testing::{Ports, chairs, delete, due, get, holding, now, order, post, quantity, reference, sku};
use allocation_domain::{Eta, NewBatch, OrderId, Product};
use allocation_ports::{AllocationCursor, AllocationFilter, AllocationRow, PageSize};
use serde_json::json;

const LINE: &str = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10}"#;

fn row(order_id: &str) -> AllocationRow {
    AllocationRow {
        order_id: order(order_id),
        sku: sku("RED-CHAIR"),
        quantity: quantity(3),
        reference: reference("B-1"),
        priority: 0,
        placed_at: now(),
    }
}

fn with_line(units: u32) -> Product {
    let mut product = chairs(&["B-1"]);
    product.allocate(&order("O-1"), quantity(units), now()).unwrap();
    product
}

#[actix_web::test]
async fn the_response_for_an_allocated_line_names_its_batch() {
    let answer = post(&Ports::with_units(holding(chairs(&["B-1", "B-2"]))).api(), "/allocations", LINE).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = r#"{"order_id":"O-1","sku":"RED-CHAIR","qty":10,"reference":"B-1","allocations":[{"reference":"B-1","qty":10,"eta":null}]}"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn the_response_for_a_split_line_lists_all_its_batches() {
    let mut product = Product::new(sku("RED-CHAIR"));
    product.add_batch(NewBatch::new(reference("B-2"), quantity(6), due(2027, 1, 15)), now()).unwrap();
    product.add_batch(NewBatch::new(reference("B-1"), quantity(6), Eta::InStock), now()).unwrap();
    let answer = post(&Ports::with_units(holding(product)).api(), "/allocations", LINE).await;
    assert_eq!(answer.status, 201);
    let parts =
        json!([{"reference": "B-1", "qty": 6, "eta": null}, {"reference": "B-2", "qty": 4, "eta": "2027-01-15"}]);
    assert_eq!(answer.json()["allocations"], parts);
    assert_eq!(answer.json()["reference"], "B-1");
}

#[actix_web::test]
async fn a_repeated_line_gets_the_same_body() {
    let answer = post(&Ports::with_units(holding(with_line(10))).api(), "/allocations", LINE).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["allocations"], json!([{"reference": "B-1", "qty": 10, "eta": null}]));
}

#[actix_web::test]
async fn the_same_line_with_another_quantity_is_a_conflict() {
    let answer = post(&Ports::with_units(holding(with_line(5))).api(), "/allocations", LINE).await;
    assert_eq!(answer.status, 409);
    let problem = answer.problem("line-already-allocated");
    assert_eq!(problem["detail"], "Order O-1 has a line of 5 units of SKU RED-CHAIR already, not of 10");
}

#[actix_web::test]
async fn an_out_of_stock_response_reports_the_available_units() {
    let line = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 21}"#;
    let answer = post(&Ports::with_units(holding(chairs(&["B-1"]))).api(), "/allocations", line).await;
    assert_eq!(answer.status, 409);
    let expected = json!({
        "type": "/problems/out-of-stock", "title": "Not enough stock", "status": 409,
        "detail": "No batch found for SKU RED-CHAIR", "sku": "RED-CHAIR", "requested": 21, "available": 20
    });
    assert_eq!(answer.problem("out-of-stock"), expected);
}

#[actix_web::test]
async fn an_unknown_sku_is_out_of_stock() {
    let line = r#"{"order_id": "O-1", "sku": "LAMP", "qty": 1}"#;
    let answer = post(&Ports::with_units(holding(chairs(&[]))).api(), "/allocations", line).await;
    let problem = answer.problem("out-of-stock");
    assert_eq!(problem["detail"], "No batch found for SKU LAMP");
    assert_eq!(problem["available"], 0);
}

#[actix_web::test]
async fn quantities_are_integers_from_1_to_2147483647() {
    let api = Ports::with_units(holding(chairs(&[]))).api();
    let wrong = [
        "0",
        "-1",
        "-0",
        "1.5",
        "0.0",
        "1e-1",
        "2147483648",
        "18446744073709551616",
        "1e400",
        "-1e400",
        "\"1\"",
        "null",
        "true",
        "[]",
        "{}",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
    ];
    for quantity in wrong {
        let body = format!(r#"{{"order_id": "O-1", "sku": "LAMP", "qty": {quantity}}}"#);
        let expected = ("/qty".to_owned(), "must be an integer from 1 to 2147483647".to_owned());
        assert_eq!(post(&api, "/allocations", body).await.errors(), [expected], "{quantity}");
    }
    for quantity in ["1", "2147483647"] {
        let body = format!(r#"{{"order_id": "O-1", "sku": "LAMP", "qty": {quantity}}}"#);
        assert_eq!(post(&api, "/allocations", body).await.problem("out-of-stock")["requested"].to_string(), quantity);
    }
}

#[actix_web::test]
async fn invalid_identifiers_are_errors_of_the_body() {
    let api = Ports::new().api();
    let long = "x".repeat(256);
    let cases = [
        (json!(""), "must not be empty"),
        (json!(" O-1"), "must not begin or end with white space"),
        (json!("O\n1"), "must not hold control characters: character 2 is U+000A"),
        (json!("O\u{0}1"), "must not hold control characters: character 2 is U+0000"),
        (json!("O-\u{200B}1"), "must not hold invisible characters: character 3 is U+200B"),
        (json!("\u{202E}O-1"), "must not hold invisible characters: character 1 is U+202E"),
        (json!("O\u{A0}1"), "must hold no white space but the space, U+0020: character 2 is U+00A0"),
        (json!("O\u{E000}"), "must hold assigned characters of Unicode only: character 2 is U+E000"),
        (
            json!("Mo\u{308}bel"),
            "must be in Unicode normalization form C (NFC), which differs from here on: character 2 is U+006F",
        ),
        (json!(".."), "must not be \".\" or \"..\""),
        (json!(long), "must have at most 255 characters, not 256"),
        (json!(7), "must be a string, not a number"),
        (json!(-1.5), "must be a string, not a number"),
        (json!(null), "must be a string, not null"),
        (json!(true), "must be a string, not a boolean"),
        (json!([]), "must be a string, not an array"),
        (json!({"a": 1}), "must be a string, not an object"),
    ];
    for (value, detail) in cases {
        let body = json!({"order_id": value, "sku": value, "qty": 1}).to_string();
        let expected = ["/order_id", "/sku"].map(|place| (place.to_owned(), detail.to_owned()));
        let mut errors = post(&api, "/allocations", body).await.errors();
        errors.sort();
        assert_eq!(errors, expected);
    }
}

#[actix_web::test]
async fn identifiers_of_any_script_are_allocated_as_they_are() {
    let mut product = Product::new(sku("椅子 \"red\"/🪑%2F"));
    product.add_batch(NewBatch::new(reference("B-1"), quantity(1), Eta::InStock), now()).unwrap();
    let body = r#"{"order_id": "a\"b\\c\/\u0041\ud83e\ude91", "sku": "椅子 \"red\"/🪑%2F", "qty": 1}"#;
    let answer = post(&Ports::with_units(holding(product)).api(), "/allocations", body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["order_id"], "a\"b\\c/A🪑");
    assert_eq!(answer.json()["sku"], "椅子 \"red\"/🪑%2F");
}

#[actix_web::test]
async fn a_line_too_long_for_an_index_is_an_error() {
    let long = "🪑".repeat(255);
    let body = json!({"order_id": long, "sku": long, "qty": 1}).to_string();
    let answer = post(&Ports::new().api(), "/allocations?x=1", body).await;
    assert_eq!(answer.places(), ["x", "/order_id"]);
}

#[actix_web::test]
async fn deallocating_releases_a_line() {
    let answer = delete(&Ports::with_units(holding(with_line(5))).api(), "/allocations/O-1/batch/B-1").await;
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_empty());
}

#[actix_web::test]
async fn a_line_without_allocation_cannot_be_released() {
    let api = Ports::with_units(holding(with_line(5))).api();
    let answer = delete(&api, "/allocations/O-2/batch/B-1").await;
    assert_eq!(answer.status, 404);
    let problem = answer.problem("allocation-not-found");
    assert_eq!(problem["detail"], "Order O-2 has nothing allocated in batch B-1");
    let answer = delete(&api, "/allocations/O-1/batch/B-9").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.problem("batch-not-found")["detail"], "There is no batch B-9");
}

#[actix_web::test]
async fn both_identifiers_of_a_path_are_decoded_once() {
    let mut product = chairs(&["B/%2F"]);
    product.allocate(&OrderId::parse("O/1 %41").unwrap(), quantity(1), now()).unwrap();
    let api = Ports::with_units(holding(product)).api();
    let answer = delete(&api, "/allocations/O%2F1%20%2541/batch/B%2f%252F").await;
    assert_eq!(answer.status, 204);
}

#[actix_web::test]
async fn errors_of_both_identifiers_of_a_path_are_reported() {
    let answer = delete(&Ports::new().api(), "/allocations/%20/batch/%FF?force=true").await;
    let parameters: Vec<_> =
        answer.json()["errors"].as_array().unwrap().iter().map(|error| error["parameter"].clone()).collect();
    assert_eq!(parameters, ["force", "order_id", "reference"]);
}

#[actix_web::test]
async fn allocations_are_filtered_by_the_query() {
    let mut ports = Ports::new();
    ports.queries.expect_allocations().returning(|filter, after, page, _| {
        let expected = AllocationFilter {
            order_id: Some(order("O 1")),
            sku: Some(sku("RED-CHAIR")),
            reference: Some(reference("B-1")),
        };
        assert_eq!((filter, after, page.get()), (&expected, None, 7));
        Ok(vec![row("O 1")])
    });
    let answer = get(&ports.api(), "/allocations?order_id=O+1&sku=RED-CHAIR&reference=B-1&limit=7").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, r#"[{"order_id":"O 1","sku":"RED-CHAIR","qty":3,"reference":"B-1"}]"#);
    assert_eq!(answer.header("link"), None);
}

#[actix_web::test]
async fn pages_of_allocations_link_to_each_other() {
    let mut ports = Ports::new();
    ports.queries.expect_allocations().returning(|filter, after, page, _| {
        assert_eq!(filter.order_id, Some(order("O")));
        let first = AllocationCursor::from(&row("O-1"));
        Ok(match after {
            None => vec![row("O-1")],
            Some(after) if after == first && page == PageSize::new(1).unwrap() => vec![row("O-2")],
            Some(_) => Vec::new(),
        })
    });
    let api = ports.api();
    let answer = get(&api, "/allocations?order_id=O&limit=1").await;
    let link = answer.header("link").unwrap().to_owned();
    let target = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let next = get(&api, target).await;
    assert_eq!(next.json()[0]["order_id"], "O-2");
    assert_eq!(next.header("link"), None);
}

#[actix_web::test]
async fn a_cursor_of_another_list_is_rejected() {
    let mut ports = Ports::new();
    ports
        .queries
        .expect_allocations()
        .returning(|_, after, _, _| Ok(if after.is_none() { vec![row("O-1")] } else { vec![row("O-2")] }));
    let api = ports.api();
    let answer = get(&api, "/allocations?limit=1").await;
    let (_, cursor) = answer.header("link").unwrap().split_once("after=").unwrap();
    let cursor = cursor.strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(get(&api, &format!("/batch?after={cursor}")).await.places(), ["after"]);
    for tampered in [cursor.to_uppercase(), cursor[1..].to_owned(), format!("{cursor}A"), format!("{cursor}=")] {
        assert_eq!(get(&api, &format!("/allocations?after={tampered}")).await.places(), ["after"]);
    }
}
