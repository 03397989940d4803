//! Publishing events to a broker.
//!
//! The relay reads the log after its checkpoint, some pages at a time, and publishes them. It advances the
//! checkpoint once the broker has confirmed all of them; the next pages are read meanwhile. Undeliverable
//! events are parked, so that they block no others. Allocation does not depend on the relay. Under high
//! load the relay works only a fifth of the time: events can wait, customers cannot.

mod backoff;
mod deliveries;
mod worker;

pub use backoff::Backoff;

use crate::{BackgroundTask, LoadMonitor, Vital};
use allocation_ports::{Clock, EventLog, EventPublisher, Leases, PageSize, RelayStore};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use worker::Worker;

/// The ports of a [`Relay`].
pub struct RelayPorts {
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// The store of the checkpoint and the parked events.
    pub store: Arc<dyn RelayStore>,
    /// Ensures that at most one process relays at a time.
    pub leases: Arc<dyn Leases>,
    /// The broker.
    pub publisher: Box<dyn EventPublisher>,
    /// The clock that dates parked events.
    pub clock: Arc<dyn Clock>,
    /// Reports when the relay must yield to allocation.
    pub load: LoadMonitor,
}

/// The settings of a [`Relay`].
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// A name that no other process has, nor this one after a restart.
    pub holder: String,
    /// How long the lease lasts without renewal before another process may take it.
    pub lease_time: Duration,
    /// The pause after a read that found no events.
    pub idle_pause: Duration,
    /// The maximum number of events in a page.
    pub page: PageSize,
    /// How many pages are published and recorded together. A broker that writes to disk may confirm them
    /// only some 100 ms later, however many there are.
    pub pages: u8,
    /// How long the broker may take to confirm published events before it counts as unavailable.
    pub confirm_timeout: Duration,
    /// The pauses after failures.
    pub backoff: Backoff,
}

impl RelaySettings {
    /// Returns the usual settings for a process of this name.
    #[must_use]
    pub fn usual(holder: String) -> Self {
        Self {
            holder,
            lease_time: Duration::from_secs(4),
            idle_pause: Duration::from_millis(50),
            page: PageSize::LARGEST,
            pages: 5,
            confirm_timeout: Duration::from_secs(30),
            backoff: Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30) },
        }
    }
}

/// Relays events on a thread of its own until it is stopped.
///
/// Any number of replicas may run a relay: the lease holder relays, and the others wait for the lease.
/// Every event is published at least once. An event whose confirmation was lost is published again, as are
/// all events after it.
#[derive(Debug)]
pub struct Relay(BackgroundTask);

impl Relay {
    /// The name of the lease.
    pub const LEASE: &'static str = "relay";

    /// Starts to relay.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(ports: RelayPorts, settings: RelaySettings) -> io::Result<Self> {
        BackgroundTask::spawn("relay", |stop| Worker::new(ports, settings, stop).run()).map(Self)
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.0.vital()
    }

    /// Stops once all published events are confirmed, or after some seconds.
    pub fn stop(self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests;
