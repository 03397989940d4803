use super::*;
use crate::testing::ManualTime;
use std::thread;

const MAX_AGE: Duration = Duration::from_secs(5);

/// Returns a limit of five seconds by a clock that is advanced by hand.
fn limit() -> (AgeLimit, ManualTime) {
    let time = ManualTime::default();
    (AgeLimit::by(time.monotonic(), MAX_AGE), time)
}

/// Lets time pass while the process runs.
fn run_for(limit: &AgeLimit, time: &ManualTime, passes: Duration) {
    let mut left = passes;
    while !left.is_zero() {
        let step = left.min(BEAT);
        time.pass(step);
        limit.beats.beat(limit.now());
        left -= step;
    }
}

/// Returns the assumed age of a command that is read now.
fn age(limit: &AgeLimit) -> Duration {
    limit.now() + MAX_AGE - limit.deadline()
}

#[test]
fn a_command_may_reach_the_age_limit() {
    let (limit, time) = limit();
    run_for(&limit, &time, Duration::from_secs(60));
    let deadline = limit.deadline();
    run_for(&limit, &time, MAX_AGE - Duration::from_micros(1));
    assert!(!limit.is_over(deadline));
    time.pass(Duration::from_micros(1));
    assert!(limit.is_over(deadline));
}

#[test]
fn a_command_read_after_a_stall_has_the_age_of_its_beginning() {
    let (limit, time) = limit();
    run_for(&limit, &time, Duration::from_secs(60));
    time.pass(Duration::from_secs(12));
    assert_eq!(age(&limit), Duration::from_secs(12), "before the first beat, too");
    assert!(limit.is_over(limit.deadline()));
    limit.beats.beat(limit.now());
    assert_eq!(age(&limit), Duration::from_secs(12));
    run_for(&limit, &time, READ_WITHIN - Duration::from_millis(1));
    assert_eq!(age(&limit), Duration::from_secs(12) + READ_WITHIN - Duration::from_millis(1));
    run_for(&limit, &time, Duration::from_millis(1));
    assert_eq!(age(&limit), Duration::ZERO, "commands read from now on were sent after the stall");
}

#[test]
fn a_command_read_before_a_stall_keeps_its_age() {
    let (limit, time) = limit();
    run_for(&limit, &time, Duration::from_secs(60));
    let deadline = limit.deadline();
    time.pass(Duration::from_secs(4));
    limit.beats.beat(limit.now());
    assert!(!limit.is_over(deadline));
    time.pass(Duration::from_secs(1));
    assert!(limit.is_over(deadline));
}

#[test]
fn a_second_stall_makes_no_command_of_the_first_younger() {
    let (limit, time) = limit();
    run_for(&limit, &time, Duration::from_secs(60));
    time.pass(Duration::from_secs(3));
    limit.beats.beat(limit.now());
    run_for(&limit, &time, Duration::from_millis(100));
    time.pass(Duration::from_secs(3));
    limit.beats.beat(limit.now());
    assert_eq!(age(&limit), Duration::from_millis(6_100));
    run_for(&limit, &time, READ_WITHIN);
    assert_eq!(age(&limit), Duration::ZERO);
}

#[test]
fn a_late_heartbeat_is_no_stall() {
    let (limit, time) = limit();
    run_for(&limit, &time, Duration::from_secs(60));
    time.pass(STALL);
    assert_eq!(age(&limit), Duration::ZERO);
    limit.beats.beat(limit.now());
    assert_eq!(age(&limit), Duration::ZERO);
}

#[test]
fn the_heartbeat_stops_with_the_last_clone() {
    let limit = AgeLimit::start(MAX_AGE).unwrap();
    let (beats, vital) = (Arc::downgrade(&limit.beats), limit.vital().unwrap());
    drop(limit.clone());
    assert!(!vital.has_ended(), "readiness watches it");
    drop(limit);
    while beats.upgrade().is_some() || !vital.has_ended() {
        thread::yield_now();
    }
}
