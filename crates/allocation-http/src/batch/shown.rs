use crate::eta;
use crate::identifier::Identifier;
use crate::quantity::is_none;
use allocation_domain::{Eta, Units};
use serde::Serialize;
use utoipa::ToSchema;

/// A batch of stock.
#[derive(Serialize, ToSchema)]
pub(crate) struct Batch<'a> {
    /// The name of the batch, unique across all SKUs.
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// What the batch holds.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// How many units were purchased.
    #[schema(value_type = i32, minimum = 0, example = 20)]
    purchased_quantity: u32,
    /// How many units are allocated to order lines, and not picked yet.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    allocated_quantity: u32,
    /// How many units can still be allocated: those that were purchased, but for those that are
    /// allocated, picked, shipped or missing.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    available_quantity: u32,
    /// How many units were picked and not shipped yet. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 3)]
    picked_quantity: u32,
    /// How many units were shipped. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 3)]
    shipped_quantity: u32,
    /// How many units were not found when they were to be picked. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    missing_quantity: u32,
    /// To how many units the batch is being lowered, as lines leave it. Absent when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 5)]
    lowering_to: Option<u32>,
    /// About how many units lines hold that are still to be moved after a correction, or to learn of a
    /// later date: many lines are moved in steps. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 12000)]
    moving: u32,
    /// When the batch can be picked from: a date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    eta: Eta,
}

impl<'a> From<&'a allocation_domain::Batch> for Batch<'a> {
    fn from(batch: &'a allocation_domain::Batch) -> Self {
        Self {
            reference: batch.reference().as_str(),
            sku: batch.sku().as_str(),
            purchased_quantity: batch.purchased().get(),
            allocated_quantity: batch.allocated(),
            available_quantity: batch.available(),
            picked_quantity: batch.counts().picked,
            shipped_quantity: batch.counts().shipped,
            missing_quantity: batch.counts().missing,
            lowering_to: batch.moving().and_then(|moving| moving.lower_to).map(Units::get),
            moving: batch.moving_units(),
            eta: batch.eta(),
        }
    }
}
