//! Commands of many callers, decided in one unit of work.

use crate::allocate_line::{EndedOrders, LineAnswer, allocate};
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
    let (lines, placed) = order_ids(commands.clone());
    let ended = EndedOrders::find(unit, &lines, now)?;
    let mut orders = Orders::find(unit, &placed)?;
    let mut answers = Vec::with_capacity(commands.size_hint().0);
    for command in commands {
        answers.push(match command {
            Command::Allocate(line) => Answer::Line(allocate(unit, attempt, &mut products, &ended, line, now)?),
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
    let mut want = |sku: &'a Sku, order_id: &OrderId, create: bool| {
        let wanted = by_sku.entry(sku).or_insert_with(|| Wanted { open_batches: true, ..Wanted::product(sku.clone()) });
        wanted.create |= create;
        wanted.order_ids.push(order_id.clone());
    };
    for command in commands {
        match command {
            Command::Allocate(line) => want(line.sku(), line.order_id(), false),
            Command::Place(order) => {
                // A line can wait for a SKU that there was never a batch of.
                let may_wait = order.terms().on_shortage == OnShortage::Backorder;
                order.lines().iter().for_each(|(sku, _)| want(sku, order.order_id(), may_wait));
            }
        }
    }
    by_sku.into_values().collect()
}

/// The orders of lines that are sent alone, and the orders to place.
fn order_ids<'a>(commands: impl Iterator<Item = Command<'a>>) -> (Vec<OrderId>, Vec<OrderId>) {
    let (mut lines, mut placed) = (Vec::new(), Vec::new());
    for command in commands {
        match command {
            Command::Allocate(line) => lines.push(line.order_id().clone()),
            Command::Place(order) => placed.push(order.order_id().clone()),
        }
    }
    (lines, placed)
}

#[cfg(test)]
mod tests;
