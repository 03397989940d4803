//! Leases, measured by the monotonic clock.

use crate::store::MemoryStore;
use allocation_ports::{Lease, Leases, StoreError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The holder of each lease, and when it expires.
#[derive(Debug, Default)]
pub(crate) struct LeaseTable(BTreeMap<&'static str, (String, Instant)>);

impl LeaseTable {
    /// Returns whether any process holds the lease of that name.
    pub(crate) fn is_live(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, expires_at)| *expires_at > Instant::now())
    }

    /// Renews a lease, expired or not, if it is still the holder's; returns whether it is.
    pub(crate) fn renew(&mut self, lease: &Lease, time: Duration) -> bool {
        let held = self.0.get_mut(lease.name).filter(|(holder, _)| *holder == lease.holder);
        held.is_some_and(|(_, expires_at)| {
            *expires_at = Instant::now() + time;
            true
        })
    }
}

impl Leases for MemoryStore {
    fn take(&self, lease: &Lease, time: Duration) -> Result<bool, StoreError> {
        let mut database = self.database();
        if database.leases.renew(lease, time) {
            return Ok(true);
        }
        if database.leases.is_live(lease.name) {
            return Ok(false);
        }
        database.leases.0.insert(lease.name, (lease.holder.clone(), Instant::now() + time));
        Ok(true)
    }

    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.database().leases.0.retain(|name, (holder, _)| *name != lease.name || *holder != lease.holder);
        Ok(())
    }
}
