use crate::testing::{Ports, chairs, holding_all, json_request, now, order, post, quantity, send, sku};
use actix_web::http::header;
use allocation_domain::{HoldDuration, NewOrder, OrderTerms, Product, Products};
use chrono::TimeDelta;

/// The red chairs with order O-1 of three, placed 60 seconds ago and changed.
fn with_order(hold: Option<u32>, change: impl FnOnce(&mut Products)) -> Ports {
    let hold = hold.map(|seconds| HoldDuration::from_seconds(seconds).unwrap());
    let terms = OrderTerms { hold, ..OrderTerms::default() };
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(3))], terms).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now() - TimeDelta::seconds(60)).unwrap();
    change(&mut products);
    let products: Vec<Product> = products.iter().cloned().collect();
    Ports::with_units(holding_all(products, vec![placed]))
}

fn closed(products: &mut Products) {
    products.close(&order("O-1"), now() - TimeDelta::seconds(30)).unwrap();
}

fn cancelled(products: &mut Products) {
    products.cancel(&order("O-1"), now() - TimeDelta::seconds(30)).unwrap();
}

#[actix_web::test]
async fn a_closed_order_is_returned_with_its_tag() {
    for uri in ["/orders/O-1/close", "/orders/O-1/close?dry_run=true", "/orders/O-1/close?dry_run=false"] {
        for ports in [with_order(None, |_| {}), with_order(Some(100), |_| {}), with_order(None, closed)] {
            let answer = post(&ports.api(), uri, "").await;
            assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &"closed".into()), "{uri}");
            assert_eq!(answer.json()["lines"][0]["allocated"], 0);
            assert!(answer.header("etag").is_some());
        }
    }
}

#[actix_web::test]
async fn if_match_names_the_versions_that_may_be_closed() {
    let tag = post(&with_order(None, |_| {}).api(), "/orders/O-1/confirm", "").await.header("etag").unwrap().to_owned();
    for (tags, status) in [("\"0000000000000000\"", 412), ("W/\"0000000000000000\"", 412), (&*tag, 200), ("*", 200)] {
        let request = || json_request("/orders/O-1/close", "{}").insert_header((header::IF_MATCH, tags));
        let answer = send(&with_order(None, |_| {}).api(), request()).await;
        assert_eq!(answer.status, status, "{tags}");
        if status == 412 {
            answer.problem("order-changed");
        }
        assert_eq!(send(&with_order(None, closed).api(), request()).await.status, 200, "a repeat");
    }
}

#[actix_web::test]
async fn an_order_that_is_unknown_or_has_ended_otherwise_is_not_closed() {
    let unknown = post(&with_order(None, |_| {}).api(), "/orders/O-9/close", "").await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.problem("order-not-found")["detail"]),
        (404, &"There is no order O-9".into())
    );
    let expired = post(&with_order(Some(60), |_| {}).api(), "/orders/O-1/close", "").await;
    assert_eq!(
        (expired.status, expired.problem("hold-expired")["status"].as_u64()),
        (actix_web::http::StatusCode::CONFLICT, Some(409))
    );
    let ended = post(&with_order(None, cancelled).api(), "/orders/O-1/close", "").await;
    assert_eq!(ended.problem("order-cancelled")["detail"], "Order O-1 was cancelled");
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let answer = post(&Ports::new().api(), "/orders/%20/close?dry_run=1&y=1", r#"{"x": 1}"#).await;
    assert_eq!(answer.places(), ["dry_run", "y", "order_id", "/x"]);
}

#[actix_web::test]
async fn a_closed_order_is_changed_no_more_and_a_repeat_of_it_says_so() {
    let placed = r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 3}]}"#;
    for (uri, body) in [
        ("/orders/O-1/confirm", ""),
        ("/orders/O-1/extend", r#"{"hold_seconds": 60}"#),
        ("/orders", placed),
        ("/orders?dry_run=true", placed),
        ("/allocations", r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 3}"#),
    ] {
        let answer = post(&with_order(None, closed).api(), uri, body).await;
        assert_eq!(answer.status, 409, "{uri}");
        assert_eq!(answer.problem("order-closed")["detail"], "Order O-1 was closed", "{uri}");
    }
    let repeated = post(&with_order(None, cancelled).api(), "/orders", placed).await;
    assert_eq!(repeated.problem("order-cancelled")["status"], 409);
    let bulk = post(&with_order(None, closed).api(), "/orders/bulk", format!("[{placed}]")).await;
    let text = String::from_utf8_lossy(&bulk.body);
    assert!(text.contains("/problems/order-closed"), "{text}");
}
