//! Spans of requests, for distributed tracing.

use crate::requests::name_of;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use allocation_ports::TraceParent;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";

/// Takes the spans of requests. Requests do not wait for it.
pub trait SpanSink: Send + Sync {
    /// Takes a span, or drops it.
    fn record(&self, span: RequestSpan);
}

/// A request that has a response, as a span of a trace. It contains no value that a client has chosen but the ids of
/// the trace and of the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpan {
    /// The ids of the span.
    pub ids: SpanIds,
    /// The method, `_OTHER` for one that is not known.
    pub method: &'static str,
    /// The template of the path, empty if no route has matched.
    pub route: String,
    /// The status of the response.
    pub status: u16,
    /// When the request began.
    pub began: SystemTime,
    /// The time until the response began.
    pub took: Duration,
}

/// The ids of a span, which are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanIds {
    /// The id of the trace.
    pub trace: u128,
    /// The id of the span within the trace.
    pub span: u64,
    /// The id of the parent, a span of the caller.
    pub parent: Option<u64>,
}

/// Chooses the requests that have a span.
pub(crate) struct Tracer {
    sink: Arc<dyn SpanSink>,
    ratio: f64,
}

/// The span of a request that has no response yet.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    ids: SpanIds,
    began: SystemTime,
}

impl Tracer {
    pub(crate) fn new(sink: Arc<dyn SpanSink>, ratio: f64) -> Self {
        Self { sink, ratio }
    }

    /// Begins the span of a request if its caller has chosen its trace, or if the request begins a trace that is
    /// chosen.
    pub(crate) fn begin(&self, request: &ServiceRequest) -> Option<OpenSpan> {
        let (trace, parent) = match sent(request.headers()).as_ref().map(parts) {
            Some(Parts { sampled: false, .. }) => return None,
            Some(Parts { trace, parent, .. }) => (trace, Some(parent)),
            None if fastrand::f64() < self.ratio => (fastrand::u128(1..), None),
            None => return None,
        };
        let ids = SpanIds { trace, span: fastrand::u64(1..), parent };
        Some(OpenSpan { ids, began: SystemTime::now() })
    }

    pub(crate) fn end(&self, span: &OpenSpan, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let (ids, began, route) = (span.ids, span.began, route.to_owned());
        self.sink.record(RequestSpan { ids, method: name_of(method), route, status: status.as_u16(), began, took });
    }
}

impl OpenSpan {
    /// Returns what names this span as the parent of what the request causes.
    #[expect(clippy::expect_used, reason = "neither id is zero")]
    pub(crate) fn traceparent(&self) -> TraceParent {
        let SpanIds { trace, span, .. } = self.ids;
        TraceParent::parse(&format!("00-{trace:032x}-{span:016x}-01")).expect("the ids make a traceparent")
    }
}

/// Returns the trace that a client sent. W3C Trace Context requires invalid values to be ignored.
pub(crate) fn sent(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(TraceParent::parse)
}

/// The parts of a `traceparent`.
struct Parts {
    trace: u128,
    parent: u64,
    sampled: bool,
}

#[expect(clippy::expect_used, reason = "a traceparent is valid")]
fn parts(traceparent: &TraceParent) -> Parts {
    let text = traceparent.as_str();
    let trace = u128::from_str_radix(&text[3..35], 16).expect("32 digits");
    let parent = u64::from_str_radix(&text[36..52], 16).expect("16 digits");
    let flags = u8::from_str_radix(&text[53..55], 16).expect("2 digits");
    Parts { trace, parent, sampled: flags & 1 == 1 }
}

#[cfg(test)]
mod tests;
