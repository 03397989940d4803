//! The store: its data, its clock and its scheduler.

use crate::database::Database;
use crate::faults::Faults;
use crate::scheduler::{Scheduler, Threads};
use allocation_ports::{Clock, DatabaseProbe, Probed, SchemaState, StoreError};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A database in memory behind the ports: [`allocation_ports::UnitOfWorkFactory`], [`allocation_ports::Queries`],
/// the ports of the event log and of the relay, and [`DatabaseProbe`].
///
/// Cloning is cheap; clones share their data, which is dropped with the last of them.
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    database: Mutex<Database>,
    clock: Arc<dyn Clock>,
    scheduler: Arc<dyn Scheduler>,
    faults: Faults,
}

/// The wall clock of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock {
    /// The shift of the clock, for tests of wrong clocks.
    pub shift: TimeDelta,
}

impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now().trunc_subsecs(6);
        now.checked_add_signed(self.shift).unwrap_or(now)
    }
}

impl MemoryStore {
    /// Creates an empty store with a clock, on threads of the operating system.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_scheduler(clock, Arc::new(Threads::default()))
    }

    /// Creates an empty store with a clock and a scheduler.
    #[must_use]
    pub fn with_scheduler(clock: Arc<dyn Clock>, scheduler: Arc<dyn Scheduler>) -> Self {
        Self(Arc::new(Inner { database: Mutex::default(), clock, scheduler, faults: Faults::default() }))
    }

    /// Creates an empty store with faults.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn with_faults(clock: Arc<dyn Clock>, scheduler: Arc<dyn Scheduler>, faults: Faults) -> Self {
        Self(Arc::new(Inner { database: Mutex::default(), clock, scheduler, faults }))
    }

    /// Returns the clock that measures holds and dates stored data.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// Returns the time by the store's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    pub(crate) fn scheduler(&self) -> &dyn Scheduler {
        &*self.0.scheduler
    }

    pub(crate) fn faults(&self) -> Faults {
        self.0.faults
    }

    /// Begins a call of a port, and locks the data for it.
    pub(crate) fn database(&self) -> MutexGuard<'_, Database> {
        self.scheduler().port_call();
        self.data()
    }

    /// Locks the data within a call of a port.
    pub(crate) fn data(&self) -> MutexGuard<'_, Database> {
        // A commit only moves rows, so a panic leaves no commit half done.
        self.0.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Repeats an attempt until it returns a value: at once, and after each release of locks within `timeout`.
    ///
    /// # Errors
    ///
    /// The error of the attempt, which ends the repetition.
    pub(crate) fn try_until<T>(
        &self,
        timeout: Duration,
        mut attempt: impl FnMut(&mut Database) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let deadline = Instant::now() + timeout;
        loop {
            self.commit_late();
            // Read before the attempt, so that no release in between is missed.
            let seen = self.scheduler().releases();
            if let Some(value) = attempt(&mut self.data())? {
                return Ok(Some(value));
            }
            if !self.scheduler().wait(seen, deadline.saturating_duration_since(Instant::now())) {
                return Ok(None);
            }
        }
    }

    /// Makes late commits visible.
    fn commit_late(&self) {
        if self.faults().late_commits && self.data().commit_late() {
            self.scheduler().release();
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl DatabaseProbe for MemoryStore {
    fn schema(&self) -> Result<SchemaState, StoreError> {
        Ok(SchemaState::Current)
    }

    fn probe(&self) -> Result<Probed, StoreError> {
        Ok(Probed::Written { sequenced: self.database().leases.is_live("events") })
    }

    fn clock_ahead(&self) -> TimeDelta {
        TimeDelta::zero()
    }
}
