use crate::testing::{Ports, get, secret};
use allocation_ports::{SchemaState, StoreError};
use serde_json::json;

#[actix_web::test]
async fn a_process_that_answers_is_alive() {
    let answer = get(&Ports::new().api(), "/livez").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
}

#[actix_web::test]
async fn a_current_schema_is_ready() {
    let answer = get(&Ports::with_schema(SchemaState::Current).api(), "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
}

#[actix_web::test]
async fn any_other_schema_is_not_ready() {
    for state in [SchemaState::Older, SchemaState::Newer] {
        let answer = get(&Ports::with_schema(state).api(), "/readyz").await;
        assert_eq!(answer.status, 503);
        answer.problem("schema-not-current");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
}

#[actix_web::test]
async fn a_database_that_does_not_answer_is_not_ready() {
    let answer = get(&Ports::failing(|| StoreError::Unavailable(secret())).api(), "/readyz").await;
    assert_eq!(answer.status, 503);
    answer.problem("database-unavailable");
}

#[actix_web::test]
async fn parameters_that_probes_add_are_ignored() {
    let api = Ports::with_schema(SchemaState::Current).api();
    for path in ["/livez?x", "/livez?x=1&x=%", "/readyz?x=1", "/readyz?_=1700000000"] {
        assert_eq!(get(&api, path).await.status, 200, "{path}");
    }
}
