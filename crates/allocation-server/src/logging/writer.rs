//! A log writer that never blocks its callers.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tracing_subscriber::fmt::MakeWriter;

/// The bytes of lines that may wait to be written. Lines beyond it are dropped and counted.
pub(crate) const MAX_WAITING_BYTES: usize = 4 * 1_024 * 1_024;
/// The pause before a failed write is retried.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// A writer whose lines are written on a dedicated thread. Clones share it.
///
/// A sink that stalls, fails or is closed costs only lines. Up to [`MAX_WAITING_BYTES`] wait in memory, and
/// further lines are dropped. Once the sink has caught up, the number of dropped lines is logged.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// The bytes of the queued lines and of the line being written.
    bytes: usize,
    /// The lines dropped since that was last logged, and since the start.
    dropped: u64,
    dropped_in_total: u64,
    /// Whether the last write failed.
    failing: bool,
}

impl LogWriter {
    /// Starts the writer of a sink.
    ///
    /// # Errors
    ///
    /// Returns an error if the thread cannot be created.
    pub(crate) fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        Self::start_with(sink, MAX_WAITING_BYTES, |lines| {
            tracing::warn!(lines, "log lines were dropped: standard error did not take them in time");
        })
    }

    fn start_with(
        sink: impl Write + Send + 'static,
        limit: usize,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), limit });
        let written = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || written.write_all(sink, report))?;
        Ok(Self(shared))
    }

    /// Queues a line.
    pub(crate) fn line(&self, text: &str) {
        self.0.push(format!("{text}\n").into_bytes());
    }

    /// Returns the number of lines dropped so far.
    pub(crate) fn lines_dropped(&self) -> u64 {
        self.0.locked().dropped_in_total
    }

    /// Waits until all lines are written, up to `at_most`; does not wait for a failing sink.
    pub(crate) fn flush(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let mut state = self.0.locked();
        while state.bytes > 0 && !state.failing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (state, _) = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Vec<u8>) {
        let mut state = self.locked();
        if line.len() > self.limit - state.bytes {
            state.dropped += 1;
            state.dropped_in_total += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        drop(state);
        self.changed.notify_all();
    }

    fn write_all(&self, mut sink: impl Write, report: impl Fn(u64)) {
        loop {
            let line = self.next();
            self.write(&mut sink, &line);
            let dropped = self.written(line.len());
            if dropped > 0 {
                report(dropped);
            }
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.locked();
        loop {
            match state.lines.pop_front() {
                Some(line) => return line,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Writes a complete line, with retries, so that no line is truncated.
    fn write(&self, sink: &mut impl Write, mut line: &[u8]) {
        while !line.is_empty() {
            match sink.write(line) {
                Ok(0) => self.failed(),
                Ok(bytes) => line = line.get(bytes..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.failed(),
            }
        }
    }

    fn failed(&self) {
        self.locked().failing = true;
        self.changed.notify_all();
        thread::sleep(RETRY_PAUSE);
    }

    /// Releases the bytes of a written line. Returns the number of dropped lines once the sink has caught up, 0 before.
    fn written(&self, bytes: usize) -> u64 {
        let mut state = self.locked();
        state.failing = false;
        state.bytes -= bytes;
        let dropped = if state.lines.is_empty() { std::mem::take(&mut state.dropped) } else { 0 };
        drop(state);
        self.changed.notify_all();
        dropped
    }
}

impl Write for LogWriter {
    /// Queues a line; a log event is written in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
