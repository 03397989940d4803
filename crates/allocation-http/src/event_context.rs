//! The context of a request, as its events record it.

use crate::request_context::RequestContext;
use crate::{idempotency_key, spans};
use actix_web::HttpRequest;
use allocation_ports::EventContext;

/// Returns the context of a request: its author, its key, and its span or else the trace that its caller sent.
pub(crate) fn of(request: &HttpRequest) -> EventContext {
    let traceparent = RequestContext::traceparent_of(request).or_else(|| spans::sent(request.headers()));
    EventContext { actor: RequestContext::actor_of(request), traceparent, causation_id: idempotency_key::of(request) }
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
