use chrono::{DateTime, NaiveDate, Utc};
use std::sync::atomic::{AtomicI32, Ordering};

/// The day on which a key was last used, as it is known and as it is stored.
#[derive(Debug)]
pub(crate) struct LastUse {
    known: AtomicI32,
    stored: AtomicI32,
}

impl LastUse {
    pub(crate) fn new(stored: Option<NaiveDate>) -> Self {
        let day = stored.map_or(i32::MIN, |day| day.to_epoch_days());
        Self { known: AtomicI32::new(day), stored: AtomicI32::new(day) }
    }

    /// Records a use. Most uses only read the day, so that processors share it.
    pub(crate) fn note(&self, now: DateTime<Utc>) {
        let day = i32::try_from(now.timestamp().div_euclid(86_400)).unwrap_or(i32::MIN);
        if self.known.load(Ordering::Relaxed) < day {
            self.known.fetch_max(day, Ordering::Relaxed);
        }
    }

    /// Takes over a day that was stored, possibly by another process.
    pub(crate) fn set_stored(&self, stored: Option<NaiveDate>) {
        if let Some(day) = stored.map(|day| day.to_epoch_days()) {
            self.stored.fetch_max(day, Ordering::Relaxed);
            self.known.fetch_max(day, Ordering::Relaxed);
        }
    }

    /// Returns the day if it is not stored yet.
    pub(crate) fn unstored(&self) -> Option<NaiveDate> {
        let known = self.known.load(Ordering::Relaxed);
        (known > self.stored.load(Ordering::Relaxed)).then(|| NaiveDate::from_epoch_days(known)).flatten()
    }

    /// Returns the known day.
    pub(crate) fn day(&self) -> Option<NaiveDate> {
        let known = self.known.load(Ordering::Relaxed);
        (known != i32::MIN).then(|| NaiveDate::from_epoch_days(known)).flatten()
    }
}
