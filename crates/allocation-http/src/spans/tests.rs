use super::{RequestSpan, SpanSink};
use crate::event_context;
use crate::spans::Tracer;
use crate::testing::{Ports, json_request, send};
use actix_web::test::TestRequest;
use allocation_ports::StoreError;
use std::sync::{Arc, Mutex};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[derive(Default)]
struct Recorder(Mutex<Vec<RequestSpan>>);

impl SpanSink for Recorder {
    fn record(&self, span: RequestSpan) {
        self.0.lock().unwrap().push(span);
    }
}

impl Recorder {
    fn taken(&self) -> Vec<RequestSpan> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn livez() -> TestRequest {
    TestRequest::get().uri("/livez")
}

#[actix_web::test]
async fn a_request_is_a_child_of_the_span_that_its_caller_names() {
    let recorder = Arc::new(Recorder::default());
    let api = Ports::new().api().with_spans(recorder.clone(), 0.0);
    send(&api, livez().insert_header(("traceparent", TRACE))).await;
    let [span] = &recorder.taken()[..] else { panic!("there is one span") };
    assert_eq!(span.ids.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(span.ids.parent, Some(0x00f0_67aa_0ba9_02b7));
    assert_ne!(span.ids.span, 0x00f0_67aa_0ba9_02b7);
    assert_eq!((span.method, &*span.route, span.status), ("GET", "/livez", 200));
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
        let api = Ports::new().api().with_spans(recorder.clone(), ratio);
        let request = header.into_iter().fold(livez(), |it, header| it.insert_header(("traceparent", header)));
        send(&api, request).await;
        assert_eq!(recorder.taken().len(), expected, "{ratio} {header:?}");
    }
}

#[test]
fn a_ratio_chooses_some_of_the_traces() {
    let tracer = Tracer::new(Arc::new(Recorder::default()), 0.5);
    let request = livez().to_srv_request();
    let chosen = (0..1_000).filter(|_| tracer.begin(&request).is_some()).count();
    assert!((300..700).contains(&chosen), "{chosen}");
}

#[actix_web::test]
async fn a_span_names_the_template_of_a_path_and_never_its_values() {
    let recorder = Arc::new(Recorder::default());
    let api = Ports::failing(|| StoreError::Failed("broken".into())).api().with_spans(recorder.clone(), 1.0);
    send(&api, TestRequest::get().uri("/batch/SECRET-1?")).await;
    send(&api, TestRequest::get().uri("/unknown/SECRET-1")).await;
    send(&api, json_request("/allocations", "{").method("BREW".parse().unwrap())).await;
    let spans = recorder.taken();
    let told: Vec<_> = spans.iter().map(|it| (it.method, &*it.route, it.status)).collect();
    assert_eq!(told[..2], [("GET", "/batch/{reference}", 500), ("GET", "", 404)]);
    assert_eq!(told[2].0, "_OTHER");
}

#[test]
fn what_a_traced_request_causes_is_a_child_of_its_span() {
    let tracer = Tracer::new(Arc::new(Recorder::default()), 0.0);
    let request = livez().insert_header(("traceparent", TRACE)).to_srv_request();
    let context = crate::request_context::RequestContext::begin(&request, Some(&tracer));
    let caused = event_context::of(request.request()).traceparent.unwrap();
    assert_eq!(caused, context.span().unwrap().traceparent());
    assert_eq!(caused.as_str()[..36], TRACE[..36]);
    assert_ne!(caused.as_str(), TRACE);
}

#[test]
fn what_an_untraced_request_causes_has_the_trace_that_its_caller_sent() {
    let tracer = Tracer::new(Arc::new(Recorder::default()), 1.0);
    let request = livez().insert_header(("traceparent", UNSAMPLED)).to_srv_request();
    crate::request_context::RequestContext::begin(&request, Some(&tracer));
    assert_eq!(event_context::of(request.request()).traceparent.unwrap().as_str(), UNSAMPLED);
}
