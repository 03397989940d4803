//! Order lines as rows.

use crate::batch_row::{BatchRow, BatchSql};
use crate::columns::{Sql, columns};
use crate::row;
use allocation_domain::{
    Allocation, Batch, BatchReference, Fulfilment, LineRow, LineState, LineTerms, OnShortage, OrderId, PickLine,
    PickLineId, Promises, ReservationState, Sku,
};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use std::collections::HashMap;

columns! {
    /// The key of a row of `order_lines`.
    #[derive(Debug, Clone, Copy)]
    struct LineKey<'a>, set LineKeys<'a> {
        sku: Text => &'a str,
        order_id: Text => &'a str,
    }
}

columns! {
    /// A row of `order_lines` without its key.
    #[derive(Debug, Clone, Copy, Queryable)]
    struct LineValues, set LineValuesSet<'a> {
        quantity: Integer => i32,
        placed_at: BigInt => i64,
        of_order: Bool => bool,
        /// `~priority`: the lowest value is served first.
        precedence: Integer => i32,
        backorders: Bool => bool,
        allow_split: Bool => bool,
        stable: Bool => bool,
        ship_complete: Bool => bool,
        waiting: Integer => i32,
        expires_at: Nullable<BigInt> => Option<i64>,
        ended: Nullable<Text> => Option<LineEnd>,
        closed: Bool => bool,
        listed: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        /// When the line was completed, as far as that was recorded.
        completed_at: Nullable<BigInt> => Option<i64>,
        returned: Integer => i32,
    }
}

columns! {
    /// The columns of a row of `order_lines` whose other columns have the defaults of the table.
    #[derive(Debug, Clone, Copy)]
    struct PlainLineValues, set PlainLineValuesSet<'a> {
        quantity: Integer => i32,
        placed_at: BigInt => i64,
    }
}

columns! {
    /// The allocation of a line that lies whole in one batch. Other lines have none here.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    struct WholeValues<'a>, set WholeValuesSet<'a> {
        reference: Nullable<Text> => Option<&'a str>,
        allocated: Integer => i32,
    }
}

/// Whether a row of `order_lines` is a closed line.
///
/// A program that does not know of closed orders takes such a line for a firm one, and may fill it again: with units in
/// the row, or with units to wait for. It is firm then, as [`restored`] returns it. A line that such a program has
/// filled with parts counts as closed here, and as firm once it is loaded.
pub(crate) const IS_CLOSED: &str = "(closed AND waiting = 0 AND reference IS NULL)";

/// How a line has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromSqlRow)]
pub(crate) enum LineEnd {
    Expired,
    Cancelled,
}

impl LineEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl<DB: Backend> ToSql<Text, DB> for LineEnd
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.as_str().to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for LineEnd
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        let known = [Self::Expired, Self::Cancelled].into_iter().find(|end| end.as_str() == text);
        known.ok_or_else(|| format!("no line ends as {text:?}").into())
    }
}

impl LineValues {
    /// Converts the row; fails if no line has such values.
    pub(crate) fn row(self) -> Result<LineRow, StoreError> {
        let commitment = match (self.ended, self.expires_at) {
            (None, None) if self.closed => ReservationState::Closed,
            (None, None) => ReservationState::Firm,
            (None, Some(expires_at)) => ReservationState::Held { expires_at: row::instant(expires_at)? },
            (Some(LineEnd::Expired), _) => ReservationState::Expired,
            (Some(LineEnd::Cancelled), _) => ReservationState::Cancelled,
        };
        Ok(LineRow {
            quantity: row::quantity(self.quantity)?,
            terms: LineTerms {
                of_order: self.of_order,
                priority: !self.precedence,
                placed_at: row::instant(self.placed_at)?,
                on_shortage: if self.backorders { OnShortage::Backorder } else { OnShortage::Reject },
                allow_split: self.allow_split,
                promises: row::promises(self.stable),
                ship_complete: self.ship_complete,
            },
            commitment,
            waiting: row::units(self.waiting)?,
            fulfilment: Fulfilment {
                listed: row::units(self.listed)?,
                picked: row::units(self.picked)?,
                shipped: row::units(self.shipped)?,
                returned: row::units(self.returned)?,
            },
        })
    }

    /// Returns the row of a line that was completed at an instant, or is not complete.
    pub(crate) fn of(line: &LineRow, completed_at: Option<DateTime<Utc>>) -> Result<Self, StoreError> {
        Ok(Self {
            quantity: row::integer(line.quantity.get())?,
            placed_at: line.terms.placed_at.timestamp_micros(),
            of_order: line.terms.of_order,
            precedence: !line.terms.priority,
            backorders: line.terms.on_shortage == OnShortage::Backorder,
            allow_split: line.terms.allow_split,
            stable: line.terms.promises == Promises::Stable,
            ship_complete: line.terms.ship_complete,
            waiting: row::integer(line.waiting)?,
            expires_at: line.commitment.expires_at().map(|at| at.timestamp_micros()),
            ended: match line.commitment {
                ReservationState::Firm | ReservationState::Held { .. } | ReservationState::Closed => None,
                ReservationState::Expired => Some(LineEnd::Expired),
                ReservationState::Cancelled => Some(LineEnd::Cancelled),
            },
            closed: line.commitment == ReservationState::Closed,
            listed: row::integer(line.fulfilment.listed)?,
            picked: row::integer(line.fulfilment.picked)?,
            shipped: row::integer(line.fulfilment.shipped)?,
            completed_at: completed_at.map(|at| at.timestamp_micros()),
            returned: row::integer(line.fulfilment.returned)?,
        })
    }
}

impl From<PlainLineValues> for LineValues {
    /// Adds the defaults of the table.
    fn from(PlainLineValues { quantity, placed_at }: PlainLineValues) -> Self {
        Self {
            quantity,
            placed_at,
            of_order: false,
            precedence: -1,
            backorders: false,
            allow_split: true,
            stable: false,
            ship_complete: false,
            waiting: 0,
            expires_at: None,
            ended: None,
            closed: false,
            listed: 0,
            picked: 0,
            shipped: 0,
            completed_at: None,
            returned: 0,
        }
    }
}

impl PlainLineValues {
    /// Returns the row of a line that has the defaults of the table, as almost every standalone line; `None`
    /// for any other line.
    pub(crate) fn of(line: &LineRow) -> Result<Option<Self>, StoreError> {
        let placed_at = line.terms.placed_at;
        if *line != LineState::standalone(line.quantity, placed_at).row() {
            return Ok(None);
        }
        Ok(Some(Self { quantity: row::integer(line.quantity.get())?, placed_at: placed_at.timestamp_micros() }))
    }
}

/// Restores a line with its allocations; fails if it has more units than it ordered.
pub(crate) fn restored(row: LineRow, allocations: Vec<Allocation>) -> Result<LineState, StoreError> {
    let mut line = row.with(allocations);
    // As in `IS_CLOSED`.
    if line.commitment == ReservationState::Closed && !(line.waiting == 0 && line.allocations.is_empty()) {
        line.commitment = ReservationState::Firm;
    }
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

/// The SQL types of an [`AllocationPart`].
pub(crate) type PartSql = (Integer, BatchSql);

/// An allocation of a known line, with its batch.
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

/// The SQL types of an [`OrderLineRow`].
pub(crate) type OrderLineSql = (Text, Text, Sql<LineValues>, Nullable<PartSql>);

/// A line of an order with one of its allocations, or with none.
#[derive(Debug, Queryable)]
pub(crate) struct OrderLineRow {
    pub(crate) order_id: String,
    pub(crate) sku: String,
    pub(crate) line: LineValues,
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
        line: LineValues,
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
