use crate::testing::{Ports, chairs, holding_all, json_request, now, order, post, quantity, send, sku};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use allocation_domain::{NewOrder, OrderTerms, Product, Products};
use chrono::TimeDelta;

/// The red chairs with order O-1 of three.
fn with_order(change: impl FnOnce(&mut Products)) -> Ports {
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(3))], OrderTerms::default()).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now() - TimeDelta::seconds(60)).unwrap();
    change(&mut products);
    let products: Vec<Product> = products.iter().cloned().collect();
    Ports::with_units(holding_all(products, vec![placed]))
}

fn patch(uri: &str, body: impl Into<String>) -> TestRequest {
    json_request(uri, body.into()).method(Method::PATCH)
}

const TO_TWO: &str = r#"{"lines": [{"sku": "RED-CHAIR", "qty": 2}]}"#;

#[actix_web::test]
async fn a_changed_order_is_returned_with_its_tag() {
    for uri in ["/orders/O-1", "/orders/O-1?dry_run=true", "/orders/O-1?dry_run=false"] {
        let answer = send(&with_order(|_| {}).api(), patch(uri, TO_TWO)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &"allocated".into()), "{uri}");
        assert_eq!(answer.json()["lines"][0]["allocations"][0]["qty"], 2);
        assert!(answer.header("etag").is_some());
    }
}

#[actix_web::test]
async fn if_match_names_the_versions_that_may_be_changed() {
    let api = with_order(|_| {}).api();
    let tag = post(&api, "/orders/O-1/confirm", "{}").await.header("etag").unwrap().to_owned();
    for (tags, status) in
        [("\"0000000000000000\"", 412), ("W/\"0000000000000000\", \"other\"", 412), (&*tag, 200), ("*", 200)]
    {
        let api = with_order(|_| {}).api();
        let answer = send(&api, patch("/orders/O-1", TO_TWO).insert_header((header::IF_MATCH, tags))).await;
        assert_eq!(answer.status, status, "{tags}");
        let delete = |uri: &'static str| TestRequest::delete().uri(uri).insert_header((header::IF_MATCH, tags));
        for uri in ["/orders/O-1", "/orders/O-1/lines/RED-CHAIR"] {
            let answer = send(&with_order(|_| {}).api(), delete(uri)).await;
            assert_eq!(answer.status, if status == 200 { 204 } else { 412 }, "{uri} {tags}");
            if status == 412 {
                answer.problem("order-changed");
            }
        }
    }
}

#[actix_web::test]
async fn a_line_is_removed_once_or_twice() {
    for uri in ["/orders/O-1/lines/RED-CHAIR", "/orders/O-1/lines/LAMP"] {
        assert_eq!(send(&with_order(|_| {}).api(), TestRequest::delete().uri(uri)).await.status, 204, "{uri}");
    }
    let cancelled = |products: &mut Products| drop(products.cancel(&order("O-1"), now()).unwrap());
    let again = TestRequest::delete().uri("/orders/O-1/lines/RED-CHAIR");
    assert_eq!(send(&with_order(cancelled).api(), again).await.status, 204);
    let faulty = TestRequest::delete().uri("/orders/%20/lines/%20?x=1");
    assert_eq!(send(&Ports::new().api(), faulty).await.places(), ["x", "order_id", "sku"]);
}

#[actix_web::test]
async fn refusals_have_their_codes_and_members() {
    let cancelled = |products: &mut Products| drop(products.cancel(&order("O-1"), now()).unwrap());
    send(&with_order(cancelled).api(), patch("/orders/O-1", TO_TWO)).await.problem("order-cancelled");
    let firm = send(&with_order(|_| {}).api(), patch("/orders/O-1", r#"{"hold_seconds": 60}"#)).await;
    assert_eq!(firm.status, 409);
    firm.problem("order-not-held");
    let more = r#"{"lines": [{"sku": "RED-CHAIR", "qty": 2000000}]}"#;
    let short = send(&with_order(|_| {}).api(), patch("/orders/O-1", more)).await;
    assert_eq!(short.json()["shortages"][0]["requested"], 1_999_997);
    short.problem("out-of-stock");
    let unknown = r#"{"lines": [{"sku": "RED-CHIAR", "qty": 2}], "on_shortage": "backorder"}"#;
    let unknown = send(&with_order(|_| {}).api(), patch("/orders/O-1", unknown)).await;
    assert_eq!(unknown.json()["skus"], serde_json::json!(["RED-CHIAR"]));
    unknown.problem("unknown-sku");
}

#[actix_web::test]
async fn every_fault_of_a_change_is_reported() {
    let api = Ports::new().api();
    for empty in ["{}", r#"{"lines": []}"#] {
        let faults = send(&api, patch("/orders/O-1", empty)).await.errors();
        assert_eq!(faults.len(), 1, "{empty}: {faults:?}");
    }
    let body = r#"{"lines": [{"sku": "A", "qty": -1}, {"sku": "A", "qty": 0}, {"qty": 1}], "priority": null, "ship_complete": 1, "x": 1}"#;
    let answer = send(&api, patch("/orders/%20?dry_run=1", body)).await;
    let expected =
        ["dry_run", "order_id", "/lines/0/qty", "/lines/1/sku", "/lines/2/sku", "/priority", "/ship_complete", "/x"];
    let mut places = answer.places();
    places.sort_unstable();
    let mut expected = expected.map(String::from).to_vec();
    expected.sort_unstable();
    assert_eq!(places, expected);
    let long = "🪑".repeat(255);
    let body = format!(r#"{{"lines": [{{"sku": "{long}", "qty": 0}}, {{"sku": "{long}X", "qty": 1}}]}}"#);
    assert_eq!(send(&api, patch("/orders/O-1", body)).await.places(), ["/lines/1/sku"]);
    let body = format!(r#"{{"lines": [{{"sku": "{long}", "qty": 1}}]}}"#);
    let uri = format!("/orders/{}", "%F0%9F%AA%91".repeat(255));
    assert_eq!(send(&api, patch(&uri, body)).await.places(), ["/lines/0/sku"]);
}
