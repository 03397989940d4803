use crate::batch::Effects;
use crate::identifier::Id;
use crate::instant::Instant;
use allocation_app::RecordedAdjustment;
use serde::Serialize;
use utoipa::ToSchema;

/// An adjustment that was made, and the lines that it affected.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeAdjustment)]
pub(crate) struct Adjusted<'a> {
    /// The id of the adjustment.
    adjustment_id: Id<'a>,
    /// Why the units were adjusted.
    #[schema(value_type = Id<'_>, example = "damaged")]
    reason: Id<'a>,
    /// The instant of the adjustment.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    recorded_at: Instant,
    /// The adjusted batches, sorted by reference.
    lines: Vec<AdjustedLine<'a>>,
    #[serde(flatten)]
    effects: Effects<'a>,
}

/// A batch after an adjustment.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdjustedLine<'a> {
    /// The batch.
    reference: Id<'a>,
    /// The SKU of the batch.
    sku: Id<'a>,
    /// The units that were added, negative if they were removed.
    #[schema(value_type = i32, example = -1)]
    change: i32,
    /// The units on hand after the adjustment: available, allocated or picked. While lines still leave the batch, the
    /// units that it has once they have left.
    #[schema(value_type = i32, minimum = 0, example = 5)]
    on_hand: u32,
}

impl<'a> From<&'a allocation_domain::AdjustedLine> for AdjustedLine<'a> {
    fn from(line: &'a allocation_domain::AdjustedLine) -> Self {
        Self {
            reference: (&line.reference).into(),
            sku: (&line.sku).into(),
            change: line.change.get(),
            on_hand: line.on_hand,
        }
    }
}

impl<'a> From<&'a RecordedAdjustment> for Adjusted<'a> {
    fn from(recorded: &'a RecordedAdjustment) -> Self {
        let outcome = &recorded.outcome;
        Self {
            adjustment_id: recorded.request.adjustment_id().into(),
            reason: recorded.request.reason().into(),
            recorded_at: Instant(recorded.recorded_at),
            lines: outcome.lines.iter().map(AdjustedLine::from).collect(),
            effects: Effects::new(&outcome.affected, &outcome.displaced),
        }
    }
}
