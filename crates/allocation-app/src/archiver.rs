//! The task that moves complete orders to the archive.

use crate::{BackgroundTask, StopSignal, UseCases};
use allocation_ports::{CompletionCursor, Lease, Leases, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The duration of the lease, which is renewed before each unit of work. It saves work rather than protects anything:
/// any number of processes may archive at once.
const LEASE: Duration = Duration::from_secs(30);
/// The pause between two units of work, so that allocations come first.
const UNIT_PAUSE: Duration = Duration::from_millis(20);
/// The interval at which the search begins anew: orders are behind it that were left out or restored, and lines without
/// a date, if a program from before has completed them.
const RESTART: Duration = Duration::from_secs(3_600);

/// What is archived.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveSettings {
    /// The time from the completion of an order to the archive.
    pub age: TimeDelta,
    /// The pause between two passes.
    pub pause: Duration,
}

impl UseCases {
    /// Starts a task that archives orders some time after they were completed, while this process holds the lease.
    /// `holder` is its name in the lease, which no other process and no earlier run may have used.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start_archiver(
        &self,
        leases: Arc<dyn Leases>,
        holder: String,
        settings: ArchiveSettings,
    ) -> io::Result<BackgroundTask> {
        let lease = Lease { name: "archive", holder };
        let mut archiver = Archiver::new(self.clone(), leases, lease, settings.age);
        BackgroundTask::every(settings.pause, "archive", "archiving orders", move |stop| archiver.pass(stop))
    }
}

/// The state of the task between two passes.
struct Archiver {
    use_cases: UseCases,
    leases: Arc<dyn Leases>,
    lease: Lease,
    age: TimeDelta,
    after: Option<CompletionCursor>,
    /// When the archive was last prepared and the search began anew.
    restarted: Option<Instant>,
}

impl Archiver {
    const fn new(use_cases: UseCases, leases: Arc<dyn Leases>, lease: Lease, age: TimeDelta) -> Self {
        Self { use_cases, leases, lease, age, after: None, restarted: None }
    }

    /// Archives the orders that are due; returns their number.
    fn pass(&mut self, stop: &StopSignal) -> Result<usize, StoreError> {
        let (leases, lease) = (Arc::clone(&self.leases), self.lease.clone());
        let mut holds = false;
        let done = self.archive(&mut || {
            if holds && !stop.continues_after(UNIT_PAUSE) {
                return Ok(false);
            }
            holds = leases.take(&lease, LEASE)?;
            Ok(holds)
        });
        if holds {
            leases.release(&lease)?;
        }
        done
    }

    fn archive(&mut self, may_continue: &mut dyn FnMut() -> Result<bool, StoreError>) -> Result<usize, StoreError> {
        if self.restarted.is_none_or(|at| at.elapsed() >= RESTART) {
            let mut has_lease = false;
            self.use_cases.prepare_archive(&mut || {
                has_lease = may_continue()?;
                Ok(has_lease)
            })?;
            if !has_lease {
                return Ok(0);
            }
            (self.after, self.restarted) = (None, Some(Instant::now()));
        }
        let archived = self.use_cases.archive_orders(self.until(), &mut self.after, may_continue)?;
        Ok(usize::try_from(archived.orders).unwrap_or(usize::MAX))
    }

    /// Returns the instant by which an order must have been completed.
    fn until(&self) -> DateTime<Utc> {
        self.use_cases.clock.now().checked_sub_signed(self.age).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests;
