//! Spans of requests and commands.

use allocation_ports::{Span, SpanAttribute, SpanIds, SpanKind, SpanSink, TraceParent};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Chooses the requests and commands that have a span.
#[derive(Clone)]
pub struct Tracer {
    sink: Arc<dyn SpanSink>,
    ratio: f64,
}

/// The span of a request or command that has not ended.
#[derive(Debug)]
pub struct OpenSpan {
    ids: SpanIds,
    began: SystemTime,
}

/// What is known of a span when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanEnd {
    /// The role of the span.
    pub kind: SpanKind,
    /// The name, one of few.
    pub name: Cow<'static, str>,
    /// How long it took.
    pub took: Duration,
    /// Whether it failed.
    pub failed: bool,
    /// What else is known.
    pub attributes: Vec<SpanAttribute>,
}

impl Tracer {
    /// Returns a tracer that records traces whose sender records them, and a share of those that begin here: `ratio`,
    /// from 0 to 1.
    #[must_use]
    pub fn new(sink: Arc<dyn SpanSink>, ratio: f64) -> Self {
        Self { sink, ratio }
    }

    /// Returns where the spans go.
    #[must_use]
    pub const fn sink(&self) -> &Arc<dyn SpanSink> {
        &self.sink
    }

    /// Begins the span of a request if its sender records its trace, or if the request begins a trace that is chosen.
    #[must_use]
    pub fn begin(&self, sent: Option<&TraceParent>) -> Option<OpenSpan> {
        let (trace, parent) = match sent {
            Some(sent) if !sent.is_sampled() => return None,
            Some(sent) => (sent.trace(), Some(sent.span())),
            None if fastrand::f64() < self.ratio => (fastrand::u128(1..), None),
            None => return None,
        };
        Some(OpenSpan::begin(trace, parent))
    }

    /// Records a span that has ended.
    pub fn end(&self, span: &OpenSpan, end: SpanEnd) {
        let SpanEnd { kind, name, took, failed, attributes } = end;
        let (ids, began) = (span.ids, span.began);
        let (links, dropped_links) = (Vec::new(), 0);
        self.sink.record(Span { ids, kind, name, began, took, failed, attributes, links, dropped_links });
    }
}

impl OpenSpan {
    fn begin(trace: u128, parent: Option<u64>) -> Self {
        Self { ids: SpanIds { trace, span: fastrand::u64(1..), parent }, began: SystemTime::now() }
    }

    /// Returns what names this span as the parent of what it causes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "neither id is zero")]
    pub fn traceparent(&self) -> TraceParent {
        TraceParent::of_span(self.ids.trace, self.ids.span).expect("the ids make a traceparent")
    }
}

#[cfg(test)]
mod tests {
    use super::Tracer;
    use crate::testing::Recorder;
    use allocation_ports::TraceParent;
    use std::sync::Arc;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn tracer(ratio: f64) -> Tracer {
        Tracer::new(Arc::new(Recorder::default()), ratio)
    }

    #[test]
    fn the_sender_decides_whether_its_trace_is_recorded_and_the_ratio_about_others() {
        let unsampled = format!("{}00", &TRACE[..53]);
        for (ratio, sent, chosen) in
            [(1.0, Some(&*unsampled), false), (0.0, Some(TRACE), true), (0.0, None, false), (1.0, None, true)]
        {
            let sent = sent.map(|text| TraceParent::parse(text).unwrap());
            assert_eq!(tracer(ratio).begin(sent.as_ref()).is_some(), chosen, "{ratio} {sent:?}");
        }
    }

    #[test]
    fn a_ratio_chooses_some_of_the_traces() {
        let tracer = tracer(0.5);
        let chosen = (0..1_000).filter(|_| tracer.begin(None).is_some()).count();
        assert!((300..700).contains(&chosen), "{chosen}");
    }

    #[test]
    fn what_a_span_causes_belongs_to_its_trace() {
        let sent = TraceParent::parse(TRACE).unwrap();
        let caused = tracer(0.0).begin(Some(&sent)).unwrap().traceparent();
        assert_eq!(caused.trace(), sent.trace());
        assert_ne!(caused.span(), sent.span());
        assert!(caused.is_sampled());
    }
}
