use crate::Api;
use crate::testing::{
    Ports, TestResponse, chairs, delete, get, holding, now, order, post, quantity, reference, send, sku,
};
use actix_web::http::header::ACCEPT;
use actix_web::test::TestRequest;
use allocation_domain::{
    NewBatch, NewPickList, OpenLines, PickCriteria, PickLineId, PickListId, PickListStatus, Product, Products, Units,
};
use allocation_ports::{
    PageSize, PickListCounts, PickListFilter, PickListPage, PickListSummary, PickableLines, StoreError, StoredPickList,
};
use serde_json::json;
use std::collections::BTreeSet;

fn list_id(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

/// Chairs of which 20 are allocated to O-1, and 3 to O-2, on other shelves too.
fn allocated() -> Product {
    let mut product = chairs(&["B-1", "B-2", "B-3"]);
    product.allocate(&order("O-1"), quantity(20), now()).unwrap();
    product.allocate(&order("O-2"), quantity(3), now()).unwrap();
    product
}

/// The same with a list of all of them.
fn listed() -> Products {
    let mut shop = Products::from_iter([allocated()]);
    shop.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    shop
}

fn first_line() -> PickLineId {
    PickLineId { list: list_id("P-1"), line: 1 }
}

fn over(shop: Products) -> Api {
    let product = shop.into_iter().next().unwrap();
    let free = product.lines().filter(|(_, line)| line.fulfilment.listed == 0);
    let lines = free.map(|(order_id, _)| (product.sku().clone(), order_id.clone())).collect();
    let found = PickableLines { lines, ship_complete: BTreeSet::new(), complete: true };
    let mut ports = Ports::with_units(holding(product));
    ports.queries.expect_pickable().returning(move |_, _| Ok(found.clone()));
    ports.api()
}

/// An API that shows a list.
fn showing(shop: &Products) -> Api {
    let stored = StoredPickList { list: shop.pick_list(&list_id("P-1")).unwrap(), created_at: now() };
    let mut ports = Ports::new();
    ports.queries.expect_pick_list().returning(move |list_id| {
        let known = *list_id == stored.list.list_id;
        Ok(known.then(|| stored.clone()))
    });
    ports.api()
}

async fn shown_as(api: &Api, accept: &str) -> TestResponse {
    send(api, TestRequest::get().uri("/pick-lists/P-1").insert_header((ACCEPT, accept))).await
}

#[actix_web::test]
async fn a_list_is_made_with_its_lines() {
    let api = over(Products::from_iter([allocated()]));
    let answer = post(&api, "/pick-lists", r#"{"pick_list_id": "P 1", "max_lines": 1}"#).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("/pick-lists/P%201")));
    let expected = json!({
        "pick_list_id": "P 1", "status": "open", "created_at": "2027-01-15T08:00:00.123456Z",
        "lines": [{ "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 20, "status": "open" }]
    });
    assert_eq!(answer.json(), expected);
}

#[actix_web::test]
async fn a_dry_run_returns_the_list_as_it_would_be() {
    let api = over(Products::from_iter([allocated()]));
    let answer = post(&api, "/pick-lists?dry_run=true", r#"{"pick_list_id": "P 1", "max_lines": 1}"#).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (200, None));
    assert_eq!((&answer.json()["status"], &answer.json()["lines"][0]["qty"]), (&json!("open"), &json!(20)));
}

#[actix_web::test]
async fn a_list_without_an_id_gets_one() {
    let api = over(Products::from_iter([allocated()]));
    let answer = post(&api, "/pick-lists", r#"{"order_ids": ["O-2", "O-9"], "skus": ["RED-CHAIR"]}"#).await;
    let made = answer.json();
    let name = made["pick_list_id"].as_str().unwrap();
    assert!(name.starts_with("PL-20270115-080000-") && name.len() == 27, "{name}");
    assert_eq!(answer.header("location").unwrap(), format!("/pick-lists/{name}"));
    assert_eq!(made["lines"][0]["order_id"], "O-2");
    assert_eq!(made["lines"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn an_existing_list_is_returned_unchanged() {
    for same in [r#"{"pick_list_id": "P-1"}"#, r#"{"pick_list_id": "P-1", "max_lines": 1000}"#] {
        let answer = post(&over(listed()), "/pick-lists", same).await;
        assert_eq!((answer.status.as_u16(), answer.json()["lines"].as_array().unwrap().len()), (200, 2));
    }
}

#[actix_web::test]
async fn a_list_id_with_other_criteria_is_a_conflict() {
    for more in [r#""references": ["B-1"]"#, r#""skus": ["RED-CHAIR"]"#, r#""order_ids": ["O-1"]"#, r#""max_lines": 7"#]
    {
        let answer = post(&over(listed()), "/pick-lists", format!(r#"{{"pick_list_id": "P-1", {more}}}"#)).await;
        assert_eq!(answer.status, 409);
        let problem = answer.problem("pick-list-already-exists");
        assert_eq!(problem["detail"], "Pick list P-1 exists already with other content");
    }
}

#[actix_web::test]
async fn nothing_to_pick_is_a_conflict() {
    let answer = post(&over(listed()), "/pick-lists", "{}").await;
    assert_eq!(answer.status, 409);
    answer.problem("nothing-to-pick");
}

#[actix_web::test]
async fn all_errors_of_a_list_request_are_reported() {
    let body = r#"{"pick_list_id": null, "references": [], "skus": ["LAMP", " ", 7], "order_ids": "O-1", "max_lines": 1001,
                   "lines": 3}"#;
    let errors = post(&Ports::new().api(), "/pick-lists", body).await.errors();
    let expected = [
        ("/pick_list_id", "must be a string, not null"),
        ("/references", "must have from 1 to 1000 elements, not 0"),
        ("/skus/1", "must not begin or end with white space"),
        ("/skus/2", "must be a string, not a number"),
        ("/order_ids", "must be an array of strings, not a string"),
        ("/max_lines", "must be an integer from 1 to 1000"),
        ("/lines", "is not known; known are pick_list_id, references, skus, order_ids, max_lines"),
    ];
    assert_eq!(errors, expected.map(|(place, detail)| (place.to_owned(), detail.to_owned())));
    for max_lines in ["0", "-1", "1.5", "\"7\"", "null"] {
        let answer = post(&Ports::new().api(), "/pick-lists", format!("{{\"max_lines\": {max_lines}}}")).await;
        assert_eq!(answer.places(), ["/max_lines"], "{max_lines}");
    }
}

#[actix_web::test]
async fn a_line_is_picked_whole() {
    let answer = post(&over(listed()), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 20}"#).await;
    let expected = json!({
        "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 20, "status": "picked", "picked": 20
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
}

#[actix_web::test]
async fn the_replacement_of_short_picked_units_is_listed() {
    let answer = post(&over(listed()), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 0}"#).await;
    let expected = json!({
        "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 20, "status": "missing", "picked": 0,
        "missing": 20, "reallocated": [{ "reference": "B-3", "qty": 20, "eta": null }], "backordered": 0
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
}

#[actix_web::test]
async fn the_backorder_of_a_line_is_described() {
    let mut product = chairs(&["B-1"]);
    product.allocate(&order("O-1"), quantity(20), now()).unwrap();
    let mut shop = Products::from_iter([product]);
    shop.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    let short = post(&over(shop), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 17}"#).await.json();
    assert_eq!((&short["missing"], &short["reallocated"], &short["backordered"]), (&3.into(), &json!([]), &3.into()));
}

#[actix_web::test]
async fn a_pick_is_corrected_until_it_is_shipped() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::new(18).unwrap(), now()).unwrap();
    for uri in ["/pick-lists/P-1/lines/1/pick", "/pick-lists/P-1/lines/1/pick?dry_run=true"] {
        let fewer = post(&over(shop.clone()), uri, r#"{"qty": 15}"#).await.json();
        assert_eq!((&fewer["picked"], &fewer["missing"], &fewer["status"]), (&15.into(), &3.into(), &"picked".into()));
        let more = post(&over(shop.clone()), uri, r#"{"qty": 20}"#).await.json();
        assert_eq!((&more["picked"], more.get("missing"), more.get("put_back")), (&20.into(), None, None));
    }
    shop.close(&order("O-1"), now()).unwrap();
    let unwanted = post(&over(shop.clone()), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 20}"#).await.json();
    assert_eq!((&unwanted["picked"], &unwanted["put_back"]), (&18.into(), &2.into()));
    shop.ship(&list_id("P-1"), OpenLines::Release).unwrap();
    let shipped = post(&over(shop), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 20}"#).await;
    assert_eq!(
        shipped.problem("already-shipped")["detail"],
        "18 units of line 1 of pick list P-1 were shipped, so its report cannot be corrected to 20"
    );
}

#[actix_web::test]
async fn found_units_that_are_not_missing_any_more_are_a_conflict() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::ZERO, now()).unwrap();
    shop.cancel(&order("O-1"), now()).unwrap();
    shop.get_mut(&sku("RED-CHAIR")).unwrap().remove_batch(&reference("B-1"), now()).unwrap();
    let refused = post(&over(shop), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 4}"#).await;
    assert_eq!(refused.problem("not-missing")["detail"], "Batch B-1 has 0 missing units, not 4");
}

#[actix_web::test]
async fn picked_units_are_put_back_in_total() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::new(18).unwrap(), now()).unwrap();
    let uri = "/pick-lists/P-1/lines/1/put-back";
    for (uri, body) in
        [(uri, r#"{"qty": 5}"#), ("/pick-lists/P-1/lines/1/put-back?dry_run=true", r#"{"qty": 5, "reason": "wet"}"#)]
    {
        let back = post(&over(shop.clone()), uri, body).await;
        assert_eq!(
            (back.status.as_u16(), &back.json()["picked"], &back.json()["put_back"]),
            (200, &13.into(), &5.into())
        );
    }
    shop.put_back(&first_line(), quantity(5), None, now()).unwrap();
    let again = post(&over(shop.clone()), uri, r#"{"qty": 5}"#).await.json();
    assert_eq!((&again["picked"], &again["put_back"]), (&13.into(), &5.into()), "a repeat");
    let all = post(&over(shop.clone()), uri, r#"{"qty": 18}"#).await.json();
    assert_eq!((&all["status"], &all["picked"], &all["put_back"]), (&"withdrawn".into(), &0.into(), &18.into()));
    let many = post(&over(shop.clone()), uri, r#"{"qty": 19}"#).await;
    assert_eq!(
        many.problem("more-than-picked")["detail"],
        "18 units of line 1 of pick list P-1 were found, so 19 cannot be put back"
    );
    let few = post(&over(shop.clone()), uri, r#"{"qty": 4}"#).await;
    assert_eq!(few.problem("already-put-back")["status"], 409);
    let below = post(&over(shop.clone()), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 4}"#).await;
    assert_eq!(below.problem("already-put-back")["status"], 409);
    shop.ship(&list_id("P-1"), OpenLines::Release).unwrap();
    assert_eq!(post(&over(shop), uri, r#"{"qty": 6}"#).await.problem("already-shipped")["status"], 409);
    assert_eq!(post(&over(listed()), "/pick-lists/P-1/lines/9/put-back", r#"{"qty": 6}"#).await.status, 404);
}

#[actix_web::test]
async fn every_error_of_a_report_is_reported() {
    let body = r#"{"qty": 0, "reason": " ", "x": 1}"#;
    let answer = post(&Ports::new().api(), "/pick-lists/%20/lines/0/put-back?dry_run=1", body).await;
    assert_eq!(answer.places(), ["dry_run", "pick_list_id", "line", "/qty", "/reason", "/x"]);
    let answer = post(&Ports::new().api(), "/pick-lists/P/lines/1/pick?dry_run=1", r#"{"qty": -1}"#).await;
    assert_eq!(answer.places(), ["dry_run", "/qty"]);
}

#[actix_web::test]
async fn a_line_is_picked_once() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::new(18).unwrap(), now()).unwrap();
    let api = over(shop);
    let again = post(&api, "/pick-lists/P-1/lines/1/pick", r#"{"qty": 18}"#).await;
    assert_eq!((again.status.as_u16(), &again.json()["picked"], again.json().get("missing")), (200, &18.into(), None));
    delete(&api, "/pick-lists/P-1").await.problem("already-picked");
    delete(&api, "/orders/O-1").await.problem("already-picked");
    delete(&api, "/batch/B-1").await.problem("already-picked");
}

#[actix_web::test]
async fn a_line_that_cannot_be_picked_is_an_error() {
    let api = over(listed());
    let pick = |path: &'static str, body: &'static str| post(&api, path, body);
    let many = pick("/pick-lists/P-1/lines/1/pick", r#"{"qty": 21}"#).await;
    assert_eq!(many.status, 409);
    many.problem("more-than-to-pick");
    pick("/pick-lists/P-1/lines/9/pick", r#"{"qty": 1}"#).await.problem("pick-line-not-found");
    pick("/pick-lists/P-2/lines/1/pick", r#"{"qty": 1}"#).await.problem("pick-line-not-found");
    let mut shop = listed();
    shop.cancel(&order("O-1"), now()).unwrap();
    let withdrawn = post(&over(shop), "/pick-lists/P-1/lines/1/pick", r#"{"qty": 20}"#).await;
    assert_eq!(withdrawn.status, 409);
    withdrawn.problem("pick-line-withdrawn");
}

#[actix_web::test]
async fn all_errors_of_a_pick_are_reported() {
    let api = Ports::new().api();
    let answer = post(&api, "/pick-lists/%20P/lines/0/pick?x=1", r#"{"qty": -1, "found": 2}"#).await;
    assert_eq!(answer.places(), ["x", "pick_list_id", "line", "/qty", "/found"]);
    for line in ["x", "+1", "1.0", "4294967296", "2147483648", "%31"] {
        let answer = post(&api, &format!("/pick-lists/P/lines/{line}/pick"), r#"{"qty": 1}"#).await;
        assert_eq!(answer.places(), ["line"], "{line}");
    }
}

#[actix_web::test]
async fn a_list_is_shipped_once_all_lines_are_picked() {
    let mut shop = listed();
    let unpicked = post(&over(shop.clone()), "/pick-lists/P-1/ship", "{}").await;
    assert_eq!((unpicked.status.as_u16(), &unpicked.problem("not-picked")["lines"]), (409, &json!([1, 2])));
    for (line, units) in [(1, 20), (2, 0)] {
        let id = PickLineId { line, ..first_line() };
        shop.pick(&id, Units::new(units).unwrap(), now()).unwrap();
    }
    let shipped = send(&over(shop), TestRequest::post().uri("/pick-lists/P-1/ship")).await;
    let lines: Vec<_> = shipped.json()["lines"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!((shipped.status.as_u16(), lines), (200, vec!["shipped".into(), "missing".into()]));
    post(&over(listed()), "/pick-lists/P-9/ship", "{}").await.problem("pick-list-not-found");
}

#[actix_web::test]
async fn open_lines_are_released_with_a_shipment_on_request() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::new(20).unwrap(), now()).unwrap();
    for body in ["", "{}", r#"{"open": "refuse"}"#] {
        let refused = post(&over(shop.clone()), "/pick-lists/P-1/ship", body).await;
        assert_eq!(refused.problem("not-picked")["lines"], json!([2]), "{body}");
    }
    for uri in ["/pick-lists/P-1/ship", "/pick-lists/P-1/ship?dry_run=true"] {
        let shipped = post(&over(shop.clone()), uri, r#"{"open": "release"}"#).await.json();
        let lines: Vec<_> = shipped["lines"].as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
        assert_eq!((&shipped["status"], lines), (&json!("shipped"), vec!["shipped".into(), "withdrawn".into()]));
    }
    let nothing = post(&over(listed()), "/pick-lists/P-1/ship", r#"{"open": "release"}"#).await;
    assert_eq!(nothing.problem("nothing-picked")["status"], 409);
}

#[actix_web::test]
async fn every_error_of_a_shipment_is_reported() {
    let answer = post(&Ports::new().api(), "/pick-lists/%20/ship?dry_run=1&y=1", r#"{"open": "keep", "x": 1}"#).await;
    assert_eq!(answer.places(), ["dry_run", "y", "pick_list_id", "/open", "/x"]);
    assert_eq!(answer.errors()[3].1, "must be one of refuse, release");
}

#[actix_web::test]
async fn a_released_list_has_nothing_to_ship() {
    for uri in ["/pick-lists/P-1", "/pick-lists/P-1?dry_run=true"] {
        assert_eq!(delete(&over(listed()), uri).await.status, 204);
    }
    let mut shop = listed();
    shop.release_pick_list(&list_id("P-1")).unwrap();
    let api = over(shop);
    assert_eq!(delete(&api, "/pick-lists/P-1").await.status, 204, "a repeat");
    post(&api, "/pick-lists/P-1/ship", "{}").await.problem("nothing-picked");
    delete(&api, "/pick-lists/P-9").await.problem("pick-list-not-found");
}

#[actix_web::test]
async fn a_line_that_is_not_picked_is_released() {
    let mut shop = listed();
    let released = delete(&over(shop.clone()), "/pick-lists/P-1/lines/1").await;
    assert_eq!((released.status.as_u16(), released.body.len()), (204, 0));
    shop.release_pick_line(&first_line()).unwrap();
    let api = over(shop.clone());
    assert_eq!(delete(&api, "/pick-lists/P-1/lines/1").await.status, 204, "a repeat");
    for unknown in ["/pick-lists/P-1/lines/9", "/pick-lists/P-9/lines/1"] {
        assert_eq!(delete(&api, unknown).await.status, 404);
        delete(&api, unknown).await.problem("pick-line-not-found");
    }
    shop.pick(&PickLineId { line: 2, ..first_line() }, Units::new(1).unwrap(), now()).unwrap();
    let picked = delete(&over(shop), "/pick-lists/P-1/lines/2").await;
    assert_eq!(picked.status, 409);
    assert_eq!(picked.problem("already-picked")["detail"], "Units of line 2 of pick list P-1 were picked");
    let wrong = delete(&Ports::new().api(), "/pick-lists/%20P/lines/0?dry_run=1&x=1").await;
    assert_eq!(wrong.places(), ["dry_run", "x", "pick_list_id", "line"]);
}

#[actix_web::test]
async fn a_list_has_the_format_that_the_client_accepts() {
    let mut shop = listed();
    shop.pick(&first_line(), Units::new(18).unwrap(), now()).unwrap();
    let api = showing(&shop);
    let json = get(&api, "/pick-lists/P-1").await;
    assert_eq!((json.header("content-type"), json.header("vary")), (Some("application/json"), Some("Accept")));
    assert_eq!(json.json()["lines"][0]["picked"], 18);

    let csv = shown_as(&api, "text/csv").await;
    let expected = "\u{feff}line,reference,sku,order_id,qty,status,picked\r\n\
                    1,B-1,RED-CHAIR,O-1,20,picked,18\r\n2,B-2,RED-CHAIR,O-2,3,open,\r\n";
    assert_eq!((csv.body.as_ref(), csv.header("vary")), (expected.as_bytes(), Some("Accept")));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));

    let html = shown_as(&api, "text/html, */*;q=0.8").await;
    let page = std::str::from_utf8(&html.body).unwrap();
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(page.matches("type=\"checkbox\"").count(), 1, "open lines can be ticked off");
    assert!(page.contains("@media print") && !page.contains("src="));
    for link in page.split("href=\"").skip(1) {
        assert!(link.starts_with("?format="), "{link}");
    }

    let refused = shown_as(&api, "application/pdf").await;
    assert_eq!((refused.status.as_u16(), refused.header("vary")), (406, Some("Accept")));
    refused.problem("not-acceptable");
    get(&api, "/pick-lists/P-2").await.problem("pick-list-not-found");
}

#[actix_web::test]
async fn the_format_parameter_overrides_the_accept_header() {
    let api = showing(&listed());
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let ask = async |query: &str| {
        let request = TestRequest::get().uri(&format!("/pick-lists/P-1{query}"));
        send(&api, request.insert_header((ACCEPT, browser))).await
    };
    for (query, media_type) in [
        ("", "text/html; charset=utf-8"),
        ("?format=html", "text/html; charset=utf-8"),
        ("?format=csv", "text/csv; charset=utf-8; header=present"),
        ("?format=csv&raw=true", "text/csv; charset=utf-8; header=present"),
        ("?format=json", "application/json"),
        ("?format=json&raw=false", "application/json"),
    ] {
        let answer = ask(query).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(media_type)), "{query}");
    }
    assert_eq!(ask("?format=pdf").await.places(), ["format"]);
    assert_eq!(ask("?format=CSV&raw=1&x=2").await.places(), ["format", "raw", "x"]);
    for query in ["?raw=true", "?format=json&raw=true", "?format=html&raw=true"] {
        assert_eq!(ask(query).await.places(), ["raw"], "{query}");
    }
}

#[actix_web::test]
async fn the_page_links_to_every_format() {
    let api = showing(&listed());
    let html = shown_as(&api, "text/html").await;
    let page = std::str::from_utf8(&html.body).unwrap();
    let links: Vec<_> = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links, ["?format=csv", "?format=csv&amp;raw=true", "?format=json"]);
    for link in links {
        let link = format!("/pick-lists/P-1{}", link.replace("&amp;", "&"));
        assert_eq!(get(&api, &link).await.status, 200, "{link}");
    }
}

#[actix_web::test]
async fn raw_values_are_unchanged_names() {
    let name = "=1;@2,\"3\"";
    let mut product = Product::new(sku(name));
    let batch = allocation_domain::BatchReference::parse(name).unwrap();
    product.add_batch(NewBatch::new(batch, quantity(3), allocation_domain::Eta::InStock), now()).unwrap();
    product.allocate(&order(name), quantity(3), now()).unwrap();
    let mut shop = Products::from_iter([product]);
    shop.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    let api = showing(&shop);
    let header = "line,reference,sku,order_id,qty,status,picked\r\n";
    let (raw, guarded) = (r#""=1;@2,""3""""#, r#""'=1;'@2,""3""""#);
    let rows = |name: &str| format!("{header}1,{name},{name},{name},3,open,\r\n");
    assert_eq!(get(&api, "/pick-lists/P-1?format=csv&raw=true").await.body, rows(raw));
    assert_eq!(get(&api, "/pick-lists/P-1?format=csv").await.body, format!("\u{feff}{}", rows(guarded)));
}

#[actix_web::test]
async fn names_cannot_break_out_of_a_page_or_a_table() {
    let mut product = Product::new(sku("=cmd|' /C calc'!A0"));
    let batch = allocation_domain::BatchReference::parse("<script>alert(1)</script>").unwrap();
    product.add_batch(NewBatch::new(batch, quantity(3), allocation_domain::Eta::InStock), now()).unwrap();
    product.allocate(&order("say \"hi\", you"), quantity(3), now()).unwrap();
    let mut shop = Products::from_iter([product]);
    shop.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    let api = showing(&shop);
    let csv = shown_as(&api, "text/csv").await;
    let row = "1,<script>alert(1)</script>,'=cmd|' /C calc'!A0,\"say \"\"hi\"\", you\",3,open,\r\n";
    assert!(std::str::from_utf8(&csv.body).unwrap().ends_with(row), "{:?}", csv.body);
    let html = shown_as(&api, "text/html").await;
    let page = std::str::from_utf8(&html.body).unwrap();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("say &quot;hi&quot;, you"));
}

#[actix_web::test]
async fn lists_are_listed_by_status_a_page_at_a_time() {
    let mut ports = Ports::new();
    ports.queries.expect_pick_lists().times(1).returning(|filter, after, size| {
        let open = PickListFilter { status: Some(PickListStatus::Open) };
        assert_eq!((filter, after, size), (&open, None, PageSize::new(1).unwrap()));
        let counts = PickListCounts { lines: 3, open: 1, picked: 2, shipped: 0 };
        let list = PickListSummary { list_id: list_id("P-1"), created_at: now(), counts };
        Ok(PickListPage { lists: vec![list], next: Some(list_id("P-1")) })
    });
    ports.queries.expect_pick_lists().times(1).returning(|_, after, _| {
        assert_eq!(after, Some(list_id("P-1")));
        Ok(PickListPage::default())
    });
    let api = ports.api();
    let first = get(&api, "/pick-lists?status=open&limit=1").await;
    let expected = json!([{
        "pick_list_id": "P-1", "status": "open", "created_at": "2027-01-15T08:00:00.123456Z", "line_count": 3,
        "open_count": 1
    }]);
    assert_eq!(first.json(), expected);
    assert!(first.next().starts_with("/pick-lists?status=open&limit=1&after="));
    let last = get(&api, first.next()).await;
    assert_eq!((last.json(), last.header("link")), (json!([]), None));
    let wrong = get(&api, "/pick-lists?status=lost&limit=0&after=x&sku=LAMP").await;
    assert_eq!(wrong.places(), ["status", "limit", "after", "sku"]);
}

#[actix_web::test]
async fn an_unavailable_database_is_reported() {
    let api = Ports::failing(|| StoreError::Unavailable(crate::testing::secret())).api();
    for answer in [
        post(&api, "/pick-lists", "{}").await,
        get(&api, "/pick-lists").await,
        get(&api, "/pick-lists/P-1").await,
        delete(&api, "/pick-lists/P-1").await,
        delete(&api, "/pick-lists/P-1/lines/1").await,
        post(&api, "/pick-lists/P-1/ship", "{}").await,
        post(&api, "/pick-lists/P-1/lines/1/pick", r#"{"qty": 1}"#).await,
    ] {
        assert_eq!(answer.status, 503);
        answer.problem("database-unavailable");
    }
}
