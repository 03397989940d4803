use super::*;
use crate::testing::{cause, clock};
use crate::{RetryPolicy, UnitRunner, UseCases};
use allocation_ports::mocks::{MockProductRepository, MockQueries, MockUnitOfWork};
use allocation_ports::{LockWait, UnitOfWork, UnitOfWorkFactory};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};

/// Reports each unit of work that begins: the first fails, the second panics.
///
/// Not a mock: a mock that has panicked panics in every later call.
struct Units {
    begun: AtomicUsize,
    told: SyncSender<usize>,
}

impl UnitOfWorkFactory for Units {
    fn begin(&self, _: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        // The receiver is gone once the test is over.
        let _over = self.told.send(number);
        assert!(number != 2, "told to panic");
        if number == 1 {
            return Err(StoreError::Unavailable(cause("connection refused")));
        }
        let mut products = MockProductRepository::new();
        products.expect_with_expired_holds().returning(|_, _| Ok(Vec::new()));
        Ok(Box::new(MockUnitOfWork::never_committed(products)))
    }
}

fn use_cases(told: SyncSender<usize>) -> UseCases {
    let units = Units { begun: AtomicUsize::new(0), told };
    let units = UnitRunner::new(Arc::new(units), RetryPolicy::default());
    UseCases::new(units, Arc::new(MockQueries::new()), Arc::new(clock()))
}

#[test]
fn the_task_runs_again_after_every_result_until_it_is_stopped() {
    let (begun, sweeps) = mpsc::sync_channel(0);
    let sweeper = use_cases(begun).start_sweeper(Duration::from_millis(1)).unwrap();
    for number in 1..=4 {
        assert_eq!(sweeps.recv(), Ok(number));
    }
    drop(sweeps);
    sweeper.stop();
}

#[test]
fn a_pause_does_not_delay_the_stop() {
    let (begun, _sweeps) = mpsc::sync_channel(0);
    use_cases(begun).start_sweeper(Duration::from_secs(3_600)).unwrap().stop();
}

#[test]
fn a_stop_waits_no_longer_than_its_deadline() {
    let (end, ended) = mpsc::channel::<()>();
    let task = BackgroundTask::spawn("waiting", move |_| {
        let _ended = ended.recv();
    })
    .unwrap();
    assert!(!task.stop_by(Instant::now()));
    drop(end);
}

#[test]
fn a_task_that_panicked_has_ended() {
    let task = BackgroundTask::spawn("panicking", |_| panic!("told to panic")).unwrap();
    assert!(task.stop_by(Instant::now() + Duration::from_secs(60)));
}
