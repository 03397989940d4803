use super::*;
use crate::vital::Alive;
use allocation_ports::StoreError;
use allocation_ports::mocks::MockDatabaseProbe;
use chrono::TimeDelta;
use std::thread;

/// Returns the health after one probe with this result.
fn probed(result: impl Fn() -> Result<Probed, StoreError> + Send + Sync + 'static, vitals: Vec<Vital>) -> Health {
    let mut probe = MockDatabaseProbe::new();
    probe.expect_probe().returning(result);
    probe.expect_clock_ahead().returning(TimeDelta::zero);
    Health::start(Arc::new(probe), Access::ReadWrite, vitals).unwrap()
}

fn names(failed: &[FailedCheck]) -> Vec<&'static str> {
    failed.iter().map(|check| check.name).collect()
}

#[test]
fn a_writable_database_is_ready() {
    let health = probed(|| Ok(Probed::Written { sequenced: true }), Vec::new());
    assert_eq!(health.failed_checks(), []);
}

#[test]
fn a_database_that_is_not_writable_is_not_ready() {
    let health = probed(|| Err(StoreError::Unavailable("disk full".into())), Vec::new());
    assert_eq!(names(&health.failed_checks()), [FailedCheck::DATABASE]);
}

#[test]
fn a_readable_standby_is_ready_without_a_sequencer_and_reports_its_lag() {
    let lag = Some(ReplicationLag::Age(TimeDelta::milliseconds(1_500)));
    let mut probe = MockDatabaseProbe::new();
    probe.expect_probe().returning(move || Ok(Probed::Read { lag }));
    probe.expect_clock_ahead().returning(TimeDelta::zero);
    let health = Health::start(Arc::new(probe), Access::ReadOnly, Vec::new()).unwrap();
    assert_eq!((health.failed_checks(), health.replication_lag()), (Vec::new(), lag));
}

#[test]
fn an_unreadable_database_is_not_ready_for_reads() {
    let mut probe = MockDatabaseProbe::new();
    probe.expect_probe().returning(|| Err(StoreError::Unavailable("starting up".into())));
    probe.expect_clock_ahead().returning(TimeDelta::zero);
    let health = Health::start(Arc::new(probe), Access::ReadOnly, Vec::new()).unwrap();
    let failed = FailedCheck::new(FailedCheck::DATABASE, "The database does not serve reads");
    assert_eq!(health.failed_checks(), [failed]);
}

#[test]
fn a_schema_of_another_version_is_not_ready() {
    for state in [SchemaState::Older, SchemaState::Newer] {
        let health = probed(move || Ok(Probed::Schema(state)), Vec::new());
        assert_eq!(names(&health.failed_checks()), [FailedCheck::SCHEMA]);
    }
}

#[test]
fn a_result_that_grows_stale_is_not_ready() {
    let health = probed(|| Ok(Probed::Written { sequenced: true }), Vec::new());
    let later = Instant::now() + STALE + Duration::from_secs(60);
    assert_eq!(names(&health.shared.failed_checks(later)), [FailedCheck::DATABASE]);
}

#[test]
fn a_database_is_not_ready_once_it_stays_busy() {
    let health = probed(|| Ok(Probed::Busy), Vec::new());
    let started = health.shared.locked().at;
    assert_eq!(health.shared.failed_checks(started), []);
    let later = started + STALE + Duration::from_millis(1);
    assert_eq!(names(&health.shared.failed_checks(later)), [FailedCheck::DATABASE]);
}

#[test]
fn a_log_without_a_sequencer_is_not_ready_after_a_while() {
    let health = probed(|| Ok(Probed::Written { sequenced: false }), Vec::new());
    assert_eq!(health.failed_checks(), []);
    let mut last = health.shared.locked();
    let later = last.sequenced + UNSEQUENCED + Duration::from_millis(1);
    last.at = later;
    drop(last);
    assert_eq!(names(&health.shared.failed_checks(later)), [FailedCheck::SEQUENCER]);
}

#[test]
fn a_thread_that_has_ended_is_not_ready() {
    let (alive, ended) = (Alive::default(), Alive::default());
    let vitals = vec![alive.vital("sweep"), ended.vital("events")];
    let health = probed(|| Ok(Probed::Written { sequenced: true }), vitals);
    assert_eq!(health.failed_checks(), []);
    let panicked = thread::spawn(move || {
        let _alive = ended;
        panic!("of this test");
    });
    assert!(panicked.join().is_err());
    let failed = health.failed_checks();
    assert_eq!(names(&failed), [FailedCheck::THREADS]);
    assert!(failed[0].detail.contains("events"), "{failed:?}");
    drop(alive);
    assert_eq!(names(&health.failed_checks()), [FailedCheck::THREADS, FailedCheck::THREADS]);
}

#[test]
fn a_probe_that_panics_is_followed_by_others() {
    let mut probe = MockDatabaseProbe::new();
    probe.expect_probe().times(1).returning(|| panic!("of this test"));
    probe.expect_probe().returning(|| Ok(Probed::Schema(SchemaState::Older)));
    probe.expect_clock_ahead().returning(TimeDelta::zero);
    let health = Health::start(Arc::new(probe), Access::ReadWrite, Vec::new()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while names(&health.failed_checks()) != [FailedCheck::SCHEMA] {
        assert!(Instant::now() < deadline, "no probe after the panic");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_clock_that_differs_is_not_ready_and_reports_the_offset() {
    let with_clock = |ahead: TimeDelta| {
        let mut probe = MockDatabaseProbe::new();
        probe.expect_probe().returning(|| Ok(Probed::Written { sequenced: true }));
        probe.expect_clock_ahead().returning(move || ahead);
        Health::start(Arc::new(probe), Access::ReadWrite, Vec::new()).unwrap().failed_checks()
    };
    for (ahead, detail) in [
        (TimeDelta::seconds(3_600), "The clock is off by 3,600 s: ahead of that of the database"),
        (TimeDelta::milliseconds(-2_001), "The clock is off by 2 s: behind that of the database"),
        (TimeDelta::days(-3_650), "The clock is off by 315,360,000 s: behind that of the database"),
    ] {
        assert_eq!(with_clock(ahead), [FailedCheck::new(FailedCheck::CLOCK, detail)]);
    }
    for ahead in [TimeDelta::seconds(2), TimeDelta::seconds(-2), TimeDelta::zero()] {
        assert_eq!(with_clock(ahead), []);
    }
}
