//! The previous state of rows that have changed.

use crate::{Batch, BatchReference, LineState, OrderId, PickLine, PickLineId};
use std::collections::BTreeMap;

/// Rows as they were before their first change, `None` for a row that did not exist.
///
/// Rows that have not changed are left out, so comparing and undoing cost as much as has changed and
/// not as much as is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Originals {
    pub(crate) batches: BTreeMap<BatchReference, Option<Batch>>,
    pub(crate) lines: BTreeMap<OrderId, Option<LineState>>,
    pub(crate) pick_lines: BTreeMap<PickLineId, Option<PickLine>>,
}

impl Originals {
    /// Records the state of a batch that is about to change.
    pub(crate) fn note_batch(&mut self, reference: &BatchReference, now: Option<&Batch>) {
        note(&mut self.batches, reference, now);
    }

    /// Records the state of a line that is about to change.
    pub(crate) fn note_line(&mut self, order_id: &OrderId, now: Option<&LineState>) {
        note(&mut self.lines, order_id, now);
    }

    /// Records the state of a pick line that is about to change.
    pub(crate) fn note_pick_line(&mut self, id: &PickLineId, now: Option<&PickLine>) {
        note(&mut self.pick_lines, id, now);
    }

    /// Forgets the rows of a decision that is being undone, unless an earlier one has changed them.
    pub(crate) fn forget(&mut self, undone: &Self) {
        forget(&mut self.batches, &undone.batches);
        forget(&mut self.lines, &undone.lines);
        forget(&mut self.pick_lines, &undone.pick_lines);
    }
}

fn forget<Id: Ord, Row: PartialEq>(originals: &mut BTreeMap<Id, Option<Row>>, undone: &BTreeMap<Id, Option<Row>>) {
    for (id, row) in undone {
        if originals.get(id) == Some(row) {
            originals.remove(id);
        }
    }
}

fn note<Id: Clone + Ord, Row: Clone>(originals: &mut BTreeMap<Id, Option<Row>>, id: &Id, now: Option<&Row>) {
    if !originals.contains_key(id) {
        originals.insert(id.clone(), now.cloned());
    }
}
