//! A unit of work is bounded, and later ones finish its work.

use crate::shop::{batch, id, sku, units};
use allocation_domain::{
    Allocation, Batch, BatchReference, DataRequest, Eta, LineState, LoadRequest, NewBatch, OnShortage, OrderId,
    Pending, Product, ProductFlags, ProductState, QueuePosition, ReservationState,
};
use chrono::{DateTime, TimeDelta, Utc};

/// Ten times the bound of a unit of work.
const LINES: u32 = 10_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn line(number: u32, waiting: u32, allow_split: bool) -> (OrderId, LineState) {
    let placed_at = now() + TimeDelta::microseconds(i64::from(number));
    let mut line = LineState::standalone(units(1.max(waiting)), placed_at);
    line.terms.on_shortage = OnShortage::Backorder;
    line.terms.allow_split = allow_split;
    line.waiting = waiting;
    (id(&format!("O-{number:05}")), line)
}

/// A store of one product that counts the lines that it loads.
struct Store {
    lines: Vec<(OrderId, LineState)>,
    batches: Vec<Batch>,
    flags: ProductFlags,
    loaded: usize,
}

impl Store {
    fn of(lines: Vec<(OrderId, LineState)>, batches: Vec<Batch>) -> Self {
        Self { lines, batches, flags: ProductFlags::NEW, loaded: 0 }
    }

    /// The product, with as many expired lines as one unit of work releases.
    fn lock(&mut self) -> Product {
        let expires = |line: &LineState| line.commitment.expires_at().is_some_and(|at| at <= now());
        let expired: Vec<_> = self.lines.iter().filter(|(_, line)| expires(line)).cloned().collect();
        let more_expired = expired.len() > Product::MAX_AT_ONCE;
        let lines: Vec<_> = expired.into_iter().take(Product::MAX_AT_ONCE).collect();
        self.loaded = lines.len();
        Product::restore(ProductState {
            named_batches: self.batches.clone(),
            open_batches: self.batches.iter().filter(|batch| batch.available() > 0).cloned().collect(),
            lines,
            more_expired,
            flags: self.flags,
            more_waiting: self.lines.iter().any(|(_, line)| line.waiting > 0),
            ..ProductState::new(sku("CHAIR"), 1)
        })
    }

    /// Decides, and loads the rows that are requested.
    fn decide<T, R>(
        &mut self,
        product: &mut Product,
        decision: impl Fn(&mut Product) -> Result<T, Pending<R>>,
    ) -> Result<T, Pending<R>> {
        loop {
            let decided = decision(product);
            match decided {
                Err(Pending::Load(LoadRequest { what: DataRequest::WaitingLines { after, free, limit }, .. })) => {
                    let could_take = |line: &LineState| {
                        line.waiting > 0 && (line.terms.allow_split || u64::from(line.waiting) <= free)
                    };
                    let place = |(order_id, line): &(OrderId, LineState)| QueuePosition::of(order_id, line);
                    let next = self.lines.iter().filter(|it| could_take(&it.1));
                    let mut next = next.filter(|it| after.as_ref().is_none_or(|after| place(it) > *after));
                    let page: Vec<_> = next.by_ref().take(limit).cloned().collect();
                    self.loaded += page.len();
                    product.load_waiting(after.as_ref(), free, page, next.next().is_some());
                }
                decided => return decided,
            }
        }
    }

    fn save(&mut self, product: &Product) {
        self.batches = product.batches().to_vec();
        self.flags = product.changes().flags.unwrap_or(self.flags);
        for (order_id, line) in product.lines() {
            let stored = self.lines.iter_mut().find(|(stored, _)| stored == order_id).unwrap();
            stored.1 = line.clone();
        }
    }

    fn waiting(&self) -> u32 {
        self.lines.iter().map(|(_, line)| line.waiting).sum()
    }

    /// Runs units of work until the product is no longer behind, and returns their number.
    fn catch_up(&mut self) -> usize {
        for steps in 1.. {
            let mut product = self.lock();
            let before = product.clone();
            self.decide(&mut product, |product| product.release_expired(now())).unwrap();
            assert!(self.loaded <= 2 * Product::MAX_AT_ONCE, "{} lines at once", self.loaded);
            assert!(product.changes().lines.len() <= 2 * Product::MAX_AT_ONCE);
            assert!(before.changes().is_empty());
            self.save(&product);
            if !product.is_behind() {
                return steps;
            }
            let overtaking = product.allocate(&id("NEW"), units(1), now());
            assert_eq!(overtaking, Err(Pending::CatchUp(sku("CHAIR"))), "nothing overtakes");
        }
        unreachable!()
    }
}

fn in_stock(name: &str, purchased: u32) -> Batch {
    Batch::new(batch(name), sku("CHAIR"), units(purchased), Eta::InStock, now())
}

#[test]
fn an_arrival_serves_a_long_queue_in_steps_that_no_newcomer_overtakes() {
    let mut store = Store::of((0..LINES).map(|number| line(number, 1, true)).collect(), Vec::new());
    store.flags.sold_out = true;
    let mut product = store.lock();
    store
        .decide(&mut product, |product| {
            product.add_batch(NewBatch::new(batch("B-1"), units(LINES + 5), Eta::InStock), now()).cloned()
        })
        .unwrap();
    assert!(product.is_behind());
    let behind = ProductFlags { unserved: true, sold_out: true, ..ProductFlags::NEW };
    assert_eq!(product.changes().flags, Some(behind), "free units are for waiting lines");
    assert_eq!(product.changes().lines.len(), Product::MAX_AT_ONCE);
    store.save(&product);
    assert_eq!(store.lines[999].1.waiting, 0);
    assert_eq!(store.lines[1_000].1.waiting, 1, "in the order of service");
    assert_eq!(store.catch_up(), 10, "the last one finds that nothing is left");
    assert_eq!(store.waiting(), 0);
    assert_eq!(store.flags, ProductFlags::NEW, "the units that are left bring the product back in stock");
    let mut product = store.lock();
    product.allocate(&id("NEW"), units(5), now()).unwrap();
}

#[test]
fn lines_that_cannot_take_a_released_unit_do_not_put_the_product_behind() {
    let mut lines: Vec<_> = (0..LINES).map(|number| line(number, 3, false)).collect();
    let mut store = Store::of(lines.clone(), Vec::new());
    let mut product = store.lock();
    let add = |name: BatchReference, purchased| {
        move |product: &mut Product| {
            product.add_batch(NewBatch::new(name.clone(), units(purchased), Eta::InStock), now()).cloned()
        }
    };
    store.decide(&mut product, add(batch("B-1"), 2)).unwrap();
    assert_eq!((store.loaded, product.available(), product.is_behind()), (0, 2, false));

    lines.push(line(LINES, 2, false));
    let mut store = Store::of(lines, Vec::new());
    let mut product = store.lock();
    store.decide(&mut product, add(batch("B-1"), 2)).unwrap();
    assert_eq!((store.loaded, product.available()), (1, 0), "the one behind them all has them");
}

/// Each page has one line that can be served, followed by many that cannot.
#[test]
fn a_unit_of_work_ends_after_pages_of_lines_that_it_cannot_serve() {
    let mut lines = Vec::new();
    for round in 0..20 {
        let free = 4_000 - round;
        lines.push(line(round * 1_000, 1, false));
        lines.extend((1..1_000).map(|number| line(round * 1_000 + number, free, false)));
    }
    let mut store = Store::of(lines, Vec::new());
    let mut product = store.lock();
    store
        .decide(&mut product, |product| {
            product.add_batch(NewBatch::new(batch("B-1"), units(4_000), Eta::InStock), now()).cloned()
        })
        .unwrap();
    assert!(store.loaded <= 3 * Product::MAX_AT_ONCE, "{} lines", store.loaded);
    store.save(&product);
    let mut units_of_work = 0;
    while store.flags.unserved {
        let mut product = store.lock();
        let before = product.available();
        store.decide(&mut product, |product| product.release_expired(now())).unwrap();
        assert!(store.loaded <= 3 * Product::MAX_AT_ONCE, "{} lines", store.loaded);
        assert!(product.available() < before || !product.is_behind(), "each goes on");
        store.save(&product);
        units_of_work += 1;
        assert!(units_of_work < 50);
    }
    let free: u64 = store.batches.iter().map(|batch| u64::from(batch.available())).sum();
    assert!(store.lines.iter().all(|(_, line)| line.waiting == 0 || u64::from(line.waiting) > free));
}

#[test]
fn expired_holds_are_released_in_steps_and_then_the_queue_is_served() {
    let stock = in_stock("B-1", LINES).with_allocated(LINES).unwrap();
    let cart = |number| {
        let (order_id, mut cart) = line(number, 0, true);
        cart.commitment = ReservationState::Held { expires_at: now() };
        cart.allocations = vec![Allocation::of(&stock, units(1))];
        (order_id, cart)
    };
    let mut lines: Vec<_> = (0..LINES).map(cart).collect();
    lines.push(line(LINES, 7, false));
    let mut store = Store::of(lines, vec![stock.clone()]);
    let mut product = store.lock();
    product.release_expired(now()).unwrap();
    assert_eq!(product.available(), 1_000);
    assert!(product.changes().flags.unwrap().unserved, "waiting lines are served once all holds are released");
    store.save(&product);
    assert_eq!(store.waiting(), 7);
    assert_eq!(store.catch_up(), 9);
    assert_eq!(store.waiting(), 0);
    assert_eq!(store.batches[0].available(), LINES - 7);
}

#[test]
fn many_products_share_the_bound_of_a_unit_of_work() {
    assert_eq!([0, 1, 2, 10, 50, 500].map(Product::share_of), [1_000, 1_000, 500, 100, 20, 20]);
}
