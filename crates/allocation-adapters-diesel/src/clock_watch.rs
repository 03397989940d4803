//! Synchronization with the clock of the database.

use crate::Store;
use crate::clock::StoreClock;
use allocation_ports::{MAX_CLOCK_DIFFERENCE, StoreError};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The interval between two readings of the database's clock.
const PAUSE: Duration = Duration::from_secs(1);

/// A thread that reads the database's clock every second, until it is stopped. It logs when the clock of
/// the process is wrong.
#[derive(Debug)]
pub struct ClockWatch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl ClockWatch {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Returns an error if the system cannot start a thread.
    pub fn start(store: Store) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("clock".to_owned()).spawn(move || {
            let mut off = false;
            loop {
                // A panic costs one reading, but does not end the thread.
                let read = panic::catch_unwind(AssertUnwindSafe(|| store.measure_clock()));
                off = tell(read.unwrap_or(Ok(())), &store.clock(), off);
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops the thread after the current reading.
    pub fn stop(self) {
        drop(self.stop);
        // The thread catches its panics, so the result of the join is not needed.
        let _ended = self.thread.join();
    }
}

/// Logs that the clock has become wrong, or right again; returns whether it is wrong.
fn tell(read: Result<(), StoreError>, clock: &StoreClock, was_off: bool) -> bool {
    if let Err(error) = read {
        // Requests and probes report an unavailable database.
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
