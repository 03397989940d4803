use crate::testing::{Ports, get, metered, send};
use actix_web::test::TestRequest;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[actix_web::test]
async fn the_format_follows_the_accept_header() {
    let api = metered(Ports::new());
    let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, media_type) in [
        (None, PROMETHEUS),
        (Some("*/*"), PROMETHEUS),
        (Some("text/html"), PROMETHEUS),
        (Some(prometheus), OPENMETRICS),
        (Some("application/openmetrics-text"), OPENMETRICS),
    ] {
        let request = TestRequest::get().uri("/metrics?_=1");
        let request = accept.into_iter().fold(request, |request, accept| request.insert_header(("accept", accept)));
        let answer = send(&api, request).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(media_type)), "{accept:?}");
        let body = std::str::from_utf8(&answer.body).unwrap();
        assert_eq!(body.ends_with("# EOF\n"), media_type == OPENMETRICS);
        assert!(body.contains("\nallocation_database_up 1"), "{body}");
    }
}

#[actix_web::test]
async fn an_api_without_metrics_does_not_know_the_path() {
    assert_eq!(get(&Ports::new().api(), "/metrics").await.status, 404);
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_never_by_name() {
    let mut ports = Ports::new();
    ports.queries.expect_batch().returning(|_, _| Ok(None));
    let api = metered(ports);
    get(&api, "/batch/SECRET-1").await;
    get(&api, "/batch/SECRET-2").await;
    get(&api, "/no/such/SECRET-3").await;
    let body = get(&api, "/metrics").await.body;
    let body = std::str::from_utf8(&body).unwrap();
    for line in [
        r#"_count{http_request_method="GET",http_route="/batch/{reference}",http_response_status_code="404"} 2"#,
        r#"_count{http_request_method="GET",http_route="",http_response_status_code="404"} 1"#,
    ] {
        assert!(body.contains(&format!("http_server_request_duration_seconds{line}")), "{line}\n{body}");
    }
    assert!(body.contains("allocation_http_problems_total{problem=\"batch-not-found\"} 2"), "{body}");
    assert!(!body.contains("SECRET"));
}
