//! Deadlines of statements, kept by the client.
//!
//! The server cancels a statement that takes too long; but one that is frozen, or a proxy in between, may
//! acknowledge every packet and never answer, and libpq waits for an answer without end. So a thread watches all
//! connections, and shuts the socket of one down that has waited for too long: libpq takes that for a connection
//! that the server has closed.

mod socket;

use crate::flags::Flags;
use parking_lot::Mutex;
use socket::Socket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How long a statement may go unanswered: longer than the server lets any run.
const USUAL: Duration = Duration::from_secs(35);
/// How long while the probe of the same database gets no answer either.
const WHILE_SILENT: Duration = Duration::from_secs(5);
/// How long a statement of the probe may go unanswered.
const PROBE: Duration = Duration::from_secs(3);
/// How often the watcher looks.
const LOOK: Duration = Duration::from_millis(250);

/// Which deadline a connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Requests,
    Probe,
}

/// A database whose silence is found by its probe, and shortens the deadlines of all connections to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silence(Arc<AtomicBool>);

impl Silence {
    /// The probe was answered.
    pub(crate) fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn lasts(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection that is watched as long as its flags live.
struct Watched {
    flags: Weak<Flags>,
    socket: Socket,
    silence: Silence,
    used: Use,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// Opens a connection by `connect`, and watches it.
///
/// The socket is found by looking which one is new, so connections are opened one after the other; libpq bounds
/// the time of each. Where a socket cannot be found, the connection has no deadline of the client.
pub(super) fn watched<C, E>(
    connect: impl FnOnce() -> Result<C, E>,
    ports: &[u16],
    silence: &Silence,
    used: Use,
) -> Result<(C, Arc<Flags>), E> {
    static CONNECTING: Mutex<()> = Mutex::new(());
    let flags = Arc::new(Flags::default());
    let one_at_a_time = CONNECTING.lock();
    let before = socket::open();
    let connection = connect()?;
    let socket = socket::new_among(&before, ports);
    drop(one_at_a_time);
    match socket {
        Some(socket) => watch(Watched { flags: Arc::downgrade(&flags), socket, silence: silence.clone(), used }),
        None => tracing::debug!("the socket of a connection to the database is not found: it has no deadline"),
    }
    Ok((connection, flags))
}

fn watch(connection: Watched) {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    WATCHED.lock().push(connection);
    if !RUNNING.swap(true, Ordering::Relaxed) {
        let started = thread::Builder::new().name("deadlines".to_owned()).spawn(|| {
            loop {
                thread::sleep(LOOK);
                WATCHED.lock().retain(Watched::look);
            }
        });
        if let Err(error) = started {
            RUNNING.store(false, Ordering::Relaxed);
            tracing::warn!(%error, "statements have no deadline: the system gives no thread");
        }
    }
}

impl Watched {
    /// Cuts the connection when it has waited for too long; answers whether to look again.
    fn look(&self) -> bool {
        let Some(flags) = self.flags.upgrade() else { return false };
        let deadline = match self.used {
            Use::Probe => PROBE,
            Use::Requests if self.silence.lasts() => WHILE_SILENT,
            Use::Requests => USUAL,
        };
        if flags.unanswered().is_none_or(|time| time < deadline) {
            return true;
        }
        if self.used == Use::Probe {
            self.silence.begin();
        }
        flags.set_silent();
        self.socket.shut_down();
        tracing::debug!(?deadline, "a statement was not answered in time: its connection is cut");
        false
    }
}

#[cfg(test)]
mod tests;
