use crate::eta::EtaDate;
use crate::identifier::{Id, Identifier};
use crate::quantity::is_zero;
use allocation_domain::Allocation;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// An order line to allocate.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewLineSchema {
    /// The order that the line belongs to.
    order_id: Id<'static>,
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 10)]
    qty: u32,
}

/// A line with the batches that serve it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineAllocation<'a> {
    /// The order that the line belongs to.
    order_id: Id<'a>,
    /// The ordered SKU.
    sku: Id<'a>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The first of the batches, and the only one unless the line was split. Absent if all units were
    /// picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    reference: Option<&'a str>,
    /// Units picked but not shipped yet. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    picked: u32,
    /// Units shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    shipped: u32,
    /// The batches that serve the line, in order of preference. Together with the picked and shipped
    /// units, they make up its quantity.
    #[schema(value_type = Vec<Part<'a>>)]
    #[serde(serialize_with = "parts")]
    allocations: &'a [Allocation],
}

/// Units of a batch that serve a line.
#[derive(Serialize, ToSchema)]
#[schema(as = AllocatedBatch)]
pub(crate) struct Part<'a> {
    /// The batch.
    reference: Id<'a>,
    /// Units of this batch.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The date from which the batch can be picked; null if it is in stock.
    eta: EtaDate,
}

impl<'a> From<&'a allocation_domain::LineAllocation> for LineAllocation<'a> {
    fn from(line: &'a allocation_domain::LineAllocation) -> Self {
        Self {
            order_id: (&line.order_id).into(),
            sku: (&line.sku).into(),
            qty: line.quantity.get(),
            reference: line.allocations.first().map(|first| first.reference.as_str()),
            picked: line.fulfilment.picked,
            shipped: line.fulfilment.shipped,
            allocations: &line.allocations,
        }
    }
}

impl<'a> From<&'a Allocation> for Part<'a> {
    fn from(part: &'a Allocation) -> Self {
        Self { reference: (&part.reference).into(), qty: part.quantity.get(), eta: EtaDate(part.eta) }
    }
}

fn parts<S: Serializer>(allocations: &[Allocation], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(allocations.iter().map(Part::from))
}
