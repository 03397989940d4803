//! Statement deadlines that the client enforces.
//!
//! The server cancels a statement that takes too long. But a frozen server, or a proxy in between, may
//! acknowledge every packet and never reply, and libpq waits for a reply forever. A thread therefore
//! watches all connections and shuts down the socket of one that has waited too long. libpq then treats the
//! connection as closed by the server.

mod socket;

use crate::flags::Flags;
use parking_lot::Mutex;
use socket::Socket;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// The time that a statement may stay unanswered, which exceeds the server's own limit.
const USUAL: Duration = Duration::from_secs(35);
/// The same while the probe of the database gets no reply either.
const WHILE_SILENT: Duration = Duration::from_secs(5);
/// The time that a statement of the probe may stay unanswered.
const PROBE: Duration = Duration::from_secs(3);
/// The interval between two checks of the watcher.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// The use of a connection, which decides its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Requests,
    Probe,
}

/// The silence of a database, found by its probe. It shortens the deadlines of all connections to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silence(Arc<AtomicBool>);

impl Silence {
    /// Records that the probe got a reply.
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

/// A connection that is watched while its flags are alive.
struct Watched {
    flags: Weak<Flags>,
    socket: Socket,
    silence: Silence,
    used: Use,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// Opens a connection with `connect` and watches it.
///
/// The socket is identified as the only new one, so connections are opened one at a time; libpq limits the
/// time for each. If no socket is identified, the client sets no deadline for the connection.
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
                thread::sleep(CHECK_INTERVAL);
                check_all(&mut WATCHED.lock(), Watched::check);
            }
        });
        if let Err(error) = started {
            RUNNING.store(false, Ordering::Relaxed);
            tracing::warn!(%error, "statements have no deadline: the system gives no thread");
        }
    }
}

/// Checks each connection, and drops those that are no longer watched. A panic ends one check, not the thread.
fn check_all<T>(watched: &mut Vec<T>, check: impl Fn(&T) -> bool) {
    watched.retain(|connection| panic::catch_unwind(AssertUnwindSafe(|| check(connection))).unwrap_or(true));
}

impl Watched {
    /// Shuts down the connection if it has waited too long; returns whether to keep watching it.
    fn check(&self) -> bool {
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
