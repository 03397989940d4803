//! A store in memory that sees only the changes of products, and restores part of their rows.

use crate::command::{Command, Unit, sku_of, skus};
use crate::turns;
use allocation_domain::{
    Allocation, Batch, BatchCounts, BatchReference, DataRequest, Eta, Event, LineState, LoadRequest, LockTime, OrderId,
    PickLine, PickLineId, PickStatus, Product, ProductFlags, ProductProjection, ProductState, Products, Projection,
    QueuePosition, ReservationState, Sku, Totals, TotalsChange,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(crate) struct Store {
    shelves: BTreeMap<Sku, Shelf>,
}

/// The stored rows of a SKU.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    version: u64,
    flags: ProductFlags,
    /// The two instants of the last lock.
    now: DateTime<Utc>,
    decided_at: DateTime<Utc>,
    pub(crate) batches: BTreeMap<BatchReference, Batch>,
    pub(crate) lines: BTreeMap<OrderId, LineState>,
    pub(crate) pick_lines: BTreeMap<PickLineId, PickLine>,
    totals: TotalsChange,
    /// The units that the events have moved.
    moved: i64,
    projection: Projection,
}

pub(crate) type State = Vec<(Sku, Vec<Batch>, Vec<(OrderId, LineState)>, Vec<(PickLineId, PickLine)>)>;

impl Store {
    pub(crate) fn shelf(&mut self, sku: &Sku) -> &mut Shelf {
        self.shelves.entry(sku.clone()).or_default()
    }

    pub(crate) fn state(&self) -> State {
        let state = |(sku, shelf): (&Sku, &Shelf)| {
            let batches = shelf.batches.values().cloned().collect();
            let lines = shelf.lines.clone().into_iter().collect();
            (sku.clone(), batches, lines, shelf.pick_lines.clone().into_iter().collect())
        };
        self.shelves.iter().map(state).collect()
    }

    /// All products with all their rows.
    pub(crate) fn all(&mut self) -> Products {
        skus().iter().map(|sku| self.shelf(sku).whole(sku)).collect()
    }

    /// All products with the rows that a unit of work names, and some others.
    pub(crate) fn some(&mut self, unit: &Unit, now: DateTime<Utc>) -> Products {
        let lines = self.shelves.values().flat_map(|shelf| &shelf.lines);
        let ship_complete = lines.filter(|(_, line)| line.terms.ship_complete).map(|(order_id, _)| order_id.clone());
        let ship_complete = ship_complete.collect();
        skus().iter().map(|sku| self.shelf(sku).part(sku, unit, &ship_complete, now)).collect()
    }

    /// Locks all products, each at an instant later than any before, even if the clock was set back.
    pub(crate) fn lock(&mut self, now: DateTime<Utc>) {
        for sku in skus() {
            let shelf = self.shelf(&sku);
            shelf.decided_at = now.max(shelf.decided_at + TimeDelta::microseconds(1));
            shelf.now = now;
        }
    }

    /// Loads the rows that a product requests.
    pub(crate) fn load(&mut self, products: &mut Products, needed: &LoadRequest, unit: &Unit) {
        let shelf = self.shelf(&needed.sku);
        let product = products.get_mut(&needed.sku).unwrap();
        match &needed.what {
            DataRequest::Batches => product.complete(shelf.open_batches()),
            DataRequest::Batch(reference) => product.load_batches([shelf.batches[reference].clone()]),
            DataRequest::NextOn { reference, after } => {
                let mut on = shelf.lines_on(reference);
                on.retain(|(order_id, line)| after.as_ref().is_none_or(|it| QueuePosition::of(order_id, line) > *it));
                product.load_next_on(reference, after.as_ref(), on, false);
            }
            DataRequest::LastOn { reference, units } => {
                let mut sum = 0;
                let last = shelf.lines_on(reference).into_iter().rev().take_while(|(_, line)| {
                    let missing = sum < *units;
                    sum += line.holds(reference).unwrap().get();
                    missing
                });
                product.load_last_on(reference, *units, Some(last.collect::<Vec<_>>()));
            }
            DataRequest::WaitingLines { after, free, limit } => {
                let mut queue = shelf.queue();
                queue.retain(|(order_id, line)| {
                    let could_take = line.terms.allow_split || u64::from(line.waiting) <= *free;
                    could_take && after.as_ref().is_none_or(|it| QueuePosition::of(order_id, line) > *it)
                });
                let chunk = unit.waiting_at_hand.clamp(1, *limit);
                let more = queue.len() > chunk;
                product.load_waiting(after.as_ref(), *free, queue.into_iter().take(chunk), more);
            }
            DataRequest::InTransit => {
                let in_use = |batch: &&Batch| batch.eta() != Eta::InStock && batch.allocated() > 0;
                product.load_in_transit(shelf.batches.values().filter(in_use).cloned().collect::<Vec<_>>());
            }
            DataRequest::FittingOn { references, after, units, limit } => {
                let mut fitting = shelf.by_position();
                fitting.retain(|(order_id, line)| {
                    let fits =
                        |part: &Allocation| references.contains(&part.reference) && part.quantity.get() <= *units;
                    line.is_improvable()
                        && line.allocations.iter().any(fits)
                        && after.as_ref().is_none_or(|it| QueuePosition::of(order_id, line) > *it)
                });
                let chunk = unit.waiting_at_hand.clamp(1, *limit);
                let more = fitting.len() > chunk;
                fitting.truncate(chunk);
                product.load_fitting_on(references, after.as_ref(), *units, fitting, more);
            }
            DataRequest::Line(order_id) => product.load_lines([(order_id.clone(), shelf.lines[order_id].clone())]),
            DataRequest::PickLinesOf(order_id) => product.load_pick_lines(shelf.pick_lines_of(order_id)),
        }
    }

    /// Saves the changes of products, and checks that rows and events both give the product.
    pub(crate) fn save(&mut self, products: &Products, now: DateTime<Utc>) {
        for product in products.iter() {
            let shelf = self.shelf(product.sku());
            shelf.write_down(product);
            for event in product.events() {
                turns::apply(&mut shelf.projection, event, shelf.decided_at, shelf.flags.promises);
                assert_eq!(event.moved_units().is_some(), Event::MOVEMENTS.contains(&event.name()), "{event:?}");
                shelf.moved += event.moved_units().unwrap_or(0);
                if let Event::ProductChanged { promises, .. } = event {
                    shelf.flags.promises = *promises;
                }
            }
            shelf.check_projection(product.sku());
            let free = shelf.projection.product(product.sku()).map_or(0, ProductProjection::available);
            assert!(!shelf.flags.sold_out || product.is_behind() || free == 0, "{free} units are back in stock");
            assert_eq!(shelf.counted(), shelf.totals, "the changes of the totals add up to them");
            assert_eq!(
                shelf.moved,
                shelf.totals.in_stock + shelf.totals.on_its_way,
                "the movements add up to the units"
            );
            shelf.check_totals(product.sku(), now);
        }
    }
}

impl Shelf {
    fn open_batches(&self) -> Vec<Batch> {
        let mut open: Vec<Batch> = self.batches.values().filter(|batch| batch.available() > 0).cloned().collect();
        open.sort_by_key(Batch::preference);
        open
    }

    /// The lines on a batch, in the order in which lines are served.
    fn lines_on(&self, reference: &BatchReference) -> Vec<(OrderId, LineState)> {
        let on = self.lines.iter().filter(|(_, line)| line.holds(reference).is_some());
        let mut on: Vec<_> = on.map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
        on.sort_by_key(|(order_id, line)| QueuePosition::of(order_id, line));
        on
    }

    fn queue(&self) -> Vec<(OrderId, LineState)> {
        let mut queue = self.by_position();
        queue.retain(|(_, line)| line.waiting > 0);
        queue
    }

    /// All lines, in the order of service.
    fn by_position(&self) -> Vec<(OrderId, LineState)> {
        let mut lines: Vec<_> = self.lines.clone().into_iter().collect();
        lines.sort_by_key(|(order_id, line)| QueuePosition::of(order_id, line));
        lines
    }

    /// The pick lines of an order that count for its line.
    fn pick_lines_of(&self, order_id: &OrderId) -> Vec<(PickLineId, PickLine)> {
        let counts = |pick: &PickLine| !matches!(pick.status, PickStatus::Withdrawn | PickStatus::Missing);
        let lines = self.pick_lines.iter().filter(|(_, pick)| pick.order_id == *order_id && counts(pick));
        lines.map(|(id, pick)| (id.clone(), pick.clone())).collect()
    }

    /// The product without rows.
    fn locked(&self, sku: &Sku) -> ProductState {
        let lock_time = Some(LockTime { now: self.now, decided_at: self.decided_at });
        ProductState { lock_time, flags: self.flags, ..ProductState::new(sku.clone(), self.version + 1) }
    }

    pub(crate) fn whole(&self, sku: &Sku) -> Product {
        Product::restore(ProductState {
            open_batches: self.open_batches(),
            named_batches: self.batches.values().cloned().collect(),
            lines: self.lines.clone().into_iter().collect(),
            waiting: self.queue(),
            pick_lines: self.pick_lines.clone().into_iter().collect(),
            ..self.locked(sku)
        })
    }

    /// `ship_complete` are the orders that ship complete, of which a list needs all lines.
    fn part(&self, sku: &Sku, unit: &Unit, ship_complete: &BTreeSet<OrderId>, now: DateTime<Utc>) -> Product {
        let (mut open_batches, mut waiting) = (self.open_batches(), self.queue());
        let more_open_batches = open_batches.len() > unit.batches_at_hand;
        let more_waiting = waiting.len() > unit.waiting_at_hand;
        open_batches.truncate(unit.batches_at_hand);
        waiting.truncate(unit.waiting_at_hand);
        let named: BTreeSet<&OrderId> = unit.commands.iter().filter_map(|command| command.order_id()).collect();
        let lists = unit.commands.iter().any(|command| matches!(command, Command::MakePickList { .. }));
        let wanted = self.lines.iter().filter(|(order_id, line)| {
            // An earlier command of the unit may make a line a candidate of a new list.
            (lists && (!line.allocations.is_empty() || ship_complete.contains(order_id)))
                || named.contains(order_id)
                || line.commitment.expires_at().is_some_and(|expires_at| expires_at <= now)
        });
        let mut lines: Vec<_> = wanted.map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
        let mut references: BTreeSet<BatchReference> = unit.commands.iter().flat_map(Command::references).collect();
        if unit.with_batches {
            references.extend(lines.iter().flat_map(|(_, line)| &line.allocations).map(|part| part.reference.clone()));
        }
        let named_lists: BTreeSet<_> = unit.commands.iter().flat_map(Command::lists).collect();
        let on_lists = self.pick_lines.iter().filter(|(id, _)| named_lists.contains(&id.list));
        let mut pick_lines: Vec<_> = on_lists.map(|(id, pick)| (id.clone(), pick.clone())).collect();
        // A correction needs its order line and its batch, which may not exist any more.
        let reported: Vec<_> = pick_lines.iter().filter(|(_, pick)| pick.found().is_some()).collect();
        references.extend(reported.iter().map(|(_, pick)| pick.reference.clone()));
        let of_reports = reported.iter().filter_map(|(_, pick)| self.lines.get_key_value(&pick.order_id));
        lines.extend(of_reports.map(|(order_id, line)| (order_id.clone(), line.clone())));
        if unit.with_batches {
            pick_lines.extend(lines.iter().flat_map(|(order_id, _)| self.pick_lines_of(order_id)));
        }
        references.retain(|reference| sku_of(reference) == *sku);
        Product::restore(ProductState {
            open_batches,
            more_open_batches,
            named_batches: references.iter().filter_map(|reference| self.batches.get(reference)).cloned().collect(),
            lines,
            waiting,
            more_waiting,
            more_in_transit: self.totals.on_its_way > 0,
            pick_lines,
            ..self.locked(sku)
        })
    }

    fn write_down(&mut self, product: &Product) {
        let changes = product.changes();
        self.version = changes.version;
        self.flags = changes.flags.unwrap_or(self.flags);
        assert_eq!(product.promises(), self.flags.promises);
        self.add_totals(&changes.totals);
        for line in &changes.lines {
            match (self.lines.remove(line.order_id), line.before) {
                (Some(stored), Some(before)) => assert!(stored.has_same_rows(before), "{stored:?} was {before:?}"),
                (stored, before) => assert_eq!(stored.as_ref(), before),
            }
        }
        for reference in &changes.removed_batches {
            self.batches.remove(reference).unwrap();
        }
        for batch in &changes.added_batches {
            assert!(self.batches.insert(batch.reference().clone(), (*batch).clone()).is_none());
        }
        for (reference, delta) in &changes.batch_deltas {
            let batch = self.batches.remove(*reference).unwrap();
            let allocated = u32::try_from(i64::from(batch.allocated()) + delta).unwrap();
            let counts = BatchCounts { allocated, ..batch.counts() };
            self.batches.insert((*reference).clone(), batch.with_counts(counts).unwrap());
        }
        for batch in &changes.changed_batches {
            self.batches.insert(batch.reference().clone(), (*batch).clone()).unwrap();
        }
        for pick in &changes.pick_lines {
            assert_eq!(self.pick_lines.insert(pick.id.clone(), pick.after.clone()).as_ref(), pick.before);
        }
        for line in &changes.lines {
            self.lines.extend(line.after.map(|after| (line.order_id.clone(), after.clone())));
        }
        self.join_batches();
    }

    /// Allocations are stored without the ETA of their batch; reading joins them.
    fn join_batches(&mut self) {
        for line in self.lines.values_mut() {
            let parts = line.allocations.iter();
            let joined = parts.map(|part| Allocation::of(&self.batches[&part.reference], part.quantity)).collect();
            *line = line.row().with(joined);
        }
    }

    fn add_totals(&mut self, change: &TotalsChange) {
        self.totals.in_stock += change.in_stock;
        self.totals.on_its_way += change.on_its_way;
        self.totals.allocated += change.allocated;
        self.totals.picked += change.picked;
        self.totals.held += change.held;
        self.totals.backordered += change.backordered;
        self.totals.held_lines += change.held_lines;
        self.totals.waiting_lines += change.waiting_lines;
    }

    /// Compares the state that the events alone give with the stored rows.
    fn check_projection(&self, sku: &Sku) {
        let Some(projected) = self.projection.product(sku) else {
            return assert!(self.batches.is_empty() && self.lines.is_empty());
        };
        assert!(projected.batches().eq(self.batches.values()), "the events alone give the batches");
        assert!(projected.lines().eq(&self.lines), "the events alone give the lines");
        assert!(projected.pick_lines().eq(&self.pick_lines), "the events alone give the pick lines");
    }

    fn counted(&self) -> TotalsChange {
        let mut counted = TotalsChange::default();
        for batch in self.batches.values() {
            match batch.eta() {
                Eta::InStock => counted.in_stock += i64::from(batch.on_hand()),
                Eta::Due(_) => counted.on_its_way += i64::from(batch.on_hand()),
            }
            counted.picked += i64::from(batch.counts().picked);
            counted.allocated += i64::from(batch.allocated());
        }
        for line in self.lines.values() {
            if matches!(line.commitment, ReservationState::Held { .. }) {
                counted.held += i64::from(line.allocated());
                counted.held_lines += 1;
            }
            counted.backordered += i64::from(line.waiting);
            counted.waiting_lines += i64::from(line.waiting > 0);
        }
        counted
    }

    /// Held, firm, picked and free units add up to the stock on hand and in transit, and so does the series by date.
    fn check_totals(&self, sku: &Sku, now: DateTime<Utc>) {
        let whole = self.whole(sku);
        let totals: Totals = whole.totals(now).unwrap();
        assert_eq!(totals.in_stock + totals.on_its_way, totals.allocated + totals.picked + totals.available);
        assert!(totals.held <= totals.allocated);
        let mut next = whole.clone();
        next.release_expired(now).unwrap();
        let change = next.changes().totals;
        let at_now = |counted: i64, change: i64| u64::try_from(counted + change).unwrap();
        assert_eq!(totals.allocated, at_now(self.totals.allocated, change.allocated));
        assert_eq!(totals.picked, at_now(self.totals.picked, change.picked));
        assert_eq!(totals.in_stock, at_now(self.totals.in_stock, change.in_stock));
        assert_eq!(totals.held, at_now(self.totals.held, change.held));
        assert_eq!(totals.backordered, at_now(self.totals.backordered, change.backordered));
        let last = whole.availability(now).unwrap().series().last().map_or(0, |from| from.available);
        assert_eq!(last, totals.available);
    }
}
