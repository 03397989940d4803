//! Commands of bulk requests, which wait for room in the queue.

use super::*;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use tokio::runtime::{Builder, Runtime};

type Submitted<'a> = Pin<Box<dyn Future<Output = LineReply> + 'a>>;

fn submit_in_bulk<'a>(engine: &'a AllocationEngine, order_id: &str) -> Submitted<'a> {
    Box::pin(engine.allocate_in_bulk(line(order_id, "LAMP", 1), EventContext::default()))
}

fn poll(future: &mut Submitted<'_>) -> Poll<LineReply> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());
    let _entered = RUNTIME.enter();
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until the reply is there.
fn poll_reply(mut future: Submitted<'_>) -> &'static str {
    loop {
        if let Poll::Ready(reply) = poll(&mut future) {
            return describe(reply);
        }
        std::thread::yield_now();
    }
}

#[test]
fn bulk_commands_wait_for_room_and_leave_half_of_the_queue_to_others() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 4);
    let mut bulk: Vec<_> = (0..6).map(|n| submit_in_bulk(&engine, &format!("O-{n}"))).collect();
    assert!(bulk.iter_mut().all(|future| poll(future).is_pending()), "none of them is rejected");
    let other = |id: &str| engine.submit_line(line(id, "LAMP", 1), EventContext::default());
    let others = [other("A").unwrap(), other("B").unwrap()];
    assert!(matches!(other("C"), Err(SubmitError::Overloaded)));
    shared.open_gate();
    for future in bulk {
        assert_eq!(poll_reply(future), "allocated");
    }
    for answer in others.into_iter().chain([first]) {
        assert_eq!(reply(answer), "allocated");
    }
    engine.shut_down();
}

#[test]
fn the_age_of_a_bulk_command_counts_from_when_it_has_room() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 1);
    let (mut early, mut late) = (submit_in_bulk(&engine, "O-1"), submit_in_bulk(&engine, "O-2"));
    assert!(poll(&mut early).is_pending() && poll(&mut late).is_pending());
    // Time passes without a stall of the process.
    for _ in 0..20 {
        shared.time.pass(MAX_AGE / 20);
        engine.age.beat();
    }
    shared.open_gate();
    assert_eq!(reply(first), "overloaded");
    assert_eq!(poll_reply(early), "overloaded", "it had room and was not decided in time");
    assert_eq!(poll_reply(late), "allocated");
    engine.shut_down();
}

#[test]
fn a_bulk_command_that_is_dropped_while_it_waits_for_room_is_never_decided() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 1);
    let (mut queued, mut dropped) = (submit_in_bulk(&engine, "O-1"), submit_in_bulk(&engine, "O-2"));
    assert!(poll(&mut queued).is_pending() && poll(&mut dropped).is_pending());
    drop(dropped);
    shared.open_gate();
    assert_eq!(poll_reply(queued), "allocated");
    drop(first);
    engine.shut_down();
    assert!(!shared.groups().concat().contains(&"O-2".to_owned()));
}

#[test]
fn a_bulk_command_that_waits_for_room_ends_with_the_engine() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 1);
    let (mut queued, mut waiting) = (submit_in_bulk(&engine, "O-1"), submit_in_bulk(&engine, "O-2"));
    assert!(poll(&mut queued).is_pending() && poll(&mut waiting).is_pending());
    engine.queues.iter().for_each(Queue::close);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Err(EngineError::ShuttingDown))));
    shared.open_gate();
    assert_eq!(poll_reply(queued), "allocated", "what is queued is still decided");
    drop(first);
    engine.shut_down();
}
