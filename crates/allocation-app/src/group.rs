//! Commands of many callers that are decided in one unit of work.

use crate::allocate_line::{LineAnswer, allocate, resolve_line};
use crate::locking::{Locked, catch_up, lock};
use crate::place_order::{OrderAnswer, Orders};
use crate::saving::changed;
use crate::unit_of_work::{Attempt, FarBehind, UnitOutcome};
use allocation_domain::{NewOrder, OrderId, OrderLine, Products, Sku};
use allocation_ports::{EventContext, EventContexts, LockRequest, StoreError, UnitOfWork};
use std::collections::BTreeMap;

/// A caller's command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command<'a> {
    /// Allocates a standalone line.
    Allocate(&'a OrderLine),
    /// Places an order.
    Place(&'a NewOrder),
}

impl Command<'_> {
    /// Returns whether the command affects one of these SKUs.
    fn is_about(self, skus: &[Sku]) -> bool {
        !skus.is_empty()
            && match self {
                Self::Allocate(line) => skus.contains(line.sku()),
                Self::Place(order) => order.lines().iter().any(|(sku, _)| skus.contains(sku)),
            }
    }
}

/// The answer to a command, by its kind.
#[derive(Debug)]
pub(crate) enum Answer {
    Line(LineAnswer),
    Order(OrderAnswer),
    /// No answer yet: a product of the command is behind, and this unit of work was a step.
    Behind,
}

impl Answer {
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Line(answer) => answer.is_err(),
            Self::Order(answer) => answer.is_err(),
            Self::Behind => false,
        }
    }
}

/// Decides commands in their order and saves the changes; returns one answer for each command.
///
/// Rejecting one command changes nothing for another. Nor does a product that is behind: only its own
/// commands stay undecided.
///
/// `is_late` returns whether the time of a command, given by its index, has run out. It is called once the
/// products are locked, when no other transaction can intervene. A late command changes nothing; the effect
/// of an unknown commit is reported all the same.
///
/// # Isolation
///
/// [`allocate`] and [`Orders::find`] describe how each command's reads are protected. All products of the
/// group are locked before anything is read. Commands affect each other's reads through these products
/// alone.
pub(crate) fn decide_group<'a>(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    commands: impl Iterator<Item = (Command<'a>, &'a EventContext)> + Clone,
    is_late: &mut dyn FnMut(usize) -> bool,
) -> Result<UnitOutcome<Vec<Answer>>, StoreError> {
    let asked = commands.clone().map(|(command, _)| command);
    let mut locked = lock(unit, &wanted(asked.clone()))?;
    let behind = catch_up(unit, &mut locked)?;
    if attempt.resolving && !behind.is_empty() {
        return Err(StoreError::Busy(FarBehind.into()));
    }
    let Locked { mut products, now } = locked;
    let mut orders = Orders::find(unit, &order_ids(asked))?;
    let mut answers = Vec::with_capacity(commands.size_hint().0);
    let mut contexts = EventContexts::default();
    for (number, (command, context)) in commands.enumerate() {
        if is_late(number) {
            answers.push(match command {
                Command::Allocate(line) => Answer::Line(resolve_line(unit, attempt, &products, line, now)?),
                Command::Place(order) => Answer::Order(orders.resolve(attempt, &products, order)),
            });
            continue;
        }
        if command.is_about(&behind) {
            answers.push(Answer::Behind);
            continue;
        }
        let before = if context.is_unknown() { Vec::new() } else { count_events(&products, command) };
        answers.push(match command {
            Command::Allocate(line) => Answer::Line(allocate(unit, attempt, &mut products, line, now)?),
            Command::Place(order) => Answer::Order(orders.place(unit, attempt, &mut products, order, now)?),
        });
        for (sku, before) in before {
            contexts.add(sku, before..events_of(&products, sku), context);
        }
    }
    let changed = changed(products);
    if changed.is_empty() {
        return Ok(UnitOutcome::Rollback(answers));
    }
    unit.products().save(&changed, &contexts)?;
    orders.add(unit, now)?;
    Ok(UnitOutcome::Commit(answers))
}

/// Returns how many events each product of a command has.
fn count_events<'a>(products: &Products, command: Command<'a>) -> Vec<(&'a Sku, usize)> {
    match command {
        Command::Allocate(line) => vec![(line.sku(), events_of(products, line.sku()))],
        Command::Place(order) => order.lines().iter().map(|(sku, _)| (sku, events_of(products, sku))).collect(),
    }
}

fn events_of(products: &Products, sku: &Sku) -> usize {
    products.get(sku).map_or(0, |product| product.events().len())
}

/// Returns the lock requests of the commands: each SKU once, with its lines.
fn wanted<'a>(commands: impl Iterator<Item = Command<'a>>) -> Vec<LockRequest> {
    let mut by_sku: BTreeMap<&Sku, LockRequest> = BTreeMap::new();
    for command in commands {
        match command {
            Command::Allocate(line) => {
                by_sku
                    .entry(line.sku())
                    .or_insert_with(|| with_batches(line.sku()))
                    .standalone
                    .push(line.order_id().clone());
            }
            Command::Place(order) => {
                for (sku, _) in order.lines() {
                    let wanted = by_sku.entry(sku).or_insert_with(|| with_batches(sku));
                    wanted.order_ids.push(order.order_id().clone());
                }
            }
        }
    }
    by_sku.into_values().collect()
}

fn with_batches(sku: &Sku) -> LockRequest {
    LockRequest { open_batches: true, ..LockRequest::product(sku.clone()) }
}

/// Returns the ids of the orders to place.
fn order_ids<'a>(commands: impl Iterator<Item = Command<'a>>) -> Vec<OrderId> {
    let id = |command| match command {
        Command::Allocate(_) => None,
        Command::Place(order) => Some(order.order_id().clone()),
    };
    commands.filter_map(id).collect()
}

#[cfg(test)]
mod tests;
