//! Commands of bulk requests, which wait for room in the queue.

use super::*;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

type Submitted<'a> = Pin<Box<dyn Future<Output = LineReply> + 'a>>;

fn submit<'a>(engine: &'a AllocationEngine, order_id: &str) -> Submitted<'a> {
    Box::pin(engine.allocate_in_bulk(line(order_id, "LAMP", 1), EventContext::default()))
}

fn poll(future: &mut Submitted<'_>) -> Poll<LineReply> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until the reply is there.
fn reply(mut future: Submitted<'_>) -> &'static str {
    loop {
        if let Poll::Ready(reply) = poll(&mut future) {
            return told(reply);
        }
        std::thread::yield_now();
    }
}

#[test]
fn bulk_commands_wait_for_room_and_leave_half_of_the_queue_to_others() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 4, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("FIRST", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let mut bulk: Vec<_> = (0..6).map(|n| submit(&engine, &format!("O-{n}"))).collect();
    assert!(bulk.iter_mut().all(|future| poll(future).is_pending()), "none of them is rejected");
    let other = |id: &str| engine.submit_line(line(id, "LAMP", 1), EventContext::default());
    let others = [other("A").unwrap(), other("B").unwrap()];
    assert!(matches!(other("C"), Err(SubmitError::Overloaded)));
    shared.open_gate();
    for future in bulk {
        assert_eq!(reply(future), "allocated");
    }
    for answer in others.into_iter().chain([first]) {
        assert_eq!(told(answer.blocking_recv().unwrap()), "allocated");
    }
    engine.shut_down();
}

#[test]
fn the_age_of_a_bulk_command_counts_from_when_it_has_room() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 1, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("FIRST", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let (mut early, mut late) = (submit(&engine, "O-1"), submit(&engine, "O-2"));
    assert!(poll(&mut early).is_pending() && poll(&mut late).is_pending());
    // Time passes without a stall of the process.
    for _ in 0..20 {
        shared.time.pass(MAX_AGE / 20);
        engine.age.beat();
    }
    shared.open_gate();
    assert_eq!(told(first.blocking_recv().unwrap()), "overloaded");
    assert_eq!(reply(early), "overloaded", "it had room and was not decided in time");
    assert_eq!(reply(late), "allocated");
    engine.shut_down();
}

#[test]
fn a_bulk_command_that_is_dropped_while_it_waits_for_room_is_never_decided() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 1, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("FIRST", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let (mut queued, mut dropped) = (submit(&engine, "O-1"), submit(&engine, "O-2"));
    assert!(poll(&mut queued).is_pending() && poll(&mut dropped).is_pending());
    drop(dropped);
    shared.open_gate();
    assert_eq!(reply(queued), "allocated");
    drop(first);
    engine.shut_down();
    assert!(!shared.groups().concat().contains(&"O-2".to_owned()));
}

#[test]
fn a_bulk_command_that_waits_for_room_ends_with_the_engine() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 1, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("FIRST", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let (mut queued, mut waiting) = (submit(&engine, "O-1"), submit(&engine, "O-2"));
    assert!(poll(&mut queued).is_pending() && poll(&mut waiting).is_pending());
    engine.queues.iter().for_each(Queue::close);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Err(EngineError::ShuttingDown))));
    shared.open_gate();
    assert_eq!(reply(queued), "allocated", "what is queued is still decided");
    drop(first);
    engine.shut_down();
}
