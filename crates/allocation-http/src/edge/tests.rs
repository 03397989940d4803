use super::{AllowedHost, BasePath, CorsOrigin, EdgeSettings};
use crate::Api;
use crate::testing::{Ports, TestResponse, batch, chairs, get, holding, json_request, send};
use actix_web::http::Method;
use actix_web::test::TestRequest;

const LINE: &str = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10}"#;

fn api(settings: EdgeSettings) -> Api {
    Ports::with_units(holding(chairs(&["B-1"]))).api().with_edge(settings)
}

/// Returns settings that trust these origins.
fn trusting(origins: &[&str]) -> EdgeSettings {
    let cors_origins = origins.iter().map(|origin| CorsOrigin::parse(origin).unwrap()).collect();
    EdgeSettings { cors_origins, ..EdgeSettings::default() }
}

async fn get_at(api: &Api, path: &str, host: &str) -> TestResponse {
    send(api, TestRequest::get().uri(path).insert_header(("host", host))).await
}

/// Allocates a line in a request with these headers.
async fn allocate(api: &Api, headers: &[(&'static str, &'static str)]) -> TestResponse {
    let mut request = json_request("/allocations", LINE).insert_header(("host", "127.0.0.1:8000"));
    for header in headers {
        request = request.insert_header(*header);
    }
    send(api, request).await
}

#[actix_web::test]
async fn an_unknown_host_is_rejected_with_the_setting_to_change() {
    let api = api(EdgeSettings::default());
    let answer = get_at(&api, "/problems", "evil.example:8000").await;
    assert_eq!(answer.status, 421);
    let detail = "The service is not reached by the name \"evil.example:8000\"; to allow it, start the service with \
        --allowed-host evil.example or ALLOCATION_ALLOWED_HOSTS";
    assert_eq!(answer.problem("host-not-allowed")["detail"], detail);
    for host in ["127.0.0.1:8000", "localhost", "[::1]:8000", "192.168.1.7"] {
        assert_eq!(get_at(&api, "/problems", host).await.status, 200, "{host}");
    }
    assert_eq!(get(&api, "/problems").await.status, 200, "an old client that names no host");
}

#[actix_web::test]
async fn a_configured_host_is_served() {
    let allowed_hosts = vec![AllowedHost::parse("shop.example").unwrap()];
    let api = api(EdgeSettings { allowed_hosts, ..EdgeSettings::default() });
    assert_eq!(get_at(&api, "/problems", "shop.example").await.status, 200);
    assert_eq!(get_at(&api, "/problems", "evil.example").await.status, 421);
}

#[actix_web::test]
async fn a_second_host_is_rejected_in_headers_and_in_the_target() {
    let api = api(EdgeSettings::default());
    let twice = TestRequest::get().uri("/problems").insert_header(("host", "localhost"));
    assert_eq!(send(&api, twice.append_header(("host", "localhost"))).await.status, 421);
    let target = TestRequest::get().uri("http://evil.example/problems").insert_header(("host", "localhost"));
    assert_eq!(send(&api, target).await.status, 421);
    let same = TestRequest::get().uri("http://localhost/problems").insert_header(("host", "localhost"));
    assert_eq!(send(&api, same).await.status, 200);
}

#[actix_web::test]
async fn probes_work_under_any_host() {
    let api = Ports::with_failed_checks(Vec::new()).api();
    for path in ["/livez", "/readyz", "/readyz?x=1"] {
        assert_eq!(get_at(&api, path, "evil.example").await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn a_page_of_another_site_changes_nothing() {
    let api = api(EdgeSettings::default());
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:3000")],
        &[("origin", "http://localhost:8000")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:3000")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8000")],
        &[("sec-fetch-site", "nonsense")],
    ] {
        let answer = allocate(&api, headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        answer.problem("cross-site-request");
    }
    for (method, path) in [
        (Method::POST, "/orders/O-1/confirm"),
        (Method::POST, "/pick-lists/P-1/ship"),
        (Method::PATCH, "/batch/B-1"),
        (Method::DELETE, "/orders/O-1"),
        (Method::PUT, "/nothing"),
    ] {
        let request = TestRequest::default().method(method).uri(path).insert_header(("host", "127.0.0.1:8000"));
        let answer = send(&api, request.insert_header(("origin", "https://evil.example"))).await;
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[actix_web::test]
async fn own_pages_and_other_clients_are_served() {
    let api = api(EdgeSettings::default());
    for headers in [
        &[][..],
        &[("origin", "http://127.0.0.1:8000")],
        &[("origin", "https://127.0.0.1:8000")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8000")],
        &[("sec-fetch-site", "none")],
    ] {
        assert_eq!(allocate(&api, headers).await.status, 201, "{headers:?}");
    }
    let read = TestRequest::get().uri("/problems").insert_header(("sec-fetch-site", "cross-site"));
    assert_eq!(send(&api, read).await.status, 200, "a link on another page may lead here");
}

#[actix_web::test]
async fn pages_of_a_configured_origin_use_the_service() {
    let api = api(trusting(&["https://shop.example", "https://other.example"]));
    let page = [("origin", "https://shop.example"), ("sec-fetch-site", "cross-site")];
    let answer = allocate(&api, &page).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("x-request-id"));
    assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));
    let foreign = allocate(&api, &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]).await;
    assert_eq!((foreign.status.as_u16(), foreign.header("access-control-allow-origin")), (403, None));
}

/// Sends the preflight request of a browser.
async fn preflight(api: &Api, origin: &str) -> TestResponse {
    let request = TestRequest::default().method(Method::OPTIONS).uri("/batch/B-1").insert_header(("origin", origin));
    let request = request.insert_header(("host", "127.0.0.1:8000"));
    let request = request.insert_header(("access-control-request-method", "PATCH"));
    send(api, request.insert_header(("access-control-request-headers", "content-type,if-match"))).await
}

#[actix_web::test]
async fn a_preflight_lists_the_permissions_of_other_origins() {
    let api = api(trusting(&["https://shop.example"]));
    let allowed = preflight(&api, "https://shop.example").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://shop.example"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("PATCH"));
    let headers = allowed.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("if-match") && headers.contains("idempotency-key"), "{headers}");
    assert_eq!(preflight(&api, "https://evil.example").await.header("access-control-allow-origin"), None);
}

#[actix_web::test]
async fn without_origins_there_is_no_cors() {
    let api = api(EdgeSettings::default());
    let answer = preflight(&api, "https://shop.example").await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (405, None));
    let read = TestRequest::get().uri("/problems").insert_header(("origin", "https://shop.example"));
    let answer = send(&api, read).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, None));
}

#[actix_web::test]
async fn any_origin_may_be_trusted() {
    let answer = allocate(&api(trusting(&["*"])), &[("origin", "https://any.example")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (201, Some("*")));
}

#[actix_web::test]
async fn no_cache_stores_a_response() {
    let mut ports = Ports::new();
    ports.queries.expect_batch().returning(|_, _| Ok(Some(batch("B-1"))));
    let api = ports.api();
    for path in ["/batch/B-1", "/problems", "/nothing", "/batch/%20", "/livez", "/"] {
        assert_eq!(get(&api, path).await.header("cache-control"), Some("no-store"), "{path}");
    }
    for path in ["/docs", "/openapi.json"] {
        assert_eq!(get(&api, path).await.header("cache-control"), Some("no-cache"), "{path}");
    }
}

fn below(base_path: &str) -> EdgeSettings {
    EdgeSettings { base_path: BasePath::parse(base_path).unwrap(), ..EdgeSettings::default() }
}

/// Asserts that responses carry the prefix `/shop` in their paths.
async fn assert_prefixed(api: &Api, request: impl Fn(TestRequest) -> TestRequest, path: impl Fn(&str) -> String) {
    let read = async |own: &str| send(api, request(TestRequest::get().uri(&path(own)))).await;
    assert_eq!(read("/").await.header("location"), Some("/shop/docs"));
    let new = r#"{"reference": "B-9", "sku": "RED-CHAIR", "purchased_quantity": 1}"#;
    let added = send(api, request(json_request(&path("/batch"), new))).await;
    assert_eq!((added.status.as_u16(), added.header("location")), (201, Some("/shop/batch/B-9")));

    let problem = read("/batch/%20").await;
    assert_eq!((problem.status.as_u16(), &problem.json()["type"]), (422, &"/shop/problems/validation".into()));
    assert_eq!(read("/nothing").await.json()["type"], "/shop/problems/not-found");
    assert_eq!(read("/problems").await.json()[0]["type"], "/shop/problems/validation");
    assert_eq!(read("/problems/not-found").await.json()["type"], "/shop/problems/not-found");

    assert_eq!(read("/openapi.json").await.json()["servers"][0]["url"], "/shop");
    for page in ["/docs", "/docs/", "/redoc"] {
        let page = String::from_utf8(read(page).await.body.to_vec()).unwrap();
        let links: Vec<_> = page.split(['"']).filter(|text| text.starts_with('/')).collect();
        assert!(!links.is_empty() && links.iter().all(|link| link.starts_with("/shop/")), "{links:?}");
        for link in links {
            assert_eq!(read(link.strip_prefix("/shop").unwrap()).await.status, 200, "{link}");
        }
    }
    let script = read("/docs/swagger-initializer.js").await;
    assert!(std::str::from_utf8(&script.body).unwrap().contains(r#""url": "/shop/openapi.json""#));
}

#[actix_web::test]
async fn all_links_have_the_base_path_whether_or_not_the_proxy_strips_it() {
    let api = api(below("/shop"));
    assert_prefixed(&api, |request| request, str::to_owned).await;
    assert_prefixed(&api, |request| request, |path| format!("/shop{path}")).await;
    assert_eq!(get(&api, "/shop").await.header("location"), Some("/shop/docs"));
    assert_eq!(get(&api, "/shop?x=1").await.header("location"), Some("/shop/docs"));
    assert_eq!(get(&api, "/shopping").await.status, 404, "it only begins so");
}

#[actix_web::test]
async fn links_to_further_pages_have_the_prefix() {
    let mut ports = Ports::new();
    ports.queries.expect_batches().returning(|_, _, _, _| Ok(vec![batch("B-1"), batch("B-2")]));
    let api = ports.api().with_edge(below("/shop"));
    assert!(get(&api, "/batch?limit=2").await.next().starts_with("/shop/batch?limit=2&after="));
}

#[actix_web::test]
async fn a_forwarded_prefix_counts_only_if_it_is_trusted() {
    let forwarded = ("x-forwarded-prefix", "/shop");
    let distrusting = api(EdgeSettings::default());
    let answer = send(&distrusting, TestRequest::get().uri("/").insert_header(forwarded)).await;
    assert_eq!(answer.header("location"), Some("/docs"));

    let trusting = api(EdgeSettings { trusts_forwarded_prefix: true, ..EdgeSettings::default() });
    assert_prefixed(&trusting, |request| request.insert_header(forwarded), str::to_owned).await;
    assert_eq!(get(&trusting, "/").await.header("location"), Some("/docs"), "and none is none");
    for wrong in ["shop", "//evil.example", "/a\"b", "/a b", "/..", "https://evil.example"] {
        let answer = send(&trusting, TestRequest::get().uri("/").insert_header(("x-forwarded-prefix", wrong))).await;
        assert_eq!(answer.places(), ["X-Forwarded-Prefix"], "{wrong}");
    }
}

#[actix_web::test]
async fn a_version_of_an_unversioned_resource_is_rejected() {
    let api = api(EdgeSettings::default());
    for version in ["\"1-5f5e100\"", "W/\"x\"", "\"a\", \"b\"", "nonsense"] {
        let refused = allocate(&api, &[("if-match", version)]).await;
        assert_eq!(refused.status, 412, "{version}");
        refused.problem("precondition-failed");
    }
    assert_eq!(allocate(&api, &[("if-match", "*")]).await.status, 201, "whichever there is");
    let read = TestRequest::get().uri("/problems").insert_header(("if-match", "\"x\""));
    assert_eq!(send(&api, read).await.status, 200, "nothing is changed");
}

#[actix_web::test]
async fn a_read_only_server_rejects_every_change_and_serves_reads() {
    let api = Ports::new().api().with_edge(EdgeSettings { is_read_only: true, ..EdgeSettings::default() });
    allocate(&api, &[]).await.problem("read-only");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = send(&api, TestRequest::with_uri("/orders/O-1").method(method.clone())).await;
        assert_eq!(answer.status, 403, "{method}");
        answer.problem("read-only");
    }
    assert_eq!(get(&api, "/problems").await.status, 200);
}
