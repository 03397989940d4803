use crate::UseCases;
use allocation_ports::StoreError;
use std::error::Error;
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
}

impl BatchMover {
    /// Starts to look for batches whose lines are to be moved, with so long a pause after each time.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(use_cases: UseCases, pause: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("move".to_owned()).spawn(move || {
            let mut failing = false;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A panic costs one step, not those to come.
                let moved = panic::catch_unwind(AssertUnwindSafe(|| {
                    use_cases.move_lines(|| stopped.try_recv() == Err(TryRecvError::Empty))
                }));
                failing = moved.map_or(true, |moved| log(moved, failing));
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops when the step that is under way has ended.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

/// Logs what came of it, and a fault that lasts only once; returns whether it failed.
fn log(moved: Result<usize, StoreError>, failing: bool) -> bool {
    match moved {
        Ok(steps) => {
            if failing {
                tracing::info!("lines of batches are moved again");
            }
            if steps > 0 {
                tracing::debug!(steps, "lines of batches were moved");
            }
            false
        }
        Err(StoreError::Busy(cause)) => {
            tracing::debug!(%cause, "others are in the way of lines that are to be moved");
            false
        }
        Err(error) => {
            if !failing {
                tracing::warn!(%error, cause = error.source(), "lines of batches are not moved, retrying");
            }
            true
        }
    }
}
