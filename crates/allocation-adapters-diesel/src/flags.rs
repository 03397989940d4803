//! The state of a connection outside its protocol.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// State that a connection records about itself and other threads read.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// The time when the running statement was sent, in milliseconds of [`now`]; 0 if there is none.
    sent: AtomicU64,
    /// The server rejects writes on this connection: it has become a standby of a new primary.
    read_only: AtomicBool,
    /// The connection was shut down because a statement got no reply in time.
    silent: AtomicBool,
}

/// Returns the milliseconds since the first call, never 0.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed().as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_add(1)
}

impl Flags {
    /// Returns the time for which the running statement has had no reply, if a statement is running.
    pub(crate) fn unanswered(&self) -> Option<Duration> {
        let sent = self.sent.load(Ordering::Relaxed);
        (sent > 0).then(|| Duration::from_millis(now().saturating_sub(sent)))
    }

    /// Records that no statement is running.
    pub(crate) fn answered(&self) {
        self.sent.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    pub(crate) fn set_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    /// Returns an instrumentation that updates the flags on the events of a connection.
    pub(crate) fn instrumentation(self: &Arc<Self>) -> impl Instrumentation + use<> {
        let flags = Arc::clone(self);
        move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { .. } => flags.sent.store(now(), Ordering::Relaxed),
            InstrumentationEvent::FinishQuery { error, .. } => {
                flags.answered();
                if let Some(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) = error {
                    flags.read_only.store(true, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }
}
