use crate::testing::{Ports, json_request, logged, secret, send};
use actix_web::test::TestRequest;
use allocation_ports::StoreError;

fn failing(id: &'static str) -> TestRequest {
    TestRequest::get().uri("/batch/B-1?").insert_header(("x-request-id", id))
}

#[actix_web::test]
async fn a_failure_is_logged_once_with_its_whole_chain() {
    let log = logged("failure-1", async {
        let api = Ports::failing(|| StoreError::Failed(std::io::Error::other(secret()).into())).api();
        send(&api, failing("failure-1")).await;
    });
    let errors: Vec<_> = log.await.into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let fields = &errors[0]["fields"];
    assert_eq!(fields["error"], "internal-error: the database failed: UPDATE products SET /var/lib/secret.db");
    assert_eq!((&fields["method"], &fields["path"]), (&"GET".into(), &"/batch/B-1".into()));
    assert_eq!(fields["status"], 500);
}

#[actix_web::test]
async fn a_failure_of_the_engine_is_logged_too() {
    let log = logged("failure-2", async {
        let api = Ports::failing(|| StoreError::Failed(secret())).api();
        let line = json_request("/allocations", r#"{"order_id": "O-1", "sku": "LAMP", "qty": 1}"#);
        send(&api, line.insert_header(("x-request-id", "failure-2"))).await;
    });
    let errors = log.await.into_iter().filter(|line| line["level"] == "ERROR").count();
    assert_eq!(errors, 1);
}

#[actix_web::test]
async fn log_lines_of_blocking_work_carry_the_id() {
    let log = logged("blocking-1", async {
        let mut ports = Ports::new();
        ports.queries.expect_batch().returning(|_, _| {
            tracing::warn!("from the adapter");
            Ok(None)
        });
        send(&ports.api(), failing("blocking-1")).await;
    });
    let log = log.await;
    assert!(log.iter().any(|line| line["fields"]["message"] == "from the adapter"), "{log:?}");
}

#[actix_web::test]
async fn a_request_is_logged_at_debug_and_no_higher() {
    let log = logged("quiet-1", async {
        let request = TestRequest::get().uri("/livez").insert_header(("x-request-id", "quiet-1"));
        send(&Ports::new().api(), request).await;
    });
    let log = log.await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0]["level"], "DEBUG");
    assert_eq!(log[0]["fields"]["status"], 200);
    assert!(log[0]["fields"]["duration_seconds"].is_number());
}

#[actix_web::test]
async fn the_access_log_has_a_line_for_a_sample_of_requests() {
    let log = logged("sampled-1", async {
        let api = Ports::new().api().with_access_log(2);
        for _ in 0..4 {
            send(&api, TestRequest::get().uri("/livez").insert_header(("x-request-id", "sampled-1"))).await;
        }
    });
    let log = log.await;
    let levels: Vec<_> = log.iter().map(|line| line["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["INFO", "DEBUG", "INFO", "DEBUG"]);
    assert_eq!(log[0]["fields"]["path"], "/livez");
}
