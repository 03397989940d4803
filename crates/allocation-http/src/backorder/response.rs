use crate::identifier::Id;
use crate::instant::Instant;
use serde::Serialize;
use utoipa::ToSchema;

/// A backordered line.
#[derive(Serialize, ToSchema)]
#[schema(as = Backorder)]
pub(crate) struct Row<'a> {
    /// The ordered SKU.
    sku: Id<'a>,
    /// The position in the queue of the SKU, starting at 1.
    #[schema(value_type = i64, minimum = 1, example = 1)]
    position: u64,
    /// The order that the line belongs to.
    order_id: Id<'a>,
    /// Units that the line waits for.
    #[schema(value_type = i32, minimum = 1, example = 50)]
    qty: u32,
    /// The priority of the line. Higher numbers are served first.
    #[schema(example = 5)]
    priority: i32,
    /// When the line was placed.
    #[schema(value_type = String, format = DateTime, example = "2027-01-10T08:00:00Z")]
    placed_at: Instant,
}

impl<'a> From<&'a allocation_ports::Backorder> for Row<'a> {
    fn from(row: &'a allocation_ports::Backorder) -> Self {
        Self {
            sku: (&row.sku).into(),
            position: row.position,
            order_id: row.queued.order_id().into(),
            qty: row.waiting.get(),
            priority: row.queued.priority(),
            placed_at: Instant(row.queued.placed_at()),
        }
    }
}
