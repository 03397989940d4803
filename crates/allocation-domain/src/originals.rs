//! The previous state of rows that have changed.

use crate::{Batch, BatchReference, LineState, OrderId, PickLine, PickLineId};
use std::collections::btree_map::{BTreeMap, Entry};

/// Rows as they were before their first change, `None` for a row that did not exist.
///
/// Rows that have not changed are left out, so comparing and undoing cost as much as has changed and
/// not as much as is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Originals {
    pub(crate) batches: Rows<BatchReference, Batch>,
    pub(crate) lines: Rows<OrderId, LineState>,
    pub(crate) pick_lines: Rows<PickLineId, PickLine>,
}

/// Boxed, because a decision changes few rows of each kind, and a node of the map has room for eleven. Allocators
/// serve nodes beyond a kilobyte far more slowly.
type Rows<Id, Row> = BTreeMap<Id, Option<Box<Row>>>;

impl Originals {
    /// Records the state of a batch that is about to change, unless it is recorded; returns whether it was not.
    pub(crate) fn note_batch<'a>(&mut self, id: &BatchReference, now: impl FnOnce() -> Option<&'a Batch>) -> bool {
        note(&mut self.batches, id, now)
    }

    /// Records the state of a line that is about to change, unless it is recorded; returns whether it was not.
    pub(crate) fn note_line<'a>(&mut self, id: &OrderId, now: impl FnOnce() -> Option<&'a LineState>) -> bool {
        note(&mut self.lines, id, now)
    }

    /// Records the state of a pick line that is about to change, unless it is recorded; returns whether it was not.
    pub(crate) fn note_pick_line<'a>(&mut self, id: &PickLineId, now: impl FnOnce() -> Option<&'a PickLine>) -> bool {
        note(&mut self.pick_lines, id, now)
    }

    /// Forgets the rows of a decision that is being undone, unless an earlier one has changed them.
    pub(crate) fn remove_undone(&mut self, undone: &Self) {
        remove_undone(&mut self.batches, &undone.batches);
        remove_undone(&mut self.lines, &undone.lines);
        remove_undone(&mut self.pick_lines, &undone.pick_lines);
    }
}

fn remove_undone<Id: Ord, Row: PartialEq>(originals: &mut Rows<Id, Row>, undone: &Rows<Id, Row>) {
    for (id, row) in undone {
        if originals.get(id) == Some(row) {
            originals.remove(id);
        }
    }
}

fn note<'a, Id: Clone + Ord, Row: Clone + 'a>(
    originals: &mut Rows<Id, Row>,
    id: &Id,
    now: impl FnOnce() -> Option<&'a Row>,
) -> bool {
    let Entry::Vacant(original) = originals.entry(id.clone()) else { return false };
    original.insert(now().cloned().map(Box::new));
    true
}
