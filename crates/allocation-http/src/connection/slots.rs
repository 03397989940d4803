//! Limits on the number of connections.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Limits on concurrent connections. Connections beyond a limit are rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections in total: fewer than the process may have file descriptors.
    pub total: usize,
    /// Connections from one address. An IPv6 /64 network counts as one address.
    pub per_address: usize,
}

/// The pool of connection slots.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Shared>);

struct Shared {
    limits: ConnectionLimits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The slot of one connection, released on drop.
pub(crate) struct Slot {
    shared: Arc<Shared>,
    address: IpAddr,
}

impl Slots {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self(Arc::new(Shared { limits, taken: Mutex::default() }))
    }

    /// Takes a slot for a connection from `address`; `None` if a limit is reached.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Slot> {
        let address = network(address);
        let mut taken = self.0.taken.lock();
        let of_address = taken.by_address.get(&address).copied().unwrap_or_default();
        if taken.total >= self.0.limits.total || of_address >= self.0.limits.per_address {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, of_address + 1);
        Some(Slot { shared: Arc::clone(&self.0), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.shared.taken.lock();
        taken.total -= 1;
        if let Entry::Occupied(mut of_address) = taken.by_address.entry(self.address) {
            *of_address.get_mut() -= 1;
            if *of_address.get() == 0 {
                of_address.remove();
            }
        }
    }
}

/// Returns the address that a limit counts: one IPv6 host usually controls its whole /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionLimits, Slots};

    fn slots(total: usize, per_address: usize) -> impl Fn(&str) -> Option<super::Slot> {
        let slots = Slots::new(ConnectionLimits { total, per_address });
        move |address| slots.take(address.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_own_limit() {
        let take = slots(10, 2);
        let (first, _second) = (take("10.0.0.1").unwrap(), take("10.0.0.1").unwrap());
        assert!(take("10.0.0.1").is_none());
        let _other = take("10.0.0.2").unwrap();
        drop(first);
        let _again = take("10.0.0.1").unwrap();
        assert!(take("10.0.0.1").is_none());
    }

    #[test]
    fn all_addresses_together_have_a_limit() {
        let take = slots(2, 2);
        let (first, _second) = (take("10.0.0.1").unwrap(), take("10.0.0.2").unwrap());
        assert!(take("10.0.0.3").is_none());
        drop(first);
        assert!(take("10.0.0.3").is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_mapped_address_is_that_of_ipv4() {
        let take = slots(10, 1);
        let _one = take("2001:db8::1").unwrap();
        assert!(take("2001:db8::ffff:1").is_none());
        let _next = take("2001:db8:0:1::1").unwrap();
        let _v4 = take("10.0.0.1").unwrap();
        assert!(take("::ffff:10.0.0.1").is_none());
        assert!(take("::ffff:10.0.0.2").is_some());
    }
}
