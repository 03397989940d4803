//! Returns: shipped units that come back.

use crate::named::named;
use crate::{BatchOrigin, BatchReference, OrderId, Quantity, ReturnId, Sku};
use std::collections::BTreeMap;

/// What becomes of returned units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum Disposition {
    /// They are a new batch in stock.
    Restock,
    /// They are set aside and belong to no batch.
    Quarantine,
    /// They are thrown away.
    Scrap,
}

named!(Disposition: Restock = "restock", Quarantine = "quarantine", Scrap = "scrap");

/// Units of one SKU that come back and have one disposition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReturnLine {
    /// The SKU.
    pub sku: Sku,
    /// The units that come back.
    pub quantity: Quantity,
    /// What becomes of them.
    pub disposition: Disposition,
}

/// An error for lines that are no return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum GoodsReturnError {
    /// There is no line, or there are more than [`GoodsReturn::MAX_LINES`].
    #[error("must have from 1 to {max} lines, not {0}", max = GoodsReturn::MAX_LINES)]
    LineCount(usize),
    /// Two lines have the same SKU and disposition.
    #[error("two lines {disposition} SKU {sku}", disposition = .1.as_str(), sku = .0)]
    Repeated(Sku, Disposition),
    /// The id with the SKU is no reference of a batch: it is too long.
    #[error("the return id and SKU {0} are too long together to name a batch")]
    NameTooLong(Sku),
}

/// A request to take back shipped units of an order: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GoodsReturn {
    return_id: ReturnId,
    order_id: OrderId,
    /// One line for each SKU and disposition, sorted by them.
    lines: Vec<ReturnLine>,
}

impl GoodsReturn {
    /// The maximum number of lines.
    pub const MAX_LINES: usize = 500;

    /// Creates a return. The order of the lines has no meaning.
    ///
    /// # Errors
    ///
    /// [`GoodsReturnError`].
    pub fn new(
        return_id: ReturnId,
        order_id: OrderId,
        lines: impl IntoIterator<Item = ReturnLine>,
    ) -> Result<Self, GoodsReturnError> {
        let mut sorted = BTreeMap::new();
        let mut count = 0;
        for line in lines {
            count += 1;
            if let Some(repeated) = sorted.insert((line.sku.clone(), line.disposition), line) {
                return Err(GoodsReturnError::Repeated(repeated.sku, repeated.disposition));
            }
        }
        if !(1..=Self::MAX_LINES).contains(&count) {
            return Err(GoodsReturnError::LineCount(count));
        }
        let goods_return = Self { return_id, order_id, lines: sorted.into_values().collect() };
        let unnamed = goods_return
            .lines
            .iter()
            .find(|line| line.disposition == Disposition::Restock && goods_return.parse_reference(&line.sku).is_none());
        match unnamed {
            Some(line) => Err(GoodsReturnError::NameTooLong(line.sku.clone())),
            None => Ok(goods_return),
        }
    }

    /// Returns the id.
    #[must_use]
    pub const fn return_id(&self) -> &ReturnId {
        &self.return_id
    }

    /// Returns the order.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// Returns the lines, sorted by SKU and disposition.
    #[must_use]
    pub fn lines(&self) -> &[ReturnLine] {
        &self.lines
    }

    /// Returns the SKUs, sorted and each once.
    #[must_use]
    pub fn skus(&self) -> Vec<Sku> {
        let mut skus: Vec<_> = self.lines.iter().map(|line| line.sku.clone()).collect();
        skus.dedup();
        skus
    }

    /// Returns the references of the batches that restocked units become, sorted by SKU.
    #[must_use]
    pub fn references(&self) -> Vec<BatchReference> {
        self.lines.iter().filter_map(|line| self.reference(line)).collect()
    }

    /// Returns the reference of the batch that the units of a line become, `None` if they become none.
    ///
    /// It is the id of the return if one line of it is restocked, else the id with the SKU.
    #[must_use]
    pub fn reference(&self, line: &ReturnLine) -> Option<BatchReference> {
        if line.disposition == Disposition::Restock { self.parse_reference(&line.sku) } else { None }
    }

    fn parse_reference(&self, sku: &Sku) -> Option<BatchReference> {
        let restocked = self.lines.iter().filter(|line| line.disposition == Disposition::Restock).count();
        let id = &self.return_id;
        let name = if restocked > 1 { format!("{id}/{sku}") } else { id.to_string() };
        BatchReference::parse(name).ok()
    }

    /// Returns where the batches of the restocked units come from.
    pub(crate) fn origin(&self) -> BatchOrigin {
        BatchOrigin { return_id: self.return_id.clone(), order_id: self.order_id.clone() }
    }
}

/// Units that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReturnedLine {
    /// The SKU.
    pub sku: Sku,
    /// The units.
    pub quantity: Quantity,
    /// What becomes of them.
    pub disposition: Disposition,
    /// The batch that they are, `None` if they are none.
    pub reference: Option<BatchReference>,
}

/// The outcome of a return.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Returned {
    /// The units that came back, sorted by SKU and disposition.
    pub lines: Vec<ReturnedLine>,
}

/// More units of a line than can come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcessReturn {
    /// The SKU of the line.
    pub sku: Sku,
    /// The units that are to come back, whatever their disposition.
    pub requested: u64,
    /// The units that were shipped and have not come back.
    pub returnable: u32,
}

/// An error returned when taking back units. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ReturnError {
    /// Another return has this id.
    #[error("Return {0} exists already with other content")]
    AlreadyExists(ReturnId),
    /// There is no such order.
    #[error("There is no order {0}")]
    OrderNotFound(OrderId),
    /// More units would come back than were shipped.
    #[error("More units would come back than were shipped of order {order_id}")]
    MoreThanShipped {
        /// The order.
        order_id: OrderId,
        /// The lines with too many units, sorted by SKU.
        lines: Vec<ExcessReturn>,
    },
    /// Another batch has the reference that restocked units would get.
    #[error("Batch {0} exists already, so restocked units cannot have its reference; use another return id")]
    BatchExists(BatchReference),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sku: &str, disposition: Disposition) -> ReturnLine {
        ReturnLine { sku: Sku::parse(sku).unwrap(), quantity: Quantity::new(1).unwrap(), disposition }
    }

    fn returned(id: &str, lines: Vec<ReturnLine>) -> Result<GoodsReturn, GoodsReturnError> {
        GoodsReturn::new(ReturnId::parse(id).unwrap(), OrderId::parse("O-1").unwrap(), lines)
    }

    fn names(found: &GoodsReturn) -> Vec<String> {
        found.references().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_return_has_one_line_for_each_sku_and_disposition_in_any_order() {
        let lines = || vec![line("LAMP", Disposition::Scrap), line("LAMP", Disposition::Restock)];
        let one = returned("R-1", lines()).unwrap();
        assert_eq!(one, returned("R-1", lines().into_iter().rev().collect()).unwrap());
        assert_eq!((one.lines()[0].disposition, one.skus().len()), (Disposition::Restock, 1));
        let repeated = returned("R-1", vec![line("LAMP", Disposition::Scrap), line("LAMP", Disposition::Scrap)]);
        assert_eq!(repeated.unwrap_err().to_string(), "two lines scrap SKU LAMP");
    }

    #[test]
    fn the_number_of_lines_has_a_limit() {
        let lines = |count: usize| (0..count).map(|number| line(&format!("S-{number}"), Disposition::Scrap)).collect();
        assert_eq!(returned("R-1", lines(500)).unwrap().lines().len(), 500);
        assert_eq!(returned("R-1", lines(501)), Err(GoodsReturnError::LineCount(501)));
        assert_eq!(returned("R-1", Vec::new()), Err(GoodsReturnError::LineCount(0)));
    }

    #[test]
    fn restocked_units_are_named_after_the_return() {
        let (lamp, sofa) = (line("LAMP", Disposition::Restock), line("SOFA", Disposition::Restock));
        let scrapped = line("SOFA", Disposition::Scrap);
        assert_eq!(names(&returned("R-1", vec![lamp.clone(), scrapped.clone()]).unwrap()), ["R-1"]);
        assert_eq!(names(&returned("R-1", vec![lamp.clone(), sofa.clone()]).unwrap()), ["R-1/LAMP", "R-1/SOFA"]);
        assert!(names(&returned("R-1", vec![scrapped]).unwrap()).is_empty());
        let long = "R".repeat(251);
        let alone = returned(&long, vec![lamp.clone()]).unwrap();
        assert_eq!(names(&alone), std::slice::from_ref(&long));
        let unnamed = returned(&long, vec![lamp.clone(), sofa.clone()]);
        assert_eq!(unnamed, Err(GoodsReturnError::NameTooLong(Sku::parse("LAMP").unwrap())));
        assert!(returned(&long[1..], vec![lamp, sofa]).is_ok());
    }
}
