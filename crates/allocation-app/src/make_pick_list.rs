use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use allocation_domain::{MakePickListError as Refusal, NewPickList, OrderId, PickListId, Sku};
use allocation_ports::{LockRequest, Origin, StoreError, StoredPickList, UnitOfWork};
use chrono::SubsecRound;
use std::collections::BTreeSet;

/// How often lines are looked for that nobody else takes meanwhile.
const MAX_TRIES: usize = 8;

/// What came of making a pick list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakePickListOutcome {
    /// The list is new.
    Made(StoredPickList),
    /// It was made already; this is what became of it.
    Unchanged(StoredPickList),
}

/// Why a pick list is not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum MakePickListError {
    /// No firm allocation in stock that is on no list is among what was asked for.
    #[error("There is nothing to pick")]
    NothingToPick,
    /// There is a list of that name that was asked to be made of something else.
    #[error("Pick list {0} exists already with other content")]
    AlreadyExists(PickListId),
    /// The store failed.
    #[error("the pick list was not made")]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
#[error("others have put all lines that were found on lists of theirs, {MAX_TRIES} times in a row")]
pub(crate) struct AlwaysTaken;

#[derive(Debug, thiserror::Error)]
#[error("all lines that were looked through are held or on lists that are not picked yet")]
pub(crate) struct AllListed;

#[derive(Debug, thiserror::Error)]
#[error("pick list {0} was made meanwhile")]
struct MadeMeanwhile(PickListId);

impl UseCases {
    /// A name for a pick list whose caller has none: it sorts by time, and is short enough to be
    /// read out.
    #[must_use]
    pub fn name_pick_list(&self) -> Option<PickListId> {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut name = self.clock.now().format("PL-%Y%m%d-%H%M%S-").to_string();
        name.extend((0..8).filter_map(|_| fastrand::choice(LETTERS)).map(|letter| char::from(*letter)));
        PickListId::parse(name).ok()
    }

    /// Puts firm allocations in stock on a list of their own. A list that was made already stays as it
    /// is, also when there is more to pick by now.
    ///
    /// Lines are looked for without locks: that may take long, where many wait. What others take
    /// meanwhile is left out; when they have taken all, others are looked for, more each time, as there
    /// may be many who look for the same.
    ///
    /// # Isolation
    ///
    /// What of the found lines is firm, in stock and on no list is read under the locks of their products.
    /// The name is looked up before: a list that is found never changes what it was asked to be made of, and
    /// a name that is not found is taken by a unique key, so that of two units that make it one conflicts,
    /// runs again, and finds it.
    ///
    /// # Errors
    ///
    /// [`MakePickListError`], and nothing has changed.
    pub fn make_pick_list(&self, list: &NewPickList) -> Result<MakePickListOutcome, MakePickListError> {
        for attempt in 1..=MAX_TRIES {
            let found = self.queries.pickable(list.criteria(), attempt * list.max_lines())?;
            let found = Found { complete: found.complete, wanted: wanted(found.lines) };
            let make = |unit: &mut dyn UnitOfWork, attempt| make(unit, attempt, list, &found, &self.origin);
            if let Some(decision) = self.units.run("make_pick_list", make)? {
                return decision;
            }
        }
        Err(StoreError::Busy(AlwaysTaken.into()).into())
    }
}

/// What was found without locks.
struct Found {
    wanted: Vec<LockRequest>,
    /// Whether all was looked through that comes before.
    complete: bool,
}

impl Found {
    /// Why there is no list when nothing was found.
    fn nothing(&self) -> MakePickListError {
        if self.complete { MakePickListError::NothingToPick } else { StoreError::Busy(AllListed.into()).into() }
    }
}

/// What was decided, `None` when all lines that were found were taken meanwhile.
type Decision = Option<Result<MakePickListOutcome, MakePickListError>>;

fn make(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    list: &NewPickList,
    found: &Found,
    origin: &Origin,
) -> Result<UnitOutcome<Decision>, StoreError> {
    if let Some(known) = unit.pick_lists().find(list.list_id())? {
        let same = unit.pick_lists().asked(list.list_id())?.as_ref() == Some(list);
        let other = MakePickListError::AlreadyExists(known.list.list_id.clone());
        return Ok(UnitOutcome::Rollback(Some(if same { Ok(repeated(known, attempt)) } else { Err(other) })));
    }
    if found.wanted.is_empty() {
        return Ok(UnitOutcome::Rollback(Some(Err(found.nothing()))));
    }
    let Locked { mut products, now } = lock(unit, &found.wanted)?;
    match decide(unit, &mut products, |products| products.make_pick_list(list))? {
        Ok(made) => {
            // Its events say the same.
            let listed = products.iter().filter(|product| !product.events().is_empty());
            let created_at = listed.map(|product| product.decided_at(now)).min().unwrap_or(now).trunc_subsecs(6);
            save_changed(unit, products, origin)?;
            unit.pick_lists().add(list, created_at)?;
            let stored = StoredPickList { list: made, created_at };
            Ok(UnitOutcome::Commit(Some(Ok(MakePickListOutcome::Made(stored)))))
        }
        Err(Refusal::NothingToPick) => Ok(UnitOutcome::Rollback(None)),
        // Another unit of work has made it since it was looked for: it is found when this runs again.
        Err(Refusal::AlreadyExists(list_id)) => Err(StoreError::Conflict(MadeMeanwhile(list_id).into())),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
    }
}

/// A list that is there after a commit of unknown outcome was made by that commit.
fn repeated(known: StoredPickList, attempt: Attempt) -> MakePickListOutcome {
    if attempt.resolving { MakePickListOutcome::Made(known) } else { MakePickListOutcome::Unchanged(known) }
}

/// The lines by their products; they come sorted by SKU, each once.
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
