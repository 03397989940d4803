use super::*;
use allocation_ports::StoreError;
use allocation_ports::mocks::MockStoreMonitor;

#[test]
fn a_failed_read_keeps_the_last_result() {
    let mut store = MockStoreMonitor::new();
    let mut results = [Ok(EventBacklog { parked: 7, ..EventBacklog::default() })].into_iter();
    store
        .expect_backlog()
        .times(2)
        .returning(move || results.next().unwrap_or_else(|| Err(StoreError::Failed("no such table".into()))));
    let last = Arc::<Mutex<_>>::default();
    let monitor = BacklogMonitor { last: Arc::clone(&last), task: BackgroundTask::spawn("none", |_| ()).unwrap() };
    assert_eq!(monitor.backlog(), None, "nothing was read yet");
    refresh(&store, &last);
    refresh(&store, &last);
    assert_eq!(monitor.backlog().map(|backlog| backlog.parked), Some(7));
}

#[test]
fn a_stale_result_is_not_reported() {
    let read = |age| {
        let at = Instant::now().checked_sub(age).unwrap();
        let last = Arc::new(Mutex::new(Some((at, EventBacklog::default()))));
        BacklogMonitor { last, task: BackgroundTask::spawn("none", |_| ()).unwrap() }.backlog()
    };
    assert_eq!(read(STALE / 2), Some(EventBacklog::default()));
    assert_eq!(read(STALE * 2), None);
}
