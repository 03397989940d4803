use crate::testing::{Ports, get, secret};
use allocation_ports::{SchemaState, StoreError};
use chrono::TimeDelta;
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
async fn a_clock_that_is_off_is_not_ready_and_says_by_how_much() {
    let with_clock = |ahead: TimeDelta| {
        let mut ports = Ports::new();
        ports.readiness.expect_schema().returning(|| Ok(SchemaState::Current));
        ports.readiness.expect_clock_ahead().returning(move || ahead);
        ports.api()
    };
    for (ahead, detail) in [
        (TimeDelta::seconds(3_600), "The clock is off by 3,600 s: ahead of that of the database"),
        (TimeDelta::milliseconds(-2_001), "The clock is off by 2 s: behind that of the database"),
        (TimeDelta::days(-3_650), "The clock is off by 315,360,000 s: behind that of the database"),
    ] {
        let answer = get(&with_clock(ahead), "/readyz").await;
        assert_eq!(answer.status, 503);
        answer.problem("clock-off");
        assert_eq!(answer.json()["detail"], detail);
    }
    for ahead in [TimeDelta::seconds(2), TimeDelta::seconds(-2), TimeDelta::zero()] {
        assert_eq!(get(&with_clock(ahead), "/readyz").await.status, 200);
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
