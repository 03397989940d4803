use crate::testing::{Ports, json_request, send};
use crate::{event_context, spans};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use allocation_app::Tracer;
use allocation_ports::{Span, SpanAttribute, SpanKind, SpanSink, StoreError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[derive(Default)]
struct Recorder(Mutex<Vec<Span>>);

impl SpanSink for Recorder {
    fn record(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }
}

impl Recorder {
    fn taken(&self) -> Vec<Span> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn tracer(sink: &Arc<Recorder>, ratio: f64) -> Tracer {
    Tracer::new(sink.clone(), ratio)
}

fn livez() -> TestRequest {
    TestRequest::get().uri("/livez")
}

#[actix_web::test]
async fn a_request_is_a_child_of_the_span_that_its_caller_names() {
    let recorder = Arc::new(Recorder::default());
    let api = Ports::new().api().with_tracer(tracer(&recorder, 0.0));
    send(&api, livez().insert_header(("traceparent", TRACE))).await;
    let [span] = &recorder.taken()[..] else { panic!("there is one span") };
    assert_eq!(span.ids.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(span.ids.parent, Some(0x00f0_67aa_0ba9_02b7));
    assert_ne!(span.ids.span, 0x00f0_67aa_0ba9_02b7);
    assert_eq!((&*span.name, span.kind, span.failed), ("GET /livez", SpanKind::Server, false));
}

#[actix_web::test]
async fn the_caller_decides_whether_its_trace_is_recorded_and_the_ratio_about_others() {
    let recorder = Arc::new(Recorder::default());
    for (ratio, header, expected) in [
        (1.0, Some(UNSAMPLED), 0),
        (0.0, Some(TRACE), 1),
        (0.0, None, 0),
        (1.0, None, 1),
        (0.0, Some("00-none"), 0),
        (1.0, Some("00-none"), 1),
    ] {
        let api = Ports::new().api().with_tracer(tracer(&recorder, ratio));
        let request = header.into_iter().fold(livez(), |it, header| it.insert_header(("traceparent", header)));
        send(&api, request).await;
        assert_eq!(recorder.taken().len(), expected, "{ratio} {header:?}");
    }
}

#[actix_web::test]
async fn a_span_names_the_template_of_a_path_and_never_its_values() {
    let recorder = Arc::new(Recorder::default());
    let api = Ports::failing(|| StoreError::Failed("broken".into())).api().with_tracer(tracer(&recorder, 1.0));
    send(&api, TestRequest::get().uri("/batch/SECRET-1?")).await;
    send(&api, TestRequest::get().uri("/unknown/SECRET-1")).await;
    send(&api, json_request("/allocations", "{").method("BREW".parse().unwrap())).await;
    let spans = recorder.taken();
    let told: Vec<_> = spans.iter().map(|it| (&*it.name, it.failed)).collect();
    assert_eq!(told[..2], [("GET /batch/{reference}", true), ("GET", false)]);
    assert!(told[2].0.starts_with("HTTP"), "{told:?}");
    assert!(spans[2].attributes.contains(&SpanAttribute::text("http.request.method", "_OTHER")));
}

#[test]
fn only_an_error_of_the_server_is_an_error() {
    let end = |status| spans::end(&Method::POST, "/allocations", status, Duration::from_millis(2));
    let refused = end(StatusCode::CONFLICT);
    let expected = [
        SpanAttribute::text("http.request.method", "POST"),
        SpanAttribute::number("http.response.status_code", 409),
        SpanAttribute::text("http.route", "/allocations"),
    ];
    assert_eq!((&*refused.name, refused.failed, &refused.attributes[..]), ("POST /allocations", false, &expected[..]));
    let failed = end(StatusCode::SERVICE_UNAVAILABLE);
    assert!(failed.failed && failed.attributes.contains(&SpanAttribute::text("error.type", "503")));
}

#[test]
fn what_a_traced_request_causes_is_a_child_of_its_span() {
    let tracer = tracer(&Arc::default(), 0.0);
    let request = livez().insert_header(("traceparent", TRACE)).to_srv_request();
    let context = crate::request_context::RequestContext::begin(&request, Some(&tracer));
    let caused = event_context::of(request.request()).traceparent.unwrap();
    assert_eq!(caused, context.span().unwrap().traceparent());
    assert_eq!(caused.as_str()[..36], TRACE[..36]);
    assert_ne!(caused.as_str(), TRACE);
}

#[test]
fn what_an_untraced_request_causes_has_the_trace_that_its_caller_sent() {
    let tracer = tracer(&Arc::default(), 1.0);
    let request = livez().insert_header(("traceparent", UNSAMPLED)).to_srv_request();
    crate::request_context::RequestContext::begin(&request, Some(&tracer));
    assert_eq!(event_context::of(request.request()).traceparent.unwrap().as_str(), UNSAMPLED);
}
