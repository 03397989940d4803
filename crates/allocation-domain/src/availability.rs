//! What is free, and when.

use crate::{Batch, Eta, MoreNeeded, Product, Quantity, ReservationState};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;

/// How many units a product will have free from when on, as a series that only rises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability(Vec<AvailableFrom>);

/// So many units are free from a day on, those of the days before among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailableFrom {
    /// From when on.
    pub eta: Eta,
    /// How many units.
    pub available: u64,
}

impl Availability {
    /// The series of free units and when they come, in any order.
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

    /// The same series as it can be promised on a day: what is overdue has not arrived, so it is not free
    /// before that day.
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

    /// The days on which units become free, the earliest first, with what is free by then.
    #[must_use]
    pub fn series(&self) -> &[AvailableFrom] {
        &self.0
    }

    /// How many units are free on a day.
    #[must_use]
    pub fn by(&self, day: NaiveDate) -> u64 {
        self.0.iter().take_while(|from| from.eta <= Eta::Due(day)).last().map_or(0, |from| from.available)
    }

    /// What is left when so many units are taken, those that come first before others.
    #[must_use]
    pub fn without(&self, units: u64) -> Self {
        let left = |from: &AvailableFrom| AvailableFrom { available: from.available.saturating_sub(units), ..*from };
        Self(self.0.iter().map(left).filter(|from| from.available > 0).collect())
    }

    /// From when on so many units are free, `None` when that is not in sight.
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
    /// Units of batches in stock that are there: neither shipped nor missing.
    pub in_stock: u64,
    /// Units of batches that are on their way.
    pub on_its_way: u64,
    /// Units allocated and not picked yet, held ones among them.
    pub allocated: u64,
    /// Units picked and not shipped yet.
    pub picked: u64,
    /// Units allocated to lines on hold.
    pub held: u64,
    /// Units that lines wait for.
    pub backordered: u64,
    /// Units that are free.
    pub available: u64,
}

impl Product {
    /// What is free and when: units whose hold has expired by now are, unless somebody waits for
    /// them.
    ///
    /// # Errors
    ///
    /// [`MoreNeeded`] when the batches at hand are not all with free units, or more is needed to
    /// tell who gets what has expired.
    pub fn availability(&self, now: DateTime<Utc>) -> Result<Availability, MoreNeeded> {
        self.at(now).map(|tidy| tidy.available_from())
    }

    /// What the batches at hand have free, and when they come.
    #[must_use]
    pub fn available_from(&self) -> Availability {
        Availability::of(self.batches.iter().map(|batch| (batch.eta(), u64::from(batch.available()))))
    }

    /// The totals of a product that knows all its batches and lines, at an instant.
    ///
    /// # Errors
    ///
    /// [`MoreNeeded`] as [`Product::availability`].
    pub fn totals(&self, now: DateTime<Utc>) -> Result<Totals, MoreNeeded> {
        let tidy = self.at(now)?;
        let mut totals = Totals { available: tidy.available(), ..Totals::default() };
        tidy.batches.iter().for_each(|batch| totals.count_batch(batch));
        for (_, line) in tidy.lines() {
            totals.backordered += u64::from(line.waiting);
            if matches!(line.commitment, ReservationState::Held { .. }) {
                totals.held += u64::from(line.allocated());
            }
        }
        Ok(totals)
    }

    /// The product as the next decision finds it.
    fn at(&self, now: DateTime<Utc>) -> Result<Self, MoreNeeded> {
        // As of the given instant, whenever it was locked.
        let mut tidy = self.clone();
        tidy.lock_time = None;
        tidy.release_expired(now)?;
        tidy.need_all_batches()?;
        Ok(tidy)
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
