//! Spans as OTLP 1 encodes them in JSON.

use crate::build::VERSION;
use allocation_http::RequestSpan;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The kind of a span that handles a request.
const SERVER: u8 = 2;
/// The status of a span that failed.
const ERROR: u8 = 2;

/// Returns the body of a request that exports spans.
pub(super) fn request(spans: &[RequestSpan]) -> Value {
    let resource = [text("service.name", "allocation"), text("service.version", VERSION)];
    let spans: Vec<Value> = spans.iter().map(encode).collect();
    let scope = json!({ "name": "allocation", "version": VERSION });
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

/// Encodes a span by the semantic conventions for HTTP servers: an error of the client is none of the server.
fn encode(span: &RequestSpan) -> Value {
    let RequestSpan { ids, method, route, status, began, took } = span;
    let name =
        if route.is_empty() { method_name(method).to_owned() } else { format!("{} {route}", method_name(method)) };
    let mut attributes = vec![
        text("http.request.method", method),
        json!({ "key": "http.response.status_code", "value": { "intValue": status.to_string() } }),
    ];
    if !route.is_empty() {
        attributes.push(text("http.route", route));
    }
    let mut encoded = json!({
        "traceId": format!("{:032x}", ids.trace),
        "spanId": format!("{:016x}", ids.span),
        "name": name,
        "kind": SERVER,
        "startTimeUnixNano": nanos(*began),
        "endTimeUnixNano": nanos(*began + *took),
    });
    if let Some(parent) = ids.parent {
        encoded["parentSpanId"] = format!("{parent:016x}").into();
    }
    if *status >= 500 {
        attributes.push(text("error.type", &status.to_string()));
        encoded["status"] = json!({ "code": ERROR });
    }
    encoded["attributes"] = attributes.into();
    encoded
}

/// Returns the method in the name of a span.
fn method_name(method: &str) -> &str {
    if method == "_OTHER" { "HTTP" } else { method }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Returns the nanoseconds since 1970, as a text: JSON numbers are not that exact.
fn nanos(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}

#[cfg(test)]
mod tests {
    use super::request;
    use crate::traces::tests::span;
    use serde_json::{Value, json};

    fn encoded(span: &allocation_http::RequestSpan) -> Value {
        request(std::slice::from_ref(span))["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
    }

    #[test]
    fn a_span_is_encoded_by_the_conventions_of_opentelemetry() {
        assert_eq!(
            encoded(&span(201)),
            json!({
                "traceId": "0000000000000000000000000000000a",
                "spanId": "000000000000000b",
                "parentSpanId": "000000000000000c",
                "name": "POST /allocations",
                "kind": 2,
                "startTimeUnixNano": "1700000000000000000",
                "endTimeUnixNano": "1700000000002000000",
                "attributes": [
                    { "key": "http.request.method", "value": { "stringValue": "POST" } },
                    { "key": "http.response.status_code", "value": { "intValue": "201" } },
                    { "key": "http.route", "value": { "stringValue": "/allocations" } },
                ],
            })
        );
        let resource = &request(&[])["resourceSpans"][0]["resource"]["attributes"][0];
        assert_eq!(*resource, json!({ "key": "service.name", "value": { "stringValue": "allocation" } }));
    }

    #[test]
    fn only_an_error_of_the_server_is_an_error() {
        assert!(encoded(&span(409))["status"].is_null());
        let failed = encoded(&span(503));
        assert_eq!(failed["status"], json!({ "code": 2 }));
        assert_eq!(failed["attributes"][3], json!({ "key": "error.type", "value": { "stringValue": "503" } }));
    }

    #[test]
    fn a_span_without_route_or_parent_has_neither() {
        let mut unmatched = span(404);
        unmatched.route.clear();
        unmatched.method = "_OTHER";
        unmatched.ids.parent = None;
        let unmatched = encoded(&unmatched);
        assert_eq!((&unmatched["name"], &unmatched["parentSpanId"]), (&json!("HTTP"), &Value::Null));
        assert_eq!(unmatched["attributes"].as_array().unwrap().len(), 2);
    }
}
