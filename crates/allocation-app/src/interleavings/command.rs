//! Commands as callers send them, and the shop that carries them out.

use crate::engine::{decide_line, decide_order};
use crate::{RetryPolicy, UnitRunner, UseCases};
use allocation_adapters_memory::{Faults, MemoryStore, Scheduler};
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, BatchReference, CountId, CountLine, CountScope,
    CountedUnits, Disposition, Eta, GoodsReturn, HoldDuration, LineState, NewBatch, NewOrder, NewPickList, NewShipment,
    NewStockCount, OpenLines, OrderChange, OrderConfirmation, OrderId, OrderLine, OrderTerms, Outcome, PickCriteria,
    PickLineId, PickListId, Promises, Quantity, Receipt, ReceiptId, ReservationState, ReturnId, ReturnLine, ShipmentId,
    ShipmentLine, Sku, TermsChange, UncountedLines, UnitChange, Units,
};
use allocation_ports::{
    BatchFilter, BatchQueries, Clock, CountQueries, EventFilter, EventLog, Lease, Leases, LockWait, LogSequencer,
    OrderFilter, OrderQueries, PageSize, PickListFilter, PickListQueries, ShipmentQueries, UnitOfWorkFactory,
};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A command, by the names of what it is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Command {
    /// Adds a batch in stock: its SKU, reference and units.
    AddBatch(&'static str, &'static str, u32),
    /// Adjusts batches: the id of the adjustment, and the change of each.
    Adjust(&'static str, &'static [(&'static str, i32)]),
    /// Opens a count of batches.
    OpenCount(&'static str, &'static [&'static str]),
    /// Enters units of the first line of a count; picked units were counted.
    Enter(&'static str, u32),
    /// Closes a count, and leaves lines that are not entered.
    CloseCount(&'static str),
    /// Abandons a count.
    Abandon(&'static str),
    /// Sets whether lines of a product keep their promises.
    SetPromises(&'static str, Promises),
    /// Removes a batch.
    RemoveBatch(&'static str),
    /// Adds an inbound batch: its SKU, reference and units.
    AddInbound(&'static str, &'static str, u32),
    /// Receives units of a batch: the id of the receipt, the batch, and the units that are kept.
    Receive(&'static str, &'static str, u32),
    /// Allocates a standalone line of an order.
    Allocate(&'static str, &'static str, u32),
    /// Places an order with lines.
    Place(&'static str, &'static [(&'static str, u32)]),
    /// Places an order with lines that ships complete.
    PlaceComplete(&'static str, &'static [(&'static str, u32)]),
    /// Places an order whose hold lasts a number of seconds.
    PlaceHeld(&'static str, &'static [(&'static str, u32)], u32),
    /// Releases an order's units of a batch.
    Deallocate(&'static str, &'static str),
    Cancel(&'static str),
    Close(&'static str),
    Confirm(&'static str),
    /// Confirms an order, and gives it its units again if its hold has expired.
    Reinstate(&'static str),
    /// Sets the quantities of lines of an order.
    Change(&'static str, &'static [(&'static str, u32)]),
    /// Sets whether an order ships complete.
    SetComplete(&'static str, bool),
    /// Makes a pick list of everything that can be picked.
    MakeList(&'static str),
    /// Picks units of the first line of a list.
    Pick(&'static str, u32),
    /// Puts units of the first line of a list back, so that this number is on the shelf.
    PutBack(&'static str, u32),
    /// Ships units of the first line of a list with a shipment, 0 for all that are left.
    CreateShipment(&'static str, &'static str, u32),
    /// Releases the first line of a list.
    ReleaseLine(&'static str),
    /// Picks units of the first line of a list and ships it.
    PickAndShip(&'static str, u32),
    /// Takes back and restocks units of an order: the id of the return, the order, the SKU and the units.
    TakeBack(&'static str, &'static str, &'static str, u32),
    /// Archives all complete orders.
    Archive,
    /// Ships a list, and releases its open lines.
    Ship(&'static str),
    /// Reads an order.
    Read(&'static str),
    ReleaseExpired,
    /// Advances the clock by seconds.
    Advance(i64),
}

/// The use cases over a store in memory.
pub(super) struct Shop {
    store: MemoryStore,
    clock: Arc<Ticks>,
    units: UnitRunner,
    use_cases: UseCases,
}

/// A clock that advances by a microsecond with each reading.
#[derive(Debug, Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

/// No waits, and more attempts than any interleaving needs.
const RETRY: RetryPolicy =
    RetryPolicy { attempts: 100, first_wait: Duration::ZERO, longest_wait: Duration::ZERO, max_elapsed: Duration::MAX };

/// Returns a reply as text: a word for a success, the message of an error.
fn reply_of<T, E: std::error::Error>(result: Result<T, E>, success: impl Fn(&T) -> &'static str) -> String {
    result.map_or_else(|error| error.to_string(), |value| success(&value).to_owned())
}

fn order(name: &str) -> OrderId {
    OrderId::parse(name).unwrap()
}

fn first_line(list: &str) -> PickLineId {
    PickLineId { list: PickListId::parse(list).unwrap(), line: 1 }
}

fn count_id(name: &str) -> CountId {
    CountId::parse(name).unwrap()
}

fn new_order(name: &str, lines: &[(&str, u32)], terms: OrderTerms) -> NewOrder {
    let lines = lines.iter().map(|(sku, units)| (Sku::parse(*sku).unwrap(), Quantity::new(*units).unwrap()));
    NewOrder::new(order(name), lines, terms).unwrap()
}

impl Shop {
    pub(super) fn new(scheduler: Arc<dyn Scheduler>, faults: Faults) -> Self {
        let clock = Arc::new(Ticks::default());
        let store = MemoryStore::with_faults(clock.clone(), scheduler, faults);
        let units = UnitRunner::new(Arc::new(store.clone()), RETRY);
        let use_cases = UseCases::new(units.clone(), Arc::new(store.clone()), clock.clone());
        Self { store, clock, units, use_cases }
    }

    /// Executes a command, and returns its reply.
    pub(super) fn run(&self, command: &Command) -> String {
        match *command {
            Command::AddBatch(sku, reference, units) => self.add_batch(sku, reference, units),
            Command::Adjust(name, lines) => self.adjust(name, lines),
            Command::OpenCount(name, references) => {
                let references = references.iter().map(|name| BatchReference::parse(*name).unwrap()).collect();
                let scope = CountScope::References(references);
                let new = NewStockCount { count_id: count_id(name), scope, blind: false };
                reply_of(self.use_cases.open_count(&new), |outcome| match outcome {
                    Outcome::Changed(_) => "opened",
                    Outcome::Unchanged(_) => "opened before",
                })
            }
            Command::Enter(name, counted) => {
                let counted = Units::new(counted).unwrap();
                let entered = CountedUnits { counted, picked_counted: Some(true), recount: Units::ZERO };
                reply_of(self.use_cases.enter_count(&count_id(name), 1, entered), |_| "entered")
            }
            Command::CloseCount(name) => {
                reply_of(self.use_cases.close_count(&count_id(name), UncountedLines::Leave), |outcome| match outcome {
                    Outcome::Changed(_) => "closed",
                    Outcome::Unchanged(_) => "closed before",
                })
            }
            Command::Abandon(name) => reply_of(self.use_cases.abandon_count(&count_id(name)), |()| "abandoned"),
            Command::SetPromises(sku, promises) => {
                reply_of(self.use_cases.register_product(&Sku::parse(sku).unwrap(), Some(promises)), |_| "set")
            }
            Command::RemoveBatch(reference) => {
                reply_of(self.use_cases.remove_batch(&BatchReference::parse(reference).unwrap()), |()| "removed")
            }
            Command::AddInbound(sku, reference, units) => {
                let eta = Eta::Due("2027-03-01".parse().unwrap());
                let new = NewBatch::new(BatchReference::parse(reference).unwrap(), Quantity::new(units).unwrap(), eta);
                reply_of(self.use_cases.add_batch(&Sku::parse(sku).unwrap(), &new), |_| "added")
            }
            Command::Receive(name, reference, kept) => {
                let (id, reference) = (ReceiptId::parse(name).unwrap(), BatchReference::parse(reference).unwrap());
                let receipt = Receipt::new(id, reference, Units::new(kept).unwrap(), Units::ZERO).unwrap();
                reply_of(self.use_cases.receive_batch(&receipt), |outcome| match outcome {
                    Outcome::Changed(_) => "received",
                    Outcome::Unchanged(_) => "received before",
                })
            }
            Command::Allocate(name, sku, units) => {
                let quantity = Quantity::new(units).unwrap();
                let line = OrderLine::new(order(name), Sku::parse(sku).unwrap(), quantity).unwrap();
                self.allocate(line)
            }
            Command::Place(name, lines) => self.place(new_order(name, lines, OrderTerms::default())),
            Command::PlaceComplete(name, lines) => {
                let terms = OrderTerms { ship_complete: true, ..OrderTerms::default() };
                self.place(new_order(name, lines, terms))
            }
            Command::PlaceHeld(name, lines, seconds) => {
                let hold = HoldDuration::from_seconds(seconds).ok();
                let terms = OrderTerms { hold, ..OrderTerms::default() };
                self.place(new_order(name, lines, terms))
            }
            Command::Deallocate(name, batch) => {
                let batch = BatchReference::parse(batch).unwrap();
                reply_of(self.use_cases.deallocate(&order(name), &batch), |_| "deallocated")
            }
            Command::Cancel(name) => reply_of(self.use_cases.cancel_order(&order(name)), |()| "cancelled"),
            Command::Close(name) => reply_of(self.use_cases.close_order(&order(name), None), |_| "closed"),
            Command::Confirm(name) => {
                reply_of(self.use_cases.confirm_order(&OrderConfirmation::new(order(name))), |_| "confirmed")
            }
            Command::Reinstate(name) => {
                let request = OrderConfirmation::new(order(name)).reallocating(true);
                reply_of(self.use_cases.confirm_order(&request), |_| "reinstated")
            }
            Command::Change(name, lines) => self.change(name, lines, TermsChange::default()),
            Command::SetComplete(name, complete) => {
                self.change(name, &[], TermsChange { ship_complete: Some(complete), ..TermsChange::default() })
            }
            Command::MakeList(name) => {
                let list = NewPickList::new(PickListId::parse(name).unwrap(), PickCriteria::default());
                reply_of(self.use_cases.make_pick_list(&list), |_| "made")
            }
            Command::Pick(list, found) => {
                reply_of(self.use_cases.pick(&first_line(list), Units::new(found).unwrap()), |_| "picked")
            }
            Command::PutBack(list, total) => reply_of(
                self.use_cases.put_back(&first_line(list), Quantity::new(total).unwrap(), None),
                |_| "put back",
            ),
            Command::CreateShipment(name, list, units) => {
                let line = ShipmentLine { id: first_line(list), quantity: Quantity::new(units).ok() };
                let shipment = NewShipment::new(ShipmentId::parse(name).unwrap(), [line]).unwrap();
                reply_of(self.use_cases.create_shipment(&shipment), |outcome| match outcome {
                    Outcome::Changed(_) => "shipped",
                    Outcome::Unchanged(_) => "shipped before",
                })
            }
            Command::ReleaseLine(list) => {
                reply_of(self.use_cases.release_pick_line(&first_line(list)), |()| "released")
            }
            Command::PickAndShip(list, found) => {
                let picked = self.use_cases.pick(&first_line(list), Units::new(found).unwrap());
                picked.map_or_else(
                    |error| error.to_string(),
                    |_| {
                        reply_of(
                            self.use_cases.ship_pick_list(&PickListId::parse(list).unwrap(), OpenLines::Refuse),
                            |_| "shipped",
                        )
                    },
                )
            }
            Command::TakeBack(name, order_name, sku, units) => {
                let sku = Sku::parse(sku).unwrap();
                let line =
                    ReturnLine { sku, quantity: Quantity::new(units).unwrap(), disposition: Disposition::Restock };
                let goods_return = GoodsReturn::new(ReturnId::parse(name).unwrap(), order(order_name), [line]).unwrap();
                reply_of(self.use_cases.take_back(&goods_return), |outcome| match outcome {
                    Outcome::Changed(_) => "came back",
                    Outcome::Unchanged(_) => "came back before",
                })
            }
            Command::Archive => {
                let ever = DateTime::<Utc>::MAX_UTC;
                reply_of(self.use_cases.archive_orders(ever, &mut None, &mut || Ok(true)), |_| "archived")
            }
            Command::Ship(list) => {
                let list = PickListId::parse(list).unwrap();
                reply_of(self.use_cases.ship_pick_list(&list, OpenLines::Release), |_| "shipped")
            }
            Command::Read(name) => reply_of(self.store.order(&order(name)), |order| match order {
                Some(_) => "found",
                None => "not found",
            }),
            // The sweeper leaves products that are in use to the next round.
            Command::ReleaseExpired => reply_of(self.use_cases.release_expired_holds(|| true), |_| "swept"),
            Command::Advance(seconds) => {
                self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
                "later".to_owned()
            }
        }
    }

    fn add_batch(&self, sku: &str, reference: &str, units: u32) -> String {
        let (sku, reference) = (Sku::parse(sku).unwrap(), BatchReference::parse(reference).unwrap());
        let new = NewBatch::new(reference, Quantity::new(units).unwrap(), Eta::InStock);
        reply_of(self.use_cases.add_batch(&sku, &new), |_| "added")
    }

    fn adjust(&self, name: &str, lines: &[(&str, i32)]) -> String {
        let line = |(reference, change): &(&str, i32)| AdjustmentLine {
            reference: BatchReference::parse(*reference).unwrap(),
            change: UnitChange::new(*change).unwrap(),
            expected: None,
        };
        let (id, reason) = (AdjustmentId::parse(name).unwrap(), AdjustmentReason::parse("lost").unwrap());
        let adjustment = Adjustment::new(id, reason, lines.iter().map(line)).unwrap();
        reply_of(self.use_cases.adjust_stock(&adjustment), |outcome| match outcome {
            Outcome::Changed(_) => "adjusted",
            Outcome::Unchanged(_) => "adjusted before",
        })
    }

    fn change(&self, name: &str, lines: &[(&str, u32)], terms: TermsChange) -> String {
        let lines = lines.iter().map(|(sku, units)| (Sku::parse(*sku).unwrap(), Units::new(*units).unwrap()));
        let change = OrderChange::new(order(name), lines, terms).unwrap();
        reply_of(self.use_cases.change_order(&change), |_| "changed")
    }

    fn allocate(&self, line: OrderLine) -> String {
        match decide_line(&self.units, line) {
            Ok(Some(reply)) => reply_of(reply, |outcome| match outcome {
                Outcome::Changed(_) => "allocated",
                Outcome::Unchanged(_) => "unchanged",
            }),
            Ok(None) => "behind".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn place(&self, order: NewOrder) -> String {
        match decide_order(&self.units, order) {
            Ok(Some(reply)) => reply_of(reply, |_| "placed"),
            Ok(None) => "behind".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Returns what is stored, without instants and versions.
    pub(super) fn stored(&self) -> Vec<String> {
        // Late commits are visible once another unit begins.
        drop(self.store.begin(LockWait::Usual).unwrap());
        let now = self.clock.now();
        let mut texts = Vec::new();
        for batch in self.store.batches(&BatchFilter::default(), None, PageSize::LARGEST, now).unwrap() {
            let (sku, reference, counts) = (batch.sku(), batch.reference(), batch.counts());
            texts.push(format!("{sku} {reference}: {} of {}", counts.allocated, batch.total()));
        }
        // Batches are listed by the time at which they were added.
        texts.sort();
        for order in self.store.orders(&OrderFilter::default(), None, PageSize::LARGEST, now).unwrap().orders {
            let lines = order.lines.iter().map(|(sku, line)| format!("{} {sku}: {}", order.order_id, describe(line)));
            texts.extend(lines);
        }
        for list in self.store.pick_lists(&PickListFilter::default(), None, PageSize::LARGEST).unwrap().lists {
            texts.push(format!("{}: {:?}", list.list_id, list.counts));
        }
        for shipment in self.store.shipments(None, None, PageSize::LARGEST).unwrap().shipments {
            texts.push(format!("{}: {:?}", shipment.shipment_id, shipment.lines));
        }
        for summary in self.store.counts(None, PageSize::LARGEST).unwrap().counts {
            let count = self.store.count(&summary.count_id).unwrap().unwrap();
            let entry = |line: &CountLine| Some((line.entry?.entered.counted, line.entry?.expected));
            let entries: Vec<_> = count.lines.iter().map(entry).collect();
            let adjusted = count.closed.map(|closed| closed.adjusted.lines);
            texts.push(format!("{}: {entries:?}, {adjusted:?}", summary.count_id));
        }
        texts.extend(self.events());
        texts
    }

    /// Returns the events of each order, batch and product in their order.
    fn events(&self) -> Vec<String> {
        let lease = Lease { name: "events", holder: "test".to_owned() };
        assert!(self.store.take(&lease, Duration::from_secs(60)).unwrap());
        self.store.sequence(&lease, Duration::from_secs(60), u16::MAX).unwrap();
        let mut events = self.store.read(0, &EventFilter::default(), PageSize::LARGEST).unwrap().events;
        events.sort_by_cached_key(|event| event.subject.to_string());
        events.iter().map(|event| format!("{} {}", event.subject, event.name)).collect()
    }
}

fn describe(line: &LineState) -> String {
    let state = match line.commitment {
        ReservationState::Firm => "firm",
        ReservationState::Held { .. } => "held",
        ReservationState::Expired => "expired",
        ReservationState::Cancelled => "cancelled",
        ReservationState::Closed => "closed",
    };
    let parts: Vec<_> =
        line.allocations.iter().map(|part| format!("{} of {}", part.quantity, part.reference)).collect();
    let (listed, returned) = (line.fulfilment.listed, line.fulfilment.returned);
    format!("{} {state}, {} waiting, {listed} listed, {returned} returned, {parts:?}", line.quantity, line.waiting)
}
