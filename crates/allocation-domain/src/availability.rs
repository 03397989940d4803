//! Available to promise: free units by date.

use crate::{Batch, Eta, LoadRequest, Product, Quantity, ReservationState};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;

/// The free units of a product by date, as a rising series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability(Vec<AvailableFrom>);

/// One step of the series: the free units from a date on, including those of earlier dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailableFrom {
    /// The date from which the units are free.
    pub eta: Eta,
    /// The number of free units.
    pub available: u64,
}

impl Availability {
    /// Creates the series from free units and their ETAs, in any order.
    #[must_use]
    pub fn of(free: impl IntoIterator<Item = (Eta, u64)>) -> Self {
        let mut by_eta: BTreeMap<Eta, u64> = BTreeMap::new();
        for (eta, units) in free.into_iter().filter(|(_, units)| *units > 0) {
            *by_eta.entry(eta).or_default() += units;
        }
        let mut available = 0;
        let total = |(eta, units)| {
            available += units;
            AvailableFrom { eta, available }
        };
        Self(by_eta.into_iter().map(total).collect())
    }

    /// Returns the series as it can be promised on a day.
    ///
    /// Overdue stock has not arrived, so it is not free before that day.
    #[must_use]
    pub fn promised_on(self, today: NaiveDate) -> Self {
        let mut steps: Vec<AvailableFrom> = Vec::with_capacity(self.0.len());
        for step in self.0 {
            let step = AvailableFrom { eta: step.eta.promised_on(today), ..step };
            match steps.last_mut() {
                Some(last) if last.eta == step.eta => *last = step,
                _ => steps.push(step),
            }
        }
        Self(steps)
    }

    /// Returns the steps of the series, the earliest first.
    #[must_use]
    pub fn series(&self) -> &[AvailableFrom] {
        &self.0
    }

    /// Returns how many units are free on a day.
    #[must_use]
    pub fn by(&self, day: NaiveDate) -> u64 {
        self.0.iter().take_while(|from| from.eta <= Eta::Due(day)).last().map_or(0, |from| from.available)
    }

    /// Returns the series without `units` units, taking the earliest ones first.
    #[must_use]
    pub fn without(&self, units: u64) -> Self {
        let left = |from: &AvailableFrom| AvailableFrom { available: from.available.saturating_sub(units), ..*from };
        Self(self.0.iter().map(left).filter(|from| from.available > 0).collect())
    }

    /// Returns the earliest ETA at which `quantity` units are free, or `None` if the series never
    /// reaches them.
    #[must_use]
    pub fn earliest(&self, quantity: Quantity) -> Option<Eta> {
        self.0.iter().find(|from| from.available >= u64::from(quantity.get())).map(|from| from.eta)
    }
}

/// The totals of a product at an instant.
///
/// `in_stock + on_its_way == allocated + picked + available`, and `held` is a part of `allocated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Units of batches in stock, neither shipped nor missing.
    pub in_stock: u64,
    /// Units of batches in transit.
    pub on_its_way: u64,
    /// Units allocated and not picked yet, including held ones.
    pub allocated: u64,
    /// Units picked and not shipped yet.
    pub picked: u64,
    /// Units allocated to lines on hold.
    pub held: u64,
    /// Units for which lines wait.
    pub backordered: u64,
    /// Units that are free.
    pub available: u64,
}

impl Product {
    /// Returns the free units by date.
    ///
    /// Units of expired holds are free unless a line waits for them.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`] if a batch with free units is not loaded, or if the loaded rows do not
    /// determine which lines get the units of expired holds.
    pub fn availability(&self, now: DateTime<Utc>) -> Result<Availability, LoadRequest> {
        self.at(now).map(|current| current.available_from())
    }

    /// Returns the free units of the loaded batches by date.
    #[must_use]
    pub fn available_from(&self) -> Availability {
        Availability::of(self.batches.iter().map(|batch| (batch.eta(), u64::from(batch.available()))))
    }

    /// Returns the totals of a product at an instant. All its batches and lines must be loaded.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`] as for [`Product::availability`].
    pub fn totals(&self, now: DateTime<Utc>) -> Result<Totals, LoadRequest> {
        let current = self.at(now)?;
        let mut totals = Totals { available: current.available(), ..Totals::default() };
        current.batches.iter().for_each(|batch| totals.count_batch(batch));
        for (_, line) in current.lines() {
            totals.backordered += u64::from(line.waiting);
            if matches!(line.commitment, ReservationState::Held { .. }) {
                totals.held += u64::from(line.allocated());
            }
        }
        Ok(totals)
    }

    /// Returns the product as the next decision finds it.
    fn at(&self, now: DateTime<Utc>) -> Result<Self, LoadRequest> {
        // Holds expire as of `now`, whenever the product was locked.
        let mut current = self.clone();
        current.lock_time = None;
        current.release_due(now)?;
        current.need_all_batches()?;
        Ok(current)
    }
}

impl Totals {
    fn count_batch(&mut self, batch: &Batch) {
        let present = u64::from(batch.on_hand());
        match batch.eta() {
            Eta::InStock => self.in_stock += present,
            Eta::Due(_) => self.on_its_way += present,
        }
        self.allocated += u64::from(batch.allocated());
        self.picked += u64::from(batch.counts().picked);
    }
}

#[cfg(test)]
mod tests;
