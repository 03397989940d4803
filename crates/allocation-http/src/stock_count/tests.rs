use crate::testing::{
    Ports, chairs, holding, holding_all, json_request, now, order, post, quantity, secret, send, sku,
};
use actix_web::http::Method;
use allocation_domain::{
    NewBatch, NewOrder, NewPickList, OrderTerms, PickCriteria, PickLineId, PickListId, Product, Products, Units,
};
use allocation_ports::StoreError;
use serde_json::{Value, json};

/// Twenty red chairs of batch B-1; three are picked.
fn picked() -> Vec<Product> {
    let placed = NewOrder::new(order("O-1"), [(sku("RED-CHAIR"), quantity(3))], OrderTerms::default()).unwrap();
    let mut products = Products::from_iter([chairs(&["B-1"])]);
    products.place(&placed, now()).unwrap();
    let list = NewPickList::new(PickListId::parse("P-1").unwrap(), PickCriteria::default());
    products.make_pick_list(&list).unwrap();
    let id = PickLineId { list: list.list_id().clone(), line: 1 };
    products.pick(&id, Units::new(3).unwrap(), now()).unwrap();
    products.iter().cloned().collect()
}

fn open(blind: bool) -> String {
    json!({ "count_id": "C-1", "references": ["B-1"], "blind": blind }).to_string()
}

async fn put(api: &crate::api::Api, path: &str, body: Value) -> crate::testing::TestResponse {
    send(api, json_request(path, body.to_string()).method(Method::PUT)).await
}

#[actix_web::test]
async fn a_count_is_opened_entered_and_closed() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let opened = post(&api, "/counts", open(false)).await;
    assert_eq!((opened.status.as_u16(), opened.header("location")), (201, Some("/counts/C-1")));
    let line = json!({ "line": 1, "reference": "B-1", "sku": "RED-CHAIR" });
    assert_eq!((&opened.json()["status"], &opened.json()["lines"]), (&json!("open"), &json!([line])));
    assert_eq!(post(&api, "/counts", open(false)).await.status, 200);
    post(&api, "/counts", open(true)).await.problem("count-already-exists");
    let refused = post(&api, "/counts/C-1/close", "{}").await;
    assert_eq!(refused.problem("not-counted")["lines"], json!([1]));
    let entered = put(&api, "/counts/C-1/lines/1", json!({ "counted": 18 })).await;
    let mut line = json!({
        "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "counted": 18, "expected": 20, "variance": -2
    });
    assert_eq!(entered.json(), line);
    let again = put(&api, "/counts/C-1/lines/1", json!({ "counted": 18, "recount": 1 })).await;
    line["recount"] = json!(1);
    assert_eq!(again.json(), line);
    let closed = post(&api, "/counts/C-1/close", "").await;
    assert_eq!(closed.status, 200, "the body can be empty");
    let adjusted = json!([{ "reference": "B-1", "sku": "RED-CHAIR", "change": -2, "on_hand": 18 }]);
    assert_eq!(closed.json()["adjustment"]["lines"], adjusted);
    assert_eq!(post(&api, "/counts/C-1/close", "{}").await.json(), closed.json());
    put(&api, "/counts/C-1/lines/1", json!({ "counted": 1 })).await.problem("count-closed");
}

#[actix_web::test]
async fn a_blind_count_tells_nothing_until_it_is_closed() {
    let api = Ports::with_units(holding_all(picked(), Vec::new())).api();
    post(&api, "/counts", open(true)).await;
    let unsaid = put(&api, "/counts/C-1/lines/1", json!({ "counted": 18 })).await;
    assert_eq!(
        unsaid.problem("picked-units")["detail"],
        "3 units of batch B-1 are picked and not shipped: were they counted?"
    );
    let entered = put(&api, "/counts/C-1/lines/1", json!({ "counted": 18, "picked_counted": false })).await;
    let hidden = json!({ "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "counted": 18, "picked_counted": false });
    assert_eq!(entered.json(), hidden);
    let again = post(&api, "/counts", open(true)).await;
    assert_eq!((again.status.as_u16(), &again.json()["lines"][0]), (200, &hidden));
    let tried = post(&api, "/counts/C-1/close?dry_run=true", "{}").await.json();
    assert_eq!((&tried["status"], &tried["lines"][0], tried.get("adjustment")), (&json!("open"), &hidden, None));
}

#[actix_web::test]
async fn a_refused_blind_count_does_not_tell_its_variance() {
    for (blind, detail) in [
        (true, "The variance of batch B-1 cannot be applied"),
        (false, "Batch B-1 has 17 units that are not picked, and cannot be adjusted by -20"),
    ] {
        let api = Ports::with_units(holding_all(picked(), Vec::new())).api();
        post(&api, "/counts", open(blind)).await;
        put(&api, "/counts/C-1/lines/1", json!({ "counted": 0, "picked_counted": true })).await;
        assert_eq!(post(&api, "/counts/C-1/close", "{}").await.problem("units-gone")["detail"], detail);
    }
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let wrong = json!({ "count_id": " C", "references": [7, "B"], "skus": [], "blind": 1, "x": 1 });
    assert_eq!(
        post(&api, "/counts?dry_run=1", wrong.to_string()).await.places(),
        ["dry_run", "/blind", "/count_id", "/references/0", "/skus", "/x"]
    );
    for scopes in [json!({}), json!({ "skus": ["A"], "references": ["B"] })] {
        let mut body = scopes;
        body["count_id"] = json!("C");
        let detail = "must have either skus or references".to_owned();
        assert_eq!(post(&api, "/counts", body.to_string()).await.errors(), [(String::new(), detail)]);
    }
    for count in [0, 501] {
        let names: Vec<_> = (0..count).map(|number| format!("B-{number}")).collect();
        let detail = format!("must have from 1 to 500 elements, not {count}");
        let body = json!({ "count_id": "C", "references": names }).to_string();
        assert_eq!(post(&api, "/counts", body).await.errors(), [("/references".to_owned(), detail)]);
    }
    let entry = put(&api, "/counts/C%/lines/0", json!({ "counted": -1, "picked_counted": 1, "recount": 1.5 })).await;
    assert_eq!(entry.places(), ["count_id", "line", "/counted", "/picked_counted", "/recount"]);
    assert_eq!(post(&api, "/counts/C/close", r#"{"uncounted": "no"}"#).await.places(), ["/uncounted"]);
}

#[actix_web::test]
async fn what_is_not_there_is_refused() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let other = json!({ "count_id": "C-1", "references": ["B-1", "B-9"] }).to_string();
    assert_eq!(
        post(&api, "/counts", other).await.problem("batch-not-found")["detail"],
        "There is no batch B-9 in stock"
    );
    let nothing = json!({ "count_id": "C-1", "skus": ["LAMP"] }).to_string();
    post(&api, "/counts", nothing).await.problem("nothing-to-count");
    put(&api, "/counts/C-1/lines/1", json!({ "counted": 1 })).await.problem("count-not-found");
    post(&api, "/counts/C-1/close", "{}").await.problem("count-not-found");
    send(&api, json_request("/counts/C-1", "").method(Method::DELETE)).await.problem("count-not-found");
    post(&api, "/counts", open(false)).await;
    put(&api, "/counts/C-1/lines/2", json!({ "counted": 1 })).await.problem("count-line-not-found");
    assert_eq!(send(&api, json_request("/counts/C-1", "").method(Method::DELETE)).await.status, 204);
}

#[actix_web::test]
async fn a_count_of_more_than_five_hundred_batches_is_refused() {
    let mut product = chairs(&[]);
    for number in 0..501 {
        let reference = crate::testing::reference(&format!("B-{number}"));
        product.add_batch(NewBatch::new(reference, quantity(1), allocation_domain::Eta::InStock), now()).unwrap();
    }
    let api = Ports::with_units(holding(product)).api();
    let body = json!({ "count_id": "C-1", "skus": ["RED-CHAIR"] }).to_string();
    let answer = post(&api, "/counts", body).await;
    assert_eq!(answer.status, 422);
    answer.problem("count-too-large");
}

#[actix_web::test]
async fn an_unavailable_database_is_reported() {
    let api = Ports::failing(|| StoreError::Unavailable(secret())).api();
    let answer = post(&api, "/counts", open(false)).await;
    assert_eq!(answer.status, 503);
    answer.problem("database-unavailable");
}
