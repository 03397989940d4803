use super::request::DispositionSchema;
use crate::identifier::{Id, Identifier};
use crate::instant::Instant;
use allocation_app::RecordedReturn;
use serde::Serialize;
use utoipa::ToSchema;

/// Units of an order that came back.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedReturn)]
pub(crate) struct Returned<'a> {
    /// The id of the return.
    return_id: Id<'a>,
    /// The order that the units were shipped for.
    order_id: Id<'a>,
    /// The instant of the return.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    recorded_at: Instant,
    /// The units, sorted by SKU and disposition.
    lines: Vec<ReturnedLine<'a>>,
}

/// Units of one SKU that came back.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReturnedLine<'a> {
    /// The SKU.
    sku: Id<'a>,
    /// The number of units.
    #[schema(value_type = i32, minimum = 1, example = 1)]
    qty: u32,
    /// What becomes of them.
    #[schema(value_type = DispositionSchema)]
    disposition: &'static str,
    /// The batch that they are. Absent if they are not restocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    reference: Option<Id<'a>>,
}

impl<'a> From<&'a RecordedReturn> for Returned<'a> {
    fn from(recorded: &'a RecordedReturn) -> Self {
        let line = |line: &'a allocation_domain::ReturnedLine| ReturnedLine {
            sku: (&line.sku).into(),
            qty: line.quantity.get(),
            disposition: line.disposition.as_str(),
            reference: line.reference.as_ref().map(Into::into),
        };
        Self {
            return_id: recorded.request.return_id().into(),
            order_id: recorded.request.order_id().into(),
            recorded_at: Instant(recorded.recorded_at),
            lines: recorded.outcome.lines.iter().map(line).collect(),
        }
    }
}
