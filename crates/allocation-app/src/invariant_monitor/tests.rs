use super::*;
use allocation_ports::StoreError;
use std::sync::mpsc::{self, SyncSender};

/// A store whose second check fails.
struct Store {
    checked: Mutex<u64>,
    told: SyncSender<u64>,
}

impl InvariantCheck for Store {
    fn broken_invariants(
        &self,
        may_continue: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<BrokenInvariant>>, StoreError> {
        let mut checked = self.checked.lock().unwrap();
        *checked += 1;
        // The receiver is gone once the test is over.
        let _over = self.told.send(*checked);
        if *checked == 2 {
            return Err(StoreError::Failed("no such table".into()));
        }
        Ok(may_continue().then(|| vec![BrokenInvariant { what: "counters", rows: 3 }; 2]))
    }
}

#[test]
fn the_last_result_stays_when_a_later_check_fails() {
    let (told, checks) = mpsc::sync_channel(0);
    let store = Arc::new(Store { checked: Mutex::new(0), told });
    let monitor = InvariantMonitor::start(store, Duration::from_millis(1)).unwrap();
    assert_eq!(monitor.broken_rows(), None);
    // The third check begins once the second is over.
    for number in 1..=3 {
        assert_eq!(checks.recv(), Ok(number));
    }
    assert_eq!(monitor.broken_rows(), Some(6));
}
