use super::{line, list_id, new_order, now, reference, retry_policy, sku, units};
use crate::engine::{decide_line, decide_order};
use crate::locking::{Locked, lock};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use crate::{UnitRunner, UseCases};
use allocation_adapters_memory::MemoryStore;
use allocation_domain::{
    Batch, Eta, HoldDuration, LineState, NewBatch, NewPickList, OnShortage, OrderId, OrderTerms, PickCriteria, Sku,
};
use allocation_ports::{
    BatchQueries, Clock, EventContext, EventFilter, EventLog, Lease, Leases, LockRequest, LogSequencer, LoggedEvent,
    OrderQueries, PageSize, UnitOfWork,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock that stands at [`now`] until it is advanced, in microseconds.
#[derive(Default)]
struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::microseconds(self.0.load(Ordering::Relaxed))
    }
}

/// The use cases over a store in memory.
pub(crate) struct Shop {
    pub(crate) use_cases: UseCases,
    pub(crate) store: MemoryStore,
    units: UnitRunner,
    clock: Arc<StoppedClock>,
}

impl Shop {
    /// Creates a shop with batches: the SKU, reference and units of each.
    pub(crate) fn with(batches: &[(&str, &str, u32)]) -> Self {
        let clock = Arc::new(StoppedClock::default());
        let store = MemoryStore::new(clock.clone());
        let units = UnitRunner::new(Arc::new(store.clone()), retry_policy(3));
        let use_cases = UseCases::new(units.clone(), Arc::new(store.clone()), clock.clone());
        let shop = Self { use_cases, store, units, clock };
        batches.iter().for_each(|(sku_text, name, quantity)| shop.add(sku_text, name, *quantity));
        shop
    }

    /// Adds a batch in stock.
    pub(crate) fn add(&self, sku_text: &str, name: &str, quantity: u32) {
        let new = NewBatch::new(reference(name), units(quantity), Eta::InStock);
        self.use_cases.add_batch(&sku(sku_text), &new).unwrap();
    }

    /// Allocates a standalone line.
    pub(crate) fn allocate(&self, order_id: &str, sku_text: &str, quantity: u32) {
        decide_line(&self.units, line(order_id, sku_text, quantity)).unwrap().unwrap().unwrap();
    }

    /// Allocates a unit to each of many standalone lines, in one unit of work.
    pub(crate) fn allocate_to_each(&self, order_ids: &[OrderId], sku_text: &str) {
        let wanted = LockRequest { standalone: order_ids.to_vec(), ..LockRequest::product(sku(sku_text)) };
        let allocate = |unit: &mut dyn UnitOfWork, _| {
            let Locked { mut products, now, contexts } = lock(unit, std::slice::from_ref(&wanted))?;
            let product = products.get_mut(&wanted.sku).unwrap();
            for order_id in order_ids {
                unit.decide(product, |product| product.allocate(order_id, units(1), now))?.unwrap();
            }
            save_changed(unit, products, contexts, &EventContext::default())?;
            Ok(UnitOutcome::Commit(()))
        };
        self.units.run("allocate_to_each", allocate).unwrap();
    }

    /// Places an order with these terms.
    pub(crate) fn place(&self, order_id: &str, lines: &[(&str, u32)], terms: OrderTerms) {
        decide_order(&self.units, new_order(order_id, lines, terms)).unwrap().unwrap().unwrap();
    }

    /// Places an order whose hold lasts a number of seconds.
    pub(crate) fn place_held(&self, order_id: &str, lines: &[(&str, u32)], seconds: i64) {
        let hold = Some(HoldDuration::from_seconds(seconds).unwrap());
        self.place(order_id, lines, OrderTerms { hold, ..OrderTerms::default() });
    }

    /// Places an order that accepts backorders.
    pub(crate) fn place_waiting(&self, order_id: &str, lines: &[(&str, u32)]) {
        self.place(order_id, lines, OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() });
    }

    /// Makes the pick list `P-1` of everything that can be picked, a second later.
    pub(crate) fn make_pick_list(&self) {
        // Each decision is later than the one before, so the time would otherwise depend on their number.
        self.advance(TimeDelta::seconds(1));
        self.use_cases.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    }

    /// Advances the clock.
    pub(crate) fn advance(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_microseconds().unwrap(), Ordering::Relaxed);
    }

    pub(crate) fn batch(&self, name: &str) -> Option<Batch> {
        self.store.batch(&reference(name), self.clock.now()).unwrap()
    }

    /// Returns the lines of an order.
    pub(crate) fn lines(&self, order_id: &str) -> Vec<(Sku, LineState)> {
        self.store.order(&super::order(order_id)).unwrap().map_or_else(Vec::new, |order| order.lines)
    }

    /// Returns the names of the events since the last call.
    pub(crate) fn new_events(&self) -> Vec<String> {
        self.newly_logged().into_iter().map(|event| event.name).collect()
    }

    /// Returns the names and subjects of the events since the last call.
    pub(crate) fn new_events_with_subjects(&self) -> Vec<String> {
        self.newly_logged().into_iter().map(|event| format!("{} {}", event.name, event.subject)).collect()
    }

    /// Returns the names and authors of the events since the last call.
    pub(crate) fn new_events_with_actors(&self) -> Vec<String> {
        self.newly_logged().into_iter().map(|event| format!("{} by {}", event.name, event.context.actor)).collect()
    }

    fn newly_logged(&self) -> Vec<LoggedEvent> {
        let lease = Lease { name: "events", holder: "test".to_owned() };
        assert!(self.store.take(&lease, Duration::from_secs(60)).unwrap());
        let mut seen = self.store.bounds().unwrap().last;
        self.store.sequence(&lease, Duration::from_secs(60), u16::MAX).unwrap();
        let next_page = || {
            let page = self.store.read(seen, &EventFilter::default(), PageSize::LARGEST).unwrap();
            seen = page.events.last()?.position;
            Some(page.events)
        };
        std::iter::from_fn(next_page).flatten().collect()
    }
}
