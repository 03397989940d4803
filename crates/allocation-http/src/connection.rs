//! Connections: how many there may be, and how long each of them may keep its peer waiting.
//!
//! actix-http decodes requests and sends responses; it limits the time of the first head of a connection
//! only, and goes on with what was sent behind a request that asked to close. So the stream that it reads
//! from is wrapped here, and [`observe`] tells the stream when a request begins and when its response is
//! encoded.

mod observe;
mod places;
mod state;

pub(crate) use observe::observe;
pub use places::ConnectionLimits;
pub(crate) use places::{Place, Places};
pub(crate) use state::ConnectionState;

use actix_web::rt::time::{Instant, Sleep, sleep_until};
use state::Standing;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long the head of a request may take, from its first byte; the first one from when the connection
/// is made.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long a connection may be idle between requests: longer than common proxies keep theirs (60 s), so
/// that a proxy never sends a request into a connection that is being closed.
const IDLE_TIME: Duration = Duration::from_secs(75);

/// How long a connection that ends waits for its peer to close, so that the peer reads the last response.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// A deadline that is noticed so much too late was missed because the process stood still. What came meanwhile
/// is not read yet.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// How much longer a peer is waited for then, once: what has come is read at once.
const GRACE: Duration = Duration::from_secs(1);

/// How many bytes a connection that ends reads and drops at most: more than the largest body may have, so
/// that a client which sends one that is refused reads why.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;

/// How many bytes the dispatcher gets before it has decoded what it got. It decodes every request in them at
/// once, and a request that waits takes a hundred times the bytes that it came in.
const READ_BYTES: usize = 2 * 1024;

/// How many bytes are read behind a request that is carried out, to notice that its client hangs up.
const READ_AHEAD_BYTES: usize = 256;

/// How many bytes are read and dropped at a time.
const DISCARD_BYTES: usize = 8 * 1024;

/// What is sent to a peer whose head takes too long. Nothing else is being sent then.
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A stream whose peer has to send each head in time, and is cut off after its last request.
pub(crate) struct Connection<S> {
    stream: S,
    state: Rc<ConnectionState>,
    /// What the peer is waited for, and since which request.
    waits: (Standing, u32),
    /// When the peer has been waited for long enough.
    deadline: Instant,
    /// Whether the deadline was put off because the process stood still.
    put_off: bool,
    /// Wakes the task at the deadline or before; it is not set anew for a deadline that comes later.
    timer: Option<Pin<Box<Sleep>>>,
    ending: Option<UnitOutcome>,
    /// How many bytes the dispatcher got since it had to wait for more.
    delivered: usize,
    /// How many bytes it got behind the request that is carried out.
    ahead: usize,
    /// Whether the peer takes nothing of what is to be sent.
    is_blocked: bool,
    _place: Place,
}

/// How far a connection that ends has come.
#[derive(Default)]
struct UnitOutcome {
    /// Whether the peer knows that nothing more is sent.
    is_shut: bool,
    discarded: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A new connection in its place.
    pub(crate) fn new(stream: S, place: Place) -> Self {
        let state = Rc::new(ConnectionState::default());
        let waits = (state.standing(), state.requests());
        let deadline = Instant::now() + HEAD_TIME;
        Self {
            stream,
            state,
            waits,
            deadline,
            put_off: false,
            timer: None,
            ending: None,
            delivered: 0,
            ahead: 0,
            is_blocked: false,
            _place: place,
        }
    }

    /// What the application shares with the connection.
    pub(crate) fn state(&self) -> Rc<ConnectionState> {
        Rc::clone(&self.state)
    }

    /// Looks at what the peer is waited for, after all that was to be sent was handed over and all that
    /// had come was decoded. An error ends the connection.
    fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.ending.is_none() {
            let waits = (self.state.standing(), self.state.requests());
            if waits != self.waits {
                (self.waits, self.put_off) = (waits, false);
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
                // As far as it fits: a peer that takes nothing is not waited for.
                let _ = Pin::new(&mut self.stream).poll_write(cx, HEAD_TOO_SLOW);
                self.deadline = self.begin_ending();
            }
        }
        match self.poll_end(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// How many bytes may be read now; `None` when the task is woken to read more.
    fn may_read(&mut self, cx: &Context<'_>) -> Option<usize> {
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
            // As soon as what it got is decoded.
            cx.waker().wake_by_ref();
            return None;
        }
        Some(READ_BYTES - self.delivered)
    }

    /// Notes whether the peer takes what is sent. As long as it does not, none of its requests are read.
    fn note_written<T>(&mut self, cx: &Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.is_blocked && written.is_ready() {
            cx.waker().wake_by_ref();
        }
        self.is_blocked = written.is_pending();
        written
    }

    /// Begins to end the connection, until when.
    fn begin_ending(&mut self) -> Instant {
        self.ending = Some(UnitOutcome::default());
        Instant::now() + LINGER_TIME
    }

    /// Whether the deadline is over; else the task is woken when it is.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        if !self.put_off && now.saturating_duration_since(self.deadline) >= STOOD_STILL {
            (self.deadline, self.put_off) = (now + GRACE, true);
        }
        let deadline = self.deadline;
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
        false
    }

    /// Tells the peer that nothing more is sent, and drops what it still sends, until it closes, has sent
    /// too much or takes too long. A socket that is closed with unread bytes would take the last response
    /// away from the peer.
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
        let most = most.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, &mut part) else {
            this.delivered = 0;
            return Poll::Pending;
        };
        read?;
        let bytes = part.filled().len();
        this.state.receive(part.filled());
        buffer.advance(bytes);
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

    /// The dispatcher flushes whenever it has done what it can, so that this is where the time is kept.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
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
