use super::*;
use crate::testing::{cause, now};
use allocation_ports::mocks::{MockEventLog, MockLeases, MockLogSequencer};
use std::sync::mpsc;

/// A time longer than any of these tests takes.
const GRACE: Duration = Duration::from_secs(60);

fn sequencer(leases: MockLeases, log: MockLogSequencer, age: Option<TimeDelta>) -> Sequencer {
    let tail = EventTail::start(Arc::new(MockEventLog::new()), 1).unwrap();
    let ports = SequencerPorts { leases: Arc::new(leases), log: Arc::new(log), tail };
    Sequencer {
        ports,
        lease: Lease { name: "events", holder: "me".to_owned() },
        retention: Retention { age, grace: GRACE },
        log: FailureLog::new("sequencing", "retrying"),
    }
}

fn taken(answers: &'static [bool]) -> MockLeases {
    let (mut leases, mut answers) = (MockLeases::new(), answers.iter());
    leases
        .expect_take()
        .times(answers.len())
        .withf(|lease, time| lease.name == "events" && lease.holder == "me" && *time == LEASE)
        .returning(move |_, _| Ok(*answers.next().unwrap()));
    leases
}

/// Returns a log that sequences these numbers of events.
fn sequencing<const N: usize>(chunks: [u64; N]) -> MockLogSequencer {
    let mut log = MockLogSequencer::new();
    log.expect_has_unsequenced().returning(|| Ok(true));
    let mut events = chunks.into_iter();
    log.expect_sequence().times(N).returning(move |lease, time, limit| {
        assert_eq!((lease.holder.as_str(), time, limit), ("me", LEASE, MAX_SEQUENCED));
        Ok(Sequenced { events: events.next().unwrap(), last: 9 })
    });
    log
}

fn full() -> u64 {
    MAX_SEQUENCED.into()
}

/// Returns the pauses after steps of a process that holds the lease.
fn steps(sequencer: &Sequencer, held: Held, number: usize) -> Vec<Duration> {
    let mut held = Some(held);
    (0..number).map(|_| sequencer.step(&mut held).unwrap()).collect()
}

#[test]
fn a_process_without_the_lease_only_tries_again() {
    let sequencer = sequencer(taken(&[false, true]), MockLogSequencer::new(), None);
    let mut held = None;
    assert_eq!(sequencer.step(&mut held).unwrap(), RENEW);
    assert!(held.is_none());
    assert_eq!(sequencer.step(&mut held).unwrap(), Duration::ZERO);
    assert!(held.is_some());
}

#[test]
fn full_chunks_follow_each_other_without_another_query_until_nothing_is_left() {
    let mut log = MockLogSequencer::new();
    log.expect_has_unsequenced().times(2).returning(|| Ok(true));
    let mut chunks = [full(), full() + 100, 5, 0].into_iter();
    log.expect_sequence().times(4).returning(move |_, _, _| Ok(Sequenced { events: chunks.next().unwrap(), last: 7 }));
    let sequencer = sequencer(MockLeases::new(), log, None);
    let pauses = steps(&sequencer, Held::now(GRACE), 4);
    assert_eq!(pauses, [Duration::ZERO, Duration::ZERO, GATHER, GATHER]);
}

#[test]
fn sequencing_wakes_waiting_readers() {
    let sequencer = sequencer(MockLeases::new(), sequencing([2]), None);
    let mut waiter = sequencer.ports.tail.enter().unwrap();
    steps(&sequencer, Held::now(GRACE), 1);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let grown = std::pin::pin!(waiter.grown_past(8)).poll(&mut context);
    assert_eq!(grown, std::task::Poll::Ready(true));
}

#[test]
fn the_store_is_vacuumed_after_many_events_once_few_are_left() {
    let mut log = sequencing([full(), 1]);
    log.expect_vacuum().times(1).returning(|| Ok(()));
    let sequencer = sequencer(MockLeases::new(), log, None);
    steps(&sequencer, Held { since_vacuum: VACUUM_AFTER, ..Held::now(GRACE) }, 2);
}

#[test]
fn an_idle_sequencer_renews_its_lease_in_time() {
    let mut log = MockLogSequencer::new();
    log.expect_has_unsequenced().returning(|| Ok(false));
    let sequencer = sequencer(taken(&[true, false]), log, None);
    assert_eq!(steps(&sequencer, Held::now(GRACE), 2), [CHECK_INTERVAL, CHECK_INTERVAL], "not yet");
    let long_ago = || Some(Held { renewed: Instant::now().checked_sub(RENEW).unwrap(), ..Held::now(GRACE) });
    assert_eq!(sequencer.step(&mut long_ago()).unwrap(), CHECK_INTERVAL);
    assert!(matches!(sequencer.step(&mut long_ago()), Err(SequenceError::LeaseLost)));
}

/// Returns the state of a lease past its grace period, so that old events may be pruned.
fn past_grace() -> Held {
    Held { prune_next: Instant::now(), ..Held::now(GRACE) }
}

/// Sets up a log that advances the retention time to `trusted`, beside a clock.
fn with_time(log: &mut MockLogSequencer, times: usize, trusted: DateTime<Utc>, clock: DateTime<Utc>) {
    log.expect_has_unsequenced().returning(|| Ok(false));
    log.expect_retention_time().times(times).returning(move |lease, time, _| {
        assert_eq!((lease.holder.as_str(), time), ("me", LEASE));
        Ok(RetentionTime { trusted, now: clock })
    });
}

#[test]
fn old_events_are_pruned_in_small_steps_with_pauses() {
    let mut log = MockLogSequencer::new();
    with_time(&mut log, 1, now(), now());
    let mut gone = [u64::from(MAX_PRUNED), 3].into_iter();
    log.expect_prune()
        .times(2)
        .withf(|_, _, before, limit| *before == now() - TimeDelta::days(30) && *limit == MAX_PRUNED)
        .returning(move |_, _, _, _| Ok(gone.next().unwrap()));
    let sequencer = sequencer(MockLeases::new(), log, Some(TimeDelta::days(30)));
    let mut held = Some(past_grace());
    sequencer.step(&mut held).unwrap();
    sequencer.step(&mut held).unwrap();
    held.as_mut().unwrap().prune_next = Instant::now();
    sequencer.step(&mut held).unwrap();
    assert!(held.unwrap().prune_next > Instant::now() + PRUNE_PAUSE);
}

#[test]
fn nothing_is_pruned_right_after_a_start() {
    let mut log = MockLogSequencer::new();
    log.expect_has_unsequenced().returning(|| Ok(false));
    let sequencer = sequencer(MockLeases::new(), log, Some(TimeDelta::days(30)));
    let held = Held::now(GRACE);
    assert!(held.prune_next >= Instant::now() + GRACE.saturating_sub(Duration::from_secs(20)));
    assert_eq!(steps(&sequencer, held, 2), [CHECK_INTERVAL, CHECK_INTERVAL]);
}

#[test]
fn retention_counts_elapsed_time_whatever_the_clock_says() {
    for ahead in [TimeDelta::days(31), TimeDelta::days(3_650)] {
        let mut log = MockLogSequencer::new();
        with_time(&mut log, 2, now(), now() + ahead);
        log.expect_prune()
            .times(2)
            .withf(|_, _, before, _| *before == now() - TimeDelta::days(30))
            .returning(|_, _, _, _| Ok(0));
        let sequencer = sequencer(MockLeases::new(), log, Some(TimeDelta::days(30)));
        let mut held = Some(past_grace());
        sequencer.step(&mut held).unwrap();
        assert!(held.as_ref().unwrap().behind, "it is reported once, at the beginning");
        held.as_mut().unwrap().prune_next = Instant::now();
        sequencer.step(&mut held).unwrap();
        assert!(held.unwrap().behind);
    }
}

#[test]
fn the_retention_time_advances_by_the_elapsed_time() {
    let mut log = MockLogSequencer::new();
    log.expect_has_unsequenced().returning(|| Ok(false));
    log.expect_prune().returning(|_, _, _, _| Ok(0));
    let mut expected = [Duration::ZERO..Duration::from_nanos(1), Duration::from_secs(10)..Duration::MAX].into_iter();
    log.expect_retention_time().times(2).returning(move |_, _, passed| {
        let expected = expected.next().unwrap();
        assert!(expected.contains(&passed), "{passed:?}");
        Ok(RetentionTime { trusted: now(), now: now() })
    });
    let sequencer = sequencer(MockLeases::new(), log, Some(TimeDelta::days(30)));
    let mut held = Some(past_grace());
    sequencer.step(&mut held).unwrap();
    let earlier = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
    held = Some(Held { retention_advanced: Some(earlier), ..past_grace() });
    sequencer.step(&mut held).unwrap();
    assert!(!held.unwrap().behind);
}

#[test]
fn events_are_sequenced_although_pruning_fails() {
    let mut log = sequencing([2]);
    log.expect_retention_time().returning(|_, _, _| Ok(RetentionTime { trusted: now(), now: now() }));
    log.expect_prune().times(1).returning(|_, _, _, _| Err(SequenceError::Store(StoreError::Failed(cause("no")))));
    let sequencer = sequencer(MockLeases::new(), log, Some(TimeDelta::days(30)));
    let mut held = Some(past_grace());
    assert!(matches!(sequencer.step(&mut held), Err(SequenceError::Store(_))));
    assert_eq!(sequencer.step(&mut held).unwrap(), GATHER);
}

#[test]
fn a_process_that_lost_the_lease_waits_for_it() {
    let sequencer = sequencer(MockLeases::new(), MockLogSequencer::new(), None);
    let mut held = Some(Held::now(GRACE));
    let away = || Err(SequenceError::Store(StoreError::Unavailable(cause("connection refused"))));
    assert_eq!(sequencer.after(away(), &mut held), AFTER_FAILURE);
    assert!(held.is_some() && sequencer.log.is_failing());
    assert_eq!(sequencer.after(Err(SequenceError::LeaseLost), &mut held), RENEW);
    assert!(held.is_none());
    assert_eq!(sequencer.after(Ok(CHECK_INTERVAL), &mut held), CHECK_INTERVAL);
    assert!(!sequencer.log.is_failing());
}

#[test]
fn the_sequencer_survives_a_failure_and_releases_its_lease_when_stopped() {
    let (told, steps) = mpsc::sync_channel(0);
    let mut leases = MockLeases::new();
    leases.expect_take().returning(|_, _| Ok(true));
    leases.expect_release().times(1).withf(|lease| lease.holder == "me").returning(|_| Ok(()));
    let mut log = MockLogSequencer::new();
    let mut number = 0;
    log.expect_has_unsequenced().returning(move || {
        number += 1;
        // The receiver is gone once the test is over.
        let _over = told.send(number);
        if number == 1 { Err(StoreError::Failed(cause("no such table"))) } else { Ok(false) }
    });
    let Sequencer { ports, .. } = sequencer(leases, log, None);
    let sequencer = EventSequencer::start(ports, "me".to_owned(), Retention { age: None, grace: GRACE }).unwrap();
    assert_eq!((steps.recv(), steps.recv()), (Ok(1), Ok(2)));
    drop(steps);
    sequencer.stop();
}
