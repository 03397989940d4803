//! Tracks which lines of a batch are loaded.

use super::Product;
use crate::{
    Batch, BatchReference, DataRequest, LineState, LoadRequest, MAX_MOVED_LINES, OrderId, Quantity, QueuePosition,
};

/// The most recent loads of batch lines. One decision may need both: it reviews the next lines of a batch, and
/// then lets the last ones leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KnownOn {
    next: Option<KnownNext>,
    last: Option<KnownLast>,
}

/// All lines of a batch after one line, up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownNext {
    reference: BatchReference,
    after: Option<QueuePosition>,
    /// The last of these lines, `None` when there are no more.
    until: Option<QueuePosition>,
}

/// The last lines of a batch that together have `units` units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownLast {
    reference: BatchReference,
    units: u32,
    /// Whether more lines than may leave at once have these units. If so, none were loaded.
    too_many: bool,
}

/// A part of the lines on a batch, with their units.
pub(super) struct NextOn {
    pub(super) lines: Vec<(QueuePosition, Quantity)>,
    /// Whether more lines follow.
    pub(super) more: bool,
}

impl Product {
    /// Loads the next lines on a batch, as requested by [`DataRequest::NextOn`]; `more` is whether the
    /// store has more lines after these.
    pub fn load_next_on(
        &mut self,
        reference: &BatchReference,
        after: Option<&QueuePosition>,
        lines: impl IntoIterator<Item = (OrderId, LineState)>,
        more: bool,
    ) {
        let lines: Vec<_> = lines.into_iter().collect();
        let last = lines.iter().map(|(order_id, line)| QueuePosition::of(order_id, line)).max();
        let (reference, after) = (reference.clone(), after.cloned());
        // Without a line, the next load begins at the same position.
        let until = last.or_else(|| after.clone()).filter(|_| more);
        self.on_batch.next = Some(KnownNext { reference, after, until });
        self.load_lines(lines);
    }

    /// Loads the last lines on a batch that together have `units` units, as requested by
    /// [`DataRequest::LastOn`]; `lines` is `None` if these are more than [`MAX_MOVED_LINES`].
    pub fn load_last_on<Lines: IntoIterator<Item = (OrderId, LineState)>>(
        &mut self,
        reference: &BatchReference,
        units: u32,
        lines: Option<Lines>,
    ) {
        let (reference, too_many) = (reference.clone(), lines.is_none());
        self.on_batch.last = Some(KnownLast { reference, units, too_many });
        self.load_lines(lines.into_iter().flatten());
    }

    /// Returns the first lines on a batch after `after`, at most [`MAX_MOVED_LINES`].
    pub(super) fn next_on(&self, batch: &Batch, after: Option<&QueuePosition>) -> Result<NextOn, LoadRequest> {
        let (mut until, mut more) = (None, false);
        if !self.lines.are_all_on(batch) {
            let known = self.on_batch.next.as_ref();
            let known = known.filter(|it| it.reference == *batch.reference() && it.after.as_ref() == after);
            let Some(known) = known else {
                let (reference, after) = (batch.reference().clone(), after.cloned());
                return Err(self.needs(DataRequest::NextOn { reference, after }));
            };
            (until, more) = (known.until.as_ref(), known.until.is_some());
        }
        let lines = self.lines.on_batch(batch.reference(), after);
        let lines = lines.take_while(|(position, _)| until.is_none_or(|until| *position <= until));
        let lines = lines.take(MAX_MOVED_LINES + 1).map(|(position, units)| (position.clone(), units));
        let mut lines: Vec<_> = lines.collect();
        more |= lines.len() > MAX_MOVED_LINES;
        lines.truncate(MAX_MOVED_LINES);
        Ok(NextOn { lines, more })
    }

    /// Returns the last lines on a batch that together have `units` units, the last one first. Returns
    /// `None` if these are more than [`MAX_MOVED_LINES`].
    pub(super) fn last_on(
        &self,
        batch: &Batch,
        units: u32,
    ) -> Result<Option<Vec<(QueuePosition, Quantity)>>, LoadRequest> {
        if !self.lines.are_all_on(batch) {
            // The store still counts units that loaded lines have released.
            let units = units.saturating_add(self.released(batch.reference()));
            match &self.on_batch.last {
                Some(KnownLast { reference, units: known, too_many })
                    if reference == batch.reference() && *known >= units =>
                {
                    if *too_many {
                        return Ok(None);
                    }
                }
                _ => return Err(self.needs(DataRequest::LastOn { reference: batch.reference().clone(), units })),
            }
        }
        let (mut last, mut sum) = (Vec::new(), 0_u64);
        for (position, held) in self.lines.on_batch(batch.reference(), None).rev() {
            if sum >= u64::from(units) {
                break;
            }
            if last.len() == MAX_MOVED_LINES {
                return Ok(None);
            }
            sum += u64::from(held.get());
            last.push((position.clone(), held));
        }
        Ok(Some(last))
    }

    /// Returns the number of units of a batch that loaded lines have released since they were loaded.
    fn released(&self, reference: &BatchReference) -> u32 {
        let held = |line: Option<&LineState>| line.and_then(|line| line.holds(reference)).map_or(0, Quantity::get);
        let changed = self.stored.lines.iter();
        let released =
            changed.map(|(order_id, stored)| held(stored.as_deref()).saturating_sub(held(self.line(order_id))));
        released.fold(0, u32::saturating_add)
    }
}
