//! The loaded parts of a stored queue.

use crate::QueuePosition;

/// The parts of a stored queue that are loaded, each for a number of free units.
///
/// A queue may have a hundred thousand lines that take only their whole rest and cannot be served
/// yet. A store skips them, and reports how far it looked and for how many free units.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownQueue(Vec<Part>);

/// A part of the queue that begins at the end of the previous part.
#[derive(Debug, Clone)]
struct Part {
    /// The last position of the part, `None` for the end of the queue.
    up_to: Option<QueuePosition>,
    /// The number of free units. Every line of the part that could take some of them is loaded.
    free: u64,
}

impl KnownQueue {
    /// Creates the parts of a queue whose first lines are all loaded, up to `last`.
    pub(crate) fn up_to(last: Option<QueuePosition>, more: bool) -> Self {
        let mut known = Self::default();
        if !more || last.is_some() {
            known.0.push(Part { up_to: last.filter(|_| more), free: u64::MAX });
        }
        known
    }

    /// Returns whether all waiting lines are loaded.
    pub(crate) fn is_all(&self) -> bool {
        self.0.iter().all(|part| part.free == u64::MAX) && self.0.last().is_some_and(|part| part.up_to.is_none())
    }

    /// Records the lines after `after`, up to `last`, that could take some of `free` units as
    /// loaded.
    ///
    /// Without `more`, they are loaded up to the end of the queue.
    pub(crate) fn add(&mut self, after: Option<&QueuePosition>, last: Option<QueuePosition>, more: bool, free: u64) {
        if let Some(after) = after {
            let cut = self.0.iter().position(|part| part.up_to.as_ref().is_none_or(|up_to| up_to > after));
            if let Some(cut) = cut {
                let is_begun = cut.checked_sub(1).and_then(|before| self.0[before].up_to.as_ref()) < Some(after);
                self.0.truncate(cut + usize::from(is_begun));
                if is_begun {
                    self.0[cut].up_to = Some(after.clone());
                }
            }
        } else {
            self.0.clear();
        }
        let up_to = if more { last.or_else(|| after.cloned()) } else { None };
        if !more || up_to.is_some() {
            self.0.push(Part { up_to, free });
        }
    }

    /// Returns the first gap at or after `position`, or `None` if there is none.
    ///
    /// Lines after it that could take some of `free` units may be missing. `Some(None)` is the
    /// beginning of the queue.
    pub(crate) fn gap_after(&self, position: Option<&QueuePosition>, free: u64) -> Option<Option<QueuePosition>> {
        let mut begin: Option<&QueuePosition> = None;
        for part in &self.0 {
            let is_past = part.up_to.as_ref().is_some_and(|up_to| Some(up_to) <= position);
            if !is_past && part.free < free {
                return Some(begin.max(position).cloned());
            }
            match &part.up_to {
                Some(up_to) => begin = Some(up_to),
                None => return None,
            }
        }
        Some(begin.max(position).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrderId;
    use chrono::DateTime;

    fn position(number: i64) -> QueuePosition {
        let placed_at = DateTime::from_timestamp_micros(number).unwrap();
        QueuePosition::new(OrderId::parse("O").unwrap(), 0, placed_at)
    }

    #[test]
    fn a_completely_loaded_queue_has_no_gap() {
        let all = KnownQueue::up_to(None, false);
        assert!(all.is_all());
        assert_eq!(all.gap_after(None, u64::MAX), None);
        assert_eq!(all.gap_after(Some(&position(7)), 1), None);
    }

    #[test]
    fn a_queue_that_was_not_loaded_is_all_gap() {
        let nothing = KnownQueue::up_to(None, true);
        assert!(!nothing.is_all());
        assert_eq!(nothing.gap_after(None, 1), Some(None));
        assert_eq!(nothing.gap_after(Some(&position(7)), 1), Some(Some(position(7))));
    }

    #[test]
    fn a_loaded_part_is_known_up_to_its_number_of_free_units() {
        let mut known = KnownQueue::up_to(None, true);
        known.add(None, Some(position(5)), true, 10);
        assert_eq!(known.gap_after(None, 10), Some(Some(position(5))));
        assert_eq!(known.gap_after(None, 11), Some(None));
        known.add(Some(&position(5)), None, false, 4);
        assert_eq!(known.gap_after(None, 4), None);
        assert_eq!(known.gap_after(None, 5), Some(Some(position(5))));
        assert_eq!(known.gap_after(Some(&position(5)), 4), None);
        assert_eq!(known.gap_after(Some(&position(6)), 5), Some(Some(position(6))));
        assert!(!known.is_all());
    }

    #[test]
    fn loading_again_from_a_position_discards_the_later_parts() {
        let mut known = KnownQueue::up_to(Some(position(9)), true);
        assert_eq!(known.gap_after(None, u64::MAX), Some(Some(position(9))));
        known.add(Some(&position(3)), Some(position(4)), true, 7);
        assert_eq!(known.gap_after(None, 7), Some(Some(position(4))));
        assert_eq!(known.gap_after(None, 8), Some(Some(position(3))));
        known.add(Some(&position(4)), None, false, 2);
        known.add(Some(&position(4)), None, false, 7);
        assert_eq!(known.gap_after(None, 7), None, "nothing is left of what was looked for with less");
        known.add(None, None, true, 7);
        assert_eq!(known.gap_after(None, 1), Some(None));
    }
}
