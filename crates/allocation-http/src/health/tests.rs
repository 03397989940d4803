use crate::testing::{Ports, get};
use allocation_ports::{FailedCheck, ReplicationLag};
use chrono::TimeDelta;
use serde_json::json;

#[actix_web::test]
async fn a_responding_process_is_alive() {
    let answer = get(&Ports::new().api(), "/livez").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
}

#[actix_web::test]
async fn a_service_without_failed_checks_is_ready() {
    let answer = get(&Ports::with_failed_checks(Vec::new()).api(), "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
}

#[actix_web::test]
async fn a_standby_reports_its_replication_lag() {
    let age = ReplicationLag::Age(TimeDelta::milliseconds(1_500));
    for (lag, body) in [
        (age, json!({"status": "ok", "replication_lag_seconds": 1.5})),
        (ReplicationLag::Unknown, json!({"status": "ok", "replication_lag": "unknown"})),
    ] {
        assert_eq!(get(&Ports::lagging(lag).api(), "/readyz").await.json(), body);
    }
}

#[actix_web::test]
async fn failed_checks_are_listed_under_the_most_severe_problem() {
    let failed = |names: &[&'static str]| names.iter().map(|name| FailedCheck::new(name, "It fails")).collect();
    let (database, schema, sequencer) = (FailedCheck::DATABASE, FailedCheck::SCHEMA, FailedCheck::SEQUENCER);
    for (names, problem) in [
        (&[schema][..], "schema-not-current"),
        (&[sequencer], "not-ready"),
        (&[FailedCheck::STARTING], "not-ready"),
        (&[FailedCheck::CLOCK], "clock-off"),
        (&[FailedCheck::CLOCK, sequencer], "not-ready"),
        (&[sequencer, schema, FailedCheck::THREADS], "schema-not-current"),
        (&[schema, database, sequencer], "database-unavailable"),
    ] {
        let answer = get(&Ports::with_failed_checks(failed(names)).api(), "/readyz").await;
        assert_eq!(answer.status, 503);
        let body = answer.problem(problem);
        let checks: Vec<_> = names.iter().map(|name| json!({"name": name, "detail": "It fails"})).collect();
        assert_eq!(body["checks"], json!(checks));
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
}

#[actix_web::test]
async fn parameters_that_probes_add_are_ignored() {
    let api = Ports::with_failed_checks(Vec::new()).api();
    for path in ["/livez?x", "/livez?x=1&x=%", "/readyz?x=1", "/readyz?_=1700000000"] {
        assert_eq!(get(&api, path).await.status, 200, "{path}");
    }
}
