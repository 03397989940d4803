//! The cursors of all lists.

use super::Cursor;
use allocation_domain::{BatchReference, CountId, OrderId, PickListId, QueuePosition, ShipmentId, Sku};
use allocation_ports::{AllocationCursor, BackorderCursor, BatchCursor, EventCursor, OverdueCursor, ProductTotals};
use chrono::serde::ts_microseconds;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};

/// An instant from 1970 on, in microseconds: no list has an earlier one, and databases differ in their earliest date.
#[derive(Serialize, Deserialize)]
pub(crate) struct Micros(
    #[serde(serialize_with = "ts_microseconds::serialize", deserialize_with = "since_1970")] DateTime<Utc>,
);

fn since_1970<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let instant = ts_microseconds::deserialize(deserializer)?;
    if instant < DateTime::UNIX_EPOCH { Err(de::Error::custom("before 1970")) } else { Ok(instant) }
}

impl Cursor for BatchCursor {
    type Fields = (Micros, BatchReference);

    fn fields(&self) -> Self::Fields {
        (Micros(self.added_at), self.reference.clone())
    }

    fn from_fields((Micros(added_at), reference): Self::Fields) -> Option<Self> {
        Some(Self { added_at, reference })
    }
}

impl Cursor for OverdueCursor {
    const LIST: &'static str = "overdue batches";

    type Fields = (NaiveDate, Micros, BatchReference);

    fn fields(&self) -> Self::Fields {
        (self.eta, Micros(self.added_at), self.reference.clone())
    }

    fn from_fields((eta, Micros(added_at), reference): Self::Fields) -> Option<Self> {
        Some(Self { eta, added_at, reference })
    }
}

impl Cursor for AllocationCursor {
    type Fields = (Sku, OrderId, BatchReference, i32, Micros);

    fn fields(&self) -> Self::Fields {
        let Self { sku, order_id, reference, priority, placed_at } = self.clone();
        (sku, order_id, reference, priority, Micros(placed_at))
    }

    fn from_fields((sku, order_id, reference, priority, Micros(placed_at)): Self::Fields) -> Option<Self> {
        Some(Self { sku, order_id, reference, priority, placed_at })
    }
}

/// Implements cursors that are an identifier.
macro_rules! identifier_cursors {
    ($($cursor:ty: $list:literal;)+) => {$(
        impl Cursor for $cursor {
            const LIST: &'static str = $list;

            type Fields = Self;

            fn fields(&self) -> Self {
                self.clone()
            }

            fn from_fields(fields: Self) -> Option<Self> {
                Some(fields)
            }
        }
    )+};
}

identifier_cursors! {
    OrderId: "orders";
    PickListId: "pick lists";
    ShipmentId: "shipments";
    CountId: "counts";
    ProductCursor: "products";
}

/// The position of a product in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProductCursor(pub(crate) Sku);

impl From<&ProductTotals> for ProductCursor {
    fn from(row: &ProductTotals) -> Self {
        Self(row.sku.clone())
    }
}

/// The position of a movement in the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MovementCursor(pub(crate) u64);

impl Cursor for MovementCursor {
    const LIST: &'static str = "movements";

    type Fields = i64;

    fn fields(&self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    fn from_fields(position: i64) -> Option<Self> {
        u64::try_from(position).ok().map(Self)
    }
}

impl Cursor for BackorderCursor {
    /// A position above `u32::MAX` is clamped; no queue is that long.
    type Fields = (Sku, u32, i32, Micros, OrderId);

    fn fields(&self) -> Self::Fields {
        let Self { sku, position, queued } = self;
        let position = u32::try_from(*position).unwrap_or(u32::MAX);
        (sku.clone(), position, queued.priority(), Micros(queued.placed_at()), queued.order_id().clone())
    }

    fn from_fields((sku, position, priority, Micros(placed_at), order_id): Self::Fields) -> Option<Self> {
        let queued = QueuePosition::new(order_id, priority, placed_at);
        Some(Self { sku, position: u64::from(position), queued }).filter(|_| position > 0)
    }
}

impl Cursor for EventCursor {
    /// Signed, like the integers of the database.
    type Fields = (Micros, Sku, i64, i32);

    fn fields(&self) -> Self::Fields {
        let version = i64::try_from(self.version).unwrap_or(i64::MAX);
        let ordinal = i32::try_from(self.ordinal).unwrap_or(i32::MAX);
        (Micros(self.occurred_at), self.sku.clone(), version, ordinal)
    }

    fn from_fields((Micros(occurred_at), sku, version, ordinal): Self::Fields) -> Option<Self> {
        Some(Self { occurred_at, sku, version: version.try_into().ok()?, ordinal: ordinal.try_into().ok()? })
    }
}
