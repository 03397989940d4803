//! Events out, to a broker.
//!
//! The relay reads the log after its bookmark, some pages at a time, sends them, and moves the bookmark
//! when the broker has confirmed all of them; the next are read meanwhile. What nobody wants to have is
//! parked, so that it holds up nothing. Whoever allocates knows nothing of it. While callers queue up for
//! the engine, the relay works for a fifth of the time only: events can wait, customers cannot.

mod backoff;
mod deliveries;
mod worker;

pub use backoff::Backoff;

use crate::health::Alive;
use crate::{LoadMonitor, Vital};
use allocation_ports::{Clock, EventLog, EventPublisher, Leases, PageSize, RelayStore};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use worker::Worker;

/// What a [`Relay`] works on.
pub struct RelayPorts {
    /// The events.
    pub log: Arc<dyn EventLog>,
    /// How far the relay has come.
    pub store: Arc<dyn RelayStore>,
    /// Sees to it that one process at a time relays.
    pub leases: Arc<dyn Leases>,
    /// The broker.
    pub publisher: Box<dyn EventPublisher>,
    /// Tells when an event was parked.
    pub clock: Arc<dyn Clock>,
    /// Tells when to make way for allocation.
    pub rush: LoadMonitor,
}

/// How a [`Relay`] goes about it.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// A name that no other process has, nor this one after a restart.
    pub holder: String,
    /// After how long without a sign of life another process takes over.
    pub lease_time: Duration,
    /// How long to wait for events when there were none.
    pub idle_pause: Duration,
    /// How many events are read at a time.
    pub page: PageSize,
    /// How many pages are sent together, and marked together. A broker that writes to its disk may confirm
    /// them only some 100 ms later, however many they are.
    pub pages: u8,
    /// How long the broker may take to confirm what was sent before it counts as away.
    pub patience: Duration,
    /// How long to wait after a failure.
    pub backoff: Backoff,
}

impl RelaySettings {
    /// What is usual, for a process of that name.
    #[must_use]
    pub fn usual(holder: String) -> Self {
        Self {
            holder,
            lease_time: Duration::from_secs(4),
            idle_pause: Duration::from_millis(50),
            page: PageSize::LARGEST,
            pages: 5,
            patience: Duration::from_secs(30),
            backoff: Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30) },
        }
    }
}

/// Relays on a thread of its own, until it is stopped. Any number of replicas may run one: whoever has
/// the lease relays, and the others wait for it.
///
/// Every event is sent at least once; one whose confirmation was lost is sent again, as are those
/// behind it.
#[derive(Debug)]
pub struct Relay {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    vital: Vital,
}

impl Relay {
    /// The name of the lease.
    pub const LEASE: &'static str = "relay";

    /// Starts to relay.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(ports: RelayPorts, settings: RelaySettings) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::new();
        let vital = alive.vital("relay");
        let worker = Worker::new(ports, settings, stopped);
        let thread = thread::Builder::new().name("relay".to_owned()).spawn(move || {
            let _alive = alive;
            worker.run();
        })?;
        Ok(Self { stop, thread, vital })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops when what was sent is confirmed, or after some seconds.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

#[cfg(test)]
mod tests;
