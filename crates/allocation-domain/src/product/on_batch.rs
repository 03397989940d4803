//! Which lines of a batch are at hand.

use super::Product;
use crate::{
    Batch, BatchReference, DataRequest, LineState, MAX_MOVED_LINES, MoreNeeded, OrderId, Quantity, QueuePosition,
};

/// What a store was last asked of the lines of batches. One decision may need both: it reviews the next lines
/// of a batch, and then lets the last ones leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KnownOn {
    next: Option<KnownNext>,
    last: Option<KnownLast>,
}

/// All lines of a batch after one, up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownNext {
    reference: BatchReference,
    after: Option<QueuePosition>,
    /// Up to where, `None` when there are no more.
    until: Option<QueuePosition>,
}

/// The last lines of a batch, which hold so many units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownLast {
    reference: BatchReference,
    units: u32,
    /// Whether it takes more lines than may leave at once to hold so many. Then none were given.
    too_many: bool,
}

/// Some of the lines on a batch, with what they hold.
pub(super) struct NextOn {
    pub(super) lines: Vec<(QueuePosition, Quantity)>,
    /// Whether there are more.
    pub(super) more: bool,
}

impl Product {
    /// Takes the next lines on a batch in, as [`DataRequest::NextOn`] asks for them; `more` says whether the
    /// store has more of them after these.
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
        // Without a line there is nothing to go on from.
        let until = last.or_else(|| after.clone()).filter(|_| more);
        self.on_batch.next = Some(KnownNext { reference, after, until });
        self.load_lines(lines);
    }

    /// Takes the last lines on a batch in that hold so many units, as [`DataRequest::LastOn`] asks for them.
    /// `None` when it takes more than [`MAX_MOVED_LINES`] of them.
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

    /// The lines at hand that hold units of a batch, in the order in which lines are served.
    pub(super) fn lines_on(&self, reference: &BatchReference) -> Vec<(QueuePosition, Quantity)> {
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .filter_map(|(order_id, line)| Some((QueuePosition::of(order_id, line), line.holds(reference)?)))
            .collect();
        lines.sort();
        lines
    }

    /// The first lines on a batch after one, [`MAX_MOVED_LINES`] at most.
    pub(super) fn next_on(&self, batch: &Batch, after: Option<&QueuePosition>) -> Result<NextOn, MoreNeeded> {
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

    /// The last lines on a batch that together hold so many units, the last one first. `None` when these
    /// are more than [`MAX_MOVED_LINES`].
    pub(super) fn last_on(
        &self,
        batch: &Batch,
        units: u32,
    ) -> Result<Option<Vec<(QueuePosition, Quantity)>>, MoreNeeded> {
        let lines = self.lines_on(batch.reference());
        if !are_all(batch, &lines) {
            // What lines at hand have given up since they were loaded counts in the store.
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

    /// How many units lines at hand hold less of a batch than the store has of them.
    fn given_up(&self, reference: &BatchReference) -> u32 {
        let given_up = |(order_id, stored): (&OrderId, &LineState)| {
            let held = |line: &LineState| line.holds(reference).map_or(0, Quantity::get);
            held(stored).saturating_sub(self.line(order_id).map_or(0, held))
        };
        self.stored_lines.iter().map(given_up).fold(0, u32::saturating_add)
    }
}

/// Whether lines are all that hold units of a batch.
fn are_all(batch: &Batch, lines: &[(QueuePosition, Quantity)]) -> bool {
    let held: u64 = lines.iter().map(|(_, units)| u64::from(units.get())).sum();
    held == u64::from(batch.allocated())
}
