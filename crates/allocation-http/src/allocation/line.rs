use crate::body::Body;
use crate::identifier::Identifier;
use crate::quantity::is_none;
use crate::validation_error::{ValidationError, ValidationErrors};
use crate::{eta, identifier, quantity};
use allocation_domain::{Allocation, Eta, OrderId, OrderLine, Quantity, Sku};
use deserr::Deserr;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// An order line to allocate.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
pub(crate) struct NewLine {
    /// The order that the line belongs to.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    order_id: OrderId,
    /// The ordered SKU.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    sku: Sku,
    /// The ordered quantity.
    #[serde(deserialize_with = "quantity::deserialize")]
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 10)]
    qty: Quantity,
}

impl Body for NewLine {
    type Content = OrderLine;

    fn content(self) -> Result<OrderLine, ValidationErrors> {
        OrderLine::new(self.order_id, self.sku, self.qty)
            .map_err(|error| ValidationError::in_body("/order_id", error).into())
    }
}

/// A line with the batches that serve it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineAllocation<'a> {
    /// The order that the line belongs to.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// The ordered SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The first of the batches, and the only one unless the line was split. Absent if all units were
    /// picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    reference: Option<&'a str>,
    /// Units picked but not shipped yet. Absent if zero.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    picked: u32,
    /// Units shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_none")]
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
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// Units of this batch.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The date from which the batch can be picked; null if it is in stock.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    eta: Eta,
}

impl<'a> From<&'a allocation_domain::LineAllocation> for LineAllocation<'a> {
    fn from(line: &'a allocation_domain::LineAllocation) -> Self {
        Self {
            order_id: line.order_id.as_str(),
            sku: line.sku.as_str(),
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
        Self { reference: part.reference.as_str(), qty: part.quantity.get(), eta: part.eta }
    }
}

fn parts<S: Serializer>(allocations: &[Allocation], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(allocations.iter().map(Part::from))
}
