//! Spans of commands, by the semantic conventions of OpenTelemetry for messaging.

use super::envelope::Envelope;
use super::problem::NotDone;
use allocation_app::{OpenSpan, SpanEnd, Tracer};
use allocation_ports::{SpanAttribute, SpanKind};
use std::time::Instant;

/// The span of a command that is executed.
pub(super) struct CommandSpan<'a> {
    tracer: &'a Tracer,
    span: OpenSpan,
    begun: Instant,
}

impl<'a> CommandSpan<'a> {
    /// Begins the span of a command if the tracer chooses it. What the command causes is then a child of this span.
    pub(super) fn begin(tracer: Option<&'a Tracer>, command: &mut Envelope) -> Option<Self> {
        let tracer = tracer?;
        let traceparent = &mut command.context.traceparent;
        let span = tracer.begin(traceparent.as_ref())?;
        *traceparent = Some(span.traceparent());
        Some(Self { tracer, span, begun: Instant::now() })
    }

    /// Records the span. A command that a rule refuses is no failure of the service, but one that is deferred is.
    pub(super) fn end(self, queue: &str, outcome: &Result<(), NotDone>) {
        let (outcome, failed) = match outcome {
            Ok(()) => ("done", false),
            Err(NotDone::Refused(_)) => ("refused", false),
            Err(NotDone::Later(_) | NotDone::TurnedAway(_)) => ("deferred", true),
        };
        let mut attributes = vec![
            SpanAttribute::text("messaging.system", "rabbitmq"),
            SpanAttribute::text("messaging.operation.type", "process"),
            SpanAttribute::text("messaging.operation.name", "process"),
            SpanAttribute::text("messaging.destination.name", queue.to_owned()),
            SpanAttribute::text("allocation.outcome", outcome),
        ];
        if failed {
            attributes.push(SpanAttribute::text("error.type", outcome));
        }
        let (kind, name, took) = (SpanKind::Consumer, format!("process {queue}").into(), self.begun.elapsed());
        self.tracer.end(&self.span, SpanEnd { kind, name, took, failed, attributes });
    }
}

#[cfg(test)]
mod tests {
    use super::CommandSpan;
    use crate::commands::envelope::Envelope;
    use crate::commands::problem::{NotDone, Problem};
    use allocation_app::Tracer;
    use allocation_ports::{Span, SpanAttribute, SpanKind, SpanSink};
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Span>>);

    impl SpanSink for Recorder {
        fn record(&self, span: Span) {
            self.0.lock().unwrap().push(span);
        }
    }

    fn command() -> Envelope {
        let event = serde_json::json!({
            "specversion": "1.0", "id": "C-1", "source": "/shop", "type": "allocation.command.deallocate.v1",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "data": {"order_id": "O-1", "reference": "B-1"},
        });
        Envelope::parse(Some("application/cloudevents+json"), None, event.to_string().as_bytes()).unwrap()
    }

    /// Returns the span of a command with this outcome.
    fn span(outcome: &Result<(), NotDone>) -> Span {
        let recorder = Arc::new(Recorder::default());
        let tracer = Tracer::new(recorder.clone(), 0.0);
        CommandSpan::begin(Some(&tracer), &mut command()).unwrap().end("commands", outcome);
        recorder.0.lock().unwrap().remove(0)
    }

    #[test]
    fn a_command_is_a_child_of_the_span_of_its_sender_and_the_parent_of_what_it_causes() {
        let tracer = Tracer::new(Arc::new(Recorder::default()), 0.0);
        let mut command = command();
        let sent = command.context.traceparent.clone().unwrap();
        assert!(CommandSpan::begin(None, &mut command).is_none(), "no command has a span without a tracer");
        assert_eq!(command.context.traceparent.as_ref(), Some(&sent));
        assert!(CommandSpan::begin(Some(&tracer), &mut command).is_some());
        let caused = command.context.traceparent.unwrap();
        assert_eq!(caused.trace(), sent.trace());
        assert_ne!(caused.span(), sent.span());
    }

    #[test]
    fn a_span_says_what_became_of_its_command() {
        let done = span(&Ok(()));
        assert_eq!((&*done.name, done.kind, done.failed), ("process commands", SpanKind::Consumer, false));
        let refused = span(&Err(NotDone::Refused(Problem::validation("id: must not be empty"))));
        assert!(!refused.failed && refused.attributes.contains(&SpanAttribute::text("allocation.outcome", "refused")));
        let deferred = span(&Err(NotDone::Later("the database is busy".to_owned())));
        assert!(deferred.failed && deferred.attributes.contains(&SpanAttribute::text("error.type", "deferred")));
    }
}
