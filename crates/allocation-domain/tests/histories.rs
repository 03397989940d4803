//! The invariants of a product after any history of standalone lines.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_domain::{
    AllocateError, Allocation, Batch, BatchReference, DataRequest, Eta, Event, LineState, LoadRequest, NewBatch,
    OrderId, Outcome, Pending, Product, ProductState, Quantity, Sku,
};
use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Command {
    Add {
        batch: u8,
        purchased: u32,
        eta: Option<u32>,
    },
    Remove {
        batch: u8,
    },
    Allocate {
        order: u8,
        quantity: u32,
    },
    Deallocate {
        order: u8,
        batch: u8,
    },
    /// Saves the product and restores it, as a store does between units of work.
    Store {
        at_hand: usize,
    },
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (0..12_u8, 1..30_u32, proptest::option::of(1..28_u32))
            .prop_map(|(batch, purchased, eta)| Command::Add { batch, purchased, eta }),
        1 => (0..12_u8).prop_map(|batch| Command::Remove { batch }),
        6 => (0..10_u8, 1..40_u32).prop_map(|(order, quantity)| Command::Allocate { order, quantity }),
        4 => (0..10_u8, 0..12_u8).prop_map(|(order, batch)| Command::Deallocate { order, batch }),
        2 => (0..4_usize).prop_map(|at_hand| Command::Store { at_hand }),
    ]
}

fn reference(batch: u8) -> BatchReference {
    BatchReference::parse(format!("B-{batch}")).unwrap()
}

fn order_id(order: u8) -> OrderId {
    OrderId::parse(format!("O-{order}")).unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

/// A product and the rows of its store, which sees only the changes of the product.
struct History {
    product: Product,
    batches: BTreeMap<BatchReference, Batch>,
    lines: BTreeMap<OrderId, LineState>,
    clock: i64,
}

impl History {
    fn new() -> Self {
        let product = Product::new(Sku::parse("LAMP").unwrap());
        Self { product, batches: BTreeMap::new(), lines: BTreeMap::new(), clock: 0 }
    }

    /// Saves the changes, then restores the product with some of its open batches.
    fn store(&mut self, at_hand: usize) {
        self.write_down();
        let mut open: Vec<Batch> = self.batches.values().filter(|batch| batch.available() > 0).cloned().collect();
        open.sort_by_key(Batch::preference);
        let more_open_batches = open.len() > at_hand.max(1);
        open.truncate(at_hand.max(1));
        let in_use = self.batches.values().filter(|batch| batch.available() == 0 || batch.allocated() > 0);
        let named_batches = in_use.cloned().collect();
        self.product = Product::restore(ProductState {
            open_batches: open,
            more_open_batches,
            named_batches,
            lines: self.lines.clone().into_iter().collect(),
            ..ProductState::new(self.product.sku().clone(), self.product.version() + 1)
        });
    }

    fn write_down(&mut self) {
        let changes = self.product.changes();
        for reference in &changes.removed_batches {
            self.batches.remove(reference).unwrap();
        }
        for batch in &changes.added_batches {
            assert!(self.batches.insert(batch.reference().clone(), (*batch).clone()).is_none());
        }
        for (reference, delta) in &changes.batch_deltas {
            let batch = self.batches.remove(reference).unwrap();
            let allocated = u32::try_from(i64::from(batch.allocated()) + delta).unwrap();
            self.batches.insert((*reference).clone(), batch.with_allocated(allocated).unwrap());
        }
        for change in &changes.lines {
            match (self.lines.remove(change.order_id), change.before) {
                (Some(stored), Some(before)) => assert!(stored.has_same_rows(before), "{stored:?} was {before:?}"),
                (stored, before) => assert_eq!(stored.as_ref(), before),
            }
            self.lines.extend(change.after.map(|line| (change.order_id.clone(), line.clone())));
        }
        // Allocations are stored without the ETA of their batch; reading joins them.
        for line in self.lines.values_mut() {
            let parts = line.allocations.iter();
            let joined = parts.map(|part| Allocation::of(&self.batches[&part.reference], part.quantity)).collect();
            *line = line.row().with(joined);
        }
    }

    fn run(&mut self, command: &Command) {
        match *command {
            Command::Add { batch, purchased, eta } => {
                self.clock += 1;
                let eta = Eta::from(eta.map(|day| NaiveDate::from_ymd_opt(2027, 2, day).unwrap()));
                // The store knows the references of all batches, the product only the loaded ones.
                if !self.all_batches().contains_key(&reference(batch)) {
                    self.product.add_batch(NewBatch::new(reference(batch), units(purchased), eta), self.now()).unwrap();
                }
            }
            Command::Remove { batch } => drop(self.product.remove_batch(&reference(batch), self.now())),
            Command::Allocate { order, quantity } => self.allocate(&order_id(order), units(quantity)),
            Command::Deallocate { order, batch } => {
                drop(self.product.deallocate(&order_id(order), &reference(batch), self.now()));
            }
            Command::Store { at_hand } => self.store(at_hand),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.clock).unwrap()
    }

    fn all_batches(&self) -> BTreeMap<BatchReference, Batch> {
        let mut all = self.batches.clone();
        for reference in self.product.changes().removed_batches {
            all.remove(reference);
        }
        all.extend(self.product.batches().iter().map(|batch| (batch.reference().clone(), batch.clone())));
        all
    }

    /// Allocates, loads all batches if the loaded ones do not decide, and checks the choice.
    fn allocate(&mut self, order_id: &OrderId, quantity: Quantity) {
        let before = self.all_batches();
        let (held, events) = (held_units(&self.product, order_id), self.product.events().len());
        let mut decision = self.product.allocate(order_id, quantity, self.now());
        if let Err(Pending::Load(LoadRequest { what: DataRequest::Batches, .. })) = decision {
            self.product.complete(self.batches.values().cloned());
            decision = self.product.allocate(order_id, quantity, self.now());
        }
        let after = self.all_batches();
        match decision {
            Ok(Outcome::Changed(line)) => {
                let total: u32 = line.allocations.iter().map(|part| part.quantity.get()).sum();
                assert_eq!(total, quantity.get());
                // The other units of a line that was sent again may move, now that it lacks none.
                let moved = |event: &Event| matches!(event, Event::PromiseImproved { .. });
                if !self.product.events()[events..].iter().any(moved) {
                    check_preference(&before, &after, quantity.get() - held);
                }
            }
            Ok(Outcome::Unchanged(_)) => {
                assert_eq!(before, after);
                assert_eq!(held, quantity.get());
            }
            Err(Pending::Refused(AllocateError::OutOfStock(refusal))) => {
                assert_eq!(before, after);
                let free: u64 = before.values().map(|batch| u64::from(batch.available())).sum();
                assert_eq!((refusal.available, refusal.requested.get()), (free, quantity.get()));
                assert!(free < u64::from(quantity.get() - held));
            }
            Err(Pending::Refused(AllocateError::LineAlreadyAllocated(_))) => assert_eq!(before, after),
            Err(error) => panic!("{error}, but all batches are loaded, and no line was held or cancelled"),
        }
    }
}

fn held_units(product: &Product, order_id: &OrderId) -> u32 {
    let line = product.lines().find(|(id, _)| *id == order_id);
    line.map_or(0, |(_, line)| line.allocations.iter().map(|part| part.quantity.get()).sum())
}

/// Rule 4: whole from the first batch that has enough, else split over the batches in order.
fn check_preference(before: &BTreeMap<BatchReference, Batch>, after: &BTreeMap<BatchReference, Batch>, wanted: u32) {
    let mut in_order: Vec<&Batch> = before.values().collect();
    in_order.sort_by_key(|batch| batch.preference());
    let took = |batch: &Batch| after[batch.reference()].allocated() - batch.allocated();
    if let Some(first) = in_order.iter().find(|batch| batch.available() >= wanted) {
        assert_eq!(took(first), wanted, "whole into the first batch that can take it");
    } else {
        let mut left = wanted;
        for batch in in_order {
            assert_eq!(took(batch), left.min(batch.available()), "split over the batches in order");
            left -= took(batch);
        }
        assert_eq!(left, 0);
    }
}

fn check_invariants(history: &History) {
    let mut held: BTreeMap<&BatchReference, u32> = BTreeMap::new();
    for (_, line) in history.product.lines() {
        let total: u32 = line.allocations.iter().map(|part| part.quantity.get()).sum();
        assert!(total > 0 && total <= line.quantity.get(), "a line holds some of its units, never more");
        for part in &line.allocations {
            *held.entry(&part.reference).or_default() += part.quantity.get();
        }
    }
    for (reference, batch) in &history.all_batches() {
        assert!(batch.allocated() <= batch.purchased().get(), "never oversold");
        assert_eq!(batch.allocated(), held.get(reference).copied().unwrap_or(0), "units are conserved");
    }
}

proptest! {
    #[test]
    fn units_are_conserved_and_the_preference_holds(commands in prop::collection::vec(command(), 1..80)) {
        let mut history = History::new();
        for command in &commands {
            history.run(command);
            check_invariants(&history);
        }
    }

    #[test]
    fn the_changes_add_up_to_the_product(commands in prop::collection::vec(command(), 1..80)) {
        let mut history = History::new();
        for command in &commands {
            history.run(command);
        }
        let batches = history.all_batches();
        let lines: BTreeMap<OrderId, LineState> =
            history.product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
        history.write_down();
        prop_assert_eq!(&history.batches, &batches);
        prop_assert_eq!(&history.lines, &lines);
    }

    #[test]
    fn the_events_alone_give_the_allocations(commands in prop::collection::vec(command(), 1..80)) {
        let mut history = History::new();
        let mut replayed: BTreeMap<BatchReference, i64> = BTreeMap::new();
        for command in &commands {
            if matches!(command, Command::Store { .. }) {
                continue;
            }
            history.run(command);
        }
        for event in history.product.events() {
            match event {
                Event::BatchAdded { reference, .. } => drop(replayed.insert(reference.clone(), 0)),
                Event::BatchRemoved { reference, .. } => drop(replayed.remove(reference)),
                Event::Allocated { reference, quantity, .. } => {
                    *replayed.get_mut(reference).unwrap() += i64::from(quantity.get());
                }
                Event::Deallocated { reference, quantity, .. } => {
                    *replayed.get_mut(reference).unwrap() -= i64::from(quantity.get());
                }
                Event::PromiseImproved { .. } | Event::OutOfStock { .. } | Event::BackInStock { .. } => {}
                other => panic!("no line is held or waits: {other:?}"),
            }
        }
        let batches = history.product.batches().iter();
        let held: BTreeMap<BatchReference, i64> =
            batches.map(|batch| (batch.reference().clone(), i64::from(batch.allocated()))).collect();
        prop_assert_eq!(replayed, held);
    }

    #[test]
    fn allocating_then_deallocating_is_the_identity(
        commands in prop::collection::vec(command(), 1..60),
        quantity in 1..60_u32,
    ) {
        let mut history = History::new();
        for command in &commands {
            history.run(command);
        }
        let (batches, newcomer) = (history.all_batches(), OrderId::parse("NEWCOMER").unwrap());
        history.allocate(&newcomer, units(quantity));
        let line = history.product.lines().find(|(id, _)| **id == newcomer).map(|(_, line)| line.clone());
        for part in line.into_iter().flat_map(|line| line.allocations) {
            prop_assert_eq!(history.product.deallocate(&newcomer, &part.reference, history.now()), Ok(part.quantity));
        }
        prop_assert_eq!(history.all_batches(), batches);
        prop_assert!(!history.product.lines().any(|(id, _)| *id == newcomer));
    }
}
