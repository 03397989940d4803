use crate::testing::{
    Ports, TestResponse, due, holding_all, json_request, now, order, patch, quantity, reference, send, sku,
};
use actix_web::http::Method;
use allocation_domain::{
    BatchChange, Eta, NewBatch, NewOrder, OnShortage, OrderTerms, Product, Products, Promises, Units,
};
use chrono::TimeDelta;
use serde_json::json;

/// Batch B-1 of 20 red chairs, on its way.
fn on_its_way() -> Product {
    let mut product = Product::new(sku("RED-CHAIR"));
    product
        .add_batch(NewBatch::new(reference("B-1"), quantity(20), due(2027, 1, 15)), now() - TimeDelta::days(1))
        .unwrap();
    product
}

/// The batch after corrections that make it the third revision.
fn third_revision() -> Product {
    let mut product = on_its_way();
    for units in [19, 20] {
        let change = BatchChange { purchased: Some(Units::new(units).unwrap()), ..BatchChange::default() };
        product.change_batch(&reference("B-1"), &change, now()).unwrap();
    }
    product
}

fn api(product: Product) -> crate::Api {
    Ports::with_units(holding_all(vec![product], Vec::new())).api()
}

async fn change_if(product: Product, tags: &[&str]) -> TestResponse {
    let mut request = json_request("/batch/B-1", r#"{"eta": null}"#).method(Method::PATCH);
    for tag in tags {
        request = request.append_header(("if-match", *tag));
    }
    send(&api(product), request).await
}

#[actix_web::test]
async fn the_response_to_a_correction_has_the_revision_and_the_affected_lines() {
    let answer = patch(&api(on_its_way()), "/batch/B-1", r#"{"purchased_quantity": 18, "eta": null}"#).await;
    assert_eq!((answer.status.as_u16(), answer.version().as_deref()), (200, Some("\"2-665030ac30240\"")));
    let expected = concat!(
        r#"{"reference":"B-1","sku":"RED-CHAIR","purchased_quantity":18,"allocated_quantity":0,"#,
        r#""available_quantity":18,"eta":null,"affected":[],"moved":[],"displaced":[]}"#,
    );
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn a_member_that_is_left_out_keeps_its_value() {
    let cases = [
        (r#"{"purchased_quantity": 0}"#, json!([0, "2027-01-15"]), "\"2-665030ac30240\""),
        (r#"{"purchased_quantity": 2147483647}"#, json!([2_147_483_647, "2027-01-15"]), "\"2-665030ac30240\""),
        (r#"{"eta": "2027-02-01"}"#, json!([20, "2027-02-01"]), "\"2-665030ac30240\""),
        (r#"{"eta": null}"#, json!([20, null]), "\"2-665030ac30240\""),
        (r#"{"reallocate": true}"#, json!([20, "2027-01-15"]), "\"1-665030ac30240\""),
        (r#"{"reallocate": false}"#, json!([20, "2027-01-15"]), "\"1-665030ac30240\""),
        (r#"{"eta": "2027-01-15", "purchased_quantity": 20}"#, json!([20, "2027-01-15"]), "\"1-665030ac30240\""),
    ];
    for (body, expected, tag) in cases {
        let answer = patch(&api(on_its_way()), "/batch/B-1", body).await;
        assert_eq!((answer.status.as_u16(), answer.version().as_deref()), (200, Some(tag)), "{body}");
        let batch = answer.json();
        assert_eq!(json!([batch["purchased_quantity"], batch["eta"]]), expected, "{body}");
    }
}

#[actix_web::test]
async fn affected_and_displaced_lines_are_listed() {
    let mut products = Products::from_iter([on_its_way()]);
    for (name, on_shortage) in
        [("O-1", OnShortage::Reject), ("O-2", OnShortage::Reject), ("O-3", OnShortage::Backorder)]
    {
        let terms = OrderTerms { on_shortage, ..OrderTerms::default() };
        let placed = NewOrder::new(order(name), [(sku("RED-CHAIR"), quantity(5))], terms).unwrap();
        products.place(&placed, now()).unwrap();
    }
    let product = products.iter().next().unwrap().clone();
    let body = r#"{"purchased_quantity": 7, "eta": "2027-02-01"}"#;
    let answer = patch(&api(product), "/batch/B-1", body).await.json();
    let later = |name: &str, units: u32| {
        json!({"order_id": name, "sku": "RED-CHAIR", "reference": "B-1", "qty": units,
            "old_eta": "2027-01-15", "new_eta": "2027-02-01"})
    };
    assert_eq!(answer["affected"], json!([later("O-1", 5), later("O-2", 2)]));
    let displaced = json!([
        {"order_id": "O-2", "sku": "RED-CHAIR", "qty": 3, "status": "short"},
        {"order_id": "O-3", "sku": "RED-CHAIR", "qty": 5, "status": "backordered"}
    ]);
    assert_eq!(answer["displaced"], displaced);
}

#[actix_web::test]
async fn lines_can_move_to_an_earlier_batch() {
    let mut product = on_its_way();
    product.set_promises(Promises::Stable, now()).unwrap();
    product.allocate(&order("O-1"), quantity(5), now()).unwrap();
    product.add_batch(NewBatch::new(reference("B-2"), quantity(9), Eta::InStock), now()).unwrap();
    let answer = patch(&api(product), "/batch/B-1", r#"{"eta": "2027-02-01", "reallocate": true}"#).await.json();
    let moved = json!([{"order_id": "O-1", "sku": "RED-CHAIR", "reference": "B-2", "qty": 5,
        "old_eta": "2027-01-15", "new_eta": null}]);
    assert_eq!((&answer["moved"], &answer["affected"], &answer["allocated_quantity"]), (&moved, &json!([]), &json!(0)));
}

#[actix_web::test]
async fn a_batch_is_changed_only_in_the_expected_revision() {
    let cases: [(&[&str], bool); 15] = [
        (&[], true),
        (&["*"], true),
        (&["\"3-665030ac30240\""], true),
        (&["\"1-665030ac30240\", \"3-665030ac30240\""], true),
        (&["\"3-665030ac30240\", \"9-665030ac30240\""], true),
        (&["\"1-665030ac30240\"", "\"3-665030ac30240\""], true),
        (&["x, W/\"3-665030ac30240\", \"3-665030ac30240\""], true),
        (&["\"2-665030ac30240\""], false),
        (&["\"1-665030ac30240\", \"2-665030ac30240\", \"4-665030ac30240\""], false),
        (&["W/\"3-665030ac30240\""], false),
        (&["3"], false),
        (&["\"03-665030ac30240\""], false),
        (&["\"*\""], false),
        (&["*, *"], false),
        (&[""], false),
    ];
    for (tags, matches) in cases {
        let answer = change_if(third_revision(), tags).await;
        if matches {
            assert_eq!(
                (answer.status.as_u16(), answer.version().as_deref()),
                (200, Some("\"4-665030ac30240\"")),
                "{tags:?}"
            );
        } else {
            assert_eq!((answer.status.as_u16(), answer.version().as_deref()), (412, None), "{tags:?}");
            let detail = "Batch B-1 has the version \"3-665030ac30240\" now, which If-Match does not name";
            assert_eq!(answer.problem("batch-changed")["detail"], detail);
        }
    }
}

#[actix_web::test]
async fn an_allocation_creates_no_revision() {
    let mut product = on_its_way();
    product.allocate(&order("O-1"), quantity(5), now()).unwrap();
    assert_eq!(change_if(product, &["\"1-665030ac30240\""]).await.version().as_deref(), Some("\"2-665030ac30240\""));
}

#[actix_web::test]
async fn an_unknown_batch_is_not_found_whatever_its_revision() {
    let api = api(on_its_way());
    for tag in ["*", "\"1-665030ac30240\"", "x"] {
        let request = json_request("/batch/B-9", r#"{"eta": null}"#).method(Method::PATCH);
        let answer = send(&api, request.insert_header(("if-match", tag))).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem("batch-not-found")["detail"], "There is no batch B-9");
    }
}

#[actix_web::test]
async fn an_empty_correction_is_an_error() {
    let answer = patch(&Ports::new().api(), "/batch/B-1", "{}").await;
    let rule = "must have at least one of purchased_quantity, eta, reallocate";
    assert_eq!(answer.errors(), [(String::new(), rule.to_owned())]);
    assert_eq!(answer.json()["detail"], format!("The body {rule}"));
}

#[actix_web::test]
async fn every_error_of_a_correction_is_reported() {
    let body = r#"{"purchased_quantity": null, "eta": "soon", "reallocate": null, "qty": 5, "ref": "B-1"}"#;
    let answer = patch(&Ports::new().api(), "/batch/%20?x=1", body).await;
    let mut errors = answer.errors();
    errors.sort();
    let known = "is not known; known are purchased_quantity, eta, reallocate";
    let expected = [
        ("/eta", "must be a date of the calendar, written YYYY-MM-DD, or null"),
        ("/purchased_quantity", "must be an integer from 0 to 2147483647"),
        ("/qty", known),
        ("/reallocate", "must be a boolean, not null"),
        ("/ref", known),
        ("reference", "must not begin or end with white space"),
        ("x", "is not a known parameter"),
    ];
    assert_eq!(errors, expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
    for wrong in ["-1", "2147483648", "1.5", "\"1\"", "[]"] {
        let body = format!(r#"{{"purchased_quantity": {wrong}}}"#);
        assert_eq!(patch(&Ports::new().api(), "/batch/B-1", body).await.places(), ["/purchased_quantity"]);
    }
}

#[actix_web::test]
async fn a_correction_must_be_json() {
    let api = Ports::new().api();
    let request = json_request("/batch/B-1", "{}").method(Method::PATCH);
    let merge = request.insert_header(("content-type", "application/merge-patch+json"));
    assert_eq!(send(&api, merge).await.status, 415);
    patch(&api, "/batch/B-1", "{").await.problem("malformed-json");
}

#[actix_web::test]
async fn a_response_lists_at_most_a_thousand_lines_of_each_kind() {
    let parts = 1_001;
    let mut product = Product::new(sku("RED-CHAIR"));
    let added_at = now() - TimeDelta::days(1);
    product.add_batch(NewBatch::new(reference("B-1"), quantity(parts), Eta::InStock), added_at).unwrap();
    product.allocate(&order("O-1"), quantity(parts), added_at).unwrap();
    for number in 0..parts {
        product
            .add_batch(NewBatch::new(reference(&format!("C-{number}")), quantity(1), due(2027, 1, 15)), added_at)
            .unwrap();
    }
    let answer = patch(&api(product), "/batch/B-1", r#"{"purchased_quantity": 0}"#).await.json();
    assert_eq!((answer["affected"].as_array().unwrap().len(), &answer["truncated"]), (1_000, &json!(true)));
}

#[actix_web::test]
async fn a_batch_shows_the_units_that_are_still_moving() {
    let mut product = Product::new(sku("RED-CHAIR"));
    let added_at = now() - TimeDelta::days(1);
    product.add_batch(NewBatch::new(reference("B-1"), quantity(2_002), Eta::InStock), added_at).unwrap();
    for number in 0..1_001 {
        product.allocate(&order(&format!("O-{number}")), quantity(2), added_at).unwrap();
    }
    let answer = patch(&api(product.clone()), "/batch/B-1", r#"{"purchased_quantity": 0}"#).await.json();
    assert_eq!((&answer["lowering_to"], &answer["moving"]), (&json!(0), &json!(2_002)));
    assert_eq!((&answer["purchased_quantity"], &answer["displaced"]), (&json!(2_002), &json!([])));
    let answer = patch(&api(product), "/batch/B-1", r#"{"eta": "2027-02-01"}"#).await.json();
    assert_eq!((answer.get("lowering_to"), &answer["moving"]), (None, &json!(2)));
    assert_eq!((answer["affected"].as_array().unwrap().len(), answer.get("truncated")), (1_000, None));
}
