//! Counts of stock among the other commands.

use crate::command::Command;
use allocation_domain::{
    Adjustment, Batch, BatchReference, CountId, CountScope, CountedUnits, Eta, NewStockCount, Product, Products,
    StockCount, UncountedLines, Units,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What is done to the only open count.
#[derive(Debug, Clone)]
pub(crate) enum Counting {
    Open {
        references: BTreeSet<BatchReference>,
    },
    Enter {
        line: u32,
        /// The units found beyond those on hand.
        beyond: i32,
        picked_counted: Option<bool>,
    },
    Close {
        uncounted: UncountedLines,
    },
    Abandon,
}

/// The count that is open, if there is one.
#[derive(Debug, Default)]
pub(crate) struct OpenCount(Option<StockCount>);

impl OpenCount {
    /// Applies a command to the count, and returns what is left to decide on the products: a closed count is an
    /// adjustment.
    pub(crate) fn resolve(&mut self, command: &Command, products: &Products, now: DateTime<Utc>) -> Option<Command> {
        let Command::Count { counting } = command else { return Some(command.clone()) };
        match counting {
            Counting::Open { references } => self.open(references, products, now),
            Counting::Enter { line, beyond, picked_counted } => self.enter(*line, *beyond, *picked_counted, products),
            Counting::Abandon => self.0 = None,
            Counting::Close { uncounted } => {
                return self.close(*uncounted, products).map(|adjustment| Command::Adjust { adjustment });
            }
        }
        None
    }

    fn open(&mut self, references: &BTreeSet<BatchReference>, products: &Products, now: DateTime<Utc>) {
        let count_id = CountId::parse("C-1").unwrap();
        let request = NewStockCount { count_id, scope: CountScope::References(references.clone()), blind: false };
        let in_stock = references.iter().filter_map(|reference| batch(products, reference));
        let in_stock = in_stock.filter(|batch| batch.eta() == Eta::InStock);
        let batches = in_stock.map(|batch| (batch.sku().clone(), batch.reference().clone()));
        if self.0.is_none() {
            self.0 = StockCount::open(request, batches, now).ok();
        }
    }

    fn enter(&mut self, line: u32, beyond: i32, picked_counted: Option<bool>, products: &Products) {
        let Some(count) = &mut self.0 else { return };
        let reference = count.line(line).map(|line| line.reference.clone());
        let Some(batch) = reference.and_then(|reference| batch(products, &reference)) else { return };
        let counted = Units::new(batch.on_hand().saturating_add_signed(beyond)).unwrap();
        let picked = batch.counts().picked;
        let before = count.clone();
        match count.enter(line, batch, CountedUnits { counted, picked_counted, recount: Units::ZERO }) {
            Ok(true) => {
                let entry = count.line(line).unwrap().entry.unwrap();
                let left_out = if picked_counted == Some(false) { picked } else { 0 };
                assert_eq!(entry.expected.get() + left_out, batch.on_hand(), "what is there is expected");
                assert_eq!(i64::from(entry.expected.get()) + entry.variance(), i64::from(counted.get()));
            }
            Ok(false) | Err(_) => assert_eq!(*count, before, "nothing has changed"),
        }
    }

    /// Closes the count if its lines are entered, and returns what it has found. If the adjustment is refused, the count
    /// is as good as abandoned.
    fn close(&mut self, uncounted: UncountedLines, products: &Products) -> Option<Adjustment> {
        let mut count = self.0.clone()?;
        count.settle(|reference| batch(products, reference));
        let adjustment = count.adjustment(uncounted).ok()?;
        self.0 = None;
        adjustment
    }
}

fn batch<'a>(products: &'a Products, reference: &BatchReference) -> Option<&'a Batch> {
    products.iter().flat_map(Product::batches).find(|batch| batch.reference() == reference)
}
