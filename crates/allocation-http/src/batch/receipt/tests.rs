use crate::testing::{Ports, due, holding, now, post, quantity, reference, secret, sku};
use allocation_domain::{NewBatch, Product};
use allocation_ports::StoreError;
use serde_json::json;

/// Twenty red chairs that are inbound.
fn inbound() -> Product {
    let mut product = Product::new(sku("RED-CHAIR"));
    product.add_batch(NewBatch::new(reference("B-1"), quantity(20), due(2027, 2, 1)), now()).unwrap();
    product
}

#[actix_web::test]
async fn a_receipt_returns_what_is_on_hand_and_what_is_still_expected() {
    let body = r#"{"receipt_id": "R-1", "qty": 12, "rejected": 1, "rest": {"eta": "2027-03-01"}}"#;
    for (uri, status) in [("/batch/B-1/receipts", 201), ("/batch/B-1/receipts?dry_run=true", 200)] {
        let answer = post(&Ports::with_units(holding(inbound())).api(), uri, body).await;
        assert_eq!(answer.status, status, "{uri}");
        let mut shown = answer.json();
        assert!(shown["recorded_at"].take().is_string());
        assert_eq!(
            shown,
            json!({
                "receipt_id": "R-1", "reference": "B-1", "sku": "RED-CHAIR", "qty": 12, "rejected": 1, "on_hand": 12,
                "rest": { "reference": "B-1/2", "qty": 7, "eta": "2027-03-01" }, "given_up": 0, "recorded_at": null,
                "affected": [], "moved": [], "displaced": []
            })
        );
    }
}

#[actix_web::test]
async fn the_rest_is_given_up_or_named() {
    let receive = async |rest: &str| {
        let body = format!(r#"{{"receipt_id": "R-1", "qty": 12, "rest": {rest}}}"#);
        post(&Ports::with_units(holding(inbound())).api(), "/batch/B-1/receipts", body).await.json()
    };
    let given_up = receive("null").await;
    assert_eq!((&given_up["rest"], &given_up["given_up"]), (&json!(null), &json!(8)));
    let named = receive(r#"{"reference": "LATER"}"#).await;
    assert_eq!(named["rest"], json!({ "reference": "LATER", "qty": 8, "eta": "2027-02-01" }));
}

#[actix_web::test]
async fn a_repeat_is_answered_alike_and_another_receipt_of_that_id_is_refused() {
    let api = Ports::with_units(holding(inbound())).api();
    let receive = async |qty: u32| {
        post(&api, "/batch/B-1/receipts", json!({ "receipt_id": "R-1", "qty": qty }).to_string()).await
    };
    let (first, again) = (receive(12).await, receive(12).await);
    assert_eq!((first.status.as_u16(), again.status.as_u16(), first.json()), (201, 200, again.json()));
    assert_eq!(receive(11).await.problem("receipt-already-exists")["status"], 409);
}

#[actix_web::test]
async fn refusals_say_why() {
    let receive = async |product: Product, uri: &str, body: &str| {
        post(&Ports::with_units(holding(product)).api(), uri, body.to_owned()).await
    };
    let (over, uri) = (r#"{"receipt_id": "R-1", "qty": 21}"#, "/batch/B-1/receipts");
    let refused = receive(inbound(), uri, over).await;
    assert_eq!(refused.problem("more-than-expected")["detail"], "Batch B-1 has 20 units to arrive, not 21");
    let accepted = receive(inbound(), uri, r#"{"receipt_id": "R-1", "qty": 21, "over": "accept"}"#).await;
    assert_eq!((accepted.status.as_u16(), accepted.json()["on_hand"].as_u64()), (201, Some(21)));
    let in_stock = receive(crate::testing::chairs(&["B-1"]), uri, over).await;
    assert_eq!(in_stock.problem("not-in-transit")["detail"], "Batch B-1 is in stock already");
    let unknown = receive(inbound(), "/batch/B-9/receipts", over).await;
    assert_eq!((unknown.status.as_u16(), unknown.problem("batch-not-found")["status"].as_u64()), (404, Some(404)));
    let taken = r#"{"receipt_id": "R-1", "qty": 1, "rest": {"reference": "B-1"}}"#;
    assert_eq!(receive(inbound(), uri, taken).await.problem("batch-already-exists")["status"], 409);
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::new().api();
    let body =
        r#"{"qty": -1, "rejected": "x", "rest": {"eta": null, "reference": "", "z": 1}, "over": "maybe", "y": 1}"#;
    let answer = post(&api, "/batch/%20/receipts?dry_run=1&x=1", body).await;
    let mut places = answer.places();
    places.sort();
    assert_eq!(
        places,
        [
            "/over",
            "/qty",
            "/receipt_id",
            "/rejected",
            "/rest/eta",
            "/rest/reference",
            "/rest/z",
            "/y",
            "dry_run",
            "reference",
            "x"
        ]
    );
    let nothing = post(&api, "/batch/B-1/receipts", r#"{"receipt_id": "R-1", "qty": 0}"#).await;
    assert_eq!(nothing.places(), ["/qty"]);
    let failed = Ports::failing(|| StoreError::Unavailable(secret())).api();
    post(&failed, "/batch/B-1/receipts", r#"{"receipt_id": "R-1", "qty": 1}"#).await.problem("database-unavailable");
}
