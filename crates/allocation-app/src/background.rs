//! Background tasks.

use crate::FailureLog;
use crate::vital::{Alive, Steps, Vital};
use allocation_ports::StoreError;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The interval at which [`BackgroundTask::stop_by`] checks whether the thread has ended.
const POLL: Duration = Duration::from_millis(2);

/// A task on a thread of its own.
///
/// Dropping the task signals it to stop, without a wait.
#[derive(Debug)]
pub struct BackgroundTask {
    name: String,
    stop: Sender<()>,
    thread: JoinHandle<()>,
    vital: Vital,
}

/// Signals to a task that it must stop.
#[derive(Debug)]
pub struct StopSignal(Receiver<()>);

impl StopSignal {
    /// Returns whether the task continues.
    #[must_use]
    pub fn continues(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Empty)
    }

    /// Waits for `time`, or less if the task must stop; returns whether the task continues.
    #[must_use]
    pub fn continues_after(&self, time: Duration) -> bool {
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
        Self::repeat(name, pause, pause, move |stop| {
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
    /// A panic ends the step but not the task; the pause is then `after_panic`.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn repeat(
        name: impl Into<String>,
        first: Duration,
        after_panic: Duration,
        mut step: impl FnMut(&StopSignal) -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        Self::spawn_with_steps(name.into(), move |stop, steps| {
            let mut pause = first;
            while stop.continues_after(pause) {
                steps.begin();
                let stepped = panic::catch_unwind(AssertUnwindSafe(|| step(&stop)));
                pause = stepped.unwrap_or_else(|_| {
                    steps.panic();
                    after_panic
                });
            }
        })
    }

    /// Starts a task that runs `work` once; `work` must return soon after the signal.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn spawn(name: impl Into<String>, work: impl FnOnce(StopSignal) + Send + 'static) -> io::Result<Self> {
        Self::spawn_with_steps(name.into(), |stop, _| work(stop))
    }

    fn spawn_with_steps(name: String, work: impl FnOnce(StopSignal, &Steps) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::default();
        let vital = alive.vital(&name);
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            // Held to the end, so that the vital sign ends with the thread.
            let alive = alive;
            work(StopSignal(stopped), alive.steps());
        })?;
        Ok(Self { name, stop, thread, vital })
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops the task after the current step, and waits for that.
    pub fn stop(self) {
        drop(self.stop);
        join(&self.name, self.thread);
    }

    /// Stops the task after the current step, and waits for that until `deadline`; returns whether it has
    /// ended.
    #[must_use]
    pub fn stop_by(self, deadline: Instant) -> bool {
        drop(self.stop);
        while !self.thread.is_finished() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        join(&self.name, self.thread);
        true
    }
}

fn join(name: &str, thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("the background task {name} ended with a panic");
    }
}

#[cfg(test)]
mod tests;
