use crate::locking::{Locked, lock};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use crate::{UseCaseError, UseCases};
use allocation_domain::{MakePickListError, NewPickList, OrderId, Outcome, PickListId, Sku};
use allocation_ports::{EventContext, LockRequest, StoreError, StoredPickList, UnitOfWork};
use chrono::SubsecRound;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of searches for lines that no other unit lists meanwhile.
const MAX_SEARCHES: usize = 8;

#[derive(Debug, thiserror::Error)]
#[error("other pick lists took all lines that were found, {MAX_SEARCHES} times in a row")]
pub(crate) struct AlwaysTaken;

#[derive(Debug, thiserror::Error)]
#[error(
    "all lines that were looked through are held, on lists that are not picked yet, or of orders that are not in stock as a \
     whole"
)]
pub(crate) struct AllListed;

#[derive(Debug, thiserror::Error)]
#[error("pick list {0} was created concurrently")]
struct MadeMeanwhile(PickListId);

impl UseCases {
    /// Returns an id for a pick list whose caller has none.
    ///
    /// Ids sort by time and are short enough to be read out.
    #[must_use]
    pub fn name_pick_list(&self) -> Option<PickListId> {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut name = self.clock.now().format("PL-%Y%m%d-%H%M%S-").to_string();
        name.extend((0..8).filter_map(|_| fastrand::choice(LETTERS)).map(|letter| char::from(*letter)));
        PickListId::parse(name).ok()
    }

    /// Puts firm allocations in stock on a new pick list.
    ///
    /// An existing list stays unchanged, even if more units can be picked by now. Lines are searched without
    /// locks, as the search may take long when there are many. Lines that other lists take meanwhile are
    /// left out. If all are taken, the search repeats. It skips the lines that were locked before, and looks
    /// for more each time, because many units may search for the same ones. An attempt thus locks at most
    /// [`NewPickList::max_lines`] products, and in addition those of [`NewPickList::MAX_LINES`] lines of orders that
    /// ship complete, or those of one such order.
    ///
    /// # Isolation
    ///
    /// Which of the found lines are firm, in stock and on no list is read under the locks of their
    /// products. So is whether all of an order that ships complete is in stock: all its products are locked, and its
    /// lines, so that it gets no others. An order that ships complete only since the search is left out. The id is
    /// looked up before. The request of an existing list never changes, and a new id is claimed by a unique key.
    /// Of two units that make the list, one conflicts, runs again and finds it.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn make_pick_list(
        &self,
        list: &NewPickList,
    ) -> Result<Outcome<StoredPickList>, UseCaseError<MakePickListError>> {
        let mut tried = BTreeSet::new();
        for attempt in 1..=MAX_SEARCHES {
            let found = self.queries.pickable(list.criteria(), attempt * list.max_lines())?;
            let lines = untried(found.lines, &mut tried, list.max_lines());
            let found = Found { complete: found.complete, lines, ship_complete: found.ship_complete };
            let make = |unit: &mut dyn UnitOfWork, attempt| make(unit, attempt, list, &found, &self.context);
            if let Some(decision) = self.units().run("make_pick_list", make)? {
                return self.counted(decision);
            }
        }
        Err(StoreError::Busy(AlwaysTaken.into()).into())
    }
}

/// The result of the search without locks.
struct Found {
    lines: BTreeSet<(Sku, OrderId)>,
    /// The orders that ship complete, of these and other lines.
    ship_complete: BTreeSet<OrderId>,
    /// Whether the search ended before its row limit.
    complete: bool,
}

impl Found {
    /// Returns the reason why there is no list when nothing was found.
    fn nothing(&self) -> UseCaseError<MakePickListError> {
        if self.complete {
            UseCaseError::Refused(MakePickListError::NothingToPick)
        } else {
            StoreError::Busy(AllListed.into()).into()
        }
    }
}

/// The decision, `None` when all found lines were taken meanwhile.
type Decision = Option<Result<Outcome<StoredPickList>, UseCaseError<MakePickListError>>>;

fn make(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    list: &NewPickList,
    found: &Found,
    context: &EventContext,
) -> Result<UnitOutcome<Decision>, StoreError> {
    if let Some(known) = unit.pick_lists().find(list.list_id())? {
        let same = unit.pick_lists().request(list.list_id())?.as_ref() == Some(list);
        let other = MakePickListError::AlreadyExists(known.list.list_id.clone());
        let decided = if same { Ok(repeated(known, attempt)) } else { Err(UseCaseError::Refused(other)) };
        return Ok(UnitOutcome::Rollback(Some(decided)));
    }
    if found.lines.is_empty() {
        return Ok(UnitOutcome::Rollback(Some(Err(found.nothing()))));
    }
    let Whole { lines, orders } = with_whole_orders(unit, found)?;
    let Locked { mut products, now, contexts } = lock(unit, &wanted(lines))?;
    for (order_id, skus) in &orders {
        unit.orders().lock_lines(order_id, skus)?;
    }
    // An order may ship complete only since the search: not all its lines are locked then.
    let is_whole = |order_id: &OrderId| orders.contains_key(order_id);
    match unit.decide(&mut products, |products| products.make_pick_list_of(list, is_whole))? {
        Ok(made) => {
            // The events of the list carry the same time.
            let listed = products.iter().filter(|product| !product.events().is_empty());
            let created_at = listed.map(|product| product.decided_at(now)).min().unwrap_or(now).trunc_subsecs(6);
            save_changed(unit, products, contexts, context)?;
            unit.pick_lists().add(list, created_at)?;
            let stored = StoredPickList { list: made, created_at };
            Ok(UnitOutcome::Commit(Some(Ok(Outcome::Changed(stored)))))
        }
        Err(MakePickListError::NothingToPick) => Ok(UnitOutcome::Rollback(None)),
        // Another unit of work has made the list since the lookup; the next run finds it.
        Err(MakePickListError::AlreadyExists(list_id)) => Err(StoreError::Conflict(MadeMeanwhile(list_id).into())),
    }
}

/// The lines to lock, and the orders of which they are all lines.
struct Whole {
    lines: BTreeSet<(Sku, OrderId)>,
    orders: BTreeMap<OrderId, Vec<Sku>>,
}

/// Adds all lines of the orders that ship complete to the lines that were found.
///
/// The lines of these orders are at most [`NewPickList::MAX_LINES`], or all lines of one order: the others are left to
/// further lists.
fn with_whole_orders(unit: &mut dyn UnitOfWork, found: &Found) -> Result<Whole, StoreError> {
    let mut whole = Whole { lines: found.lines.clone(), orders: BTreeMap::new() };
    let mut added = 0;
    for order_id in found.lines.iter().map(|(_, order_id)| order_id).filter(|it| found.ship_complete.contains(it)) {
        if whole.orders.contains_key(order_id) {
            continue;
        }
        let skus = unit.orders().skus_of(order_id)?;
        added += skus.len();
        if added > NewPickList::MAX_LINES && !whole.orders.is_empty() {
            break;
        }
        whole.lines.extend(skus.iter().map(|sku| (sku.clone(), order_id.clone())));
        whole.orders.insert(order_id.clone(), skus);
    }
    Ok(whole)
}

/// Returns the outcome of a repeat: a list that exists after an unknown commit was made by that commit.
fn repeated(known: StoredPickList, attempt: Attempt) -> Outcome<StoredPickList> {
    if attempt.resolving { Outcome::Changed(known) } else { Outcome::Unchanged(known) }
}

/// Returns the lines to lock next, at most `limit`: lines that were not tried before, or again the first ones
/// if all were.
fn untried(
    found: BTreeSet<(Sku, OrderId)>,
    tried: &mut BTreeSet<(Sku, OrderId)>,
    limit: usize,
) -> BTreeSet<(Sku, OrderId)> {
    if found.is_subset(tried) {
        tried.clear();
    }
    let lines: BTreeSet<_> = found.into_iter().filter(|line| !tried.contains(line)).take(limit).collect();
    tried.extend(lines.iter().cloned());
    lines
}

/// Groups lines by product. The lines are unique and sorted by SKU.
fn wanted(lines: BTreeSet<(Sku, OrderId)>) -> Vec<LockRequest> {
    let mut wanted: Vec<LockRequest> = Vec::new();
    for (sku, order_id) in lines {
        match wanted.last_mut().filter(|last| last.sku == sku) {
            Some(last) => last.order_ids.push(order_id),
            None => wanted.push(LockRequest { order_ids: vec![order_id], ..LockRequest::product(sku) }),
        }
    }
    wanted
}

#[cfg(test)]
mod tests;
