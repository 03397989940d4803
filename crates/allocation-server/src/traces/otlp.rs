//! Spans as OTLP 1 encodes them in JSON.

use crate::build::VERSION;
use allocation_ports::{AttributeValue, Span, SpanAttribute, SpanKind, SpanLink};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The status of a span that failed.
const ERROR: u8 = 2;

/// Returns the body of a request that exports spans.
pub(super) fn request(spans: &[Span]) -> Value {
    let resource = [SpanAttribute::text("service.name", "allocation"), SpanAttribute::text("service.version", VERSION)];
    let spans: Vec<Value> = spans.iter().map(encode).collect();
    let scope = json!({ "name": "allocation", "version": VERSION });
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&resource) },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

/// Returns the number of spans that a collector rejects in a successful response, 0 if it does not say so in JSON.
pub(super) fn rejected(response: &[u8]) -> usize {
    let response: Value = serde_json::from_slice(response).unwrap_or_default();
    let rejected = &response["partialSuccess"]["rejectedSpans"];
    // OTLP encodes numbers of 64 bits as texts.
    let number = rejected.as_str().and_then(|text| text.parse().ok()).or_else(|| rejected.as_u64());
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn encode(span: &Span) -> Value {
    let Span { ids, kind, name, began, took, failed, attributes: known, links, dropped_links } = span;
    let mut encoded = json!({
        "traceId": trace_id(ids.trace),
        "spanId": span_id(ids.span),
        "name": name,
        "kind": number(*kind),
        "startTimeUnixNano": nanos(*began),
        "endTimeUnixNano": nanos(*began + *took),
        "attributes": attributes(known),
    });
    if let Some(parent) = ids.parent {
        encoded["parentSpanId"] = span_id(parent).into();
    }
    if *failed {
        encoded["status"] = json!({ "code": ERROR });
    }
    if !links.is_empty() {
        encoded["links"] = links.iter().map(link).collect();
    }
    if *dropped_links > 0 {
        encoded["droppedLinksCount"] = (*dropped_links).into();
    }
    encoded
}

const fn number(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Consumer => 5,
    }
}

fn link(link: &SpanLink) -> Value {
    json!({ "traceId": trace_id(link.trace), "spanId": span_id(link.span) })
}

fn attributes(known: &[SpanAttribute]) -> Value {
    let encode = |SpanAttribute { key, value }: &SpanAttribute| {
        let value = match value {
            AttributeValue::Text(text) => json!({ "stringValue": text }),
            AttributeValue::Number(number) => json!({ "intValue": number.to_string() }),
        };
        json!({ "key": key, "value": value })
    };
    known.iter().map(encode).collect()
}

fn trace_id(id: u128) -> String {
    format!("{id:032x}")
}

fn span_id(id: u64) -> String {
    format!("{id:016x}")
}

/// Returns the nanoseconds since 1970, as a text: JSON numbers are not that exact.
fn nanos(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{rejected, request};
    use crate::traces::tests::span;
    use allocation_ports::{Span, SpanAttribute, SpanKind, SpanLink};
    use serde_json::{Value, json};

    fn encoded(span: &Span) -> Value {
        request(std::slice::from_ref(span))["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
    }

    #[test]
    fn a_span_is_encoded_as_otlp_requires() {
        assert_eq!(
            encoded(&span(11)),
            json!({
                "traceId": "0000000000000000000000000000000a",
                "spanId": "000000000000000b",
                "parentSpanId": "000000000000000c",
                "name": "POST /allocations",
                "kind": 2,
                "startTimeUnixNano": "1700000000000000000",
                "endTimeUnixNano": "1700000000002000000",
                "attributes": [{ "key": "http.route", "value": { "stringValue": "/allocations" } }],
            })
        );
        let resource = &request(&[])["resourceSpans"][0]["resource"]["attributes"][0];
        assert_eq!(*resource, json!({ "key": "service.name", "value": { "stringValue": "allocation" } }));
    }

    #[test]
    fn a_collector_may_reject_spans_within_a_successful_response() {
        for (response, expected) in [
            (r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#, 3),
            (r#"{"partialSuccess":{"rejectedSpans":4}}"#, 4),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":{"rejectedSpans":"-1"}}"#, 0),
            ("{}", 0),
            ("", 0),
            ("<html>", 0),
        ] {
            assert_eq!(rejected(response.as_bytes()), expected, "{response}");
        }
    }

    #[test]
    fn each_kind_of_span_has_the_number_of_otlp() {
        let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Consumer];
        let numbers = kinds.map(|kind| encoded(&Span { kind, ..span(1) })["kind"].clone());
        assert_eq!(numbers, [1, 2, 5]);
    }

    #[test]
    fn what_a_span_has_besides_is_encoded_too() {
        let attributes = vec![SpanAttribute::number("http.response.status_code", 503)];
        let (links, dropped_links) = (vec![SpanLink { trace: 1, span: 2 }], 3);
        let mut full = Span { failed: true, attributes, links, dropped_links, ..span(1) };
        full.ids.parent = None;
        let encoded = encoded(&full);
        assert_eq!(encoded["status"], json!({ "code": 2 }));
        let status = json!([{ "key": "http.response.status_code", "value": { "intValue": "503" } }]);
        assert_eq!(encoded["attributes"], status);
        let link = json!([{ "traceId": "00000000000000000000000000000001", "spanId": "0000000000000002" }]);
        assert_eq!((&encoded["links"], &encoded["droppedLinksCount"]), (&link, &json!(3)));
        assert!(encoded["parentSpanId"].is_null());
    }
}
