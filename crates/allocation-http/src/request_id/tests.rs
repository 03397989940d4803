use super::MAX_LENGTH;
use crate::testing::{Ports, send};
use actix_web::test::TestRequest;
use std::collections::BTreeSet;

async fn id_for(given: Option<&[u8]>) -> String {
    let mut request = TestRequest::get().uri("/livez");
    if let Some(given) = given {
        request = request.insert_header(("x-request-id", given));
    }
    send(&Ports::new().api(), request).await.header("x-request-id").unwrap().to_owned()
}

#[actix_web::test]
async fn the_request_id_of_the_client_is_used() {
    let long = "x".repeat(MAX_LENGTH);
    for given in ["1", "my-id/7:\"x\"~!", &long] {
        assert_eq!(id_for(Some(given.as_bytes())).await, given);
    }
}

#[actix_web::test]
async fn an_invalid_id_is_replaced() {
    let long = "x".repeat(MAX_LENGTH + 1);
    for given in [None, Some(""), Some("two words"), Some("tab\there"), Some("é"), Some(&*long)] {
        let id = id_for(given.map(str::as_bytes)).await;
        let uuid = uuid::Uuid::parse_str(&id).unwrap();
        assert_eq!(uuid.get_version_num(), 7, "{id}");
    }
}

#[actix_web::test]
async fn new_ids_are_unique() {
    let mut ids = BTreeSet::new();
    for _ in 0..100 {
        ids.insert(id_for(None).await);
    }
    assert_eq!(ids.len(), 100);
}
