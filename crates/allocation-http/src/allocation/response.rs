use crate::identifier::Identifier;
use allocation_ports::AllocationRow;
use serde::Serialize;
use utoipa::ToSchema;

/// Units of one batch that serve one line.
#[derive(Serialize, ToSchema)]
#[schema(as = Allocation)]
pub(crate) struct Row<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// The ordered SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// Units of the batch that serve the line.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The batch.
    #[schema(value_type = Identifier)]
    reference: &'a str,
}

impl<'a> From<&'a AllocationRow> for Row<'a> {
    fn from(row: &'a AllocationRow) -> Self {
        Self {
            order_id: row.order_id.as_str(),
            sku: row.sku.as_str(),
            qty: row.quantity.get(),
            reference: row.reference.as_str(),
        }
    }
}
