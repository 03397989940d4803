//! Adjusting batches, one after another.

use super::Products;
use crate::{
    AdjustError, Adjusted, AdjustedLine, Adjustment, AdjustmentLine, Batch, BatchReference, MAX_MOVED_LINES, Pending,
    Sku, Units,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Batches that are being adjusted.
///
/// First the whole adjustment is checked against all products, and changes nothing. Then the batches are
/// independent, as the products of a [`Cancellation`](crate::Cancellation) are: data that one of them lacks is
/// loaded without deciding on the others again.
#[derive(Debug)]
pub struct Adjusting {
    /// The lines that are left with their SKUs, the last one first. Lines that add units come first, so that they
    /// replace units that others remove.
    left: Vec<(Sku, AdjustmentLine)>,
    /// The number of lines that may still leave their batches in this decision.
    may_leave: usize,
    adjusted: Adjusted,
}

impl Adjusting {
    /// Checks that all batches can be adjusted.
    ///
    /// # Errors
    ///
    /// [`Pending`]; no batch has changed. Expired holds may have been released.
    pub fn of(
        adjustment: &Adjustment,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Self, Pending<AdjustError>> {
        let mut left = Vec::new();
        let skus = products.skus_of_batches();
        for line in adjustment.lines() {
            let sku = skus.get(&line.reference);
            let sku = sku.ok_or_else(|| Pending::Refused(AdjustError::NotFound(line.reference.clone())))?;
            left.push((sku.clone(), line.clone()));
        }
        for (sku, line) in &left {
            let Some(product) = products.get_mut(sku) else { continue };
            product.catch_up(now)?;
            if let Some(batch) = product.batch(&line.reference) {
                check(batch, line).map_err(Pending::Refused)?;
            }
        }
        left.sort_by_key(|(_, line)| line.change.get() > 0);
        Ok(Self { left, may_leave: MAX_MOVED_LINES, adjusted: Adjusted::default() })
    }

    /// Adjusts the remaining batches. Units that are added serve the waiting lines.
    ///
    /// All batches together displace at most [`MAX_MOVED_LINES`] lines. The lines of the others leave in steps, as
    /// after a correction: see [`Product::change_batch`](crate::Product::change_batch).
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; that batch and later ones have not changed. After [`Pending::Load`], the
    /// caller loads the rows and calls again.
    pub fn resume(
        &mut self,
        adjustment: &Adjustment,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Adjusted, Pending<Infallible>> {
        let is_single = adjustment.lines().len() == 1;
        while let Some((sku, line)) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                // Each line that leaves loses a unit at least.
                let excess = product.batch(&line.reference).map_or(0, |batch| excess(batch, line));
                let excess = usize::try_from(excess).unwrap_or(usize::MAX);
                let leave_now = is_single || excess <= self.may_leave;
                let changed = product.adjust_batch(line, adjustment, leave_now, now)?;
                self.may_leave -= if leave_now { excess.min(self.may_leave) } else { 0 };
                self.adjusted.lines.push(AdjustedLine {
                    reference: line.reference.clone(),
                    sku: sku.clone(),
                    change: line.change,
                    on_hand: changed.batch.on_hand_finally(),
                });
                self.adjusted.affected.extend(changed.affected);
                self.adjusted.displaced.extend(changed.displaced);
            }
            self.left.pop();
        }
        self.adjusted.lines.sort_by(|one, other| one.reference.cmp(&other.reference));
        Ok(std::mem::take(&mut self.adjusted))
    }
}

/// Returns the units that have to leave a batch after a line is applied.
fn excess(batch: &Batch, line: &AdjustmentLine) -> u64 {
    let target = i64::from(batch.lowered_to().get()) + i64::from(line.change.get());
    u64::try_from(i64::from(batch.used()) - target).unwrap_or(0)
}

/// Checks that a line can be applied to its batch.
fn check(batch: &Batch, line: &AdjustmentLine) -> Result<(), AdjustError> {
    let AdjustmentLine { reference, change, expected } = line;
    let actual = batch.on_hand_finally();
    if let Some(expected) = expected.filter(|expected| expected.get() != actual) {
        return Err(AdjustError::QuantityChanged { reference: reference.clone(), expected, actual });
    }
    let target = i64::from(batch.lowered_to().get()) + i64::from(change.get());
    let consumed = batch.consumed();
    if target < i64::from(consumed) {
        let free = batch.lowered_to().get().saturating_sub(consumed);
        return Err(AdjustError::BelowConsumed { reference: reference.clone(), change: *change, free });
    }
    if Units::new(target).is_err() {
        return Err(AdjustError::TooManyUnits { reference: reference.clone(), change: *change });
    }
    Ok(())
}

impl Products {
    /// Adjusts the units of batches: all of them, or none.
    ///
    /// Units that are added serve the waiting lines. Lines leave a batch that has fewer units than are allocated, as
    /// they do when it is [lowered](crate::Product::change_batch).
    ///
    /// Runs [`Adjusting`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; no batch has changed. Only after [`Pending::Load`] may some batches be adjusted.
    pub fn adjust(&mut self, adjustment: &Adjustment, now: DateTime<Utc>) -> Result<Adjusted, Pending<AdjustError>> {
        let mut adjusting = Adjusting::of(adjustment, self, now)?;
        adjusting.resume(adjustment, self, now).map_err(Pending::widen)
    }

    /// Returns the SKU of each loaded batch.
    fn skus_of_batches(&self) -> BTreeMap<BatchReference, Sku> {
        let batches = self.iter().flat_map(|product| product.batches());
        batches.map(|batch| (batch.reference().clone(), batch.sku().clone())).collect()
    }
}
