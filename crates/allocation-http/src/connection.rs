//! Connections: their number, and the time that a peer has for each step.
//!
//! actix-http decodes requests and sends responses. It limits the time of a connection's first head only,
//! and it executes requests that follow a final one. Therefore [`Connection`] wraps the stream, and
//! [`InProgress`] reports when a request begins and when its response is encoded.

mod observe;
mod slots;
mod state;

pub(crate) use observe::{InProgress, Observed, observe};
pub use slots::ConnectionLimits;
pub(crate) use slots::{Slot, Slots};
pub(crate) use state::ConnectionState;

use actix_web::rt::time::{Instant, Sleep, sleep_until};
use state::Standing;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// The time for the head of a request, from its first byte; for the first head, from accept.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(5);

/// The time that a connection may be idle between requests. It exceeds the 60 s of common proxies, so that
/// a proxy never sends a request into a connection that closes.
const IDLE_TIME: Duration = Duration::from_secs(75);

/// The time that an ending connection waits for its peer, which may still read the last response.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// The delay after which a missed deadline is attributed to a stalled process. Bytes that arrived meanwhile
/// are still unread.
const STALL: Duration = Duration::from_millis(500);

/// The extension of a deadline after a stall, granted once: bytes that have arrived are read at once.
const EXTENSION: Duration = Duration::from_secs(1);

/// The bytes that an ending connection reads and drops at most. The limit exceeds the largest body, so that
/// a client whose body is rejected can read the reason.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;

/// The bytes that the dispatcher receives before it decodes them. It decodes all requests in them at once,
/// and a waiting request takes a hundred times the memory of its bytes.
const READ_BYTES: u64 = 2 * 1024;

/// The bytes that are read while a request executes, to detect that its client disconnects.
const READ_AHEAD_BYTES: u64 = 256;

/// The bytes that are read and dropped at a time.
const DISCARD_BYTES: usize = 8 * 1024;

/// The response to a head that takes too long. No other response is in progress then.
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A stream that limits the time of each head, and that closes after its last request.
pub(crate) struct Connection<S> {
    stream: S,
    state: Rc<ConnectionState>,
    /// The state that the deadline belongs to, and the number of requests when it began.
    waits: (Standing, u32),
    /// The end of the current wait.
    deadline: Instant,
    /// Whether the deadline was extended because the process stalled.
    extended: bool,
    /// Wakes the task at the deadline or before; a later deadline does not reset it.
    timer: Option<Pin<Box<Sleep>>>,
    /// The time at which the timer wakes the task, while it is set.
    wakes_at: Option<Instant>,
    ending: Option<Ending>,
    /// The bytes that the dispatcher received since it last had to wait.
    delivered: u64,
    /// The bytes that it received while the current request executes.
    ahead: u64,
    /// Whether the last write to the peer is pending.
    is_blocked: bool,
    _slot: Slot,
}

/// The progress of an ending connection.
#[derive(Default)]
struct Ending {
    /// Whether the write half is shut down.
    is_shut: bool,
    discarded: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Wraps a stream; the connection occupies `slot` until it is dropped.
    pub(crate) fn new(stream: S, slot: Slot) -> Self {
        let state = Rc::new(ConnectionState::default());
        let waits = (state.standing(), state.requests());
        let deadline = Instant::now() + HEAD_TIME;
        Self {
            stream,
            state,
            waits,
            deadline,
            extended: false,
            timer: None,
            wakes_at: None,
            ending: None,
            delivered: 0,
            ahead: 0,
            is_blocked: false,
            _slot: slot,
        }
    }

    /// Returns the state that the connection shares with the application.
    pub(crate) fn state(&self) -> Rc<ConnectionState> {
        Rc::clone(&self.state)
    }

    /// Enforces the deadline, after the dispatcher has written all output and decoded all input.
    ///
    /// # Errors
    ///
    /// Any error ends the connection.
    fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.ending.is_none() {
            let waits = (self.state.standing(), self.state.requests());
            if waits != self.waits {
                (self.waits, self.extended) = (waits, false);
                self.deadline = match waits.0 {
                    Standing::Busy => return Ok(()),
                    Standing::Head => Instant::now() + HEAD_TIME,
                    Standing::Idle => Instant::now() + IDLE_TIME,
                    Standing::Over => self.begin_ending(),
                };
            }
            if waits.0 == Standing::Busy || !self.is_overdue(cx) {
                if self.ending.is_none() {
                    return Ok(());
                }
            } else if waits.0 == Standing::Idle || !self.state.has_received() {
                return Err(io::ErrorKind::TimedOut.into());
            } else if waits.0 == Standing::Head {
                // One attempt only: a peer that does not read is not waited for.
                let _ = Pin::new(&mut self.stream).poll_write(cx, HEAD_TOO_SLOW);
                self.deadline = self.begin_ending();
            }
        }
        match self.poll_end(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Returns the number of bytes that may be read now; `None` if the task will be woken to read.
    fn may_read(&mut self, cx: &Context<'_>) -> Option<u64> {
        if self.is_blocked {
            return None;
        }
        if !self.state.reads_ahead() {
            self.ahead = 0;
        } else if self.ahead >= READ_AHEAD_BYTES {
            self.state.wake_when_finished(cx.waker());
            return None;
        } else {
            return Some(READ_AHEAD_BYTES - self.ahead);
        }
        if self.delivered >= READ_BYTES {
            // The dispatcher decodes before it reads again.
            cx.waker().wake_by_ref();
            return None;
        }
        Some(READ_BYTES - self.delivered)
    }

    /// Records whether the peer reads. Until it does, none of its requests are read.
    fn note_written<T>(&mut self, cx: &Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.is_blocked && written.is_ready() {
            cx.waker().wake_by_ref();
        }
        self.is_blocked = written.is_pending();
        written
    }

    /// Starts to end the connection and returns the deadline.
    fn begin_ending(&mut self) -> Instant {
        self.ending = Some(Ending::default());
        Instant::now() + LINGER_TIME
    }

    /// Returns whether the deadline has passed; if not, schedules a wake-up at the deadline.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        if !self.extended && now.saturating_duration_since(self.deadline) >= STALL {
            (self.deadline, self.extended) = (now + EXTENSION, true);
        }
        let deadline = self.deadline;
        // The timer of a busy connection is set most of the time. It is a heap object of its own: a cache miss.
        if self.wakes_at.is_some_and(|at| now < at && at <= deadline) {
            return false;
        }
        self.wakes_at = None;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        self.wakes_at = Some(timer.deadline());
        false
    }

    /// Shuts down the write half, then drops input until the peer closes, the limit is reached or the time is up.
    ///
    /// Closing a socket with unread bytes resets the connection, and the peer would lose the last response.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ending) = &mut self.ending else { return Poll::Ready(()) };
        if !ending.is_shut {
            ending.is_shut = Pin::new(&mut self.stream).poll_shutdown(cx).is_ready();
        }
        while ending.is_shut && ending.discarded <= MAX_DISCARDED {
            let mut bytes = [0; DISCARD_BYTES];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => ending.discarded += buffer.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        if ending.discarded > MAX_DISCARDED || self.is_overdue(cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_some() {
            return this.poll_end(cx).map(|()| Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let Some(most) = this.may_read(cx) else {
            this.delivered = 0;
            return Poll::Pending;
        };
        let before = buffer.filled().len();
        // Unlike a `ReadBuf` over part of the buffer, `take` needs no initialized bytes.
        let mut stream = (&mut this.stream).take(most);
        let Poll::Ready(read) = Pin::new(&mut stream).poll_read(cx, buffer) else {
            this.delivered = 0;
            return Poll::Pending;
        };
        read?;
        let bytes = most - stream.limit();
        this.state.receive(&buffer.filled()[before..]);
        this.delivered += bytes;
        if this.state.reads_ahead() {
            this.ahead += bytes;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.note_written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.note_written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Checks the deadline here, because the dispatcher flushes after each step.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // With TLS, written bytes may wait for the peer until they are flushed.
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        ready!(this.note_written(cx, flushed))?;
        Poll::Ready(this.watch(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_some() {
            return this.poll_end(cx).map(Ok);
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
