//! The effects of less stock, or of later stock, on order lines.

use crate::choice::choice_schema;
use crate::eta::EtaDate;
use crate::identifier::Id;
use serde::Serialize;
use utoipa::ToSchema;

/// The lines that a change of stock affected.
#[derive(Serialize, ToSchema)]
#[schema(as = StockEffects)]
pub(crate) struct Effects<'a> {
    /// The lines whose promised date is now later, in the order in which lines are served.
    affected: Vec<Affected<'a>>,
    /// The lines that moved to another batch and are served no later, in the order in which lines are
    /// served.
    moved: Vec<Affected<'a>>,
    /// The lines that lost units and got no replacement, in the order in which lines are served.
    displaced: Vec<Displaced<'a>>,
    /// Whether any of these lists is cut off at 1,000 entries. The events report all lines. Absent if
    /// not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    truncated: bool,
}

/// The maximum length of each list in a response: a line can have units of many batches.
pub(crate) const MAX_SHOWN: usize = 1_000;

/// Units of a line that have another promised date or another batch.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedLine)]
pub(crate) struct Affected<'a> {
    /// The order that the line belongs to.
    order_id: Id<'a>,
    /// The ordered SKU.
    sku: Id<'a>,
    /// The batch that now serves the units.
    reference: Id<'a>,
    /// The quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// The previously promised date; null for stock.
    old_eta: EtaDate,
    /// The currently promised date; null for stock.
    new_eta: EtaDate,
}

/// Units that a line lost and now waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = DisplacedLine)]
pub(crate) struct Displaced<'a> {
    /// The order that the line belongs to.
    order_id: Id<'a>,
    /// The ordered SKU.
    sku: Id<'a>,
    /// The quantity.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
    /// `backordered` if the order accepts backorders, `short` otherwise.
    #[schema(value_type = DisplacedStatusSchema)]
    status: &'static str,
}

choice_schema! {
    /// How a line waits for units that it lost.
    DisplacedStatusSchema as "DisplacedStatus": ["backordered", "short"]
}

impl<'a> Effects<'a> {
    /// Returns the first of the lines that have other promises, and of those that wait.
    pub(crate) fn new(
        affected: &'a [allocation_domain::Affected],
        displaced: &'a [allocation_domain::Displaced],
    ) -> Self {
        let (worse, moved): (Vec<_>, Vec<_>) = affected.iter().partition(|line| line.is_worse());
        Self {
            truncated: [worse.len(), moved.len(), displaced.len()].iter().any(|lines| *lines > MAX_SHOWN),
            affected: worse.into_iter().take(MAX_SHOWN).map(Affected::from).collect(),
            moved: moved.into_iter().take(MAX_SHOWN).map(Affected::from).collect(),
            displaced: displaced.iter().take(MAX_SHOWN).map(Displaced::from).collect(),
        }
    }
}

impl<'a> From<&'a allocation_domain::Affected> for Affected<'a> {
    fn from(line: &'a allocation_domain::Affected) -> Self {
        Self {
            order_id: (&line.order_id).into(),
            sku: (&line.sku).into(),
            reference: (&line.reference).into(),
            qty: line.quantity.get(),
            old_eta: EtaDate(line.old_eta),
            new_eta: EtaDate(line.new_eta),
        }
    }
}

impl<'a> From<&'a allocation_domain::Displaced> for Displaced<'a> {
    fn from(line: &'a allocation_domain::Displaced) -> Self {
        Self {
            order_id: (&line.order_id).into(),
            sku: (&line.sku).into(),
            qty: line.quantity.get(),
            status: if line.short { "short" } else { "backordered" },
        }
    }
}
