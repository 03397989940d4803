use crate::testing::{Ports, chairs, delete, due, get, holding_all, now, order, post, quantity, reference, sku};
use allocation_domain::{
    Allocation, Batch, Eta, Fulfilment, HoldDuration, LineState, NewBatch, NewOrder, OnShortage, Order, OrderLine,
    OrderStatus, OrderTerms, Product, ReservationState,
};
use allocation_ports::{OrderFilter, OrderPage};
use chrono::TimeDelta;
use serde_json::{Value, json};

const ORDER: &str = r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 10}, {"sku": "LAMP", "qty": 2}]}"#;

/// 20 red chairs in the warehouse, and lamps.
fn shop(lamps: u32) -> Vec<Product> {
    let mut product = Product::new(sku("LAMP"));
    if let Ok(lamps) = allocation_domain::Quantity::new(lamps) {
        product.add_batch(NewBatch::new(reference("B-5"), lamps, due(2027, 1, 15)), now()).unwrap();
    }
    vec![product, chairs(&["B-1"])]
}

fn shop_api(lamps: u32) -> crate::Api {
    Ports::with_units(holding_all(shop(lamps), Vec::new())).api()
}

/// A line of 10 red chairs that holds some and waits for the rest.
fn line(allocated: u32, commitment: ReservationState) -> LineState {
    let batch = Batch::new(reference("B-1"), sku("RED-CHAIR"), quantity(20), Eta::InStock, now());
    let terms = OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() };
    LineState {
        quantity: quantity(10),
        terms: terms.of_line(now()),
        commitment,
        waiting: 10 - allocated,
        fulfilment: Fulfilment::default(),
        allocations: vec![Allocation::of(&batch, quantity(allocated))],
    }
}

fn stored(name: &str, line: LineState) -> Order {
    Order { order_id: order(name), lines: vec![(sku("RED-CHAIR"), line)] }
}

fn showing(found: Order) -> Ports {
    let mut ports = Ports::new();
    ports.queries.expect_order().returning(move |order_id| {
        assert_eq!(*order_id, found.order_id);
        Ok(Some(found.clone()))
    });
    ports
}

#[actix_web::test]
async fn the_response_for_a_new_order_has_its_location_and_lines() {
    let answer = post(&shop_api(5), "/orders", ORDER).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("/orders/O-1")));
    let expected = concat!(
        r#"{"order_id":"O-1","status":"allocated","lines":["#,
        r#"{"sku":"LAMP","qty":2,"allocated":2,"backordered":0,"#,
        r#""allocations":[{"reference":"B-5","qty":2,"eta":"2027-01-15"}]},"#,
        r#"{"sku":"RED-CHAIR","qty":10,"allocated":10,"backordered":0,"#,
        r#""allocations":[{"reference":"B-1","qty":10,"eta":null}]}]}"#,
    );
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn the_location_of_an_unusual_id_is_percent_encoded() {
    let body = r#"{"order_id": "a/b %", "lines": [{"sku": "RED-CHAIR", "qty": 1}]}"#;
    assert_eq!(post(&shop_api(0), "/orders", body).await.header("location"), Some("/orders/a%2Fb%20%25"));
}

#[actix_web::test]
async fn absent_and_null_members_have_their_defaults() {
    let usual = post(&shop_api(5), "/orders", ORDER).await;
    let mut body: Value = serde_json::from_str(ORDER).unwrap();
    for member in ["on_shortage", "hold_seconds", "priority", "allow_split", "ship_complete"] {
        body[member] = Value::Null;
    }
    let answer = post(&shop_api(5), "/orders", body.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body), (201, usual.body));
}

#[actix_web::test]
async fn an_order_that_ships_complete_shows_it_and_another_does_not() {
    for (requested, shown) in [(json!(true), json!(true)), (json!(false), Value::Null), (Value::Null, Value::Null)] {
        let mut body: Value = serde_json::from_str(ORDER).unwrap();
        body["ship_complete"] = requested;
        assert_eq!(post(&shop_api(5), "/orders", body.to_string()).await.json()["ship_complete"], shown);
    }
}

#[actix_web::test]
async fn a_held_order_shows_its_expiry() {
    let body = r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 1}], "hold_seconds": 10}"#;
    let answer = post(&shop_api(0), "/orders", body).await;
    assert_eq!(answer.json()["status"], "held");
    assert_eq!(answer.json()["expires_at"], "2027-01-15T08:00:10.123456Z");
}

#[actix_web::test]
async fn an_order_that_accepts_backorders_waits_for_the_missing_units() {
    let body = r#"{"order_id": "O-1", "lines": [{"sku": "LAMP", "qty": 7}, {"sku": "RED-CHAIR", "qty": 25}],
        "on_shortage": "backorder", "priority": -2147483648, "allow_split": true}"#;
    let answer = post(&shop_api(0), "/orders", body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (201, &json!("partially_allocated")));
    let lines = &answer.json()["lines"];
    assert_eq!((&lines[0]["allocated"], &lines[0]["backordered"]), (&json!(0), &json!(7)));
    assert_eq!((&lines[1]["allocated"], &lines[1]["backordered"]), (&json!(20), &json!(5)));
}

#[actix_web::test]
async fn an_order_does_not_wait_for_unknown_skus() {
    let body = r#"{"order_id": "O-1", "lines": [
        {"sku": "red-chair", "qty": 1}, {"sku": "RED-CHAIR", "qty": 1}, {"sku": "DESK", "qty": 1}],
        "on_shortage": "backorder"}"#;
    let answer = post(&shop_api(5), "/orders", body).await;
    assert_eq!(answer.status, 409);
    let problem = answer.problem("unknown-sku");
    assert_eq!(problem["skus"], json!(["DESK", "red-chair"]));
    assert_eq!(problem["detail"], "2 SKUs of the order are not known");
    let one = body.replace(r#", {"sku": "DESK", "qty": 1}"#, "");
    assert_eq!(post(&shop_api(5), "/orders", one).await.problem("unknown-sku")["detail"], "SKU red-chair is not known");
}

#[actix_web::test]
async fn the_refusal_of_an_order_lists_all_short_lines() {
    let body = r#"{"order_id": "O-1", "lines": [
        {"sku": "RED-CHAIR", "qty": 21}, {"sku": "LAMP", "qty": 1}, {"sku": "DESK", "qty": 2147483647}]}"#;
    let answer = post(&shop_api(1), "/orders", body).await;
    let expected = json!({
        "type": "/problems/out-of-stock", "title": "Not enough stock", "status": 409,
        "detail": "Stock is short of 2 lines of the order",
        "shortages": [
            {"sku": "DESK", "requested": 2_147_483_647, "available": 0},
            {"sku": "RED-CHAIR", "requested": 21, "available": 20}
        ]
    });
    assert_eq!((answer.status.as_u16(), answer.problem("out-of-stock")), (409, expected));
    let one = r#"{"order_id": "O-1", "lines": [{"sku": "LAMP", "qty": 1}]}"#;
    let problem = post(&shop_api(0), "/orders", one).await.problem("out-of-stock");
    assert_eq!(problem["detail"], "Stock is short of 1 line of the order");
}

#[actix_web::test]
async fn a_repeated_order_gets_its_current_state() {
    let lines = [(sku("LAMP"), quantity(2)), (sku("RED-CHAIR"), quantity(10))];
    let known = NewOrder::new(order("O-1"), lines, OrderTerms::default()).unwrap();
    let mut ports = Ports::with_units(holding_all(shop(5), vec![known]));
    ports.queries.expect_order().returning(|_| Ok(Some(stored("O-1", line(10, ReservationState::Cancelled)))));
    let api = ports.api();
    let answer = post(&api, "/orders", ORDER).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (200, None));
    assert_eq!(answer.json()["status"], "cancelled");
    let other = ORDER.replace("10", "11");
    let answer = post(&api, "/orders", other).await;
    assert_eq!(answer.status, 409);
    let problem = answer.problem("order-already-exists");
    assert_eq!(problem["detail"], "Order O-1 exists already with other content");
}

#[actix_web::test]
async fn a_standalone_line_occupies_the_order_id() {
    let mut products = shop(5);
    products[1].allocate(&order("O-1"), quantity(10), now()).unwrap();
    let answer = post(&Ports::with_units(holding_all(products, Vec::new())).api(), "/orders", ORDER).await;
    assert_eq!(answer.status, 409);
    answer.problem("order-already-exists");
}

#[actix_web::test]
async fn a_lost_order_is_a_failure() {
    let lines = [(sku("LAMP"), quantity(2)), (sku("RED-CHAIR"), quantity(10))];
    let known = NewOrder::new(order("O-1"), lines, OrderTerms::default()).unwrap();
    let mut ports = Ports::with_units(holding_all(shop(5), vec![known]));
    ports.queries.expect_order().returning(|_| Ok(None));
    post(&ports.api(), "/orders", ORDER).await.problem("internal-error");
}

#[actix_web::test]
async fn every_error_of_an_order_is_reported() {
    let body = r#"{"on_shortage": "wait", "hold_seconds": 9, "priority": 1.5, "allow_split": 1, "ship_complete": "no", "colour": "red",
        "lines": [{"sku": "A", "qty": 1}, {"sku": " A"}, {"qty": 0}, {"sku": "A", "qty": "1", "x": 1}, 7, ["A", 1],
            {"sku": "A", "qty": 2}]}"#;
    let answer = post(&Ports::new().api(), "/orders?x=1", body).await;
    let mut errors = answer.errors();
    errors.sort();
    let number = "must be an integer from -2147483648 to 2147483647";
    let known = "is not known; known are order_id, lines, on_shortage, hold_seconds, priority, allow_split, promises, ship_complete";
    let expected = [
        ("/allow_split", "must be a boolean, not a number"),
        ("/colour", known),
        ("/hold_seconds", "must be an integer from 10 to 2592000"),
        ("/lines/1/qty", "is missing"),
        ("/lines/1/sku", "must not begin or end with white space"),
        ("/lines/2/qty", "must be an integer from 1 to 2147483647"),
        ("/lines/2/sku", "is missing"),
        ("/lines/3/qty", "must be an integer from 1 to 2147483647"),
        ("/lines/3/sku", "is the SKU of line 0 too"),
        ("/lines/3/x", "is not known; known are sku, qty"),
        ("/lines/4", "must be an object, not a number"),
        ("/lines/5", "must be an object, not an array"),
        ("/lines/6/sku", "is the SKU of line 0 too"),
        ("/on_shortage", "must be one of reject, backorder"),
        ("/order_id", "is missing"),
        ("/priority", number),
        ("/ship_complete", "must be a boolean, not a string"),
        ("x", "is not a known parameter"),
    ];
    assert_eq!(errors, expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
}

#[actix_web::test]
async fn an_order_has_from_1_to_500_lines() {
    let api = Ports::new().api();
    let lines = |count: usize| -> Vec<Value> {
        (0..count).map(|number| json!({"sku": format!("S-{number:03}"), "qty": 1})).collect()
    };
    for count in [0, 501] {
        let body = json!({"order_id": "O-1", "lines": lines(count)}).to_string();
        let expected = ("/lines".to_owned(), format!("must have from 1 to 500 lines, not {count}"));
        assert_eq!(post(&api, "/orders", body).await.errors(), [expected]);
    }
    for (lines, kind) in [(json!({}), "an object"), (json!(null), "null"), (json!("x"), "a string")] {
        let body = json!({"order_id": "O-1", "lines": lines}).to_string();
        let expected = ("/lines".to_owned(), format!("must be an array of lines, not {kind}"));
        assert_eq!(post(&api, "/orders", body).await.errors(), [expected]);
    }
    let body = json!({"order_id": "O-1", "lines": lines(500)}).to_string();
    let problem = post(&shop_api(0), "/orders", body).await.problem("out-of-stock");
    assert_eq!(problem["shortages"].as_array().unwrap().len(), 500);
}

#[actix_web::test]
async fn lines_too_long_for_an_index_are_errors() {
    let long = |first: &str| format!("{first}{}", "🪑".repeat(254));
    let lines = json!([{"sku": long("A"), "qty": 1}, {"sku": "LAMP", "qty": 1}, {"sku": long("B"), "qty": 1}]);
    let body = json!({"order_id": long("O"), "lines": lines}).to_string();
    let answer = post(&Ports::new().api(), "/orders", body).await;
    assert_eq!(answer.places(), ["/lines/0/sku", "/lines/2/sku"]);
    let rule = OrderLine::new(order(&long("O")), sku(&long("A")), quantity(1)).unwrap_err().to_string();
    assert_eq!(answer.errors()[0].1, rule);
}

#[actix_web::test]
async fn a_priority_is_any_integer_of_32_bits() {
    for priority in ["-2147483649", "2147483648", "1e-3", "\"1\"", "true", "-0.5", "99999999999999999999"] {
        let body = ORDER.replace("\"lines\"", &format!("\"priority\": {priority}, \"lines\""));
        assert_eq!(post(&Ports::new().api(), "/orders", body).await.places(), ["/priority"], "{priority}");
    }
    for priority in ["-2147483648", "2147483647", "0", "-5", "-0", "1e3", "-5.0"] {
        let body = ORDER.replace("\"lines\"", &format!("\"priority\": {priority}, \"lines\""));
        assert_eq!(post(&shop_api(5), "/orders", body).await.status, 201, "{priority}");
    }
}

#[actix_web::test]
async fn an_order_is_found_by_its_id() {
    let answer = get(&showing(stored("O/1", line(4, ReservationState::Firm))).api(), "/orders/O%2F1").await;
    let expected = json!({
        "order_id": "O/1", "status": "partially_allocated", "lines": [{
            "sku": "RED-CHAIR", "qty": 10, "allocated": 4, "backordered": 6,
            "allocations": [{"reference": "B-1", "qty": 4, "eta": null}]
        }]
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
}

#[actix_web::test]
async fn held_units_are_free_from_the_instant_of_expiry() {
    let held = |micros: i64| ReservationState::Held { expires_at: now() + TimeDelta::microseconds(micros) };
    let answer = get(&showing(stored("O-1", line(4, held(1)))).api(), "/orders/O-1").await.json();
    assert_eq!((&answer["status"], &answer["lines"][0]["allocated"]), (&json!("partially_allocated"), &json!(4)));
    assert_eq!(answer["expires_at"], "2027-01-15T08:00:00.123457Z");
    for commitment in [held(0), held(-1), ReservationState::Expired] {
        let answer = get(&showing(stored("O-1", line(4, commitment))).api(), "/orders/O-1").await.json();
        let line = json!({"sku": "RED-CHAIR", "qty": 10, "allocated": 0, "backordered": 0, "allocations": []});
        assert_eq!(answer, json!({"order_id": "O-1", "status": "expired", "lines": [line]}));
    }
}

#[actix_web::test]
async fn an_unknown_order_is_not_found() {
    let mut ports = Ports::with_units(holding_all(shop(0), Vec::new()));
    ports.queries.expect_order().returning(|_| Ok(None));
    let api = ports.api();
    for answer in [get(&api, "/orders/O-9").await, delete(&api, "/orders/O-9").await] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem("order-not-found")["detail"], "There is no order O-9");
    }
}

#[actix_web::test]
async fn cancelling_can_be_repeated() {
    let mut products = allocation_domain::Products::from_iter(shop(5));
    let lines = [(sku("LAMP"), quantity(2)), (sku("RED-CHAIR"), quantity(10))];
    let hold = Some(HoldDuration::from_seconds(60).unwrap());
    let placed = NewOrder::new(order("O-1"), lines, OrderTerms { hold, ..OrderTerms::default() }).unwrap();
    products.place(&placed, now()).unwrap();
    for _ in 0..2 {
        let stored: Vec<Product> = products.iter().cloned().collect();
        let answer = delete(&Ports::with_units(holding_all(stored, Vec::new())).api(), "/orders/O-1").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
        products.cancel(&order("O-1"), now()).unwrap();
    }
}

#[actix_web::test]
async fn orders_match_every_filter_of_the_query() {
    let mut ports = Ports::new();
    ports.queries.expect_orders().returning(|filter, after, page, at| {
        let expected = OrderFilter { status: Some(OrderStatus::PartiallyAllocated), sku: Some(sku("RED CHAIR")) };
        assert_eq!((filter, after, page.get(), at), (&expected, None, 7, now()));
        Ok(OrderPage { orders: vec![stored("O-1", line(4, ReservationState::Firm))], next: None })
    });
    let answer = get(&ports.api(), "/orders?status=partially_allocated&sku=RED+CHAIR&limit=7").await;
    assert_eq!((answer.status.as_u16(), answer.header("link")), (200, None));
    assert_eq!(answer.json()[0]["order_id"], "O-1");
}

#[actix_web::test]
async fn an_empty_page_of_orders_can_link_to_another() {
    let mut ports = Ports::new();
    ports.queries.expect_orders().returning(|filter, after, _, _| {
        assert_eq!(filter.status, Some(OrderStatus::Held));
        Ok(match after {
            None => OrderPage { orders: Vec::new(), next: Some(order("O <5>")) },
            Some(after) if after == order("O <5>") => {
                OrderPage { orders: vec![stored("O-6", line(4, ReservationState::Firm))], next: None }
            }
            Some(_) => OrderPage::default(),
        })
    });
    let api = ports.api();
    let answer = get(&api, "/orders?status=held&limit=2").await;
    assert_eq!(answer.body, "[]");
    assert!(answer.next().starts_with("/orders?status=held&limit=2&after="), "{}", answer.next());
    let next = get(&api, answer.next()).await;
    assert_eq!((&next.json()[0]["order_id"], next.header("link")), (&json!("O-6"), None));
    let cursor = answer.next().split_once("after=").unwrap().1;
    assert_eq!(get(&api, &format!("/products?after={cursor}")).await.places(), ["after"], "of another list");
}

#[actix_web::test]
async fn every_error_of_a_query_for_orders_is_reported() {
    let answer = get(&Ports::new().api(), "/orders?status=Held&sku=&limit=x&after=x&x=1").await;
    let known = "must be one of held, allocated, partially_allocated, backordered, picked, partially_shipped, shipped, \
         short, expired, cancelled, closed";
    assert_eq!(answer.errors()[0], ("status".to_owned(), known.to_owned()));
    assert_eq!(answer.places(), ["status", "sku", "limit", "after", "x"]);
}

#[actix_web::test]
async fn an_invalid_order_id_is_an_error_of_every_path() {
    let api = Ports::new().api();
    for answer in [
        get(&api, "/orders/%20?x=1").await,
        delete(&api, "/orders/%20?x=1").await,
        get(&api, "/orders/%20/history?x=1").await,
        post(&api, "/orders/%20/confirm?x=1", "").await,
        post(&api, "/orders/%20/extend?x=1", r#"{"hold_seconds": 10}"#).await,
    ] {
        assert_eq!(answer.places(), ["x", "order_id"]);
    }
}
