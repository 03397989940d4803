//! Invalid input gets a clear response and changes nothing.

use crate::bulk;
use crate::support::{Answer, Client, Server, TestDatabase, encoded, on_every_database, order};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

const JSON: Option<&str> = Some("application/json");

fn with_server(database: &TestDatabase, check: impl FnOnce(&Client)) {
    let server = Server::start(database);
    check(&server.client());
    for table in ["products", "batches", "order_lines", "orders", "allocations", "all_events"] {
        assert_eq!(database.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}: nothing is stored");
    }
    let failures = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
    assert!(failures.is_empty(), "{failures:?}");
}

/// The errors of a batch with one invalid field.
fn batch_with(client: &Client, field: &str, value: Value) -> Vec<String> {
    let mut body = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1, "eta": null});
    body[field] = value;
    client.post("/batch", &body).faults()
}

fn line_with(client: &Client, field: &str, value: Value) -> Vec<String> {
    let mut body = json!({"order_id": "O-1", "sku": "LAMP", "qty": 1});
    body[field] = value;
    client.post("/allocations", &body).faults()
}

/// The errors of an order with one invalid field.
fn order_with(client: &Client, field: &str, value: Value) -> Vec<String> {
    let mut body = order("O-1", &[("LAMP", 1)], json!({}));
    body[field] = value;
    client.post("/orders", &body).faults()
}

fn json_that_does_not_parse_is_malformed(database: &TestDatabase) {
    with_server(database, |client| {
        for path in ["/batch", "/allocations", "/orders"] {
            for body in
                ["", "{", "{\"sku\": }", "nonsense", "{\"sku\": \"A\"} extra", "{'sku': 1}", "\u{feff}\u{feff}{}"]
            {
                client.post_text(path, JSON, body).problem(400, "malformed-json");
            }
            client.post_text(path, JSON, *b"{\"sku\": \"\xff\"}").problem(400, "malformed-json");
            client.post_text(path, JSON, "[".repeat(10_000)).problem(400, "malformed-json");
        }
    });
}

fn a_body_that_is_no_object_is_an_error_as_a_whole(database: &TestDatabase) {
    with_server(database, |client| {
        for body in ["[]", "1", "null", "\"text\"", "true"] {
            for path in ["/batch", "/allocations", "/orders", "/orders/O-1/extend"] {
                assert_eq!(client.post_text(path, JSON, body).faults(), [""], "{body}");
            }
        }
    });
}

fn a_wrong_type_is_an_error_of_its_field(database: &TestDatabase) {
    with_server(database, |client| {
        for wrong in [json!(1), json!(true), json!([]), json!({}), json!(null), json!(1.5)] {
            assert_eq!(batch_with(client, "reference", wrong.clone()), ["/reference"]);
            assert_eq!(batch_with(client, "sku", wrong.clone()), ["/sku"]);
            assert_eq!(line_with(client, "order_id", wrong), ["/order_id"]);
        }
        for wrong in [json!("1"), json!(true), json!([1]), json!({}), json!(null)] {
            assert_eq!(batch_with(client, "purchased_quantity", wrong.clone()), ["/purchased_quantity"]);
            assert_eq!(line_with(client, "qty", wrong), ["/qty"]);
        }
    });
}

fn quantities_are_integers_from_1_to_2147483647_everywhere(database: &TestDatabase) {
    with_server(database, |client| {
        let huge = "100000000000000000000000000000000000000000";
        for wrong in
            ["0", "-0", "-1", "1.5", "0.1", "1e400", "2147483648", "4294967297", "18446744073709551617", huge, "-1e3"]
        {
            let line = format!(r#"{{"order_id": "O-1", "sku": "LAMP", "qty": {wrong}}}"#);
            let answer = client.post_text("/allocations", JSON, line);
            if wrong == "1e400" {
                assert!(answer.status == 422 || answer.status == 400, "{answer:?}");
            } else {
                assert_eq!(answer.faults(), ["/qty"], "{wrong}");
            }
            let batch = format!(r#"{{"reference": "B-1", "sku": "LAMP", "purchased_quantity": {wrong}}}"#);
            assert!(matches!(client.post_text("/batch", JSON, batch).status, 422 | 400), "{wrong}");
        }
    });
}

/// A number is its value, whatever its spelling, and a byte order mark is not part of the text (RFC 8259).
fn whole_numbers_with_a_fraction_and_a_byte_order_mark_are_accepted(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let send = |method: &str, path: &str, body: &str, status: u16| {
        let answer = client.send(method, path, JSON, format!("\u{feff}{body}"));
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        answer.json()
    };
    let batch = send("POST", "/batch", r#"{"reference": "B-1", "sku": "LAMP", "purchased_quantity": 20.0}"#, 201);
    assert_eq!(batch["purchased_quantity"], 20);
    send("POST", "/batch", r#"{"ref": "B-2", "sku": "SOFA", "qty": 1.0e1, "eta": "2027-01-15"}"#, 201);
    let line = send("POST", "/allocations", r#"{"order_id": "O-1", "sku": "LAMP", "qty": 2.0}"#, 201);
    assert_eq!((&line["qty"], client.available("B-1")), (&json!(2), 18));
    let cart = r#"{"order_id": "O-2", "lines": [{"sku": "LAMP", "qty": 2e0}], "priority": 1.0, "hold_seconds": 6e2}"#;
    assert_eq!(send("POST", "/orders", cart, 201)["lines"][0]["qty"], 2);
    send("POST", "/orders", &cart.replace("2e0", "2"), 200);
    send("PATCH", "/orders/O-2", r#"{"lines": [{"sku": "LAMP", "qty": 3.0}], "priority": 2.0}"#, 200);
    send("POST", "/orders/O-2/extend", r#"{"hold_seconds": 900.0}"#, 200);
    send("POST", "/orders/O-2/confirm", "{}", 200);
    send("PATCH", "/batch/B-1", r#"{"purchased_quantity": 19.0}"#, 200);
    let counted =
        r#"{"adjustment_id": "A", "reason": "lost", "lines": [{"reference": "B-1", "from": 19.0, "change": -1.0}]}"#;
    send("POST", "/adjustments", counted, 201);
    send("POST", "/batch/B-2/receipts", r#"{"receipt_id": "R", "qty": 4.0, "rejected": 1.0}"#, 201);
    send("POST", "/pick-lists", r#"{"pick_list_id": "P", "max_lines": 1.0}"#, 201);
    send("POST", "/pick-lists/P/lines/1/pick", r#"{"qty": 2.0}"#, 200);
    send("POST", "/pick-lists/P/lines/1/put-back", r#"{"qty": 1.0}"#, 200);
    send("POST", "/pick-lists/P/ship", r#"{"open": "release"}"#, 200);
    let item = "\u{feff}{\"order_id\": \"O-3\", \"sku\": \"LAMP\", \"qty\": 1.0}".to_owned();
    assert_eq!(bulk::send(&client, "/allocations/bulk", &[item])[0]["status"], 201);
    let array = client.post_text(
        "/allocations/bulk",
        JSON,
        "\u{feff}[{\"order_id\": \"O-4\", \"sku\": \"LAMP\", \"qty\": 1e0}]",
    );
    assert!(array.text.starts_with("{\"status\":201,"), "{array:?}");
}

fn impossible_dates_are_errors(database: &TestDatabase) {
    with_server(database, |client| {
        for wrong in [
            "2027-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-5",
            "27-01-05",
            "2027-01-05T00:00:00Z",
            "tomorrow",
            "",
            " 2027-01-05",
            "+2027-01-05",
            "12027-01-05",
            "2027/01/05",
            "0000-01-01",
            "2027-01-32",
        ] {
            assert_eq!(batch_with(client, "eta", json!(wrong)), ["/eta"], "{wrong}");
        }
        assert_eq!(batch_with(client, "eta", json!(20270105)), ["/eta"]);
    });
}

/// magento2#10080, #12300: invisible characters and decomposed letters make no other SKU, in no request.
fn invalid_identifiers_are_rejected(database: &TestDatabase) {
    with_server(database, |client| {
        let overlong = "x".repeat(256);
        let twins = ["CHA\u{200b}IR", "CHA\u{ad}IR", "\u{feff}CHAIR", "\u{202e}CHAIR", "CHAIR\u{fe0f}", "Mo\u{308}bel"];
        for wrong in
            ["", " ", " a", "a ", "\ta", "a\u{a0}", "a\nb", "a\u{0}b", "\u{7f}", "a\u{85}b", ".", "..", &overlong]
                .into_iter()
                .chain(twins)
        {
            assert_eq!(batch_with(client, "reference", json!(wrong)), ["/reference"], "{wrong:?}");
            assert_eq!(batch_with(client, "sku", json!(wrong)), ["/sku"], "{wrong:?}");
            assert_eq!(line_with(client, "order_id", json!(wrong)), ["/order_id"], "{wrong:?}");
            assert_eq!(line_with(client, "sku", json!(wrong)), ["/sku"], "{wrong:?}");
            for filter in ["order_id", "sku", "reference"] {
                assert_eq!(client.get(&format!("/allocations?{filter}={}", encoded(wrong))).faults(), [filter]);
            }
        }
        for twin in twins {
            let name = encoded(twin);
            assert_eq!(client.get(&format!("/batch/{name}")).faults(), ["reference"], "{twin:?}");
            assert_eq!(client.get(&format!("/products/{name}/availability")).faults(), ["sku"], "{twin:?}");
            assert_eq!(client.get(&format!("/orders/{name}")).faults(), ["order_id"], "{twin:?}");
            assert_eq!(client.get(&format!("/pick-lists/{name}")).faults(), ["pick_list_id"], "{twin:?}");
            assert_eq!(client.get(&format!("/events?subject=orders/{name}")).faults(), ["subject"], "{twin:?}");
            assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": twin})).faults(), ["/pick_list_id"]);
            assert_eq!(client.post("/pick-lists", &json!({"skus": ["A", twin]})).faults(), ["/skus/1"], "{twin:?}");
            assert_eq!(order_with(client, "lines", json!([{"sku": twin, "qty": 1}])), ["/lines/0/sku"], "{twin:?}");
            assert_eq!(client.send("PUT", &format!("/products/{name}"), None, "").faults(), ["sku"], "{twin:?}");
            assert_eq!(client.get(&format!("/products/{name}/movements")).faults(), ["sku"], "{twin:?}");
            assert_eq!(client.get(&format!("/batch/{name}/history")).faults(), ["reference"], "{twin:?}");
            assert_eq!(client.delete(&format!("/orders/O-1/lines/{name}")).faults(), ["sku"], "{twin:?}");
            let change = json!({"lines": [{"sku": twin, "qty": 1}]});
            assert_eq!(client.patch("/orders/O-1", &change).faults(), ["/lines/0/sku"], "{twin:?}");
            assert_eq!(client.adjust(twin, "lost", &[(twin, 1)]).faults(), ["/adjustment_id", "/lines/0/reference"]);
            let receipt = json!({"receipt_id": twin, "qty": 1, "rest": {"reference": twin}});
            assert_eq!(client.post("/batch/B-1/receipts", &receipt).faults(), ["/receipt_id", "/rest/reference"]);
            for list in ["/batch", "/orders", "/backorders"] {
                assert_eq!(client.get(&format!("{list}?sku={name}")).faults(), ["sku"], "{list} {twin:?}");
            }
            let item = json!({"reference": "B", "sku": twin, "qty": 1}).to_string();
            let bulk = bulk::send(client, "/batch/bulk", &[item]);
            assert_eq!(
                (&bulk[0]["status"], &bulk[0]["problem"]["errors"][0]["pointer"]),
                (&json!(422), &json!("/sku"))
            );
        }
    });
}

fn missing_unknown_and_repeated_fields_are_reported_together(database: &TestDatabase) {
    with_server(database, |client| {
        assert_eq!(client.post("/allocations", &json!({})).faults(), ["/order_id", "/qty", "/sku"]);
        assert_eq!(client.post("/batch", &json!({})).faults(), ["/purchased_quantity", "/reference", "/sku"]);
        let all = json!({"order_id": " ", "sku": 5, "qty": 0, "quantity": 1, "a/b~c": 2});
        assert_eq!(client.post("/allocations", &all).faults(), ["/a~1b~0c", "/order_id", "/qty", "/quantity", "/sku"]);
        let all = json!({"reference": "", "sku": "ok", "purchased_quantity": "1", "eta": "soon", "colour": "red"});
        assert_eq!(client.post("/batch", &all).faults(), ["/colour", "/eta", "/purchased_quantity", "/reference"]);
        let both = json!({"reference": "B-1", "ref": "B-1", "sku": "LAMP", "purchased_quantity": 1, "qty": 1});
        assert_eq!(client.post("/batch", &both).faults().len(), 2);
        let twice = r#"{"order_id": "O-1", "sku": "LAMP", "sku": "SOFA", "qty": 1}"#;
        assert_eq!(client.post_text("/allocations", JSON, twice).faults(), ["/sku"]);
    });
}

fn every_invalid_order_is_rejected_with_its_error(database: &TestDatabase) {
    with_server(database, |client| {
        for wrong in [json!(1), json!(null), json!(""), json!(" a"), json!("."), json!("x".repeat(256)), json!([])] {
            assert_eq!(order_with(client, "order_id", wrong), ["/order_id"]);
        }
        for wrong in [json!([]), json!({}), json!("LAMP"), json!(null), json!(1)] {
            assert_eq!(order_with(client, "lines", wrong.clone()), ["/lines"], "{wrong}");
        }
        for wrong in [json!("Reject"), json!("wait"), json!(""), json!(true), json!(1)] {
            assert_eq!(order_with(client, "on_shortage", wrong.clone()), ["/on_shortage"], "{wrong}");
        }
        for wrong in [json!(9), json!(86_401), json!(0), json!(-10), json!(10.5), json!("600"), json!(u64::MAX)] {
            assert_eq!(order_with(client, "hold_seconds", wrong.clone()), ["/hold_seconds"], "{wrong}");
        }
        for wrong in [json!(2_147_483_648_i64), json!(-2_147_483_649_i64), json!(0.5), json!("1")] {
            assert_eq!(order_with(client, "priority", wrong.clone()), ["/priority"], "{wrong}");
        }
        for wrong in [json!("true"), json!(1)] {
            assert_eq!(order_with(client, "allow_split", wrong.clone()), ["/allow_split"], "{wrong}");
        }
        for right in [json!(2_147_483_647), json!(-2_147_483_648_i64)] {
            let answer = client.place("O-1", &[("LAMP", 1)], json!({"priority": right, "hold_seconds": 86_400}));
            answer.problem(409, "out-of-stock");
        }
        let nothing = json!({"on_shortage": null, "hold_seconds": null, "priority": null, "allow_split": null});
        client.place("O-1", &[("LAMP", 1)], nothing).problem(409, "out-of-stock");
    });
}

fn errors_of_order_lines_name_their_index(database: &TestDatabase) {
    with_server(database, |client| {
        let lines = |lines: Value| order_with(client, "lines", lines);
        for (wrong, fault) in [
            (json!(1), "/lines/1"),
            (json!(null), "/lines/1"),
            (json!([]), "/lines/1"),
            (json!({"sku": "SOFA"}), "/lines/1/qty"),
            (json!({"qty": 1}), "/lines/1/sku"),
            (json!({"sku": "SOFA", "qty": 0}), "/lines/1/qty"),
            (json!({"sku": "SOFA", "qty": 2_147_483_648_i64}), "/lines/1/qty"),
            (json!({"sku": "SOFA", "qty": "1"}), "/lines/1/qty"),
            (json!({"sku": " SOFA", "qty": 1}), "/lines/1/sku"),
            (json!({"sku": 5, "qty": 1}), "/lines/1/sku"),
            (json!({"sku": "SOFA", "qty": 1, "colour": "red"}), "/lines/1/colour"),
        ] {
            assert_eq!(lines(json!([{"sku": "LAMP", "qty": 1}, wrong, {"sku": "BED", "qty": 1}])), [fault], "{wrong}");
        }
        let twice = lines(json!([{"sku": "LAMP", "qty": 1}, {"sku": "BED", "qty": 1}, {"sku": "LAMP", "qty": 2}]));
        assert_eq!(twice, ["/lines/2/sku"], "one line for each SKU");
        let all = json!({
            "order_id": "", "on_shortage": "no", "hold_seconds": 1, "priority": "high", "allow_split": 1, "note": "",
            "lines": [{"sku": "", "qty": 0}, {"sku": "LAMP"}, 7]
        });
        let reported = client.post("/orders", &all).faults();
        let expected = [
            "/allow_split",
            "/hold_seconds",
            "/lines/0/qty",
            "/lines/0/sku",
            "/lines/1/qty",
            "/lines/2",
            "/note",
            "/on_shortage",
            "/order_id",
            "/priority",
        ];
        assert_eq!(reported, expected);
        assert_eq!(client.post("/orders", &json!({})).faults(), ["/lines", "/order_id"]);
        assert_eq!(client.post("/orders?dry_run=1", &order("O-1", &[("LAMP", 1)], json!({}))).faults(), ["dry_run"]);
        let long = "🪑".repeat(255);
        let too_long = client.post("/orders", &order(&long, &[("LAMP", 1), (&long, 1)], json!({}))).faults();
        assert_eq!(too_long.len(), 1, "{too_long:?}");
        for (method, path) in [("GET", "/orders/%20"), ("DELETE", "/orders/%20")] {
            assert_eq!(client.send(method, path, None, "").faults(), ["order_id"]);
        }
        assert_eq!(client.delete("/orders/O-1?force=1").faults(), ["force"]);
        assert_eq!(client.get("/orders/O-1?full=1").faults(), ["full"]);
    });
}

fn all_errors_of_parameters_are_reported_together(database: &TestDatabase) {
    with_server(database, |client| {
        for (query, faults) in [
            ("limit=0", vec!["limit"]),
            ("limit=1001", vec!["limit"]),
            ("limit=-1", vec!["limit"]),
            ("limit=ten", vec!["limit"]),
            ("limit=", vec!["limit"]),
            ("limit=99999999999999999999", vec!["limit"]),
            ("after=nonsense", vec!["after"]),
            ("after=", vec!["after"]),
            ("after=e30", vec!["after"]),
            ("offset=3", vec!["offset"]),
            ("limit=1&limit=2", vec!["limit"]),
            ("limit=x&offset=3&after=%%&sku=%20", vec!["after", "limit", "offset", "sku"]),
        ] {
            for path in ["/batch", "/allocations"] {
                assert_eq!(client.get(&format!("{path}?{query}")).faults(), faults, "{path}?{query}");
            }
        }
        let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1});
        assert_eq!(client.post("/batch?dry_run=1", &batch).faults(), ["dry_run"]);
        assert_eq!(client.delete("/batch/B-1?force=1").faults(), ["force"]);
        assert_eq!(client.get("/batch/B-1?x=1").faults(), ["x"]);
    });
}

fn errors_of_paths_are_reported(database: &TestDatabase) {
    with_server(database, |client| {
        for wrong in ["%20a", "a%00b", "%0A", "%FF", &"x".repeat(256)] {
            assert_eq!(client.get(&format!("/batch/{wrong}")).faults(), ["reference"], "{wrong}");
            assert_eq!(client.delete(&format!("/batch/{wrong}")).faults(), ["reference"], "{wrong}");
            let path = format!("/allocations/{wrong}/batch/{wrong}");
            assert_eq!(client.delete(&path).faults(), ["order_id", "reference"], "{wrong}");
        }
        client.get("/batch/NONE").problem(404, "batch-not-found");
    });
}

fn other_content_types_are_rejected(database: &TestDatabase) {
    with_server(database, |client| {
        let body = json!({"order_id": "O-1", "sku": "LAMP", "qty": 1}).to_string();
        for wrong in
            [None, Some("text/plain"), Some("application/xml"), Some("application/x-www-form-urlencoded"), Some("json")]
        {
            client.post_text("/allocations", wrong, body.clone()).problem(415, "unsupported-media-type");
            client.post_text("/batch", wrong, body.clone()).problem(415, "unsupported-media-type");
            client.post_text("/orders", wrong, body.clone()).problem(415, "unsupported-media-type");
        }
        let with_charset = client.post_text("/allocations", Some("application/json; charset=utf-8"), body);
        with_charset.problem(409, "out-of-stock");
    });
}

fn bodies_over_their_limit_are_rejected(database: &TestDatabase) {
    with_server(database, |client| {
        let spaces = |length: usize| format!("{}{{}}", " ".repeat(length - 2));
        assert_eq!(client.post_text("/allocations", JSON, spaces(256 * 1024)).status, 422);
        client.post_text("/allocations", JSON, spaces(256 * 1024 + 1)).problem(413, "body-too-large");
        client.post_text("/batch", JSON, spaces(3 << 20)).problem(413, "body-too-large");
        assert_eq!(client.post_text("/orders", JSON, spaces(2 << 20)).status, 422);
        client.post_text("/orders", JSON, spaces((2 << 20) + 1)).problem(413, "body-too-large");
    });
}

fn a_line_too_long_for_an_index_is_an_error(database: &TestDatabase) {
    with_server(database, |client| {
        let long = "🪑".repeat(255);
        let line = json!({"order_id": long, "sku": long, "qty": 1});
        assert_eq!(client.post("/allocations", &line).faults(), ["/order_id"]);
    });
}

fn a_body_that_does_not_arrive_times_out(database: &TestDatabase) {
    let server = Server::start(database);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "POST /allocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

fn unknown_paths_and_methods_are_problems(database: &TestDatabase) {
    with_server(database, |client| {
        for path in ["/nothing", "/batch/A/B", "/allocations/O-1", "/batch/", "//", "/docs/none.js", "/livez/x"] {
            client.get(path).problem(404, "not-found");
        }
        for (method, path, allowed) in [
            ("PUT", "/batch", "GET, HEAD, POST"),
            ("DELETE", "/allocations", "GET, HEAD, POST"),
            ("POST", "/batch/B-1", "DELETE, GET, HEAD, PATCH"),
            ("PUT", "/orders", "GET, HEAD, POST"),
            ("PUT", "/orders/O-1", "DELETE, GET, HEAD, PATCH"),
            ("GET", "/orders/O-1/lines/LAMP", "DELETE"),
            ("GET", "/orders/O-1/confirm", "POST"),
            ("DELETE", "/orders/O-1/extend", "POST"),
            ("POST", "/orders/O-1/history", "GET, HEAD"),
            ("POST", "/backorders", "GET, HEAD"),
            ("DELETE", "/products/LAMP", "GET, HEAD, PUT"),
            ("POST", "/products/LAMP/availability", "GET, HEAD"),
            ("GET", "/allocations/O-1/batch/B-1", "DELETE"),
            ("POST", "/livez", "GET, HEAD"),
            ("PATCH", "/openapi.json", "GET, HEAD"),
        ] {
            let answer = client.send(method, path, JSON, "{}");
            answer.problem(405, "method-not-allowed");
            let mut allow: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            allow.sort_unstable();
            assert_eq!(allow.join(", "), allowed, "{method} {path}");
        }
    });
}

fn bytes_that_are_no_http_affect_no_other_client(database: &TestDatabase) {
    let server = Server::start(database);
    for noise in
        ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{1}\u{2}\u{3}", "POST /allocations HTTP/1.1\r\ncontent-length: x\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(noise.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // The server may close the connection without a response.
        drop(stream.read_to_end(&mut answer));
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    let alive: Answer = server.client().get("/livez");
    assert_eq!(alive.status, 200);
}

on_every_database!(
    json_that_does_not_parse_is_malformed,
    a_body_that_is_no_object_is_an_error_as_a_whole,
    a_wrong_type_is_an_error_of_its_field,
    quantities_are_integers_from_1_to_2147483647_everywhere,
    impossible_dates_are_errors,
    invalid_identifiers_are_rejected,
    missing_unknown_and_repeated_fields_are_reported_together,
    every_invalid_order_is_rejected_with_its_error,
    errors_of_order_lines_name_their_index,
    all_errors_of_parameters_are_reported_together,
    errors_of_paths_are_reported,
    other_content_types_are_rejected,
    bodies_over_their_limit_are_rejected,
    a_line_too_long_for_an_index_is_an_error,
    a_body_that_does_not_arrive_times_out,
    unknown_paths_and_methods_are_problems,
    bytes_that_are_no_http_affect_no_other_client,
    whole_numbers_with_a_fraction_and_a_byte_order_mark_are_accepted,
);
