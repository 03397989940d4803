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

    /// Returns the loaded lines that have units of a batch, in the order in which lines are served.
    pub(super) fn lines_on(&self, reference: &BatchReference) -> Vec<(QueuePosition, Quantity)> {
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .filter_map(|(order_id, line)| Some((QueuePosition::of(order_id, line), line.holds(reference)?)))
            .collect();
        lines.sort();
        lines
    }

    /// Returns the first lines on a batch after `after`, at most [`MAX_MOVED_LINES`].
    pub(super) fn next_on(&self, batch: &Batch, after: Option<&QueuePosition>) -> Result<NextOn, LoadRequest> {
        let mut lines = self.lines_on(batch.reference());
        let all = are_all(batch, &lines);
        lines.retain(|(position, _)| after.is_none_or(|after| position > after));
        let mut more = false;
        if !all {
            match &self.on_batch.next {
                Some(KnownNext { reference, after: known, until })
                    if reference == batch.reference() && known.as_ref() == after =>
                {
                    lines.retain(|(position, _)| until.as_ref().is_none_or(|until| position <= until));
                    more = until.is_some();
                }
                _ => {
                    let (reference, after) = (batch.reference().clone(), after.cloned());
                    return Err(self.needs(DataRequest::NextOn { reference, after }));
                }
            }
        }
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
        let lines = self.lines_on(batch.reference());
        if !are_all(batch, &lines) {
            // The store still counts units that loaded lines have released.
            let units = units.saturating_add(self.given_up(batch.reference()));
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
        for line in lines.into_iter().rev() {
            if sum >= u64::from(units) {
                break;
            }
            sum += u64::from(line.1.get());
            last.push(line);
        }
        Ok((last.len() <= MAX_MOVED_LINES).then_some(last))
    }

    /// Returns the number of units of a batch that loaded lines have released since they were loaded.
    fn given_up(&self, reference: &BatchReference) -> u32 {
        let given_up = |(order_id, stored): (&OrderId, &LineState)| {
            let held = |line: &LineState| line.holds(reference).map_or(0, Quantity::get);
            held(stored).saturating_sub(self.line(order_id).map_or(0, held))
        };
        self.stored_lines.iter().map(given_up).fold(0, u32::saturating_add)
    }
}

/// Returns whether these are all the lines that have units of a batch.
fn are_all(batch: &Batch, lines: &[(QueuePosition, Quantity)]) -> bool {
    let held: u64 = lines.iter().map(|(_, units)| u64::from(units.get())).sum();
    held == u64::from(batch.allocated())
}
