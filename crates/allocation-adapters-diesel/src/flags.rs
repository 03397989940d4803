//! What is known of a connection beside its protocol.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a connection notes about itself, and others look at.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// When the statement under way was sent, in milliseconds of [`now`]; 0 when there is none.
    sent: AtomicU64,
    /// The server takes no writes on this connection: it has become a standby, and another one is the primary.
    read_only: AtomicBool,
    /// The connection was cut because a statement was not answered in time.
    silent: AtomicBool,
}

/// Milliseconds since the first call, and never 0.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed().as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_add(1)
}

impl Flags {
    /// For how long a statement has not been answered, if one is under way.
    pub(crate) fn unanswered(&self) -> Option<Duration> {
        let sent = self.sent.load(Ordering::Relaxed);
        (sent > 0).then(|| Duration::from_millis(now().saturating_sub(sent)))
    }

    /// No statement is under way.
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

    /// Keeps the flags by the events of a connection.
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
