//! The invariants after every command.

use crate::command::{Command, sku_of};
use crate::picking;
use crate::turns::can_take;
use crate::world::Answer;
use allocation_domain::{
    Adjustment, Batch, BatchReference, DeallocationReason, Disposition, Eta, Event, GoodsReturn, LineState, OnShortage,
    OrderChange, OrderId, Product, Products, Promises, QueuePosition, Receipt, ReservationState, Sku,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

pub(crate) fn check(before: &Products, after: &Products, command: &Command, answer: &Answer, now: DateTime<Utc>) {
    for product in after.iter() {
        conserved(product);
        picking::lists_agree_with_allocations(product);
        let of_line = command.pick_line_id();
        picking::picks_change_only_on_request(before.get(product.sku()).unwrap(), product, of_line);
        ended_lines_hold_nothing(product);
        no_line_waits_for_free_units(product, now);
        no_promise_could_be_earlier(product);
    }
    match command {
        Command::Place { order } if answer.is_err() => {
            nothing_of_the_order_has_changed(before, after, order.order_id())
        }
        Command::Place { order } => {
            for (sku, quantity) in order.lines() {
                let line = after.get(sku).unwrap().line(order.order_id()).unwrap();
                assert_eq!(line.allocated() + line.waiting, quantity.get(), "a new line holds or waits for all");
                assert!(line.waiting == 0 || order.terms().on_shortage == OnShortage::Backorder, "all or nothing");
                assert!(line.waiting == 0 || line.allocated() == 0 || order.terms().allow_split);
            }
        }
        Command::Confirm { order_id, reallocate: false } => confirmed_or_expired(before, after, order_id, answer, now),
        Command::Confirm { order_id, reallocate: true } => firm_or_unchanged(before, after, order_id, answer, now),
        Command::Change { change } => changed_as_requested(before, after, change, answer.is_ok(), now),
        Command::ChangeBatch { reference, reallocate, .. } if answer.is_ok() => {
            lines_leave_in_order(before, after, reference, *reallocate);
        }
        Command::Receive { receipt, .. } if answer.is_ok() => received_as_requested(before, after, receipt),
        Command::Adjust { adjustment } => adjusted_as_requested(before, after, adjustment, answer.is_ok()),
        Command::TakeBack { goods_return } => returned_as_requested(before, after, goods_return, answer.is_ok()),
        Command::MakePickList { list } if answer.is_ok() => picking::a_list_is_complete(before, after, list),
        Command::Pick { id, .. } if answer.is_ok() => {
            picking::found_and_missing_units_are_accounted_for(before, after, id)
        }
        Command::CreateShipment { shipment } => picking::shipped_as_requested(before, after, shipment, answer.is_ok()),
        Command::PutBack { id, total } if answer.is_ok() => picking::put_back_units_are_kept(before, after, id, *total),
        Command::Cancel { order_id } if answer.is_ok() => {
            let was_picked = |line: &LineState| line.fulfilment.taken() > 0;
            assert!(!before.order(order_id).unwrap().lines.iter().any(|(_, line)| was_picked(line)));
            assert!(after.order(order_id).unwrap().lines.iter().all(|(_, line)| line.is_idle() && has_ended(line)));
        }
        Command::Close { order_id } if answer.is_ok() => nothing_more_is_to_come(before, after, order_id, now),
        _ => {}
    }
}

fn conserved(product: &Product) {
    let mut held: BTreeMap<&BatchReference, u32> = BTreeMap::new();
    for (_, line) in product.lines() {
        assert!(line.served() + line.waiting <= line.quantity.get(), "no line has more than it ordered");
        assert!(line.fulfilment.returned <= line.fulfilment.shipped, "no unit comes back that was not shipped");
        for part in &line.allocations {
            *held.entry(&part.reference).or_default() += part.quantity.get();
            assert_eq!(part.eta, product.batch(&part.reference).unwrap().eta());
        }
    }
    for batch in product.batches() {
        let sum = u64::from(batch.available()) + batch.counts().sum();
        assert_eq!(sum, u64::from(batch.total().get()), "never oversold, and no unit is lost");
        let used = batch.allocated() + batch.counts().picked + batch.counts().shipped;
        let units = i64::from(batch.purchased().get()) + batch.adjusted();
        assert_eq!(units, i64::from(batch.available() + used), "purchased and adjusted units are accounted for");
        assert_eq!(batch.allocated(), held.get(batch.reference()).copied().unwrap_or(0), "units are conserved");
    }
}

/// What arrived is in stock, what has not is expected or given up, and no line that keeps units comes behind one that
/// lost them.
fn received_as_requested(before: &Products, after: &Products, receipt: &Receipt) {
    let product = after.get(&sku_of(receipt.reference())).unwrap();
    let was = before.get(product.sku()).unwrap().batch(receipt.reference()).unwrap();
    let is = product.batch(receipt.reference()).unwrap();
    let on_hand = |product: &Product| product.batches().iter().map(|batch| u64::from(batch.on_hand())).sum::<u64>();
    let (kept, rejected) = (receipt.kept().get(), receipt.rejected().get());
    assert_eq!((is.eta(), is.total().get()), (Eta::InStock, was.consumed() + kept));
    let expected = (was.total().get() - was.consumed()).max(kept + rejected);
    let rest = u64::from(expected - kept - rejected);
    let lost = u64::from(rejected) + if receipt.rest().is_some() { 0 } else { rest };
    let extra = u64::from(expected) - u64::from(was.total().get() - was.consumed());
    assert_eq!(on_hand(before.get(product.sku()).unwrap()) + extra, on_hand(product) + lost, "no unit is lost");
    lines_leave_in_order(before, after, receipt.reference(), false);
}

/// All batches of an adjustment are changed by their units, or none; no purchase is.
fn adjusted_as_requested(before: &Products, after: &Products, adjustment: &Adjustment, is_done: bool) {
    for product in before.iter() {
        for was in product.batches() {
            let is = after.get(product.sku()).unwrap().batch(was.reference()).unwrap();
            let line = adjustment.lines().iter().find(|line| line.reference == *was.reference());
            let change = line.filter(|_| is_done).map_or(0, |line| line.change.get());
            assert_eq!((was.adjustments() + change, was.purchased()), (is.adjustments(), is.purchased()));
            let gone = |batch: &Batch| batch.counts().picked + batch.counts().shipped + batch.counts().missing;
            assert_eq!(gone(was), gone(is), "no adjustment takes what was picked");
        }
    }
}

/// All units of a return come back or none; restocked ones are in stock, and no others are.
fn returned_as_requested(before: &Products, after: &Products, goods_return: &GoodsReturn, is_done: bool) {
    for product in after.iter() {
        let was = before.get(product.sku()).unwrap();
        let lines = goods_return.lines().iter().filter(|line| is_done && line.sku == *product.sku());
        let (mut returned, mut restocked) = (0, 0);
        for line in lines {
            returned += line.quantity.get();
            if line.disposition == Disposition::Restock {
                restocked += line.quantity.get();
                let batch = product.batch(&goods_return.reference(line).unwrap()).unwrap();
                assert_eq!((batch.purchased().get(), batch.eta()), (line.quantity.get(), Eta::InStock));
                assert_eq!(batch.origin().map(|origin| &origin.order_id), Some(goods_return.order_id()));
            }
        }
        for (order_id, line) in product.lines() {
            let of_order = if order_id == goods_return.order_id() { returned } else { 0 };
            let before = was.line(order_id).unwrap().fulfilment;
            assert_eq!(
                (before.returned + of_order, before.shipped),
                (line.fulfilment.returned, line.fulfilment.shipped)
            );
        }
        let on_hand = |product: &Product| product.batches().iter().map(|batch| batch.on_hand()).sum::<u32>();
        assert_eq!(on_hand(was) + restocked, on_hand(product), "only restocked units are in stock");
    }
}

fn has_ended(line: &LineState) -> bool {
    matches!(line.commitment, ReservationState::Expired | ReservationState::Cancelled | ReservationState::Closed)
}

/// Only a closed line may still have units: those that were picked before.
fn ended_lines_hold_nothing(product: &Product) {
    for (_, line) in product.lines().filter(|(_, line)| has_ended(line)) {
        assert!(line.allocations.is_empty() && line.waiting == 0 && line.fulfilment.listed == 0, "{line:?}");
        assert!(line.is_idle() || line.commitment == ReservationState::Closed);
    }
}

/// A closed order keeps what was picked, and nothing else; a line of it was alive, or closed already.
fn nothing_more_is_to_come(before: &Products, after: &Products, order_id: &OrderId, now: DateTime<Utc>) {
    let (was, is) = (before.order(order_id).unwrap(), after.order(order_id).unwrap());
    let was_open = |line: &LineState| match line.commitment {
        ReservationState::Firm | ReservationState::Closed => true,
        ReservationState::Held { .. } => !line.commitment.has_expired(now),
        ReservationState::Expired | ReservationState::Cancelled => false,
    };
    assert!(was.lines.iter().any(|(_, line)| was_open(line)), "never closed after it expired");
    assert!(is.lines.iter().any(|(_, line)| line.commitment == ReservationState::Closed));
    assert!(is.lines.iter().all(|(_, line)| has_ended(line)));
    let taken = |lines: &[(Sku, LineState)]| lines.iter().map(|(_, line)| line.fulfilment.taken()).collect::<Vec<_>>();
    assert_eq!(taken(&was.lines), taken(&is.lines), "what is picked stays");
    let open = after.iter().flat_map(Product::pick_lines).any(|(_, pick)| pick.is_open() && pick.order_id == *order_id);
    assert!(!open, "nothing is left to pick");
}

/// Checked on the product as the next decision finds it, so an expired hold never counts.
fn no_line_waits_for_free_units(product: &Product, now: DateTime<Utc>) {
    let mut next = product.clone();
    next.release_expired(now).unwrap();
    conserved(&next);
    for (order_id, line) in next.lines() {
        assert!(!matches!(line.commitment, ReservationState::Held { expires_at } if expires_at <= now));
        assert!(
            line.waiting == 0 || !can_take(line, next.available()),
            "{order_id} waits for units that it could take"
        );
    }
    if next.events().len() == product.events().len() {
        assert_eq!(next.available(), product.available());
    }
}

/// No line has units that arrive later than free ones that they fit into.
fn no_promise_could_be_earlier(product: &Product) {
    if product.promises() == Promises::Stable {
        return;
    }
    for (order_id, line) in product.lines().filter(|(_, line)| line.is_improvable()) {
        for part in &line.allocations {
            let fits = |batch: &&Batch| batch.eta() < part.eta && batch.can_allocate(part.quantity);
            let better = product.batches().iter().find(fits);
            assert!(better.is_none(), "{order_id} could have {part:?} of {better:?}");
        }
    }
}

fn new_events<'a>(before: &Products, after: &'a Products, sku: &Sku) -> &'a [Event] {
    &after.get(sku).unwrap().events()[before.get(sku).unwrap().events().len()..]
}

/// A rejected order changes nothing, except that an earlier hold of its id may have been released.
fn nothing_of_the_order_has_changed(before: &Products, after: &Products, order_id: &OrderId) {
    for product in after.iter() {
        let events = new_events(before, after, product.sku()).iter();
        let of_order = events.filter(|event| event.order_id() == Some(order_id));
        for event in of_order {
            assert!(!matches!(event, Event::LinePlaced { .. }), "a refused order is not placed");
        }
        assert!(product.line(order_id).is_none() || before.get(product.sku()).unwrap().line(order_id).is_some());
    }
}

/// A change is made whole or not at all, gives up no more than it must, and never what was picked.
fn changed_as_requested(before: &Products, after: &Products, change: &OrderChange, is_done: bool, now: DateTime<Utc>) {
    let order_id = change.order_id();
    if !is_done {
        for product in after.iter() {
            let events = new_events(before, after, product.sku()).iter();
            let mut of_order = events.filter(|event| event.order_id() == Some(order_id));
            let is_change = |event: &Event| matches!(event, Event::LineChanged { .. } | Event::LineRemoved { .. });
            assert!(!of_order.any(is_change), "a refused change is not made");
        }
        return;
    }
    let is = after.order(order_id).unwrap();
    assert!(change.is_made(&is) || change.terms().hold.is_some(), "{is:?}");
    for product in after.iter() {
        // Expired holds are released before the change, so the units then are the ones to compare with.
        let mut was = before.get(product.sku()).unwrap().clone();
        was.release_expired(now).unwrap();
        let (Some(line), Some(old)) = (product.line(order_id), was.line(order_id)) else { continue };
        if line.commitment == ReservationState::Cancelled {
            continue;
        }
        let (had, has) = (old.served() + old.waiting, line.served() + line.waiting);
        let raise = line.quantity.get().saturating_sub(old.quantity.get());
        assert_eq!(has, had.min(line.quantity.get()) + raise, "the difference, and no more: {old:?} became {line:?}");
        assert!(line.served() >= old.served().min(line.quantity.get()), "units stay meanwhile");
        let keeps_waiting = old.terms.on_shortage == OnShortage::Reject && line.waiting <= old.waiting;
        assert!(
            line.waiting == 0 || line.terms.on_shortage == OnShortage::Backorder || keeps_waiting,
            "all or nothing"
        );
    }
}

/// A confirmed order is firm in all its lines, and no line of it has ever expired.
fn confirmed_or_expired(before: &Products, after: &Products, order_id: &OrderId, answer: &Answer, now: DateTime<Utc>) {
    let Some(was) = before.order(order_id) else { return assert!(answer.is_err()) };
    let expired = was.lines.iter().any(|(_, line)| line.commitment.has_expired(now));
    let is = after.order(order_id).unwrap();
    if answer.is_ok() {
        assert!(!expired, "never confirmed after it expired");
        assert!(is.lines.iter().all(|(_, line)| line.commitment.expires_at().is_none()), "never half confirmed");
    } else {
        assert_eq!(is, was, "never half refused");
    }
}

/// A reinstated order is firm in all its lines, and each has or waits for all its units, as its terms say.
fn firm_or_unchanged(before: &Products, after: &Products, order_id: &OrderId, answer: &Answer, now: DateTime<Utc>) {
    if answer.is_err() {
        for product in after.iter() {
            let events = new_events(before, after, product.sku()).iter();
            let mut of_order = events.filter(|event| event.order_id() == Some(order_id));
            let is_firm = |event: &Event| matches!(event, Event::LineReinstated { .. } | Event::HoldConfirmed { .. });
            assert!(!of_order.any(is_firm), "a refused order is not firm");
        }
        return;
    }
    for (sku, line) in after.order(order_id).unwrap().lines {
        assert_eq!(line.commitment, ReservationState::Firm);
        let mut was = before.get(&sku).unwrap().clone();
        was.release_expired(now).unwrap();
        let was = was.line(order_id).unwrap();
        if was.commitment == ReservationState::Expired {
            assert_eq!(line.allocated() + line.waiting, line.quantity.get());
            assert!(line.waiting == 0 || line.terms.on_shortage == OnShortage::Backorder, "all or nothing");
            assert!(line.waiting == 0 || line.allocated() == 0 || line.terms.allow_split);
            assert!(line.terms.placed_at > was.terms.placed_at, "it is a newcomer");
        } else {
            assert_eq!((line.served(), line.waiting), (was.served(), was.waiting));
        }
    }
}

/// The lowest priority leaves first, then the youngest line, and no more than must.
fn lines_leave_in_order(before: &Products, after: &Products, reference: &BatchReference, reallocate: bool) {
    let (sku, of) = (crate::command::sku_of(reference), |order_id: &OrderId, product: &Product| {
        QueuePosition::of(order_id, product.line(order_id).unwrap())
    });
    let (before_product, product) = (before.get(&sku).unwrap(), after.get(&sku).unwrap());
    let mut lost: BTreeMap<&OrderId, u32> = BTreeMap::new();
    for event in new_events(before, after, &sku) {
        if let Event::Deallocated { order_id, quantity, reason: DeallocationReason::BatchLowered, .. } = event {
            *lost.entry(order_id).or_default() += quantity.get();
        }
    }
    if reallocate || lost.is_empty() {
        return;
    }
    let stays = |order_id: &OrderId| before_product.line(order_id).and_then(|line| line.holds(reference)).is_some();
    for (order_id, line) in product.lines() {
        let kept_all = line.holds(reference).is_some() && !lost.contains_key(order_id) && stays(order_id);
        for loser in lost.keys().filter(|_| kept_all) {
            assert!(of(order_id, product) < of(loser, product), "{loser} left before {order_id}");
        }
    }
    let batch = product.batch(reference).unwrap();
    let moves_on =
        |event: &Event| matches!(event, Event::PromiseImproved { old_reference, .. } if old_reference == reference);
    let moved_on = new_events(before, after, &sku).iter().any(moves_on);
    assert!(batch.available() == 0 || moved_on, "no more leave than must");
}
