//! The state that a connection shares with the application.

use std::cell::{Cell, RefCell};
use std::task::Waker;

/// The length of the remembered tail: the bytes that end a head.
const TAIL_BYTES: usize = 4;

/// The state of a connection, which determines its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Waiting for the rest of a head, or for the first head.
    Head,
    /// A request executes, or its response is being sent.
    Busy,
    /// Waiting for the next request.
    Idle,
    /// The last response has been sent.
    Over,
}

/// The state of one connection, shared by its stream and the application. One thread serves a connection.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    /// Whether bytes of an incomplete head have been received.
    is_begun: Cell<bool>,
    has_received: Cell<bool>,
    /// The last bytes received.
    tail: Cell<[u8; TAIL_BYTES]>,
    /// The number of requests. It distinguishes one wait from the next, and may wrap around.
    requests: Cell<u32>,
    /// Whether a request is in progress: until its response is encoded.
    is_busy: Cell<bool>,
    /// Whether part of the request's body is unread.
    has_body: Cell<bool>,
    /// Whether the current request is the last one.
    is_last: Cell<bool>,
    /// Wakes the reading task, which pauses until the current request finishes.
    reader: RefCell<Option<Waker>>,
}

impl Default for ConnectionState {
    fn default() -> Self {
        Self {
            // The deadline of the first head starts with the connection.
            is_begun: Cell::new(true),
            has_received: Cell::new(false),
            tail: Cell::default(),
            requests: Cell::new(0),
            is_busy: Cell::new(false),
            has_body: Cell::new(false),
            is_last: Cell::new(false),
            reader: RefCell::default(),
        }
    }
}

impl ConnectionState {
    pub(super) fn standing(&self) -> Standing {
        match (self.is_busy.get(), self.is_last.get(), self.is_begun.get()) {
            (true, _, _) => Standing::Busy,
            (false, true, _) => Standing::Over,
            (false, false, true) => Standing::Head,
            (false, false, false) => Standing::Idle,
        }
    }

    pub(super) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// Returns whether any bytes were received.
    pub(super) fn has_received(&self) -> bool {
        self.has_received.get()
    }

    /// Returns whether input received now follows the current request.
    pub(super) fn reads_ahead(&self) -> bool {
        self.is_busy.get() && !self.has_body.get()
    }

    /// Wakes `reader` when the current request finishes.
    pub(super) fn wake_when_finished(&self, reader: &Waker) {
        *self.reader.borrow_mut() = Some(reader.clone());
    }

    /// Records received bytes.
    pub(super) fn receive(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.is_begun.set(true);
        self.has_received.set(true);
        let mut tail = self.tail.get();
        let new = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        tail.rotate_left(new.len());
        tail[TAIL_BYTES - new.len()..].copy_from_slice(new);
        self.tail.set(tail);
    }

    /// Begins a request; returns false, without effect, if the previous one was the last.
    pub(super) fn begin(&self, has_body: bool, is_last: bool) -> bool {
        if self.is_last.get() {
            return false;
        }
        self.requests.set(self.requests.get().wrapping_add(1));
        self.is_busy.set(true);
        self.has_body.set(has_body);
        self.is_last.set(is_last);
        self.is_begun.set(!has_body && !self.ends_with_blank_line());
        true
    }

    /// Records that the body of the current request was read completely.
    ///
    /// If the tail is not the end of the body, it belongs to the next head.
    pub(crate) fn body_was_read(&self, body: &[u8], is_chunked: bool) {
        if !self.has_body.replace(false) {
            return;
        }
        let tail = self.tail.get();
        let end = &body[body.len().saturating_sub(TAIL_BYTES)..];
        let is_last = if is_chunked { self.ends_with_blank_line() } else { tail.ends_with(end) };
        self.is_begun.set(!is_last);
    }

    /// Returns whether the connection ends after this response: unread body bytes would be parsed as the next head.
    pub(super) fn ends(&self) -> bool {
        if self.has_body.get() {
            self.is_last.set(true);
        }
        self.is_last.get()
    }

    /// Records that the response is encoded, or that there is none.
    pub(super) fn finish(&self) {
        self.ends();
        self.is_busy.set(false);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Returns whether the tail ends a head, or a chunked body.
    fn ends_with_blank_line(&self) -> bool {
        let tail = self.tail.get();
        tail.ends_with(b"\n\r\n") || tail.ends_with(b"\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionState, Standing};

    fn after(bytes: &[&[u8]]) -> ConnectionState {
        let state = ConnectionState::default();
        bytes.iter().for_each(|bytes| state.receive(bytes));
        state
    }

    #[test]
    fn a_new_connection_waits_for_a_head() {
        assert_eq!(ConnectionState::default().standing(), Standing::Head);
        assert!(!ConnectionState::default().has_received());
    }

    #[test]
    fn a_connection_is_idle_from_a_response_to_the_next_byte() {
        let state = after(&[b"GET / HTTP/1.1\r\n", b"\r", b"\n"]);
        assert!(state.begin(false, false));
        assert_eq!(state.standing(), Standing::Busy);
        assert!(!state.ends());
        state.finish();
        assert_eq!(state.standing(), Standing::Idle);
        state.receive(b"G");
        assert_eq!(state.standing(), Standing::Head);
    }

    #[test]
    fn bytes_behind_a_request_begin_the_next_head() {
        let state = after(&[b"GET / HTTP/1.1\r\n\r\nGET"]);
        assert!(state.begin(false, false));
        state.finish();
        assert_eq!(state.standing(), Standing::Head);
    }

    #[test]
    fn bytes_behind_a_body_begin_the_next_head() {
        for (sent, body, chunked, expected) in [
            (&b"POST\r\n\r\n{\"qty\": 1}"[..], &b"{\"qty\": 1}"[..], false, Standing::Idle),
            (b"POST\r\n\r\n{}", b"{}", false, Standing::Idle),
            (b"POST\r\n\r\n{}GE", b"{}", false, Standing::Head),
            (b"POST\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}", true, Standing::Idle),
            (b"POST\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET", b"{}", true, Standing::Head),
        ] {
            let state = after(&[sent]);
            assert!(state.begin(true, false));
            state.body_was_read(body, chunked);
            assert!(!state.ends());
            state.finish();
            assert_eq!(state.standing(), expected, "{}", String::from_utf8_lossy(sent));
        }
    }

    #[test]
    fn an_unread_body_ends_the_connection() {
        let state = after(&[b"DELETE / HTTP/1.1\r\n\r\n"]);
        assert!(state.begin(true, false));
        assert!(state.ends());
        state.finish();
        assert_eq!(state.standing(), Standing::Over);
        assert!(!state.begin(false, false));
    }

    #[test]
    fn nothing_begins_after_the_last_request() {
        let state = after(&[b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"]);
        assert!(state.begin(false, true));
        assert!(state.ends());
        assert!(!state.begin(false, false), "while it is under way");
        state.finish();
        assert!(!state.begin(false, false), "and afterwards");
        assert_eq!(state.standing(), Standing::Over);
    }
}
