use crate::testing::{Ports, get, now, sku};
use allocation_domain::Totals;
use allocation_ports::{PageSize, ProductTotals};

fn row(name: &str) -> ProductTotals {
    let totals =
        Totals { in_stock: 5, on_its_way: 20, allocated: 14, picked: 0, held: 4, backordered: 1, available: 11 };
    ProductTotals { sku: sku(name), totals }
}

#[actix_web::test]
async fn a_product_is_found_by_its_sku() {
    let mut ports = Ports::new();
    ports.queries.expect_product().returning(|asked, at| {
        assert_eq!((asked, at), (&sku("a/b"), now()));
        Ok(Some(row("a/b")))
    });
    let answer = get(&ports.api(), "/products/a%2Fb").await;
    assert_eq!(answer.status, 200);
    let expected =
        r#"{"sku":"a/b","in_stock":5,"on_its_way":20,"allocated":14,"held":4,"backordered":1,"available":11}"#;
    assert_eq!(answer.body, expected);
}

#[actix_web::test]
async fn picked_units_are_told_where_there_are_any() {
    let mut ports = Ports::new();
    ports.queries.expect_product().returning(|_, _| {
        let totals = Totals { allocated: 11, picked: 3, ..row("LAMP").totals };
        Ok(Some(ProductTotals { totals, ..row("LAMP") }))
    });
    let product = get(&ports.api(), "/products/LAMP").await.json();
    assert_eq!((&product["allocated"], &product["picked"]), (&11.into(), &3.into()));
}

#[actix_web::test]
async fn a_product_that_is_not_there_is_not_found() {
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
async fn pages_of_products_lead_to_each_other() {
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
async fn every_fault_of_a_request_is_told() {
    let api = Ports::new().api();
    assert_eq!(get(&api, "/products?sku=LAMP&limit=0&after=x").await.places(), ["limit", "after", "sku"]);
    assert_eq!(get(&api, "/products/%20?x=1").await.places(), ["x", "sku"]);
}
