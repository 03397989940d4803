use crate::testing::{Ports, chairs, holding, holding_all, now, order, post, quantity, reference, secret, sku};
use allocation_domain::{
    NewOrder, NewPickList, OnShortage, OrderTerms, PickCriteria, PickListId, Product, Products, Units,
};
use allocation_ports::StoreError;
use serde_json::json;

fn adjustment(reference: &str, change: i64) -> String {
    let line = json!({ "reference": reference, "change": change });
    json!({ "adjustment_id": "A-1", "reason": "damaged", "lines": [line] }).to_string()
}

/// The red chairs of batch B-1, with an order that accepts backorders for all of them.
fn ordered() -> Products {
    let terms = OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() };
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(20))], terms).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now()).unwrap();
    products
}

fn over(products: &Products) -> Ports {
    let products: Vec<Product> = products.iter().cloned().collect();
    Ports::with_units(holding_all(products, Vec::new()))
}

#[actix_web::test]
async fn an_adjustment_returns_the_units_on_hand_and_the_displaced_lines() {
    for (uri, status) in
        [("/adjustments", 201), ("/adjustments?dry_run=true", 200), ("/adjustments?dry_run=false", 201)]
    {
        let answer = post(&over(&ordered()).api(), uri, adjustment("B-1", -3)).await;
        assert_eq!(answer.status, status, "{uri}");
        let mut body = answer.json();
        assert!(body["recorded_at"].take().is_string());
        assert_eq!(
            body,
            json!({
                "adjustment_id": "A-1", "reason": "damaged", "recorded_at": null,
                "lines": [{ "reference": "B-1", "sku": "RED-CHAIR", "change": -3, "on_hand": 17 }],
                "affected": [], "moved": [],
                "displaced": [{ "order_id": "O-1", "sku": "RED-CHAIR", "qty": 3, "status": "backordered" }]
            })
        );
    }
}

#[actix_web::test]
async fn a_repeat_is_answered_alike_and_another_adjustment_of_that_id_is_refused() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let first = post(&api, "/adjustments", adjustment("B-1", -3)).await;
    let again = post(&api, "/adjustments", adjustment("B-1", -3)).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16(), first.json()), (201, 200, again.json()));
    let other = post(&api, "/adjustments", adjustment("B-1", -4)).await;
    assert_eq!(
        (other.status.as_u16(), other.problem("adjustment-already-exists")["detail"].as_str()),
        (409, Some("Adjustment A-1 exists already with other content"))
    );
}

#[actix_web::test]
async fn refusals_name_the_batch() {
    let mut products = ordered();
    let list = NewPickList::new(PickListId::parse("P-1").unwrap(), PickCriteria::default());
    products.make_pick_list(&list).unwrap();
    let id = allocation_domain::PickLineId { list: list.list_id().clone(), line: 1 };
    products.pick(&id, Units::new(18).unwrap(), now()).unwrap();
    let from =
        json!({ "adjustment_id": "A-1", "reason": "count", "lines": [{ "reference": "B-1", "change": 1, "from": 3 }] });
    for (body, status, name, detail) in [
        (adjustment("B-9", -1), 404, "batch-not-found", "There is no batch B-9"),
        (
            adjustment("B-1", -3),
            409,
            "units-gone",
            "Batch B-1 has 0 units that are not picked, and cannot be adjusted by -3",
        ),
        (from.to_string(), 409, "quantity-changed", "Batch B-1 has 18 units on hand, not 3"),
        (
            adjustment("B-1", 2_147_483_647),
            409,
            "too-many-units",
            "Batch B-1 would have more than 2147483647 units with +2147483647",
        ),
    ] {
        let answer = post(&over(&products).api(), "/adjustments", body).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.problem(name)["detail"], detail);
    }
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::new().api();
    let body = json!({
        "adjustment_id": " A", "reason": "", "x": 1,
        "lines": [{ "reference": "B-1", "change": 0 }, { "reference": "B-1", "change": 1.5, "from": -1 }, 7]
    });
    let answer = post(&api, "/adjustments?dry_run=1&y=1", body.to_string()).await;
    assert_eq!(
        answer.places(),
        [
            "dry_run",
            "y",
            "/adjustment_id",
            "/lines/0/change",
            "/lines/1/change",
            "/lines/1/from",
            "/lines/1/reference",
            "/lines/2",
            "/reason",
            "/x",
        ]
    );
    let lines = |count: usize| {
        let lines: Vec<_> =
            (0..count).map(|number| json!({ "reference": format!("B-{number}"), "change": 1 })).collect();
        json!({ "adjustment_id": "A", "reason": "found", "lines": lines }).to_string()
    };
    for count in [0, 501] {
        let detail = format!("must have from 1 to 500 lines, not {count}");
        assert_eq!(post(&api, "/adjustments", lines(count)).await.errors(), [("/lines".to_owned(), detail)]);
    }
    let unknown = post(&Ports::with_units(holding(chairs(&["B-1"]))).api(), "/adjustments", lines(500)).await;
    assert_eq!(unknown.problem("batch-not-found")["detail"], format!("There is no batch {}", reference("B-0")));
}

#[actix_web::test]
async fn an_unavailable_database_is_reported() {
    let api = Ports::failing(|| StoreError::Unavailable(secret())).api();
    let answer = post(&api, "/adjustments", adjustment("B-1", 1)).await;
    assert_eq!(answer.status, 503);
    answer.problem("database-unavailable");
}
