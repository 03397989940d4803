use crate::batch::Effects;
use crate::eta::EtaDate;
use crate::identifier::Id;
use crate::instant::Instant;
use allocation_app::RecordedReceipt;
use serde::Serialize;
use utoipa::ToSchema;

/// Units that were received, and the lines that this affected.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceivedBatch<'a> {
    /// The id of the receipt.
    receipt_id: Id<'a>,
    /// The batch.
    reference: Id<'a>,
    /// The SKU of the batch.
    sku: Id<'a>,
    /// The units that arrived and are kept.
    #[schema(value_type = i32, minimum = 0, example = 12)]
    qty: u32,
    /// The units that arrived and were rejected.
    #[schema(value_type = i32, minimum = 0, example = 0)]
    rejected: u32,
    /// The units of the batch on hand after the receipt: available, allocated or picked. While lines still leave the
    /// batch, the units that it has once they have left.
    #[schema(value_type = i32, minimum = 0, example = 12)]
    on_hand: u32,
    /// The batch of the units that have not arrived. Absent if there are none, or they were given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RestBatch<'_>, required = false)]
    rest: Option<RestBatch<'a>>,
    /// The units that have not arrived and were given up.
    #[schema(value_type = i32, minimum = 0, example = 0)]
    given_up: u32,
    /// The instant of the receipt.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    recorded_at: Instant,
    #[serde(flatten)]
    effects: Effects<'a>,
}

/// A batch of units that are still expected.
#[derive(Serialize, ToSchema)]
pub(crate) struct RestBatch<'a> {
    /// The reference of the batch.
    reference: Id<'a>,
    /// Its units.
    #[schema(value_type = i32, minimum = 1, example = 6)]
    qty: u32,
    /// Its date.
    eta: EtaDate,
}

impl<'a> From<&'a RecordedReceipt> for ReceivedBatch<'a> {
    fn from(recorded: &'a RecordedReceipt) -> Self {
        let (request, outcome) = (&recorded.request, &recorded.outcome);
        let rest = |rest: &'a allocation_domain::Rest| RestBatch {
            reference: (&rest.reference).into(),
            qty: rest.quantity.get(),
            eta: EtaDate(rest.eta),
        };
        Self {
            receipt_id: request.receipt_id().into(),
            reference: request.reference().into(),
            sku: (&outcome.sku).into(),
            qty: request.kept().get(),
            rejected: request.rejected().get(),
            on_hand: outcome.on_hand,
            rest: outcome.rest.as_ref().map(rest),
            given_up: outcome.given_up,
            recorded_at: Instant(recorded.recorded_at),
            effects: Effects::new(&outcome.affected, &outcome.displaced),
        }
    }
}
