use super::*;
use allocation_ports::mocks::MockEventLog;
use allocation_ports::{LogBounds, StoreError};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Returns a log, its newest position for the test to set, and the number of polls.
fn log() -> (Arc<dyn EventLog>, Arc<AtomicU64>, Arc<AtomicUsize>) {
    let (last, asked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut log = MockEventLog::new();
    let (told, count) = (Arc::clone(&last), Arc::clone(&asked));
    log.expect_bounds().returning(move || {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::Unavailable("connection refused".into()));
        }
        Ok(LogBounds { oldest: 1, last: told.load(Ordering::SeqCst) })
    });
    (Arc::new(log), last, asked)
}

/// Polls until the future is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::yield_now(),
        }
    }
}

#[test]
fn a_waiting_reader_learns_of_events_sequenced_elsewhere() {
    let (log, last, _) = log();
    let tail = EventTail::start(log, 2).unwrap();
    let mut waiter = tail.enter().unwrap();
    last.store(7, Ordering::SeqCst);
    assert!(block_on(waiter.grown_past(6)), "although the database was unavailable at first");
    tail.stop();
}

#[test]
fn local_sequencing_wakes_readers_at_once_and_the_position_never_moves_back() {
    let (log, ..) = log();
    let tail = EventTail::start(log, 2).unwrap();
    tail.advance(5);
    tail.advance(3);
    assert!(block_on(tail.enter().unwrap().grown_past(4)));
    tail.stop();
}

#[test]
fn the_database_is_not_queried_without_a_waiting_reader() {
    let (log, _, asked) = log();
    let tail = EventTail::start(log, 2).unwrap();
    thread::sleep(POLL);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    tail.stop();
}

#[test]
fn a_reader_that_leaves_makes_room_for_another() {
    let (log, ..) = log();
    let tail = EventTail::start(log, 2).unwrap();
    let (first, second) = (tail.enter(), tail.enter());
    assert!(first.is_some() && second.is_some() && tail.enter().is_none());
    drop(first);
    assert!(tail.enter().is_some());
    tail.stop();
}

#[test]
fn closing_wakes_all_readers() {
    let (log, ..) = log();
    let tail = EventTail::start(log, 2).unwrap();
    let mut waiter = tail.enter().unwrap();
    let closing = tail.clone();
    let closer = thread::spawn(move || closing.close());
    assert!(!block_on(waiter.grown_past(0)));
    block_on(waiter.closed());
    closer.join().unwrap();
    assert!(!block_on(tail.enter().unwrap().grown_past(0)), "no new reader waits either");
    tail.stop();
}
