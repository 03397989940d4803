//! Background tasks.

use crate::health::Alive;
use crate::{FailureLog, Vital};
use allocation_ports::StoreError;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A task that repeats a step on a thread of its own until it is stopped.
#[derive(Debug)]
pub struct BackgroundTask {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    vital: Vital,
}

/// Tells a step that its task is to stop.
#[derive(Debug)]
pub(crate) struct StopSignal(Receiver<()>);

impl StopSignal {
    /// Whether the task goes on.
    pub(crate) fn goes_on(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Empty)
    }

    /// Waits for `time`, less if the task is to stop; returns whether it goes on.
    fn goes_on_after(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}

impl BackgroundTask {
    /// Starts a task that runs `step` after each pause. A step that panics costs itself, not those to come;
    /// conflicts with other units of work are no failure.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn every(
        pause: Duration,
        name: &'static str,
        does: &'static str,
        mut step: impl FnMut(&StopSignal) -> Result<usize, StoreError> + Send + 'static,
    ) -> io::Result<Self> {
        let log = FailureLog::new(does, "retrying");
        Self::start(name, pause, pause, move |stop| {
            match step(stop) {
                Ok(done) => {
                    log.succeeded();
                    if done > 0 {
                        tracing::debug!(done, "{does}");
                    }
                }
                Err(StoreError::Busy(cause)) => tracing::debug!(%cause, "{does} gives way to others"),
                Err(error) => log.failed(&error),
            }
            pause
        })
    }

    /// Starts a task that runs `step` after a first pause, then after the pause that each step returns, or
    /// `after_panic` when it has panicked.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(
        name: &'static str,
        first: Duration,
        after_panic: Duration,
        mut step: impl FnMut(&StopSignal) -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::new();
        let vital = alive.vital(name);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let (_alive, stopped) = (alive, StopSignal(stopped));
            let mut pause = first;
            while stopped.goes_on_after(pause) {
                let stepped = panic::catch_unwind(AssertUnwindSafe(|| step(&stopped)));
                pause = stepped.unwrap_or(after_panic);
            }
        })?;
        Ok(Self { stop, thread, vital })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops the task after the step that is under way.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

#[cfg(test)]
mod tests;
