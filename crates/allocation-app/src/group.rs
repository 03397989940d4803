//! Commands of many callers, decided in one unit of work.

use crate::allocate_line::{LineAnswer, allocate};
use crate::locking::{Locked, lock};
use crate::place_order::{OrderAnswer, Orders};
use crate::unit_of_work::{Attempt, Ending};
use allocation_domain::{NewOrder, OnShortage, OrderId, OrderLine, Product, Products, Sku};
use allocation_ports::{StoreError, UnitOfWork, Wanted};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What a caller asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command<'a> {
    /// To allocate a line that is sent alone.
    Allocate(&'a OrderLine),
    /// To place an order.
    Place(&'a NewOrder),
}

/// What a caller is answered, by what was asked for.
#[derive(Debug)]
pub(crate) enum Answer {
    Line(LineAnswer),
    Order(OrderAnswer),
}

impl Answer {
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Line(answer) => answer.is_err(),
            Self::Order(answer) => answer.is_err(),
        }
    }
}

/// Decides commands in their order, and saves what changed: one answer for each command.
///
/// The refusal of one changes nothing for another.
pub(crate) fn decide_group<'a>(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    commands: impl Iterator<Item = Command<'a>> + Clone,
    now: DateTime<Utc>,
) -> Result<Ending<Vec<Answer>>, StoreError> {
    let Locked { mut products, now } = lock(unit, &wanted(commands.clone()), now)?;
    let mut orders = Orders::find(unit, &order_ids(commands.clone()))?;
    let mut answers = Vec::with_capacity(commands.size_hint().0);
    for command in commands {
        answers.push(match command {
            Command::Allocate(line) => Answer::Line(allocate(unit, attempt, &mut products, line, now)?),
            Command::Place(order) => Answer::Order(orders.place(unit, attempt, &mut products, order, now)?),
        });
    }
    if !save_changed(unit, products, now)? {
        return Ok(Ending::Rollback(answers));
    }
    orders.add(unit, now)?;
    Ok(Ending::Commit(answers))
}

/// Saves the products that have changed, and tells whether there were any.
pub(crate) fn save_changed(
    unit: &mut dyn UnitOfWork,
    products: Products,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed: Vec<Product> = products.into_iter().filter(|product| !product.events().is_empty()).collect();
    if changed.is_empty() {
        return Ok(false);
    }
    unit.products().save(&changed, now)?;
    Ok(true)
}

/// What the decisions need: each SKU once, with its lines.
fn wanted<'a>(commands: impl Iterator<Item = Command<'a>>) -> Vec<Wanted> {
    let mut by_sku: BTreeMap<&Sku, Wanted> = BTreeMap::new();
    for command in commands {
        match command {
            Command::Allocate(line) => {
                by_sku
                    .entry(line.sku())
                    .or_insert_with(|| with_batches(line.sku()))
                    .alone
                    .push(line.order_id().clone());
            }
            Command::Place(order) => {
                for (sku, _) in order.lines() {
                    let wanted = by_sku.entry(sku).or_insert_with(|| with_batches(sku));
                    // A line can wait for a SKU that there was never a batch of.
                    wanted.create |= order.terms().on_shortage == OnShortage::Backorder;
                    wanted.order_ids.push(order.order_id().clone());
                }
            }
        }
    }
    by_sku.into_values().collect()
}

fn with_batches(sku: &Sku) -> Wanted {
    Wanted { open_batches: true, ..Wanted::product(sku.clone()) }
}

/// The orders to place.
fn order_ids<'a>(commands: impl Iterator<Item = Command<'a>>) -> Vec<OrderId> {
    let id = |command| match command {
        Command::Allocate(_) => None,
        Command::Place(order) => Some(order.order_id().clone()),
    };
    commands.filter_map(id).collect()
}

#[cfg(test)]
mod tests;
