use super::{ASSETS, REDOC, SWAGGER_UI, SWAGGER_UI_FILES};
use crate::testing::{Ports, get, send};
use actix_web::test::TestRequest;

#[actix_web::test]
async fn the_root_redirects_to_the_documentation() {
    let answer = get(&Ports::new().api(), "/").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some("/docs")));
}

#[actix_web::test]
async fn both_documentations_work_with_and_without_a_slash() {
    let api = Ports::new().api();
    for (path, words) in
        [("/docs", "swagger-ui"), ("/docs/", "swagger-ui"), ("/redoc", "<redoc"), ("/redoc/", "<redoc")]
    {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(std::str::from_utf8(&answer.body).unwrap().contains(words));
    }
}

#[actix_web::test]
async fn pages_load_only_from_this_server() {
    let api = Ports::new().api();
    for page in [SWAGGER_UI, REDOC] {
        assert!(!page.contains("://"), "{page}");
        for link in page.split(['"', '\'']).filter(|text| text.starts_with('/')) {
            assert_eq!(get(&api, link).await.status, 200, "{link}");
        }
    }
}

#[actix_web::test]
async fn swagger_ui_is_complete_and_calls_no_validator() {
    let paths: Vec<_> = ASSETS.iter().map(super::Asset::path).collect();
    for file in SWAGGER_UI_FILES {
        assert!(paths.contains(&&*format!("/docs/{file}")), "{file}");
    }
    let answer = get(&Ports::new().api(), "/docs/swagger-initializer.js").await;
    let script = std::str::from_utf8(&answer.body).unwrap();
    assert!(script.contains(r#""url": "/openapi.json""#), "{script}");
    assert!(script.contains(r#""validatorUrl": "none""#), "{script}");
    assert_eq!(answer.header("content-type"), Some("text/javascript"));
}

#[actix_web::test]
async fn the_served_document_is_generated_by_the_code() {
    let answer = get(&Ports::new().api(), "/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, crate::openapi_json());
}

#[actix_web::test]
async fn a_file_that_the_client_has_is_not_modified() {
    let api = Ports::new().api();
    let first = get(&api, "/redoc/redoc.standalone.js").await;
    let tag = first.header("etag").unwrap();
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let request = TestRequest::get().uri("/redoc/redoc.standalone.js").insert_header(("if-none-match", known));
        let answer = send(&api, request).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag"), answer.body.len()), (304, Some(tag), 0));
    }
    let request = TestRequest::get().uri("/redoc/redoc.standalone.js").insert_header(("if-none-match", "\"x\""));
    assert_eq!(send(&api, request).await.status, 200);
}

#[actix_web::test]
async fn an_unknown_file_is_a_problem() {
    for path in ["/docs/nothing.js", "/redoc/nothing.js", "/docs/../Cargo.toml"] {
        let answer = get(&Ports::new().api(), path).await;
        assert_eq!(answer.status, 404);
        answer.problem("not-found");
    }
}
