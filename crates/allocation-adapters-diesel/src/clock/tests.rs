use super::*;
use std::convert::Infallible;
use std::thread;

const HOUR: i64 = 3_600_000_000;

fn wall() -> i64 {
    Utc::now().timestamp_micros()
}

/// Returns whether two instants differ only by the delay that a busy machine may cause between two
/// readings.
fn close(one: i64, other: i64) -> bool {
    (one - other).abs() < 20_000_000
}

#[test]
fn without_a_database_clock_the_wall_clock_of_the_process_counts() {
    let clock = StoreClock::default();
    assert!(close(clock.now().timestamp_micros(), wall()));
    clock.shift(TimeDelta::hours(-1));
    assert!(close(clock.now().timestamp_micros(), wall() - HOUR));
    assert_eq!(clock.ahead(), TimeDelta::zero());
}

#[test]
fn the_clock_follows_the_database_and_advances_between_readings() {
    let clock = StoreClock::default();
    clock.measure(|| Ok::<_, Infallible>(5 * HOUR)).unwrap();
    let first = clock.now();
    assert!(close(first.timestamp_micros(), 5 * HOUR));
    thread::sleep(Duration::from_millis(5));
    assert!(clock.now() - first >= TimeDelta::milliseconds(5));
    // Another wall clock of the process has no effect.
    clock.shift(TimeDelta::days(3_650));
    assert!(close(clock.now().timestamp_micros(), 5 * HOUR));
    clock.measure(|| Ok::<_, Infallible>(7 * HOUR)).unwrap();
    assert!(close(clock.now().timestamp_micros(), 7 * HOUR), "it was set forward");
}

#[test]
fn the_offset_of_the_process_excludes_the_duration_of_the_reading() {
    let clock = StoreClock::default();
    clock.measure(|| Ok::<_, Infallible>(wall() - HOUR)).unwrap();
    assert!(close(clock.ahead().num_microseconds().unwrap(), HOUR));
    clock.measure(|| Ok::<_, Infallible>(wall() + HOUR)).unwrap();
    assert!(close(clock.ahead().num_microseconds().unwrap(), -HOUR));
    let slow = StoreClock::default();
    slow.measure(|| {
        let read = wall();
        thread::sleep(Duration::from_millis(50));
        Ok::<_, Infallible>(read)
    })
    .unwrap();
    assert_eq!(slow.ahead(), TimeDelta::zero(), "half of the time that it took may be the way there");
}

/// Returns a reading of a clock that takes 50 ms to arrive.
fn late(read: i64) -> impl FnOnce() -> Result<i64, Infallible> {
    move || {
        thread::sleep(Duration::from_millis(50));
        Ok(read)
    }
}

#[test]
fn a_failed_reading_leaves_the_clock_unchanged() {
    let clock = StoreClock::default();
    clock.measure(|| Ok::<_, Infallible>(5 * HOUR)).unwrap();
    assert_eq!(clock.measure(|| Err("no connection")), Err("no connection"));
    assert!(close(clock.now().timestamp_micros(), 5 * HOUR));
}

#[test]
fn a_slow_reading_replaces_a_better_one_only_if_the_clock_was_set() {
    let offset = |clock: &StoreClock| clock.database.load(Ordering::Relaxed);
    let clock = StoreClock::default();
    clock.measure(late(5 * HOUR)).unwrap();
    assert!(close(clock.now().timestamp_micros(), 5 * HOUR), "better than none");
    clock.measure(|| Ok::<_, Infallible>(clock.now().timestamp_micros())).unwrap();
    let good = offset(&clock);
    clock.measure(late(clock.now().timestamp_micros())).unwrap();
    assert_eq!(offset(&clock), good, "it may have been read at any instant of the 50 ms");
    clock.measure(late(9 * HOUR)).unwrap();
    assert!(close(clock.now().timestamp_micros(), 9 * HOUR), "no delay accounts for that");
}

#[test]
fn a_reading_loses_certainty_with_age() {
    let taken = Instant::now();
    let good = Reading { taken, offset: 0, margin: 100 };
    let fair = |seconds| Reading { taken: taken + Duration::from_secs(seconds), offset: 0, margin: 1_000 };
    assert!(!fair(1).improves_on(&good));
    assert!(fair(2).improves_on(&good), "the clocks may have drifted a millisecond apart");
}
