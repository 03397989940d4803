use crate::Api;
use crate::testing::{Ports, chairs, get, holding, now, order, post, quantity, secret};
use allocation_domain::{
    Carrier, ListedUnits, NewPickList, OpenLines, Order, PickCriteria, PickLineId, PickListId, Products, ShipmentId,
    Tracking, Units,
};
use allocation_ports::{PageSize, ShipmentPage, ShipmentRecord, StoreError};
use serde_json::{Value, json};

fn list_id() -> PickListId {
    PickListId::parse("P 1").unwrap()
}

/// Five picked chairs of order O-1, on line 1 of two.
fn picked() -> Products {
    let mut product = chairs(&["B-1"]);
    product.allocate(&order("O-1"), quantity(5), now()).unwrap();
    product.allocate(&order("O-2"), quantity(1), now()).unwrap();
    let mut shop = Products::from_iter([product]);
    shop.make_pick_list(&NewPickList::new(list_id(), PickCriteria::default())).unwrap();
    shop.pick(&PickLineId { list: list_id(), line: 1 }, Units::new(5).unwrap(), now()).unwrap();
    shop
}

fn over(shop: Products) -> Api {
    Ports::with_units(holding(shop.into_iter().next().unwrap())).api()
}

fn shipment(line: u64, qty: Option<u64>) -> Value {
    let mut line = json!({ "pick_list_id": "P 1", "line": line });
    if let Some(qty) = qty {
        line["qty"] = qty.into();
    }
    json!({ "shipment_id": "S/1", "carrier": "ACME", "tracking": "1Z 999", "lines": [line] })
}

#[actix_web::test]
async fn a_shipment_is_made_and_a_dry_run_is_not() {
    for (uri, status) in [("/shipments", 201), ("/shipments?dry_run=true", 200), ("/shipments?dry_run=false", 201)] {
        for (requested, qty) in [(Some(2), 2), (None, 5)] {
            let answer = post(&over(picked()), uri, shipment(1, requested).to_string()).await;
            assert_eq!(answer.status, status, "{uri}");
            let location = (status == 201).then_some("/shipments/S%2F1");
            assert_eq!(answer.header("location"), location);
            assert_eq!(
                answer.json(),
                json!({
                    "shipment_id": "S/1", "carrier": "ACME", "tracking": "1Z 999",
                    "shipped_at": "2027-01-15T08:00:00.123456Z",
                    "lines": [{ "pick_list_id": "P 1", "line": 1, "order_id": "O-1", "sku": "RED-CHAIR",
                        "reference": "B-1", "qty": qty }]
                })
            );
        }
    }
}

#[actix_web::test]
async fn a_repeat_returns_the_same_response_and_another_shipment_with_that_id_is_rejected() {
    let api = over(picked());
    let first = post(&api, "/shipments", shipment(1, Some(2)).to_string()).await;
    let again = post(&api, "/shipments", shipment(1, Some(2)).to_string()).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16(), first.json()), (201, 200, again.json()));
    assert_eq!(again.header("location"), None);
    let other = post(&api, "/shipments", shipment(1, None).to_string()).await;
    assert_eq!(
        (other.status.as_u16(), other.problem("shipment-already-exists")["detail"].as_str()),
        (409, Some("Shipment S/1 exists already with other content"))
    );
}

#[actix_web::test]
async fn refusals_name_the_line() {
    let mut shipped = picked();
    shipped.ship(&list_id(), OpenLines::Release).unwrap();
    for (shop, body, status, name, detail) in [
        (picked(), shipment(9, None), 404, "pick-line-not-found", "There is no line 9 of pick list P 1"),
        (
            picked(),
            shipment(2, None),
            409,
            "not-picked",
            "Line 2 of pick list P 1 is open, so nothing of it can be shipped",
        ),
        (
            picked(),
            shipment(1, Some(6)),
            409,
            "more-than-picked",
            "Line 1 of pick list P 1 has 5 picked units to ship, not 6",
        ),
        (
            shipped,
            shipment(1, None),
            409,
            "already-shipped",
            "The 5 units of line 1 of pick list P 1 were shipped already",
        ),
    ] {
        let answer = post(&over(shop), "/shipments", body.to_string()).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.problem(name)["detail"], detail);
    }
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::new().api();
    let body = json!({
        "shipment_id": " S", "carrier": "", "tracking": 7, "x": 1,
        "lines": [
            { "pick_list_id": "P", "line": 1, "qty": 0 }, { "pick_list_id": "P", "line": 1 },
            { "pick_list_id": "P", "line": 0 }, { "line": 2, "y": 1 }, 7
        ]
    });
    let answer = post(&api, "/shipments?dry_run=1&y=1", body.to_string()).await;
    assert_eq!(
        answer.places(),
        [
            "dry_run",
            "y",
            "/carrier",
            "/lines/0/qty",
            "/lines/1/line",
            "/lines/2/line",
            "/lines/3/y",
            "/lines/3/pick_list_id",
            "/lines/4",
            "/shipment_id",
            "/tracking",
            "/x",
        ]
    );
    let lines = |count: usize| {
        let lines: Vec<_> = (1..=count).map(|line| json!({ "pick_list_id": "P 1", "line": line })).collect();
        json!({ "shipment_id": "S", "lines": lines }).to_string()
    };
    for count in [0, 1_001] {
        let detail = format!("must have from 1 to 1000 lines, not {count}");
        assert_eq!(post(&api, "/shipments", lines(count)).await.errors(), [("/lines".to_owned(), detail)]);
    }
    let most = post(&over(picked()), "/shipments", lines(1_000)).await;
    assert_eq!(most.problem("pick-line-not-found")["detail"], "There is no line 3 of pick list P 1");
}

/// The largest valid body is read, and a larger one is not.
#[actix_web::test]
async fn the_largest_shipment_fits() {
    let name = "\u{1F4E6}".repeat(255);
    let lines: Vec<_> = (1..=1_000).map(|line| json!({ "pick_list_id": name, "line": line, "qty": 1 })).collect();
    let body = json!({ "shipment_id": name, "carrier": name, "tracking": name, "lines": lines }).to_string();
    let escaped = body.replace('\u{1F4E6}', "\\ud83d\\udce6");
    post(&over(picked()), "/shipments", escaped.clone()).await.problem("pick-line-not-found");
    let larger = post(&over(picked()), "/shipments", escaped + &" ".repeat(2 * 1024 * 1024)).await;
    assert_eq!(larger.status, 413);
}

fn record(id: &str) -> ShipmentRecord {
    let units = ListedUnits {
        order_id: order("O 1"),
        sku: crate::testing::sku("LAMP"),
        reference: crate::testing::reference("B-1"),
        list: list_id(),
        line: 3,
        quantity: quantity(2),
    };
    let (carrier, tracking) = (Carrier::parse("ACME").ok(), Tracking::parse("7").ok());
    ShipmentRecord {
        shipment_id: ShipmentId::parse(id).unwrap(),
        carrier,
        tracking,
        shipped_at: now(),
        lines: vec![units],
    }
}

#[actix_web::test]
async fn a_shipment_is_shown() {
    let mut ports = Ports::new();
    ports.queries.expect_shipment().returning(|id| {
        let plain = ShipmentRecord { carrier: None, tracking: None, ..record("S 1") };
        Ok(Some(plain).filter(|shipment| shipment.shipment_id == *id))
    });
    let api = ports.api();
    assert_eq!(
        get(&api, "/shipments/S%201").await.json(),
        json!({
            "shipment_id": "S 1", "shipped_at": "2027-01-15T08:00:00.123456Z",
            "lines": [{ "pick_list_id": "P 1", "line": 3, "order_id": "O 1", "sku": "LAMP", "reference": "B-1", "qty": 2 }]
        })
    );
    let unknown = get(&api, "/shipments/S-9").await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.problem("shipment-not-found")["detail"].as_str()),
        (404, Some("There is no shipment S-9"))
    );
    assert_eq!(get(&api, "/shipments/%20?x=1").await.places(), ["x", "shipment_id"]);
}

#[actix_web::test]
async fn a_page_links_to_the_next_one() {
    let mut ports = Ports::new();
    let next = ShipmentId::parse("S-2").unwrap();
    ports.queries.expect_shipments().returning(move |of_order, after, page| {
        assert_eq!(page, PageSize::new(2).unwrap());
        assert!(of_order.is_none_or(|order_id| *order_id == order("O 1")));
        Ok(match after {
            None => ShipmentPage { shipments: vec![record("S-1"), record("S-2")], next: Some(next.clone()) },
            Some(_) => ShipmentPage { shipments: vec![record("S-3")], next: None },
        })
    });
    let api = ports.api();
    for path in ["/shipments", "/orders/O%201/shipments"] {
        let first = get(&api, &format!("{path}?limit=2")).await;
        assert_eq!(first.json().as_array().unwrap().len(), 2);
        let link = first.header("link").unwrap();
        let link = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(link.starts_with(&format!("{path}?limit=2&after=")), "{link}");
        let last = get(&api, link).await;
        assert_eq!((&last.json()[0]["shipment_id"], last.header("link")), (&json!("S-3"), None));
    }
    assert_eq!(get(&api, "/shipments?limit=0&x=1").await.places(), ["limit", "x"]);
}

#[actix_web::test]
async fn an_order_without_shipments_has_an_empty_list_and_an_unknown_one_is_not_found() {
    let mut ports = Ports::new();
    ports.queries.expect_shipments().returning(|_, _, _| Ok(ShipmentPage::default()));
    ports.queries.expect_order().returning(|order_id| {
        Ok((*order_id == order("O-1")).then(|| Order { order_id: order("O-1"), lines: Vec::new() }))
    });
    let api = ports.api();
    assert_eq!(get(&api, "/orders/O-1/shipments").await.json(), json!([]));
    let unknown = get(&api, "/orders/O-9/shipments").await;
    assert_eq!(unknown.status, 404);
    unknown.problem("order-not-found");
}

#[actix_web::test]
async fn an_unavailable_database_is_reported() {
    let api = Ports::failing(|| StoreError::Unavailable(secret())).api();
    let answer = post(&api, "/shipments", shipment(1, None).to_string()).await;
    assert_eq!(answer.status, 503);
    answer.problem("database-unavailable");
}
