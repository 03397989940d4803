//! The allocated units by SKU, counted from events.

use allocation_domain::{Event, ListedUnits, Sku};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;

/// The number of ids that are remembered. Redeliveries follow soon after the first delivery.
const REMEMBERED: usize = 100_000;

/// The members of an event that this reader uses.
#[derive(Debug, Deserialize)]
pub struct CloudEvent {
    /// The id, the same in every delivery of the event.
    pub id: String,
    data: serde_json::Value,
}

/// The number of allocated units of each SKU.
#[derive(Debug, Default)]
pub struct Picture {
    allocated: BTreeMap<Sku, u64>,
    seen: HashSet<String>,
    seen_in_order: VecDeque<String>,
}

impl Picture {
    /// Counts an event unless it was counted before; returns whether it was new.
    pub fn count(&mut self, event: CloudEvent) -> bool {
        if !self.seen.insert(event.id.clone()) {
            return false;
        }
        self.seen_in_order.push_back(event.id);
        if self.seen_in_order.len() > REMEMBERED
            && let Some(oldest) = self.seen_in_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        // A later version of the service may have events of other types.
        match serde_json::from_value(event.data) {
            Ok(Event::Allocated { sku, quantity, .. }) => *self.allocated.entry(sku).or_default() += units(quantity),
            Ok(
                Event::Deallocated { sku, quantity, .. }
                | Event::Picked(ListedUnits { sku, quantity, .. })
                | Event::UnitsMissing(ListedUnits { sku, quantity, .. }),
            ) => {
                let left = self.allocated.entry(sku).or_default();
                *left = left.saturating_sub(units(quantity));
            }
            Ok(_) | Err(_) => {}
        }
        true
    }

    /// Returns the allocated units by SKU.
    #[must_use]
    pub const fn allocated(&self) -> &BTreeMap<Sku, u64> {
        &self.allocated
    }
}

impl fmt::Display for Picture {
    /// Writes the units by SKU, such as `LAMP: 7, RUG: 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: Vec<String> = self.allocated.iter().map(|(sku, units)| format!("{sku}: {units}")).collect();
        f.write_str(&units.join(", "))
    }
}

fn units(quantity: allocation_domain::Quantity) -> u64 {
    quantity.get().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: &str, quantity: u32) -> CloudEvent {
        let line =
            r#""order_id": "O-1", "sku": "LAMP", "reference": "B-1", "line_quantity": 9, "list": "L-1", "line": 1"#;
        let data = format!(r#"{{"type": "{kind}", {line}, "quantity": {quantity}}}"#);
        serde_json::from_str(&format!(r#"{{"id": "{id}", "more": 1, "data": {data}}}"#)).unwrap()
    }

    #[test]
    fn an_event_counts_once_however_often_it_arrives() {
        let mut picture = Picture::default();
        let come = [("1", "allocated", 5), ("2", "allocated", 4), ("1", "allocated", 5), ("3", "deallocated", 2)];
        let new = come.map(|(id, kind, quantity)| picture.count(event(id, kind, quantity)));
        assert_eq!(new, [true, true, false, true]);
        assert!(picture.count(event("4", "of_the_future", 2)), "and is passed over");
        assert_eq!(picture.allocated()[&Sku::parse("LAMP").unwrap()], 7);
        assert!(picture.count(event("5", "picked", 3)) && picture.count(event("6", "units_missing", 1)));
        assert_eq!(picture.allocated()[&Sku::parse("LAMP").unwrap()], 3, "what was picked is allocated no more");
    }
}
