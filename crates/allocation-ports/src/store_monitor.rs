use crate::StoreError;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How the connections of a store are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionUsage {
    /// Connections in use.
    pub used: u32,
    /// Open connections that are free.
    pub idle: u32,
    /// The maximum number of connections.
    pub max: u32,
    /// How often a caller waited longer than [`ConnectionUsage::WAIT`] for a connection, so far.
    pub waits: u64,
    /// The duration of these waits, so far.
    pub waited: Duration,
    /// How often a caller waited in vain, so far.
    pub timeouts: u64,
}

impl ConnectionUsage {
    /// The time from which a caller counts as waiting.
    pub const WAIT: Duration = Duration::from_millis(1);
}

/// The events that are not yet sequenced, relayed or delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventBacklog {
    /// The newest position of the log, 0 before the first event.
    pub last: u64,
    /// The number of committed events without a position: exact up to [`EventBacklog::MAX_BLOCKS`] blocks, and the
    /// number in that many blocks beyond.
    pub unsequenced: u64,
    /// The time at which the oldest of them occurred.
    pub oldest_unsequenced: Option<DateTime<Utc>>,
    /// The position up to which the relay has delivered or parked all events.
    pub checkpoint: u64,
    /// The time at which the oldest event after the checkpoint occurred, if it has a position.
    pub oldest_unrelayed: Option<DateTime<Utc>>,
    /// The number of parked events, at most [`EventBacklog::MAX_PARKED`].
    pub parked: u64,
}

impl EventBacklog {
    /// The maximum number of blocks of unsequenced events that are counted; a block has up to 255 events.
    pub const MAX_BLOCKS: u16 = 1_000;
    /// The maximum number of parked events that are counted.
    pub const MAX_PARKED: u16 = 10_000;

    /// Returns the number of events with a position that the relay has neither delivered nor parked.
    #[must_use]
    pub const fn unrelayed(&self) -> u64 {
        self.last.saturating_sub(self.checkpoint)
    }
}

/// Reports the state of a store for monitoring.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait StoreMonitor: Send + Sync {
    /// Returns how connections are used; `None` if the store has none. MUST NOT wait for the database.
    fn connections(&self) -> Option<ConnectionUsage>;

    /// Returns the backlog of events. MUST read a bounded number of rows.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn backlog(&self) -> Result<EventBacklog, StoreError>;
}

/// An invariant that rows break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenInvariant {
    /// A description of the rows.
    pub what: &'static str,
    /// Their number.
    pub rows: u64,
}

/// Compares the rows of a store that must agree, such as counters with what they count.
pub trait InvariantCheck: Send + Sync {
    /// Returns the broken invariants; `None` if `may_continue`, called before each of many short steps, returned false.
    ///
    /// MUST NOT block other calls, and each step MUST see one state.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn broken_invariants(
        &self,
        may_continue: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<BrokenInvariant>>, StoreError>;
}
