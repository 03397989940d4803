use crate::testing::{Ports, chairs, get, holding_all, now, order, post, quantity, secret, sku};
use allocation_domain::{
    NewOrder, NewPickList, OpenLines, OrderTerms, PickCriteria, PickLineId, PickListId, Product, Products, Units,
};
use allocation_ports::StoreError;
use serde_json::{Value, json};

fn line(qty: u32, disposition: &str) -> Value {
    json!({ "sku": "RED-CHAIR", "qty": qty, "disposition": disposition })
}

fn returned(return_id: &str, lines: &[Value]) -> String {
    json!({ "return_id": return_id, "order_id": "O-1", "lines": lines }).to_string()
}

/// The red chairs of batch B-1, five of which were shipped for an order.
fn shipped() -> Ports {
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(5))], OrderTerms::default()).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now()).unwrap();
    let list = NewPickList::new(PickListId::parse("P-1").unwrap(), PickCriteria::default());
    products.make_pick_list(&list).unwrap();
    let id = PickLineId { list: list.list_id().clone(), line: 1 };
    products.pick(&id, Units::new(5).unwrap(), now()).unwrap();
    products.ship(list.list_id(), OpenLines::Refuse).unwrap();
    let products: Vec<Product> = products.iter().cloned().collect();
    Ports::with_units(holding_all(products, Vec::new()))
}

#[actix_web::test]
async fn a_return_names_the_batch_of_restocked_units() {
    for (uri, status) in [("/returns", 201), ("/returns?dry_run=true", 200), ("/returns?dry_run=false", 201)] {
        let answer = post(&shipped().api(), uri, returned("RMA-1", &[line(1, "scrap"), line(2, "restock")])).await;
        assert_eq!(answer.status, status, "{uri}");
        let mut body = answer.json();
        assert!(body["recorded_at"].take().is_string());
        assert_eq!(
            body,
            json!({
                "return_id": "RMA-1", "order_id": "O-1", "recorded_at": null,
                "lines": [
                    { "sku": "RED-CHAIR", "qty": 2, "disposition": "restock", "reference": "RMA-1" },
                    { "sku": "RED-CHAIR", "qty": 1, "disposition": "scrap" }
                ]
            })
        );
    }
}

#[actix_web::test]
async fn a_repeat_returns_the_same_response_and_another_return_with_that_id_is_rejected() {
    let api = shipped().api();
    let first = post(&api, "/returns", returned("RMA-1", &[line(2, "restock")])).await;
    let again = post(&api, "/returns", returned("RMA-1", &[line(2, "restock")])).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16(), first.json()), (201, 200, again.json()));
    let other = post(&api, "/returns", returned("RMA-1", &[line(2, "quarantine")])).await;
    assert_eq!(
        (other.status.as_u16(), other.problem("return-already-exists")["detail"].as_str()),
        (409, Some("Return RMA-1 exists already with other content"))
    );
}

#[actix_web::test]
async fn a_rejected_return_lists_the_returnable_units() {
    let api = shipped().api();
    let more = post(&api, "/returns", returned("RMA-1", &[line(4, "restock"), line(2, "scrap")])).await;
    let problem = more.problem("more-than-shipped");
    assert_eq!(problem["excess"], json!([{ "sku": "RED-CHAIR", "requested": 6, "returnable": 5 }]));
    let taken = post(&api, "/returns", returned("B-1", &[line(1, "restock")])).await;
    assert_eq!((taken.status.as_u16(), &taken.problem("batch-already-exists")["status"]), (409, &json!(409)));
    let body = json!({ "return_id": "R", "order_id": "O-9", "lines": [line(1, "scrap")] });
    let nowhere = post(&api, "/returns", body.to_string()).await;
    assert_eq!(nowhere.problem("order-not-found")["detail"], "There is no order O-9");
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::new().api();
    let body = json!({
        "return_id": " R", "x": 1,
        "lines": [line(0, "restock"), line(1, "sell"), line(1, "restock"), line(2, "restock"), 7]
    });
    let answer = post(&api, "/returns?dry_run=1&y=1", body.to_string()).await;
    let places = [
        "dry_run",
        "y",
        "/return_id",
        "/order_id",
        "/lines/0/qty",
        "/lines/1/disposition",
        "/lines/2/disposition",
        "/lines/3/disposition",
        "/lines/4",
        "/x",
    ];
    let mut found = answer.places();
    found.sort_unstable();
    let mut expected = places.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let lines = |count: usize| -> Vec<Value> {
        (0..count).map(|number| json!({ "sku": format!("S-{number}"), "qty": 1, "disposition": "scrap" })).collect()
    };
    for count in [0, 501] {
        let detail = format!("must have from 1 to 500 lines, not {count}");
        let answer = post(&api, "/returns", returned("R", &lines(count))).await;
        assert_eq!(answer.errors(), [("/lines".to_owned(), detail)]);
    }
    let long = [line(1, "restock"), json!({ "sku": "LAMP", "qty": 1, "disposition": "restock" })];
    let unnamed = post(&api, "/returns", returned(&"R".repeat(255), &long)).await;
    let detail = "with SKU LAMP is too long to name a batch".to_owned();
    assert_eq!(unnamed.errors(), [("/return_id".to_owned(), detail)]);
}

#[actix_web::test]
async fn an_unavailable_database_is_reported() {
    let api = Ports::failing(|| StoreError::Unavailable(secret())).api();
    let answer = post(&api, "/returns", returned("RMA-1", &[line(1, "scrap")])).await;
    assert_eq!(answer.status, 503);
    answer.problem("database-unavailable");
    assert_eq!(get(&api, "/returns").await.status, 405);
}
