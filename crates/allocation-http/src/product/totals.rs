use crate::identifier::Id;
use crate::promises::PromisesSchema;
use allocation_domain::Promises;
use allocation_ports::ProductTotals;
use serde::Serialize;
use utoipa::ToSchema;

/// The totals of a product.
#[derive(Serialize, ToSchema)]
pub(crate) struct Product<'a> {
    /// The SKU.
    sku: Id<'a>,
    /// Units in the warehouse, neither shipped nor missing.
    #[schema(value_type = i64, minimum = 0, example = 5)]
    in_stock: u64,
    /// Units in transit.
    #[schema(value_type = i64, minimum = 0, example = 20)]
    on_its_way: u64,
    /// Units allocated and not picked yet, including held ones.
    #[schema(value_type = i64, minimum = 0, example = 14)]
    allocated: u64,
    /// Units picked and not shipped yet. Absent when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, minimum = 1, example = 3)]
    picked: Option<u64>,
    /// Units allocated to held orders.
    #[schema(value_type = i64, minimum = 0, example = 4)]
    held: u64,
    /// Units that lines wait for.
    #[schema(value_type = i64, minimum = 0, example = 0)]
    backordered: u64,
    /// Units that can still be allocated.
    #[schema(value_type = i64, minimum = 0, example = 11)]
    available: u64,
    /// Whether lines keep the date that they were promised when units of an earlier batch come free. Absent if they
    /// move.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = PromisesSchema, required = false)]
    promises: Option<&'static str>,
}

impl<'a> From<&'a ProductTotals> for Product<'a> {
    fn from(row: &'a ProductTotals) -> Self {
        let totals = &row.totals;
        Self {
            sku: (&row.sku).into(),
            in_stock: totals.in_stock,
            on_its_way: totals.on_its_way,
            allocated: totals.allocated,
            picked: Some(totals.picked).filter(|units| *units > 0),
            held: totals.held,
            backordered: totals.backordered,
            available: totals.available,
            promises: (row.promises == Promises::Stable).then_some(row.promises.as_str()),
        }
    }
}
