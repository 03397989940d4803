use super::Kind;
use crate::BlockingLimits;
use crate::testing::{Ports, chairs, delete, get, holding, patch, post, secret, send};
use actix_web::test::TestRequest;
use allocation_ports::{ProgramTooOld, StoreError};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

const LINE: &str = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10}"#;
const ORDER: &str = r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 10}]}"#;
const HOLD: &str = r#"{"hold_seconds": 60}"#;
const CHANGE: &str = r#"{"eta": null}"#;
const BATCH: &str = r#"{"reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20}"#;

#[test]
fn every_type_has_a_unique_name_and_title() {
    let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let titles: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.title()).collect();
    assert_eq!((names.len(), titles.len()), (Kind::ALL.len(), Kind::ALL.len()));
    for kind in Kind::ALL {
        assert!(kind.status().is_client_error() || kind.status().is_server_error());
        assert_eq!(kind.retry_after().is_some(), matches!(kind.status().as_u16(), 429 | 503));
        assert!(kind.description().ends_with('.') && !kind.description().contains("  "), "{}", kind.description());
    }
}

#[actix_web::test]
async fn an_unknown_path_is_a_problem_whatever_the_method() {
    let api = Ports::new().api();
    for path in ["/nothing", "/batch/", "/batch/a/b", "//", "/allocations/O-1/batch", "/batch/B-1/", "/%FF", "/%"] {
        for request in [TestRequest::get(), TestRequest::post(), TestRequest::delete(), TestRequest::patch()] {
            let answer = send(&api, request.uri(path)).await;
            assert_eq!(answer.status, 404, "{path}");
            answer.problem("not-found");
        }
    }
}

/// Sends every request that uses the store.
async fn ask_for_all(error: fn() -> StoreError) -> Vec<crate::testing::TestResponse> {
    let api = Ports::failing(error).api();
    vec![
        post(&api, "/allocations", LINE).await,
        post(&api, "/batch", BATCH).await,
        get(&api, "/batch").await,
        get(&api, "/batch/B-1").await,
        delete(&api, "/batch/B-1").await,
        get(&api, "/allocations").await,
        delete(&api, "/allocations/O-1/batch/B-1").await,
        post(&api, "/orders", ORDER).await,
        get(&api, "/orders").await,
        get(&api, "/orders/O-1").await,
        delete(&api, "/orders/O-1").await,
        post(&api, "/orders/O-1/confirm", "").await,
        post(&api, "/orders/O-1/extend", HOLD).await,
        get(&api, "/orders/O-1/history").await,
        get(&api, "/backorders").await,
        patch(&api, "/batch/B-1", CHANGE).await,
        get(&api, "/products").await,
        get(&api, "/products/LAMP").await,
        get(&api, "/products/LAMP/availability").await,
    ]
}

#[actix_web::test]
async fn every_failure_of_the_store_has_its_problem_and_shows_no_cause() {
    type Case = (fn() -> StoreError, u16, &'static str, Option<&'static str>);
    let cases: [Case; 7] = [
        (|| StoreError::Conflict(secret()), 503, "database-busy", Some("1")),
        (|| StoreError::Busy(secret()), 503, "database-busy", Some("1")),
        (|| StoreError::ConnectionLost(secret()), 503, "database-unavailable", Some("5")),
        (|| StoreError::Unavailable(secret()), 503, "database-unavailable", Some("5")),
        (|| StoreError::OutcomeUnknown(secret()), 503, "database-unavailable", Some("5")),
        (|| StoreError::invariant("batches_not_oversold", secret()), 500, "internal-error", None),
        (|| StoreError::Failed(secret()), 500, "internal-error", None),
    ];
    for (error, status, name, retry_after) in cases {
        for answer in ask_for_all(error).await {
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (status, retry_after));
            answer.problem(name);
            let text = format!("{:?}{:?}", answer.headers, answer.body);
            assert!(
                !text.contains("oversold")
                    && !text.contains("UPDATE")
                    && !text.contains("/var/lib")
                    && !text.contains("StoreError"),
                "{text}"
            );
        }
    }
}

#[actix_web::test]
async fn a_write_to_a_schema_that_shuts_the_program_out_has_its_own_problem() {
    let api = Ports::failing(|| StoreError::Unavailable(ProgramTooOld { oldest: 2, own: 1 }.into())).api();
    for answer in [
        post(&api, "/allocations", LINE).await,
        delete(&api, "/allocations/O-1/batch/B-1").await,
        post(&api, "/batch", BATCH).await,
        patch(&api, "/batch/B-1", CHANGE).await,
        delete(&api, "/batch/B-1").await,
        post(&api, "/orders", ORDER).await,
        delete(&api, "/orders/O-1").await,
        post(&api, "/orders/O-1/confirm", "").await,
        post(&api, "/orders/O-1/extend", HOLD).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
        answer.problem("schema-not-current");
    }
}

#[actix_web::test]
async fn a_panic_is_a_problem_too() {
    let mut ports = Ports::new();
    ports.queries.expect_batch().returning(|_, _| panic!("an error of the program"));
    let answer = get(&ports.api(), "/batch/B-1").await;
    assert_eq!(answer.status, 500);
    answer.problem("internal-error");
}

#[actix_web::test]
async fn an_engine_that_is_shut_down_has_its_own_problem() {
    let (api, engine) = Ports::with_units(holding(chairs(&["B-1"]))).api_and_engine();
    actix_web::web::block(move || engine.shut_down()).await.unwrap();
    for answer in [post(&api, "/allocations", LINE).await, post(&api, "/orders", ORDER).await] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
        answer.problem("shutting-down");
    }
}

#[actix_web::test]
async fn a_full_queue_of_blocking_work_is_overload() {
    let mut ports = Ports::new();
    ports.limits = BlockingLimits { running: 0, waiting: 0, ..ports.limits };
    let api = ports.api();
    let answers = [
        post(&api, "/batch", BATCH).await,
        get(&api, "/batch").await,
        get(&api, "/batch/B-1").await,
        delete(&api, "/batch/B-1").await,
        get(&api, "/allocations").await,
        delete(&api, "/allocations/O-1/batch/B-1").await,
        get(&api, "/orders").await,
        get(&api, "/orders/O-1").await,
        delete(&api, "/orders/O-1").await,
        post(&api, "/orders/O-1/confirm", "").await,
        post(&api, "/orders/O-1/extend", HOLD).await,
        get(&api, "/orders/O-1/history").await,
        get(&api, "/backorders").await,
        patch(&api, "/batch/B-1", CHANGE).await,
        get(&api, "/products").await,
        get(&api, "/products/LAMP").await,
        get(&api, "/products/LAMP/availability").await,
    ];
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
        answer.problem("overloaded");
    }
    assert_eq!(get(&api, "/livez").await.status, 200);
    assert_eq!(get(&api, "/readyz").await.status, 200, "a replica in a rush is ready all the same");
}

#[actix_web::test]
async fn a_full_queue_of_the_engine_is_overload() {
    let slow = holding(chairs(&["B-1"]));
    let api = Ports::with_units(move || {
        std::thread::sleep(Duration::from_millis(300));
        slow()
    })
    .api();
    // One line runs and one waits; of the other three, at least one exceeds the limit.
    let requests = (0..5).map(|number| match number {
        4 => post(&api, "/orders", ORDER),
        _ => post(&api, "/allocations", LINE),
    });
    let answers = join_all(requests).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
    assert!(!served.is_empty() && refused.len() >= 3, "{}", refused.len());
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
        answer.problem("overloaded");
    }
}
