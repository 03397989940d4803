//! The cursors of all lists.

use super::Cursor;
use allocation_domain::{BatchReference, OrderId, PickListId, QueuePosition, Sku};
use allocation_ports::{AllocationCursor, BackorderCursor, BatchCursor, EventCursor, OverdueCursor, ProductTotals};
use chrono::{DateTime, Utc};

/// Converts microseconds to an instant. Instants before 1970 are rejected: no list has any, and databases
/// differ in their earliest date.
fn instant(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).filter(|_| micros >= 0)
}

impl Cursor for BatchCursor {
    type Fields = (i64, String);

    fn fields(&self) -> Self::Fields {
        (self.added_at.timestamp_micros(), self.reference.to_string())
    }

    fn from_fields((added_at, reference): Self::Fields) -> Option<Self> {
        Some(Self { added_at: instant(added_at)?, reference: BatchReference::restore(reference).ok()? })
    }
}

impl Cursor for OverdueCursor {
    const LIST: &'static str = "overdue batches";

    type Fields = (String, i64, String);

    fn fields(&self) -> Self::Fields {
        (self.eta.to_string(), self.added_at.timestamp_micros(), self.reference.to_string())
    }

    fn from_fields((eta, added_at, reference): Self::Fields) -> Option<Self> {
        let (added_at, reference) = (instant(added_at)?, BatchReference::restore(reference).ok()?);
        Some(Self { eta: eta.parse().ok()?, added_at, reference })
    }
}

impl Cursor for AllocationCursor {
    type Fields = (String, String, String, i32, i64);

    fn fields(&self) -> Self::Fields {
        let (sku, order_id, reference) = (self.sku.to_string(), self.order_id.to_string(), self.reference.to_string());
        (sku, order_id, reference, self.priority, self.placed_at.timestamp_micros())
    }

    fn from_fields((sku, order_id, reference, priority, placed_at): Self::Fields) -> Option<Self> {
        Some(Self {
            sku: Sku::restore(sku).ok()?,
            order_id: OrderId::restore(order_id).ok()?,
            reference: BatchReference::restore(reference).ok()?,
            priority,
            placed_at: instant(placed_at)?,
        })
    }
}

impl Cursor for OrderId {
    const LIST: &'static str = "orders";

    type Fields = String;

    fn fields(&self) -> Self::Fields {
        self.to_string()
    }

    fn from_fields(order_id: Self::Fields) -> Option<Self> {
        Self::restore(order_id).ok()
    }
}

impl Cursor for PickListId {
    const LIST: &'static str = "pick lists";

    type Fields = String;

    fn fields(&self) -> Self::Fields {
        self.to_string()
    }

    fn from_fields(list_id: Self::Fields) -> Option<Self> {
        Self::restore(list_id).ok()
    }
}

/// The position of a product in the list.
#[derive(Debug, PartialEq)]
pub(crate) struct ProductCursor(pub(crate) Sku);

impl From<&ProductTotals> for ProductCursor {
    fn from(row: &ProductTotals) -> Self {
        Self(row.sku.clone())
    }
}

impl Cursor for ProductCursor {
    const LIST: &'static str = "products";

    type Fields = String;

    fn fields(&self) -> Self::Fields {
        self.0.to_string()
    }

    fn from_fields(sku: Self::Fields) -> Option<Self> {
        Sku::restore(sku).ok().map(Self)
    }
}

impl Cursor for BackorderCursor {
    /// A position above `u32::MAX` is clamped; no queue is that long.
    type Fields = (String, u32, i32, i64, String);

    fn fields(&self) -> Self::Fields {
        let Self { sku, position, queued } = self;
        let position = u32::try_from(*position).unwrap_or(u32::MAX);
        let placed_at = queued.placed_at().timestamp_micros();
        (sku.to_string(), position, queued.priority(), placed_at, queued.order_id().to_string())
    }

    fn from_fields((sku, position, priority, placed_at, order_id): Self::Fields) -> Option<Self> {
        let queued = QueuePosition::new(OrderId::restore(order_id).ok()?, priority, instant(placed_at)?);
        Some(Self { sku: Sku::restore(sku).ok()?, position: u64::from(position), queued }).filter(|_| position > 0)
    }
}

impl Cursor for EventCursor {
    /// Signed, like the integers of the database.
    type Fields = (i64, String, i64, i32);

    fn fields(&self) -> Self::Fields {
        let version = i64::try_from(self.version).unwrap_or(i64::MAX);
        let ordinal = i32::try_from(self.ordinal).unwrap_or(i32::MAX);
        (self.occurred_at.timestamp_micros(), self.sku.to_string(), version, ordinal)
    }

    fn from_fields((occurred_at, sku, version, ordinal): Self::Fields) -> Option<Self> {
        Some(Self {
            occurred_at: instant(occurred_at)?,
            sku: Sku::restore(sku).ok()?,
            version: version.try_into().ok()?,
            ordinal: ordinal.try_into().ok()?,
        })
    }
}
