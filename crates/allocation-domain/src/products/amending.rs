//! Changing an order, one product after another.

use super::Products;
use crate::{
    BatchReference, ChangeOrderError, HoldExpired, LineState, LineTarget, LineTerms, NewLine, NewOrder, OnShortage,
    Order, OrderCancelled, OrderChange, OrderClosed, OrderId, OutOfStock, Pending, Product, Quantity, ReservationState,
    Shortages, Sku, Standing, Units, UnknownSkus,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// An order that is being changed.
///
/// First the whole change is checked against all products, and changes nothing. Then the products are
/// independent, as for a [`Cancellation`](crate::Cancellation): data that one of them lacks is loaded without
/// deciding on the others again.
#[derive(Debug)]
pub struct Amendment {
    order_id: OrderId,
    /// The new expiry of the hold, if it is extended.
    hold_until: Option<DateTime<Utc>>,
    /// The steps that are left, in reverse order of their SKUs.
    left: Vec<(Sku, Step)>,
    repositions: bool,
    removes: bool,
}

/// The change of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Add(NewLine),
    Change(LineTarget),
    Remove,
    Cancel,
}

impl Amendment {
    /// Checks that an order can be changed, and plans the change.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Expired holds may have been released.
    pub fn of(
        change: &OrderChange,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Self, Pending<ChangeOrderError>> {
        let order_id = change.order_id();
        products.catch_up_for(change, now)?;
        let order = products.order(order_id);
        let order = order.ok_or_else(|| Pending::Refused(ChangeOrderError::NotFound(order_id.clone())))?;
        let (hold_until, left) = (None, Vec::new());
        let mut amendment = Self { order_id: order_id.clone(), hold_until, left, repositions: false, removes: false };
        // A repeat names the version before the change that it repeats.
        if change.is_made(&order) {
            return Ok(amendment);
        }
        let actual = order.version();
        if !change.expects(actual) {
            return Err(Pending::Refused(ChangeOrderError::Stale { order_id: order_id.clone(), actual }));
        }
        amendment.hold_until = products.new_expiry(change, now).map_err(Pending::Refused)?;
        let plan = LinePlan::of(change, &order, amendment.hold_until, now).map_err(Pending::Refused)?;
        products.reject_shortages(&plan, change)?;
        amendment.repositions = plan.steps.iter().any(|(sku, step)| match step {
            Step::Change(target) => {
                let line = plan.existing.get(sku);
                line.is_some_and(|line| target.priority != line.terms.priority || target.quantity > line.quantity)
            }
            Step::Add(_) | Step::Remove | Step::Cancel => false,
        });
        amendment.removes = plan.steps.values().any(|step| *step == Step::Remove);
        amendment.left = plan.steps.into_iter().map(|(sku, step)| (sku.clone(), step)).rev().collect();
        Ok(amendment)
    }

    /// Returns whether a line may get another place in the order of service.
    ///
    /// Its units must not be of a batch that is being corrected in steps, which passes the lines in that order:
    /// see [`Products::moving_batch_of`].
    #[must_use]
    pub const fn repositions(&self) -> bool {
        self.repositions
    }

    /// Returns whether lines leave the order.
    #[must_use]
    pub const fn removes_lines(&self) -> bool {
        self.removes
    }

    /// Makes the remaining changes in the order of their SKUs. Units that are given up serve the waiting lines.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; the lines of that product and of later ones have not changed. After
    /// [`Pending::Load`], the caller loads the rows and calls again.
    pub fn resume(&mut self, products: &mut Products, now: DateTime<Utc>) -> Result<(), Pending<Infallible>> {
        if let Some(until) = self.hold_until.take() {
            products.0.values_mut().for_each(|product| product.extend_line(&self.order_id, until));
        }
        while let Some((sku, step)) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                match *step {
                    Step::Add(line) => product.join_order(&self.order_id, line, now)?,
                    Step::Change(target) => product.change_line(&self.order_id, target, now)?,
                    Step::Remove => product.leave_order(&self.order_id)?,
                    Step::Cancel => product.cancel_line(&self.order_id)?,
                }
            }
            self.left.pop();
        }
        Ok(())
    }
}

/// The steps of a change, with the lines as they are.
struct LinePlan<'a> {
    existing: BTreeMap<&'a Sku, &'a LineState>,
    steps: BTreeMap<&'a Sku, Step>,
}

impl<'a> LinePlan<'a> {
    fn of(
        change: &'a OrderChange,
        order: &'a Order,
        hold_until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, ChangeOrderError> {
        let (living, ended): (Vec<_>, Vec<_>) = order.lines.iter().partition(|(_, line)| line.lives_at(now));
        let existing: BTreeMap<_, _> = living.into_iter().map(|(sku, line)| (sku, line)).collect();
        let mut targets: BTreeMap<&Sku, Units> =
            existing.iter().map(|(sku, line)| (*sku, Units::from(line.quantity))).collect();
        targets.extend(change.lines().iter().map(|(sku, units)| (sku, *units)));
        let revives = |(sku, _): &&(Sku, LineState)| targets.get(sku).is_some_and(|units| units.get() > 0);
        if let Some((_, line)) = ended.into_iter().find(revives) {
            return Err(ended_line(change.order_id(), line.commitment));
        }
        let stays = targets.values().filter(|units| units.get() > 0).count();
        let adds = targets.iter().any(|(sku, units)| units.get() > 0 && !existing.contains_key(sku));
        if stays > NewOrder::MAX_LINES && adds {
            return Err(ChangeOrderError::TooManyLines(change.order_id().clone()));
        }
        let new_line = NewLineTerms::of(order, hold_until, now);
        let mut steps = BTreeMap::new();
        for (sku, units) in targets {
            let line = existing.get(sku);
            reject_picked(change.order_id(), sku, line, units)?;
            let step = match (line, Quantity::new(units.get())) {
                (None, Err(_)) => continue,
                (Some(_), Err(_)) if stays == 0 => Step::Cancel,
                (Some(_), Err(_)) => Step::Remove,
                (Some(line), Ok(quantity)) => {
                    let target = with_terms(LineTarget { quantity, ..LineTarget::of(line) }, change);
                    if target == LineTarget::of(line) {
                        continue;
                    }
                    Step::Change(target)
                }
                (None, Ok(quantity)) => {
                    let NewLineTerms { terms, commitment } = new_line;
                    let target = with_terms(LineTarget::with(quantity, terms), change);
                    Step::Add(NewLine { target, commitment })
                }
            };
            steps.insert(sku, step);
        }
        Ok(Self { existing, steps })
    }
}

/// The terms of a line that is added: those of the lines placed with the order, if it has any.
#[derive(Clone, Copy)]
struct NewLineTerms {
    terms: LineTerms,
    commitment: ReservationState,
}

impl NewLineTerms {
    fn of(order: &Order, hold_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let lines = || order.lines.iter().map(|(_, line)| line).filter(|line| line.lives_at(now));
        let like = lines().find(|line| line.terms.of_order).or_else(|| lines().next());
        let terms = like.map_or_else(|| LineTerms::standalone(DateTime::UNIX_EPOCH), |line| line.terms);
        let expires_at = lines().filter_map(|line| line.commitment.expires_at()).min().max(hold_until);
        let commitment = expires_at.map_or(ReservationState::Firm, |expires_at| ReservationState::Held { expires_at });
        Self { terms, commitment }
    }
}

/// Applies the terms of a change to the target of a line.
fn with_terms(target: LineTarget, change: &OrderChange) -> LineTarget {
    let terms = change.terms();
    LineTarget {
        priority: terms.priority.unwrap_or(target.priority),
        on_shortage: terms.on_shortage.unwrap_or(target.on_shortage),
        allow_split: terms.allow_split.unwrap_or(target.allow_split),
        promises: terms.promises.unwrap_or(target.promises),
        ship_complete: terms.ship_complete.unwrap_or(target.ship_complete),
        ..target
    }
}

/// Returns the error for a line that has ended and is to have units again.
fn ended_line(order_id: &OrderId, commitment: ReservationState) -> ChangeOrderError {
    let order_id = order_id.clone();
    match commitment {
        ReservationState::Closed => OrderClosed { order_id }.into(),
        ReservationState::Cancelled => OrderCancelled { order_id }.into(),
        ReservationState::Firm | ReservationState::Held { .. } | ReservationState::Expired => {
            HoldExpired { order_id }.into()
        }
    }
}

fn reject_picked(
    order_id: &OrderId,
    sku: &Sku,
    line: Option<&&LineState>,
    requested: Units,
) -> Result<(), ChangeOrderError> {
    match line.map(|line| line.fulfilment.taken()) {
        Some(picked) if picked > requested.get() => {
            Err(ChangeOrderError::Picked { order_id: order_id.clone(), sku: sku.clone(), picked, requested })
        }
        _ => Ok(()),
    }
}

impl Products {
    /// Changes an order: all of the change is made, or nothing.
    ///
    /// A raise gets only units that no waiting line could take. What is not free waits, behind the lines that
    /// already wait with the same priority, or the change is rejected, as the terms of the order say. A lowered
    /// line keeps all its other units. Removing every line cancels the order.
    ///
    /// Runs an [`Amendment`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Only after [`Pending::Load`] may the lines of some
    /// products be changed.
    pub fn change_order(
        &mut self,
        change: &OrderChange,
        now: DateTime<Utc>,
    ) -> Result<Order, Pending<ChangeOrderError>> {
        let mut amendment = Amendment::of(change, self, now)?;
        amendment.resume(self, now).map_err(Pending::widen)?;
        Ok(self.order_of(change.order_id()))
    }

    /// Returns a batch that is being corrected in steps and of which the order has units, or `None`.
    #[must_use]
    pub fn moving_batch_of(&self, order_id: &OrderId) -> Option<&BatchReference> {
        self.iter().find_map(|product| {
            let parts = &product.line(order_id)?.allocations;
            let batches = parts.iter().filter_map(|part| product.batch(&part.reference));
            batches.filter(|batch| batch.moving().is_some()).map(|batch| batch.reference()).next()
        })
    }

    /// Releases the expired holds of the products that a change concerns.
    fn catch_up_for(&mut self, change: &OrderChange, now: DateTime<Utc>) -> Result<(), Pending<ChangeOrderError>> {
        for (sku, product) in &mut self.0 {
            let is_named = change.lines().binary_search_by(|(named, _)| named.cmp(sku)).is_ok();
            if is_named || product.line(change.order_id()).is_some() {
                product.catch_up(now)?;
            }
        }
        Ok(())
    }

    /// Checks that a line of the order lives, and returns the new expiry of its hold if the change extends it.
    fn new_expiry(&self, change: &OrderChange, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ChangeOrderError> {
        let order_id = || change.order_id().clone();
        let standing = self.standing(change.order_id(), now);
        let mut lines = self.iter().filter_map(|product| product.line(change.order_id()));
        match (standing, change.terms().hold) {
            (Standing::Unknown, _) => Err(ChangeOrderError::NotFound(order_id())),
            // A standalone line is firm beside the held lines of its order, and stays when their hold expires.
            (Standing::Expired, None) if lines.any(|line| line.lives_at(now)) => Ok(None),
            (Standing::Expired, _) => Err(HoldExpired { order_id: order_id() }.into()),
            (Standing::Cancelled, _) => Err(OrderCancelled { order_id: order_id() }.into()),
            (Standing::Closed, _) => Err(OrderClosed { order_id: order_id() }.into()),
            (Standing::Firm, Some(_)) => Err(ChangeOrderError::NotHeld(order_id())),
            (Standing::Held, Some(hold)) => Ok(Some(self.extended(change.order_id(), hold, now)?)),
            (Standing::Firm | Standing::Held, None) => Ok(None),
        }
    }

    /// Rejects a change that would wait for units without accepting backorders, or for unknown products.
    fn reject_shortages(&self, plan: &LinePlan<'_>, change: &OrderChange) -> Result<(), Pending<ChangeOrderError>> {
        let (mut unknown, mut short) = (Vec::new(), Vec::new());
        for (sku, step) in &plan.steps {
            let nothing;
            let product = match self.0.get(sku) {
                Some(product) => product,
                None => {
                    nothing = Product::new((*sku).clone());
                    &nothing
                }
            };
            match (step, plan.existing.get(sku)) {
                (Step::Add(NewLine { target, .. }), _) => {
                    let waits = target.on_shortage == OnShortage::Backorder;
                    if waits && !self.0.contains_key(sku) {
                        unknown.push((*sku).clone());
                    } else {
                        let planned = product.plan_addition(*target)?;
                        short.extend(planned.shortage(product, target.quantity).filter(|_| !waits));
                    }
                }
                (Step::Change(target), Some(line)) if target.on_shortage == OnShortage::Reject => {
                    short.extend(shortage(product, line, *target, change)?);
                }
                (Step::Change(target), Some(line)) => {
                    // All rows that the plan needs are then loaded before anything changes.
                    if let Some(extra) = target.quantity.minus(line.quantity.get()) {
                        product.plan_raise(line, *target, extra)?;
                    }
                }
                (Step::Change(_) | Step::Remove | Step::Cancel, _) => {}
            }
        }
        if !unknown.is_empty() {
            return Err(Pending::refused(UnknownSkus(unknown)));
        }
        if short.is_empty() { Ok(()) } else { Err(Pending::refused(Shortages(short))) }
    }
}

/// Returns the shortage of a line that does not accept backorders, if it would wait for more than it does.
fn shortage(
    product: &Product,
    line: &LineState,
    target: LineTarget,
    change: &OrderChange,
) -> Result<Option<OutOfStock>, Pending<ChangeOrderError>> {
    if let Some(extra) = target.quantity.minus(line.quantity.get()) {
        let planned = product.plan_raise(line, target, extra)?;
        if let Some(shortage) = planned.shortage(product, extra) {
            return Ok(Some(shortage));
        }
    }
    // A line that is short already stays so; one that gives up backorders must not wait.
    if change.terms().on_shortage.is_none() || line.terms.on_shortage == OnShortage::Reject {
        return Ok(None);
    }
    let has = line.served() + line.waiting;
    let waits = line.waiting.saturating_sub(has.saturating_sub(target.quantity.get()));
    let Ok(requested) = Quantity::new(waits) else { return Ok(None) };
    product.need_all_batches()?;
    Ok(Some(OutOfStock { sku: product.sku().clone(), requested, available: product.available() }))
}
