//! Spans of requests, by the semantic conventions of OpenTelemetry for HTTP servers.

use crate::requests::name_of;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::http::{Method, StatusCode};
use allocation_app::SpanEnd;
use allocation_ports::{SpanAttribute, SpanKind, TraceParent};
use std::time::Duration;

/// The header of W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the trace that a client sent. W3C Trace Context requires invalid values to be ignored.
pub(crate) fn sent(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(TraceParent::parse)
}

/// Returns the end of the span of a request. `route` is the template of its path, empty if no route has matched. An error
/// of the client is none of the server.
pub(crate) fn end(method: &Method, route: &str, status: StatusCode, took: Duration) -> SpanEnd {
    let (method, failed) = (name_of(method), status.is_server_error());
    let name = if method == "_OTHER" { "HTTP" } else { method };
    let name = if route.is_empty() { name.into() } else { format!("{name} {route}").into() };
    let mut attributes = vec![
        SpanAttribute::text("http.request.method", method),
        SpanAttribute::number("http.response.status_code", status.as_u16().into()),
    ];
    if !route.is_empty() {
        attributes.push(SpanAttribute::text("http.route", route.to_owned()));
    }
    if failed {
        attributes.push(SpanAttribute::text("error.type", status.as_u16().to_string()));
    }
    SpanEnd { kind: SpanKind::Server, name, took, failed, attributes }
}

#[cfg(test)]
mod tests;
