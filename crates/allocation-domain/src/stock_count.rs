//! Stock takes: units of batches are counted while business goes on.

use crate::{
    AdjustError, Adjusted, Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, Batch, BatchReference, CountId,
    Eta, Sku, UnitChange, Units,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What a stock take counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum CountScope {
    /// The batches of these SKUs that have units in stock.
    Skus(BTreeSet<Sku>),
    /// These batches, which are in stock.
    References(BTreeSet<BatchReference>),
}

/// A request to take stock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NewStockCount {
    /// The id.
    pub count_id: CountId,
    /// What is counted.
    pub scope: CountScope,
    /// Whether expected units are hidden until the count is closed.
    pub blind: bool,
}

/// What a person enters for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CountedUnits {
    /// The units that were found.
    pub counted: Units,
    /// Whether units that are picked and not shipped are among them. It must be said if there are such units.
    pub picked_counted: Option<bool>,
    /// Distinguishes a recount with the same result from a repetition of the request.
    pub recount: Units,
}

/// The units that were counted of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CountEntry {
    /// What was entered.
    pub entered: CountedUnits,
    /// The units that were expected when the line was entered.
    pub expected: Units,
    /// When the batch was added, which distinguishes it from a later one with its reference.
    pub added_at: DateTime<Utc>,
    /// The units that pickers had reported missing by then.
    pub missing: u32,
    /// The units that pickers have reported missing since, negative if they have found more again: the books have them
    /// already. As of the closing.
    pub reported: i64,
}

impl CountEntry {
    /// Returns the counted units less the expected ones, without those that pickers have reported since.
    #[must_use]
    pub fn variance(&self) -> i64 {
        let variance = i64::from(self.entered.counted.get()) - i64::from(self.expected.get());
        let left = variance + self.reported;
        // What is reported beyond the variance, or against it, is of other units.
        if variance < 0 { left.clamp(variance, 0) } else { left.clamp(0, variance) }
    }
}

/// A batch to count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CountLine {
    /// The batch.
    pub reference: BatchReference,
    /// Its SKU.
    pub sku: Sku,
    /// What was counted, `None` until the line is entered.
    pub entry: Option<CountEntry>,
}

/// What a closed count has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClosedCount {
    /// The instant at which it was closed, in microseconds.
    pub closed_at: DateTime<Utc>,
    /// The batches with a variance, and the lines that this affected.
    pub adjusted: Adjusted,
}

/// A stock take. The units of each batch are compared with those that are expected at the instant of the entry, so
/// business goes on meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StockCount {
    /// The request, which distinguishes a repeat from another count of that id.
    pub request: NewStockCount,
    /// The instant at which it was opened, in microseconds.
    pub opened_at: DateTime<Utc>,
    /// The batches, sorted by SKU and reference. Their numbers are their places, from 1.
    pub lines: Vec<CountLine>,
    /// What it has changed, `None` until it is closed.
    pub closed: Option<ClosedCount>,
}

/// What becomes of lines that are not entered when a count is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum UncountedLines {
    /// The count is not closed.
    #[default]
    Refuse,
    /// Their batches stay as they are.
    Leave,
}

crate::named::named!(UncountedLines: Refuse = "refuse", Leave = "leave");

/// An error returned when opening a count. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum OpenCountError {
    /// Another count has this id.
    #[error("Count {0} exists already with other content")]
    AlreadyExists(CountId),
    /// There is no such batch in stock.
    #[error("There is no batch {0} in stock")]
    NotFound(BatchReference),
    /// An adjustment has this id, which the one at closing needs.
    #[error("Adjustment {0} exists already, and the variances of the count would have its id")]
    AdjustmentExists(CountId),
    /// A batch is in an open count: both would book the same difference.
    #[error("Batch {reference} is in open count {count_id}: close or abandon that count first")]
    BatchInOpenCount {
        /// The batch.
        reference: BatchReference,
        /// The open count.
        count_id: CountId,
    },
    /// No batch of the SKUs has units in stock.
    #[error("No batch of the SKUs has units in stock")]
    NothingToCount,
    /// More batches have units in stock than a count has lines.
    #[error("More than {max} batches have units in stock", max = StockCount::MAX_LINES)]
    TooManyBatches,
}

/// An error returned when entering a line. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum EnterCountError {
    /// There is no such count.
    #[error("There is no count {0}")]
    NotFound(CountId),
    /// The count has no line of this number.
    #[error("Count {0} has no line {1}")]
    NoLine(CountId, u32),
    /// The count is closed.
    #[error("Count {0} is closed")]
    Closed(CountId),
    /// The batch was deleted, or is no longer in stock.
    #[error("There is no batch {0} in stock any more")]
    BatchNotFound(BatchReference),
    /// Picked units of the batch are not shipped, and the caller has not said whether they were counted.
    #[error("{picked} units of batch {reference} are picked and not shipped: were they counted?")]
    PickedUnits {
        /// The batch.
        reference: BatchReference,
        /// The units picked and not shipped yet.
        picked: u32,
    },
}

/// An error returned when closing a count. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum CloseCountError {
    /// There is no such count.
    #[error("There is no count {0}")]
    NotFound(CountId),
    /// Lines are not entered, or their batches were deleted since.
    #[error("{} lines of count {count_id} are not entered, or their batches are gone", lines.len())]
    NotCounted {
        /// The count.
        count_id: CountId,
        /// The numbers of the lines.
        lines: Vec<u32>,
    },
    /// A variance cannot be applied.
    #[error(transparent)]
    Adjust(#[from] AdjustError),
    /// A variance of a blind count cannot be applied.
    #[error("The variance of batch {reference} cannot be applied")]
    Hidden {
        /// The batch.
        reference: BatchReference,
        /// The reason, which tells the variance.
        reason: AdjustError,
    },
}

/// An error returned when abandoning a count. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AbandonCountError {
    /// There is no such count.
    #[error("There is no count {0}")]
    NotFound(CountId),
    /// The count is closed.
    #[error("Count {0} is closed")]
    Closed(CountId),
}

impl StockCount {
    /// The maximum number of lines.
    pub const MAX_LINES: usize = Adjustment::MAX_LINES;

    /// Opens a count of batches, which are sorted. `opened_at` is truncated to microseconds.
    ///
    /// # Errors
    ///
    /// [`OpenCountError`] if there are no batches, or too many.
    pub fn open(
        request: NewStockCount,
        batches: impl IntoIterator<Item = (Sku, BatchReference)>,
        opened_at: DateTime<Utc>,
    ) -> Result<Self, OpenCountError> {
        let batches: BTreeSet<_> = batches.into_iter().collect();
        let lines = batches.into_iter().map(|(sku, reference)| CountLine { reference, sku, entry: None });
        let lines: Vec<_> = lines.collect();
        match lines.len() {
            0 => Err(OpenCountError::NothingToCount),
            count if count > Self::MAX_LINES => Err(OpenCountError::TooManyBatches),
            _ => Ok(Self { request, opened_at: chrono::SubsecRound::trunc_subsecs(opened_at, 6), lines, closed: None }),
        }
    }

    /// Returns the id.
    #[must_use]
    pub const fn count_id(&self) -> &CountId {
        &self.request.count_id
    }

    /// Returns a line by its number, `None` if there is none.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&CountLine> {
        self.lines.get(place(number)?)
    }

    /// Enters the units that were found of a batch, in place of an earlier entry. Returns whether it has changed the
    /// count: repeating the last entry of the line changes nothing, so what was expected then still counts.
    ///
    /// `batch` is the batch as it is now, under the lock of its product. The expected units are those on hand: free,
    /// allocated or picked. Picked units that were not counted are not among them.
    ///
    /// # Errors
    ///
    /// [`EnterCountError`]; nothing has changed.
    pub fn enter(&mut self, number: u32, batch: &Batch, entered: CountedUnits) -> Result<bool, EnterCountError> {
        if self.closed.is_some() {
            return Err(EnterCountError::Closed(self.count_id().clone()));
        }
        let no_line = EnterCountError::NoLine(self.count_id().clone(), number);
        let Some(line) = place(number).and_then(|place| self.lines.get_mut(place)) else { return Err(no_line) };
        let is_same = |batch: &Batch| (batch.reference(), batch.sku()) == (&line.reference, &line.sku);
        if !is_same(batch) || batch.eta() != Eta::InStock {
            return Err(EnterCountError::BatchNotFound(line.reference.clone()));
        }
        let added_at = batch.added_at();
        if line.entry.is_some_and(|entry| (entry.entered, entry.added_at) == (entered, added_at)) {
            return Ok(false);
        }
        let picked = batch.counts().picked;
        let Some(with_picked) = entered.picked_counted.or((picked == 0).then_some(true)) else {
            return Err(EnterCountError::PickedUnits { reference: line.reference.clone(), picked });
        };
        let expected = batch.on_hand_finally().saturating_sub(if with_picked { 0 } else { picked });
        line.entry = Some(CountEntry {
            entered,
            expected: Units::new(expected).unwrap_or(Units::ZERO),
            added_at,
            missing: batch.counts().missing,
            reported: 0,
        });
        Ok(true)
    }

    /// Returns the lines with a variance, by their batches.
    pub fn variances(&self) -> impl Iterator<Item = (&CountLine, &CountEntry)> {
        let entries = self.lines.iter().filter_map(|line| Some((line, line.entry.as_ref()?)));
        entries.filter(|(_, entry)| entry.variance() != 0)
    }

    /// Compares the entries with what has become of their batches.
    ///
    /// Entries whose variance belongs to a batch that is gone, or has an ETA again, are dropped: the books have changed.
    /// Units that a picker has not found since the entry are no variance any more, nor are those that were found again.
    ///
    /// `now` returns the batch of a reference as it is now.
    pub fn settle<'a>(&mut self, now: impl Fn(&BatchReference) -> Option<&'a Batch>) {
        for line in &mut self.lines {
            let is_current = |entry: &CountEntry| {
                let found = (&line.sku, entry.added_at, Eta::InStock);
                let is_it = |batch: &Batch| (batch.sku(), batch.added_at(), batch.eta()) == found;
                entry.variance() == 0 || now(&line.reference).is_some_and(is_it)
            };
            if !line.entry.as_ref().is_some_and(is_current) {
                line.entry = None;
            }
            if let Some((entry, batch)) = line.entry.as_mut().zip(now(&line.reference)) {
                entry.reported = i64::from(batch.counts().missing) - i64::from(entry.missing);
            }
        }
    }

    /// Returns the adjustment that closing makes: the variances of all lines, `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`CloseCountError::NotCounted`] if lines are not entered, unless they are left.
    pub fn adjustment(&self, uncounted: UncountedLines) -> Result<Option<Adjustment>, CloseCountError> {
        let open: Vec<u32> =
            (1..).zip(&self.lines).filter(|(_, line)| line.entry.is_none()).map(|(number, _)| number).collect();
        if uncounted == UncountedLines::Refuse && !open.is_empty() {
            return Err(CloseCountError::NotCounted { count_id: self.count_id().clone(), lines: open });
        }
        let change = |(line, entry): (&CountLine, &CountEntry)| {
            let change = UnitChange::new(entry.variance()).ok()?;
            Some(AdjustmentLine { reference: line.reference.clone(), change, expected: None })
        };
        let lines: Vec<_> = self.variances().filter_map(change).collect();
        let reason = AdjustmentReason::parse("count").ok();
        let named = self.request.count_id.as_adjustment().zip(reason);
        Ok(named.and_then(|(id, reason)| Adjustment::new(id, reason, lines).ok()))
    }

    /// Returns why a variance cannot be applied; of a blind count without the variance.
    #[must_use]
    pub fn unapplied(&self, reason: AdjustError) -> CloseCountError {
        match &reason {
            AdjustError::BelowConsumed { reference, .. } | AdjustError::TooManyUnits { reference, .. }
                if self.request.blind =>
            {
                CloseCountError::Hidden { reference: reference.clone(), reason }
            }
            _ => reason.into(),
        }
    }
}

impl CountId {
    /// Returns the id that the adjustment at closing has: the same text.
    #[must_use]
    pub fn as_adjustment(&self) -> Option<AdjustmentId> {
        AdjustmentId::parse(self.as_str()).ok()
    }
}

fn place(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchCounts;

    fn reference(text: &str) -> BatchReference {
        BatchReference::parse(text).unwrap()
    }

    fn lamp() -> Sku {
        Sku::parse("LAMP").unwrap()
    }

    fn count(batches: usize) -> Result<StockCount, OpenCountError> {
        let scope = CountScope::Skus(BTreeSet::from([lamp()]));
        let request = NewStockCount { count_id: CountId::parse("C-1").unwrap(), scope, blind: false };
        let batches = (0..batches).map(|number| (lamp(), reference(&format!("B-{number:03}"))));
        StockCount::open(request, batches, DateTime::UNIX_EPOCH)
    }

    fn units(units: u32) -> Units {
        Units::new(units).unwrap()
    }

    fn found(counted: u32, picked_counted: Option<bool>) -> CountedUnits {
        CountedUnits { counted: units(counted), picked_counted, recount: Units::ZERO }
    }

    /// The batch with this number of a count.
    fn numbered(number: u32) -> Batch {
        let reference = reference(&format!("B-{:03}", number - 1));
        let batch = Batch::new(reference, lamp(), units(10), Eta::InStock, DateTime::UNIX_EPOCH);
        batch.with_counts(BatchCounts { allocated: 4, picked: 3, shipped: 2, missing: 0 }).unwrap()
    }

    #[test]
    fn the_number_of_lines_has_a_limit() {
        assert_eq!(count(0), Err(OpenCountError::NothingToCount));
        assert_eq!(count(500).unwrap().lines.len(), 500);
        assert_eq!(count(501), Err(OpenCountError::TooManyBatches));
    }

    /// Ten units: four allocated, three picked, two shipped.
    #[test]
    fn picked_units_are_counted_or_not_as_the_caller_says() {
        let mut count = count(1).unwrap();
        let picked = EnterCountError::PickedUnits { reference: reference("B-000"), picked: 3 };
        assert_eq!(count.enter(1, &numbered(1), found(8, None)), Err(picked));
        for (said, expected, variance) in [(true, 8, -1), (false, 5, 2)] {
            assert_eq!(count.enter(1, &numbered(1), found(7, Some(said))), Ok(true));
            let entry = count.lines[0].entry.unwrap();
            assert_eq!((entry.expected.get(), entry.variance()), (expected, variance), "the entry is replaced");
        }
        for number in [0, 2] {
            let no_line = EnterCountError::NoLine(count.count_id().clone(), number);
            assert_eq!(count.enter(number, &numbered(1), found(7, Some(true))), Err(no_line));
        }
    }

    #[test]
    fn a_repeated_entry_keeps_what_was_expected_and_a_recount_does_not() {
        let mut count = count(1).unwrap();
        let before = numbered(1);
        let counts = BatchCounts { allocated: 4, picked: 0, shipped: 5, missing: 0 };
        let after = numbered(1).with_counts(counts).unwrap();
        count.enter(1, &before, found(7, Some(true))).unwrap();
        assert_eq!(count.enter(1, &after, found(7, Some(true))), Ok(false), "the request was sent twice");
        assert_eq!(count.lines[0].entry.unwrap().variance(), -1);
        let again = CountedUnits { recount: units(1), ..found(7, Some(true)) };
        assert_eq!(count.enter(1, &after, again), Ok(true));
        assert_eq!(count.lines[0].entry.unwrap().variance(), 2);
    }

    #[test]
    fn lines_that_are_not_entered_are_refused_or_left() {
        let mut count = count(3).unwrap();
        count.enter(2, &numbered(2), found(6, Some(true))).unwrap();
        let refused = count.adjustment(UncountedLines::Refuse).unwrap_err();
        assert!(matches!(refused, CloseCountError::NotCounted { lines, .. } if lines == [1, 3]));
        let adjustment = count.adjustment(UncountedLines::Leave).unwrap().unwrap();
        assert_eq!(adjustment.lines().len(), 1);
        assert_eq!((adjustment.reason().as_str(), adjustment.lines()[0].change.get()), ("count", -2));
        count.enter(2, &numbered(2), found(8, Some(true))).unwrap();
        assert_eq!(count.adjustment(UncountedLines::Leave), Ok(None), "no variance");
    }

    #[test]
    fn units_that_pickers_report_after_the_entry_are_no_variance() {
        let with_missing = |missing| {
            let counts = BatchCounts { allocated: 0, picked: 0, shipped: 2, missing };
            numbered(1).with_counts(counts).unwrap()
        };
        // Counted, missing at the entry and at the closing, and the variance that is left.
        for (counted, before, after, left) in [
            (6, 0, 0, -2),
            (6, 0, 1, -1),
            (6, 0, 2, 0),
            (6, 0, 3, 0),
            (6, 2, 0, 0),
            (9, 2, 1, 2),
            (9, 2, 0, 1),
            (7, 1, 3, 0),
        ] {
            let mut count = count(1).unwrap();
            count.enter(1, &with_missing(before), found(counted, None)).unwrap();
            let batch = with_missing(after);
            count.settle(|_| Some(&batch));
            let entry = count.lines[0].entry.unwrap();
            assert_eq!(entry.variance(), left, "{counted} of {}", entry.expected.get());
        }
    }

    #[test]
    fn a_batch_that_is_not_the_one_that_was_counted_is_left() {
        let mut count = count(3).unwrap();
        for number in 1..=3 {
            count.enter(number, &numbered(number), found(6, Some(true))).unwrap();
        }
        let later = DateTime::from_timestamp(60, 0).unwrap();
        let batches = [
            numbered(1),
            Batch::new(reference("B-001"), lamp(), units(10), Eta::InStock, later),
            Batch::new(reference("B-002"), Sku::parse("SOFA").unwrap(), units(10), Eta::InStock, DateTime::UNIX_EPOCH),
        ];
        for (number, batch) in [(3, &batches[2]), (1, &batches[1])] {
            let gone = EnterCountError::BatchNotFound(count.line(number).unwrap().reference.clone());
            assert_eq!(count.enter(number, batch, found(1, None)), Err(gone));
        }
        let due = Eta::Due("2027-03-01".parse().unwrap());
        let inbound = Batch::new(reference("B-000"), lamp(), units(10), due, DateTime::UNIX_EPOCH);
        let mut late = count.clone();
        late.settle(|_| Some(&inbound));
        assert!(late.lines[0].entry.is_none(), "it was counted in stock");
        count.settle(|reference| batches.iter().find(|batch| batch.reference() == reference));
        assert_eq!(count.lines.iter().map(|line| line.entry.is_some()).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(count.enter(2, &batches[1], found(9, None)), Ok(true), "it is counted under its reference");
        let late = Batch::new(reference("B-002"), lamp(), units(10), Eta::Due("2027-03-01".parse().unwrap()), later);
        assert!(matches!(count.enter(3, &late, found(9, None)), Err(EnterCountError::BatchNotFound(_))));
    }

    #[test]
    fn a_refusal_of_a_blind_count_does_not_tell_the_variance() {
        let mut count = count(1).unwrap();
        let reason = || AdjustError::BelowConsumed {
            reference: reference("B-000"),
            change: UnitChange::new(-6).unwrap(),
            free: 5,
        };
        assert_eq!(count.unapplied(reason()), CloseCountError::Adjust(reason()));
        count.request.blind = true;
        assert_eq!(count.unapplied(reason()).to_string(), "The variance of batch B-000 cannot be applied");
        let gone = AdjustError::NotFound(reference("B-000"));
        assert_eq!(count.unapplied(gone.clone()), CloseCountError::Adjust(gone));
    }

    #[test]
    fn a_closed_count_takes_no_entry() {
        let mut count = count(1).unwrap();
        count.closed = Some(ClosedCount { closed_at: DateTime::UNIX_EPOCH, adjusted: Adjusted::default() });
        let closed = EnterCountError::Closed(count.count_id().clone());
        assert_eq!(count.enter(1, &numbered(1), found(7, Some(true))), Err(closed));
    }
}
