//! Following the clock of the database.

use super::StoreClock;
use crate::Store;
use allocation_ports::{MAX_CLOCK_DIFFERENCE, StoreError};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the clock of the database is read.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads the clock of the database every second, on a thread of its own, until it is stopped, and says in
/// the log when that of the process is wrong.
#[derive(Debug)]
pub struct ClockWatch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl ClockWatch {
    /// Starts to watch.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(store: Store) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("clock".to_owned()).spawn(move || {
            let mut off = false;
            loop {
                // A panic costs one reading, not those to come.
                let read = panic::catch_unwind(AssertUnwindSafe(|| store.measure_clock()));
                off = tell(read.unwrap_or(Ok(())), &store.clock(), off);
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops after the reading that is under way.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

/// Logs that the clock has become wrong, or right again; answers whether it is wrong.
fn tell(read: Result<(), StoreError>, clock: &StoreClock, was_off: bool) -> bool {
    if let Err(error) = read {
        // Whoever needs the database tells that it is away.
        tracing::debug!(%error, "the clock of the database was not read");
        return was_off;
    }
    let ahead = clock.ahead();
    let off = ahead.abs() > MAX_CLOCK_DIFFERENCE;
    let seconds = ahead.num_milliseconds().unsigned_abs().saturating_add(500) / 1_000;
    if off && !was_off {
        tracing::warn!(
            ahead = %ahead,
            "the clock of this machine is off by {} s from that of the database, which decides; not ready",
            seconds
        );
    } else if was_off && !off {
        tracing::info!("the clock of this machine agrees with that of the database again");
    }
    off
}
