use crate::testing::{Ports, batch, get, send};
use actix_web::http::Method;
use actix_web::test::TestRequest;
use allocation_domain::Availability;
use allocation_ports::OrderPage;

#[actix_web::test]
async fn an_unsupported_method_gets_the_list_of_supported_ones() {
    let api = Ports::new().api();
    let cases = [
        ("/allocations", "POST, GET, HEAD"),
        ("/allocations/O-1/batch/B-1", "DELETE"),
        ("/batch", "POST, GET, HEAD"),
        ("/batch/B-1", "GET, HEAD, PATCH, DELETE"),
        ("/orders", "POST, GET, HEAD"),
        ("/orders/O-1", "GET, HEAD, PATCH, DELETE"),
        ("/orders/O-1/lines/LAMP", "DELETE"),
        ("/orders/O-1/confirm", "POST"),
        ("/orders/O-1/extend", "POST"),
        ("/orders/O-1/history", "GET, HEAD"),
        ("/backorders", "GET, HEAD"),
        ("/products", "GET, HEAD"),
        ("/products/LAMP", "GET, HEAD, PUT"),
        ("/products/LAMP/availability", "GET, HEAD"),
        ("/livez", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
        ("/problems", "GET, HEAD"),
        ("/problems/validation", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/docs/", "GET, HEAD"),
        ("/docs/swagger-ui.css", "GET, HEAD"),
        ("/redoc", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ];
    for (path, allow) in cases {
        for method in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE, Method::from_bytes(b"BREW").unwrap()]
        {
            if allow.split(", ").any(|known| known == method.as_str()) {
                continue;
            }
            let answer = send(&api, TestRequest::default().method(method).uri(path)).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some(allow)), "{path}");
            answer.problem("method-not-allowed");
        }
    }
}

#[actix_web::test]
async fn head_has_the_status_and_headers_of_get() {
    let mut ports = Ports::with_failed_checks(Vec::new());
    ports.queries.expect_batch().returning(|_, _| Ok(Some(batch("B-1"))));
    ports.queries.expect_batches().returning(|_, _, _, _| Ok(Vec::new()));
    ports.queries.expect_allocations().returning(|_, _, _, _| Ok(Vec::new()));
    ports.queries.expect_order().returning(|_| Ok(None));
    ports.queries.expect_orders().returning(|_, _, _, _| Ok(OrderPage::default()));
    ports.queries.expect_history().returning(|_, _, _| Ok(Vec::new()));
    ports.queries.expect_backorders().returning(|_, _, _, _| Ok(Vec::new()));
    ports.queries.expect_products().returning(|_, _, _| Ok(Vec::new()));
    ports.queries.expect_product().returning(|_, _| Ok(None));
    ports.queries.expect_availability().returning(|_, _| Ok(Some(Availability::of([]))));
    let api = ports.api();
    let paths = [
        "/",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/livez",
        "/readyz",
        "/batch",
        "/batch/B-1",
        "/allocations",
        "/orders",
        "/orders/O-1",
        "/orders/O-1/history",
        "/backorders",
        "/products",
        "/products/LAMP",
        "/products/LAMP/availability",
        "/problems",
        "/nothing",
    ];
    for path in paths {
        let (mut get, mut head) =
            (get(&api, path).await, send(&api, TestRequest::default().method(Method::HEAD).uri(path)).await);
        get.headers.remove("x-request-id");
        head.headers.remove("x-request-id");
        assert_eq!((get.status, format!("{:?}", get.headers)), (head.status, format!("{:?}", head.headers)), "{path}");
    }
}
