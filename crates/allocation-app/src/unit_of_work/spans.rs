//! Spans of units of work.

use allocation_ports::{
    EventContext, Span, SpanAttribute, SpanIds, SpanKind, SpanLink, SpanSink, StoreError, TraceParent,
};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The maximum number of links of a span: the limit that `OpenTelemetry` recommends.
const MAX_LINKS: usize = 128;

/// Where the spans of units of work go, and the spans of the commands that the units carry out.
#[derive(Clone)]
pub(super) struct UnitTrace {
    pub(super) sink: Arc<dyn SpanSink>,
    /// Empty if no command has a span. The unit has none either, then.
    pub(super) commands: Arc<[TraceParent]>,
}

/// Returns the spans of commands. The traces that are recorded nowhere have none.
pub(super) fn of_commands<'a>(contexts: impl Iterator<Item = &'a EventContext>) -> Arc<[TraceParent]> {
    contexts.filter_map(|context| context.traceparent.as_ref()).filter(|it| it.is_sampled()).cloned().collect()
}

/// The span of a unit of work and of its retries, which has not ended.
///
/// It is a child of the first command, so that one trace shows the whole way of a request. It has links to the others.
pub(super) struct UnitSpan<'a> {
    trace: &'a UnitTrace,
    ids: SpanIds,
    began: (SystemTime, Instant),
}

impl<'a> UnitSpan<'a> {
    /// Begins the span of a unit, if one of its commands has a span.
    pub(super) fn begin(trace: Option<&'a UnitTrace>) -> Option<Self> {
        let trace = trace?;
        let first = trace.commands.first()?;
        let ids = SpanIds { trace: first.trace(), span: fastrand::u64(1..), parent: Some(first.span()) };
        Some(Self { trace, ids, began: (SystemTime::now(), Instant::now()) })
    }

    /// Records a commit that took this long.
    pub(super) fn committed(&self, took: Duration, result: &Result<(), StoreError>) {
        let ids = SpanIds { span: fastrand::u64(1..), parent: Some(self.ids.span), ..self.ids };
        let now = SystemTime::now();
        let began = now.checked_sub(took).unwrap_or(now);
        self.trace.sink.record(ended(ids, "commit", (began, took), result.as_ref().err()));
    }

    /// Records the span. `attempts` counts the runs of the unit.
    pub(super) fn end(self, name: &'static str, attempts: u32, error: Option<&StoreError>) {
        let (began, start) = self.began;
        let mut span = ended(self.ids, name, (began, start.elapsed()), error);
        let others = &self.trace.commands[1..];
        let link = |it: &TraceParent| SpanLink { trace: it.trace(), span: it.span() };
        span.links = others.iter().take(MAX_LINKS).map(link).collect();
        span.dropped_links = others.len().saturating_sub(MAX_LINKS);
        span.attributes.push(SpanAttribute::number("allocation.attempts", attempts.into()));
        self.trace.sink.record(span);
    }
}

fn ended(ids: SpanIds, name: &'static str, (began, took): (SystemTime, Duration), error: Option<&StoreError>) -> Span {
    let (kind, name, failed) = (SpanKind::Internal, name.into(), error.is_some());
    let attributes = error.map(|error| SpanAttribute::text("error.type", error.kind())).into_iter().collect();
    Span { ids, kind, name, began, took, failed, attributes, links: Vec::new(), dropped_links: 0 }
}

#[cfg(test)]
mod tests;
