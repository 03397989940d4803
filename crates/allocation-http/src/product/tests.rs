use crate::testing::{Ports, get, holding, now, send, sku};
use actix_web::test::TestRequest;
use allocation_domain::{Product, ProductState, Promises, Totals};
use allocation_ports::{PageSize, ProductTotals};

fn row(name: &str) -> ProductTotals {
    let totals =
        Totals { in_stock: 5, on_its_way: 20, allocated: 14, picked: 0, held: 4, backordered: 1, available: 11 };
    ProductTotals { sku: sku(name), promises: Promises::Fair, totals }
}

#[actix_web::test]
async fn a_product_is_found_by_its_sku() {
    let mut ports = Ports::new();
    ports.queries.expect_product().returning(|requested, at| {
        assert_eq!((requested, at), (&sku("a/b"), now()));
        Ok(Some(row("a/b")))
    });
    let answer = get(&ports.api(), "/products/a%2Fb").await;
    assert_eq!(answer.status, 200);
    let expected =
        r#"{"sku":"a/b","in_stock":5,"on_its_way":20,"allocated":14,"held":4,"backordered":1,"available":11}"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn picked_units_appear_only_if_there_are_any() {
    let mut ports = Ports::new();
    ports.queries.expect_product().returning(|_, _| {
        let totals = Totals { allocated: 11, picked: 3, ..row("LAMP").totals };
        Ok(Some(ProductTotals { totals, ..row("LAMP") }))
    });
    let product = get(&ports.api(), "/products/LAMP").await.json();
    assert_eq!((&product["allocated"], &product["picked"]), (&11.into(), &3.into()));
}

#[actix_web::test]
async fn an_unknown_product_is_not_found() {
    let mut ports = Ports::new();
    ports.queries.expect_product().returning(|_, _| Ok(None));
    ports.queries.expect_availability().returning(|_, _| Ok(None));
    let api = ports.api();
    for path in ["/products/LAMP", "/products/LAMP/availability?qty=1"] {
        let answer = get(&api, path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem("product-not-found")["detail"], "There is no product LAMP");
    }
}

#[actix_web::test]
async fn pages_of_products_link_to_each_other() {
    let mut ports = Ports::new();
    ports.queries.expect_products().returning(|after, page, at| {
        assert_eq!(at, now());
        Ok(match after {
            None if page == PageSize::new(1).unwrap() => vec![row("A")],
            Some(after) if after == sku("A") => vec![row("B")],
            _ => Vec::new(),
        })
    });
    let api = ports.api();
    let answer = get(&api, "/products?limit=1").await;
    assert!(answer.next().starts_with("/products?limit=1&after="), "{}", answer.next());
    let next = get(&api, answer.next()).await;
    assert_eq!((&next.json()[0]["sku"], next.header("link")), (&"B".into(), None));
    assert_eq!(get(&api, "/products").await.body, "[]");
}

#[actix_web::test]
async fn every_error_of_a_request_is_reported() {
    let api = Ports::new().api();
    assert_eq!(get(&api, "/products?sku=LAMP&limit=0&after=x").await.places(), ["limit", "after", "sku"]);
    assert_eq!(get(&api, "/products/%20?x=1").await.places(), ["x", "sku"]);
}

/// The product as it is read after it was registered.
fn registering(product: Product) -> Ports {
    let mut ports = Ports::with_units(holding(product));
    ports.queries.expect_product().returning(|sku, _| {
        Ok(Some(ProductTotals { sku: sku.clone(), promises: Promises::Fair, totals: Totals::default() }))
    });
    ports
}

fn put(uri: &str) -> TestRequest {
    TestRequest::put().uri(uri)
}

#[actix_web::test]
async fn a_product_is_registered_without_a_body_or_with_an_empty_object() {
    let nothing = r#"{"sku":"a/b","in_stock":0,"on_its_way":0,"allocated":0,"held":0,"backordered":0,"available":0}"#;
    for product in [Product::new(sku("a/b")), Product::restore(ProductState::new(sku("a/b"), 1))] {
        let api = registering(product).api();
        let json = ("content-type", "application/json");
        for request in [put("/products/a%2Fb"), put("/products/a%2Fb").insert_header(json).set_payload("{}")] {
            let answer = send(&api, request).await;
            assert_eq!((answer.status.as_u16(), &answer.body[..]), (201, nothing.as_bytes()));
        }
    }
}

#[actix_web::test]
async fn the_promises_of_a_product_are_set() {
    let known = Product::restore(ProductState::new(sku("LAMP"), 2));
    let mut ports = Ports::with_units(holding(known));
    ports.queries.expect_product().returning(|sku, _| {
        Ok(Some(ProductTotals { sku: sku.clone(), promises: Promises::Stable, totals: Totals::default() }))
    });
    let json = ("content-type", "application/json");
    let set = |body: &'static str| put("/products/LAMP").insert_header(json).set_payload(body);
    let api = ports.api();
    let answer = send(&api, set(r#"{"promises":"stable"}"#)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["promises"]), (200, &"stable".into()));
    assert_eq!(send(&api, set(r#"{"promises":"kept"}"#)).await.places(), ["/promises"]);
}

#[actix_web::test]
async fn an_existing_product_is_returned_unchanged() {
    let known = Product::restore(ProductState::new(sku("LAMP"), 2));
    let answer = send(&registering(known).api(), put("/products/LAMP")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["sku"]), (200, &"LAMP".into()));
}

#[actix_web::test]
async fn members_beside_the_sku_of_a_registration_are_errors() {
    let api = Ports::new().api();
    let json = ("content-type", "application/json");
    let request = put("/products/%C2%AD?x=1").insert_header(json).set_payload(r#"{"name": "Lamp"}"#);
    assert_eq!(send(&api, request).await.places(), ["x", "sku", "/name"]);
    let request = put("/products/LAMP").set_payload("name=Lamp");
    assert_eq!(send(&api, request).await.status, 415);
}
