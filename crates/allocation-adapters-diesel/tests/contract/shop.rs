//! Some products with random decisions, in the database and in memory: reads must agree with products
//! that have all their rows.

use crate::database::TestDatabase;
use crate::world::{World, decide, due, held, instant, new_order, order, quantity, reference, sku, taken, waits};
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, BatchChange, Eta, Event, HoldDuration, LineState,
    LockTime, NewBatch, NewOrder, Order, OrderChange, OrderConfirmation, OrderId, OrderTerms, Pending, Product,
    Products, QueuePosition, ReservationState, Sku, TermsChange, UnitChange, Units,
};
use allocation_ports::{Actor, AllocationRow, Backorder, EventContexts, LockRequest, RecordedEvent, UnitOfWork};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Debug;

pub const SKUS: [&str; 3] = ["LAMP", "RUG", "SOFA"];

pub struct Shop {
    pub world: World,
    pub truth: Products,
    /// The number of locks of each product, and the instant of the last one.
    counted: BTreeMap<&'static str, (u64, DateTime<Utc>)>,
    pub events: Vec<RecordedEvent>,
}

pub fn seconds(seconds: i64) -> DateTime<Utc> {
    instant(0) + TimeDelta::seconds(seconds)
}

/// The rows of products for any decision on an order and on one batch of each.
pub fn wanted(names: &[&str], order_id: &OrderId, batch: u8) -> Vec<LockRequest> {
    let wanted = |name: &&str| LockRequest {
        sku: sku(name),
        create: true,
        open_batches: true,
        batches: vec![reference(&format!("{name}-{batch}"))],
        order_ids: vec![order_id.clone()],
        standalone: Vec::new(),
    };
    names.iter().map(wanted).collect()
}

impl Shop {
    pub fn new(database: TestDatabase) -> Self {
        let truth = SKUS.map(|name| Product::new(sku(name))).into_iter().collect();
        let counted = SKUS.map(|name| (name, (0, DateTime::UNIX_EPOCH))).into();
        let mut shop = Self { world: World::new(database), truth, counted, events: Vec::new() };
        shop.decide(&SKUS, &order("NONE"), 0, seconds(0), |_, _| Ok::<_, Pending<Infallible>>(()));
        shop
    }

    /// Decides on products in the database and in memory, and compares the results.
    fn decide<R>(
        &mut self,
        names: &[&'static str],
        order_id: &OrderId,
        batch: u8,
        now: DateTime<Utc>,
        decision: impl Fn(&mut Products, DateTime<Utc>) -> Result<(), Pending<R>>,
    ) {
        let lock = |unit: &mut dyn UnitOfWork| unit.products().lock(&wanted(names, order_id, batch)).unwrap();
        self.decide_on(names, lock, now, decision, |_, _| {});
    }

    /// The same under locks of the caller.
    pub fn decide_on<T: PartialEq + Debug, R>(
        &mut self,
        names: &[&'static str],
        lock: impl Fn(&mut dyn UnitOfWork) -> Vec<Product>,
        now: DateTime<Utc>,
        decision: impl Fn(&mut Products, DateTime<Utc>) -> Result<T, Pending<R>>,
        and_then: impl Fn(bool, &mut dyn UnitOfWork),
    ) {
        let decision = |products: &mut Products| decision(products, now);
        self.count(names, now);
        let before: BTreeMap<Sku, usize> =
            self.truth.iter().map(|product| (product.sku().clone(), product.events().len())).collect();
        // A refusal of the domain is a step as well.
        let in_memory = decision(&mut self.truth).ok();
        let mut unit = self.world.begin();
        let locked = lock(&mut *unit);
        for product in &locked {
            let (version, decided_at) = self.counted[product.sku().as_str()];
            assert_eq!((product.version(), product.lock_time()), (version, Some(LockTime { now, decided_at })));
        }
        let mut products: Products = locked.into_iter().collect();
        assert_eq!(decide(&mut *unit, &mut products, &decision).ok(), in_memory);
        unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
        and_then(in_memory.is_some(), &mut *unit);
        unit.commit().unwrap();
        for product in self.truth.iter() {
            let new = product.events()[before[product.sku()]..].iter().enumerate();
            let (version, decided_at) = self.counted[product.sku().as_str()];
            self.events.extend(new.map(|(ordinal, event)| RecordedEvent {
                sku: product.sku().clone(),
                version,
                ordinal: u32::try_from(ordinal).unwrap(),
                occurred_at: decided_at,
                event: event.clone(),
                actor: Actor::Anonymous,
            }));
        }
    }

    /// Counts a lock of these products, each at an instant later than ever before.
    fn count(&mut self, names: &[&'static str], now: DateTime<Utc>) {
        self.world.set_time(now);
        for name in names {
            let (version, decided_at) = self.counted.get_mut(name).unwrap();
            (*version, *decided_at) = (*version + 1, now.max(*decided_at + TimeDelta::microseconds(1)));
        }
        let lock_time = |product: &Product| LockTime { now, decided_at: self.counted[product.sku().as_str()].1 };
        self.truth = self.truth.iter().map(|product| product.clone().locked_at(lock_time(product))).collect();
    }

    /// Runs a random command on a product or an order, by a clock that differs from that of the step before.
    pub fn step(&mut self, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let now = now + TimeDelta::seconds(random.i64(-6..=6));
        let choice = random.u8(0..20);
        if choice >= 14 {
            return self.pick_step(random, now);
        }
        let any = order(&format!("O-{}", random.u8(0..60)));
        let held = self.lines().filter(|(.., line)| line.commitment.expires_at().is_some_and(|at| at > now));
        let held: Vec<_> = held.map(|(_, order_id, _)| order_id.clone()).collect();
        let order_id = random.choice(held).filter(|_| (6..=8).contains(&choice)).unwrap_or_else(|| any.clone());
        let (name, batch, units) = (random.choice(SKUS).unwrap(), random.u8(0..3), random.u32(1..=9));
        let (this, named) = (sku(name), reference(&format!("{name}-{batch}")));
        let eta = random.choice([Eta::InStock, due("2027-03-01"), due("2027-04-01")]).unwrap();
        let change = BatchChange {
            purchased: Units::new(random.choice([0, 5, 20, 45]).unwrap()).ok(),
            eta: Some(eta),
            reallocate: random.bool(),
            expected: None,
        };
        let placed = new_order(order_id.as_str(), &lines(random), terms(random));
        let hold = HoldDuration::from_seconds(random.u32(10..60)).unwrap();
        let one = [name];
        let on = move |products: &mut Products, decide: &dyn Fn(&mut Product) -> Result<(), Pending<Infallible>>| {
            products.get_mut(&this).map_or(Ok(()), decide)
        };
        let id = order_id.clone();
        match choice {
            0 => self.decide(&one, &id, batch, now, |all, at| {
                on(all, &|product| taken(product.add_batch(NewBatch::new(named.clone(), quantity(5 * units), eta), at)))
            }),
            1 if self.has_ended_elsewhere(name, &id) => {}
            1 => {
                let standalone = LockRequest {
                    order_ids: Vec::new(),
                    standalone: vec![id.clone()],
                    ..wanted(&one, &id, batch).remove(0)
                };
                let lock = |unit: &mut dyn UnitOfWork| unit.products().lock(std::slice::from_ref(&standalone)).unwrap();
                let allocate = |all: &mut Products, at| {
                    on(all, &|product| taken(product.allocate(&order_id, quantity(units), at)))
                };
                self.decide_on(&one, lock, now, allocate, |_, _| {});
            }
            2 => self.give_back(random, now),
            3 => self
                .decide(&one, &id, batch, now, |all, at| on(all, &|product| taken(product.remove_batch(&named, at)))),
            4 => self.decide(&one, &id, batch, now, |all, at| {
                on(all, &|product| taken(product.change_batch(&named, &change, at)))
            }),
            5 => {
                let change = UnitChange::new(random.choice([-20, -4, 3, 9]).unwrap()).unwrap();
                let line = AdjustmentLine { reference: named.clone(), change, expected: None };
                let reason = AdjustmentReason::restore("lost").unwrap();
                let made = Adjustment::new(AdjustmentId::restore("A").unwrap(), reason, [line]).unwrap();
                self.decide(&one, &id, batch, now, |all, at| taken(all.adjust(&made, at)));
            }
            6 => self.decide(&SKUS, &id, batch, now, |all, at| taken(all.cancel(&order_id, at))),
            7 if random.bool() => {
                let late = self.lines().filter(|(.., line)| line.commitment.has_expired(now));
                let late: Vec<_> = late.map(|(_, order_id, _)| order_id.clone()).collect();
                let late = random.choice(late).unwrap_or(any);
                let request = OrderConfirmation::new(late.clone()).reallocating(true);
                self.decide(&SKUS, &late, batch, now, |all, at| taken(all.reinstate(&request, at)));
            }
            7 => self.decide(&SKUS, &id, batch, now, |all, at| {
                let _ = all.confirm(&order_id, at);
                Ok::<_, Pending<Infallible>>(())
            }),
            8 => self.decide(&SKUS, &id, batch, now, |all, at| {
                let _ = all.extend(&order_id, hold, at);
                Ok::<_, Pending<Infallible>>(())
            }),
            9 => self.change_order(random, &order_id, now),
            10 => self.decide(&SKUS, &id, batch, now, |all, at| taken(all.close(&order_id, at))),
            _ if self.has_begun_elsewhere(&placed) => {}
            _ => self.decide(&SKUS, &id, batch, now, |all, at| taken(all.place(&placed, at))),
        }
    }

    /// Changes lines and terms of an order, whose lines are locked.
    fn change_order(&mut self, random: &mut fastrand::Rng, order_id: &OrderId, now: DateTime<Utc>) {
        let Some(before) = self.truth.order(order_id) else { return };
        let skus: Vec<Sku> = before.lines.into_iter().map(|(name, _)| name).collect();
        let count = random.usize(0..=2);
        let lines = random.choose_multiple(SKUS, count).into_iter();
        let lines: Vec<_> = lines.map(|name| (sku(name), Units::new(random.u32(0..=9)).unwrap())).collect();
        let terms = TermsChange {
            priority: random.bool().then(|| random.i32(0..3)),
            allow_split: random.bool().then(|| random.bool()),
            ship_complete: random.bool().then(|| random.u8(0..3) == 0),
            ..TermsChange::default()
        };
        let change = OrderChange::new(order_id.clone(), lines, terms).unwrap();
        let lock = |unit: &mut dyn UnitOfWork| {
            let locked = unit.products().lock(&wanted(&SKUS, order_id, 0)).unwrap();
            unit.orders().lock_lines(order_id, &skus).unwrap();
            locked
        };
        let lock_again = |_, unit: &mut dyn UnitOfWork| {
            let left = unit.orders().skus_of(order_id).unwrap();
            unit.orders().lock_lines(order_id, &left).unwrap();
        };
        self.decide_on(&SKUS, lock, now, |all, at| taken(all.change_order(&change, at)), lock_again);
    }

    /// Whether an order may have ended by lines of other products, which a product in memory does not know.
    fn has_ended_elsewhere(&self, name: &str, order_id: &OrderId) -> bool {
        self.lines().any(|(other, id, line)| {
            id == order_id && other.as_str() != name && line.commitment != ReservationState::Firm
        })
    }

    /// Whether lines with an order's id exist outside its products; a caller that places the order looks
    /// for them first.
    fn has_begun_elsewhere(&self, placed: &NewOrder) -> bool {
        let lines = self.truth.order(placed.order_id()).map(|order| order.lines).unwrap_or_default();
        let shared = |(name, _): &(Sku, _)| placed.lines().iter().any(|(of_order, _)| of_order == name);
        !lines.is_empty() && !lines.iter().any(shared)
    }

    /// Releases the units of a line in a batch.
    fn give_back(&mut self, random: &mut fastrand::Rng, now: DateTime<Utc>) {
        let Some(held) = random.choice(self.allocations(now)) else { return };
        let batch = held.reference.as_str().bytes().last().unwrap() - b'0';
        let name = SKUS.into_iter().find(|name| *name == held.sku.as_str()).unwrap();
        self.decide(&[name], &held.order_id, batch, now, |all, at| {
            let product = all.get_mut(&held.sku).unwrap();
            taken(product.deallocate(&held.order_id, &held.reference, at))
        });
    }

    /// Returns all lines with their SKUs.
    fn lines(&self) -> impl Iterator<Item = (&Sku, &OrderId, &LineState)> {
        self.truth.iter().flat_map(|product| product.lines().map(|(order_id, line)| (product.sku(), order_id, line)))
    }

    pub fn orders(&self) -> Vec<Order> {
        let names: BTreeSet<_> = self.lines().map(|(_, order_id, _)| order_id).collect();
        names.into_iter().map(|order_id| self.truth.order(order_id).unwrap()).collect()
    }

    /// Returns the listed allocations.
    pub fn allocations(&self, now: DateTime<Utc>) -> Vec<AllocationRow> {
        let mut rows = Vec::new();
        for (name, order_id, line) in self.lines().filter(|(.., line)| !has_expired(line, now)) {
            let mut parts: Vec<_> = line.allocations.iter().collect();
            parts.sort_by(|one, other| one.reference.cmp(&other.reference));
            rows.extend(parts.into_iter().map(|part| AllocationRow {
                order_id: order_id.clone(),
                sku: name.clone(),
                quantity: part.quantity,
                reference: part.reference.clone(),
                priority: line.terms.priority,
                placed_at: line.terms.placed_at,
            }));
        }
        rows
    }

    /// Returns the queues, one after the other.
    pub fn backorders(&self, now: DateTime<Utc>) -> Vec<Backorder> {
        let mut rows = Vec::new();
        for product in self.truth.iter() {
            let waits = |(_, line): &(_, &LineState)| line.waiting > 0 && !has_expired(line, now);
            let waiting = product.lines().filter(waits);
            let mut queue: Vec<_> =
                waiting.map(|(order_id, line)| (QueuePosition::of(order_id, line), line.waiting)).collect();
            queue.sort();
            rows.extend((1..).zip(queue).map(|(position, (queued, waiting))| Backorder {
                sku: product.sku().clone(),
                position,
                queued,
                waiting: quantity(waiting),
            }));
        }
        rows
    }

    /// Returns the history of an order.
    pub fn history(&self, order_id: &OrderId) -> Vec<RecordedEvent> {
        let of_order = self.events.iter().filter(|recorded| recorded.event.order_id() == Some(order_id));
        let mut events: Vec<_> = of_order.cloned().collect();
        events.sort_by(|one, other| {
            let place = |event: &RecordedEvent| (event.occurred_at, event.sku.clone(), event.version, event.ordinal);
            place(one).cmp(&place(other))
        });
        events
    }

    /// Returns the events of a product, in order.
    pub fn events_of(&self, name: &Sku) -> impl Iterator<Item = &RecordedEvent> {
        self.events.iter().filter(|recorded| recorded.sku == *name)
    }

    /// Returns the units of a product's batches that are allocated to lines without an expired hold.
    pub fn allocated(&self, batch: &allocation_domain::BatchReference, now: DateTime<Utc>) -> u32 {
        let alive = self.lines().filter(|(.., line)| !has_expired(line, now));
        alive.filter_map(|(.., line)| line.holds(batch)).map(allocation_domain::Quantity::get).sum()
    }

    /// Returns the kinds of events in the history.
    pub fn kinds(&self) -> BTreeSet<&'static str> {
        self.events.iter().map(|recorded| Event::name(&recorded.event)).collect()
    }
}

fn has_expired(line: &LineState, now: DateTime<Utc>) -> bool {
    matches!(line.commitment, ReservationState::Held { expires_at } if expires_at <= now)
}

fn lines(random: &mut fastrand::Rng) -> Vec<(&'static str, u32)> {
    let count = random.usize(1..=3);
    random.choose_multiple(SKUS, count).into_iter().map(|name| (name, random.u32(1..=9))).collect()
}

fn terms(random: &mut fastrand::Rng) -> OrderTerms {
    let hold = random.bool().then_some(random.u32(10..60));
    OrderTerms {
        hold: hold.and_then(|seconds| held(seconds).hold),
        allow_split: random.bool(),
        ship_complete: random.u8(0..4) == 0,
        ..if random.u8(0..3) > 0 { waits(random.i32(0..3)) } else { OrderTerms::default() }
    }
}
