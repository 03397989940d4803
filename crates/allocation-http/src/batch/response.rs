use crate::eta::EtaDate;
use crate::identifier::Id;
use crate::quantity::is_zero;
use allocation_domain::Units;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// A batch of stock.
#[derive(Serialize, ToSchema)]
pub(crate) struct Batch<'a> {
    /// The reference of the batch, unique across all SKUs.
    reference: Id<'a>,
    /// The SKU of the batch.
    sku: Id<'a>,
    /// The purchased quantity.
    #[schema(value_type = i32, minimum = 0, example = 20)]
    purchased_quantity: u32,
    /// Units allocated to order lines and not picked yet.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    allocated_quantity: u32,
    /// Units that can still be allocated: the purchased and adjusted quantities less the allocated, picked and
    /// shipped units.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    available_quantity: u32,
    /// Units picked but not shipped yet. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 3)]
    picked_quantity: u32,
    /// Units shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 3)]
    shipped_quantity: u32,
    /// Units that were found or counted after the purchase, less those that were damaged, lost or not found by
    /// pickers; negative if units are gone. Absent if zero.
    #[serde(skip_serializing_if = "is_none_adjusted")]
    #[schema(value_type = i32, required = false, example = -2)]
    adjusted_quantity: i64,
    /// The purchased quantity to which the batch is being lowered while lines leave it. Absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 5)]
    lowering_to: Option<u32>,
    /// The approximate number of units on lines that a correction still has to move, or whose promised date
    /// still has to change. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 12000)]
    moving: u32,
    /// The date from which the batch can be picked; null if it is in stock.
    eta: EtaDate,
    /// Whether the batch was expected before today and has not arrived. It cannot be picked, and arrives
    /// today at the earliest. Absent if it is not overdue.
    #[serde(skip_serializing_if = "is_false")]
    #[schema(required = false, example = true)]
    overdue: bool,
    /// Where the units come from, if they were not purchased: an order returned them. Absent for a purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BatchOrigin<'_>, required = false)]
    origin: Option<BatchOrigin<'a>>,
}

/// The return that the units of a batch came back with.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchOrigin<'a> {
    /// The return.
    return_id: Id<'a>,
    /// The order that the units were shipped for.
    order_id: Id<'a>,
}

impl<'a> From<&'a allocation_domain::BatchOrigin> for BatchOrigin<'a> {
    fn from(origin: &'a allocation_domain::BatchOrigin) -> Self {
        Self { return_id: (&origin.return_id).into(), order_id: (&origin.order_id).into() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_none_adjusted(units: &i64) -> bool {
    *units == 0
}

impl<'a> Batch<'a> {
    /// Returns a batch as of a day.
    pub(crate) fn on(today: NaiveDate, batch: &'a allocation_domain::Batch) -> Self {
        Self {
            reference: batch.reference().into(),
            sku: batch.sku().into(),
            purchased_quantity: batch.purchased().get(),
            allocated_quantity: batch.allocated(),
            available_quantity: batch.available(),
            picked_quantity: batch.counts().picked,
            shipped_quantity: batch.counts().shipped,
            adjusted_quantity: batch.adjusted(),
            lowering_to: Some(batch.purchased_finally()).filter(|to| *to < batch.purchased()).map(Units::get),
            moving: batch.moving_units(),
            eta: EtaDate(batch.eta()),
            overdue: batch.eta().is_overdue(today),
            origin: batch.origin().map(Into::into),
        }
    }
}
