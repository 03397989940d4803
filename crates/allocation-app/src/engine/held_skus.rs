//! The products that other transactions hold.

use crate::AgeLimit;
use allocation_domain::Sku;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time for which a SKU counts as held after it was last found held.
const HELD_FOR: Duration = Duration::from_secs(1);
/// The maximum number of SKUs that are remembered. Each group finds any other held SKU again.
const MAX_SKUS: usize = 1_024;

/// The SKUs whose products other units were recently found to have locked; groups skip them.
#[derive(Debug, Default)]
pub(super) struct HeldSkus {
    /// The number of SKUs, nearly always zero: reading it saves the lock.
    count: AtomicUsize,
    until: Mutex<HashMap<Sku, Instant>>,
}

impl HeldSkus {
    /// Remembers that SKUs are held.
    pub(super) fn remember<'a>(&self, skus: impl IntoIterator<Item = &'a Sku>, age: &AgeLimit) {
        let now = age.now();
        let mut until = self.locked();
        for sku in skus {
            if until.len() >= MAX_SKUS {
                until.retain(|_, until| *until > now);
            }
            if until.len() < MAX_SKUS || until.contains_key(sku) {
                until.insert(sku.clone(), now + HELD_FOR);
            }
        }
        self.count.store(until.len(), Ordering::Release);
    }

    /// Removes SKUs that are no longer held.
    pub(super) fn remove<'a>(&self, skus: impl IntoIterator<Item = &'a Sku>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut until = self.locked();
        for sku in skus {
            until.remove(sku);
        }
        self.count.store(until.len(), Ordering::Release);
    }

    /// Returns whether any of the SKUs is remembered as held.
    pub(super) fn any<'a>(&self, skus: impl IntoIterator<Item = &'a Sku>, age: &AgeLimit) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let now = age.now();
        let mut until = self.locked();
        until.retain(|_, until| *until > now);
        self.count.store(until.len(), Ordering::Release);
        skus.into_iter().any(|sku| until.contains_key(sku))
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Sku, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualTime, sku};

    #[test]
    fn a_held_sku_is_remembered_for_a_second_or_until_it_is_free() {
        let time = ManualTime::default();
        let age = AgeLimit::by(time.monotonic(), Duration::from_secs(5));
        let held = HeldSkus::default();
        let (lamp, rug) = (sku("LAMP"), sku("RUG"));
        assert!(!held.any([&lamp], &age));
        held.remember([&lamp, &rug], &age);
        assert!(held.any([&sku("SOFA"), &lamp], &age) && held.any([&rug], &age));
        held.remove([&rug]);
        assert!(held.any([&lamp], &age) && !held.any([&rug], &age));
        time.pass(HELD_FOR);
        assert!(!held.any([&lamp], &age));
        assert_eq!(held.count.load(Ordering::Acquire), 0);
    }

    #[test]
    fn the_number_of_remembered_skus_is_bounded() {
        let time = ManualTime::default();
        let age = AgeLimit::by(time.monotonic(), Duration::from_secs(5));
        let held = HeldSkus::default();
        let skus: Vec<Sku> = (0..MAX_SKUS * 10).map(|n| sku(&format!("SKU-{n}"))).collect();
        held.remember(&skus, &age);
        assert_eq!(held.locked().len(), MAX_SKUS);
        assert!(held.any([&skus[0]], &age), "those that are remembered stay so");
        time.pass(HELD_FOR);
        held.remember([&skus[MAX_SKUS * 5]], &age);
        assert_eq!(held.locked().len(), 1, "what is forgotten makes room");
    }
}
