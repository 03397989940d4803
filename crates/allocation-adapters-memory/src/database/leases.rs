use allocation_ports::Lease;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The holder of each lease, and when it expires by the monotonic clock.
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

    /// Takes or renews a lease unless it is live with another holder; returns whether the holder has it now.
    pub(crate) fn take(&mut self, lease: &Lease, time: Duration) -> bool {
        if self.renew(lease, time) {
            return true;
        }
        if self.is_live(lease.name) {
            return false;
        }
        self.0.insert(lease.name, (lease.holder.clone(), Instant::now() + time));
        true
    }

    /// Releases a lease if it is the holder's.
    pub(crate) fn release(&mut self, lease: &Lease) {
        self.0.retain(|name, (holder, _)| *name != lease.name || *holder != lease.holder);
    }
}
