use crate::testing::{Ports, TestResponse, chairs, get, holding, json_request, order, post, send};
use crate::{BasePath, EdgeSettings, app};
use actix_web::body::MessageBody;
use actix_web::http::{Method, header};
use actix_web::test::{self, TestRequest};
use actix_web::web::Bytes;
use serde_json::{Value, json};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn lines(uri: &str, body: impl Into<Bytes>) -> TestRequest {
    let media_type = (header::CONTENT_TYPE, "application/x-ndjson");
    TestRequest::default().method(Method::POST).uri(uri).insert_header(media_type).set_payload(body)
}

fn line(order_id: &str) -> String {
    json!({"order_id": order_id, "sku": "RED-CHAIR", "qty": 10}).to_string()
}

fn answers(response: &TestResponse) -> Vec<Value> {
    assert_eq!((response.status.as_u16(), response.header("content-type")), (200, Some("application/x-ndjson")));
    let text = str::from_utf8(&response.body).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn each_item_is_answered_in_order_by_its_own_rules() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let large = format!("{}{}", " ".repeat(256 * 1024), line("O-9"));
    let body = format!(
        "{}\n\n{{no json\n{{\"order_id\":\"O-2\"}}\n\"{large}\"\n{}\r\n{}",
        line("O-1"),
        json!({"order_id": "O-3", "sku": "RED-CHAIR", "qty": 21}),
        line("O-4"),
    );
    let answers = answers(&send(&api, lines("/allocations/bulk", body)).await);
    let alone = post(&api, "/allocations", line("O-1")).await;
    assert_eq!(answers[0], json!({"status": 201, "body": alone.json()}));
    let problems = ["malformed-json", "validation", "body-too-large", "out-of-stock"];
    for (answer, (problem, status)) in answers[1..].iter().zip(problems.iter().zip([400, 422, 413, 409])) {
        assert_eq!((&answer["status"], &answer["problem"]["status"]), (&json!(status), &json!(status)));
        assert_eq!(answer["problem"]["type"], format!("/problems/{problem}"));
    }
    assert_eq!(answers[2]["problem"]["errors"][0], json!({"pointer": "/sku", "detail": "is missing"}));
    assert_eq!((&answers[5]["status"], &answers[5]["body"]["order_id"]), (&json!(201), &json!("O-4")));
    assert_eq!(answers[6..], [json!({"done": 2, "failed": 4})]);
}

#[actix_web::test]
async fn a_hold_has_the_limit_of_a_single_order() {
    let order = r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 1}], "hold_seconds": 86401}"#;
    let answers = answers(&send(&Ports::new().api(), lines("/orders/bulk", order)).await);
    let error = json!([{"pointer": "/hold_seconds", "detail": "must be an integer from 10 to 86400"}]);
    assert_eq!((&answers[0]["status"], &answers[0]["problem"]["errors"]), (&json!(422), &error));
}

#[actix_web::test]
async fn an_array_is_answered_like_lines() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let items: Vec<_> = (0..1_000).map(|n| if n % 3 == 0 { "7".to_owned() } else { line(&format!("O-{n}")) }).collect();
    let array = answers(&post(&api, "/allocations/bulk", format!("[{}]", items.join(","))).await);
    assert_eq!(array, answers(&send(&api, lines("/allocations/bulk", items.join("\n"))).await));
    assert_eq!(array[1]["body"]["order_id"], "O-1");
    assert_eq!(array[999]["problem"]["detail"], "The body must be an object, not a number");
    assert_eq!(array[1_000], json!({"done": 666, "failed": 334}));
}

#[actix_web::test]
async fn orders_and_batches_are_answered_as_alone() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let order = json!({"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 4}]}).to_string();
    let batch = json!({"reference": "B-2", "sku": "RED-CHAIR", "purchased_quantity": 5}).to_string();
    let known = json!({"reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20}).to_string();
    for (path, status, item) in [("/orders", 201, &order), ("/batch", 201, &batch), ("/batch", 200, &known)] {
        let alone = post(&api, path, item.clone()).await;
        assert_eq!(alone.status, status);
        let bulk = answers(&send(&api, lines(&format!("{path}/bulk"), format!("{item}\n{item}\n"))).await);
        let expected = json!({"status": status, "body": alone.json()});
        assert_eq!(bulk, [expected.clone(), expected, json!({"done": 2, "failed": 0})], "{path}");
    }
}

#[actix_web::test]
async fn a_request_that_is_no_list_of_items_is_rejected_as_a_whole() {
    let api = Ports::new().api();
    for path in ["/allocations/bulk", "/orders/bulk", "/batch/bulk"] {
        for (request, status, problem) in [
            (json_request(path, format!("[{}, {{]", line("O-1"))), 400, "malformed-json"),
            (json_request(path, line("O-1")), 422, "validation"),
            (json_request(path, "[]"), 422, "validation"),
            (lines(path, "\n\n"), 422, "validation"),
            (lines(path, format!("{}\n", line("O-1")).repeat(10_001)), 422, "validation"),
            (lines(path, vec![b'\n'; 8 * 1024 * 1024]), 422, "validation"),
            (lines(path, vec![b'\n'; 8 * 1024 * 1024 + 1]), 413, "body-too-large"),
            (lines(&format!("{path}?limit=1"), line("O-1")), 422, "validation"),
            (
                lines(path, line("O-1")).insert_header((header::CONTENT_TYPE, "text/plain")),
                415,
                "unsupported-media-type",
            ),
            (lines(path, line("O-1")).insert_header((header::IF_MATCH, "\"1\"")), 412, "precondition-failed"),
        ] {
            let answer = send(&api, request).await;
            assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
            answer.problem(problem);
        }
        let detail = send(&api, lines(path, "7\n".repeat(10_001))).await.problem("validation")["detail"].clone();
        assert_eq!(detail, "The body must have from 1 to 10000 items, not 10001");
    }
    assert_eq!(post(&api, "/allocations", "").await.status, 400, "only bulk requests have lines");
    assert_eq!(send(&api, lines("/allocations", line("O-1"))).await.status, 415);
}

#[actix_web::test]
async fn other_methods_reach_an_order_or_a_batch_of_that_name() {
    let mut ports = Ports::new();
    ports.queries.expect_order().returning(|id| {
        assert_eq!(*id, order("bulk"));
        Ok(None)
    });
    ports.queries.expect_batch().returning(|_, _| Ok(None));
    let api = ports.api();
    get(&api, "/orders/bulk").await.problem("order-not-found");
    get(&api, "/batch/bulk").await.problem("batch-not-found");
    assert_eq!(get(&api, "/allocations/bulk").await.header("allow"), Some("POST"));
}

#[actix_web::test]
async fn an_item_that_meets_a_failure_of_the_store_has_its_problem() {
    let api = Ports::failing(|| allocation_ports::StoreError::Unavailable(crate::testing::secret())).api();
    let answers = answers(&send(&api, lines("/allocations/bulk", format!("{}\n7\n", line("O-1")))).await);
    assert_eq!(answers[0]["problem"]["type"], "/problems/database-unavailable");
    assert_eq!((&answers[1]["status"], &answers[2]), (&json!(422), &json!({"done": 0, "failed": 2})));
}

#[actix_web::test]
async fn problems_of_items_have_the_prefix_of_the_client() {
    let base_path = BasePath::parse("/stock").unwrap();
    let api = Ports::new().api().with_edge(EdgeSettings { base_path, ..EdgeSettings::default() });
    let answers = answers(&send(&api, lines("/stock/allocations/bulk", "7")).await);
    assert_eq!(answers[0]["problem"]["type"], "/stock/problems/validation");
}

#[actix_web::test]
async fn items_are_taken_only_as_the_client_reads() {
    let begun = Arc::new(AtomicUsize::new(0));
    let (counter, units) = (Arc::clone(&begun), holding(chairs(&["B-1"])));
    let (api, engine) = Ports::with_units(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        units()
    })
    .api_and_engine();
    let service = test::init_service(app(&api)).await;
    let items: Vec<_> = (0..10_000).map(|n| line(&format!("O-{n}"))).collect();
    let response = test::call_service(&service, lines("/allocations/bulk", items.join("\n")).to_request()).await;
    assert_eq!(begun.load(Ordering::SeqCst), 0, "nothing is taken before the client reads");
    let mut body = Box::pin(response.into_body());
    let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap();
    assert!(piece.is_ok_and(|piece| piece.starts_with(b"{\"status\":201")));
    drop(body);
    engine.shut_down();
    let begun = begun.load(Ordering::SeqCst);
    assert!((1..=2 * super::answers::WINDOW).contains(&begun), "{begun} items were taken");
}

#[actix_web::test]
async fn the_body_counts_as_in_flight_until_the_response_ends() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let service = test::init_service(app(&api)).await;
    let body = format!("{}\n{}", line("O-1"), " ".repeat(1_000_000));
    let response = test::call_service(&service, lines("/allocations/bulk", body).to_request()).await;
    let all = 64 * 1024 * 1024;
    assert!(api.bodies.share().grow_to(all).is_err());
    drop(response);
    api.bodies.share().grow_to(all).unwrap();
}
