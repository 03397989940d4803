//! The context of a request, as its events record it.

use crate::request_context::RequestContext;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use allocation_ports::{EventContext, TraceParent};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the context of a request: its author, and its trace if valid (W3C Trace Context).
///
/// That standard requires invalid values to be ignored.
pub(crate) fn of(request: &HttpRequest) -> EventContext {
    let header = request.headers().get(&TRACEPARENT);
    let traceparent = header.and_then(|value| value.to_str().ok()).and_then(TraceParent::parse);
    EventContext { actor: RequestContext::actor_of(request), traceparent, causation_id: None }
}

#[cfg(test)]
mod tests {
    use super::of;
    use actix_web::test::TestRequest;

    #[test]
    fn a_valid_traceparent_is_used_and_any_other_ignored() {
        let context = |value: &str| of(&TestRequest::default().insert_header(("traceparent", value)).to_http_request());
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(context(trace).traceparent.unwrap().as_str(), trace);
        assert!(context("00-none").is_default());
        assert!(of(&TestRequest::default().to_http_request()).is_default());
    }
}
