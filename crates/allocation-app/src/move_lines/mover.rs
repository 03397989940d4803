use crate::health::Alive;
use crate::{FailureLog, UseCases, Vital};
use allocation_ports::StoreError;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Goes on with what corrections of batches have left to be done, on a thread of its own, until it is
/// stopped: [`UseCases::move_lines`].
///
/// Any number of replicas may do so at once, and one takes over what another has begun.
#[derive(Debug)]
pub struct BatchMover {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    vital: Vital,
}

impl BatchMover {
    /// Starts to look for batches whose lines are to be moved, with so long a pause after each time.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(use_cases: UseCases, pause: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::new();
        let vital = alive.vital("move");
        let thread = thread::Builder::new().name("move".to_owned()).spawn(move || {
            let (_alive, failures) = (alive, FailureLog::new("moving lines of batches", "retrying"));
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A panic costs one step, not those to come.
                let moved = panic::catch_unwind(AssertUnwindSafe(|| {
                    use_cases.move_lines(|| stopped.try_recv() == Err(TryRecvError::Empty))
                }));
                if let Ok(moved) = moved {
                    note(moved, &failures);
                }
            }
        })?;
        Ok(Self { stop, thread, vital })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops when the step that is under way has ended.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

/// Logs the result of a step. Locks that others hold are no failure.
fn note(moved: Result<usize, StoreError>, log: &FailureLog) {
    match moved {
        Ok(steps) => {
            log.succeeded();
            if steps > 0 {
                tracing::debug!(steps, "lines of batches were moved");
            }
        }
        Err(StoreError::Busy(cause)) => {
            tracing::debug!(%cause, "others are in the way of lines that are to be moved");
        }
        Err(error) => log.failed(&error),
    }
}
