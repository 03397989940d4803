//! Leases, measured by the monotonic clock.

use crate::store::MemoryStore;
use allocation_ports::{Lease, Leases, StoreError};
use std::time::Duration;

impl Leases for MemoryStore {
    fn take(&self, lease: &Lease, time: Duration) -> Result<bool, StoreError> {
        Ok(self.database().leases.take(lease, time))
    }

    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.database().leases.release(lease);
        Ok(())
    }
}
