use crate::identifier::Id;
use allocation_ports::AllocationRow;
use serde::Serialize;
use utoipa::ToSchema;

/// Units of one batch that serve one line.
#[derive(Serialize, ToSchema)]
#[schema(as = Allocation)]
pub(crate) struct Row<'a> {
    /// The order that the line belongs to.
    order_id: Id<'a>,
    /// The ordered SKU.
    sku: Id<'a>,
    /// Units of the batch that serve the line.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The batch.
    reference: Id<'a>,
}

impl<'a> From<&'a AllocationRow> for Row<'a> {
    fn from(row: &'a AllocationRow) -> Self {
        Self {
            order_id: (&row.order_id).into(),
            sku: (&row.sku).into(),
            qty: row.quantity.get(),
            reference: (&row.reference).into(),
        }
    }
}
