use super::MAX_LINKS;
use crate::UnitRunner;
use crate::testing::{Recorder, committed, conflict, ending, rolled_back, runner};
use crate::unit_of_work::UnitOutcome;
use allocation_ports::mocks::MockUnitOfWork;
use allocation_ports::{EventContext, Span, SpanAttribute, SpanKind, StoreError, TraceParent};
use std::sync::Arc;

fn context(trace: u128, span: u64) -> EventContext {
    EventContext { traceparent: TraceParent::of_span(trace, span), ..EventContext::default() }
}

fn unsampled() -> EventContext {
    let traceparent = TraceParent::parse("00-000000000000000000000000000000ff-00000000000000ff-00");
    EventContext { traceparent: Some(traceparent.unwrap()), ..EventContext::default() }
}

/// Runs the units for these commands, the first run without a change of its own; returns the spans.
fn spans(units: Vec<Result<MockUnitOfWork, StoreError>>, commands: &[EventContext]) -> Vec<Span> {
    let recorder = Arc::new(Recorder::default());
    let traced = runner(units).with_spans(recorder.clone());
    drop(run(&traced, commands));
    recorder.taken()
}

fn run(runner: &UnitRunner, commands: &[EventContext]) -> Result<(), StoreError> {
    runner.for_commands(commands.iter()).run("test", |_, _| Ok(UnitOutcome::Commit(())))
}

#[test]
fn a_unit_is_a_child_of_its_first_command_and_its_commit_a_child_of_the_unit() {
    let spans = spans(vec![committed(|_| {})], &[unsampled(), context(1, 2), context(3, 4)]);
    let [commit, unit] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&*unit.name, unit.kind, unit.failed), ("test", SpanKind::Internal, false));
    assert_eq!((unit.ids.trace, unit.ids.parent), (1, Some(2)));
    let links: Vec<_> = unit.links.iter().map(|link| (link.trace, link.span)).collect();
    assert_eq!((links, unit.dropped_links), (vec![(3, 4)], 0), "the sender of the first does not record it");
    assert_eq!((&*commit.name, commit.ids.trace, commit.ids.parent), ("commit", 1, Some(unit.ids.span)));
    assert!(commit.links.is_empty() && commit.took <= unit.took);
}

#[test]
fn a_unit_that_ran_again_is_one_span_with_each_commit() {
    let spans = spans(vec![ending(Err(conflict()), |_| {}), committed(|_| {})], &[context(1, 2)]);
    let told: Vec<_> = spans.iter().map(|span| (&*span.name, span.failed)).collect();
    assert_eq!(told, [("commit", true), ("commit", false), ("test", false)]);
    assert_eq!(spans[0].attributes, [SpanAttribute::text("error.type", "conflict")]);
    assert_eq!(spans[2].attributes, [SpanAttribute::number("allocation.attempts", 2)]);
}

#[test]
fn a_unit_that_failed_says_why() {
    let failed = || Err(StoreError::Failed("broken".into()));
    let [unit] = &spans(vec![failed()], &[context(1, 2)])[..] else { panic!("nothing was committed") };
    assert!(unit.failed && unit.attributes.contains(&SpanAttribute::text("error.type", "failed")), "{unit:?}");
}

#[test]
fn a_span_has_a_bounded_number_of_links() {
    let commands: Vec<_> = (1..=200).map(|n| context(n, 1)).collect();
    let spans = spans(vec![committed(|_| {})], &commands);
    assert_eq!((spans[1].links.len(), spans[1].dropped_links), (MAX_LINKS, 199 - MAX_LINKS));
    assert_eq!(spans[1].links[MAX_LINKS - 1].trace, 129, "the first stay");
}

#[test]
fn units_of_commands_without_a_span_have_none() {
    assert!(spans(vec![committed(|_| {})], &[unsampled(), EventContext::default()]).is_empty());
    let recorder = Arc::new(Recorder::default());
    let background = runner(vec![rolled_back(|_| {})]).with_spans(recorder.clone());
    background.run("test", |_, _| Ok(UnitOutcome::Rollback(()))).unwrap();
    assert!(recorder.taken().is_empty(), "what the service does by itself has no span");
    run(&runner(vec![committed(|_| {})]), &[context(1, 2)]).unwrap();
}
