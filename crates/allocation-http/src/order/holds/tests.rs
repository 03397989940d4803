use crate::testing::{Ports, chairs, holding_all, json_request, now, order, patch, post, quantity, send, sku};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use allocation_domain::{HoldDuration, NewOrder, OrderTerms, Product, Products};
use chrono::TimeDelta;

const HOLD: &str = r#"{"hold_seconds": 600}"#;

fn seconds(seconds: u32) -> HoldDuration {
    HoldDuration::from_seconds(seconds).unwrap()
}

/// The red chairs with order O-1, placed 60 seconds ago and changed.
fn with_order(hold: Option<u32>, change: impl FnOnce(&mut Products)) -> Ports {
    let terms = OrderTerms { hold: hold.map(seconds), ..OrderTerms::default() };
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(3))], terms).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now() - TimeDelta::seconds(60)).unwrap();
    change(&mut products);
    let products: Vec<Product> = products.iter().cloned().collect();
    Ports::with_units(holding_all(products, vec![placed]))
}

fn cancelled(products: &mut Products) {
    products.cancel(&order("O-1"), now() - TimeDelta::seconds(30)).unwrap();
}

#[actix_web::test]
async fn a_confirmed_order_is_firm() {
    for ports in [with_order(Some(100), |_| {}), with_order(None, |_| {})] {
        let answer = post(&ports.api(), "/orders/O-1/confirm", "{}").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["status"], "allocated");
        assert!(answer.json().get("expires_at").is_none());
        assert_eq!(answer.json()["lines"][0]["allocations"][0]["reference"], "B-1");
    }
}

#[actix_web::test]
async fn confirming_needs_no_body_and_no_content_type() {
    let api = with_order(Some(100), |_| {}).api();
    let bare = || TestRequest::default().method(Method::POST).uri("/orders/O-1/confirm");
    assert_eq!(send(&api, bare()).await.status, 200);
    assert_eq!(send(&api, bare().insert_header((header::CONTENT_TYPE, "text/plain"))).await.status, 200);
    assert_eq!(send(&api, json_request("/orders/O-1/confirm", " { } ")).await.status, 200);
}

#[actix_web::test]
async fn every_error_of_a_confirmation_is_reported() {
    let api = Ports::new().api();
    let answer = post(&api, "/orders/%20/confirm?y=1&dry_run=1", r#"{"x": 1, "reallocate": 1}"#).await;
    assert_eq!(answer.places(), ["dry_run", "y", "order_id", "/x", "/reallocate"]);
    assert_eq!(answer.errors()[3].1, "is not known; known are reallocate");
    let answer = post(&api, "/orders/O-1/confirm", "null").await;
    assert_eq!(answer.errors(), [(String::new(), "must be an object, not null".to_owned())]);
    post(&api, "/orders/O-1/confirm", "[]").await.errors();
    post(&api, "/orders/O-1/confirm", "{").await.problem("malformed-json");
    let typed = TestRequest::default().method(Method::POST).uri("/orders/O-1/confirm").set_payload("{}");
    assert_eq!(send(&api, typed).await.status, 415);
    let large = " ".repeat(300 * 1024);
    assert_eq!(post(&api, "/orders/O-1/confirm", large).await.status, 413);
}

#[actix_web::test]
async fn an_unknown_order_is_neither_confirmed_nor_extended() {
    let api = with_order(None, |_| {}).api();
    for answer in [post(&api, "/orders/O-9/confirm", "").await, post(&api, "/orders/O-9/extend", HOLD).await] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem("order-not-found")["detail"], "There is no order O-9");
    }
}

#[actix_web::test]
async fn an_ended_order_is_neither_confirmed_nor_extended() {
    type Case = (fn() -> Ports, &'static str, &'static str);
    let cases: [Case; 2] = [
        (|| with_order(Some(60), |_| {}), "hold-expired", "The hold of order O-1 has expired"),
        (|| with_order(Some(100), cancelled), "order-cancelled", "Order O-1 was cancelled"),
    ];
    for (ports, name, detail) in cases {
        let api = ports().api();
        for answer in [post(&api, "/orders/O-1/confirm", "").await, post(&api, "/orders/O-1/extend", HOLD).await] {
            assert_eq!((answer.status.as_u16(), &answer.problem(name)["detail"]), (409, &detail.into()));
        }
    }
}

#[actix_web::test]
async fn a_hold_is_extended_from_now_and_never_shortened() {
    let api = with_order(Some(100), |_| {}).api();
    let until = async |body: &'static str| {
        let answer = post(&api, "/orders/O-1/extend", body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &"held".into()));
        answer.json()["expires_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(until(HOLD).await, "2027-01-15T08:10:00.123456Z");
    assert_eq!(until(r#"{"hold_seconds": 10}"#).await, "2027-01-15T08:00:40.123456Z");
}

#[actix_web::test]
async fn a_firm_order_has_no_hold_to_extend() {
    let answer = post(&with_order(None, |_| {}).api(), "/orders/O-1/extend", HOLD).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.problem("order-not-held")["detail"], "Order O-1 is not on hold");
}

#[actix_web::test]
async fn a_hold_lasts_from_10_seconds_to_a_day_by_default_and_to_30_days_at_most() {
    let api = Ports::new().api();
    for wrong in ["9", "2592001", "0", "-10", "10.5", "1e-2", "\"10\"", "null", "true", "[]", "99999999999999999999"] {
        let answer = post(&api, "/orders/O-1/extend", format!(r#"{{"hold_seconds": {wrong}}}"#)).await;
        let expected = ("/hold_seconds".to_owned(), "must be an integer from 10 to 2592000".to_owned());
        assert_eq!(answer.errors(), [expected], "{wrong}");
    }
    let answer = post(&api, "/orders/%20/extend?y=1", r#"{"x": 1}"#).await;
    assert_eq!(answer.places(), ["y", "order_id", "/x", "/hold_seconds"]);
    assert_eq!(post(&api, "/orders/O-1/extend", "").await.status, 400);
    let lines = r#""lines": [{"sku": "LAMP", "qty": 1}]"#;
    for (longest, longer) in [(HoldDuration::DAY, 86_401), (HoldDuration::from_seconds(600).unwrap(), 601)] {
        let api = Ports::new().api().with_longest_hold(longest);
        let place = format!(r#"{{"order_id": "O-1", {lines}, "hold_seconds": {longer}}}"#);
        let longer = format!(r#"{{"hold_seconds": {longer}}}"#);
        for answer in [
            post(&api, "/orders", place).await,
            post(&api, "/orders/O-1/extend", longer.clone()).await,
            patch(&api, "/orders/O-1", longer).await,
        ] {
            let expected = format!("must be an integer from 10 to {}", longest.seconds());
            assert_eq!(answer.errors(), [("/hold_seconds".to_owned(), expected)]);
        }
    }
    let api = with_order(Some(100), |_| {}).api().with_longest_hold(HoldDuration::LONGEST);
    let answer = post(&api, "/orders/O-1/extend", r#"{"hold_seconds": 2592000}"#).await;
    assert_eq!(
        answer.problem("hold-too-long")["detail"],
        "Order O-1 cannot be held beyond 2027-02-14T07:59:00.123456Z"
    );
    for right in ["10", "86400", "10.0", "8.64e4"] {
        let body = format!(r#"{{"hold_seconds": {right}}}"#);
        assert_eq!(post(&with_order(Some(100), |_| {}).api(), "/orders/O-1/extend", body).await.status, 200);
    }
}

#[actix_web::test]
async fn an_expired_order_gets_its_units_again_on_request() {
    for body in ["", "{}", r#"{"reallocate": false}"#] {
        let answer = post(&with_order(Some(60), |_| {}).api(), "/orders/O-1/confirm", body).await;
        assert_eq!(answer.problem("hold-expired")["status"], 409, "{body}");
    }
    for uri in ["/orders/O-1/confirm", "/orders/O-1/confirm?dry_run=true"] {
        for ports in [with_order(Some(60), |_| {}), with_order(Some(100), |_| {}), with_order(None, |_| {})] {
            let answer = post(&ports.api(), uri, r#"{"reallocate": true}"#).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &"allocated".into()));
            assert!(answer.header("etag").is_some() && answer.json().get("expires_at").is_none());
        }
    }
    let cancelled = post(&with_order(None, cancelled).api(), "/orders/O-1/confirm", r#"{"reallocate": true}"#).await;
    assert_eq!(cancelled.problem("order-cancelled")["status"], 409);
}

#[actix_web::test]
async fn an_expired_order_whose_units_are_gone_is_out_of_stock() {
    let gone = |products: &mut Products| {
        let chairs = products.get_mut(&sku("RED-CHAIR")).unwrap();
        let free = u32::try_from(chairs.available()).unwrap() + 3;
        chairs.allocate(&order("QUICK"), quantity(free - 1), now()).unwrap();
    };
    let answer = post(&with_order(Some(60), gone).api(), "/orders/O-1/confirm", r#"{"reallocate": true}"#).await;
    let problem = answer.problem("out-of-stock");
    assert_eq!(
        (&problem["status"], &problem["detail"]),
        (&409.into(), &"Stock is short of 1 line of the order".into())
    );
    assert_eq!(problem["shortages"][0]["available"], 1);
}

#[actix_web::test]
async fn if_match_names_the_versions_that_may_be_confirmed_or_extended() {
    let ports = || with_order(Some(100), |_| {});
    let firm = post(&ports().api(), "/orders/O-1/confirm", "").await.header("etag").unwrap().to_owned();
    let held = post(&ports().api(), "/orders/O-1/extend", r#"{"hold_seconds": 10}"#).await;
    let held = held.header("etag").unwrap().to_owned();
    for (uri, body) in [("/orders/O-1/confirm", ""), ("/orders/O-1/extend", HOLD)] {
        for (tags, status) in [(&*firm, 412), ("\"0000000000000000\"", 412), (&*held, 200), ("*", 200)] {
            let request = json_request(uri, if body.is_empty() { "{}" } else { body });
            let answer = send(&ports().api(), request.insert_header((header::IF_MATCH, tags))).await;
            assert_eq!(answer.status, status, "{uri} {tags}");
            if status == 412 {
                answer.problem("order-changed");
            }
        }
    }
    let repeat = json_request("/orders/O-1/confirm", "{}").insert_header((header::IF_MATCH, held));
    assert_eq!(send(&with_order(None, |_| {}).api(), repeat).await.status, 200, "a repeat");
}

#[actix_web::test]
async fn an_extension_is_tried() {
    let api = with_order(Some(100), |_| {}).api();
    let answer = post(&api, "/orders/O-1/extend?dry_run=true", HOLD).await;
    assert_eq!(answer.json()["expires_at"], "2027-01-15T08:10:00.123456Z");
    let answer = post(&api, "/orders/%20/extend?dry_run=1", "{}").await;
    assert_eq!(answer.places(), ["dry_run", "order_id", "/hold_seconds"]);
}
