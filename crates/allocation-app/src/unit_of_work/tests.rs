use super::*;
use crate::testing::{ManualTime, cause, committed, conflict, ending, rolled_back, runner};

fn count(
    runner: &UnitRunner,
    ends: impl Fn(Attempt) -> Result<UnitOutcome<u32>, StoreError>,
) -> Result<u32, StoreError> {
    runner.run("test", |_, attempt| ends(attempt))
}

#[test]
fn a_unit_is_committed_once() {
    let runner = runner(vec![committed(|_| {})]);
    assert_eq!(count(&runner, |attempt| Ok(UnitOutcome::Commit(attempt.number))).unwrap(), 1);
}

#[test]
fn a_unit_without_changes_is_rolled_back() {
    let runner = runner(vec![rolled_back(|_| {})]);
    assert_eq!(count(&runner, |_| Ok(UnitOutcome::Rollback(5))).unwrap(), 5);
}

#[test]
fn after_two_conflicts_the_third_run_counts() {
    let runner = runner(vec![ending(Err(conflict()), |_| {}), rolled_back(|_| {}), committed(|_| {})]);
    let answer = count(&runner, |attempt| match attempt.number {
        2 => Err(conflict()),
        number => Ok(UnitOutcome::Commit(number)),
    });
    assert_eq!(answer.unwrap(), 3);
}

#[test]
fn a_busy_store_is_reported_after_a_bounded_number_of_runs() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    let runner = runner(vec![busy(), busy(), busy()]);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)));
}

#[test]
fn endless_conflicts_are_reported_as_busy() {
    let unit = || ending(Err(conflict()), |_| {});
    let runner = runner(vec![unit(), unit(), unit()]);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)));
}

#[test]
fn a_unit_that_loses_its_connection_before_the_commit_is_retried_within_a_bound() {
    let lost = || Err(StoreError::ConnectionLost(cause("server closed the connection")));
    let once = runner(vec![lost(), committed(|_| {})]);
    assert_eq!(count(&once, |attempt| Ok(UnitOutcome::Commit(attempt.number))).unwrap(), 2);
    let always = runner(vec![lost(), lost(), lost()]);
    let error = count(&always, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
}

#[test]
fn a_failed_commit_is_reported_at_once() {
    let runner = runner(vec![ending(Err(StoreError::Failed(cause("check violated"))), |_| {})]);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)));
}

#[test]
fn a_broken_invariant_is_reported_at_once_with_its_name() {
    let broken = || StoreError::invariant("batches_not_oversold", "more than there is");
    let runner = runner(vec![ending(Err(broken()), |_| {})]);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Invariant { name, .. } if name == "batches_not_oversold"));
}

#[test]
fn a_broken_invariant_after_a_commit_of_unknown_outcome_keeps_its_name() {
    use std::error::Error;
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |_| {});
    let broken = ending(Err(StoreError::invariant("batches_not_oversold", "more than there is")), |_| {});
    let error = count(&runner(vec![lost, broken]), |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::OutcomeUnknown(_)));
    assert_eq!(error.source().unwrap().to_string(), "the invariant batches_not_oversold is broken");
}

#[test]
fn an_unavailable_database_is_reported_at_once() {
    let runner = runner(vec![Err(StoreError::Unavailable(cause("connection refused")))]);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
}

#[test]
fn after_an_unknown_outcome_no_error_claims_that_nothing_is_stored() {
    for later in [conflict(), StoreError::Failed(cause("other")), StoreError::Unavailable(cause("away"))] {
        let lost = Err(StoreError::OutcomeUnknown(cause("connection lost")));
        let mut units = vec![ending(lost, |_| {})];
        let again = matches!(later, StoreError::Conflict(_));
        units.push(ending(Err(later), |_| {}));
        if again {
            units.push(ending(Err(conflict()), |_| {}));
        }
        let error = count(&runner(units), |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
        assert!(matches!(error, StoreError::OutcomeUnknown(_)));
    }
}

#[test]
fn nothing_is_retried_past_the_deadline() {
    let runner = runner(vec![ending(Err(conflict()), |_| {})]).giving_up_after(std::time::Duration::ZERO);
    let error = count(&runner, |_| Ok(UnitOutcome::Commit(0))).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)));
}

#[test]
fn a_commit_of_unknown_outcome_is_resolved_by_another_run() {
    let lost = Err(StoreError::OutcomeUnknown(cause("connection lost")));
    let runner = runner(vec![ending(lost, |_| {}), ending(Err(conflict()), |_| {}), rolled_back(|_| {})]);
    let answer = count(&runner, |attempt| {
        assert_eq!(attempt.resolving, attempt.number > 1, "and stays so until it is settled");
        Ok(if attempt.number == 3 { UnitOutcome::Rollback(3) } else { UnitOutcome::Commit(0) })
    });
    assert_eq!(answer.unwrap(), 3);
}

#[test]
fn a_step_is_committed_and_the_unit_runs_again() {
    let runner = runner(vec![committed(|_| {}), committed(|_| {}), committed(|_| {})]);
    let mut runs = 0;
    let answer = runner.run("test", |_, attempt| {
        runs += 1;
        assert_eq!((attempt.number, attempt.resolving), (1, false), "a step is no attempt that failed");
        Ok(if runs < 3 { UnitOutcome::Step } else { UnitOutcome::Commit(runs) })
    });
    assert_eq!(answer.unwrap(), 3);
}

#[test]
fn the_number_of_steps_of_a_request_is_bounded() {
    let units = (0..=MAX_STEPS).map(|_| committed(|_| {})).collect();
    let error = count(&runner(units), |_| Ok(UnitOutcome::Step)).unwrap_err();
    assert!(matches!(&error, StoreError::Busy(cause) if cause.is::<FarBehind>()), "{error:?}");
}

#[test]
fn a_step_of_unknown_outcome_is_no_decision() {
    let lost = Err(StoreError::OutcomeUnknown(cause("connection lost")));
    let runner = runner(vec![ending(lost, |_| {}), committed(|_| {})]);
    let mut runs = 0;
    let answer = runner.run("test", |_, attempt| {
        runs += 1;
        assert!(!attempt.resolving);
        Ok(if runs < 2 { UnitOutcome::Step } else { UnitOutcome::Commit(runs) })
    });
    assert_eq!(answer.unwrap(), 2);
}

#[test]
fn a_request_on_a_product_that_is_not_behind_takes_no_step() {
    let runner = runner(vec![committed(|_| {})]);
    let error = runner.try_run("test", |_, _| Ok(UnitOutcome::<()>::Step)).unwrap_err();
    assert!(matches!(error, StoreError::Busy(_)));
}

mod late {
    use super::*;
    use std::time::Duration;

    const MAX_AGE: Duration = Duration::from_secs(5);

    /// Returns a runner for a command that has just been read, and its clock.
    fn late(units: Vec<Result<allocation_ports::mocks::MockUnitOfWork, StoreError>>) -> (UnitRunner, ManualTime) {
        let time = ManualTime::default();
        (runner(units).until(AgeLimit::by(time.monotonic(), MAX_AGE)), time)
    }

    #[test]
    fn a_command_that_is_too_old_is_not_started() {
        let (runner, time) = late(vec![]);
        time.pass(MAX_AGE);
        let error = count(&runner, |_| panic!("it is too old")).unwrap_err();
        assert!(matches!(error, StoreError::Busy(cause) if cause.to_string().contains("waited longer than 5s")));
    }

    #[test]
    fn a_command_that_becomes_too_old_is_not_run_again() {
        let (runner, time) = late(vec![ending(Err(conflict()), |_| {})]);
        let error = count(&runner, |_| {
            time.pass(MAX_AGE);
            Ok(UnitOutcome::Commit(0))
        });
        assert!(matches!(error.unwrap_err(), StoreError::Busy(_)));
    }

    #[test]
    fn a_commit_of_unknown_outcome_is_resolved_however_late() {
        let lost = Err(StoreError::OutcomeUnknown(cause("connection lost")));
        let (runner, time) = late(vec![ending(lost, |_| {}), rolled_back(|_| {})]);
        let answer = count(&runner, |attempt| {
            time.pass(MAX_AGE);
            Ok(if attempt.resolving { UnitOutcome::Rollback(2) } else { UnitOutcome::Commit(1) })
        });
        assert_eq!(answer.unwrap(), 2);
    }

    #[test]
    fn a_started_unit_runs_to_its_end() {
        let (runner, time) = late(vec![committed(|_| {}), committed(|_| {})]);
        assert_eq!(count(&runner, |_| Ok(UnitOutcome::Commit(1))).unwrap(), 1);
        time.pass(MAX_AGE);
        assert_eq!(count(&runner, |_| Ok(UnitOutcome::Commit(2))).unwrap(), 2);
    }
}
