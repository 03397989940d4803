//! Histories: units of work over all products.

use crate::checks;
use crate::command::{Command, Unit, sku_of, skus};
use crate::counting::OpenCount;
use crate::picking;
use crate::store::Store;
use allocation_domain::{
    Adjusting, Adjustment, BatchChange, BatchVersion, Event, GoodsReturn, LoadRequest, NewBatch, Order,
    OrderConfirmation, OrderId, Pending, Product, Products, ReservationState, Returning, Sku, Units,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::fmt::Debug;

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) store: Store,
    seconds: i64,
    count: OpenCount,
    /// The lines of all orders ever placed; none may be lost.
    placed: BTreeSet<(OrderId, Sku)>,
    confirmed: BTreeSet<OrderId>,
    expired: BTreeSet<OrderId>,
    reinstated: BTreeSet<OrderId>,
}

impl World {
    /// Runs a unit of work on partially and on completely loaded products, and saves it.
    pub(crate) fn run(&mut self, unit: &Unit) {
        self.seconds += unit.seconds;
        self.store.lock(self.now());
        self.run_locked(unit);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + self.seconds, 0).unwrap()
    }

    /// Runs a unit of work under the lock of the unit before.
    pub(crate) fn run_locked(&mut self, unit: &Unit) {
        let now = self.now();
        let (mut some, mut all) = (self.store.some(unit, now), self.store.all());
        for command in &unit.commands {
            let Some(command) = &self.count.resolve(command, &all, now) else { continue };
            let before = all.clone();
            let answer = decide(&mut all, command, now, |_, needed| panic!("all rows are loaded: {needed}"));
            let with_less = decide(&mut some, command, now, |some, needed| self.store.load(some, needed, unit));
            assert_eq!(with_less, answer, "{command:?}");
            checks::check(&before, &all, command, &answer, now);
            self.note_lines(command, &all, answer.is_ok());
        }
        for sku in skus() {
            assert_eq!(some.get(&sku).unwrap().events(), all.get(&sku).unwrap().events());
        }
        self.never_both(&some);
        self.store.save(&some, now);
        self.check_stored(&all);
    }

    /// Notes the lines that are placed, and those that a change removes from their order.
    fn note_lines(&mut self, command: &Command, all: &Products, is_done: bool) {
        match command {
            Command::Place { order } if is_done => {
                let order_id = order.order_id();
                self.placed.extend(order.lines().iter().map(|(sku, _)| (order_id.clone(), sku.clone())));
            }
            Command::Change { change } if is_done => {
                for (sku, _) in change.lines() {
                    let line = (change.order_id().clone(), sku.clone());
                    match all.get(sku).unwrap().line(change.order_id()) {
                        Some(line_now) if line_now.terms.of_order => self.placed.insert(line),
                        _ => self.placed.remove(&line),
                    };
                }
            }
            _ => {}
        }
    }

    /// An order is confirmed or expires as a whole, whatever the clocks say, unless it is reinstated.
    fn never_both(&mut self, products: &Products) {
        for event in products.iter().flat_map(Product::events) {
            match event {
                Event::HoldConfirmed { order_id, .. } => {
                    self.confirmed.insert(order_id.clone());
                }
                Event::HoldExpired { order_id, .. } => {
                    self.expired.insert(order_id.clone());
                }
                Event::LineReinstated { order_id, .. } => {
                    self.reinstated.insert(order_id.clone());
                }
                _ => {}
            }
        }
        let both = self.confirmed.intersection(&self.expired).filter(|order_id| !self.reinstated.contains(order_id));
        assert_eq!(both.count(), 0, "confirmed and expired");
    }

    /// The stored rows are the product.
    fn check_stored(&mut self, all: &Products) {
        for product in all.iter() {
            let shelf = self.store.shelf(product.sku());
            let batches = product.batches().iter().map(|batch| (batch.reference().clone(), batch.clone())).collect();
            assert_eq!(shelf.batches, batches);
            let lines = product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
            assert_eq!(shelf.lines, lines);
            let pick_lines = product.pick_lines().map(|(id, pick)| (id.clone(), pick.clone())).collect();
            assert_eq!(shelf.pick_lines, pick_lines);
        }
        for (order_id, sku) in &self.placed {
            assert!(self.store.shelf(sku).lines.contains_key(order_id), "no line of an order is lost");
        }
    }
}

pub(crate) type Answer = Result<String, String>;

/// Decides a command, and loads the rows that it lacks.
fn decide(
    products: &mut Products,
    command: &Command,
    now: DateTime<Utc>,
    mut load: impl FnMut(&mut Products, &LoadRequest),
) -> Answer {
    if let Command::Adjust { adjustment } = command {
        return adjust(products, adjustment, now, load);
    }
    if let Command::TakeBack { goods_return } = command {
        return take_back(products, goods_return, now, load);
    }
    for _ in 0..100 {
        match ask(products, command, now) {
            Ok(answer) => return Ok(answer),
            Err(Pending::Load(request)) => load(products, &request),
            Err(refused) => return Err(format!("{refused:?}")),
        }
    }
    panic!("the loaded rows do not decide {command:?}");
}

/// Adjusts batches one after another. What one of them lacks is loaded without deciding on the others again.
fn adjust(
    products: &mut Products,
    adjustment: &Adjustment,
    now: DateTime<Utc>,
    mut load: impl FnMut(&mut Products, &LoadRequest),
) -> Answer {
    let mut adjusting = loop {
        match Adjusting::of(adjustment, products, now) {
            Ok(adjusting) => break adjusting,
            Err(Pending::Load(request)) => load(products, &request),
            Err(refused) => return Err(format!("{refused:?}")),
        }
    };
    for _ in 0..100 {
        match adjusting.resume(adjustment, products, now) {
            Ok(adjusted) => return Ok(format!("{adjusted:?}")),
            Err(Pending::Load(request)) => load(products, &request),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the loaded rows do not decide {adjustment:?}");
}

/// Books the products of a return one after another, as batches are adjusted. The caller has looked for the order.
fn take_back(
    products: &mut Products,
    goods_return: &GoodsReturn,
    now: DateTime<Utc>,
    mut load: impl FnMut(&mut Products, &LoadRequest),
) -> Answer {
    if products.order(goods_return.order_id()).is_none() {
        return Err(format!("there is no {}", goods_return.order_id()));
    }
    let mut returning = loop {
        match Returning::of(goods_return, products, now) {
            Ok(returning) => break returning,
            Err(Pending::Load(request)) => load(products, &request),
            Err(refused) => return Err(format!("{refused:?}")),
        }
    };
    for _ in 0..100 {
        match returning.resume(goods_return, products, now) {
            Ok(returned) => return Ok(format!("{returned:?}")),
            Err(Pending::Load(request)) => load(products, &request),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the loaded rows do not decide {goods_return:?}");
}

/// Returns the error with its refusal as text, whatever the decision.
fn as_text<R: Debug>(error: Pending<R>) -> Pending<String> {
    match error {
        Pending::Load(request) => Pending::Load(request),
        Pending::CatchUp(sku) => Pending::CatchUp(sku),
        Pending::Refused(refusal) => Pending::Refused(format!("{refusal:?}")),
    }
}

fn ask(products: &mut Products, command: &Command, now: DateTime<Utc>) -> Result<String, Pending<String>> {
    let plain = |text: String| Pending::Refused(text);
    let sku = match (command, command.reference()) {
        (Command::Allocate { sku, .. } | Command::Sweep { sku } | Command::SetPromises { sku, .. }, _) => sku.clone(),
        (_, Some(reference)) => sku_of(reference),
        _ => skus().remove(0),
    };
    let product = products.get_mut(&sku).unwrap();
    Ok(match command.clone() {
        Command::AddBatch { reference, purchased, eta } => {
            format!("{:?}", product.add_batch(NewBatch::new(reference, purchased, eta), now).map_err(as_text)?)
        }
        Command::RemoveBatch { reference } => format!("{:?}", product.remove_batch(&reference, now).map_err(as_text)?),
        Command::ChangeBatch { reference, purchased, eta, reallocate, stale } => {
            let there = product.batch(&reference).map(|batch| batch.version());
            let expected = there.map(|it| BatchVersion { revision: it.revision + u32::from(stale), ..it });
            let change = BatchChange { purchased, eta, reallocate, expected };
            format!("{:?}", product.change_batch(&reference, &change, now).map_err(as_text)?)
        }
        Command::Receive { receipt, rest_name } => {
            format!("{:?}", product.receive_batch(&receipt, &rest_name, now).map_err(as_text)?)
        }
        Command::Adjust { .. } | Command::TakeBack { .. } | Command::Count { .. } => {
            unreachable!("decided by themselves")
        }
        Command::Allocate { order_id, quantity, .. } => {
            format!("{:?}", product.allocate(&order_id, quantity, now).map_err(as_text)?)
        }
        Command::Deallocate { order_id, reference } => {
            format!("{:?}", product.deallocate(&order_id, &reference, now).map_err(as_text)?)
        }
        Command::Sweep { .. } => format!("{:?}", product.release_expired(now).map_err(as_text)?),
        Command::SetPromises { promises, .. } => {
            format!("{:?}", product.set_promises(promises, now).map_err(as_text)?)
        }
        // The caller has looked for an order of that id over all SKUs.
        Command::Place { order } if products.order(order.order_id()).is_some() => {
            return Err(plain(format!("{} exists", order.order_id())));
        }
        Command::Place { order } => format!("{:?}", products.place(&order, now).map_err(as_text)?),
        Command::Cancel { order_id } => format!("{:?}", products.cancel(&order_id, now).map_err(as_text)?),
        Command::Close { order_id } => format!("{:?}", products.close(&order_id, now).map_err(as_text)?),
        Command::Change { change } => format!("{:?}", products.change_order(&change, now).map_err(as_text)?),
        Command::MakePickList { list } => format!("{:?}", products.make_pick_list(&list).map_err(as_text)?),
        Command::Pick { id, found } => {
            let line = products.pick_list(&id.list).and_then(|list| list.lines.get(&id.line).cloned());
            let found = found.or(line.as_ref().map(|line| line.quantity.into())).unwrap_or(Units::ZERO);
            let outcome = products.pick(&id, found, now).map_err(as_text)?;
            let order = line.and_then(|line| products.order(&line.order_id));
            let is_closed =
                |order: &Order| order.lines.iter().any(|(_, line)| line.commitment == ReservationState::Closed);
            picking::every_missing_unit_is_accounted_for(&outcome, order.as_ref().is_some_and(is_closed));
            format!("{outcome:?}")
        }
        Command::PutBack { id, total } => format!("{:?}", products.put_back(&id, total, None, now).map_err(as_text)?),
        Command::Ship { list, open } => format!("{:?}", products.ship(&list, open).map_err(as_text)?),
        Command::CreateShipment { shipment } => {
            format!("{:?}", products.create_shipment(&shipment).map_err(as_text)?)
        }
        Command::GiveBack { list } => format!("{:?}", products.release_pick_list(&list).map_err(as_text)?),
        Command::GiveBackLine { id } => format!("{:?}", products.release_pick_line(&id).map_err(as_text)?),
        Command::Confirm { order_id, reallocate: false } => {
            format!("{:?}", products.confirm(&order_id, now).map_err(|error| plain(format!("{error:?}")))?)
        }
        Command::Confirm { order_id, reallocate: true } => {
            let request = OrderConfirmation::new(order_id).reallocating(true);
            format!("{:?}", products.reinstate(&request, now).map_err(as_text)?)
        }
        Command::Extend { order_id, hold } => {
            format!("{:?}", products.extend(&order_id, hold, now).map_err(|error| plain(format!("{error:?}")))?)
        }
    })
}
