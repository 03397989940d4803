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

/// Signals to a step that its task must stop.
#[derive(Debug)]
pub(crate) struct StopSignal(Receiver<()>);

impl StopSignal {
    /// Returns whether the task continues.
    pub(crate) fn goes_on(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Empty)
    }

    /// Waits for `time`, or less if the task must stop; returns whether the task continues.
    pub(crate) fn goes_on_after(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}

impl BackgroundTask {
    /// Starts a task that runs `step` after each pause.
    ///
    /// A panic ends the step but not the task. A busy database is not a failure.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
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

    /// Starts a task that runs `step` after the pause `first`, then after the pause that each step returns.
    ///
    /// After a panic, the pause is `after_panic`.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub(crate) fn start(
        name: &'static str,
        first: Duration,
        after_panic: Duration,
        mut step: impl FnMut(&StopSignal) -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        Self::spawn(name, move |stop| {
            let mut pause = first;
            while stop.goes_on_after(pause) {
                let stepped = panic::catch_unwind(AssertUnwindSafe(|| step(&stop)));
                pause = stepped.unwrap_or(after_panic);
            }
        })
    }

    /// Starts a task that runs `work` once; `work` must return soon after the signal.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub(crate) fn spawn(name: &'static str, work: impl FnOnce(StopSignal) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::new();
        let vital = alive.vital(name);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _alive = alive;
            work(StopSignal(stopped));
        })?;
        Ok(Self { stop, thread, vital })
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops the task after the current step, and waits for that.
    pub fn stop(self) {
        drop(self.stop);
        // The thread catches the panics of its steps.
        let _ended = self.thread.join();
    }
}

#[cfg(test)]
mod tests;
