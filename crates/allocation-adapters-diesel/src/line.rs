//! Order lines as rows.

use crate::error::corrupt;
use crate::row::{self, BatchRow};
use crate::schema::order_lines;
use allocation_domain::{
    Allocation, Batch, BatchReference, Fulfilment, LineRow, LineState, LineTerms, OnShortage, OrderId, PickLine,
    PickLineId, ReservationState, Sku,
};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use std::collections::HashMap;

/// The columns of a [`StoredLine`].
pub(crate) const LINE_COLUMNS: LineColumns = (
    order_lines::quantity,
    order_lines::placed_at,
    order_lines::of_order,
    order_lines::priority,
    order_lines::backorders,
    order_lines::allow_split,
    order_lines::waiting,
    order_lines::expires_at,
    order_lines::ended,
    order_lines::listed,
    order_lines::picked,
    order_lines::shipped,
);

pub(crate) type LineColumns = (
    order_lines::quantity,
    order_lines::placed_at,
    order_lines::of_order,
    order_lines::priority,
    order_lines::backorders,
    order_lines::allow_split,
    order_lines::waiting,
    order_lines::expires_at,
    order_lines::ended,
    order_lines::listed,
    order_lines::picked,
    order_lines::shipped,
);

/// The types of the columns of a [`StoredLine`], for statements in SQL text.
pub(crate) type LineSqlTypes =
    (Integer, BigInt, Bool, Integer, Bool, Bool, Integer, Nullable<BigInt>, Nullable<Text>, Integer, Integer, Integer);

const EXPIRED: &str = "expired";
pub(crate) const CANCELLED: &str = "cancelled";

/// A row of `order_lines` without its key, as it is read.
#[derive(Debug, Queryable)]
pub(crate) struct StoredLine {
    quantity: i32,
    placed_at: i64,
    of_order: bool,
    priority: i32,
    backorders: bool,
    allow_split: bool,
    waiting: i32,
    expires_at: Option<i64>,
    ended: Option<String>,
    listed: i32,
    picked: i32,
    shipped: i32,
}

#[derive(Debug, thiserror::Error)]
#[error("no line ends as {0:?}")]
struct UnknownEnd(String);

impl StoredLine {
    /// Converts the row; fails if no line has such values.
    pub(crate) fn row(self) -> Result<LineRow, StoreError> {
        let commitment = match (self.ended.as_deref(), self.expires_at) {
            (None, None) => ReservationState::Firm,
            (None, Some(expires_at)) => ReservationState::Held { expires_at: row::instant(expires_at)? },
            (Some(EXPIRED), _) => ReservationState::Expired,
            (Some(CANCELLED), _) => ReservationState::Cancelled,
            (Some(other), _) => return Err(corrupt(UnknownEnd(other.to_owned()))),
        };
        let units = |counted: i32| u32::try_from(counted).map_err(corrupt);
        Ok(LineRow {
            quantity: row::quantity(self.quantity)?,
            terms: LineTerms {
                of_order: self.of_order,
                priority: self.priority,
                placed_at: row::instant(self.placed_at)?,
                on_shortage: if self.backorders { OnShortage::Backorder } else { OnShortage::Reject },
                allow_split: self.allow_split,
            },
            commitment,
            waiting: units(self.waiting)?,
            fulfilment: Fulfilment {
                listed: units(self.listed)?,
                picked: units(self.picked)?,
                shipped: units(self.shipped)?,
            },
        })
    }
}

/// A row of `order_lines` without its key, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineValues {
    pub(crate) quantity: i32,
    pub(crate) placed_at: i64,
    pub(crate) of_order: bool,
    pub(crate) priority: i32,
    pub(crate) backorders: bool,
    pub(crate) allow_split: bool,
    pub(crate) waiting: i32,
    pub(crate) expires_at: Option<i64>,
    pub(crate) ended: Option<&'static str>,
    pub(crate) listed: i32,
    pub(crate) picked: i32,
    pub(crate) shipped: i32,
}

impl LineValues {
    /// Returns the row of a plain line, with the defaults of the table.
    pub(crate) const fn plain(quantity: i32, placed_at: i64) -> Self {
        Self {
            quantity,
            placed_at,
            of_order: false,
            priority: 0,
            backorders: false,
            allow_split: true,
            waiting: 0,
            expires_at: None,
            ended: None,
            listed: 0,
            picked: 0,
            shipped: 0,
        }
    }

    /// Returns the row of a line.
    pub(crate) fn of(line: &LineRow) -> Result<Self, StoreError> {
        let integer = |units: u32| i32::try_from(units).map_err(|error| StoreError::Failed(error.into()));
        Ok(Self {
            quantity: integer(line.quantity.get())?,
            placed_at: line.terms.placed_at.timestamp_micros(),
            of_order: line.terms.of_order,
            priority: line.terms.priority,
            backorders: line.terms.on_shortage == OnShortage::Backorder,
            allow_split: line.terms.allow_split,
            waiting: integer(line.waiting)?,
            expires_at: line.commitment.expires_at().map(|at| at.timestamp_micros()),
            ended: match line.commitment {
                ReservationState::Firm | ReservationState::Held { .. } => None,
                ReservationState::Expired => Some(EXPIRED),
                ReservationState::Cancelled => Some(CANCELLED),
            },
            listed: integer(line.fulfilment.listed)?,
            picked: integer(line.fulfilment.picked)?,
            shipped: integer(line.fulfilment.shipped)?,
        })
    }
}

/// Returns whether a line has the defaults of the table, except for its quantity and the instant at which
/// it was placed. Almost every standalone line has them.
pub(crate) fn is_plain(line: &LineRow) -> bool {
    *line == LineState::standalone(line.quantity, line.terms.placed_at).row()
}

/// Restores a line with its allocations; fails if it has more units than it ordered.
pub(crate) fn restored(row: LineRow, allocations: Vec<Allocation>) -> Result<LineState, StoreError> {
    let line = row.with(allocations);
    let held: u64 = line.allocations.iter().map(|part| u64::from(part.quantity.get())).sum();
    let served = held + u64::from(line.fulfilment.taken()) + u64::from(line.waiting);
    let ordered = line.quantity.get();
    if served <= u64::from(ordered) {
        Ok(line)
    } else {
        Err(StoreError::invariant("order_line_within_its_quantity", Overserved { served, ordered }))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a line of {ordered} units has or waits for {served}")]
struct Overserved {
    served: u64,
    ordered: u32,
}

/// Checks that the allocated quantity of a batch covers the units that lines have of it.
fn expect_covered(batch: &Batch, held: u64) -> Result<(), StoreError> {
    if held <= u64::from(batch.allocated()) {
        return Ok(());
    }
    let (reference, counted) = (batch.reference().to_string(), batch.allocated());
    Err(StoreError::invariant("batch_covers_its_allocations", Uncovered { reference, counted, held }))
}

#[derive(Debug, thiserror::Error)]
#[error("batch {reference} counts {counted} units as allocated, and lines hold {held} of it")]
struct Uncovered {
    reference: String,
    counted: u32,
    held: u64,
}

/// A row of `allocations` for a known line, with its batch.
#[derive(Debug, Queryable)]
pub(crate) struct AllocationPart {
    quantity: i32,
    batch: BatchRow,
}

impl AllocationPart {
    /// Returns the allocation and its batch.
    pub(crate) fn allocation(self, sku: &Sku) -> Result<(Allocation, Batch), StoreError> {
        let batch = self.batch.batch(sku.clone())?;
        let quantity = row::quantity(self.quantity)?;
        expect_covered(&batch, quantity.get().into())?;
        Ok((Allocation::of(&batch, quantity), batch))
    }
}

/// A line of an order with one of its allocations, or with none.
#[derive(Debug, Queryable)]
pub(crate) struct OrderLineRow {
    pub(crate) order_id: String,
    pub(crate) sku: String,
    pub(crate) line: StoredLine,
    pub(crate) part: Option<AllocationPart>,
}

/// Loaded lines of a product, with the batches of their allocations, and their pick lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<(OrderId, LineState)>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) pick_lines: Vec<(PickLineId, PickLine)>,
    /// The units of each batch that the lines have together.
    held: HashMap<BatchReference, u64>,
}

impl Lines {
    /// Returns the order ids of lines with units that are on a pick list, picked or shipped.
    pub(crate) fn with_pick_lines(&self) -> impl Iterator<Item = &OrderId> {
        self.lines.iter().filter(|(_, line)| line.fulfilment != Fulfilment::default()).map(|(order_id, _)| order_id)
    }

    /// Adds a line with all its allocations.
    pub(crate) fn add(
        &mut self,
        sku: &Sku,
        order_id: OrderId,
        line: StoredLine,
        parts: impl IntoIterator<Item = AllocationPart>,
    ) -> Result<(), StoreError> {
        let mut allocations = Vec::new();
        for part in parts {
            let (allocation, batch) = part.allocation(sku)?;
            let held = self.held.entry(allocation.reference.clone()).or_default();
            *held += u64::from(allocation.quantity.get());
            expect_covered(&batch, *held)?;
            allocations.push(allocation);
            self.batches.push(batch);
        }
        self.lines.push((order_id, restored(line.row()?, allocations)?));
        Ok(())
    }
}
