use super::{Body, MAX_BYTES, parse_body};
use crate::testing::{Ports, chairs, holding, json_request, post, send};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use actix_web::web::{Bytes, Data};
use allocation_domain::NewOrder;
use allocation_requests::{FromJson, Json, PickListRequest, ValidationErrors, parse};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LINE: &str = r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10}"#;

fn sent_as(media_type: &str) -> TestRequest {
    TestRequest::default()
        .method(Method::POST)
        .uri("/allocations")
        .insert_header((header::CONTENT_TYPE, media_type))
        .set_payload(LINE)
}

#[actix_web::test]
async fn the_json_media_type_may_have_parameters() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"UTF-8\"",
        "application/json ; profile=x",
    ] {
        assert_eq!(send(&api, sent_as(media_type)).await.status, 201, "{media_type}");
    }
}

#[actix_web::test]
async fn other_media_types_are_rejected() {
    let api = Ports::new().api();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "application/problem+json",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "",
    ] {
        let answer = send(&api, sent_as(media_type)).await;
        assert_eq!(answer.status, 415, "{media_type}");
        answer.problem("unsupported-media-type");
    }
    let untyped = TestRequest::default().method(Method::POST).uri("/allocations").set_payload(LINE);
    assert_eq!(send(&api, untyped).await.status, 415);
    let encoded = sent_as("application/json").insert_header((header::CONTENT_ENCODING, "gzip"));
    assert_eq!(send(&api, encoded).await.status, 415);
}

#[actix_web::test]
async fn the_largest_order_fits_and_a_larger_body_does_not() {
    // Each character takes 4 bytes in UTF-8 and two JSON escapes.
    let name = |number: usize| format!("{}{number:03}", "\\ud83e\\ude91".repeat(252));
    let lines: Vec<_> = (0..500).map(|n| format!(r#"{{ "sku": "{}", "qty": 2147483647 }}"#, name(n))).collect();
    let order_id = "\\ud83e\\ude91".repeat(150);
    let order = format!(
        r#"{{"order_id": "{order_id}", "lines": [{}], "on_shortage": "backorder", "allow_split": false}}"#,
        lines.join(", ")
    );
    assert!(order.len() > 1_500_000);
    let api = Ports::with_units(holding(chairs(&[]))).api();
    assert!(parse::<NewOrder>(order.as_bytes()).is_ok());
    assert_ne!(post(&api, "/orders", order.clone()).await.status, 413);
    let padded = |bytes: usize| format!("{order}{}", " ".repeat(bytes - order.len()));
    assert_ne!(post(&api, "/orders", padded(NewOrder::MAX_BYTES)).await.status, 413);
    let answer = post(&api, "/orders", padded(NewOrder::MAX_BYTES + 1)).await;
    assert_eq!(answer.problem("body-too-large")["detail"], "The body of this request may have 2048 KiB at most");
}

#[test]
fn the_largest_criteria_of_a_pick_list_fit() {
    let name = |number: usize| format!("\"{}{number:04}\"", "\\ud83e\\ude91".repeat(251));
    let names: Vec<_> = (0..1_000).map(name).collect();
    let names = names.join(", ");
    let list = format!(r#"{{"references": [{names}], "skus": [{names}], "order_ids": [{names}], "max_lines": 1000}}"#);
    assert!(parse::<PickListRequest>(list.as_bytes()).is_ok());
    assert!((9_000_000..PickListRequest::MAX_BYTES).contains(&list.len()), "{}", list.len());
}

#[actix_web::test]
async fn under_memory_pressure_only_large_bodies_are_rejected() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let padded = |bytes: usize| format!("{LINE}{}", " ".repeat(bytes - LINE.len()));
    let mut others = api.bodies.share();
    others.grow_to(64 * 1024 * 1024 - 100_000).unwrap();
    assert_eq!(post(&api, "/allocations", padded(90_000)).await.status, 201);
    assert_eq!(post(&api, "/allocations", padded(90_000)).await.status, 201, "the first has given its share back");
    let refused = post(&api, "/allocations", padded(110_000)).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("1")));
    refused.problem("overloaded");
    others.grow_to(64 * 1024 * 1024).unwrap();
    assert_eq!(post(&api, "/allocations", padded(4_096)).await.status, 201);
    assert_eq!(post(&api, "/allocations", padded(4_097)).await.status, 503);
    drop(others);
    assert_eq!(post(&api, "/allocations", padded(4_097)).await.status, 201);
}

#[actix_web::test]
async fn a_body_may_have_256_kib_and_no_more() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let padded = |bytes: usize| format!("{LINE}{}", " ".repeat(bytes - LINE.len()));
    assert_eq!(post(&api, "/allocations", padded(MAX_BYTES)).await.status, 201);
    let answer = post(&api, "/allocations", padded(MAX_BYTES + 1)).await;
    assert_eq!(answer.status, 413);
    answer.problem("body-too-large");
    let announced = json_request("/batch", "{}").insert_header((header::CONTENT_LENGTH, "262145"));
    assert_eq!(send(&api, announced).await.status, 413);
}

#[actix_web::test]
async fn invalid_json_is_reported_with_its_position() {
    let api = Ports::new().api();
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], &str); 12] = [
        (b"", "EOF while parsing a value at line 1 column 0"),
        (b"   ", "EOF while parsing a value at line 1 column 3"),
        (b"{", "EOF while parsing an object at line 1 column 1"),
        (b"{\n  \"qty\": 1,\n}", "key must be a string at line 3 column 1"),
        (b"{'qty': 1}", "key must be a string at line 1 column 2"),
        (b"{\"qty\": 1} x", "trailing characters at line 1 column 12"),
        (b"{\"qty\": 01}", "invalid number at line 1 column 10"),
        (b"{\"qty\": NaN}", "expected value at line 1 column 9"),
        (
            b"{\"sku\": \"a\nb\"}",
            "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 10",
        ),
        (b"{\"sku\": \"\xff\"}", "invalid utf-8 sequence of 1 bytes from index 9"),
        (b"{\"sku\": \"\\ud800 \"}", "half of a surrogate pair at byte 9"),
        (deep.as_bytes(), "EOF while parsing a list at line 1 column 100000"),
    ];
    for (body, expected) in cases {
        let answer = post(&api, "/allocations", Bytes::copy_from_slice(body)).await;
        assert_eq!(answer.status, 400);
        let detail = answer.problem("malformed-json")["detail"].as_str().unwrap().to_owned();
        assert_eq!(detail, format!("The body is not JSON: {expected}"));
    }
}

#[actix_web::test]
async fn an_integer_may_be_written_with_a_fraction_or_an_exponent() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    for qty in ["10", "10.0", "1e1", "1E+1", "100e-1", "0.1e2"] {
        let line = format!(r#"{{"order_id": "O-1", "sku": "RED-CHAIR", "qty": {qty}}}"#);
        let answer = post(&api, "/allocations", line).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["qty"]), (201, &10.into()), "{qty}");
    }
    let order =
        r#"{"order_id": "O-1", "lines": [{"sku": "RED-CHAIR", "qty": 2.0}], "priority": -1e1, "hold_seconds": 6e2}"#;
    assert_eq!(post(&api, "/orders", order).await.status, 201);
}

#[actix_web::test]
async fn a_number_that_is_no_integer_of_its_range_is_an_error() {
    let api = Ports::new().api();
    for qty in ["1.5", "1e-1", "0.0", "-2.0", "1e400", "2147483648.0", "2.00000000000000000000000001"] {
        let line = format!(r#"{{"order_id": "O-1", "sku": "RED-CHAIR", "qty": {qty}}}"#);
        assert_eq!(post(&api, "/allocations", line).await.places(), ["/qty"], "{qty}");
    }
}

#[actix_web::test]
async fn one_byte_order_mark_before_the_body_is_skipped() {
    let api = Ports::with_units(holding(chairs(&["B-1"]))).api();
    let mark = "\u{feff}";
    assert_eq!(post(&api, "/allocations", format!("{mark}{LINE}")).await.status, 201);
    let faulty = post(&api, "/allocations", format!("{mark}{}", LINE.replace("10", "0"))).await;
    assert_eq!(faulty.places(), ["/qty"]);
    post(&api, "/allocations", format!("{mark}{mark}{LINE}")).await.problem("malformed-json");
    post(&api, "/allocations", format!("{LINE}{mark}")).await.problem("malformed-json");
}

#[actix_web::test]
async fn a_body_that_is_no_object_is_an_error_as_a_whole() {
    let api = Ports::new().api();
    for (body, kind) in [
        ("null", "null"),
        ("[\"O-1\", \"RED-CHAIR\", 10]", "an array"),
        (" 7 ", "a number"),
        ("\"x\"", "a string"),
        ("true", "a boolean"),
    ] {
        let answer = post(&api, "/allocations", body).await;
        assert_eq!(answer.errors(), [(String::new(), format!("must be an object, not {kind}"))]);
        assert_eq!(answer.json()["detail"], format!("The body must be an object, not {kind}"));
    }
}

#[actix_web::test]
async fn deep_nesting_is_an_error_like_any_other() {
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(40_000), "}".repeat(40_000));
    for value in [nested, objects] {
        let body = format!(r#"{{"order_id": "O-1", "sku": "RED-CHAIR", "qty": {value}}}"#);
        assert_eq!(post(&Ports::new().api(), "/allocations", body).await.places(), ["/qty"]);
    }
}

#[actix_web::test]
async fn a_repeated_member_is_an_error_even_with_the_same_value() {
    let body =
        r#"{"order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "q\u0074y": 10, "x": {"y": 1, "y": [{"z": 1, "z": 2}]}}"#;
    let answer = post(&Ports::new().api(), "/allocations", body).await;
    assert_eq!(answer.places(), ["/qty", "/x/y", "/x/y/0/z", "/x"]);
}

#[actix_web::test]
async fn a_body_made_up_of_errors_gets_a_short_response() {
    let members = |of: usize| (0..of).map(|number| format!("\"{number}\":1")).collect::<Vec<_>>().join(",");
    let repeated = ["\"x\":1"; 900].join(",");
    let objects = vec![format!("{{{repeated}}}"); 20].join(",");
    let long_name = "n".repeat(100_000);
    let with_rest = "errors, the first";
    let cases = [
        ("/batch", format!("{{{}}}", members(1_000)), with_rest),
        ("/batch", format!("{{\"x\":[{objects}]}}"), with_rest),
        ("/batch", format!("{{{}}}", members(20_000)), "The body has 20000 members, more than the 1000 that are read"),
        ("/batch", format!("{{\"x\":[0,{{{}}}]}}", members(1_001)), "/x/1 has 1001 members, more than"),
        ("/batch", format!("{{\"{long_name}\":{{{repeated}}}}}"), "The body has a member name of 100000 bytes"),
        ("/orders", format!("{{\"lines\":[{}]}}", ["{}"; 80_000].join(",")), "The request has 2002 errors"),
        ("/orders", format!("{{\"lines\":[{}]}}", vec![long_line(); 10_000].join(",")), with_rest),
    ];
    for (path, body, expected) in cases {
        let answer = post(&Ports::new().api(), path, body).await;
        assert!(answer.body.len() < 512 * 1024, "{}", answer.body.len());
        assert!(!answer.errors().is_empty());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{detail}");
    }
}

/// Returns a line of an order with an unknown member of 100 bytes.
fn long_line() -> String {
    format!("{{\"sku\":\"A\",\"{}\":1}}", "n".repeat(100))
}

#[actix_web::test]
async fn of_an_array_of_millions_no_more_is_read_than_a_valid_one_has() {
    let zeros = 4_000_000;
    let body = format!("{{\"skus\":[{}]}}", vec!["0"; zeros].join(","));
    let answer = post(&Ports::new().api(), "/pick-lists", body).await;
    let errors = answer.errors();
    let rule = format!("must have from 1 to 1000 elements, not {zeros}");
    assert_eq!(errors.first(), Some(&("/skus".to_owned(), rule)));
    assert_eq!(errors.last().unwrap().0, "/skus/999");
    assert_eq!(errors.len(), 1_001);
}

#[test]
fn an_array_that_is_longer_than_allowed_is_rejected() {
    let criteria =
        |of: usize| parse::<PickListRequest>(format!("{{\"skus\":[{}]}}", vec!["\"A\""; of].join(",")).as_bytes());
    let lines = |of: usize| (0..of).map(|n| format!("{{\"sku\":\"S-{n}\",\"qty\":1}}")).collect::<Vec<_>>().join(",");
    let order = |of| parse::<NewOrder>(format!("{{\"order_id\":\"O-1\",\"lines\":[{}]}}", lines(of)).as_bytes());
    assert!(criteria(1_000).is_ok() && criteria(1_001).is_err() && criteria(3_000).is_err());
    assert!(order(500).is_ok() && order(501).is_err() && order(3_000).is_err());
}

static PARSED: AtomicUsize = AtomicUsize::new(0);
static MOST_PARSED: AtomicUsize = AtomicUsize::new(0);

/// A body that records how many of its kind are parsed at a time.
#[derive(Debug, PartialEq)]
struct Counted;

impl FromJson for Counted {
    fn from_json(_: Json<'_>) -> Result<Self, ValidationErrors> {
        MOST_PARSED.fetch_max(PARSED.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        PARSED.fetch_sub(1, Ordering::SeqCst);
        Ok(Self)
    }
}

impl Body for Counted {}

#[actix_web::test]
async fn two_large_bodies_are_parsed_at_a_time() {
    let request = TestRequest::default().app_data(Data::new(Ports::new().api())).to_http_request();
    let large = Bytes::from(format!("{{{}}}", " ".repeat(MAX_BYTES)));
    let parse = async |_| parse_body::<Counted>(&request, large.clone(), &mut ValidationErrors::default()).await;
    for parsed in join_all((0..8).map(parse)).await {
        assert_eq!(parsed.unwrap(), Some(Counted));
    }
    assert_eq!(MOST_PARSED.load(Ordering::SeqCst), 2);
}

#[actix_web::test]
async fn the_documented_members_of_a_body_are_those_that_the_parser_knows() {
    let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    let api = Ports::new().api();
    let mut bodies = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema/$ref") else {
                continue;
            };
            let schema = document.pointer(schema.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
            let documented: BTreeSet<_> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let path = template.replace("{line}", "1").replace(['{', '}'], "");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let errors = send(&api, json_request(&path, r#"{"?": 1}"#).method(method)).await.errors();
            let unknown = errors.into_iter().find(|(pointer, _)| pointer == "/?").unwrap().1;
            let known: BTreeSet<_> = unknown.strip_prefix("is not known; known are ").unwrap().split(", ").collect();
            assert_eq!(known, documented, "{template}");
            bodies += 1;
        }
    }
    assert_eq!(bodies, 19);
}
